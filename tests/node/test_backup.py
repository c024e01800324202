"""A backup is whole, secret and authentic or refused; a restored node sends nothing until people say so."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import apsw
import pytest
from nations import Coalition, to

from aldis.kernel.errors import AldisError, Forked, InvalidInput, NotAuthentic, Unavailable, VerificationFailed
from aldis.node import backup as backups
from aldis.node import cipher
from aldis.node.backup import back_up, restore, verify
from aldis.node.checks import run_checks
from aldis.node.cipher import CHUNK
from aldis.node.restored import restored
from aldis.node.store import Store
from aldis.node.store.schema import APPLICATION_ID, MIGRATIONS

WORDS = "correct horse battery staple"
TAG = 16


@pytest.fixture(scope="module", autouse=True)
def cheap() -> Iterator[None]:
    """A guess at a passphrase costs next to nothing here; what it costs in earnest it does in test_cli_backup."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(cipher, "_N", 2**10)
        yield


def silent(_done: int, _total: int | None) -> None: ...


def make(coalition: Coalition, path: Path, name: str = "aus") -> Path:
    node = coalition[name]
    back_up(node.core, node.audit, path, WORDS, silent)
    return path


def bring_back(coalition: Coalition, path: Path, name: str = "aus") -> None:
    """The node's disk is lost, and a new one is made from the backup."""
    coalition.shut(name)
    (coalition.folder / name).rename(coalition.folder / f"{name}-lost-{coalition.clock.at}")
    restore(path, coalition.folder / name, WORDS, silent, now=coalition.clock.at)
    coalition.open(name)


def test_what_was_backed_up_is_what_is_restored(coalition: Coalition, tmp_path: Path) -> None:
    coalition.put("aus", "plan", {"body": ("CANARY", to("GBR"))})
    before = coalition["aus"].core
    told: list[tuple[int, int | None]] = []
    head = back_up(before, coalition["aus"].audit, tmp_path / "b", WORDS, lambda *done: told.append(done))
    assert told[-1] == (head.size, head.size)
    assert verify(tmp_path / "b", WORDS, silent) == head
    restore(tmp_path / "b", tmp_path / "new", WORDS, silent, now=5)
    for name in before.home.parts():
        assert (tmp_path / "new" / name).read_bytes() == (before.home.path / name).read_bytes()
        assert (tmp_path / "new" / name).stat().st_mode & 0o077 == 0
    store = Store.open(tmp_path / "new" / "store.db")
    assert store.check() == []
    assert store.records.get("plan") is not None
    mark = restored(store)
    assert mark is not None and (mark.made, mark.at) == (head.made, 5)
    store.close()


def test_nothing_of_it_can_be_read_without_the_passphrase(coalition: Coalition, tmp_path: Path) -> None:
    coalition.put("aus", "plan", {"body": ("CANARY", to("GBR"))})
    data = make(coalition, tmp_path / "b").read_bytes()
    assert (tmp_path / "b").stat().st_mode & 0o077 == 0
    for secret in (b"CANARY", b"PRIVATE KEY", b"SQLite format", b"northern"):
        assert secret not in data
    with pytest.raises(NotAuthentic, match="passphrase"):
        verify(tmp_path / "b", "another horse battery staple", silent)
    with pytest.raises(InvalidInput, match="takes 12"):
        back_up(coalition["aus"].core, coalition["aus"].audit, tmp_path / "c", "short", silent)
    assert not (tmp_path / "c").exists()
    assert sorted(path.name for path in (coalition.folder / "aus").iterdir() if "copy" in path.name) == []


