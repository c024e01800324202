"""Recall, retention, departure and inquiry, as typed."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from cli_nations import Coalition, exchange, put_plan


def test_a_recall_is_asked_answered_and_shown(coalition: Coalition) -> None:
    aus, gbr, usa = coalition
    put_plan(aus)
    exchange(coalition, 1)
    assert aus.ask("recall", "ask", "plan", "--because", "wrong annex")["asked"] == ["gbr", "usa"]
    exchange(coalition, 2)
    shown = {one["node"]: one for one in aus.ask("recall", "show", "plan")["partners"]}
    assert (shown["gbr"]["answer"], shown["gbr"]["portions"]) == ("waits", ["title", "body", "annex"])
    assert "No answer yet" not in aus.run("recall", "show", "plan").stderr
    assert "recalled" in gbr.run("get", "plan").stdout
    [asked] = [one for one in gbr.ask("recall", "list")["recalls"] if one["state"] == "waits"]
    assert (asked["from"], asked["because"]) == ("aus", "wrong annex")
    number = str(asked["number"])
    assert "plan, version 1: erased" in gbr.run("recall", "comply", number, "--because", "as asked").stdout
    assert "erased" in gbr.run("get", "plan").stdout
    assert "complied with already" in gbr.fails(2, "recall", "comply", number, "--because", "x")
    theirs = next(str(one["number"]) for one in usa.ask("recall", "list")["recalls"] if one["state"] == "waits")
    usa.run("recall", "refuse", theirs, "--because", "a court")
    exchange(coalition, 2)
    text = aus.run("recall", "show", "plan").stdout
    for word in ("erased", "refused", "a court", "as asked"):
        assert word in text
    assert "already" in aus.fails(2, "recall", "ask", "plan", "--because", "again")
    assert b"Sonar canary" not in b"".join(path.read_bytes() for path in gbr.home.glob("store.db*"))


def test_what_a_departed_partner_holds_is_listed_as_csv_and_json(coalition: Coalition, tmp_path: Path) -> None:
    aus = coalition.aus
    put_plan(aus)
    exchange(coalition, 1)
    aus.run("doctor", "--new-epoch", "all", "--yes")  # what went before is not forgotten
    aus.run("partner", "depart", "usa", "--because", "left")
    held = [one for one in aus.ask("partner", "show", "usa", "--holds")["holds"] if one["id"] == "plan"]
    assert [(one["portions"], one["acknowledged"]) for one in held] == [(["title", "body"], True)]
    rows = [*csv.DictReader(io.StringIO(aus.run("partner", "show", "usa", "--csv").stdout))]
    assert [row["portions"] for row in rows if row["id"] == "plan"] == ["title; body"]
    aus.run("inquiry", "partner", "usa", "-o", str(tmp_path / "told"))
    assert "All holds" in coalition.gbr.run("inquiry", "verify", str(tmp_path / "told")).stdout


def test_an_inquiry_is_written_and_verified_without_a_node(coalition: Coalition, tmp_path: Path) -> None:
    aus = coalition.aus
    put_plan(aus)
    exchange(coalition, 1)
    made = aus.ask("inquiry", "record", "plan", "-o", "told")
    assert made["about"] == {"record": "plan"}
    assert coalition.gbr.ask("inquiry", "verify", "told")["pinned"] is True
    (tmp_path / "lawyer").mkdir()
    lawyer = type(aus)("LAW", tmp_path / "lawyer")
    said = lawyer.run("inquiry", "verify", str(tmp_path / "told"))
    assert "All holds: 1 version, 2 releases" in said.stdout
    assert "compare it with what AUS says" in said.stderr
    assert not lawyer.home.exists()
    (tmp_path / "told" / "README.txt").write_text("nothing happened")
    assert "README.txt was altered" in lawyer.fails(4, "inquiry", "verify", str(tmp_path / "told"))
    assert "not empty" in aus.fails(2, "inquiry", "record", "plan", "-o", "told")


def test_retention_is_shown_tried_and_run(coalition: Coalition) -> None:
    aus = coalition.aus
    assert "no rule" in aus.run("retention", "show").stderr
    settings = aus.home / "aldis.toml"
    settings.write_text(f'{settings.read_text()}\n[[retention]]\nkind = "document"\ndays = 30\naction = "delete"\n')
    assert aus.run("retention", "show").stdout == "document: delete after 30 days\n"
    put_plan(aus)
    assert aus.ask("retention", "run", "--dry-run") == {"dry_run": True, "due": []}
    assert "0 versions were deleted or erased" in aus.run("retention", "run").stderr
    settings.write_text(settings.read_text().replace("days = 30", "days = 0"))
    assert "days" in aus.fails(2, "retention", "show")
