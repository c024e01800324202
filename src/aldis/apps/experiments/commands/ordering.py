"""`aldis experiment task`, `accept`, `lend` and their like: tasks between nations, and leases of systems."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click
import msgspec

from aldis.apps.experiments.commands.terminal import Run
from aldis.kernel.errors import InvalidInput, RefusedByPolicy

if TYPE_CHECKING:
    from aldis.app import Context
    from aldis.apps.experiments.entity import Point
    from aldis.apps.experiments.orders.shown import TaskShown
    from aldis.kernel.records import Record

__all__ = ["COMMANDS"]

_VERBS = ("go-to", "survey", "search", "patrol", "hold", "come-home")
_UNITS = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_SPAN = re.compile(r"([0-9]{1,6})([smhd])")
_MARKING = click.option("--marking", metavar="TEXT", default="", help="Its marking; else that of the settings.")
_FROM = click.option("--from", "node", metavar="NODE", default="", help="Who asks, where several use one id.")


@click.command("task", context_settings={"ignore_unknown_options": True})
@click.argument("track")
@click.argument("verb", type=click.Choice(_VERBS))
@click.argument("points", metavar="[LAT,LON]...", nargs=-1)
@click.option("--of", "node", metavar="NODE", default="", help="Whose track it is, where several use one id.")
@click.option("--radius", metavar="M", type=float, help="Round a point: the area; or how near is there.")
@click.option("--speed", metavar="M/S", type=float, help="Speed over ground.")
@click.option("--spacing", metavar="M", type=float, help="Between the legs of a survey or search.")
@click.option("--until", metavar="WHEN", default="", help="Not after: 10m, 2h, or 2026-10-31T12:00Z.")
@click.option("--remarks", metavar="TEXT", default="", help="Words for the operator who is asked.")
@_MARKING
@click.pass_obj
def task(
    run: Run, track: str, verb: str, points: Sequence[str], node: str, radius: float | None, speed: float | None,
    spacing: float | None, until: str, remarks: str, marking: str,
) -> None:  # fmt: skip
    """Ask the nation of a track that its system does something.

    TRACK is the id of a track's record; VERB go-to, survey, search, patrol, hold or come-home. The vehicle's nation
    accepts, or its lease does; it is executing once its motion shows it. A system of one's own is tasked at once.
    """
    from aldis.apps.experiments.orders.acting import ask  # noqa: PLC0415

    ctx = run.context
    record = ask(
        ctx, track, _verb(verb), _points(points), node=node, radius_m=radius, speed_mps=speed, spacing_m=spacing,
        until_ms=_until(ctx, until) if until else None, remarks=remarks, marking=marking,
    )  # fmt: skip
    asked = ctx.get(track, originator=node).header.originator
    _wrote(run, record, f"asked of {asked}: {verb.replace('-', ' ')}")
    _warn(run, record, asked)
    run.out.next("`aldis experiment tasks` shows how it stands")


@click.command("tasks")
@click.pass_obj
def tasks(run: Run) -> None:
    """List the tasks that this node asked for and is asked for, in the state that the vehicle's nation gives."""
    from aldis.apps.experiments.orders.shown import tasks as shown  # noqa: PLC0415

    ctx = run.context
    found = shown(ctx)
    rows = [
        (one.id, one.asker, one.asked, one.track, one.verb, _stands(one), _age(ctx.now() - one.asked_ms))
        for one in found
    ]
    data = {"tasks": [msgspec.to_builtins(one) for one in found]}
    run.out.table(data, ("id", "asker", "asked", "track", "task", "state", "age"), rows)
    if any(one.state == "issued" and one.asked == ctx.node for one in found):
        run.out.next("`aldis experiment accept ID`, or `refuse ID --reason TEXT`, answers what is issued")


