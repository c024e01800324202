"""`make bench`: every benchmark in turn, a process each: its figures as lines of JSON, and a table at the end.

    python -m benchmarks [--quick]

The exit code is 1 only if one could not run; a figure that misses its target is marked so in the table.
"""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import msgspec
from rich.console import Console
from rich.table import Table

MODULES = (
    "ledger", "decision", "bulk", "listing", "meaning", "exchange", "attachments", "backlog", "live", "node", "tdf",
    "api", "recording", "replaying", "scoring", "dis", "cot", "ais", "mavlink", "buses", "pipeline", "latency",
    "joining", "picture",
)  # fmt: skip
COLUMNS = ("benchmark", "aldis", "unit", "ratio", "peer", "target", "met")


def run(module: str, arguments: list[str]) -> tuple[list[dict[str, Any]], bool]:
    """Its figures, each printed as soon as it is there, and whether it came to its end."""
    figures = []
    command = [sys.executable, "-m", f"benchmarks.{module}", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith('{"benchmark"'):
                print(line, end="", flush=True)
                figures.append(msgspec.json.decode(line))
    return figures, process.returncode == 0 and bool(figures)


def main() -> int:
    """Run all; 1 if one of them could not run, whatever the figures."""
    table, failed, missed = Table(*COLUMNS), [], []
    for module in MODULES:
        figures, done = run(module, sys.argv[1:])
        if not done:
            failed.append(module)
        for figure in figures:
            if not figure["met"]:
                missed.append(figure["benchmark"])
            table.add_row(*(str(figure[name]) for name in COLUMNS[:-1]), "met" if figure["met"] else "[bold]missed[/]")
    Console().print(table)
    if missed:
        print(f"missed: {', '.join(missed)}")
    if failed:
        print(f"could not run: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
