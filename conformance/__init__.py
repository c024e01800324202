"""The vectors of `spec/vectors`, run against any implementation; see NODE-CLI.md."""
