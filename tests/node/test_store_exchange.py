from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from store_samples import record

from aldis.kernel.errors import Unavailable, UnknownTerm
from aldis.node.store import Acknowledged, Cursor, PartnerRow, Position, Release, Sealed, Store

A, B, C = (bytes([i]) * 32 for i in range(3))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(tmp_path / "store.db", quarantine_bytes=100)
    for node in ("gbr-low", "usa-low"):
        opened.partners.put(PartnerRow(node, node[:3].upper(), "active", b"{}", 1))
    opened.records.put([record(f"v-{i}") for i in range(5)], 1)
    yield opened
    opened.close()


def test_partners_are_kept_and_changed(store: Store) -> None:
    store.partners.put(PartnerRow("gbr-low", "GBR", "active", b'{"x":1}', 2))
    store.partners.set_status("gbr-low", "suspended", 3)
    assert store.partners.get("gbr-low") == PartnerRow("gbr-low", "GBR", "suspended", b'{"x":1}', 3)
    assert [row.node for row in store.partners.all()] == ["gbr-low", "usa-low"]
    assert store.partners.get("nobody") is None
    with pytest.raises(UnknownTerm, match="pair with it"):
        store.partners.set_status("nobody", "active", 4)


def test_a_cursor_moves_only_with_what_it_covers(store: Store) -> None:
    assert store.partners.cursor("gbr-low") is None
    with pytest.raises(RuntimeError), store.transaction():
        store.records.put([record("lost")], 2, "gbr-low")
        store.partners.advance("gbr-low", Cursor("e1", 7, A))
        raise RuntimeError
    assert store.partners.cursor("gbr-low") is None
    store.partners.advance("gbr-low", Cursor("e1", 7, A))
    store.partners.advance("gbr-low", Cursor("e2", 3, B))
    assert store.partners.cursor("gbr-low") == Cursor("e2", 3, B)
    assert store.partners.cursor("usa-low") is None


def test_each_partner_has_its_own_numbers_without_gaps(store: Store) -> None:
    assert store.exchange.enqueue("gbr-low", [Release(1, [A, B]), Release(3, [])]) == range(1, 3)
    assert store.exchange.enqueue("usa-low", [Release(2, [C], b"item")]) == range(1, 2)
    assert store.exchange.enqueue("gbr-low", [Release(1, [C])]) == range(3, 4)
    assert store.exchange.enqueue("gbr-low", []) == range(4, 4)
    assert [(row.seq, row.record_seq, row.portions) for row in store.exchange.outbox("gbr-low", 2)] == [
        (2, 3, ()),
        (3, 1, (C,)),
    ]
    assert store.exchange.outbox("usa-low", 1)[0].item == b"item"
    assert (store.exchange.last("gbr-low"), store.exchange.last("nobody")) == (3, 0)


def test_what_was_released_is_remembered_for_good(store: Store) -> None:
    store.exchange.enqueue("gbr-low", [Release(1, [A]), Release(3, []), Release(1, [B])])
    released = store.exchange.released("gbr-low", [1, 2, 3])
    assert released == {1: frozenset([A, B]), 3: frozenset()}
    assert store.exchange.released("usa-low", [1, 2, 3]) == {}
    assert store.exchange.released("gbr-low", []) == {}
    store.exchange.acknowledge("gbr-low", Acknowledged("e", 3, A, b"receipt"))
    assert store.exchange.released("gbr-low", [1, 2, 3]) == released


def test_the_position_moves(store: Store) -> None:
    assert store.exchange.position("gbr-low") == Position()
    store.exchange.set_position("gbr-low", Position(4, A))
    store.exchange.set_position("gbr-low", Position(0, B))
    assert store.exchange.position("gbr-low") == Position(0, B)


