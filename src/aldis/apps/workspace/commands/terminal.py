"""What the commands of projects share: the run they are part of, options, and how an item is shown in a line."""

from __future__ import annotations

import getpass
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from typing import Any, Protocol, TypeVar

import click
import msgspec

from aldis.app import Context
from aldis.apps.workspace.board import Card
from aldis.apps.workspace.items import Item, instant
from aldis.apps.workspace.papers import Marker
from aldis.apps.workspace.project import Project
from aldis.kernel.records import Record

__all__ = [
    "MARKS",
    "Run",
    "as_person",
    "card_data",
    "card_row",
    "day",
    "item_data",
    "marks",
    "opened",
    "operator",
    "when",
    "wrote",
]

_Command = TypeVar("_Command", bound=Callable[..., Any])


class _Output(Protocol):
    def data(self, value: Any, *shown: Any) -> None: ...

    def lines(self, value: Any, rows: Iterable[str]) -> None: ...

    def table(self, value: Any, headings: Sequence[str], rows: Iterable[Sequence[str]]) -> None: ...

    def say(self, text: str) -> None: ...

    def next(self, step: str) -> None: ...

    def ask(self, question: str) -> bool | None: ...


class Run(Protocol):
    """The run of the command line: the node as whoever types sees it, and where to speak."""

    person: str

    @property
    def context(self) -> Context:
        """The node, as whoever types sees it."""

    @property
    def out(self) -> _Output:
        """Data on stdout, talk on stderr."""


def MARKS(command: _Command) -> _Command:  # noqa: N802
    """The options that mark what a command writes."""
    for option in (
        click.option("--portion-marking", "portions", metavar="NAME=MARKING", multiple=True, help="Of one portion."),
        click.option("--marking", metavar="TEXT", default="", help="The marking; else as the charter is marked."),
    ):
        command = option(command)
    return command


def as_person(command: click.Command) -> None:
    """Give a command, and each below it, the option `--as`."""
    if isinstance(command, click.Group):
        for below in command.commands.values():
            as_person(below)
        return

    def keep(ctx: click.Context, _param: click.Parameter, value: str | None) -> None:
        if value and ctx.obj is not None:
            ctx.obj.person = value

    command.params.append(
        click.Option(
            ["--as", "person"], metavar="person:ID", expose_value=False, callback=keep, is_eager=True,
            help="As a person who is signed in: what they may see, and write.",
        )
    )  # fmt: skip


def marks(marking: str, portions: Sequence[str]) -> dict[str, str]:
    """The markings of options by portion."""
    found = {"": marking} if marking else {}
    for text in portions:
        name, equals, mark = text.partition("=")
        if not (equals and name and mark):
            raise click.BadParameter(f"{text!r} is not NAME=MARKING", param_hint="--portion-marking")
        found[name] = mark
    return found


def operator() -> str:
    """Who gives a command at the machine itself."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "operator"


def opened(run: Run, name: str) -> Project:
    """A project of which there is something to see."""
    return Project.open(run.context, name, operator())


def day(text: str | None) -> date | None:
    """A day as people type it."""
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as error:
        raise click.BadParameter(f"{text!r} is no day: write 2026-10-31") from error


def when(at: int) -> str:
    """An instant for people."""
    return instant(at).strftime("%Y-%m-%d %H:%M UTC")


def item_data(item: Item, marker: Marker, parties: Mapping[str, str]) -> dict[str, Any]:
    """An item as JSON."""
    return {
        "id": item.ref.id,
        "node": item.ref.node,
        "party": parties.get(item.ref.node, ""),
        "kind": item.kind,
        "version": item.version,
        "author": item.author,
        "created": item.created,
        "marking": marker.show(item.label),
        "banner": marker.banner(frozenset(item.labels)),
        "portions": {
            part.name: {"marking": marker.show(part.label), "value": msgspec.to_builtins(part.value, str_keys=True)}
            for part in item.parts
        },
    }


def card_data(card: Card, marker: Marker, parties: Mapping[str, str]) -> dict[str, Any]:
    """A card as JSON, with every nation's word and the replies."""
    return item_data(card.item, marker, parties) | {
        "state": card.state,
        "said": [item_data(said.item, marker, parties) | {"state": said.state} for said in card.said],
        "replies": [item_data(reply.item, marker, parties) | {"depth": reply.depth} for reply in card.replies],
    }


def card_row(card: Card, marker: Marker, parties: Mapping[str, str]) -> list[str]:
    """A card in a line: id, kind, state, mark and title, whose it is, when it is due."""
    item, plan = card.item, card.item.plan
    title = item.seen("title")
    mark = marker.show(title.label if title else item.label, portion=True)
    state = f"{card.state} (nations differ)" if card.differs else card.state
    due = plan.due.isoformat() if plan.due else ""
    whose = plan.owner or parties.get(item.ref.node, item.ref.node)
    return [item.ref.id, item.kind, state, f"{mark} {item.title}", whose, due]


def wrote(run: Run, record: Record, what: str) -> None:
    """Say what was written, and how it is marked."""
    header, marker = record.header, Marker(run.context)
    labels = {portion.name: marker.show(portion.label) for portion in record.portions}
    run.out.lines(
        {"id": header.id, "kind": header.kind, "project": header.project, "version": header.version,
         "marking": marker.show(record.label), "portions": labels},
        [f"{header.id}  {what}, {marker.show(record.label)}"],
    )  # fmt: skip
