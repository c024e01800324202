"""Crashes: a process killed in the middle, a power cut that loses what was not synced, a disk that fails."""

# ruff: noqa: N802 (SQLite names the methods of a file system)

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import apsw
import pytest
from store_samples import leaf, record

from aldis.kernel.errors import Unavailable
from aldis.node.store import PartnerRow, Release, Store

SECTOR = 512
BATCH = 7


def write_batch(store: Store, number: int) -> None:
    """One transaction over many tables; its number can be told from any of them."""
    with store.transaction():
        if number == 0:
            store.partners.put(PartnerRow("gbr-low", "GBR", "active", b"{}", 0))
        records = [
            record(f"v-{number}-{i}", [("body", number % 12, f"text {number}")], kind="document") for i in range(BATCH)
        ]
        stored = store.records.put(records, number)
        store.ledger.append([leaf(number, subject=record_.header.id) for record_ in records])
        store.exchange.enqueue("gbr-low", [Release(seq, []) for seq in stored.seqs])
        store.meta.set_number("batches", number + 1)


def check_whole(store: Store) -> int:
    """How many batches there are, each of them whole in every table."""
    batches = store.meta.number("batches")
    rows = store.records.since(0, 100_000)
    assert [row.id for row in rows] == [f"v-{number}-{i}" for number in range(batches) for i in range(BATCH)]
    assert [row.subject for row in store.ledger.leaves(0, 100_000)] == [row.id for row in rows]
    assert [row.record_seq for row in store.exchange.outbox("gbr-low", 1, 100_000)] == [row.seq for row in rows]
    everything = store.profiles.where()
    page = store.listing.page(everything, limit=200)
    assert [row.seq for row in page.rows] == [row.seq for row in reversed(rows)][:200]
    if batches:
        assert len(store.search.search(f"text {batches - 1}", everything).hits) >= BATCH
    assert store.check() == []
    return batches


WRITER = """
import sys; from pathlib import Path; from aldis.node.store import Store; from test_store_crash import write_batch
store = Store.open(Path(sys.argv[1]), texts={"document": ["body"]})
number = store.meta.number("batches")
while True:
    write_batch(store, number)
    number += 1
    print(number, flush=True)
"""


def test_killed_at_any_moment_nothing_acknowledged_is_lost(tmp_path: Path) -> None:
    path, rng, acknowledged = tmp_path / "store.db", random.Random(3), 0
    for _ in range(3):
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path)],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *filter(None, sys.path)])},
        )
        assert writer.stdout is not None
        lines = [writer.stdout.readline()]
        time.sleep(rng.random() * 0.1)
        writer.send_signal(signal.SIGKILL)
        lines += writer.communicate(timeout=30)[0].splitlines()
        acknowledged = max(acknowledged, *(int(line) for line in lines if line.strip()))
        store = Store.open(path)
        assert check_whole(store) in (acknowledged, acknowledged + 1)
        store.close()
    assert acknowledged > 3


