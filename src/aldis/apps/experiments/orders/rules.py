"""What becomes of taskings and leases: pure, no clock, no records; a book in, what is to be done out.

The rules, in the order in which they are applied:
1 a lease whose time is over by the owner's clock, or that a later one took the place of, ends
2 what ended stays as it is; a system that was given a task which was cancelled is told to hold
3 a task whose asker cancelled or changed it is cancelled
4 a task that was accepted under a lease which is over, or whose terms are others by now, is cancelled; so is one of
  anybody but the holder while a lease is in force
5 of several tasks of one system the one accepted last goes on; the others are cancelled
6 a task is given to its system once, as soon as that is heard; after a restart it is watched on
7 a new task is refused if its time is over, or its system cannot be tasked
8 the nation's own task is accepted, unless the system is lent
9 a task of the holder within the terms of the lease in force is accepted, unless the operator's task is under way
10 any other waits for the operator
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import msgspec

from aldis.apps.experiments.entity import Task
from aldis.apps.experiments.orders.kinds import ENDED, Answer, State, Tasked, Why
from aldis.apps.experiments.orders.terms import Lease, beyond, in_force

__all__ = [
    "Asked",
    "Begin",
    "Book",
    "Close",
    "Effect",
    "Hold",
    "Ref",
    "Resume",
    "Say",
    "due",
    "first",
    "hindrance",
    "moved",
]

Ref = tuple[str, str]
"""A tasking: the node that wrote it, and its id there."""
_NEXT: Mapping[State | None, frozenset[State]] = {
    None: frozenset({"accepted", "refused", "cancelled"}),
    "accepted": frozenset({"accepted", "executing", "completed", "failed", "cancelled"}),
    "executing": frozenset({"executing", "completed", "failed", "cancelled"}),
}
LOST_MS = 60_000
"""A system that was not heard for so long, or not since the node's start so long ago, counts as not there."""
OWED_MS = 600_000
"""A system that comes back later than this is not told to hold any more."""


@dataclass(frozen=True, slots=True)
class Asked:
    """The newest version of a tasking, and what is asked."""

    ref: Ref
    digest: str
    task: Task
    cancelled: bool = False


Fit = Literal["ready", "unheard", "gone", "cannot"]
"""Whether a system can be tasked: heard of late and able; not heard just now; not heard for long; or not at all."""


@dataclass(frozen=True, slots=True)
class Book:
    """All there is to decide by: `fits` are the tracks of this nation alone, `under_way` what each system has now."""

    here: str
    asked: Mapping[Ref, Asked] = field(default_factory=dict)
    answers: Mapping[Ref, Answer] = field(default_factory=dict)
    leases: Sequence[Lease] = ()
    fits: Mapping[str, Fit] = field(default_factory=dict)
    under_way: Mapping[str, Ref] = field(default_factory=dict)

    def lease(self, track: str, now: int) -> Lease | None:
        """The lease of a system that is in force."""
        return in_force(self.leases, track, now)

    def running(self, track: str) -> Sequence[Ref]:
        """The tasks of a system that were accepted and have not ended, the one accepted last first."""
        found = [
            (answer.accepted_ms or 0, ref)
            for ref, answer in self.answers.items()
            if answer.state not in ENDED and ref in self.asked and self.asked[ref].task.assignee == track
        ]
        return [ref for _, ref in sorted(found, reverse=True)]


@dataclass(frozen=True, slots=True)
class Say:
    """Write this answer."""

    ref: Ref
    answer: Answer
    remarks: str = ""


@dataclass(frozen=True, slots=True)
class Begin:
    """Give a task to its system, once its answer says so."""

    track: str
    ref: Ref


@dataclass(frozen=True, slots=True)
class Resume:
    """Watch a task on that was given to its system before the node was restarted."""

    track: str
    ref: Ref


@dataclass(frozen=True, slots=True)
class Hold:
    """Tell a system to hold, at once, since this task of it was cancelled."""

    track: str
    ref: Ref


@dataclass(frozen=True, slots=True)
class Close:
    """Write that a lease is over."""

    lease: Lease
    why: Why


Effect = Say | Begin | Resume | Hold | Close


def due(book: Book, now: int) -> Sequence[Effect]:
    """What is to be done now, in ms of the owner's clock. What it leads to is seen when asked again."""
    effects: list[Effect] = []
    for lease in book.leases:  # 1
        if lease.terms.ended_ms is None and lease.terms.until_ms <= now:
            effects.append(Close(lease, "the lease expired"))
        elif lease.holds(now) and book.lease(lease.terms.track, now) is not lease:
            effects.append(Close(lease, "handed to another"))
    for ref, asked in book.asked.items():
        answer = book.answers.get(ref)
        if answer is None:
            effects += _new(book, asked, now)
        elif answer.state in ENDED:
            effects += _owed(book, asked, answer, now)
        else:
            effects += _going(book, asked, answer, now)
    return effects


def moved(answer: Answer, state: State, now: int, why: Why | None = None) -> Answer | None:
    """The answer in its next state; None where there is no way there: states only go forward."""
    if state not in _NEXT.get(answer.state, frozenset()):
        return None
    stamps: dict[str, int] = {"ended_ms": now} if state in ENDED else {}
    if state in ("executing", "completed") and answer.executing_ms is None and why is None:
        stamps["executing_ms"] = now
    return msgspec.structs.replace(answer, state=state, why=why, **stamps)


