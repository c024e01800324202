"""The pages of what protocols lose through one another: the table of all pairs, and each pair field by field.

It follows from this program alone, and says nothing of anybody's data.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from threading import Lock

import msgspec

from aldis.app import Context, Page, Shown
from aldis.apps.experiments.gateways.registry import PROTOCOLS, offered
from aldis.apps.experiments.translation import FATES, Fate, Loss, Losses, losses
from aldis.kernel.errors import Unavailable, UnknownTerm

__all__ = ["PAGES", "Field", "Pair", "fields", "pair"]

_TONES: Mapping[Fate, tuple[str, str]] = {
    "carried": ("✓", "holds"), "approximated": ("◐", "waits"), "dropped": ("✕", "fails"), "unexplained": ("?", "fails"),
}  # fmt: skip
_lock = Lock()


class _Nothing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Nothing is asked."""


class _Two(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Two protocols: from which, through which and back."""

    a: str
    b: str


class Pair(msgspec.Struct, frozen=True):
    """How many fields of A, through B and back, met which fate."""

    a: str
    b: str
    counts: Mapping[Fate, int]

    @property
    def share(self) -> int:
        """How many of a hundred came back, whole or nearly."""
        every = sum(self.counts.values())
        return round(100 * (self.counts["carried"] + self.counts["approximated"]) / every) if every else 0


class Field(msgspec.Struct, frozen=True):
    """A field on its way: its fate with symbol and tone, its value before and after, and why."""

    name: str
    fate: str
    symbol: str
    tone: str
    before: str
    after: str
    why: str


@lru_cache(maxsize=400)
def _losses(a: str, b: str) -> Losses | None:
    """What is lost from A through B: always the same; None where a library for one is not installed."""
    try:
        return losses(offered(a), offered(b))
    except Unavailable:
        return None


def pair(a: str, b: str) -> Pair | None:
    """A cell of the table; none where one of the two is not to be had here."""
    with _lock:
        found = _losses(a, b)
    return Pair(a, b, found.counts()) if found is not None else None


def fields(a: str, b: str) -> Sequence[tuple[str, Sequence[Field]]]:
    """Each specimen of A with its fields.

    Raises:
        UnknownTerm: no such protocol, or its library is not installed.
    """
    if a not in PROTOCOLS or b not in PROTOCOLS or a == b:
        raise UnknownTerm("no such two protocols")
    with _lock:
        found = _losses(a, b)
    if found is None:
        raise UnknownTerm("no such two protocols here")
    return [(one.specimen, [_field(loss) for loss in one.losses]) for one in found.crossings]


def _field(loss: Loss) -> Field:
    symbol, tone = _TONES[loss.fate]
    why = "; ".join(loss.reasons)
    if loss.fate == "approximated":
        why = f"off by {loss.error:.3g} of at most {loss.bound:.3g} {loss.unit}".rstrip()
    return Field(
        loss.field, loss.fate, symbol, tone, str(loss.before), "" if loss.after is None else str(loss.after), why
    )


def _table(_ctx: Context, _asked: _Nothing) -> Shown:
    names = [*PROTOCOLS]
    known = {(a, b): pair(a, b) for a in names for b in names if a != b}
    there = [name for name in names if any(known.get((name, other)) for other in names)]
    return Shown({"names": there, "known": known, "missing": sorted(set(names) - set(there))}, [])


def _two(_ctx: Context, asked: _Two) -> Shown:
    found = fields(asked.a, asked.b)
    back = pair(asked.b, asked.a)
    return Shown({"a": asked.a, "b": asked.b, "specimens": found, "pair": pair(asked.a, asked.b), "back": back,
                  "fates": FATES}, [])  # fmt: skip


PAGES: Sequence[Page] = (
    Page("GET", "/runs/losses", "What protocols lose", _Nothing, _table, "losses.html"),
    Page("GET", "/runs/losses/{a}/{b}", "What is lost between two protocols", _Two, _two, "losses_two.html"),
)
