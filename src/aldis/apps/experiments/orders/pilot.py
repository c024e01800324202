"""What carries tasks to the vehicles of one connected system: frames to send, and what is seen of each task.

No sockets: the connection hands over what it hears and sends what there is to send.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from aldis.apps.experiments.entity import Task, Track
from aldis.apps.experiments.orders.kinds import Why

if TYPE_CHECKING:
    from aldis.apps.experiments.gateways.mavlink.tasking import Progress, Tasking
    from aldis.apps.experiments.gateways.mavlink.watch import Limits

__all__ = ["Pilot", "why_of"]

TICK_S = 0.1
_VEHICLES = 16
_HOLD = "hold"
_WHY: tuple[tuple[str, Why], ...] = (
    ("accepted but did not move", "accepted but did not move"),
    ("accepted but did not stop", "accepted but did not stop"),
    ("accepted, but where", "its position was not heard"),
    ("which part of its way", "its node was restarted"),
    ("timed out", "not acknowledged"),
    ("asks for items", "not acknowledged"),
    ("its time ran out", "its time ran out"),
    ("stopped", "stopped short"),
    ("went", "did not hold"),
    ("was there already", "was there already"),
    ("operator took over", "operator took over"),
)


def why_of(task: Task, *, acknowledged: bool) -> Why | None:
    """The code of a reason in words, in which places may stand."""
    if task.reason is None:
        return None
    for words, why in _WHY:
        if task.reason.startswith(words):
            return why
    return "failed" if acknowledged else "refused by the system"


@dataclass(slots=True)
class _Vehicle:
    native: str
    protocol: str
    tasking: Tasking | None
    peer: str = ""
    heard_us: int = 0


class Pilot:
    """The vehicles of one system, by the ids of their tracks' records; those of protocols that have no tasks too."""

    def __init__(self, system: str, limits: Limits | None = None) -> None:
        self.system = system
        self._limits = limits
        self._vehicles: dict[str, _Vehicle] = {}
        self._frames: deque[tuple[str, bytes]] = deque(maxlen=4_096)
        self._told: deque[tuple[str, Task]] = deque(maxlen=4_096)
        self._sent: deque[tuple[str, bytes]] = deque(maxlen=4_096)
        self._due = asyncio.Event()

    def knows(self, track: str, entity: object, peer: str, protocol: str, at_us: int) -> None:
        """A vehicle was heard: the id of its track's record, and what was said of it."""
        if not isinstance(entity, Track) or entity.position is None:
            return
        vehicle = self._vehicles.get(track)
        if vehicle is None:
            if len(self._vehicles) >= _VEHICLES:
                return  # those that were heard first stay, whatever else is said to be there
            native = entity.key.removesuffix(f"@{self.system}")
            vehicle = self._vehicles[track] = _Vehicle(native, protocol, self._tasking(native, protocol))
        vehicle.peer, vehicle.heard_us = peer, at_us

    def hear(self, peer: str, data: bytes, at_us: int) -> None:
        """What came from a peer of the link."""
        for track, vehicle in self._vehicles.items():
            if vehicle.tasking is not None and vehicle.peer == peer:
                self._take(track, vehicle.tasking.feed(data, at_us))

    def tick(self, at_us: int) -> None:
        """Time goes by."""
        for track, vehicle in self._vehicles.items():
            if vehicle.tasking is not None:
                self._take(track, vehicle.tasking.tick(at_us))

    def can(self, track: str) -> bool | None:
        """Whether a vehicle can be tasked; None for one that was not heard here."""
        vehicle = self._vehicles.get(track)
        return None if vehicle is None else vehicle.tasking is not None

    def silent_ms(self, track: str, now: int) -> int:
        """For how long a vehicle has not said where it is."""
        return max(0, now - self._vehicles[track].heard_us // 1000)

    def protocol(self, track: str) -> str:
        """What a vehicle speaks."""
        return self._vehicles[track].protocol

    def begin(self, track: str, task: Task, at_us: int) -> None:
        """Give a task to its vehicle; what it does instead of one before it."""
        vehicle = self._vehicles[track]
        if vehicle.tasking is not None:
            self._take(track, vehicle.tasking.override(_native(task, vehicle), at_us))

    def resume(self, track: str, task: Task, at_us: int) -> None:
        """Watch a task on that its vehicle was given before."""
        vehicle = self._vehicles[track]
        if vehicle.tasking is not None:
            self._take(track, vehicle.tasking.resume(_native(task, vehicle), at_us))

    def hold(self, track: str, at_us: int) -> None:
        """Tell a vehicle to hold, at once, whatever it does."""
        vehicle = self._vehicles.get(track)
        if vehicle is not None and vehicle.tasking is not None:
            hold = Task(key=_HOLD, verb="hold", assignee=vehicle.native)
            self._take(track, vehicle.tasking.override(hold, at_us))

    def told(self) -> Sequence[tuple[str, Task]]:
        """What was seen of tasks since this was last asked: the track's record, and the task in its state."""
        found = list(self._told)
        self._told.clear()
        return found

    def sent(self) -> Sequence[tuple[str, bytes]]:
        """The frames that were taken to be sent since this was last asked, each with the track's record."""
        found = list(self._sent)
        self._sent.clear()
        return found

    def frames(self) -> Sequence[bytes]:
        """What is to be sent now."""
        found = list(self._frames)
        self._frames.clear()
        self._sent += found
        return [frame for _, frame in found]

    def drop(self) -> None:
        """Let go what was to be sent: it is too late."""
        self._frames.clear()

    async def waiting(self) -> None:
        """Return once there is something to send, at the latest when it is time to tick."""
        try:
            await asyncio.wait_for(self._due.wait(), TICK_S)
        except TimeoutError:
            return
        self._due.clear()

    def _tasking(self, key: str, protocol: str) -> Tasking | None:
        if protocol != "mavlink":
            return None
        from aldis.apps.experiments.entity.geoid import undulation_m  # noqa: PLC0415 - numpy and a grid, for vehicles only
        from aldis.apps.experiments.gateways.mavlink.tasking import Tasking  # noqa: PLC0415

        try:
            return Tasking(key, limits=self._limits, undulation=undulation_m)
        except ValueError:
            return None  # a contact that a vehicle reports

    def _take(self, track: str, progress: Progress) -> None:
        self._frames += [(track, frame) for frame in progress.send]
        self._told += [(track, task) for task in progress.tasks]
        if progress.send or progress.tasks:
            self._due.set()


def _native(task: Task, vehicle: _Vehicle) -> Task:
    return msgspec.structs.replace(task, assignee=vehicle.native)
