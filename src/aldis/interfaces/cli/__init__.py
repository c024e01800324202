"""The command line: data on stdout, talk on stderr, and an exit code that says who can act (clig.dev)."""
