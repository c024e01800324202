"""Laws of the Merkle tree, each against the reference of test_ledger_reference."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_ledger_reference import mth, path, proof

from aldis.kernel.errors import Forked, InvalidInput, Stale, VerificationFailed
from aldis.kernel.ledger import (
    EMPTY_ROOT,
    Frontier,
    consistency_proof,
    inclusion_proof,
    inclusion_proofs,
    leaf_hash,
    merkle_root,
    node_key,
    verify_consistency,
    verify_inclusion,
)

SIZES = range(1, 34)


class Log:
    """A ledger's storage as a node keeps it: leaves by index, complete subtrees by node key."""

    def __init__(self, leaves: Iterable[bytes] = ()) -> None:
        self.leaves: list[bytes] = []
        self.nodes: dict[int, bytes] = {}
        self.frontier = Frontier()
        self.reads = 0
        self.append(leaves)

    def append(self, leaves: Iterable[bytes]) -> None:
        batch = list(leaves)
        self.frontier, nodes = self.frontier.append(batch)
        self.leaves += batch
        for level, index, digest in nodes:
            assert node_key(level, index) not in self.nodes
            self.nodes[node_key(level, index)] = digest

    def read(self, level: int, index: int) -> bytes:
        self.reads += 1
        return self.nodes[node_key(level, index)] if level else leaf_hash(self.leaves[index])


def distinct(size: int) -> list[bytes]:
    return [b"leaf %d" % index for index in range(size)]


def flipped(data: bytes, bit: int) -> bytes:
    return (int.from_bytes(data, "big") ^ (1 << bit)).to_bytes(len(data), "big")


ALL = Log(distinct(130))
LARGE = Log(distinct(5000))
leaf_lists = st.lists(st.binary(max_size=40), min_size=1, max_size=70)


@st.composite
def leaf_places(draw: st.DrawFn) -> tuple[Log, int]:
    leaves = draw(leaf_lists)
    return Log(leaves), draw(st.integers(0, len(leaves) - 1))


@pytest.mark.parametrize("size", range(131))
def test_the_root_is_that_of_the_rfc(size: int) -> None:
    leaves = distinct(size)
    frontier, _ = Frontier().append(leaves)
    assert frontier.root() == merkle_root([leaf_hash(leaf) for leaf in leaves]) == mth(leaves)
    assert Frontier.load(ALL.read, size) == frontier


@given(st.lists(st.lists(st.binary(max_size=8), max_size=20), max_size=12))
def test_batches_of_any_size_make_one_tree(batches: list[list[bytes]]) -> None:
    log = Log()
    for batch in batches:
        log.append(batch)
    whole = Log(leaf for batch in batches for leaf in batch)
    assert (log.frontier, log.nodes) == (whole.frontier, whole.nodes)
    assert log.frontier.root() == mth(whole.leaves)
    assert Frontier.load(log.read, len(log.leaves)) == log.frontier


@given(st.integers(0, 300), st.integers(0, 300))
def test_node_keys_leave_no_gap_and_only_grow(before: int, added: int) -> None:
    log = Log(distinct(before))
    known = set(log.nodes)
    log.append(distinct(added))
    size = before + added
    assert sorted(log.nodes) == list(range(1, size - size.bit_count() + 1))
    assert min(set(log.nodes) - known, default=len(log.nodes) + 1) == len(known) + 1


def test_a_frontier_needs_exactly_its_subtrees() -> None:
    with pytest.raises(InvalidInput):
        Frontier(3, (EMPTY_ROOT,))


@pytest.mark.parametrize("size", SIZES)
def test_every_leaf_of_every_tree_proves(size: int) -> None:
    leaves = distinct(size)
    for index in range(size):
        found = inclusion_proof(ALL.read, index, size)
        assert found == path(index, leaves)
        verify_inclusion(leaf_hash(leaves[index]), index, size, found, mth(leaves))


@pytest.mark.parametrize("size", range(34))
def test_all_leaves_in_memory_prove_at_once(size: int) -> None:
    leaves = distinct(size)
    found = inclusion_proofs([leaf_hash(leaf) for leaf in leaves])
    assert found == [path(index, leaves) for index in range(size)]


