"""Rules only: no I/O, no clock, no randomness, no globals."""
