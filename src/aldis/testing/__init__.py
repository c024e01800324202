"""A coalition of nodes in one process, for tests."""
