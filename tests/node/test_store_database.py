from __future__ import annotations

import os
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest
from store_samples import leaf, record

from aldis.kernel.errors import Forked, InvalidInput, Unavailable, VerificationFailed
from aldis.node.store import PartnerRow, Release, Store, database
from aldis.node.store.schema import MIGRATIONS


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.db"


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    opened = Store.open(path)
    yield opened
    opened.close()


def elsewhere(path: Path, script: str) -> subprocess.Popen[str]:
    """Another process at work on the same file."""
    head = (
        "import sys; from pathlib import Path; from aldis.node.store import *; from store_samples import *\n"
        "store = Store.open(Path(sys.argv[1]))\n"
    )
    return subprocess.Popen(
        [sys.executable, "-c", head + script, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *filter(None, sys.path)])},
    )


def finish(other: subprocess.Popen[str]) -> None:
    other.communicate("\n", timeout=60)
    assert other.returncode == 0


def test_a_transaction_is_all_or_nothing(store: Store) -> None:
    with pytest.raises(RuntimeError), store.transaction():
        store.records.put([record("v-1")], 1)
        store.ledger.append([leaf(1)])
        store.meta.set("key", b"value")
        raise RuntimeError
    assert (store.records.last(), store.ledger.size(), store.meta.get("key")) == (0, 0, None)
    with store.transaction():
        store.records.put([record("v-1")], 1)
        store.ledger.append([leaf(1)])
    assert (store.records.last(), store.ledger.size()) == (1, 1)


def test_a_transaction_inside_a_transaction_is_refused(store: Store) -> None:
    with pytest.raises(InvalidInput, match="open already"), store.transaction(), store.transaction():
        pass
    with store.transaction():
        store.meta.set("still", b"works")
    assert store.meta.get("still") == b"works"


def test_a_refused_step_leaves_the_rest_of_its_transaction_whole(store: Store) -> None:
    with store.transaction():
        store.records.put([record("v-1")], 1)
        with pytest.raises(Forked):
            store.records.put([record("v-2"), record("v-1")], 2)
        store.meta.set("after", b"refusal")
    assert (store.records.last(), store.meta.get("after")) == (1, b"refusal")


def test_a_failed_step_cannot_be_swallowed(store: Store) -> None:
    with pytest.raises(Unavailable, match="nothing was written"), store.transaction():
        store.meta.set("before", b"1")
        with pytest.raises(InvalidInput):
            store.exchange.defer("nobody", [(1, 1)])
        store.meta.set("after", b"2")
    assert store.meta.get("before") is None
    with pytest.raises(Unavailable), store.transaction():
        store.meta.set("before", b"1")
        with pytest.raises(InvalidInput):
            store.exchange.defer("nobody", [(1, 1)])
    assert store.meta.get("before") is None


def test_another_thread_sees_only_what_is_committed(store: Store) -> None:
    seen: list[int] = []

    def look() -> None:
        seen.append(store.records.last())

    with store.transaction():
        store.records.put([record("v-1")], 1)
        thread = threading.Thread(target=look)
        thread.start()
        thread.join()
        assert store.records.last() == 1
    assert seen == [0]


