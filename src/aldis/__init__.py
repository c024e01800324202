"""Aldis: allied nations share records, not systems."""
