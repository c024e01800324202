"""A stream of one protocol as a stream of another, with an account of what did not go over."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from aldis.apps.experiments.entity import Approximated, Dropped, Entity, Ledger
from aldis.apps.experiments.fusing import merged
from aldis.apps.experiments.gateways.gateway import Gateway

__all__ = ["Account", "Conversion"]

_MOST = 100_000
_MOST_ROWS = 10_000
Side = Literal["read", "written"]


@dataclass(slots=True)
class Account:
    """How often each field was dropped, and why, and the greatest error of each that went over nearly."""

    dropped: Counter[tuple[Side, str, str]] = field(default_factory=Counter)
    errors: dict[tuple[Side, str], tuple[float, str]] = field(default_factory=dict)

    def add(self, side: Side, ledger: Ledger) -> None:
        """Count a ledger in."""
        for entry in ledger.entries:
            if isinstance(entry, Dropped):
                row = side, entry.field, f"{entry.reason}: {entry.detail}" if entry.detail else entry.reason
                if row in self.dropped or len(self.dropped) < _MOST_ROWS:
                    self.dropped[row] += 1
            elif isinstance(entry, Approximated):
                name = side, entry.field
                known = self.errors.get(name)
                if known is None and len(self.errors) >= _MOST_ROWS:
                    continue
                if known is None or entry.error > known[0]:
                    self.errors[name] = entry.error, entry.unit


class Conversion:
    """Reads one protocol and writes another: each message read gives all that is known of its thing by then."""

    def __init__(self, source: Gateway, target: Gateway) -> None:
        self.source = source
        self.account = Account()
        self.written = 0
        self.unsaid = 0
        self._target = target
        self._known: dict[tuple[type, str], Entity] = {}

    def feed(self, data: bytes, at_us: int) -> list[bytes]:
        """What a piece of the stream becomes."""
        found: list[bytes] = []
        for one in self.source.feed(data, at_us):
            self.account.add("read", one.ledger)
            encoded = self._target.encode(self._fused(one.entity), at_us)
            self.account.add("written", encoded.ledger)
            self.written += len(encoded.messages)
            self.unsaid += not encoded.messages
            found += encoded.messages
        return found

    def end(self, at_us: int) -> list[bytes]:
        """What is left at the end of a file, whose last line may lack its end."""
        found = self.feed(b"\r\n", at_us) if self.source.tally.waiting else []
        self.source.close()
        return found

    def _fused(self, entity: Entity) -> Entity:
        name = type(entity), entity.key
        known = self._known.pop(name, None)
        if known is not None:
            entity = merged(known, entity)
        elif len(self._known) >= _MOST:
            del self._known[next(iter(self._known))]
        self._known[name] = entity
        return entity

    def rows(self) -> Iterable[tuple[Side, str, str, int]]:
        """What was dropped, the most frequent first: where, which field, why, how often."""
        return [(*row, count) for row, count in self.account.dropped.most_common()]
