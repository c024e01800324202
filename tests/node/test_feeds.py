"""One-way feeds: files in a folder, in order, without any receipt; gaps are told, and filled by hand."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from nations import Coalition, to

from aldis.kernel.epoch import PartnerStatus
from aldis.kernel.errors import AldisError, InvalidInput, Unavailable
from aldis.kernel.ledger import decode_leaf
from aldis.node.checks import run_checks
from aldis.node.feeds import Arrival
from aldis.node.node import Node


@pytest.fixture
def diode(tmp_path: Path) -> Iterator[Coalition]:
    """aus-low and aus-high, paired, with nothing but a folder between them."""
    made = Coalition(tmp_path)
    made.add("aus-low", ceiling="SECRET", feeds=["aus-high"])
    made.add("aus-high", ceiling="TOP SECRET", feeds=["aus-low"])
    made.pair("aus-low", "aus-high")
    yield made
    made.close()


def put(nodes: Coalition, *names: str, node: str = "aus-low") -> None:
    for name in names:
        nodes.put(node, name, {"title": (name, to())})


def fed(nodes: Coalition, *names: str) -> list[Path]:
    """Files with these records, one each."""
    files = list[Path]()
    for name in names:
        put(nodes, name)
        files += nodes["aus-low"].feeds.out("aus-high", nodes.folder / "out")
    return files


def taken(node: Node, folder: Path) -> list[tuple[str, str]]:
    return [(one.outcome, one.text) for one in node.feeds.take(folder)]


def carry(files: list[Path], folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    for file in files:
        shutil.copy(file, folder)


def test_what_is_new_is_written_once_and_taken_in_order_and_nothing_comes_back(diode: Coalition) -> None:
    low, high, spool = diode["aus-low"], diode["aus-high"], diode.folder / "in"
    files = fed(diode, "one", "two", "three")
    assert len(files) == 3
    assert files == sorted(files)
    assert list(low.feeds.out("aus-high", diode.folder / "out")) == []
    carry(files[::-1], spool)
    assert [outcome for outcome, _ in taken(high, spool)] == ["admitted"] * 3
    assert [diode.held("aus-high", name) for name in ("one", "two", "three")] == [["title"]] * 3
    assert list(spool.iterdir()) == []
    assert low.core.store.partners.acknowledged("aus-high") is None
    assert taken(high, spool) == []
    carry(files[:1], spool)
    assert taken(high, spool) == [("here already", "items 1 to 1 of aus-low are here already")]
    assert list(spool.iterdir()) == []


def test_a_file_is_in_the_ledger_once_though_its_writer_was_stopped_before_it_counted(diode: Coalition) -> None:
    low = diode["aus-low"]
    put(diode, "one")
    out = low.feeds.out("aus-high", diode.folder / "out")
    with low.core.store._db.transaction() as db:
        db.execute(
            "CREATE TRIGGER stop BEFORE INSERT ON meta WHEN new.key = 'exported to aus-high'"
            " BEGIN SELECT RAISE(ABORT, 'stopped'); END"
        )
    with pytest.raises(AldisError, match="stopped"):
        next(out)
    with low.core.store._db.transaction() as db:
        db.execute("DROP TRIGGER stop")
    [file] = low.feeds.out("aus-high", diode.folder / "out")
    rows = low.core.store.ledger.leaves(0, 10_000, type_="export")
    assert [decode_leaf(row.data).reasons for row in rows] == [("aus-high", file.name)]


def test_missing_numbers_are_told_at_once_and_once_and_what_follows_waits(diode: Coalition) -> None:
    high, spool = diode["aus-high"], diode.folder / "in"
    files = fed(diode, "one", "two", "three", "four")
    carry([files[0], files[3]], spool)
    first, gap = high.feeds.take(spool)
    assert first.outcome == "admitted"
    assert (gap.outcome, gap.text) == (
        "missing", "items 2 to 3 of aus-low are missing; what follows them waits here"
    )  # fmt: skip
    assert "aldis feed again aus-high DIR --from 2 --to 3" in gap.fix
    assert taken(high, spool) == []
    assert [path.name for path in spool.iterdir()] == [files[3].name]
    again = list(diode["aus-low"].feeds.again("aus-high", 2, 3, diode.folder / "again"))
    assert [one.read_bytes() for one in again] == [files[1].read_bytes(), files[2].read_bytes()]
    carry(again, spool)
    assert [outcome for outcome, _ in taken(high, spool)] == ["admitted"] * 3
    assert diode.held("aus-high", "four") == ["title"]


def test_what_cannot_be_read_stays_is_told_once_and_is_tried_again_when_it_changes(diode: Coalition) -> None:
    high, spool = diode["aus-high"], diode.folder / "in"
    [file] = fed(diode, "one")
    spool.mkdir()
    half = spool / file.name
    half.write_bytes(file.read_bytes()[:-20])
    (spool / "note.txt").write_text("not a bundle, and not named like one")
    (spool / f"{file.name}.part").write_bytes(b"under way")
    assert [outcome for outcome, _ in taken(high, spool)] == ["unread"]
    assert taken(high, spool) == []
    assert half.exists()
    shutil.copy(file, spool)
    assert [outcome for outcome, _ in taken(high, spool)] == ["admitted"]
    assert sorted(path.name for path in spool.iterdir()) == sorted([f"{file.name}.part", "note.txt"])


def test_a_file_that_was_altered_or_is_of_a_suspended_partner_adds_one_line_to_the_ledger(diode: Coalition) -> None:
    high, spool = diode["aus-high"], diode.folder / "in"
    [file] = fed(diode, "one")
    high.partners.set_status("aus-low", PartnerStatus.SUSPENDED, "to see")
    carry([file], spool)
    assert [outcome for outcome, _ in taken(high, spool)] == ["unread"]
    size = high.core.store.ledger.size()
    for _ in range(3):
        assert taken(high, spool) == []
    assert high.core.store.ledger.size() == size
    high.partners.set_status("aus-low", PartnerStatus.ACTIVE, "seen")
    assert [outcome for outcome, _ in taken(high, spool)] == ["admitted"]


def test_bundles_are_kept_until_their_operator_says_otherwise(diode: Coalition) -> None:
    low = diode["aus-low"]
    fed(diode, "one", "two", "three")
    assert low.feeds.kept("aus-high") == "items 1 to 3"
    assert low.feeds.forget("aus-high", 2) == 2
    assert low.feeds.kept("aus-high") == "items 3 to 3"
    for first, last in ((1, 1), (2, 3), (3, 4), (3, 2)):
        with pytest.raises(InvalidInput) as refused:
            list(low.feeds.again("aus-high", first, last, diode.folder / "again"))
        assert "--new-epoch aus-high" in refused.value.fix
    assert not (diode.folder / "again").exists()
    [check] = [one for one in run_checks(low) if one.name == "partner aus-high"]
    assert (check.ok, check.cause) == (True, "fed one way; items 3 to 3 can be written again")


def test_after_a_new_epoch_everything_is_written_anew_and_taken_as_held(diode: Coalition) -> None:
    high, spool = diode["aus-high"], diode.folder / "in"
    carry(fed(diode, "one", "two"), spool)
    assert len(taken(high, spool)) == 2
    diode["aus-low"].exchange.new_epoch("restored")
    put(diode, "three")
    files = list(diode["aus-low"].feeds.out("aus-high", diode.folder / "out"))
    carry(files, spool)
    assert {outcome for outcome, _ in taken(high, spool)} == {"admitted"}
    assert diode.held("aus-high", "three") == ["title"]
    assert high.core.store.quarantine.count() == 0


def test_a_folder_that_cannot_be_written_to_or_read_is_told_and_nothing_counts_as_written(diode: Coalition) -> None:
    low, blocked = diode["aus-low"], diode.folder / "file"
    blocked.write_text("in the way")
    put(diode, "one")
    with pytest.raises(Unavailable, match="cannot be written"):
        list(low.feeds.out("aus-high", blocked / "out"))
    with pytest.raises(Unavailable, match="cannot be read"):
        list(low.feeds.take(blocked))
    assert len(list(low.feeds.out("aus-high", diode.folder / "out"))) == 1


def test_a_file_for_another_node_and_one_of_a_stranger_stay_where_they_are(diode: Coalition) -> None:
    diode.add("gbr")
    spool = diode.folder / "in"
    carry(fed(diode, "one"), spool)
    said = list(diode["gbr"].feeds.take(spool))
    assert [one.outcome for one in said] == ["unread"]
    assert isinstance(said[0], Arrival)
    assert "for aus-high" in said[0].text
    assert len(list(spool.iterdir())) == 1


def beat(diode: Coalition, minutes: int = 60, node: str = "aus-low", to: str = "aus-high") -> Path | None:
    return diode[node].feeds.heartbeat(to, diode.folder / "out", minutes * 60_000)


def judged(node: Node, name: str) -> tuple[bool | None, str, str]:
    [check] = [check for check in run_checks(node) if check.name == f"partner {name}"]
    return check.ok, check.cause, check.fix


def test_a_lost_last_file_and_a_silent_feed_are_noticed(diode: Coalition) -> None:
    high, spool = diode["aus-high"], diode.folder / "in"
    files = fed(diode, "one", "two")
    said = beat(diode)
    assert said is not None and beat(diode) is None
    assert judged(high, "aus-low")[0] is True
    carry([files[0], said], spool)
    first, gap = high.feeds.take(spool)
    assert (first.outcome, gap.outcome) == ("admitted", "missing")
    assert "items 2 to 2 of aus-low were written and are not here" in gap.text and "--from 2 --to 2" in gap.fix
    assert list(spool.iterdir()) == [] and judged(high, "aus-low")[:2] == (
        False, "items 2 to 2 were written there and never came",
    )  # fmt: skip
    carry([files[1]], spool)
    assert [one.outcome for one in high.feeds.take(spool)] == ["admitted"]
    assert judged(high, "aus-low")[0] is True
    diode.clock.at += 121 * 60_000
    ok, cause, fix = judged(high, "aus-low")
    assert ok is False and "nothing heard for 121 minutes" in cause and "feed out" in fix
    later = beat(diode)
    assert later is not None and not said.exists()
    carry([later], spool)
    assert list(high.feeds.take(spool)) == [] and judged(high, "aus-low")[0] is True


def test_a_heartbeat_that_is_old_forged_or_for_another_says_nothing(diode: Coalition) -> None:
    high, spool = diode["aus-high"], diode.folder / "in"
    fed(diode, "one")
    old = beat(diode)
    assert old is not None
    kept = diode.folder / "kept"
    carry([old], kept)
    diode.clock.at += 3_600_000
    new = beat(diode)
    assert new is not None
    for one, outcomes in ((new, ["missing"]), (kept / old.name, [])):
        carry([one], spool)
        assert [arrival.outcome for arrival in high.feeds.take(spool)] == outcomes
    heard = high.feeds.heartbeats.heard("aus-low")
    assert heard is not None and heard.at == diode.clock.at
    theirs = beat(diode, node="aus-high", to="aus-low")
    assert theirs is not None
    data = bytearray(new.read_bytes())
    data[-1] ^= 1
    for name, wrong in (("a", theirs.read_bytes()), ("b", bytes(data)), ("c", b""), ("d", b"x" * 300_000)):
        (spool / f"{name}.heartbeat").write_bytes(wrong)
    assert [one.outcome for one in high.feeds.take(spool)] == ["unread"] * 4
    diode.clock.at += 7_200_000
    ahead = beat(diode)
    assert ahead is not None
    diode.clock.at -= 7_200_000
    carry([ahead], spool)
    assert [one.text for one in high.feeds.take(spool)] == ["a heartbeat of aus-low is from the future"]
    assert high.feeds.heartbeats.heard("aus-low") == heard
