"""Who takes part, of all nations, from the records that whoever asks may see."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import msgspec

from aldis.app import Arrived, Context
from aldis.apps.experiments.participants.kind import PARTICIPANT, ClockShown, StateShown, TrafficShown
from aldis.kernel.errors import NeedsPerson
from aldis.kernel.labels import Label
from aldis.kernel.records import Portion, Record

__all__ = ["ParticipantShown", "listed", "listed_with_labels"]

_T = TypeVar("_T")
_NO_NEWS_MS = 60_000
"""A node tells of a system that is there at least every 15 s; nothing for longer, and nobody knows."""


class ParticipantShown(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A system of a nation, `node/system`; what was withheld is null. Times in ms since 1970, clocks in microseconds.

    `known` is when its node said so by the clock here, `stale` that it should have said more since; `clock` is against
    its own node, `node_clock_low_us` by how much that node's clock is ahead of this one's, at the least.
    """

    name: str
    node: str
    party: str
    record: str
    marking: str
    known: int
    stale: bool
    state: StateShown | None
    clock: ClockShown | None
    traffic: TrafficShown | None
    node_clock_low_us: int | None


def listed(context: Context, project: str = "") -> list[ParticipantShown]:
    """The participants of a project, this node's default one unless named, its own first.

    Raises:
        TooLarge: more than 50,000 records.
    """
    return listed_with_labels(context, project)[0]


def listed_with_labels(context: Context, project: str = "") -> tuple[list[ParticipantShown], list[Label]]:
    """As `listed`, with the labels of all that is said of them."""
    found = context.standing(project or context.default_project(), [PARTICIPANT.name])
    nodes: dict[str, int] = {}
    for one in found:
        header = one.record.header
        if header.originator != context.node:
            low = (header.created - one.at) * 1000
            nodes[header.originator] = max(nodes.get(header.originator, low), low)
    shown = [_shown(context, one, nodes.get(one.record.header.originator)) for one in found]
    labels = [label for one in found for label in _labels(one.record)]
    return sorted(shown, key=lambda one: (one.node != context.node, one.name)), labels


def _labels(record: Record) -> list[Label]:
    return [record.label, *(portion.label for portion in record.portions)]


def _shown(context: Context, one: Arrived, low: int | None) -> ParticipantShown:
    record, parties = one.record, context.parties()
    header = record.header
    state = _part(record.portion("state"), StateShown)
    there = state is None or state.state in ("joined", "returned")
    return ParticipantShown(
        name=f"{header.originator}/{state.system if state else header.id}",
        node=header.originator,
        party=parties.get(header.originator, ""),
        record=header.id,
        marking=_marking(context, _labels(record)),
        known=one.at,
        stale=there and context.now() - one.at > _NO_NEWS_MS,
        state=state,
        clock=_part(record.portion("clock"), ClockShown),
        traffic=_part(record.portion("traffic"), TrafficShown),
        node_clock_low_us=low,
    )


def _marking(context: Context, labels: Sequence[Label]) -> str:
    """The banner of labels; of those that nobody has mapped to this node's policy, each as it is written there."""
    try:
        return context.marking(context.banner(labels))
    except NeedsPerson:
        return "; ".join(sorted({context.marking(label) for label in labels}))


def _part(portion: Portion | None, type_: type[_T]) -> _T | None:
    """The value of a portion; of one from a version of this program that knows more, nothing."""
    try:
        return msgspec.convert(portion.value, type_) if portion is not None else None
    except msgspec.ValidationError:
        return None
