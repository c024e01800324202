"""The pages of what protocols lose through one another: the table of all pairs, and each pair field by field.

It follows from this program alone, and says nothing of anybody's data.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from threading import Lock, Thread

import msgspec

from aldis.app import Context, Page, Shown
from aldis.apps.experiments.gateways.registry import PROTOCOLS, offered
from aldis.apps.experiments.translation import FATES, Fate, Loss, Losses, losses
from aldis.kernel.errors import Unavailable, UnknownTerm

__all__ = ["PAGES", "Field", "Pair", "fields", "pair"]

_TONES: Mapping[Fate, tuple[str, str]] = {
    "carried": ("✓", "holds"), "approximated": ("◐", "waits"), "dropped": ("✕", "fails"), "unexplained": ("?", "fails"),
}  # fmt: skip
_PAIRS = [(a, b) for a in PROTOCOLS for b in PROTOCOLS if a != b]
_worked_out: dict[tuple[str, str], Losses | None] = {}
_begun, _turn = Lock(), Lock()


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


def pair(a: str, b: str) -> Pair | None:
    """A cell of the table; none where one of the two is not to be had here."""
    found = _losses(a, b)
    return Pair(a, b, found.counts()) if found is not None else None


def _work_out() -> None:
    """Work out the whole table beside whatever else is done, once: some seconds of computing."""
    for a, b in _PAIRS:
        _losses(a, b)


def _losses(a: str, b: str) -> Losses | None:
    """What is lost from A through B: always the same; None where a library for one is not installed."""
    with _turn:
        if (a, b) not in _worked_out:
            try:
                _worked_out[a, b] = losses(offered(a), offered(b))
            except Unavailable:
                _worked_out[a, b] = None
    return _worked_out[a, b]


def fields(a: str, b: str) -> Sequence[tuple[str, Sequence[Field]]]:
    """Each specimen of A with its fields.

    Raises:
        UnknownTerm: no such protocol, or its library is not installed.
    """
    if a not in PROTOCOLS or b not in PROTOCOLS or a == b:
        raise UnknownTerm("no such two protocols")
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
    if _begun.acquire(blocking=False):
        Thread(target=_work_out, name="losses", daemon=True).start()
    done = [names for names in _PAIRS if names in _worked_out]
    known = {names: pair(*names) for names in done}
    missing = {name for name in PROTOCOLS if len(done) == len(_PAIRS) and not any(known[p] for p in done if name in p)}
    there = [name for name in PROTOCOLS if name not in missing]
    values = {"names": there, "known": known, "missing": sorted(missing), "waits": len(_PAIRS) - len(done)}
    return Shown(values, [])


def _two(_ctx: Context, asked: _Two) -> Shown:
    found = fields(asked.a, asked.b)
    back = pair(asked.b, asked.a)
    return Shown({"a": asked.a, "b": asked.b, "specimens": found, "pair": pair(asked.a, asked.b), "back": back,
                  "fates": FATES}, [])  # fmt: skip


PAGES: Sequence[Page] = (
    Page("GET", "/runs/losses", "What protocols lose", _Nothing, _table, "losses.html"),
    Page("GET", "/runs/losses/{a}/{b}", "What is lost between two protocols", _Two, _two, "losses_two.html"),
)