def test_what_is_deferred_comes_due_in_order(store: Store) -> None:
    store.exchange.defer("gbr-low", [(1, 50), (2, 30), (3, 90)])
    store.exchange.defer("gbr-low", [(1, 20), (2, 99)])
    assert store.exchange.due("gbr-low", 19) == []
    assert store.exchange.due("gbr-low", 50) == [1, 2]
    assert store.exchange.due("gbr-low", 99, 1) == [1]
    store.exchange.settle("gbr-low", [1, 2])
    assert store.exchange.due("gbr-low", 99) == [3]
    assert store.exchange.due("usa-low", 99) == []


def test_bundles_wait_in_order_until_they_are_acknowledged(store: Store) -> None:
    store.exchange.enqueue("gbr-low", [Release(i, [], b"item") for i in range(1, 6)])
    bundles = [Sealed("e", 1, 2, A, bytes(32), b"one"), Sealed("e", 3, 3, B, A, b"two"), Sealed("e", 4, 5, C, B, b"3")]
    assert store.exchange.last_sealed("gbr-low") is None
    for sealed in bundles:
        store.exchange.add_sealed("gbr-low", sealed)
    assert store.exchange.sealed("gbr-low") == bundles
    assert store.partners.acknowledged("gbr-low") is None
    receipt = Acknowledged("e", 3, B, b"receipt")
    store.exchange.acknowledge("gbr-low", receipt)
    assert store.partners.acknowledged("gbr-low") == receipt
    assert store.exchange.sealed("gbr-low") == bundles[2:]
    assert [row.item for row in store.exchange.outbox("gbr-low", 1)] == [None, None, None, b"item", b"item"]
    assert store.exchange.sealed_to("gbr-low", "e", 3) == Sealed("e", 3, 3, B, A, None)
    assert store.exchange.sealed_to("gbr-low", "f", 3) is None
    assert store.exchange.last_sealed("gbr-low") == bundles[2]
    assert store.exchange.last_sealed("usa-low") is None


def test_a_new_epoch_leaves_the_bundles_of_the_old_one_waiting(store: Store) -> None:
    store.exchange.add_sealed("gbr-low", old := Sealed("e", 1, 9, A, bytes(32), b"old"))
    store.exchange.add_sealed("gbr-low", Sealed("f", 1, 2, B, bytes(32), b"new"))
    store.exchange.acknowledge("gbr-low", Acknowledged("f", 2, B, b""))
    assert store.exchange.sealed("gbr-low") == [old]


def test_holds_are_set_and_lifted(store: Store) -> None:
    store.referrals.hold("v-1", "under review", 5)
    assert store.referrals.holds()["v-1"].because == "under review"
    assert (store.referrals.unhold("v-1"), store.referrals.unhold("v-1")) == (True, False)
    assert store.referrals.holds() == {}


def test_quarantine_keeps_each_thing_once_and_whole(store: Store) -> None:
    number = store.quarantine.add("gbr-low", "forked", "two histories", b"bytes", 5, A)
    assert store.quarantine.add("usa-low", "stale", "again", b"bytes", 6, A) == number
    entry, data = store.quarantine.get(number) or (None, b"")
    assert entry is not None
    assert (entry.source, entry.code, entry.text, entry.size, entry.at, data) == (
        "gbr-low", "forked", "two histories", 5, 5, b"bytes",
    )  # fmt: skip
    assert store.quarantine.all() == [entry]
    assert (store.quarantine.drop(number), store.quarantine.drop(number)) == (True, False)
    assert store.quarantine.get(number) is None


def test_a_full_quarantine_refuses_and_throws_nothing_away(store: Store) -> None:
    numbers = [store.quarantine.add("gbr-low", "stale", "", bytes(40), i, bytes([i]) * 32) for i in range(2)]
    with pytest.raises(Unavailable, match="drop what is done with"):
        store.quarantine.add("gbr-low", "stale", "", bytes(21), 9, C)
    assert [entry.id for entry in store.quarantine.all()] == numbers
    store.quarantine.add("gbr-low", "stale", "", bytes(20), 9, C)
    assert store.quarantine.size() == 100
    store.quarantine.drop(numbers[0])
    assert [entry.size for entry in store.quarantine.all(numbers[0])] == [40, 20]
