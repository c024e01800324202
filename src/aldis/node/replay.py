"""Replay: decide again what the ledger says was decided, from the inputs and epochs it kept, and compare."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from aldis.kernel.encoding import digest_from_hex
from aldis.kernel.epoch import PolicyEpoch, policies_digest
from aldis.kernel.errors import AldisError, VerificationFailed
from aldis.kernel.ledger import Leaf, decode_leaf
from aldis.kernel.policies import Policies
from aldis.node.core import Core
from aldis.node.rulings import redo

__all__ = ["Difference", "Replay"]

_STEP = 1000
_NOTHING = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
"""The digest of no input: such a leaf tells of an act, not of a decision by rule."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A leaf that does not come out as it was written, and why."""

    index: int
    leaf: Leaf
    now: str


class Replay:
    """Decides every decision leaf again."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._epochs: dict[str, PolicyEpoch] = {}
        self._known = {core.policies.digest: core.policies}

    def run(self, told: Callable[[int, int], None] | None = None) -> tuple[int, list[Difference]]:
        """How many leaves were decided again, and those that came out otherwise; `told(done, size)` as it goes."""
        size, count = self._core.store.ledger.size(), 0
        differences = []
        for index, leaf in self._leaves():
            if leaf.type == "decision" and leaf.input != _NOTHING:
                count += 1
                again = self.one(index, leaf)
                if isinstance(again, Difference):
                    differences.append(again)
            if told is not None and (index % _STEP == 0 or index + 1 == size):
                told(index + 1, size)
        return count, differences

    def one(self, index: int, leaf: Leaf) -> Difference | bool:
        """Whether a decision leaf comes out as it was written; False where it decided nothing, else how it differs."""
        if leaf.type != "decision" or leaf.input == _NOTHING:
            return False
        now = self._again(leaf)
        return now == (leaf.verdict, list(leaf.reasons)) or Difference(index, leaf, f"{now[0]}: {', '.join(now[1])}")

    def _leaves(self) -> Iterator[tuple[int, Leaf]]:
        start = 0
        while rows := self._core.store.ledger.leaves(start, _STEP):
            for row in rows:
                yield row.index, decode_leaf(row.data)
            start = rows[-1].index + 1

    def _again(self, leaf: Leaf) -> tuple[str, list[str]]:
        try:
            data = self._kept(leaf.input, "input")
            if leaf.epoch not in self._epochs:
                kept = self._kept(leaf.epoch, "policy epoch")
                self._epochs[leaf.epoch] = PolicyEpoch.from_bytes(kept, self._policies(policies_digest(kept)))
            return redo(data, self._epochs[leaf.epoch], leaf.at)
        except AldisError as error:
            return "cannot be decided again", [str(error)]

    def _policies(self, digest: bytes) -> Policies:
        """The policies that decided, where they were kept when others took their place."""
        if digest not in self._known:
            kept = self._core.store.ledger.snapshot(digest)
            self._known[digest] = Policies.from_bytes(kept) if kept is not None else self._core.policies
        return self._known[digest]

    def _kept(self, digest: str, what: str) -> bytes:
        data = self._core.store.ledger.snapshot(digest_from_hex(digest))
        if data is None:
            raise VerificationFailed(f"the {what} {digest[:12]} is missing from the store", fix="Restore a backup")
        return data
