"""Joining an experiment: one file out, and from it and a system's address to the common picture."""
