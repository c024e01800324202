"""One nation's node."""
