"""Labels as pages show them: words and a colour, for a banner, for an item of a list, for a portion."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from aldis.interfaces.cli.marks import Marks
from aldis.interfaces.web.colours import MIXED, colour
from aldis.kernel.errors import AldisError
from aldis.kernel.labels import Label
from aldis.node.node import Node

__all__ = ["Chip", "Markings"]


@dataclass(frozen=True, slots=True)
class Chip:
    """A marking in words, and the name of its colour."""

    text: str
    colour: str


class Markings:
    """Writes and reads markings for the people of one node."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._marks = Marks.of(node)
        self._policies = node.core.policies

    def chip(self, label: Label, *, portion: bool = False) -> Chip:
        """One label: a banner line, or the mark of a portion."""
        text = self._marks.write(label, self._now(), portion=portion)
        return Chip(text, colour(label.policy, label.classification, self._policies))

    def banner(self, labels: Iterable[Label]) -> Chip:
        """The roll-up, in this node's policy, of all that is shown; every marking where no rule rolls them up."""
        every = list(dict.fromkeys(labels))
        try:
            return self.chip(self._node.context.banner(every))
        except AldisError:
            return Chip(self._marks.roll_up(every, self._now()), MIXED)

    def record(self, labels: Iterable[Label]) -> Chip:
        """The roll-up of a record's labels in its own policy."""
        every = list(dict.fromkeys(labels))
        try:
            return self.chip(self._policies.roll_up(every, every[0].policy, self._now()))
        except AldisError:
            return Chip(self._marks.banner(every, self._now()), MIXED)

    def words(self, label: Label) -> str:
        """The marking as a person types it, without export-control tags."""
        return self._marks.write(label.narrowed(control=frozenset[str]()), self._now())

    def read(self, text: str) -> Label:
        """The label that a person's marking states.

        Raises:
            UnknownTerm, InvalidInput: it cannot be read; the message names the word and says where.
        """
        return self._marks.read(text, self._now())

    def _now(self) -> int:
        return self._node.core.clock.now()
