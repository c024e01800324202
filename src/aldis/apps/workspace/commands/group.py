"""The group `aldis project`, and the commands that look."""

from __future__ import annotations

from pathlib import Path

import click
import msgspec

from aldis.apps.workspace.agenda import agenda, icalendar_of
from aldis.apps.workspace.commands.carrying import export, import_
from aldis.apps.workspace.commands.starting import extend, start
from aldis.apps.workspace.commands.terminal import (
    Run,
    as_person,
    card_data,
    card_row,
    item_data,
    opened,
    operator,
    when,
)
from aldis.apps.workspace.commands.writing import decision, document, event, member, milestone, post, task
from aldis.apps.workspace.feed import Entry
from aldis.apps.workspace.kinds import COLUMNS, Charter, Member
from aldis.apps.workspace.papers import Marker
from aldis.apps.workspace.project import Project, charters, project_of

__all__ = ["project"]

_HEADINGS = ("id", "kind", "state", "title", "owner", "due")


@click.group("project", no_args_is_help=True)
def project() -> None:
    """Run projects with other nations: tasks, decisions, documents, discussions, days.

    Every nation writes its own records at its own node, and sees what labels and instruments let it see. Items are
    named by their id.
    """


@project.command("list")
@click.pass_obj
def list_(run: Run) -> None:
    """List the projects whose charter you may see."""
    marker, parties = Marker(run.context), run.context.parties()
    rows, data = [], []
    for item in charters(run.context):
        terms = item.part("charter", Charter)
        between = ", ".join(terms.parties) if terms else ""
        rows.append((item.project, marker.show(item.label, portion=True), item.title, between))
        data.append({"project": item.project, "parties": between} | item_data(item, marker, parties))
    run.out.table({"projects": data}, ("project", "marking", "title", "between"), rows)
    if not rows:
        run.out.next("`aldis project start NAME --template bilateral --with PARTY --title TITLE` begins one")


@project.command("show")
@click.argument("name")
@click.pass_obj
def show(run: Run, name: str) -> None:
    """Show a project: its charter, its members by nation, where its items stand, what is new."""
    found = opened(run, name)
    marker, parties = Marker(run.context), run.context.parties()
    charter = found.board.charter
    lines = [marker.banner(frozenset(label for card in found.board.cards for label in card.labels)), name]
    if charter is not None:
        lines += [
            f"  {part.name}: {marker.show(part.label, portion=True)} {_text(part.value)}" for part in charter.parts
        ]
    lines += _members(found, marker)
    for kind, states in COLUMNS.items():
        columns = found.board.columns(kind)
        counts = ", ".join(f"{len(columns[state])} {state}" for state in states if columns[state])
        lines += [f"  {kind}s: {counts}"] if counts else []
    news = found.news()
    lines.append(f"  new: {len(news)}; `aldis project activity {name}` shows it" if news else "  nothing new")
    run.out.lines(
        {
            "project": name,
            "charter": item_data(charter, marker, parties) if charter else None,
            "members": [item_data(card.item, marker, parties) for card in found.board.of("membership")],
            "new": len(news),
        },
        lines,
    )


@project.command("board")
@click.argument("name")
@click.option("--kind", metavar="KIND", default="", help="Only items of this kind.")
@click.pass_obj
def board(run: Run, name: str, kind: str) -> None:
    """List the items of a project: what stands where, whose it is, when it is due."""
    found = opened(run, name)
    marker, parties = Marker(run.context), run.context.parties()
    cards = [card for card in found.board.cards if kind in ("", card.item.kind) and card.item.kind != "membership"]
    cards.sort(key=lambda card: (card.item.kind, card.state, card.item.key))
    data = {"project": name, "items": [card_data(card, marker, parties) for card in cards]}
    run.out.table(data, _HEADINGS, [card_row(card, marker, parties) for card in cards])