@pytest.mark.parametrize("new", SIZES)
def test_every_tree_proves_to_continue_every_smaller_one(new: int) -> None:
    leaves = distinct(new)
    for old in range(1, new + 1):
        found = consistency_proof(ALL.read, old, new)
        assert found == proof(old, leaves)
        verify_consistency(old, mth(leaves[:old]), new, mth(leaves), found)


@given(st.data())
def test_a_proof_takes_few_reads_of_a_large_tree(data: st.DataObject) -> None:
    new = data.draw(st.integers(1, len(LARGE.leaves)))
    old = data.draw(st.integers(1, new))
    most = 2 * new.bit_length()
    for prove, wanted in ((inclusion_proof, old - 1), (consistency_proof, old)):
        LARGE.reads = 0
        prove(LARGE.read, wanted, new)
        assert LARGE.reads <= most


def test_no_proof_verifies_for_another_leaf_index_or_tree() -> None:
    trees = {size: mth(distinct(size)) for size in range(1, 12)}
    places = [(index, size) for size in trees for index in range(size)]
    for (index, size), (other_index, other_size) in product(places, places):
        if (index, size) == (other_index, other_size):
            continue
        found = inclusion_proof(ALL.read, index, size)
        with pytest.raises(VerificationFailed):
            verify_inclusion(leaf_hash(b"leaf %d" % index), other_index, other_size, found, trees[other_size])


@given(leaf_places(), st.binary(max_size=40))
def test_no_other_leaf_verifies_in_its_place(place: tuple[Log, int], other: bytes) -> None:
    log, index = place
    size, root = len(log.leaves), log.frontier.root()
    found = inclusion_proof(log.read, index, size)
    if other != log.leaves[index]:
        with pytest.raises(VerificationFailed):
            verify_inclusion(leaf_hash(other), index, size, found, root)


@pytest.mark.parametrize(("index", "size"), [(-1, 1), (1, 1), (-1, 5), (5, 5), (6, 5), (2**64, 5)])
def test_a_leaf_outside_the_tree_neither_proves_nor_verifies(index: int, size: int) -> None:
    leaves = distinct(size)
    with pytest.raises(InvalidInput):
        inclusion_proof(ALL.read, index, size)
    with pytest.raises(VerificationFailed, match="no leaf"):
        verify_inclusion(leaf_hash(leaves[-1]), index, size, path(size - 1, leaves), mth(leaves))


def test_the_empty_tree_holds_no_leaf() -> None:
    assert Frontier().root() == merkle_root([]) == EMPTY_ROOT
    with pytest.raises(InvalidInput):
        inclusion_proof(ALL.read, 0, 0)
    with pytest.raises(VerificationFailed):
        verify_inclusion(leaf_hash(b""), 0, 0, [], EMPTY_ROOT)


def test_an_inner_node_does_not_pass_for_a_leaf() -> None:
    left, right = (leaf_hash(leaf) for leaf in distinct(2))
    with pytest.raises(VerificationFailed):
        verify_inclusion(leaf_hash(left + right), 0, 1, [], mth(distinct(2)))


@pytest.mark.parametrize("index", range(7))
def test_one_flipped_bit_anywhere_breaks_an_inclusion_proof(index: int) -> None:
    leaves = distinct(7)
    digests = [leaf_hash(leaves[index]), mth(leaves), *path(index, leaves)]
    verify_inclusion(digests[0], index, 7, digests[2:], digests[1])
    for changed, bit in product(range(len(digests)), range(256)):
        forged = [flipped(d, bit) if place == changed else d for place, d in enumerate(digests)]
        with pytest.raises(VerificationFailed):
            verify_inclusion(forged[0], index, 7, forged[2:], forged[1])


