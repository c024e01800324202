"""The two exchanges of MAVLink that ask for something: a command and its acknowledgement, a mission and its items.

Sources: mavlink.io/en/services/command.html and mission.html, with their time-outs and retries.
"""

from __future__ import annotations

from collections.abc import Sequence

from aldis.apps.experiments.gateways.mavlink.messages import BY_NAME, Row
from aldis.apps.experiments.gateways.mavlink.outbox import Source
from aldis.apps.experiments.gateways.mavlink.plan import Command, Mission
from aldis.apps.experiments.gateways.mavlink.requests import RESULTS
from aldis.apps.experiments.gateways.mavlink.watch import Limits

__all__ = ["Asking", "Exchange", "LayingUp", "Said"]

Said = tuple[str, bytes]
"""The name of a message and its payload."""

_MISSION_RESULTS = (
    "accepted", "error", "unsupported frame", "unsupported", "no space", "invalid", "invalid param1", "invalid param2",
    "invalid param3", "invalid param4", "invalid x", "invalid y", "invalid z", "invalid sequence", "denied",
    "cancelled",
)  # fmt: skip
"""MAV_MISSION_RESULT."""
_INVALID_SEQUENCE = 13


class Asking:
    """One command until it is acknowledged: `outcome` is then "accepted", or why not.

    An acknowledgement carries only the command's number, so nothing is sent before `not_before_us`: until then an
    answer to an earlier request of the same command may still come.
    """

    def __init__(self, command: Command, target: Source, sender: Source, limits: Limits, not_before_us: int) -> None:
        self.command = command
        self.outcome: str | None = None
        self._target, self._sender, self._limits = target, sender, limits
        self._due_us = not_before_us
        self._sent = 0
        self._answered = 0

    @property
    def unanswered(self) -> int:
        """Requests whose acknowledgements may still come."""
        return max(0, self._sent - self._answered)

    def tick(self, at_us: int) -> Sequence[Said]:
        """What is to be sent now."""
        if self.outcome is not None or at_us < self._due_us:
            return ()
        if self._sent > self._limits.retries:
            self.outcome = "timed out: no acknowledgement"
            return ()
        self._sent += 1
        self._due_us = at_us + self._limits.answer_us
        return (self.command.message(self._target, self._sent - 1),)

    def hear(self, number: int, row: Row, at_us: int) -> Sequence[Said]:
        """A message of the target's."""
        if number != 77 or not self._sent or self.outcome is not None:
            return ()
        command, result, _, _, system, component = row
        if command != self.command.command or not _for(self._sender, system, component):
            return ()
        if result == 5:  # in progress: the final one is still to come
            self._due_us = at_us + self._limits.busy_us
            self._sent = self._limits.retries + 1
            return ()
        self._answered += 1
        self.outcome = "accepted" if result == 0 else RESULTS.get(result, f"result {result}")
        return ()


class LayingUp:
    """One mission until the vehicle has all of it: `outcome` is then "accepted", or why not."""

    unanswered = 0

    def __init__(self, mission: Mission, target: Source, sender: Source, limits: Limits, not_before_us: int) -> None:
        self.outcome: str | None = None
        self._mission, self._target, self._sender, self._limits = mission, target, sender, limits
        self._due_us = not_before_us
        self._attempts = 0
        self._given: set[int] = set()
        self._last: Said = self._count()
        self._sent = 0

    def tick(self, at_us: int) -> Sequence[Said]:
        """What is to be sent now: the last message again, where no answer came."""
        if self.outcome is not None or at_us < self._due_us:
            return ()
        if self._attempts > self._limits.retries:
            self.outcome = "timed out: the mission was not taken"
            return ()
        self._attempts += 1
        return self._say(self._last, at_us)

    def hear(self, number: int, row: Row, at_us: int) -> Sequence[Said]:
        """A message of the target's."""
        if self.outcome is not None or not self._attempts:
            return ()
        if number in (40, 51):
            seq, system, component, kind = row
            if seq >= len(self._mission.items) or kind != self._mission.kind or not self._mine(system, component):
                return ()
            if seq not in self._given:
                self._attempts = 1
            self._given.add(seq)
            return self._say(("MISSION_ITEM_INT", self._mission.message(seq, self._target)), at_us)
        if number == 47:
            system, component, result, kind = row
            if kind != self._mission.kind or not self._mine(system, component) or result == _INVALID_SEQUENCE:
                return ()
            whole = len(self._given) == len(self._mission.items)
            if result == 0 and not whole:  # of an earlier mission: this one has not all been asked for
                return ()
            known = result < len(_MISSION_RESULTS)
            self.outcome = _MISSION_RESULTS[result] if known else f"mission result {result}"
        return ()

    def _mine(self, system: int, component: int) -> bool:
        return _for(self._sender, system, component)

    def _say(self, said: Said, at_us: int) -> Sequence[Said]:
        self._sent += 1
        if self._sent > 20 * (len(self._mission.items) + 10):
            self.outcome = "asks for items without end"
            return ()
        self._last = said
        self._due_us = at_us + self._limits.answer_us
        return (said,)

    def _count(self) -> Said:
        count = BY_NAME["MISSION_COUNT"].payload(
            count=len(self._mission.items), target_system=self._target[0], target_component=self._target[1],
            mission_type=self._mission.kind,
        )  # fmt: skip
        return "MISSION_COUNT", count


Exchange = Asking | LayingUp


def _for(me: Source, system: int, component: int) -> bool:
    """Whether an answer is addressed to `me`, to all, or, as those of older systems, to nobody."""
    return system in (0, me[0]) and component in (0, me[1])
