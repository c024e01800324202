"""`aldis desk`: what waits for a release officer, and their rulings."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, Literal

import click

from aldis.interfaces.cli.cases import HEADINGS, OPTIONAL, data, dossier_data, dossier_shown, parts, row
from aldis.interfaces.cli.exits import FAILED, failure
from aldis.interfaces.cli.session import BECAUSE, BY, Session, pass_session
from aldis.interfaces.cli.text import count, listed, midnight
from aldis.kernel.errors import InvalidInput
from aldis.kernel.instruments.clauses import DAY_MS
from aldis.node.cases import Case, Filters
from aldis.node.desk import Done, Ruled
from aldis.node.node import Node
from aldis.node.people import Person

__all__ = ["desk"]

_Command = Callable[..., None]
_Verdict = Literal["approved", "denied"]
_PAGE = 200
_STATE = click.option("--if-state", "token", metavar="TOKEN", default="", help="Only if nothing changed since `show`.")


@click.group("desk")
def desk() -> None:
    """What waits for a release officer: look at it, and rule."""


@desk.command("list")
@click.option("--partner", metavar="NODE", default="", help="Only what would go to this node.")
@click.option("--project", metavar="P", help="Only of this project.")
@click.option("--kind", metavar="KIND", help="Only of this kind.")
@click.option("--due", is_flag=True, help="Only what is overdue, or due today.")
@click.option("--mine", is_flag=True, help="With --as: only what waits for this officer's word.")
@click.option("--all", "every", is_flag=True, help="What waits no more too, newest first.")
@click.option("--limit", type=click.IntRange(1, _PAGE), default=50, show_default=True, help="Cases in a page.")
@click.option("--cursor", metavar="C", default="", help="Go on where the page before ended.")
@BY
@pass_session
def list_(
    session: Session,
    partner: str,
    project: str | None,
    kind: str | None,
    due: bool,
    mine: bool,
    every: bool,
    limit: int,
    cursor: str,
) -> None:
    """List what waits: overdue first, then by the day it is due, then the oldest.

    With --as an officer sees the cases of which they may see all that is asked for, and is told of no other.
    """
    node = session.node
    filters = Filters(
        partner=partner, project=project, kind=kind, due_by=_end_of_day(node) if due else None, every=every, mine=mine
    )
    page = node.desk.cases(_viewer(session), filters, cursor or None, limit)
    value = {"cases": [data(node, case) for case in page.cases], "next": page.next}
    session.out.table(value, HEADINGS, [row(node, case) for case in page.cases], OPTIONAL)
    if not page.cases:
        session.out.say("Nothing waits for a release officer.")
    elif page.next:
        session.out.say(f"More: the same command with --cursor {page.next}")
    else:
        session.out.next(f"`aldis desk show {page.cases[0].number}`")


@desk.command("show")
@click.argument("number", type=int, metavar="N")
@BY
@pass_session
def show(session: Session, number: int) -> None:
    """Show the whole case N: what it asks, every check, what was said so far, and what was decided alike."""
    node = session.node
    found = node.desk.case(number, _viewer(session))
    session.out.data(dossier_data(node, found), *dossier_shown(node, found, on_terminal=session.out.on_terminal))
    if found.case.state == "open":
        session.out.next(f"`aldis desk approve {number} --because TEXT`, or deny")


def _which(command: _Command) -> _Command:
    """Arguments and options that say which cases are ruled on."""
    for option in (
        BY,
        _STATE,
        click.option("--yes", is_flag=True, help="Rule on several without asking."),
        BECAUSE,
        click.option("--only", multiple=True, metavar="PORTION", help="Only this portion; the rest waits on."),
        click.option("--project", metavar="P", help="With --all: only of this project."),
        click.option("--partner", metavar="NODE", default="", help="With --all: only what would go to this node."),
        click.option("--all", "every", is_flag=True, help="Every case for --partner or of --project."),
        click.option("--like", type=int, metavar="N", help="Every case that asks for just what N asks for."),
        click.argument("numbers", type=int, nargs=-1, metavar="[N]..."),
    ):
        command = option(command)
    return command


@desk.command("approve")
@_which
@click.option("--keep", multiple=True, metavar="PORTION", help="All but this portion, which is denied; repeatable.")
@pass_session
def approve(session: Session, /, keep: tuple[str, ...], **given: Any) -> None:
    """Let go what N asks for; several numbers, --like or --all rule alike on each.

    Where a clause asks for several officers, it goes once so many have approved. Exit code 0 only if every case was
    ruled on.
    """
    _rule(session, "approved", keep=keep, **given)


@desk.command("deny")
@_which
@pass_session
def deny(session: Session, /, **given: Any) -> None:
    """Keep what N asks for; several numbers, --like or --all rule alike on each."""
    _rule(session, "denied", keep=(), **given)


@desk.command("defer")
@click.argument("number", type=int, metavar="N")
@click.option("--until", required=True, metavar="DAY", help="The last day, such as 2026-01-31.")
@BECAUSE
@_STATE
@BY
@pass_session
def defer(session: Session, number: int, until: str, because: str, token: str) -> None:
    """Put off the day by which N is to be decided; it waits on."""
    node = session.node
    case = node.desk.defer(number, midnight(until) + DAY_MS, because, session.by, if_state=token)
    session.out.data(data(node, case), f"{number} waits until {until}.")


def _rule(
    session: Session,
    verdict: _Verdict,
    *,
    numbers: tuple[int, ...],
    like: int | None,
    every: bool,
    partner: str,
    project: str | None,
    keep: tuple[str, ...],
    only: tuple[str, ...],
    because: str,
    yes: bool,
    token: str,
) -> None:
    if sum((bool(numbers), like is not None, every)) != 1:
        raise click.UsageError("say which: numbers, --like N, or --all with --partner or --project")
    if every != bool(partner or project is not None):
        raise click.UsageError("--all goes with --partner or --project, and they with it")
    if (keep or only or token) and len(numbers) != 1:
        raise click.UsageError("--keep, --only and --if-state go with one number")
    node, viewer = session.node, _viewer(session)
    if len(numbers) == 1:
        ruled = node.desk.rule(numbers[0], verdict, because, session.by, keep=keep, only=only, if_state=token)
        _said(session, ruled, verdict)
        return
    if numbers:
        cases = _named(node, viewer, numbers)
    else:
        cases = _waiting(node, viewer, Filters(partner=partner, project=project, like=like or 0))
    wanted = {**dict.fromkeys(numbers, ""), **{case.number: case.token for case in cases}}
    lines = ["\t".join(row(node, case)) for case in cases]
    if not wanted:
        raise InvalidInput("nothing like that waits", fix="`aldis desk list` shows what does")
    _ask(session, verdict, lines, yes=yes)
    done = node.desk.rule_many(wanted, verdict, because, session.by)
    session.out.lines({"ruled": [_outcome(node, one) for one in done]}, [_line(node, one) for one in done])
    failed = [told.exit for one in done if one.error is not None and (told := failure(one.error)) is not None]
    if failed:
        session.out.say(f"{count(len(failed), 'case')} of {len(done)} could not be ruled on.")
        click.get_current_context().exit(failed[0])


def _ask(session: Session, verdict: _Verdict, lines: list[str], *, yes: bool) -> None:
    """Show what would be ruled on, and go on only if that is meant."""
    if yes:
        return
    for line in lines:
        session.out.say(line)
    answer = session.out.ask(f"Is {count(len(lines), 'case')} to be {verdict}?")
    if answer is None:
        raise click.UsageError("there is no terminal to ask at: say --yes to rule on several")
    if not answer:
        session.out.say("Nothing was ruled on.")
        click.get_current_context().exit(FAILED)


def _named(node: Node, viewer: Person | None, numbers: tuple[int, ...]) -> list[Case]:
    """Those of the cases with these numbers that can be looked at; of the others the ruling says why not."""
    found = []
    for number in dict.fromkeys(numbers):
        with suppress(InvalidInput):
            found.append(node.desk.case(number, viewer).case)
    return found


def _waiting(node: Node, viewer: Person | None, filters: Filters) -> list[Case]:
    """Every case that the filters name, page by page."""
    found, cursor = list[Case](), None
    while True:
        page = node.desk.cases(viewer, filters, cursor, _PAGE)
        found += page.cases
        cursor = page.next
        if cursor is None:
            return found


def _viewer(session: Session) -> Person | None:
    return session.by if isinstance(session.by, Person) else None


def _end_of_day(node: Node) -> int:
    now = datetime.fromtimestamp(node.core.clock.now() / 1000, UTC)
    return midnight(f"{now:%Y-%m-%d}") + DAY_MS


def _said(session: Session, ruled: Ruled, verdict: _Verdict) -> None:
    node, case = session.node, ruled.case
    rest = {"kept": [*ruled.kept], "rest": ruled.rest or None}
    session.out.data({**data(node, case), **rest}, f"{_words(node, ruled, verdict)}.")
    if ruled.rest:
        session.out.next(f"`aldis desk show {ruled.rest}` has what waits on")
    if case.state == "approved":
        session.out.next(f"`aldis up` sends it, or `aldis bundle export {case.partner} -o DIR` writes it to files")


def _words(node: Node, ruled: Ruled, verdict: _Verdict) -> str:
    case = ruled.case
    what = f"{listed(parts(node, case))} of {case.row.id} to {case.partner}"
    waits = f", and waits: {case.approvals} of {case.needed} officers" if case.state == "open" else ""
    kept = f"; {listed(ruled.kept)} denied" if ruled.kept else ""
    return f"{case.number} {verdict}: {what}{kept}{waits}"


def _outcome(node: Node, one: Done) -> dict[str, Any]:
    if one.ruled is not None:
        return {"number": one.number, "ruled": True, **data(node, one.ruled.case)}
    told = failure(one.error) if one.error else None
    return {
        "number": one.number,
        "ruled": False,
        "error": told.message if told else "",
        "fix": told.fix if told else "",
    }


def _line(node: Node, one: Done) -> str:
    if one.ruled is not None:
        ruled = one.ruled
        return _words(node, ruled, "denied" if ruled.case.state == "denied" else "approved")
    told = failure(one.error) if one.error else None
    return f"{one.number} not ruled on: {told.message if told else ''}"
