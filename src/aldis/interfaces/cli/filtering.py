"""The options that a list, a search and a saved search have in common."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import click

from aldis.interfaces.cli.session import Session
from aldis.interfaces.cli.signing_in import rungs
from aldis.kernel.errors import InvalidInput
from aldis.node.filters import Filters

__all__ = ["filtering", "filters_of", "narrowing", "paging"]

_Command = Callable[..., None]
_DAY = 86_400_000
_NAMES = ("kinds", "project", "originator", "author")
_TIMES = ("created_from", "created_until", "arrived_from", "arrived_until")

_VIEWER = click.option(
    "--as", "viewer", metavar="WHO", default="", help="Only what a partner, or a signed-in person:ID, may see."
)


def filtering(command: _Command) -> _Command:
    """The options that say among what to look."""
    for option in (
        click.option("--at-most", metavar="[POLICY:]RUNG", default="",
                     help="Leave out what is classified higher, records and portions."),
        click.option("--arrived-until", metavar="TIME", default="", help="Here by then; a day counts whole."),
        click.option("--arrived-from", metavar="TIME", default="", help="Here no earlier."),
        click.option("--written-until", "created_until", metavar="TIME", default="",
                     help="Written by then; a day counts whole."),
        click.option("--written-from", "created_from", metavar="TIME", default="",
                     help="Written no earlier: a day such as 2026-01-31, or 2026-01-31T12:00, UTC."),
        click.option("--author", metavar="WHO", default="", help="Only by this author."),
        click.option("--originator", metavar="NODE", default="", help="Only from this originating node."),
        click.option("--project", metavar="P", default="", help="Only of this project."),
        click.option("--kind", "kinds", metavar="KIND", multiple=True,
                     help="Only of this kind; repeatable; `aldis apps` lists them."),
    ):  # fmt: skip
        command = option(command)
    return command


def paging(command: _Command) -> _Command:
    """The options that say which page."""
    for option in (
        click.option("--cursor", metavar="C", default="", help="Go on where the page before ended."),
        click.option("--limit", type=click.IntRange(1, 200), default=50, show_default=True, help="Records in a page."),
    ):
        command = option(command)
    return command


def narrowing(command: _Command) -> _Command:
    """All of these."""
    return filtering(_VIEWER(paging(command)))


def filters_of(session: Session, given: Mapping[str, Any]) -> Filters:
    """What these options ask for.

    Raises:
        InvalidInput: a time that cannot be read.
    """
    times = {name: _instant(given[name], end=name.endswith("until")) for name in _TIMES if given[name]}
    rung = rungs(session.node.core.config.policy, (given["at_most"],)) if given["at_most"] else {}
    asked: dict[str, Any] = {**times, **{name: given[name] for name in _NAMES}}
    return Filters(**asked, at_most=next(iter(rung.items()), None))


def _instant(text: str, *, end: bool) -> int:
    """An instant in ms since 1970 UTC; the `end` of a day is that of the day after, of a minute the next one's."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise InvalidInput(f"{text!r} is not a time", fix="Write it as 2026-01-31, or 2026-01-31T12:00") from error
    at = int((found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp() * 1000)
    return at + (_DAY if end and "T" not in text and " " not in text else 0)
