"""`make bench`: every benchmark in turn, each a process of its own; its figures as JSON lines, then one table."""

from __future__ import annotations

import subprocess
import sys

import msgspec
from rich.console import Console
from rich.table import Table

MODULES = ("ledger", "decision", "bulk", "listing", "exchange", "live")
COLUMNS = ("benchmark", "aldis", "unit", "spread", "ratio", "peer", "target", "met")


def main() -> int:
    """Run all; 1 if one of them could not run, whatever the figures."""
    figures, failed = [], []
    for module in MODULES:
        command = [sys.executable, "-m", f"benchmarks.{module}", *sys.argv[1:]]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
        lines = [line for line in done.stdout.splitlines() if line.startswith('{"benchmark"')]
        print("\n".join(lines), flush=True)
        figures += [msgspec.json.decode(line) for line in lines]
        if done.returncode or not lines:
            failed.append(module)
    table = Table(*COLUMNS)
    for figure in figures:
        met = "yes" if figure["met"] else "MISSED"
        table.add_row(*(str(figure[name]) for name in COLUMNS[:-1]), met)
    Console().print(table)
    if failed:
        print(f"could not run: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