class Disk:
    """A disk in memory that remembers what of each file was synced, and can lose the rest."""

    def __init__(self) -> None:
        self.files: dict[str, bytearray] = {}
        self.synced: dict[str, bytearray] = {}
        self.pending: list[tuple[str, int, bytes]] = []
        self.writes = 0
        self.fails_at = -1
        self.failure: type[apsw.Error] = apsw.FullError

    def write(self, name: str, data: bytes, offset: int) -> None:
        self.step()
        self.pending.append((name, offset, data))
        _splice(self.files[name], data, offset)

    def sync(self, name: str) -> None:
        self.step()
        self.synced[name] = bytearray(self.files[name])
        self.pending = [write for write in self.pending if write[0] != name]

    def step(self) -> None:
        self.writes += 1
        if self.writes == self.fails_at:
            raise self.failure

    def cut_power(self, rng: random.Random, store: Store) -> None:
        """Keep what was synced, and of the other writes some, whole or torn, in no order; `store` is gone."""
        left = {name: bytearray(data) for name, data in self.synced.items() if name in self.files}
        rng.shuffle(self.pending)
        for name, offset, data in self.pending:
            if name in left and rng.random() < 0.5:
                torn = data[: rng.randrange(len(data) // SECTOR + 1) * SECTOR] if rng.random() < 0.3 else data
                _splice(left[name], torn, offset)
        self.fails_at = -1
        store._db._writer.close(True)
        self.files, self.synced, self.pending = left, {name: bytearray(data) for name, data in left.items()}, []


def _splice(file: bytearray, data: bytes, offset: int) -> None:
    file.extend(bytes(max(offset - len(file), 0)))
    file[offset : offset + len(data)] = data


class DiskFile:
    """A file of a `Disk`, with the methods that SQLite calls."""

    def __init__(self, disk: Disk, name: str) -> None:
        self.disk, self.name = disk, name
        disk.files.setdefault(name, bytearray())

    def xRead(self, amount: int, offset: int) -> bytes:
        return bytes(self.disk.files[self.name][offset : offset + amount])

    def xWrite(self, data: bytes, offset: int) -> None:
        self.disk.write(self.name, bytes(data), offset)

    def xTruncate(self, size: int) -> None:
        del self.disk.files[self.name][size:]

    def xSync(self, flags: int) -> None:
        self.disk.sync(self.name)

    def xFileSize(self) -> int:
        return len(self.disk.files[self.name])

    def xLock(self, level: int) -> None: ...

    def xUnlock(self, level: int) -> None: ...

    def xCheckReservedLock(self) -> bool:
        return False

    def xFileControl(self, op: int, pointer: int) -> bool:
        return False

    def xSectorSize(self) -> int:
        return SECTOR

    def xDeviceCharacteristics(self) -> int:
        return 0

    def xClose(self) -> None: ...


class DiskSystem(apsw.VFS):
    """A `Disk` as a file system of SQLite."""

    def __init__(self, name: str, disk: Disk) -> None:
        self.disk = disk
        super().__init__(name, "")

    def xFullPathname(self, name: str) -> str:
        return name

    def xOpen(self, name: Any, flags: list[int]) -> Any:
        path = name.filename() if isinstance(name, apsw.URIFilename) else name
        flags[1] = flags[0]
        return DiskFile(self.disk, path or f"temporary-{id(flags)}")

    def xAccess(self, pathname: str, flags: int) -> bool:
        return pathname in self.disk.files

    def xDelete(self, filename: str, syncdir: bool) -> None:
        self.disk.files.pop(filename, None)
        self.disk.synced.pop(filename, None)


@pytest.fixture
def disk() -> Iterator[Disk]:
    made = Disk()
    system = DiskSystem("test-disk", made)
    yield made
    system.unregister()


def open_on_disk() -> Store:
    return Store.open(Path("store.db"), vfs="test-disk", alone=True, texts={"document": ["body"]})


@pytest.mark.parametrize("seed", range(12))
def test_after_a_power_cut_the_file_has_exactly_the_committed_transactions(disk: Disk, seed: int) -> None:
    rng = random.Random(seed)
    written = 0
    for _ in range(4):
        store = open_on_disk()
        assert check_whole(store) == written
        for _ in range(rng.randrange(1, 8)):
            write_batch(store, written)
            written += 1
            if rng.random() < 0.2:
                store._db._writer.wal_checkpoint()
        with pytest.raises(KeyboardInterrupt), store.transaction():
            store.records.put([record(f"lost-{i}") for i in range(rng.choice([1, 300]))], 1)
            raise KeyboardInterrupt
        disk.cut_power(rng, store)
    store = open_on_disk()
    assert check_whole(store) == written
    store.close()


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("failure", [apsw.IOError, apsw.FullError])
def test_a_disk_that_fails_at_any_write_leaves_whole_transactions(
    disk: Disk, failure: type[apsw.Error], seed: int
) -> None:
    rng = random.Random(seed)
    store = open_on_disk()
    write_batch(store, 0)
    disk.fails_at, disk.failure = disk.writes + rng.randrange(1, 150), failure
    written = 1
    with pytest.raises(Unavailable) as raised:
        while True:
            write_batch(store, written)
            written += 1
    assert ("nothing was written" in str(raised.value)) is (failure is apsw.FullError)
    if seed % 2:
        write_batch(store, store.meta.number("batches"))
        written += 1
    held = check_whole(store)
    assert held == written
    disk.cut_power(rng, store)
    store = open_on_disk()
    assert check_whole(store) in ((held,) if failure is apsw.FullError else (held, held + 1))
    store.close()
