from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from store_samples import leaf

from aldis.kernel.errors import InvalidInput, VerificationFailed
from aldis.kernel.ledger import (
    EMPTY_ROOT,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    merkle_root,
    verify_consistency,
    verify_inclusion,
)
from aldis.node.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(tmp_path / "store.db")
    yield opened
    opened.close()


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches=st.lists(st.tuples(st.integers(0, 9), st.booleans()), max_size=12))
def test_the_root_is_that_of_what_was_committed(
    tmp_path_factory: pytest.TempPathFactory, batches: list[tuple[int, bool]]
) -> None:
    store = Store.open(tmp_path_factory.mktemp("ledger") / "store.db")
    kept: list[bytes] = []
    for size, undone in batches:
        leaves = [leaf(len(kept) * 100 + i) for i in range(size)]
        try:
            with store.transaction():
                assert store.ledger.append(leaves) == range(len(kept), len(kept) + size)
                assert store.ledger.append(leaves[:1]).start == len(kept) + size
                1 // (not undone)
        except ZeroDivisionError:
            continue
        kept += [*leaves, *leaves[:1]]
    root = merkle_root([leaf_hash(data) for data in kept])
    assert store.ledger.root() == store.ledger.verify() == (len(kept), root)
    store.close()


def test_every_leaf_and_every_earlier_size_can_be_proven(store: Store) -> None:
    leaves = [leaf(i) for i in range(37)]
    roots = [EMPTY_ROOT]
    for data in leaves:
        store.ledger.append([data])
        roots.append(store.ledger.root()[1])
    read = store.ledger.reader()
    for index, data in enumerate(leaves):
        verify_inclusion(leaf_hash(data), index, 37, inclusion_proof(read, index, 37), roots[37])
    for old in range(38):
        verify_consistency(old, roots[old], 37, roots[37], consistency_proof(read, old, 37))


def test_leaves_are_found_by_place_type_and_subject(store: Store) -> None:
    store.ledger.append([leaf(i, "release" if i % 2 else "admission", f"v-{i % 3}") for i in range(30)])
    assert [row.index for row in store.ledger.leaves(10, 5)] == [10, 11, 12, 13, 14]
    assert [row.index for row in store.ledger.leaves(type_="release", subject="v-0", limit=2)] == [3, 9]
    assert store.ledger.leaf(7).data == leaf(7, "release", "v-1")
    assert (store.ledger.leaf(7).at, store.ledger.leaf(7).type) == (7, "release")
    for index in (30, -1):
        with pytest.raises(InvalidInput, match="no leaf"):
            store.ledger.leaf(index)


def test_what_is_not_a_leaf_is_refused(store: Store) -> None:
    for data in (b"", b"{}", b"[1]", b'{"at": "x", "type": "y", "subject": "z"}'):
        with pytest.raises(InvalidInput, match="not a leaf"):
            store.ledger.append([leaf(1), data])
    assert store.ledger.size() == 0


@pytest.mark.parametrize(
    "harm",
    [
        "UPDATE leaf SET data = CAST(replace(CAST(data AS TEXT), 'permit', 'refuse') AS BLOB) WHERE idx = 11",
        "DELETE FROM leaf WHERE idx = 11",
        "DELETE FROM leaf WHERE idx >= 19",
        "DELETE FROM node WHERE key = 3",
        "UPDATE node SET hash = zeroblob(32) WHERE key = 9",
        "INSERT INTO node VALUES (1000, zeroblob(32))",
        "INSERT INTO leaf SELECT 21, at, type, subject, data FROM leaf WHERE idx = 1",
    ],
)
def test_an_altered_ledger_does_not_verify(store: Store, harm: str, tmp_path: Path) -> None:
    store.ledger.append([leaf(i) for i in range(21)])
    assert store.check() == []
    connection = apsw.Connection(str(tmp_path / "store.db"))
    connection.execute(harm)
    connection.close()
    with pytest.raises(VerificationFailed, match="doctor"):
        store.ledger.verify()
    assert len(store.check()) == 1


def test_checkpoints_are_kept_by_ledger_and_size(store: Store) -> None:
    assert store.ledger.checkpoint() is None
    for size in (3, 12, 7):
        store.ledger.add_checkpoint(size, f"note {size}".encode())
    store.ledger.add_checkpoint(7, b"note 7, cosigned")
    store.ledger.add_checkpoint(99, b"theirs", "gbr-low")
    assert store.ledger.checkpoint() == (12, b"note 12")
    assert store.ledger.checkpoint(size=7) == (7, b"note 7, cosigned")
    assert store.ledger.checkpoint(size=8) is None
    assert store.ledger.checkpoint("gbr-low") == (99, b"theirs")
    assert [size for size, _ in store.ledger.checkpoints()] == [3, 7, 12]


def test_snapshots_are_known_by_their_digest(store: Store) -> None:
    digest = store.ledger.add_snapshot(b"policy")
    assert store.ledger.add_snapshot(b"policy") == digest
    assert store.ledger.snapshot(digest) == b"policy"
    assert store.ledger.snapshot(bytes(32)) is None
