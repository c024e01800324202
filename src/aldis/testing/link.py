"""A link: one node's way to one partner, through the weather.

It carries the three operations of a partner port as bytes, and fails as the network does: what is lost shows as
Unavailable after the fact, what is late arrives when its sender no longer waits, and no answer comes to it.
"""

from __future__ import annotations

from heapq import heappop, heappush
from itertools import count
from random import Random

from aldis.kernel.errors import AldisError, Unavailable
from aldis.testing.archive import Archive, Broken
from aldis.testing.clock import VirtualClock
from aldis.testing.site import Site
from aldis.testing.weather import FAIR, Weather

__all__ = ["Link"]

_FLIPS = 3
_PATIENCE = 12


class Link:
    """From `sender` to `receiver`; what the sender has to say goes out in `turn` and `live_turn`.

    `weather` may be changed and `cut` set at any time. `refusals` holds the errors that no sender waited for.
    """

    def __init__(self, sender: Site, receiver: Site, clock: VirtualClock, rng: Random, archive: Archive) -> None:
        self.sender, self.receiver = sender, receiver
        self.weather: Weather = FAIR
        self.cut = False
        self.refusals: list[AldisError] = []
        self.failures = 0
        self._unheard = False
        self._clock, self._rng, self._archive = clock, rng, archive
        self._late: list[tuple[int, int, str, bytes]] = []
        self._numbers = count()

    @property
    def known(self) -> bool:
        """Whether the sender has paired with the receiver."""
        return self.sender.node.core.store.partners.get(self.receiver.name) is not None

    @property
    def quiet(self) -> bool:
        """Whether nothing is under way, and the sender has nothing to say or is refused again and again."""
        return not self._late and (self.failures == 0 or self.failures >= _PATIENCE)

    def turn(self) -> bool:
        """Make the sender's next call to the receiver, if it has one; whether anything got through."""
        if not self.known or self.sender.dead:
            self.failures = 0
            return False
        exchange, partner = self.sender.node.exchange, self.receiver.name
        call = None
        try:
            call = exchange.next_call(partner)
            if call is None:
                self.failures = 0
                return False
            if not self.sender.node.partners.get(partner).active:
                raise Broken(f"{self.sender.name} calls {partner}, which is not active there")
            if call.sealed is not None:
                self._archive.bundle(self.sender.node, partner, bytes(call.body))
            exchange.answered(partner, call, self.carry(call.operation, bytes(call.body)))
        except AldisError as error:
            exchange.failed(partner, error)
            self.failures += 1
            self._unheard = call is not None and call.operation == "greet"
            return False
        if self.failures and call.operation == "greet" and not self._unheard:
            return False  # greeted once more, only to fail at the same place
        self.failures = 0
        return True

    def live_turn(self) -> bool:
        """Send the sender's next live frame, if values wait for one; whether they did."""
        node, partner = self.sender.node, self.receiver.name
        if self.sender.dead:
            return False
        frame = node.live_out.frame(partner, node.exchange.epoch)
        if frame is None:
            return False
        self._archive.frame(node, partner, frame)
        try:
            self.carry("live", frame)
        except AldisError as error:
            self.refusals.append(error)
        return True

    def carry(self, operation: str, body: bytes) -> bytes:
        """The receiver's answer to a call by the sender, if the weather lets both through.

        Raises:
            AldisError: what the receiver refused with, or Unavailable where no answer came.
        """
        rng, weather = self._rng, self.weather
        if self.cut or rng.random() < weather.lose_request:
            raise Unavailable(f"{self.receiver.name} cannot be reached from {self.sender.name}")
        if rng.random() < weather.repeat:
            self._delay(operation, body)
        if rng.random() < weather.delay:
            self._delay(operation, body)
            raise Unavailable(f"{self.receiver.name} did not answer {self.sender.name} in time")
        if rng.random() < weather.damage:
            body = self._damaged(body)
        answer = self._hand_over(operation, body)
        if rng.random() < weather.lose_answer:
            raise Unavailable(f"the answer of {self.receiver.name} to {self.sender.name} was lost")
        return self._damaged(answer) if answer and rng.random() < weather.damage else answer

    def deliver_late(self) -> bool:
        """Let what is late and due arrive; whether anything did."""
        arrived = False
        while self._late and self._late[0][0] <= self._clock.now():
            _, _, operation, body = heappop(self._late)
            arrived = True
            if not self.cut:
                try:
                    self._hand_over(operation, body)
                except AldisError as error:
                    self.refusals.append(error)
        return arrived

    def _hand_over(self, operation: str, body: bytes) -> bytes:
        if self.receiver.dead:
            raise Unavailable(f"{self.receiver.name} is down")
        answer = self.receiver.answer(self.sender.name, operation, body)
        if self.receiver.dead:
            raise Unavailable(f"{self.receiver.name} went down before it answered")
        return answer

    def _delay(self, operation: str, body: bytes) -> None:
        due = self._clock.now() + self._rng.randint(1, self.weather.longest_ms)
        heappush(self._late, (due, next(self._numbers), operation, body))

    def _damaged(self, body: bytes) -> bytes:
        if self._rng.random() < 0.3:
            return body[: self._rng.randrange(len(body) + 1)]
        damaged = bytearray(body)
        for _ in range(self._rng.randint(1, _FLIPS)):
            damaged[self._rng.randrange(len(damaged))] ^= 1 << self._rng.randrange(8)
        return bytes(damaged)
