"""What a translation did to each field: carried, approximated with the error, or dropped with the reason."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

import msgspec

from aldis.apps.experiments.entity.others import Area, Environment, Report, Task
from aldis.apps.experiments.entity.track import Track

__all__ = ["Approximated", "Carried", "Decoded", "Dropped", "Encoded", "Entity", "Ledger", "Reason", "joined"]

Entity = Track | Area | Task | Report | Environment

Reason = Literal[
    "no field",
    "no code",
    "out of range",
    "unknown value",
    "not text of this protocol",
    "too long",
    "made anew",
    "other message",
    "not decoded",
]
"""Why a field was dropped. `no field`: the other side has none; `no code`: it has one, but no code for this value;
`unknown value`: the source says that it does not know; `made anew`: stamps, counters and checksums of the message
itself; `other message`: only another message of the protocol could carry it; `not decoded`: kept as residue."""


class Carried(msgspec.Struct, frozen=True, gc=False):
    """`field` went over whole, as `to`."""

    field: str
    to: str


class Approximated(msgspec.Struct, frozen=True, gc=False):
    """`field` went over as `to` with an error of at most `error` in `unit`."""

    field: str
    to: str
    error: float
    unit: str


class Dropped(msgspec.Struct, frozen=True, gc=False):
    """`field` did not go over."""

    field: str
    reason: Reason
    detail: str = ""


Entry = Carried | Approximated | Dropped


class Ledger(msgspec.Struct, frozen=True, gc=False):
    """The fate of every field that was there; each is named once.

    On decoding the fields are the protocol's, on encoding the model's (`position.height_m`).
    """

    entries: tuple[Entry, ...] = ()

    def __add__(self, other: Ledger) -> Ledger:
        """Both, one after the other."""
        return Ledger(self.entries + other.entries)

    @property
    def carried(self) -> Sequence[Carried]:
        """What went over whole."""
        return [entry for entry in self.entries if isinstance(entry, Carried)]

    @property
    def approximated(self) -> Sequence[Approximated]:
        """What went over nearly."""
        return [entry for entry in self.entries if isinstance(entry, Approximated)]

    @property
    def dropped(self) -> Sequence[Dropped]:
        """What did not go over."""
        return [entry for entry in self.entries if isinstance(entry, Dropped)]

    def named(self) -> frozenset[str]:
        """Every field that has an entry."""
        return frozenset(entry.field for entry in self.entries)


class Decoded(msgspec.Struct, frozen=True, gc=False):
    """One thing that a message says, and what became of each of its fields."""

    entity: Entity
    ledger: Ledger


class Encoded(msgspec.Struct, frozen=True, gc=False):
    """The messages that say it, each whole (a datagram, or a piece of a stream), and what became of each field.

    No message where the protocol cannot say such a thing at all: the ledger then says why.
    """

    messages: tuple[bytes, ...]
    ledger: Ledger


def joined(ledgers: Iterable[Ledger]) -> Ledger:
    """All of them, one after the other."""
    return Ledger(tuple(entry for ledger in ledgers for entry in ledger.entries))