def test_two_backups_of_one_store_share_nothing(coalition: Coalition, tmp_path: Path) -> None:
    one, other = make(coalition, tmp_path / "b").read_bytes(), make(coalition, tmp_path / "c").read_bytes()
    assert one[200 : 200 + 64] not in other


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A backup of at least four chunks."""
    folder = tmp_path_factory.mktemp("whole")
    coalition = Coalition(folder)
    coalition.add("aus")
    with coalition["aus"].core.store.transaction():
        coalition["aus"].core.store.meta.set("ballast", os.urandom(3 * CHUNK))
    data = make(coalition, folder / "b").read_bytes()
    coalition.close()
    return data


def _swapped(data: bytes) -> bytes:
    start, size = _front(data), CHUNK + TAG
    return data[:start] + data[start + size : start + 2 * size] + data[start : start + size] + data[start + 2 * size :]


def _front(data: bytes) -> int:
    fixed = len(b"aldis encrypted 1\n") + 16 + 7
    return fixed + 4 + int.from_bytes(data[fixed : fixed + 4], "big")


def _flip(place: int) -> Callable[[bytes], bytes]:
    def flipped(data: bytes) -> bytes:
        made = bytearray(data)
        made[place] ^= 1
        return bytes(made)

    return flipped


ALTERED: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda _data: b"",
    "another file": lambda data: b"PK" + data,
    "magic": _flip(3),
    "salt": _flip(20),
    "prefix": _flip(36),
    "head": _flip(60),
    "first chunk": lambda data: _flip(_front(data) + 5)(data),
    "middle chunk": lambda data: _flip(_front(data) + CHUNK + TAG + 9)(data),
    "last byte": _flip(-1),
    "one byte short": lambda data: data[:-1],
    "cut between chunks": lambda data: data[: _front(data) + 2 * (CHUNK + TAG)],
    "cut within a chunk": lambda data: data[: _front(data) + CHUNK],
    "cut after the head": lambda data: data[: _front(data)],
    "cut within the head": lambda data: data[:50],
    "a byte more": lambda data: data + b"\0",
    "a chunk twice": lambda data: (
        data[: _front(data) + CHUNK + TAG] + data[_front(data) : _front(data) + CHUNK + TAG] + data
    ),
    "chunks swapped": _swapped,
    "a chunk left out": lambda data: data[: _front(data)] + data[_front(data) + CHUNK + TAG :],
}


@pytest.mark.parametrize("how", ALTERED)
def test_a_file_that_was_altered_is_refused_and_nothing_of_it_is_left(how: str, whole: bytes, tmp_path: Path) -> None:
    (tmp_path / "b").write_bytes(ALTERED[how](whole))
    with pytest.raises(AldisError) as caught:
        verify(tmp_path / "b", WORDS, silent)
    assert isinstance(caught.value, InvalidInput | VerificationFailed)
    assert caught.value.fix
    with pytest.raises(type(caught.value)):
        restore(tmp_path / "b", tmp_path / "new", WORDS, silent, now=1)
    assert not (tmp_path / "new").exists()


def test_a_file_cut_at_a_chunk_is_said_to_be_cut_short(whole: bytes, tmp_path: Path) -> None:
    (tmp_path / "b").write_bytes(ALTERED["cut between chunks"](whole))
    with pytest.raises(VerificationFailed, match="cut short"):
        verify(tmp_path / "b", WORDS, silent)


@pytest.mark.parametrize("name", ["../evil", "/etc/evil", "keys/../../evil", "", ".hidden", "keys//x", "store.db"])
def test_a_backup_writes_nowhere_but_below_the_folder(
    coalition: Coalition, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    framed = backups._framed
    first = iter([name])
    monkeypatch.setattr(backups, "_framed", lambda path, size: framed(next(first, path), size))
    make(coalition, tmp_path / "b")
    with pytest.raises(InvalidInput):
        restore(tmp_path / "b", tmp_path / "a" / "new", WORDS, silent, now=1)
    assert not (tmp_path / "a" / "new").exists()
    assert not list(tmp_path.rglob("evil"))


def test_a_file_that_is_there_is_never_overwritten(coalition: Coalition, tmp_path: Path) -> None:
    (tmp_path / "b").write_bytes(b"yesterday's")
    with pytest.raises(InvalidInput, match="exists already"):
        make(coalition, tmp_path / "b")
    assert (tmp_path / "b").read_bytes() == b"yesterday's"


def test_a_backup_that_is_interrupted_leaves_nothing(coalition: Coalition, tmp_path: Path) -> None:
    def stop(_done: int, _total: int | None) -> None:
        raise KeyboardInterrupt

    node = coalition["aus"]
    with pytest.raises(KeyboardInterrupt):
        back_up(node.core, node.audit, tmp_path / "b", WORDS, stop)
    assert not list(tmp_path.glob("b*"))
    assert not list((coalition.folder / "aus").glob("*.copy"))
    make(coalition, tmp_path / "b")


def test_a_restore_that_is_interrupted_leaves_nothing(whole: bytes, tmp_path: Path) -> None:
    def stop(done: int, _total: int | None) -> None:
        if done > 2 * CHUNK:
            raise KeyboardInterrupt

    (tmp_path / "b").write_bytes(whole)
    (tmp_path / "new").mkdir()
    with pytest.raises(KeyboardInterrupt):
        restore(tmp_path / "b", tmp_path / "new", WORDS, stop, now=1)
    assert list((tmp_path / "new").iterdir()) == []


def test_a_place_without_room_is_said_before_anything_is_written(
    coalition: Coalition, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Full:
        free = 1000

    monkeypatch.setattr(shutil, "disk_usage", lambda _path: Full)
    with pytest.raises(Unavailable, match="bytes free"):
        make(coalition, tmp_path / "b")
    assert not list(tmp_path.glob("b*"))


def test_a_missing_folder_and_a_full_one_are_said(coalition: Coalition, tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="No such file"):
        make(coalition, tmp_path / "nowhere" / "b")
    make(coalition, tmp_path / "b")
    with pytest.raises(InvalidInput, match="not empty"):
        restore(tmp_path / "b", coalition.folder / "gbr", WORDS, silent, now=1)
    assert coalition["gbr"].core.store.check() == []


_WRITER = """
import sys
from pathlib import Path
from aldis.kernel.labels import Label, Releasability
from aldis.kernel.records import Draft, DraftPortion
from aldis.node.node import Node
node, number = Node.open(Path(sys.argv[1]), environment={}), 0
label = Label("AUS", "OFFICIAL", Releasability.to("GBR"))
while True:
    number += 1
    made = [Draft(kind="document", id=f"w-{number}-{i}", originator="aus", author="w", created=number, label=label,
                  portions=[DraftPortion("body", label, "text " * 500)]) for i in range(20)]
    node.records.put_all(made)
    print(number, flush=True)
