"""Two levels of one party at the command line: pairing, a feed, one picture at the high node, and a ruling."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
from cli_nations import Nation, agree, carry, pair

ARRANGEMENT = """\
instrument = "arrangement"
id = "pa-northern-watch"
title = "Northern Watch"
parties = ["AUS", "GBR"]
from = 2026-01-01
until = 2046-12-31

[[clause]]
id = "4.1"
kinds = ["document"]
projects = ["NORTHERN-WATCH"]
purposes = ["surveillance"]
ceiling = { AUS = "SECRET", UK = "SECRET" }
"""


@dataclass(frozen=True)
class Level(Nation):
    name: str

    @property
    def node(self) -> str:
        return self.name


@pytest.fixture
def low(tmp_path: Path) -> Level:
    made = Level("AUS", tmp_path, "aus-low")
    made.run("init", "AUS", "--node", "aus-low", "--ceiling", "SECRET")
    return made


@pytest.fixture
def high(tmp_path: Path, low: Level) -> Level:
    made = Level("AUS", tmp_path, "aus-high")
    made.run("init", "AUS", "--node", "aus-high", "--ceiling", "TOP SECRET")
    invited = low.ask("invite", "AUS", "-o", str(tmp_path / "own.invite"))
    said = made.fails(3, "join", invited["file"], "--fingerprint", invited["fingerprint"])
    assert "--own" in said
    reply = str(tmp_path / "own.reply")
    joined = made.ask("join", invited["file"], "--own", "--fingerprint", invited["fingerprint"], "-o", reply)
    low.run("join", reply, "--fingerprint", joined["fingerprint"])
    return made


def put(nation: Nation, record: str, marking: str, title: str) -> None:
    nation.run(
        *("put", "--kind", "document", "--id", record, "--project", "NORTHERN-WATCH", "--marking", marking),
        *("--portion", f"title={title}"),
    )


def feed(low: Level, high: Level) -> None:
    """What low has for high, over the diode."""
    spool = str(low.folder / "spool")
    low.run("feed", "out", "aus-high", spool, "--once")
    high.run("feed", "in", spool, "--once")


def test_a_person_at_the_high_node_sees_both_levels_in_one_picture(tmp_path: Path, low: Level, high: Level) -> None:
    gbr = Nation("GBR", tmp_path)
    gbr.run("init", "GBR", "--ceiling", "SECRET")
    pair(gbr, low)
    agree([low, gbr], ARRANGEMENT)
    put(gbr, "theirs", "UK SECRET – UK / AUS EYES ONLY", "British plan")
    carry(gbr, low)
    put(low, "ours", "OFFICIAL//REL AUS/GBR", "Low plan")
    put(high, "top", "TOP SECRET", "High plan")
    feed(low, high)
    page = high.ask("list")
    assert page["banner"].startswith("TOP SECRET")
    assert {one["id"]: (one["originator"], one["source"]) for one in page["records"]} == {
        "theirs": ("gbr", "aus-low"), "ours": ("aus-low", "aus-low"), "top": ("aus-high", ""),
    }  # fmt: skip
    shown = high.run("list")
    assert shown.stderr.startswith("TOP SECRET")
    lines = {line.split("\t")[0]: line for line in shown.stdout.splitlines()}
    assert "UK: UK SECRET" in lines["theirs"] or "UK SECRET" in lines["theirs"]
    assert "aus-low (SECRET)" in lines["theirs"]
    assert "aus-low (SECRET)" in lines["ours"]
    assert "aus-high (TOP SECRET)" in lines["top"]
    assert "aus-low (AUS SECRET)" in high.run("get", "theirs").stdout
    assert "gbr (GBR)" in high.run("get", "theirs").stdout
    assert "sheet-gbr" not in shown.stdout
    assert "level" not in gbr.ask("list")["records"][0]
    carry(low, gbr)
    assert {one["id"] for one in gbr.ask("list")["records"]} == {"theirs", "ours"}


def test_a_gap_is_named_with_what_to_ask_for_and_that_fills_it(low: Level, high: Level) -> None:
    spool = low.folder / "spool"
    for name in ("one", "two", "three"):
        put(low, name, "OFFICIAL", name)
        low.run("feed", "out", "aus-high", str(spool), "--once")
    files = sorted(spool.iterdir())
    files[1].unlink()
    said = high.run("feed", "in", str(spool), "--once", code=1)
    assert "items 2 to 2 of aus-low are missing" in said.stdout
    assert "`aldis feed again aus-high DIR --from 2 --to 2`" in said.stderr
    [again] = low.ask("feed", "again", "aus-high", str(spool), "--from", "2", "--to", "2")["files"]
    assert Path(again).name == files[1].name
    high.run("feed", "in", str(spool), "--once")
    assert {one["id"] for one in high.ask("list")["records"]} == {"one", "two", "three"}
    assert low.ask("feed", "forget", "aus-high", "--to", "2")["forgotten"] == 2
    low.fails(2, "feed", "again", "aus-high", str(spool), "--from", "1", "--to", "1")


def test_a_record_comes_down_by_a_ruling_alone(low: Level, high: Level) -> None:
    put(high, "report", "OFFICIAL//REL AUS/GBR", "For below")
    put(high, "quiet", "OFFICIAL//REL AUS/GBR", "Stays")
    carry(high, low)
    assert low.ask("list")["records"] == []
    assert high.ask("desk", "list")["cases"] == []
    high.run("offer", "report", "aus-low", code=3)
    [asked] = high.ask("desk", "list")["cases"]
    high.run("desk", "approve", str(asked["number"]), "--because", "needed below")
    carry(high, low)
    assert [one["id"] for one in low.ask("list")["records"]] == ["report"]
