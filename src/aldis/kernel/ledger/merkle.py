"""The Merkle tree of a ledger: RFC 9162 section 2.1 with SHA-256.

A tree of n leaves is kept as its complete subtrees. The node (level, index) is the root of the leaves
`index << level` up to `(index + 1) << level`; once complete it never changes. Level 0 is the leaves themselves:
their hashes follow from the stored bytes, so only nodes of level 1 and above need storing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import count, repeat
from typing import TypeAlias

from aldis.kernel.encoding import DIGEST_SIZE
from aldis.kernel.errors import Forked, InvalidInput, Stale, VerificationFailed

__all__ = [
    "EMPTY_ROOT",
    "Frontier",
    "Node",
    "Reader",
    "consistency_proof",
    "inclusion_proof",
    "inclusion_proofs",
    "inclusion_steps",
    "leaf_hash",
    "merkle_root",
    "node_hash",
    "node_key",
    "verify_consistency",
    "verify_inclusion",
]

Node: TypeAlias = tuple[int, int, bytes]
"""A complete subtree: its level, its index within the level, its hash."""

Reader: TypeAlias = Callable[[int, int], bytes]
"""Answers (level, index) with the hash of that complete subtree; at level 0 with `leaf_hash` of the leaf."""

EMPTY_ROOT = sha256(b"").digest()

_LEAF = b"\x00"
_NODE = b"\x01"


def leaf_hash(leaf: bytes) -> bytes:
    """The hash of one leaf's bytes (RFC 9162 section 2.1.1)."""
    return sha256(_LEAF + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of the subtree over `left` and `right` (RFC 9162 section 2.1.1)."""
    return sha256(_NODE + left + right).digest()


def node_key(level: int, index: int) -> int:
    """Where a node of level 1 or above stands in the order of completion, counted from 1.

    A log of n leaves has exactly the keys 1 to n - popcount(n), and appending only ever adds greater ones: as
    rowids they make a table without gaps that grows at its end. (The numbering of Go's sumdb/tlog, less level 0.)
    """
    last_leaf = ((index + 1) << level) - 1
    return last_leaf - last_leaf.bit_count() + level


def merkle_root(leaf_hashes: Sequence[bytes]) -> bytes:
    """The root over leaf hashes held in memory (RFC 9162 section 2.1.1)."""
    row = leaf_hashes
    while len(row) > 1:
        row = _row_above(row)
    return row[0] if row else EMPTY_ROOT


def inclusion_proofs(leaf_hashes: Sequence[bytes]) -> list[list[bytes]]:
    """The path of each leaf to the `merkle_root` of leaf hashes held in memory (RFC 9162 section 2.1.3.1)."""
    paths: list[list[bytes]] = [[] for _ in leaf_hashes]
    row, level = leaf_hashes, 0
    while len(row) > 1:
        for index, path in enumerate(paths):
            sibling = (index >> level) ^ 1
            path += row[sibling : sibling + 1]
        row, level = _row_above(row), level + 1
    return paths


@dataclass(frozen=True, slots=True)
class Frontier:
    """All that appending needs of a tree: its size in leaves and the maximal complete subtrees, left to right."""

    size: int = 0
    subtrees: tuple[bytes, ...] = ()

    def __post_init__(self) -> None:
        if len(self.subtrees) != self.size.bit_count():
            raise InvalidInput(f"{self.size} leaves make {self.size.bit_count()} subtrees, not {len(self.subtrees)}")

    @classmethod
    def load(cls, read: Reader, size: int) -> Frontier:
        """The frontier of the first `size` stored leaves, in popcount(size) reads."""
        return cls(size, tuple(_subtrees(read, 0, size))[::-1])

    def append(self, leaves: Iterable[bytes]) -> tuple[Frontier, list[Node]]:
        """The frontier after `leaves` (their bytes), and the nodes they complete, level by level."""
        row = [sha256(_LEAF + leaf).digest() for leaf in leaves]
        size, index, level = self.size + len(row), self.size, 0
        waiting, subtrees = list(self.subtrees), []
        nodes: list[Node] = []
        while row or waiting:
            if index & 1:
                row.insert(0, waiting.pop())
            if len(row) & 1:
                subtrees.append(row[-1])
            row = _parents(row)
            index, level = index >> 1, level + 1
            nodes += zip(repeat(level), count(index), row)
        return Frontier(size, tuple(reversed(subtrees))), nodes

    def root(self) -> bytes:
        """The root of the whole tree."""
        return _fold(reversed(self.subtrees))


def inclusion_proof(read: Reader, index: int, size: int) -> list[bytes]:
    """The path from leaf `index` to the root of the first `size` leaves (RFC 9162 section 2.1.3.1).

    Raises:
        InvalidInput: there is no such leaf in that tree.
    """
    if not 0 <= index < size:
        raise InvalidInput(f"no leaf {index} in a tree of {size}", fix="Ask for an index below the size")
    path, start, end = [], 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            path.append(_range_root(read, middle, end))
            end = middle
        else:
            path.append(_range_root(read, start, middle))
            start = middle
    return path[::-1]


def consistency_proof(read: Reader, old_size: int, new_size: int) -> list[bytes]:
    """The proof that the first `old_size` leaves begin the first `new_size` (RFC 9162 section 2.1.4.1).

    Empty for equal sizes and for an empty old tree, of which every tree is a continuation.

    Raises:
        InvalidInput: the old tree is larger than the new one.
    """
    if not 0 <= old_size <= new_size:
        raise InvalidInput(f"no proof from size {old_size} to {new_size}", fix="Name the smaller tree first")
    if old_size == 0:
        return []
    proof, start, end = [], 0, new_size
    while end != old_size:
        middle = start + _split(end - start)
        if old_size <= middle:
            proof.append(_range_root(read, middle, end))
            end = middle
        else:
            proof.append(_range_root(read, start, middle))
            start = middle
    if start > 0:
        proof.append(_range_root(read, start, end))
    return proof[::-1]


def verify_inclusion(leaf_hash: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> None:
    """Check that a leaf is at `index` of the tree of `size` leaves under `root` (RFC 9162 section 2.1.3.2).

    `size` and `root` must come from one verified checkpoint: a proof alone does not fix the size, and some hold
    for one root under two sizes.

    Raises:
        VerificationFailed: it is not, or the proof is not one for that index and size.
    """
    _require_digests(leaf_hash, root, *proof)
    if not 0 <= index < size:
        raise VerificationFailed(f"no leaf {index} in a tree of {size}", fix=_ASK_AGAIN)
    node, last, digest = index, size - 1, leaf_hash
    for sibling in proof:
        if last == 0:
            raise VerificationFailed("inclusion proof is too long", fix=_ASK_AGAIN)
        if node & 1 or node == last:
            digest = node_hash(sibling, digest)
            node, last = _skip_unpaired(node, last)
        else:
            digest = node_hash(digest, sibling)
        node, last = node >> 1, last >> 1
    if last != 0:
        raise VerificationFailed("inclusion proof is too short", fix=_ASK_AGAIN)
    if digest != root:
        raise VerificationFailed(f"leaf {index} is not under that root of {size} leaves", fix=_ASK_AGAIN)


def inclusion_steps(leaf_hash: bytes, index: int, size: int, proof: Sequence[bytes]) -> list[tuple[str, bytes, bytes]]:
    """How a proof that `verify_inclusion` accepts climbs to the root, a step for each digest of it.

    Each step has the side on which that digest stands (`left` or `right`), the digest, and the node over both; the
    last node is the root.
    """
    node, last, digest = index, size - 1, leaf_hash
    steps = []
    for sibling in proof:
        left = bool(node & 1) or node == last
        digest = node_hash(sibling, digest) if left else node_hash(digest, sibling)
        steps.append(("left" if left else "right", sibling, digest))
        if left:
            node, last = _skip_unpaired(node, last)
        node, last = node >> 1, last >> 1
    return steps


def verify_consistency(old_size: int, old_root: bytes, new_size: int, new_root: bytes, proof: Sequence[bytes]) -> None:
    """Check that the new tree continues the old one (RFC 9162 section 2.1.4.2).

    Raises:
        Forked: the roots tell two histories.
        Stale: the new tree is smaller than the old one.
        VerificationFailed: the proof is not one for those sizes.
    """
    _require_digests(old_root, new_root, *proof)
    if not 0 <= old_size <= new_size:
        raise Stale(f"the ledger went back from {old_size} to {new_size} leaves", fix=_RAISE_ALARM)
    if (old_size == new_size and old_root != new_root) or (old_size == 0 and old_root != EMPTY_ROOT):
        raise Forked(f"two roots for {old_size} leaves", fix=_RAISE_ALARM)
    if old_size in (0, new_size):
        if proof:
            raise VerificationFailed("consistency proof is too long", fix=_ASK_AGAIN)
        return
    node, last = old_size - 1, new_size - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    path = iter(proof if node else (old_root, *proof))
    old_digest = new_digest = next(path, b"")
    for sibling in path:
        if last == 0:
            raise VerificationFailed("consistency proof is too long", fix=_ASK_AGAIN)
        if node & 1 or node == last:
            old_digest, new_digest = node_hash(sibling, old_digest), node_hash(sibling, new_digest)
            node, last = _skip_unpaired(node, last)
        else:
            new_digest = node_hash(new_digest, sibling)
        node, last = node >> 1, last >> 1
    if last != 0:
        raise VerificationFailed("consistency proof is too short", fix=_ASK_AGAIN)
    if (old_digest, new_digest) != (old_root, new_root):
        raise Forked(f"{new_size} leaves do not continue the {old_size} known before", fix=_RAISE_ALARM)


_ASK_AGAIN = "Ask the ledger's node for the proof again; do not rely on this one"
_RAISE_ALARM = "Keep both checkpoints and raise the alarm with the ledger's node"


def _require_digests(*digests: bytes) -> None:
    if any(len(digest) != DIGEST_SIZE for digest in digests):
        raise VerificationFailed(f"a hash is not {DIGEST_SIZE} bytes long", fix=_ASK_AGAIN)


def _skip_unpaired(node: int, last: int) -> tuple[int, int]:
    """Climb past the levels at which the last node of the tree has no sibling."""
    while node and not node & 1:
        node, last = node >> 1, last >> 1
    return node, last


def _split(count: int) -> int:
    """The greatest power of two below `count`."""
    return 1 << ((count - 1).bit_length() - 1)


def _parents(row: Sequence[bytes]) -> list[bytes]:
    """The nodes over each pair of siblings; an unpaired last one has none."""
    return [sha256(_NODE + left + right).digest() for left, right in zip(row[::2], row[1::2], strict=False)]


def _row_above(row: Sequence[bytes]) -> list[bytes]:
    """The nodes over each pair of siblings; an unpaired last one moves up as it is."""
    return _parents(row) + list(row[-1:] if len(row) & 1 else ())


def _subtrees(read: Reader, start: int, end: int) -> Iterable[bytes]:
    """The maximal complete subtrees of the leaves from `start` to `end`, right to left."""
    while start < end:
        level = ((end - start) & (start - end)).bit_length() - 1
        end -= 1 << level
        yield read(level, end >> level)


def _fold(subtrees: Iterable[bytes]) -> bytes:
    """The root over subtrees given right to left."""
    root = b""
    for subtree in subtrees:
        root = node_hash(subtree, root) if root else subtree
    return root or EMPTY_ROOT


def _range_root(read: Reader, start: int, end: int) -> bytes:
    return _fold(_subtrees(read, start, end))
