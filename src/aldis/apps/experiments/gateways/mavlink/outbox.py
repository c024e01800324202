"""What goes out: frames with their sequence numbers and signatures, and the system ids that tracks are shown under."""

from __future__ import annotations

from collections import OrderedDict
from functools import lru_cache
from typing import Any

from aldis.apps.experiments.gateways.mavlink.frames import pack
from aldis.apps.experiments.gateways.mavlink.messages import BY_NAME, Layout
from aldis.apps.experiments.gateways.mavlink.signing import Signer

__all__ = ["ONLOOKER", "STATION", "Ids", "Outbox", "Source", "named"]

Source = tuple[int, int]
"""A system and a component."""

ONLOOKER: Source = (253, 191)
"""Who keeps a connection alive; not 255, whose heartbeats tell an autopilot that its operator is there."""
STATION: Source = (255, 190)
"""What a ground station is by custom: MAV_COMP_ID_MISSIONPLANNER of system 255."""

_IDLE_US = 120_000_000
_KEPT = 4_096


class Outbox:
    """Frames, numbered for each source."""

    def __init__(self, signer: Signer | None = None) -> None:
        self._signer = signer
        self._sequences: dict[Source, int] = {}

    def frame(self, name: str, source: Source, at_us: int, /, **values: Any) -> bytes:
        """A message by its name and the names of its fields; see `Layout.payload`."""
        layout = BY_NAME[name]
        return self.packed(layout, layout.payload(**values), source, at_us)

    def named(self, name: str, payload: bytes, source: Source, at_us: int) -> bytes:
        """A message by its name and payload."""
        return self.packed(BY_NAME[name], payload, source, at_us)

    def packed(self, layout: Layout, payload: bytes, source: Source, at_us: int) -> bytes:
        """A message by its payload."""
        sequence = self._sequences.get(source, 0)
        self._sequences[source] = (sequence + 1) & 0xFF
        signer = self._signer
        sign = None if signer is None else lambda frame: signer.sign(frame, at_us)
        return pack(layout, payload, source[0], source[1], sequence, sign)


class Ids:
    """Which system id each track has here: its own where that is free, else one from 254 downwards.

    When none is left, a track that was not said for two minutes gives up its own.
    """

    def __init__(self) -> None:
        self._heard: set[int] = set()
        self._shown: dict[int, str] = {}
        self._sources: OrderedDict[str, tuple[Source, int]] = OrderedDict()

    def heard(self, system: int) -> None:
        """A system at the other end has this id: whatever was shown under it gets another."""
        self._heard.add(system)
        key = self._shown.get(system)
        if key is not None and not key.startswith(f"mavlink:{system}/"):
            self._release(key)

    def is_heard(self, system: int) -> bool:
        """Whether a system at the other end has this id."""
        return system in self._heard

    def key(self, system: int) -> str | None:
        """The key of the track that is shown under an id."""
        return self._shown.get(system)

    def of(self, key: str, name: str | None, at_us: int) -> Source | None:
        """What `key`, whose own id is `name`, is shown under; None where no id is left."""
        known = self._sources.get(key)
        if known is not None:
            return self._give(key, known[0], at_us)
        own = named(name)
        if own is not None and (own[0] not in self._heard or key == f"mavlink:{name}"):
            holder = self._shown.get(own[0])
            if holder is None or _same_system(holder, key):
                return self._give(key, own, at_us)
        system = self._free(at_us)
        return None if system is None else self._give(key, (system, 1), at_us)

    def _free(self, at_us: int) -> int | None:
        while True:
            for system in range(254, 0, -1):
                if system not in self._shown and system not in self._heard:
                    return system
            key, (_, used_us) = next(iter(self._sources.items()), ("", (STATION, at_us)))
            if at_us - used_us <= _IDLE_US:
                return None
            self._release(key)

    def _give(self, key: str, source: Source, at_us: int) -> Source:
        self._sources[key] = source, at_us
        self._sources.move_to_end(key)
        self._shown.setdefault(source[0], key)
        if len(self._sources) > _KEPT:
            self._release(next(iter(self._sources)))
        return source

    def _release(self, key: str) -> None:
        (system, _), _ = self._sources.pop(key)
        if self._shown.get(system) == key:
            del self._shown[system]


@lru_cache(maxsize=4096)
def named(name: str | None) -> Source | None:
    """The system and component of `1/1`; None where it is none, or does not fit 8 bits each."""
    system, slash, component = (name or "").partition("/")
    if not slash or not (system.isascii() and system.isdigit() and component.isascii() and component.isdigit()):
        return None
    if len(system) > 3 or len(component) > 3 or not 1 <= int(system) <= 255 or not 1 <= int(component) <= 255:
        return None
    return int(system), int(component)


def _same_system(one: str, other: str) -> bool:
    return one.startswith("mavlink:") and one.partition("/")[0] == other.partition("/")[0]
