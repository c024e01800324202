"""What people do with tasks and leases: ask, accept, refuse, cancel, lend, take back; at any process of the node.

Each act is one or a few records in one transaction; the running node notices them and sees them through.
"""

from __future__ import annotations

import getpass
from collections.abc import Sequence

import msgspec

from aldis.app import Context
from aldis.apps.experiments.entity import Point, Task
from aldis.apps.experiments.kinds import TASKING, TRACK
from aldis.apps.experiments.orders.drafts import answer_draft, answer_id, lease_draft, marks, marks_after, tasking_draft
from aldis.apps.experiments.orders.kinds import ANSWER, ENDED, LEASE, VERBS, Answer, Terms, Verb
from aldis.apps.experiments.orders.papers import POINTS, Papers, read, request_of
from aldis.apps.experiments.orders.rules import Asked, first, hindrance, moved
from aldis.kernel.errors import InvalidInput, RefusedByPolicy, UnknownTerm
from aldis.kernel.records import Draft, Record

__all__ = ["accept", "ask", "cancel", "lend", "refuse", "take_back"]

LONGEST_MS = 30 * 24 * 3_600_000
"""No lease is longer."""
_TRIES = 5


def ask(
    ctx: Context,
    track: str,
    verb: Verb,
    points: Sequence[Point] = (),
    *,
    node: str = "",
    radius_m: float | None = None,
    speed_mps: float | None = None,
    spacing_m: float | None = None,
    until_ms: int | None = None,
    remarks: str = "",
    marking: str = "",
) -> Record:
    """Ask the nation whose track it is that its system does something; `node` says whose, where several use one id.

    Raises:
        UnknownTerm: no such track is held here.
        InvalidInput: it is no track, or the task cannot be.
        RefusedByPolicy: whoever asks may not write this.
    """
    record = ctx.get(track, originator=node)
    header, now = record.header, ctx.now()
    if header.kind != TRACK.name:
        raise InvalidInput(f"{track!r} is a {header.kind}, no track", fix="`aldis list --kind track` shows the tracks")
    if len(points) > POINTS:
        raise InvalidInput(f"{len(points)} points; a task has at most {POINTS}", fix="Ask for it in parts")
    for name, value in (("radius", radius_m), ("speed", speed_mps), ("spacing", spacing_m)):
        if value is not None and not 0 < value < 1e6:
            raise InvalidInput(f"a {name} of {value} cannot be", fix="Give a number above 0")
    if until_ms is not None and until_ms <= now:
        raise InvalidInput("its time is over already", fix="Give a later time")
    record_id = ctx.issue()
    task = Task(
        key=record_id,
        verb=verb,
        assignee=track,
        issued_by=ctx.node,
        request=request_of(header.originator, record_id),
        points=list(points) or None,
        radius_m=radius_m,
        speed_mps=speed_mps,
        spacing_m=spacing_m,
        until_us=None if until_ms is None else until_ms * 1000,
        state="issued",
        remarks=remarks or None,
    )
    if header.originator == ctx.node:
        _check_operator(ctx)
    return ctx.put(tasking_draft(ctx, task, header.project, _who(ctx), marks(ctx, TASKING, marking)))


def cancel(ctx: Context, record_id: str) -> Record:
    """Take back what this node asked; the nation that does it stops it.

    Raises:
        UnknownTerm: this node asked no such thing, as far as whoever asks may know.
        InvalidInput: it is cancelled already.
    """
    papers = _papers(ctx, record_id)
    task, before = papers.mine.get(record_id), papers.taskings.get((ctx.node, record_id))
    if task is None or before is None:
        raise UnknownTerm(f"this node did not ask for {record_id!r}", fix="`aldis experiment tasks` lists what it did")
    if task.state == "cancelled":
        raise InvalidInput(f"{record_id} is cancelled already", fix="Ask anew")
    labels = {portion.name: portion.label for portion in before.portions} | {"header": before.label}
    labels.setdefault("state", labels["order"])
    cancelled = msgspec.structs.replace(task, state="cancelled")
    return ctx.put(tasking_draft(ctx, cancelled, before.header.project, _who(ctx), labels, before))


