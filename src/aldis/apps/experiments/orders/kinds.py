"""The record kinds beside a tasking: the answer of the nation whose system it is, and the lease of a system.

Each has one writer. Whoever asks writes the `tasking`; the vehicle's nation writes `answer` and `lease`. Why something
came about is a code of a closed list, so that it tells no place; words that may tell one stand in a portion of their
own.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from aldis.apps.experiments.entity import Point
from aldis.kernel.errors import InvalidInput
from aldis.kernel.records import Kind, Portion

__all__ = [
    "ANSWER",
    "ENDED",
    "LEASE",
    "ORDER_KINDS",
    "VERBS",
    "Answer",
    "Percent",
    "State",
    "Tasked",
    "Terms",
    "Verb",
    "Why",
    "Within",
]

Verb = Literal["go to", "survey", "search", "patrol", "hold", "come home"]
VERBS: tuple[Verb, ...] = ("go to", "survey", "search", "patrol", "hold", "come home")
State = Literal["accepted", "refused", "executing", "completed", "failed", "cancelled"]
"""Of a tasking that its nation has answered; before that it is `issued`."""
ENDED: frozenset[State] = frozenset({"refused", "completed", "failed", "cancelled"})
Why = Literal[
    "the operator refused",
    "cannot be tasked",
    "not heard",
    "lent to another",
    "busy",
    "its time ran out",
    "cancelled by the asker",
    "changed by the asker",
    "replaced by a later task",
    "the lease expired",
    "taken back",
    "handed to another",
    "outside the lease",
    "operator took over",
    "not acknowledged",
    "refused by the system",
    "cannot be said to the system",
    "accepted but did not move",
    "accepted but did not stop",
    "its position was not heard",
    "stopped short",
    "did not hold",
    "was there already",
    "its node was restarted",
    "failed",
]
"""Why a tasking or a lease is what it is."""

_LINE = Annotated[str, msgspec.Meta(max_length=500, pattern=r"^[^\x00-\x08\x0b-\x1f\x7f]*\Z")]
_NAME = Annotated[str, msgspec.Meta(min_length=1, max_length=96)]
_MS = Annotated[int, msgspec.Meta(ge=0, le=253_402_300_799_000)]


class Tasked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The very version of a tasking that is answered: the node that wrote it, its id, its digest in hex."""

    node: _NAME
    id: _NAME
    digest: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}\\Z")]


class Answer(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """How far the vehicle's nation is with a tasking, and when, in ms since 1970 UTC, it came to each state.

    `by` is who accepted: the `operator` of the nation, or the terms of the `lease`. `begun_ms` is when it was given to
    the system, `acknowledged_ms` when the system had acknowledged each step of it, `held_ms` when it was told to hold
    because the task was cancelled.
    """

    tasking: Tasked
    state: State
    by: Literal["operator", "lease"] | None = None
    why: Why | None = None
    accepted_ms: _MS | None = None
    begun_ms: _MS | None = None
    acknowledged_ms: _MS | None = None
    executing_ms: _MS | None = None
    ended_ms: _MS | None = None
    held_ms: _MS | None = None


class Percent(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How much of its way a system has gone."""

    percent: Annotated[float, msgspec.Meta(ge=0, le=100)]


class Terms(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """To which node the system of a track is lent, for which verbs, from when until when (ms since 1970 UTC).

    The owner's clock says whether it is in force. `ended_ms` and `why` are there once it is over.
    """

    track: _NAME
    holder: _NAME
    verbs: Annotated[list[Verb], msgspec.Meta(min_length=1, max_length=6)]
    from_ms: _MS
    until_ms: _MS
    ended_ms: _MS | None = None
    why: Why | None = None


class Within(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The outline that every place of a task must be inside of."""

    points: Annotated[list[Point], msgspec.Meta(min_length=3, max_length=64)]


def _rule(portion: Portion) -> None:
    """A lease ends after it begins."""
    if portion.name == "lease" and portion.value["until_ms"] <= portion.value["from_ms"]:
        raise InvalidInput("a lease ends before it begins", fix="Mend its end")


ANSWER = Kind("answer", {"answer": Answer, "progress": Percent, "remarks": _LINE}, text=("remarks",), national=True)
LEASE = Kind("lease", {"lease": Terms, "area": Within, "remarks": _LINE}, text=("remarks",), rule=_rule, national=True)
ORDER_KINDS = (ANSWER, LEASE)