@pytest.mark.parametrize(("old", "new"), [(1, 2), (3, 7), (4, 7), (6, 8)])
def test_one_flipped_bit_anywhere_breaks_a_consistency_proof(old: int, new: int) -> None:
    leaves = distinct(new)
    digests = [mth(leaves[:old]), mth(leaves), *proof(old, leaves)]
    verify_consistency(old, digests[0], new, digests[1], digests[2:])
    for changed, bit in product(range(len(digests)), range(256)):
        forged = [flipped(d, bit) if place == changed else d for place, d in enumerate(digests)]
        with pytest.raises(Forked):
            verify_consistency(old, forged[0], new, forged[1], forged[2:])


SHAPE = "too long|too short|not 32 bytes"


def _misshapen(found: Sequence[bytes]) -> list[list[bytes]]:
    return [
        [*found[:-1]],
        [*found[1:]],
        [*found, found[-1]],
        [found[0], *found],
        [],
        [found[0] + b"\x00", *found[1:]],
        [*found[:-1], found[-1][:-1]],
        [b"".join(found) + b"\x00"],
    ]


def test_a_proof_of_the_wrong_shape_never_verifies() -> None:
    for new in range(3, 20):
        leaves = distinct(new)
        for index in range(new):
            for forged in _misshapen(path(index, leaves)):
                if forged != path(index, leaves):
                    with pytest.raises(VerificationFailed, match=SHAPE):
                        verify_inclusion(leaf_hash(leaves[index]), index, new, forged, mth(leaves))
        for old in range(1, new):
            for forged in _misshapen(proof(old, leaves)):
                if forged != proof(old, leaves):
                    with pytest.raises(VerificationFailed, match=SHAPE):
                        verify_consistency(old, mth(leaves[:old]), new, mth(leaves), forged)


@given(st.data())
def test_a_rewritten_prefix_never_proves_consistent(data: st.DataObject) -> None:
    honest = Log(data.draw(leaf_lists))
    new = len(honest.leaves)
    old = data.draw(st.integers(1, new))
    changed = data.draw(st.integers(0, old - 1))
    forged = Log([leaf + b"!" if index == changed else leaf for index, leaf in enumerate(honest.leaves)])
    remembered = Frontier.load(honest.read, old).root()
    for log in (honest, forged):
        with pytest.raises(Forked):
            verify_consistency(old, remembered, new, forged.frontier.root(), consistency_proof(log.read, old, new))


def test_two_roots_for_one_size_are_a_fork() -> None:
    with pytest.raises(Forked):
        verify_consistency(3, mth(distinct(3)), 3, mth(distinct(4)), [])
    verify_consistency(3, mth(distinct(3)), 3, mth(distinct(3)), [])
    with pytest.raises(VerificationFailed):
        verify_consistency(3, mth(distinct(3)), 3, mth(distinct(3)), [EMPTY_ROOT])


def test_every_tree_continues_the_empty_one() -> None:
    assert consistency_proof(ALL.read, 0, 5) == []
    verify_consistency(0, EMPTY_ROOT, 5, mth(distinct(5)), [])
    verify_consistency(0, EMPTY_ROOT, 0, EMPTY_ROOT, [])
    with pytest.raises(VerificationFailed):
        verify_consistency(0, EMPTY_ROOT, 5, mth(distinct(5)), [EMPTY_ROOT])
    with pytest.raises(Forked):
        verify_consistency(0, mth(distinct(1)), 5, mth(distinct(5)), [])
    with pytest.raises(Forked):
        verify_consistency(0, EMPTY_ROOT, 0, mth(distinct(1)), [])


def test_a_ledger_that_went_back_is_stale() -> None:
    with pytest.raises(InvalidInput):
        consistency_proof(ALL.read, 5, 4)
    with pytest.raises(Stale):
        verify_consistency(5, mth(distinct(5)), 4, mth(distinct(4)), [])
    with pytest.raises(Stale):
        verify_consistency(-1, EMPTY_ROOT, 4, mth(distinct(4)), [])


def test_roots_of_the_wrong_length_never_verify() -> None:
    with pytest.raises(VerificationFailed):
        verify_consistency(0, b"", 0, b"", [])
    with pytest.raises(VerificationFailed):
        verify_inclusion(b"", 0, 1, [], b"")
