"""The pages of experiments, below `/experiments`."""
