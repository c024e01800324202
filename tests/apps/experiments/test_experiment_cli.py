"""`aldis experiment losses` and `convert` at the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from aldis.interfaces.cli.main import cli

EXAMPLES = Path(__file__).parents[3] / "src" / "aldis" / "apps" / "experiments" / "examples"
HARBOUR = str(EXAMPLES / "harbour-tracker.toml")
LINE = "@POS;T-0815;141320.25;3351.4071;S;15112.9178;E;14.1;211.5;R*6E\r\n"


def run(*words: str, given: str = "", code: int = 0) -> Result:
    result = CliRunner().invoke(cli, ["experiment", *words], input=given)
    assert result.exit_code == code, result.output
    return result


def test_the_matrix_of_losses_is_a_line_for_each_pair() -> None:
    rows = [line.split("\t") for line in run("losses").stdout.splitlines()]
    assert ["csv", "geojson"] in [row[:2] for row in rows]
    assert all(len(row) == 6 and row[0] != row[1] and row[5] == "0" for row in rows)


def test_a_pair_is_shown_field_by_field_with_reasons() -> None:
    lines = [line.split("\t") for line in run("losses", "geojson", HARBOUR).stdout.splitlines()]
    rows = {line[3]: line[4:] for line in lines if line[2] == "track mmsi:230123456"}
    assert rows["geometry.height"] == ["dropped", "no field"]
    assert rows["geometry.latitude"][0] == "approximated"
    assert "of at most" in rows["geometry.latitude"][1]
    (pair,) = json.loads(run("losses", "geojson", HARBOUR, "--json").stdout)["pairs"]
    fields = pair["specimens"][0]["fields"]
    assert pair["approximated"] == sum(one["fate"] == "approximated" for s in pair["specimens"] for one in s["fields"])
    assert next(one for one in fields if one["field"] == "geometry.height")["reasons"] == ["no field"]
    assert all(0 < one["bound"] >= one["error"] for one in fields if one["fate"] == "approximated")


def test_an_unknown_protocol_is_a_mistake_of_the_command() -> None:
    assert "Did you mean geojson?" in run("losses", "geojsn", code=2).stderr


def test_a_file_is_translated_and_what_was_lost_is_said(tmp_path: Path) -> None:
    result = run("convert", HARBOUR, "geojson", given=LINE.rstrip())
    feature = json.loads(result.stdout)
    assert (feature["id"], feature["properties"]["identity.native_id"]) == ("harbour:T-0815", "T-0815")
    assert "1 of 1 messages read, 1 written" in result.stderr
    assert "POS.berth dropped on reading: not decoded: kept as residue, 1 times" in result.stderr
    source, target = tmp_path / "in.geojson", tmp_path / "out.txt"
    source.write_text(result.stdout, "utf-8")
    summary = json.loads(run("convert", "geojson", HARBOUR, "--in", str(source), "--out", str(target), "--json").stdout)
    assert target.read_bytes().decode() == LINE
    assert summary["written"] == 1
    assert {one["reason"] for one in summary["dropped"]} == {"no field"}


@pytest.mark.parametrize("words", [("convert", "csv"), ("convert", "csv", "geojson", "--in", "nowhere")])
def test_what_cannot_be_run_is_said(words: tuple[str, ...]) -> None:
    run(*words, code=2)
