"""`python -m aldis` is the `aldis` command."""

from __future__ import annotations

from aldis.interfaces.cli.main import main

main()
