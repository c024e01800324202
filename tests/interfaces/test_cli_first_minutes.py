"""The first ten minutes of a newcomer: two nodes, from nothing to a record that arrived and a proof of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from cli_nations import Nation

ARRANGEMENT = """\
instrument = "arrangement"
id = "harbour-survey"
title = "Harbour survey"
parties = ["AUS", "GBR"]
from = 2026-01-01
until = 2046-12-31

[[clause]]
id = "1"
kinds = ["document"]
projects = ["HARBOUR"]
purposes = ["survey"]
ceiling = { AUS = "OFFICIAL: Sensitive", UK = "OFFICIAL-SENSITIVE" }
"""

DOCUMENT = """\
kind = "document"
id = "depths"
project = "HARBOUR"
marking = "OFFICIAL//REL AUS/GBR"

[[portion]]
name = "title"
value = "Depths of the inner harbour"

[[portion]]
name = "body"
file = "depths.txt"

[[portion]]
name = "annex"
marking = "OFFICIAL: Sensitive//AGAO"
value = "Who took the soundings"
"""


def test_a_newcomer_gets_from_nothing_to_a_record_that_arrived(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    aus, gbr = Nation("AUS", tmp_path), Nation("GBR", tmp_path)

    made = aus.run("init", "AUS")
    assert "ceiling    OFFICIAL: Sensitive" in made.stdout
    assert "Nothing above OFFICIAL: Sensitive can be put or admitted here" in made.stderr
    assert "Next: `aldis invite PARTY`" in made.stderr
    gbr.run("init", "GBR")

    # pair: a file out, a file back, two fingerprints read out
    invited = aus.run("invite", "GBR")
    assert invited.stdout == "aus-gbr.invite\n"
    digits = invited.stderr.split("Fingerprint: ")[1].splitlines()[0]
    joined = gbr.run("join", "aus-gbr.invite", "--fingerprint", digits)
    assert "Paired with aus of AUS" in joined.stdout
    answer = joined.stderr.split("Fingerprint of the reply: ")[1].splitlines()[0]
    assert "Paired with gbr of GBR" in aus.run("join", "gbr-aus.reply", "--fingerprint", answer).stdout

    # agree: drafted here, signed at both
    Path("harbour.toml").write_text(ARRANGEMENT, "utf-8")
    assert "would release nothing new" in aus.run("preview", "harbour.toml").stdout
    aus.run("instrument", "draft", "harbour.toml")
    assert "GBR has yet to sign" in aus.run("instrument", "sign", "harbour-survey").stdout
    aus.run("bundle", "export", "gbr", "-o", "stick")
    gbr.run("bundle", "import", "stick")
    assert "in force between AUS, GBR" in gbr.run("instrument", "sign", "harbour-survey").stdout
    gbr.run("bundle", "export", "aus", "-o", "stick-back")
    aus.run("bundle", "import", "stick-back", "stick")

    # share: marked portion by portion
    Path("depths.txt").write_text("Eleven metres at the north quay.", "utf-8")
    Path("depths.toml").write_text(DOCUMENT, "utf-8")
    put = aus.run("put", "depths.toml")
    assert put.stdout == "depths  document, version 1, OFFICIAL: Sensitive//AGAO\n"
    assert "gbr gets title, body; not annex." in put.stderr
    why = aus.run("why", "depths", "gbr", "--portion", "annex")
    assert "✗ fails" in why.stdout and "What would change it" in why.stdout
    assert "AUS, its originator: make it releasable to GBR" in why.stdout

    # carry: out on a stick, and the receipt back
    aus.run("bundle", "export", "gbr", "-o", "stick2")
    imported = gbr.run("bundle", "import", "stick2")
    assert "items 5 to 5 of aus admitted" in imported.stdout
    assert "where `aldis bundle import" in imported.stderr
    arrived = gbr.run("get", "depths").stdout
    assert "Eleven metres at the north quay." in arrived
    assert "Who took the soundings" not in arrived
    assert "annex" not in arrived
    assert "depths\t1\tdocument\tHARBOUR\t" in gbr.run("list").stdout
    assert "north quay" in gbr.run("search", "quay").stdout
    assert gbr.run("search", "soundings").stdout == ""
    receipt = next(Path("stick2").glob("*.receipt"))
    assert "gbr holds what was sent to it up to item 5" in aus.run("bundle", "import", str(receipt)).stdout

    # prove
    assert "hold." in aus.run("ledger", "verify").stdout
    assert "every one comes out the same" in aus.run("ledger", "replay").stdout
    assert "Nothing is wrong." in aus.run("doctor").stderr
