"""What a command has of the command line that it runs in."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from aldis.app import Context

__all__ = ["Output", "Run"]


class Output(Protocol):
    """Data on stdout, talk on stderr."""

    @property
    def on_terminal(self) -> bool:
        """Whether data goes to a terminal."""

    def data(self, value: Any, *shown: Any) -> None:
        """`value` as JSON where that is asked for, else what is to be shown of it."""

    def lines(self, value: Any, rows: Iterable[str]) -> None:
        """`value` as JSON, else its lines."""

    def table(
        self, value: Any, headings: Sequence[str], rows: Iterable[Sequence[str]], optional: Sequence[str] = ()
    ) -> None:
        """`value` as JSON, else its rows; columns that are `optional` are left out where all their cells are alike."""

    def say(self, text: str) -> None:
        """Talk."""

    def next(self, step: str, *, here: bool = True) -> None:
        """What to do next; with `here` for this node."""

    def progress(self, what: str) -> AbstractContextManager[Callable[[int, int | None], None]]:
        """A bar: what it is given is told how many are done, and of how many."""


class Run(Protocol):
    """One run of the command line."""

    @property
    def json(self) -> bool:
        """Whether JSON is asked for."""

    @property
    def out(self) -> Output:
        """Where to speak."""

    @property
    def context(self) -> Context:
        """The node, as whoever types sees it."""