"""


def test_a_backup_is_sound_while_another_process_writes(coalition: Coalition, tmp_path: Path) -> None:
    home = coalition.folder / "aus"
    writer = subprocess.Popen([sys.executable, "-c", textwrap.dedent(_WRITER), str(home)], stdout=subprocess.PIPE)
    try:
        assert writer.stdout is not None
        for _ in range(5):
            writer.stdout.readline()
        sizes = []
        for name in ("b", "c"):
            make(coalition, tmp_path / name)
            restore(tmp_path / name, tmp_path / f"new-{name}", WORDS, silent, now=1)
            store = Store.open(tmp_path / f"new-{name}" / "store.db")
            sizes.append(store.records.last())
            assert store.check() == []
            store.close()
        assert writer.poll() is None
    finally:
        writer.kill()
        writer.communicate()
    assert 100 <= sizes[0] <= sizes[1]
    assert coalition["aus"].core.store.check() == []


def test_a_damaged_store_is_not_backed_up(coalition: Coalition, tmp_path: Path) -> None:
    node = coalition["aus"]
    for number in range(40):
        coalition.put("aus", f"plan-{number}", {"body": ("x" * 5000, to("GBR"))})
    coalition.shut("aus")
    path = coalition.folder / "aus" / "store.db"
    data = bytearray(path.read_bytes())
    for page in range(8, len(data) // 8192):
        data[page * 8192 : page * 8192 + 64] = b"\xff" * 64
    path.write_bytes(data)
    with pytest.raises(AldisError):
        node = coalition.open("aus")
        back_up(node.core, node.audit, tmp_path / "b", WORDS, silent)
    assert not (tmp_path / "b").exists()


# a node restored from yesterday


def test_a_restored_node_says_so_and_sends_nothing_before_a_new_epoch(coalition: Coalition, tmp_path: Path) -> None:
    coalition.put("aus", "before", {"body": ("BEFORE", to("GBR"))})
    make(coalition, tmp_path / "b")
    coalition.settle()
    bring_back(coalition, tmp_path / "b")
    aus, calls = coalition["aus"], len(coalition.wire)
    coalition.put("aus", "after", {"body": ("AFTER", to("GBR"))})
    assert aus.exchange.next_call("gbr") is None
    with pytest.raises(InvalidInput, match="--new-epoch all"):
        aus.exchange.next_bundle("gbr")
    with pytest.raises(InvalidInput, match="--new-epoch all"):
        list(aus.files.export("gbr", tmp_path / "post"))
    coalition.settle("aus", "usa")
    assert not [sent for sent in coalition.wire[calls:] if sent.origin == "aus"]
    check = next(one for one in run_checks(aus) if one.name == "backup")
    assert check.ok is False
    assert "--new-epoch all" in check.fix
    aus.exchange.new_epoch("restored")
    assert "backup" not in [one.name for one in run_checks(aus)]
    call = aus.exchange.next_call("gbr")
    assert call is not None and call.operation == "greet"


def test_restored_from_yesterday_partners_notice_and_everything_flows_again(
    coalition: Coalition, tmp_path: Path
) -> None:
    coalition.put("aus", "kept", {"body": ("KEPT", to("GBR"))})
    coalition.settle()
    make(coalition, tmp_path / "b")
    coalition.clock.at += 86_400_000
    coalition.put("aus", "lost-here", {"body": ("LOST", to("GBR"))})
    coalition.put("gbr", "sent-since", {"body": ("SINCE", to("AUS", policy="UK"))})
    coalition.settle()
    bring_back(coalition, tmp_path / "b")
    aus, gbr = coalition["aus"], coalition["gbr"]
    assert coalition.held("aus", "sent-since") is None

    coalition.put("gbr", "news", {"body": ("NEWS", to("AUS", policy="UK"))})
    coalition.clock.at += 120_000
    with pytest.raises(Forked, match="--new-epoch aus"):
        coalition.step("gbr", "aus")
    aus.exchange.new_epoch("restored from yesterday's backup")
    with pytest.raises(Forked, match="accept-ledger aus"):
        for _ in range(4):
            coalition.clock.at += 61_000
            coalition.step("aus", "gbr")
    gbr.partners.accept_ledger("aus", "AUS lost a disk; told by telephone")
    gbr.exchange.new_epoch("aus was restored")
    coalition["usa"].partners.accept_ledger("aus", "told by telephone")
    coalition["usa"].exchange.new_epoch("aus was restored")
    coalition.settle()

    assert coalition.held("aus", "sent-since") == coalition.held("aus", "news") == ["body"]
    assert coalition.held("gbr", "kept") == coalition.held("gbr", "lost-here") == ["body"]
    coalition.put("aus", "again", {"body": ("AGAIN", to("GBR"))})
    coalition.settle()
    assert coalition.held("gbr", "again") == ["body"]
    assert aus.audit.verify()[0] and gbr.audit.verify()[0]


# older stores


def test_a_store_of_the_first_schema_is_upgraded_when_it_is_restored(coalition: Coalition, tmp_path: Path) -> None:
    coalition.put("aus", "plan", {"body": ("text", to("GBR"))})
    coalition.shut("aus")
    path = coalition.folder / "aus" / "store.db"
    _as_of_the_first_schema(path)
    coalition.open("aus")
    assert coalition.held("aus", "plan") == ["body"]
    assert coalition["aus"].core.store.check() == []
    coalition.shut("aus")
    connection = apsw.Connection(str(path))
    assert connection.pragma("user_version") == len(MIGRATIONS)
    assert connection.pragma("application_id") == APPLICATION_ID
    connection.close()
    coalition.open("aus")
    coalition.settle()
    assert coalition.held("gbr", "plan") == ["body"]


def _as_of_the_first_schema(path: Path) -> None:
    """Make a file with the tables of the first schema alone, and what the store at `path` holds in them."""
    old = path.with_name("old.db")
    connection = apsw.Connection(str(old))
    connection.pragma("page_size", 8192)
    connection.execute(MIGRATIONS[0])
    connection.pragma("application_id", APPLICATION_ID)
    connection.pragma("user_version", 1)
    connection.execute("ATTACH ? AS new", (str(path),))
    tables = [
        name
        for (name,) in connection.execute("SELECT name FROM main.sqlite_schema WHERE type = 'table'")
        if not name.startswith("passage")
    ]
    for name in tables:
        columns = "id, partner, record_seq, portions, reasons, state, because, at" if name == "referral" else "*"
        connection.execute(f"INSERT INTO main.{name} SELECT {columns} FROM new.{name}")
    connection.execute("DETACH new")
    connection.close()
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    old.rename(path)