def accept(ctx: Context, record_id: str, *, node: str = "", marking: str = "") -> Record:
    """Accept what is asked of a system of this nation, as its operator.

    Raises:
        UnknownTerm: nobody asks that here, as far as whoever asks may know.
        InvalidInput: it was answered, its time is over, or its system is lent to another.
        RefusedByPolicy: whoever asks may not.
    """
    _check_operator(ctx)
    papers, asked = _asked(ctx, record_id, node)
    _, words = hindrance(papers.book(), asked.ref, ctx.now())
    if words:
        raise InvalidInput(f"{record_id} cannot be accepted: {words}", fix="See `aldis experiment tasks`")
    return _answer(ctx, papers, asked, first(asked, "accepted", ctx.now(), by="operator"), "", marking)


def refuse(ctx: Context, record_id: str, reason: str, *, node: str = "", marking: str = "") -> Record:
    """Refuse what is asked; `reason` goes to whoever may see the portion `remarks` of an answer.

    Raises:
        UnknownTerm: nobody asks that here, as far as whoever asks may know.
        InvalidInput: it was answered.
        RefusedByPolicy: whoever asks may not.
    """
    _check_operator(ctx)
    papers, asked = _asked(ctx, record_id, node)
    if asked.ref in papers.answers:
        state = papers.answers[asked.ref][0].state
        raise InvalidInput(f"{record_id} was answered: {state}", fix="`aldis experiment take-back TRACK` ends it")
    answer = first(asked, "refused", ctx.now(), "the operator refused")
    return _answer(ctx, papers, asked, answer, reason, marking)


def lend(
    ctx: Context,
    track: str,
    holder: str,
    until_ms: int,
    verbs: Sequence[Verb] = VERBS,
    *,
    area: Sequence[Point] = (),
    remarks: str = "",
    marking: str = "",
) -> Record:
    """Lend the system of a track to a node until a time; from whoever held it, it goes over in this one version.

    Raises:
        UnknownTerm: no such track of this node, or no such partner.
        InvalidInput: the terms cannot be.
        RefusedByPolicy: whoever asks may not.
    """
    _check_operator(ctx)
    held, now = _own_track(ctx, track), ctx.now()
    if holder not in ctx.parties() or holder == ctx.node:
        raise UnknownTerm(f"no partner {holder!r}", fix="`aldis partner list` shows the partners")
    if not now < until_ms <= now + LONGEST_MS:
        raise InvalidInput("a lease is over within 30 days, and not before it begins", fix="Give it another end")
    if area and not 3 <= len(area) <= 64:
        raise InvalidInput(f"an area has 3 to 64 corners, not {len(area)}", fix="Give its corners in turn")
    papers = read(ctx, held.header.project)
    terms = Terms(track=track, holder=holder, verbs=list(dict.fromkeys(verbs)), from_ms=now, until_ms=until_ms)
    before = _newest_lease(papers, track)
    labels = marks(ctx, LEASE, marking)
    record_id = before.header.id if before is not None else ctx.issue()
    return ctx.put(
        lease_draft(
            ctx, terms, held.header.project, _who(ctx), labels, record_id=record_id, before=before, area=area,
            remarks=remarks,
        )
    )  # fmt: skip


def take_back(ctx: Context, track: str, reason: str = "") -> Sequence[Record]:
    """The operator's override: end the lease of a system and every task of it, at once; what ended is returned.

    Raises:
        UnknownTerm: no such track of this node.
        InvalidInput: it is not lent, and has no task.
        RefusedByPolicy: whoever asks may not.
    """
    _check_operator(ctx)
    held = _own_track(ctx, track)
    for left in reversed(range(_TRIES)):
        drafts = _endings(ctx, track, held.header.project, reason)
        if not drafts:
            raise InvalidInput(
                f"{track} is not lent, and has no task", fix="`aldis experiment leases` shows what is lent"
            )
        try:
            return ctx.put_all(drafts)
        except InvalidInput:  # the running node wrote what comes next meanwhile
            if not left:
                raise
    return ()


