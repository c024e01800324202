"""Data on stdout, talk on stderr. What came from elsewhere never reaches a terminal as control codes."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import click
from rich.box import SIMPLE_HEAD
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from aldis.interfaces.cli.text import clean, one_line

__all__ = ["Output", "Told", "grid", "unbroken"]

Told = Callable[[int, int | None], None]
"""Says how much is done, and of how many where that is known."""

_PIPED = 100
"""Columns where stdout is no terminal and COLUMNS is not set."""
_SHORT = 12


class _Clean:
    """Whatever is inside, without control characters."""

    def __init__(self, inside: RenderableType) -> None:
        self._inside = inside

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for text, style, control in console.render(self._inside, options):
            yield Segment(text if control else clean(text), style, control)


class Output:
    """The two streams; `hint` fits a hint's commands to this run."""

    def __init__(self, as_json: bool, hint: Callable[[str], str]) -> None:
        self.as_json = as_json
        self._hint = hint

    @property
    def on_terminal(self) -> bool:
        """Whether a person reads stdout as it is."""
        return sys.stdout.isatty()

    def data(self, value: Any, *shown: RenderableType) -> None:
        """What was asked for: as JSON, or as people read it."""
        if self.as_json:
            click.echo(json.dumps(value, indent=2))
            return
        width = None if self.on_terminal or "COLUMNS" in os.environ else _PIPED
        console = Console(file=sys.stdout, width=width, markup=False, highlight=False, emoji=False)
        with console.capture() as written:
            console.print(_Clean(Group(*shown)), end="", crop=False)
        click.echo("\n".join(line.rstrip() for line in written.get().rstrip("\n").split("\n")), color=True)

    def lines(self, value: Any, rows: Iterable[str]) -> None:
        """As `data`, where a line is to stay a line however long it is."""
        if self.as_json:
            self.data(value)
            return
        for row in rows:
            click.echo(clean(row))

    def table(
        self, value: Any, headings: Sequence[str], rows: Iterable[Sequence[str]], optional: Sequence[str] = ()
    ) -> None:
        """As `data`: a table on a terminal, else a line for each row with a tab between its fields.

        Where the terminal is too narrow, the `optional` columns go first, in the order given.
        """
        every = list(rows)
        if self.as_json or not self.on_terminal:
            self.lines(value, ("\t".join(one_line(field) for field in row) for row in every))
        elif every:
            kept = _fitting(headings, every, optional, shutil.get_terminal_size().columns)
            self.data(value, grid([[row[i] for i in kept] for row in every], [headings[i] for i in kept]))

    def say(self, text: str) -> None:
        """Talk to a person; nothing where JSON was asked for."""
        if not self.as_json:
            click.echo(clean(text), err=True)

    def next(self, step: str, *, here: bool = True) -> None:
        """What to do next, its command between backticks; `here` where that is for this node."""
        self.say(f"Next: {self._hint(step) if here else step}")

    def ask(self, question: str) -> bool | None:
        """A person's yes or no; None where there is no terminal to ask at."""
        if not (sys.stdin.isatty() and sys.stderr.isatty()):
            return None
        return click.confirm(clean(question), err=True)

    @contextmanager
    def progress(self, what: str) -> Iterator[Told]:
        """A bar on stderr while the block runs, on a terminal only."""
        if self.as_json or not sys.stderr.isatty():
            yield _silent
            return
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
        with Progress(*columns, console=Console(stderr=True, markup=False), transient=True) as bar:
            task = bar.add_task(what, total=None)
            yield lambda done, total: bar.update(task, completed=done, total=total)


def unbroken(text: str, style: str = "") -> Text:
    """Text that is to be copied: a line stays a line, however narrow the terminal."""
    return Text(text, style=style, no_wrap=True, overflow="ignore")


def grid(rows: Iterable[Sequence[RenderableType]], headings: Sequence[str] = ()) -> Table:
    """Rows in columns, without lines between them; short columns are the last to be folded."""
    every = [[Text(field) if isinstance(field, str) else field for field in row] for row in rows]
    box = SIMPLE_HEAD if headings else None
    table = Table(box=box, show_header=bool(headings), show_edge=False, pad_edge=False, padding=(0, 2, 0, 0))
    for place, column in enumerate(zip(*every, strict=True)):
        short = all(isinstance(field, Text) and len(field.plain) <= _SHORT for field in column)
        table.add_column(headings[place] if headings else "", overflow="fold", no_wrap=short)
    for row in every:
        table.add_row(*row)
    return table


def _fitting(headings: Sequence[str], rows: Sequence[Sequence[str]], optional: Sequence[str], width: int) -> list[int]:
    """The columns that fit without folding, or all that must be there."""
    kept = list(range(len(headings)))
    wide = [max(len(headings[i]), *(len(row[i]) for row in rows)) + 2 for i in kept]
    for name in optional:
        if sum(wide[i] for i in kept) <= width:
            break
        kept.remove(headings.index(name))
    return kept


def _silent(_done: int, _total: int | None) -> None:
    """Nobody is there to be told."""