@click.command("accept")
@click.argument("task_id", metavar="ID")
@_FROM
@_MARKING
@click.pass_obj
def accept(run: Run, task_id: str, node: str, marking: str) -> None:
    """Accept what is asked of a system of this nation: its node gives it to the system, and watches what it does."""
    from aldis.apps.experiments.orders.acting import accept as act  # noqa: PLC0415

    _answered(run, act(run.context, task_id, node=node, marking=marking), "accepted")


@click.command("refuse")
@click.argument("task_id", metavar="ID")
@click.option("--reason", metavar="TEXT", required=True, help="Why; for whoever may see the remarks of an answer.")
@_FROM
@_MARKING
@click.pass_obj
def refuse(run: Run, task_id: str, reason: str, node: str, marking: str) -> None:
    """Refuse what is asked of a system of this nation."""
    from aldis.apps.experiments.orders.acting import refuse as act  # noqa: PLC0415

    _answered(run, act(run.context, task_id, reason, node=node, marking=marking), "refused")


@click.command("cancel")
@click.argument("task_id", metavar="ID")
@click.pass_obj
def cancel(run: Run, task_id: str) -> None:
    """Cancel what this node asked for; the vehicle's nation tells its system to hold."""
    from aldis.apps.experiments.orders.acting import cancel as act  # noqa: PLC0415

    _wrote(run, act(run.context, task_id), "cancelled")


@click.command("lend")
@click.argument("track")
@click.argument("holder", metavar="NODE")
@click.option("--for", "span", metavar="TIME", required=True, help="How long: 90s, 10m, 2h, 1d; at most 30 days.")
@click.option("--verbs", metavar="VERB,...", default=",".join(_VERBS), show_default=True, help="What it may be asked.")
@click.option("--within", metavar="LAT,LON", multiple=True, help="A corner of the area that tasks stay inside of.")
@click.option("--remarks", metavar="TEXT", default="", help="Words for the holder.")
@_MARKING
@click.pass_obj
def lend(
    run: Run, track: str, holder: str, span: str, verbs: str, within: Sequence[str], remarks: str, marking: str
) -> None:
    """Lend a system of this nation to a partner's node: until then its tasks within these terms are accepted at once.

    What is lent to one node goes over to another in one step. `take-back` ends it at any time.
    """
    from aldis.apps.experiments.orders.acting import lend as act  # noqa: PLC0415

    ctx, allowed = run.context, [_verb(one) for one in verbs.split(",") if one]
    until = ctx.now() + _span(span)
    record = act(ctx, track, holder, until, allowed, area=_points(within), remarks=remarks, marking=marking)
    _wrote(run, record, f"lent to {holder} until {_when(until)}")
    _warn(run, record, holder)


@click.command("take-back")
@click.argument("track")
@click.option("--reason", metavar="TEXT", default="", help="Why; for whoever may see the remarks.")
@click.pass_obj
def take_back(run: Run, track: str, reason: str) -> None:
    """Take a system back: its lease ends, its tasks are cancelled, and it is told to hold. Nobody else is asked."""
    from aldis.apps.experiments.orders.acting import take_back as act  # noqa: PLC0415

    records = act(run.context, track, reason)
    data = {"ended": [{"id": one.header.id, "kind": one.header.kind} for one in records]}
    run.out.lines(data, [f"{one.header.id}  {one.header.kind} ended: taken back" for one in records])
    run.out.next("the running node tells the system to hold: `aldis up`, where it does not run")


@click.command("leases")
@click.pass_obj
def leases(run: Run) -> None:
    """List the systems that are lent and borrowed, and were: whose, to whom, for what, until when."""
    from aldis.apps.experiments.orders.shown import leases as shown  # noqa: PLC0415

    found = shown(run.context)
    rows = [
        (one.track, one.owner, one.holder, ", ".join(one.verbs), _when(one.ended_ms or one.until_ms),
         f"{one.state}: {one.why}" if one.why else one.state)
        for one in found
    ]  # fmt: skip
    data = {"leases": [msgspec.to_builtins(one) for one in found]}
    run.out.table(data, ("track", "owner", "holder", "for", "until", "state"), rows)


