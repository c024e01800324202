"""How far the clocks of nodes are apart, as what went between them tells.

Two-way time transfer as in NTP (RFC 5905, section 8): of what left one node and arrived at another, the least
difference of the two stamps each way. Half of their difference is the offset, half of their sum the most by which that
is wrong. A correction is made only where the clocks cannot have been the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from aldis.apps.experiments.cases.evidence import NODE, Taken

__all__ = ["Clocks", "Offset"]


class Offset(msgspec.Struct, frozen=True):
    """What is taken off times of the second node to come to those of the first, and by how much it may be wrong.

    `uncertainty_us` is None where nothing went both ways, and so nothing can be said. `stated` is an offset that the
    participants recorded. `ahead_us` is how far the first clock is ahead of the second at the least, where something
    arrived before it left and nothing came back.
    """

    offset_us: int = 0
    uncertainty_us: int | None = None
    stated: bool = False
    ahead_us: int = 0

    @property
    def words(self) -> str:
        """What to say of it beside a latency."""
        if self.stated:
            return f"clocks differ by {self.offset_us / 1e6:.3f} s, as the participants found"
        if self.uncertainty_us is None:
            return "clocks were not compared"
        if self.offset_us:
            return f"clocks differ by {self.offset_us / 1e6:.3f} s ± {self.uncertainty_us / 1e6:.3f} s"
        return f"± {self.uncertainty_us / 1e6:.3f} s of the clocks"


class Clocks:
    """Of every two nodes. `offsets` are those that are known: by how many µs each node's clock is ahead of UTC."""

    def __init__(self, taken: Taken, offsets: Mapping[str, int] | None = None) -> None:
        self._taken = taken
        self._offsets = offsets or {}
        self._found: dict[tuple[str, str], Offset] = {}

    def between(self, one: str, other: str) -> Offset:
        """From one node to another."""
        if one == other:
            return Offset(0, 0)
        if (one, other) not in self._found:
            self._found[one, other] = self._between(one, other)
        return self._found[one, other]

    def _between(self, one: str, other: str) -> Offset:
        if one in self._offsets and other in self._offsets:
            return Offset(self._offsets[other] - self._offsets[one], 0, stated=True)
        there, back = self._least(one, other), self._least(other, one)
        if there is None or back is None:
            return Offset(ahead_us=max(0, -(there or 0)))
        offset, uncertainty = (there - back) // 2, max(0, (there + back + 1) // 2)
        return Offset(offset if abs(offset) > uncertainty else 0, uncertainty)

    def _least(self, one: str, other: str) -> int | None:
        """The least time from leaving one node to arriving at another, by their clocks."""
        frames = self._taken.crossed.get((one, other))
        if frames:
            return min(came - left for left, came in frames)
        left: dict[tuple[str, str, int], int] = {}
        for kind, record, true_us, at_us in self._times(one, "egress", other):
            left.setdefault((kind, record, true_us), at_us)
        arrived: dict[tuple[str, str, int], int] = {}
        for kind, record, true_us, at_us in self._times(other, "entity", one):
            arrived.setdefault((kind, record, true_us), at_us)
        return min((arrived[what] - at for what, at in left.items() if what in arrived), default=None)

    def _times(self, node: str, tap: str, partner: str) -> Iterator[tuple[str, str, int, int]]:
        for (where, tap_, name, kind), stream in self._taken.streams.items():
            if (where, tap_, name) == (node, tap, NODE + partner):
                for seen in stream.seen:
                    if seen.true_us is not None:
                        yield kind, seen.record, seen.true_us, seen.at_us
