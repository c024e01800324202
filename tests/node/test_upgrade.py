"""A store of each earlier schema, with data in it, opens whole; a copy of it as it was is kept until it must go."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest
from nations import NATIONS, Coalition, to
from personnel import PASSWORD, hire

from aldis.kernel.errors import InvalidInput, Unavailable
from aldis.node.checks import run_checks
from aldis.node.node import Node
from aldis.node.store import Store
from aldis.node.store.schema import APPLICATION_ID, MIGRATIONS

OLDER = range(1, len(MIGRATIONS))
PEOPLE = 2
"""The schema that brought accounts."""


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, int]]:
    """A node's folder after some life: partners, an instrument, records both ways, a ruling, people, a recall."""
    folder = tmp_path_factory.mktemp("lived")
    made = Coalition(folder)
    for name in NATIONS:
        made.add(name)
    for one, other in (("aus", "gbr"), ("aus", "usa"), ("gbr", "usa")):
        made.pair(one, other)
    made.settle()
    made.arrange()
    for number in range(20):
        made.put("aus", f"ours-{number}", {"title": (f"canary {number}", to("GBR")), "body": ("kept", to())})
    made.put("gbr", "theirs", {"title": ("British canary", to("AUS", policy="UK"))})
    made["aus"].records.delete("ours-7", "officer")
    hire(made["aus"], "alice", projects=["*"])
    made.settle()
    at = made.clock.at
    made.close()
    yield folder / "aus", at


def older(home: Path, version: int) -> None:
    """Turn a node's store into what the steps up to `version` made, with all rows that such a store could hold."""
    path = home / "store.db"
    full, made = apsw.Connection(str(path)), apsw.Connection(str(home / "older.db"))
    made.pragma("page_size", 8192)
    made.pragma("journal_mode", "WAL")
    for step in MIGRATIONS[:version]:
        made.execute(step)
    made.pragma("application_id", APPLICATION_ID)
    made.pragma("user_version", version)
    known = plain(full)
    with made:
        for name in sorted(plain(made)):
            assert name in known, name
            columns = ", ".join(row[1] for row in made.execute(f"PRAGMA table_info({name})"))
            marks = ", ".join("?" for _ in columns.split(", "))
            made.executemany(
                f"INSERT INTO {name} ({columns}) VALUES ({marks})", full.execute(f"SELECT {columns} FROM {name}")
            )
        made.execute("DELETE FROM meta WHERE key = 'search-texts'")  # the words are indexed anew
    full.close()
    made.close()
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    (home / "older.db").rename(path)
    path.chmod(0o600)


_TABLES = "SELECT name, sql FROM sqlite_schema WHERE type = 'table'"


def plain(connection: apsw.Connection) -> set[str]:
    """The names of all tables but the virtual ones, which are filled anew from the others, and those behind them."""
    rows = [(str(name), str(sql)) for name, sql in connection.execute(_TABLES)]
    virtual = {name for name, sql in rows if sql.startswith("CREATE VIRTUAL")}
    return {
        name
        for name, _ in rows
        if not name.startswith("sqlite_") and not any(name == one or name.startswith(f"{one}_") for one in virtual)
    }


def opened(home: Path, at: int) -> tuple[Node, Coalition]:
    coalition = Coalition(home.parent)
    coalition.clock.at = at
    return coalition.open("aus"), coalition


@pytest.fixture
def home(lived: tuple[Path, int], tmp_path: Path) -> Path:
    shutil.copytree(lived[0], tmp_path / "aus")
    return tmp_path / "aus"


@pytest.mark.parametrize("version", OLDER)
def test_a_store_of_an_earlier_schema_opens_with_all_that_it_held(
    home: Path, lived: tuple[Path, int], version: int
) -> None:
    older(home, version)
    before = (home / "store.db").read_bytes()
    node, coalition = opened(home, lived[1])
    assert {row.id for row in node.records.page(limit=200).rows} >= {"theirs", "ours-0"}
    assert {row.id for row in node.records.page(limit=200, kind="document").rows} >= {"theirs", "ours-0"}
    assert len(node.records.search("canary", limit=100).hits) >= 19
    assert node.core.store.check() == [] and node.audit.verify()[0] > 20
    assert node.replay.run()
    assert [known.node for known in node.partners.all()] == ["gbr", "usa"]
    assert node.register.status("pa-northern-watch").state.value == "in force"
    if version >= PEOPLE:
        assert node.people.sessions.who(node.people.sign_in("alice", PASSWORD)).id == "alice"
    else:
        assert node.people.all() == []
        hire(node, "bob")
    coalition.put("aus", "after", {"title": ("written after", to("GBR"))})
    (copy,) = node.core.store.older_copies()
    assert copy.name == f"store.db.schema-{version}" and copy.stat().st_mode & 0o777 == 0o600
    kept = apsw.Connection(str(copy), flags=apsw.SQLITE_OPEN_READONLY)
    assert kept.pragma("user_version") == version
    assert kept.execute("SELECT count(*) FROM record").get == apsw_count(before, home)
    kept.close()
    [check] = [check for check in run_checks(node, quick=True) if check.name == "schema"]
    assert check.ok is None and copy.name in check.cause
    coalition.close()
    again, coalition = opened(home, lived[1])
    assert again.core.store.older_copies() == [copy]
    coalition.close()


def apsw_count(data: bytes, home: Path) -> int:
    path = home / "before.db"
    path.write_bytes(data)
    connection = apsw.Connection(str(path))
    found = connection.execute("SELECT count(*) FROM record").get
    connection.close()
    return int(found)


def test_a_node_with_an_older_store_goes_on_with_its_partner_where_it_was(
    lived: tuple[Path, int], tmp_path: Path
) -> None:
    for name in ("aus", "gbr"):
        shutil.copytree(lived[0].parent / name, tmp_path / name)
    older(tmp_path / "aus", 1)
    coalition = Coalition(tmp_path)
    coalition.clock.at = lived[1]
    for name in ("aus", "gbr"):
        coalition.open(name)
    coalition.put("aus", "after", {"title": ("written after", to("GBR"))})
    coalition.settle()
    assert coalition.held("gbr", "after") == ["title"]
    assert coalition["gbr"].core.store.quarantine.count() == 0
    coalition.close()


def test_nothing_is_touched_where_no_copy_can_be_made(home: Path, lived: tuple[Path, int]) -> None:
    older(home, 1)
    before = (home / "store.db").read_bytes()
    blocked = home / "store.db.schema-1.part"
    blocked.mkdir()
    with pytest.raises(Unavailable, match=r"schema 1.*no copy of it could be made"):
        Store.open(home / "store.db")
    assert (home / "store.db").read_bytes() == before
    blocked.rmdir()
    Store.open(home / "store.db").close()


def test_what_is_erased_leaves_the_copy_as_well(home: Path, lived: tuple[Path, int]) -> None:
    older(home, 2)
    node, coalition = opened(home, lived[1])
    (copy,) = node.core.store.older_copies()
    assert copy.stat().st_size > 10_000
    node.core.store._db.rewrite()
    assert not copy.exists() and node.core.store.older_copies() == []
    coalition.close()


def test_the_store_of_a_newer_aldis_is_refused_in_words(home: Path) -> None:
    connection = apsw.Connection(str(home / "store.db"))
    connection.pragma("user_version", len(MIGRATIONS) + 1)
    connection.close()
    with pytest.raises(InvalidInput, match=r"newer Aldis.*left as it is"):
        Store.open(home / "store.db")
    assert not list(home.glob("store.db.schema-*"))