@project.command("item")
@click.argument("item_id", metavar="ID")
@click.pass_obj
def item(run: Run, item_id: str) -> None:
    """Show one item with its markings, what each nation says of it, and the replies."""
    name, ref = project_of(run.context, item_id)
    found = Project(run.context, name, operator())
    card = found.home_of(ref)
    marker, parties = Marker(run.context), run.context.parties()
    banner = marker.banner(frozenset(card.labels))
    lines = [
        banner,
        f"{card.item.kind} {card.item.ref.id} of {name}, version {card.item.version}, {card.item.ref.node}",
    ]
    lines += [f"{part.name}: {marker.show(part.label, portion=True)} {_text(part.value)}" for part in card.item.parts]
    lines += [f"state: {card.state}"] if card.state else []
    for said in card.said:
        mark = marker.show(said.item.label, portion=True)
        lines.append(f"  {said.item.ref.node} says {said.state} {mark} {said.item.text('note')}".rstrip())
    for reply in card.replies:
        part = reply.item.seen("text")
        mark = marker.show((part or reply.item).label, portion=True)
        lines.append(f"{'  ' * reply.depth}{reply.item.ref.id} {reply.item.ref.node}: {mark} {reply.item.text('text')}")
    run.out.lines(card_data(card, marker, parties), [*lines, banner])


@project.command("members")
@click.argument("name")
@click.pass_obj
def members(run: Run, name: str) -> None:
    """List who works in a project, each nation's people as it lists them."""
    found = opened(run, name)
    marker, parties = Marker(run.context), run.context.parties()
    data = [item_data(card.item, marker, parties) for card in found.board.of("membership")]
    run.out.lines({"project": name, "members": data}, _members(found, marker))


@project.command("activity")
@click.argument("name")
@click.option("--new", is_flag=True, help="Only what came since you last said --read.")
@click.option("--read", is_flag=True, help="Remember that you have read all of it.")
@click.option("--mine", is_flag=True, help="Only what concerns you: answers, what you are given to do, what is due.")
@click.pass_obj
def activity(run: Run, name: str, new: bool, read: bool, mine: bool) -> None:
    """Show what happened in a project, newest first."""
    found = opened(run, name)
    entries = found.concerns() if mine else found.news() if new else found.feed()
    marker, parties = Marker(run.context), run.context.parties()
    data = [
        {"at": entry.at, "verb": entry.verb, "state": entry.said, "about": entry.about.ref.id}
        | {"item": item_data(entry.item, marker, parties)}
        for entry in entries
    ]
    run.out.lines({"project": name, "activity": data}, [_entry(entry, marker) for entry in entries])
    if read:
        found.read()


@project.command("calendar")
@click.argument("name")
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="Write iCalendar to this file.")
@click.pass_obj
def calendar(run: Run, name: str, output: Path | None) -> None:
    """List a project's days: events, and when milestones and tasks are due."""
    found = opened(run, name)
    marker, parties = Marker(run.context), run.context.parties()
    slots = agenda(found.board)
    if output is not None:
        title = (found.board.charter.text("title") if found.board.charter else "") or name
        output.write_bytes(icalendar_of(found.board, title, marker).encode())
    data = [
        {"first": slot.first.isoformat(), "last": slot.last.isoformat(), "at": slot.at}
        | {"item": item_data(slot.card.item, marker, parties)}
        for slot in slots
    ]
    rows = [
        (when(slot.at) if slot.at is not None else slot.first.isoformat(), *card_row(slot.card, marker, parties)[:4])
        for slot in slots
    ]
    run.out.table({"project": name, "calendar": data}, ("when", *_HEADINGS[:4]), rows)


def _members(found: Project, marker: Marker) -> list[str]:
    lines, parties = [], found.ctx.parties()
    for card in found.board.of("membership"):
        for part in card.item.parts:
            for one in part.value:
                said = ", ".join(text for text in (one.name, one.organisation, one.role) if text)
                whose = parties.get(card.item.ref.node, card.item.ref.node)
                lines.append(f"  {whose}: {marker.show(part.label, portion=True)} {said}")
    return lines


def _entry(entry: Entry, marker: Marker) -> str:
    mark = marker.show((entry.about.seen("title") or entry.about).label, portion=True)
    said = f" {entry.said}" if entry.said else ""
    return f"{when(entry.at)}  {entry.item.ref.node} {entry.verb}{said}: {entry.about.kind} {mark} {entry.about.title}"


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list) and value and isinstance(value[0], Member):
        return ", ".join(one.name or one.role for one in value)
    return msgspec.json.encode(value).decode()


for _command in (start, extend, task, milestone, decision, event, post, document, member, export, import_):
    project.add_command(_command)
as_person(project)