def _endings(ctx: Context, track: str, project: str, reason: str) -> list[Draft]:
    """What ends the leases of a system and its tasks, as they stand now."""
    papers, now, drafts = read(ctx, project), ctx.now(), list[Draft]()
    for lease, before in papers.leases.values():
        if lease.terms.track == track and lease.terms.ended_ms is None:
            terms = msgspec.structs.replace(lease.terms, ended_ms=now, why="taken back")
            labels = marks_after(ctx, LEASE, before)
            drafts.append(
                lease_draft(
                    ctx, terms, before.header.project, _who(ctx), labels, record_id=lease.id, before=before,
                    area=lease.area, remarks=reason,
                )
            )  # fmt: skip
    for ref, (answer, before) in papers.answers.items():
        asked = papers.asked.get(ref)
        if asked is not None and asked.task.assignee == track and answer.state not in ENDED:
            ended = moved(answer, "cancelled", now, "taken back")
            if ended is not None:
                drafts.append(
                    answer_draft(
                        ctx, ended, before.header.project, _who(ctx), marks_after(ctx, ANSWER, before),
                        record_id=before.header.id, before=before, remarks=reason,
                    )
                )  # fmt: skip
    return drafts


def _own_track(ctx: Context, track: str) -> Record:
    record = ctx.newest(track)
    if record is None or record.header.kind != TRACK.name:
        raise UnknownTerm(f"no track {track!r} of this node", fix="`aldis list --kind track` shows the tracks")
    return record


def _newest_lease(papers: Papers, track: str) -> Record | None:
    found = [(lease.written, record) for lease, record in papers.leases.values() if lease.terms.track == track]
    return max(found, key=lambda one: one[0])[1] if found else None


def _papers(ctx: Context, record_id: str, node: str = "") -> Papers:
    """The papers of the project of a tasking."""
    record = ctx.get(record_id, originator=node)
    if record.header.kind != TASKING.name:
        raise UnknownTerm(f"{record_id!r} is a {record.header.kind}", fix="`aldis experiment tasks` lists the tasks")
    return read(ctx, record.header.project)


def _asked(ctx: Context, record_id: str, node: str) -> tuple[Papers, Asked]:
    papers = _papers(ctx, record_id, node)
    found = [asked for ref, asked in papers.asked.items() if ref[1] == record_id and node in ("", ref[0])]
    if len(found) != 1:
        raise UnknownTerm(f"nobody asks {record_id!r} of this node", fix="`aldis experiment tasks` lists what is asked")
    return papers, found[0]


def _answer(ctx: Context, papers: Papers, asked: Asked, answer: Answer, remarks: str, marking: str) -> Record:
    project = papers.taskings[asked.ref].header.project
    record_id = answer_id(ctx, asked.ref) if ctx.person is None else ctx.issue()
    made = ctx.put(
        answer_draft(ctx, answer, project, _who(ctx), marks(ctx, ANSWER, marking), record_id=record_id, remarks=remarks)
    )
    held, counts = read(ctx, project).answers.get(asked.ref, (answer, made))
    if counts.header.id != record_id:
        raise InvalidInput(f"it was answered meanwhile: {held.state}", fix="See `aldis experiment tasks`")
    return made


def _check_operator(ctx: Context) -> None:
    """Who commands systems of this nation: the operator at the machine, or one of its people who may write and revise.

    Raises:
        RefusedByPolicy: anybody else.
    """
    person = ctx.person
    if person is None:
        return
    if person.guest or person.nationality != ctx.party or not {"put", "revise"} <= person.acts:
        raise RefusedByPolicy(
            f"{person.id} does not command systems of {ctx.party}",
            fix="Ask one of its own people with the role originator, or the operator at the machine",
        )


def _who(ctx: Context) -> str:
    person = ctx.person
    if person is not None:
        return person.id
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "operator"
