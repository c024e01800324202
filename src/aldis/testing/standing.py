"""What a node holds and believes, to be compared before and after an attack on it."""

from __future__ import annotations

from dataclasses import dataclass

from aldis.node.node import Node
from aldis.testing.streams import rows

__all__ = ["Standing"]


@dataclass(frozen=True, slots=True)
class Standing:
    """What a node holds and believes."""

    held: frozenset[bytes]
    in_force: frozenset[tuple[str, int, frozenset[str]]]
    signed: frozenset[tuple[bytes, str]]
    partners: tuple[object, ...]
    cursors: tuple[object, ...]

    @classmethod
    def of(cls, node: Node, hostile: str) -> Standing:
        """What `node` holds and believes now, but for what `hostile` may say for itself."""
        instruments = node.epochs.build().instruments
        party = node.partners.get(hostile).party
        return cls(
            held=frozenset(
                data
                for row in rows(node)
                for data in (row.header, *row.portions, *(portion for portion, _ in row.substitutes))
            ),
            in_force=frozenset(
                (s.instrument.id, s.entry.version, s.parties) for s in instruments.in_force(node.core.clock.now())
            ),
            signed=frozenset((e.digest, who) for e in instruments for who in e.signed if who != party),
            partners=tuple(node.core.store.partners.all()),
            cursors=tuple(
                (known.node, node.inbound.cursor(known.node), node.core.store.partners.acknowledged(known.node))
                for known in node.partners.all()
                if known.node != hostile
            ),
        )

    def compare(self, after: Standing, rightful: set[bytes]) -> list[str]:
        """What the attack changed that it may not, a line each."""
        gained = [f"admitted: {data[:120]!r}" for data in after.held - self.held - rightful]
        gained += [f"lost: {data[:120]!r}" for data in self.held - after.held]
        gained += [f"now in force: {found}" for found in after.in_force - self.in_force]
        gained += [f"no longer in force: {found}" for found in self.in_force - after.in_force]
        gained += [f"a signature counts: {found}" for found in after.signed - self.signed]
        gained += ["the partners changed"] if after.partners != self.partners else []
        gained += ["the cursor of another stream moved"] if after.cursors != self.cursors else []
        return gained
