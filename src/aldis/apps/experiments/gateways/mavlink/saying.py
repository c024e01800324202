"""A track on its way out as a vehicle: what its stamps count from, its messages, and what becomes of its fields."""

from __future__ import annotations

import math
from typing import Any

from aldis.apps.experiments.entity import Timing, Track
from aldis.apps.experiments.gateways.mavlink.clock import BACK_US
from aldis.apps.experiments.gateways.mavlink.fates import Changes, Fate
from aldis.apps.experiments.gateways.mavlink.messages import Layout
from aldis.apps.experiments.gateways.mavlink.outbox import Outbox, Source

__all__ = ["Saying", "Starts", "Told", "upwards"]

Told = dict[str, Fate]
"""Where this track fares otherwise than others of its shape."""

_ASIDE_MS = BACK_US // 2000
_LONGEST_US = 4_294_967_000_000  # what 32 bits of milliseconds hold


class Starts:
    """When each system that is shown took its start, as its stamps count."""

    def __init__(self) -> None:
        self._offsets: dict[Source, int] = {}

    def offset_us(self, source: Source, timing: Timing | None, us: int, told: Told) -> int:
        """What stamps count from: the vehicle's own start where that is known, else a second before it was shown."""
        own = timing.offset_us if timing is not None and timing.clock == "boot" else None
        if own is not None and own <= us <= own + _LONGEST_US:
            told["timing.offset_us"] = ("SYSTEM_TIME.time_boot_ms", 500.0, "us")
            told["timing.clock"] = "SYSTEM_TIME.time_boot_ms"
            return own
        offset = self._offsets.get(source)
        if offset is None or not offset <= us <= offset + _LONGEST_US:
            offset = self._offsets[source] = us - 1_000_000
        return offset


class Saying:
    """One track on its way out: its messages, and what becomes of its fields."""

    def __init__(self, track: Track, source: Source, outbox: Outbox, starts: Starts, at_us: int) -> None:
        self.track, self.source, self.outbox, self.at_us = track, source, outbox, at_us
        self.told: Told = {}
        self.messages: list[bytes] = []
        timing, position, motion = track.timing, track.position, track.motion
        self.source_us = timing.source_us if timing is not None else None
        stamps = (position.at if position is not None else None, motion.at if motion is not None else None)
        at = next((stamp for stamp in stamps if stamp is not None), None)
        self.known_us = self.source_us if self.source_us is not None else None if at is None else at * 1000
        us = at_us if self.known_us is None else self.known_us
        if not 0 < us < 1 << 62:
            us = at_us
            self.known_us = None
            self.told["timing.source_us"] = "-out of range"
        self.offset_us = starts.offset_us(source, timing, us, {} if self.known_us is None else self.told)
        self.us = us
        self._apart_ms = 0

    def say(self, name: str, **values: Any) -> None:
        """One message more."""
        self.messages.append(self.outbox.frame(name, self.source, self.at_us, **values))

    def put(self, layout: Layout, payload: bytes) -> None:
        """One message more, by its payload."""
        self.messages.append(self.outbox.packed(layout, payload, self.source, self.at_us))

    def boot_ms(self) -> int:
        """The source's time as milliseconds since the start."""
        return (self.us - self.offset_us + 500) // 1000

    def stamp(self, at: int | None, path: str, field: str) -> int:
        """The time that stands at `path` as milliseconds since the start, which `field` says.

        It is the source's where there is none. Where it is another, the source's time comes back as the last stamp;
        it stays so near to the source's that a reader does not take the vehicle to have started anew.
        """
        now_ms = self.boot_ms()
        if at is None:
            return now_ms
        if at == self.us // 1000:
            self.told[path] = field
            return now_ms
        true_ms = (at * 1000 - self.offset_us + 500) // 1000
        boot_ms = max(0, now_ms - _ASIDE_MS, min(0xFFFFFFFF, now_ms + _ASIDE_MS, true_ms))
        self.told[path] = (field, 1.0, "ms") if boot_ms == true_ms and self.known_us is not None else "-out of range"
        self._apart_ms = max(self._apart_ms, abs(boot_ms - now_ms))
        return boot_ms

    def changes(self) -> Changes:
        """What becomes of its fields, for its ledger."""
        if self._apart_ms and self.source_us is not None and self.known_us is not None:
            self.told["timing.source_us"] = ("SYSTEM_TIME.time_unix_usec", upwards(self._apart_ms, 1) * 1000, "us")
        return tuple(self.told.items())


def upwards(error: float, least: float) -> float:
    """A bound of `error`: `least` doubled as often as it takes, so that few ledgers differ by it."""
    return least * 2.0 ** max(0, math.ceil(math.log2(error / least)))
