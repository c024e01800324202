"""Test cases, and what recordings show of them: the interoperability matrix and its verdicts."""