def _verb(text: str) -> Any:
    if text not in _VERBS:
        raise InvalidInput(f"no verb {text!r}", fix=f"There are: {', '.join(_VERBS)}")
    return text.replace("-", " ")


def _points(texts: Sequence[str]) -> list[Point]:
    from aldis.apps.experiments.entity import Point  # noqa: PLC0415

    found = []
    for text in texts:
        try:
            lat, lon = (float(part) for part in text.split(","))
        except ValueError as error:
            raise InvalidInput(f"{text!r} is no place", fix="Write it in degrees: -33.85,151.21") from error
        if not (-90 <= lat <= 90 and -180 <= lon <= 180):
            raise InvalidInput(f"{text!r} is no place on Earth", fix="Write latitude,longitude in degrees")
        found.append(Point(lat_deg=lat, lon_deg=lon))
    return found


def _span(text: str) -> int:
    found = _SPAN.fullmatch(text)
    if found is None or not int(found[1]):
        raise InvalidInput(f"{text!r} is no time", fix="Write it as 90s, 10m, 2h or 1d")
    return int(found[1]) * _UNITS[found[2]]


def _until(ctx: Context, text: str) -> int:
    if _SPAN.fullmatch(text):
        return ctx.now() + _span(text)
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise InvalidInput(f"{text!r} is no time", fix="Write 10m, 2h, or 2026-10-31T12:00Z") from error
    if found.tzinfo is None:
        raise InvalidInput(f"{text!r} is in no time zone", fix="Write UTC: 2026-10-31T12:00Z")
    return int(found.timestamp() * 1000)


def _when(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _age(ms: int) -> str:
    for unit in ("d", "h", "m"):
        if ms >= 2 * _UNITS[unit]:
            return f"{ms // _UNITS[unit]} {unit}"
    return f"{max(0, ms) // 1000} s"


def _stands(one: TaskShown) -> str:
    percent = f" {one.percent:.0f} %" if one.percent is not None and one.state == "executing" else ""
    by = " under a lease" if one.by == "lease" and one.state == "accepted" else ""
    return f"{one.state}{percent}{by}" + (f": {one.why}" if one.why else "")


def _wrote(run: Run, record: Record, what: str) -> None:
    header, ctx = record.header, run.context
    marking = ctx.marking(record.label)
    data = {"id": header.id, "kind": header.kind, "version": header.version, "marking": marking}
    run.out.lines(data, [f"{header.id}  {what}, {marking}"])


def _answered(run: Run, record: Record, what: str) -> None:
    tasking = record.portion("answer")
    asker = tasking.value["tasking"]["node"] if tasking else ""
    _wrote(run, record, what)
    if asker != run.context.node:
        _warn(run, record, asker)


def _warn(run: Run, record: Record, node: str) -> None:
    """Say it where a partner is not given a record that is for it."""
    ctx = run.context
    party = ctx.parties().get(node)
    if party is None or node == ctx.node:
        return
    try:
        found = ctx.explain(record, node)
    except RefusedByPolicy:
        return
    if not found.header.decision.permits:
        run.out.say(f"{node} is not given it: `aldis why {record.header.id} {node}` says why")


def _as_person(command: click.Command) -> click.Command:
    def keep(ctx: click.Context, _param: click.Parameter, value: str | None) -> None:
        if value and ctx.obj is not None:
            ctx.obj.person = value

    command.params.append(
        click.Option(
            ["--as", "person"], metavar="person:ID", expose_value=False, callback=keep, is_eager=True,
            help="As a person who is signed in: what they may see, and do.",
        )
    )  # fmt: skip
    return command


COMMANDS = tuple(_as_person(one) for one in (task, tasks, accept, refuse, cancel, lend, take_back, leases))