def hindrance(book: Book, ref: Ref, now: int) -> tuple[Why | None, str]:
    """Why the operator cannot accept a task now, and that in words; None where they can."""
    asked, answer = book.asked.get(ref), book.answers.get(ref)
    if asked is None:
        return "failed", "nobody asks for it"
    if answer is not None:
        return "busy", f"it was answered: {answer.state}"
    if asked.cancelled:
        return "cancelled by the asker", "its asker cancelled it"
    if _late(asked.task, now):
        return "its time ran out", "its time ran out"
    lease = book.lease(asked.task.assignee, now)
    if lease is not None and lease.terms.holder != ref[0]:
        return "lent to another", f"its system is lent to {lease.terms.holder}: take it back first"
    return None, ""


def _new(book: Book, asked: Asked, now: int) -> Sequence[Effect]:
    task, track = asked.task, asked.task.assignee
    fit = book.fits.get(track)
    if fit is None:
        return ()  # no system of ours
    if asked.cancelled:
        return (_first(asked, "cancelled", now, "cancelled by the asker"),)
    if _late(task, now):  # 7
        return (_first(asked, "refused", now, "its time ran out"),)
    if fit in ("cannot", "gone"):
        return (_first(asked, "refused", now, "cannot be tasked" if fit == "cannot" else "not heard"),)
    lease = book.lease(track, now)
    if asked.ref[0] == book.here:  # 8
        if lease is not None:
            return (_first(asked, "refused", now, "lent to another"),)
        return (_first(asked, "accepted", now, by="operator"),)
    if lease is None or lease.terms.holder != asked.ref[0] or beyond(lease, task):
        return ()  # 10
    if any(book.answers[ref].by == "operator" for ref in book.running(track)):
        return (_first(asked, "refused", now, "busy"),)
    return (_first(asked, "accepted", now, by="lease"),)  # 9


def _going(book: Book, asked: Asked, answer: Answer, now: int) -> Sequence[Effect]:
    track = asked.task.assignee
    why = _over(book, asked, answer, now)
    if why is not None:  # 3, 4, 5
        ended = moved(answer, "cancelled", now, why)
        return [Say(asked.ref, ended)] if ended else []
    fit = book.fits.get(track)
    if book.under_way.get(track) == asked.ref:
        return ()
    if _late(asked.task, now):
        return _failed(asked, answer, now, "its time ran out")
    if fit == "ready":  # 6
        if answer.begun_ms is None:
            return (Say(asked.ref, msgspec.structs.replace(answer, begun_ms=now)), Begin(track, asked.ref))
        return (Resume(track, asked.ref),)
    if fit == "cannot":
        return _failed(asked, answer, now, "cannot be tasked")
    if fit == "gone":
        return _failed(asked, answer, now, "not heard" if answer.begun_ms is None else "its node was restarted")
    return ()


def _owed(book: Book, asked: Asked, answer: Answer, now: int) -> Sequence[Effect]:
    """A system whose task was cancelled is told to hold, unless another task is what it does now."""
    track, ended = asked.task.assignee, answer.ended_ms or 0
    owed = answer.state == "cancelled" and answer.begun_ms is not None and answer.held_ms is None
    if not owed or answer.why == "replaced by a later task" or now - ended > OWED_MS or book.fits.get(track) != "ready":
        return ()
    if any(book.answers[ref].begun_ms is not None for ref in book.running(track)):
        return ()
    return (Hold(track, asked.ref), Say(asked.ref, msgspec.structs.replace(answer, held_ms=now)))  # 2


def _over(book: Book, asked: Asked, answer: Answer, now: int) -> Why | None:
    """Why a task that goes on must not."""
    if asked.cancelled:
        return "cancelled by the asker"
    if asked.digest != answer.tasking.digest:
        return "changed by the asker"
    track = asked.task.assignee
    lease = book.lease(track, now)
    if lease is not None and lease.terms.holder != asked.ref[0]:
        return "handed to another" if answer.by == "lease" else "lent to another"
    if lease is not None and answer.by == "lease" and beyond(lease, asked.task):
        return "outside the lease"
    if lease is None and answer.by == "lease":
        ends = [one.terms for one in book.leases if one.terms.track == track and one.terms.holder == asked.ref[0]]
        newest = max(ends, key=lambda one: one.ended_ms or one.until_ms, default=None)
        return (newest.why if newest else None) or "the lease expired"
    running = book.running(track)
    return "replaced by a later task" if running and running[0] != asked.ref else None


def _failed(asked: Asked, answer: Answer, now: int, why: Why) -> Sequence[Effect]:
    ended = moved(answer, "failed", now, why)
    return [Say(asked.ref, ended)] if ended else []


def _first(
    asked: Asked,
    state: Literal["accepted", "refused", "cancelled"],
    now: int,
    why: Why | None = None,
    by: Literal["operator", "lease"] | None = None,
) -> Say:
    return Say(asked.ref, first(asked, state, now, why, by))


def first(
    asked: Asked,
    state: Literal["accepted", "refused", "cancelled"],
    now: int,
    why: Why | None = None,
    by: Literal["operator", "lease"] | None = None,
) -> Answer:
    """The first answer to a tasking, matched to the very version that was asked."""
    tasking = Tasked(node=asked.ref[0], id=asked.ref[1], digest=asked.digest)
    stamps = {"accepted_ms": now} if state == "accepted" else {"ended_ms": now}
    return Answer(tasking=tasking, state=state, by=by, why=why, **stamps)


def _late(task: Task, now: int) -> bool:
    return task.until_us is not None and task.until_us <= now * 1000