def test_threads_write_one_after_the_other(store: Store) -> None:
    def write(name: int) -> None:
        for i in range(20):
            with store.transaction():
                store.records.put([record(f"v-{name}-{i}", project=f"P-{name}-{i}")], 1)
                store.ledger.append([leaf(i)])
                store.listing.page(store.profiles.where())

    threads = [threading.Thread(target=write, args=(name,)) for name in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (store.records.last(), store.ledger.verify()[0], store.profiles.count()) == (80, 80, 160)


def test_what_another_process_writes_is_seen_and_built_upon(store: Store, path: Path) -> None:
    store.records.put([record("v-1", project="ours")], 1)
    store.ledger.append([leaf(1), leaf(2)])
    other = elsewhere(
        path,
        "with store.transaction():\n"
        "    store.records.put([record('v-2', project='theirs'), record('v-3', project='ours')], 2)\n"
        "    store.ledger.append([leaf(3), leaf(4), leaf(5)])\n"
        "store.close()\n",
    )
    finish(other)
    assert [row.id for row in store.listing.page(store.profiles.where()).rows] == ["v-3", "v-2", "v-1"]
    assert store.profiles.profile(3).project == "theirs"
    with store.transaction():
        store.records.put([record("v-4", project="theirs"), record("v-5", project="new")], 3)
        store.ledger.append([leaf(6)])
    assert [row.project for row in store.records.since(0)] == ["ours", "theirs", "ours", "theirs", "new"]
    assert store.profiles.count() == 6
    assert store.ledger.verify()[0] == 6
    assert store.check() == []


def test_two_processes_append_to_one_ledger(store: Store, path: Path) -> None:
    script = "for i in range(40): store.ledger.append([leaf(i)] * (i % 3 + 1))\nstore.close()"
    others = [elsewhere(path, script) for _ in range(2)]
    for i in range(40):
        store.ledger.append([leaf(i)])
    for other in others:
        finish(other)
    assert store.ledger.verify()[0] == 40 + 2 * 79


def test_a_store_that_is_kept_busy_says_so(store: Store, path: Path) -> None:
    other = elsewhere(path, "with store.transaction():\n    print('in', flush=True)\n    input()\n")
    assert other.stdout is not None
    assert other.stdout.readline() == "in\n"
    store._db._writer.set_busy_timeout(50)
    with pytest.raises(Unavailable, match="nothing was written") as raised:
        store.meta.set("key", b"value")
    assert "Retry" in str(raised.value)
    assert store.meta.get("key") is None
    finish(other)
    store.meta.set("key", b"value")


def test_a_full_disk_loses_nothing_and_says_what_to_do(store: Store) -> None:
    store.records.put([record("v-1")], 1)
    connection = store._db._writer
    connection.pragma("max_page_count", connection.pragma("page_count") + 2)
    with pytest.raises(Unavailable, match=r"full; nothing was written\. Free space and retry"), store.transaction():
        store.meta.set("key", b"value")
        store.records.put([record(f"w-{i}") for i in range(200)], 2)
    assert (store.records.last(), store.meta.get("key"), store.check()) == (1, None, [])
    connection.pragma("max_page_count", 1_000_000)
    store.records.put([record(f"w-{i}") for i in range(200)], 2)
    assert (store.records.last(), store.check()) == (201, [])


def test_the_store_of_a_newer_aldis_is_left_alone(path: Path) -> None:
    Store.open(path).close()
    connection = apsw.Connection(str(path))
    connection.pragma("user_version", 99)
    connection.close()
    before = path.read_bytes()
    with pytest.raises(InvalidInput, match=r"newer Aldis \(schema 99.*Upgrade"):
        Store.open(path)
    assert path.read_bytes() == before


def test_an_older_store_is_brought_up_to_date_with_what_it_holds(
    path: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.records.put([record("v-1")], 1)
    store.close()
    step = "CREATE TABLE later (id INTEGER PRIMARY KEY) STRICT; INSERT INTO later VALUES (7);"
    monkeypatch.setattr(database, "MIGRATIONS", (*MIGRATIONS, step))
    upgraded = Store.open(path)
    assert upgraded.records.last() == 1
    upgraded.close()
    connection = apsw.Connection(str(path))
    assert connection.pragma("user_version") == len(MIGRATIONS) + 1
    assert connection.execute("SELECT id FROM later").get == 7
    connection.close()


def test_a_step_that_fails_leaves_the_older_store_as_it_was(
    path: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = MIGRATIONS
    monkeypatch.setattr(database, "MIGRATIONS", (*known, "CREATE TABLE later (id INTEGER); SELECT nonsense;"))
    with pytest.raises(Unavailable):
        Store.open(path)
    monkeypatch.setattr(database, "MIGRATIONS", known)
    assert Store.open(path).check() == []


def test_another_kind_of_file_is_not_touched(path: Path) -> None:
    path.write_bytes(b"not a database at all, but a text of some length " * 40)
    before = path.read_bytes()
    with pytest.raises(VerificationFailed, match="aldis doctor"):
        Store.open(path)
    assert path.read_bytes() == before
    path.unlink()
    connection = apsw.Connection(str(path))
    connection.execute("CREATE TABLE address (name TEXT)")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(InvalidInput, match="not an Aldis store"):
        Store.open(path)
    assert path.read_bytes() == before


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="nowhere"):
        Store.open(tmp_path / "nowhere" / "store.db")


def test_damage_is_reported_and_not_served(store: Store, path: Path) -> None:
    store.records.put([record(f"v-{i}") for i in range(200)], 1)
    store.close()
    data = bytearray(path.read_bytes())
    for start in range(8192 * 2, len(data), 8192):
        data[start : start + 64] = b"\xff" * 64
    path.write_bytes(data)
    with pytest.raises(VerificationFailed, match="aldis doctor"):
        damaged = Store.open(path)
        damaged.records.since(0, 1000)


def test_only_its_owner_can_read_the_file(store: Store, path: Path) -> None:
    store.meta.set("key", b"value")
    modes = {stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
    assert modes == {0o600}


def test_references_must_hold(store: Store) -> None:
    store.partners.put(PartnerRow("gbr-low", "GBR", "active", b"{}", 1))
    with pytest.raises(InvalidInput, match="FOREIGN KEY"):
        store.exchange.defer("gbr-low", [(5, 1)])
    store.exchange.enqueue("gbr-low", [Release(5, [])])


def test_a_closed_store_can_be_opened_again(path: Path) -> None:
    for i in range(3):
        store = Store.open(path)
        assert store.records.last() == i
        store.records.put([record(f"v-{i}")], i)
        store.close()
    assert not path.with_name("store.db-wal").exists()


def test_many_may_open_a_new_store_at_once(tmp_path: Path) -> None:
    failures: list[BaseException] = []
    for turn in range(8):
        start = threading.Barrier(6)

        def use(path: Path, start: threading.Barrier) -> None:
            start.wait()
            try:
                store = Store.open(path, texts={"document": ["body"]})
                store.meta.set(f"key-{threading.get_ident()}", b"value")
                store.close()
            except BaseException as error:
                failures.append(error)

        threads = [threading.Thread(target=use, args=(tmp_path / f"{turn}.db", start)) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert failures == []
