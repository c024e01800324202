"""A gateway: one protocol, both ways, without sockets. Links carry its bytes; the app wires the two together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from aldis.apps.experiments.entity import Decoded, Encoded, Entity, Task
from aldis.kernel.errors import Unavailable

__all__ = ["Answering", "Damaged", "Gateway", "Native", "Offered", "Specimen", "Tally", "missing"]

Native = bool | int | float | str
"""The value of a field as its protocol has it."""


class Damaged(Exception):
    """Bytes that say nothing usable; the message is the reason to count. Never leaves a gateway."""


@dataclass(frozen=True, slots=True)
class Specimen:
    """Messages about one thing in which, together, every field of the protocol's messages has a value that tells.

    `name` says what they are. They are what the matrix of semantic losses is measured with.
    """

    name: str
    messages: tuple[bytes, ...]


@dataclass(slots=True)
class Tally:
    """Messages seen, carried into entities, and dropped by reason.

    `seen == carried + dropped.total() + waiting`, and nothing is waiting once the gateway is closed.
    """

    seen: int = 0
    carried: int = 0
    dropped: Counter[str] = field(default_factory=Counter)

    @property
    def waiting(self) -> int:
        """Pieces whose message is not complete yet."""
        return self.seen - self.carried - self.dropped.total()

    def drop(self, reason: str, count: int = 1) -> None:
        """Count `count` messages that say nothing usable."""
        if count:
            self.dropped[reason] += count


class Gateway(Protocol):
    """One connection's worth of a protocol: it may keep halves of messages, sequence numbers and clocks.

    Whatever is wrong with what arrives is counted, never raised; nothing grows without bound.
    """

    protocol: str
    tally: Tally

    def feed(self, data: bytes, at_us: int) -> Sequence[Decoded]:
        """What a datagram, or the next piece of a stream, completes; `at_us` is when it arrived."""

    def encode(self, entity: Entity, at_us: int) -> Encoded:
        """The messages that say `entity`, sent at `at_us`."""

    def close(self) -> None:
        """Count what still waits as dropped."""


@runtime_checkable
class Answering(Protocol):
    """A gateway of a protocol in which one has to speak unasked: heartbeats, and answers that are due."""

    def idle(self, at_us: int) -> Sequence[bytes]:
        """What there is to say now; asked for several times a second."""


@dataclass(frozen=True, slots=True)
class Offered:
    """How to have a protocol: a gateway of it, and what measures it.

    `open` makes a gateway for one connection; `fields` gives every field of some messages by the protocol's own names,
    with the values as they stand there; `familiar` says whether bytes look like the start of this protocol. `orders`
    are entities that its systems act on: none is sent to them with the picture. `predicts` is whether each of
    its reports can say by itself that its position is a prediction.
    """

    protocol: str
    title: str
    open: Callable[[], Gateway]
    familiar: Callable[[bytes], bool]
    specimens: Callable[[], Sequence[Specimen]]
    fields: Callable[[Sequence[bytes]], Mapping[str, Native]]
    orders: tuple[type[Entity], ...] = (Task,)
    predicts: bool = False


def missing(library: str) -> Unavailable:
    """The error to raise where a library that a protocol needs is not installed."""
    return Unavailable(f"the library {library} is not installed", fix="Run: pip install 'aldis[experiments]'")
