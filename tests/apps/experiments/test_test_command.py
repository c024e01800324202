"""`aldis experiment test`, as it is typed, where there is no node."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from recorded import MARKING
from rich.console import Console
from thread_scene import Scene

import aldis.apps.experiments
from aldis.apps.experiments.cases import Findings, find, read_case
from aldis.apps.experiments.commands.testing import shown
from aldis.apps.experiments.recorder import key_text
from aldis.interfaces.cli.main import cli
from aldis.kernel.encoding import b64
from aldis.kernel.signatures import Key

EXAMPLES = Path(aldis.apps.experiments.__file__).parent / "examples" / "cases"
PICTURE, WITHHELD = EXAMPLES / "sea-picture.toml", EXAMPLES / "withheld-identity.toml"
Made = tuple[Sequence[Path], Mapping[str, Key]]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return Scene(tmp_path_factory.mktemp("made"), seconds=8).play()


def typed(*words: str | Path) -> Result:
    return CliRunner(env={"ALDIS_HOME": "/nowhere"}).invoke(cli, ["experiment", "test", *map(str, words)])


def of(files: Sequence[Path]) -> list[str | Path]:
    return [word for path in files for word in ("--recording", path)]


def keys(made: Mapping[str, Key]) -> list[str]:
    return [word for node, key in made.items() for word in ("--sealed-by", f"{node}={key_text(key)}")]


def test_a_success_is_exit_code_0_with_matrix_case_and_criteria(made: Made) -> None:
    result = typed(PICTURE, *of(made[0]), *keys(made[1]))
    assert result.exit_code == 0, result.output
    rows = [line.split("\t") for line in result.stdout.splitlines()]
    assert ["cell", "aus/sea", "gbr/tak", "track", "success"] in [row[:5] for row in rows]
    assert ["case", "sea-picture"] in [row[:2] for row in rows]
    latency = next(row for row in rows if row[3:4] == ["latency_p95_s"])
    assert (latency[4], latency[5]) == ("met", "0.004 s of 3 s")
    assert MARKING in result.stderr
    assert "Nobody vouches" not in result.stderr


def test_anything_less_is_exit_code_1_and_each_case_is_named(made: Made) -> None:
    result = typed(PICTURE, WITHHELD, *of(made[0]))
    assert result.exit_code == 1
    assert "field not permitted" in result.stdout
    assert "Nobody vouches" in result.stderr
    assert typed(PICTURE, WITHHELD, "--only", "sea-picture", *of(made[0])).exit_code == 0
    unknown = typed(PICTURE, "--only", "sea-pictur", *of(made[0]))
    assert unknown.exit_code == 2
    assert "sea-picture" in unknown.stderr


def test_the_findings_are_the_same_as_json_in_a_file_and_as_a_function(made: Made, tmp_path: Path) -> None:
    out = tmp_path / "findings.json"
    result = typed(PICTURE, *of(made[0]), "--json", "--out", out, "--experiment", "raft")
    data: dict[str, Any] = json.loads(result.stdout)
    found = find([read_case(PICTURE)], made[0], None, experiment="raft", node="", party="")
    assert out.read_bytes() == found.canonical + b"\n"
    assert data["digest"] == found.digest
    assert data["outcomes"][0]["verdict"] == "success"


def test_a_recording_that_was_altered_or_that_another_sealed_is_exit_code_4(made: Made, tmp_path: Path) -> None:
    files, by = made
    assert typed(PICTURE, *of(files), "--sealed-by", f"aus={key_text(by['gbr'])}").exit_code == 4
    assert typed(PICTURE, *of(files[:1]), "--sealed-by", key_text(by["gbr"])).exit_code == 4
    raw = bytearray(files[0].read_bytes())
    raw[raw.index(b"SHIP 1")] ^= 1
    changed = tmp_path / "changed.mcap"
    changed.write_bytes(raw)
    result = typed(PICTURE, *of([changed]))
    assert result.exit_code == 4
    assert "changed.mcap" in result.stderr


def test_a_nodes_sheet_says_whose_key_it_is(made: Made, tmp_path: Path) -> None:
    files, by = made
    sheet = tmp_path / "gbr.json"
    sheet.write_text(json.dumps({"node": "gbr", "algorithm": "ed25519", "key": b64(by["gbr"].raw)}))
    assert typed(PICTURE, *of(files), "--sealed-by", sheet).exit_code == 0
    sheet.write_text(json.dumps({"node": "aus", "algorithm": "ed25519", "key": b64(by["gbr"].raw)}))
    assert typed(PICTURE, *of(files), "--sealed-by", sheet).exit_code == 4


def test_whose_key_it_is_must_be_said_where_there_are_several(made: Made) -> None:
    files, by = made
    result = typed(PICTURE, *of(files), "--sealed-by", key_text(by["aus"]), "--sealed-by", key_text(by["gbr"]))
    assert result.exit_code == 2
    assert "NODE=KEY" in result.stderr


def test_what_is_wrong_with_a_case_names_its_line(made: Made, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.toml"
    wrong.write_text(PICTURE.read_text().replace("latency_p95_s", "latency_p9_s"))
    result = typed(wrong, *of(made[0]))
    assert result.exit_code == 2
    assert "line 23" in result.stderr
    assert "latency_p95_s" in result.stderr


def test_on_a_terminal_words_say_what_colours_do(made: Made) -> None:
    found: Findings = find([read_case(WITHHELD)], made[0], None, experiment="", node="", party="")
    console = Console(width=160, no_color=True)
    with console.capture() as captured:
        console.print(*shown(found), sep="\n")
    text = captured.get()
    assert "interoperability issue" in text
    assert "✗ not met" in text
    assert "✓ met" in text
    assert "aus/sea to gbr/tak" in text
