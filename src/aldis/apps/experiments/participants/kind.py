"""The kind of record that says whether a system takes part, how far its clock is off, and what comes from it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

from aldis.app import Context
from aldis.apps.experiments.participants.state import State
from aldis.kernel.labels import Label
from aldis.kernel.records import Kind

__all__ = ["PARTICIPANT", "ClockShown", "StateShown", "TrafficShown", "participant_labels"]


class StateShown(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """What it is called at its node, what it speaks ("" for not known yet), how it stands, since when, and why."""

    system: str
    protocol: str = ""
    state: State
    since: int
    reason: str = ""


class ClockShown(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """By how much its clock is ahead of its node's, in microseconds: at least, and at most where it was asked."""

    low_us: int
    high_us: int | None = None
    basis: Literal["one-way", "two-way"] = "one-way"
    jumps: int = 0


class TrafficShown(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """Messages since its node began, when the last one came (ms), and how many a second come of late."""

    heard: int = 0
    damaged: int = 0
    unfamiliar: int = 0
    last: int | None = None
    heard_per_s: float = 0.0
    damaged_per_s: float = 0.0
    unfamiliar_per_s: float = 0.0


PARTICIPANT = Kind(
    "participant",
    {"state": StateShown, "clock": ClockShown, "traffic": TrafficShown},
)


def participant_labels(context: Context) -> Mapping[str, Label]:
    """The label of each portion and of `header`: as the settings state it, else the join of what they state, else of
    a track's.

    Raises:
        InvalidInput, UnknownTerm: a marking that cannot be read.
    """
    stated = context.labels(PARTICIPANT.name)
    highest = context.banner((stated or context.labels("track")).values())
    return {name: stated.get(name, highest) for name in ("header", *PARTICIPANT.portions)}
