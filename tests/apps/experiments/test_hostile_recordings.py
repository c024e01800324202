"""Recordings that a partner sealed rightly and filled with what nobody should say: everything ends in words of ours."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from recorded import MARKING, START_US
from thread_scene import SECOND, Nation, Scene, record_of

import aldis.apps.experiments
from aldis.apps.experiments.recorder.schemas import egress_schema, entity_schema
from aldis.interfaces.cli.main import cli

CASE = Path(aldis.apps.experiments.__file__).parent / "examples" / "cases" / "sea-picture.toml"
STEERS = "\x00\x1b]0;x\x07\x1b[2J\r\n‮</script>"
SHIP = record_of("mmsi:230000001")
PLACE = {"lat_deg": 59.9, "lon_deg": 24.5}
THINGS: list[dict[str, Any]] = [
    {"position": {**PLACE, "at": at, "height_m": height}}
    for at, height in ((2**62, 1e308), (-(2**62), -1.7e308), (253402300799999, 0.0), (2**80, 5e-324), (0, -0.0))
]
THINGS += [
    {"timing": {"source_us": 2**63 - 1}},
    {"motion": {"speed_mps": 1e308, "course_deg": -1e308}},
    {"identity": {"name": STEERS + "A" * 20_000, "mmsi": 2**63}},
    {"quality": {}},
]


@dataclass
class Hostile(Scene):
    """At both nodes, and on every tap, what was put there by hand."""

    about: Mapping[str, str] | None = None

    def more(self, aus: Nation, gbr: Nation) -> None:
        if self.about is not None:
            self._put(gbr, "/entity/x/track", self.about, {"entity": {"key": STEERS}, "record": STEERS}, 5)
            return
        for number, thing in enumerate(THINGS):
            told = {"entity": {"key": STEERS, **thing}, "record": SHIP}
            sent = {**told, "protocol": "cot", "messages": ["AAAA", "%%%"]}
            self._put(aus, "/entity/sea/track", _about("entity", "sea"), told, number)
            self._put(aus, "/egress/node:gbr/track", _about("egress", "node:gbr"), sent, number)
            self._put(gbr, "/entity/node:aus/track", _about("entity", "node:aus"), told, number)
            self._put(gbr, "/egress/tak/track", _about("egress", "tak"), sent, number)

    @staticmethod
    def _put(nation: Nation, topic: str, about: Mapping[str, str], body: Mapping[str, Any], second: int) -> None:
        schema = egress_schema("track") if topic.startswith("/egress") else entity_schema("track")
        channel = nation.recorder.channel(topic, schema, about)
        nation.recorder.write(channel, (START_US + second * SECOND) * 1000, json.dumps(body).encode())


def _about(tap: str, name: str) -> Mapping[str, str]:
    return {"tap": tap, "name": name, "kind": "track", "marking": MARKING}


def outcomes(scene: Scene) -> Mapping[str, int]:
    """The exit code of each command; none raises, and none lets a terminal be steered."""
    files, _ = scene.play()
    named = [word for path in files for word in ("--recording", str(path))]
    commands = {
        "test": [str(CASE), *named],
        "report": [str(CASE), *named, "--signers", "AUS", "--no-pdf", "--out", str(scene.folder / "report")],
        "replay": [str(path) for path in files],
        "agree": [str(path) for path in files],
        "score": [str(files[1])],
        "verify": [str(files[1])],
    }
    found = {}
    for name, words in commands.items():
        result = CliRunner(env={"ALDIS_HOME": "/nowhere"}).invoke(cli, ["experiment", name, *words])
        assert result.exception is None or isinstance(result.exception, SystemExit), (name, result.exception)
        assert not {"\x1b", "\x07", "‮"} & set(result.output), name
        found[name] = result.exit_code
    return found


def test_whatever_numbers_and_names_are_recorded_are_judged_and_reported(tmp_path: Path) -> None:
    assert outcomes(Hostile(tmp_path, seconds=2)) == {
        "test": 1, "report": 0, "replay": 4, "agree": 0, "score": 0, "verify": 1,
    }  # fmt: skip


@pytest.mark.parametrize(
    "about",
    [{}, _about("entity", STEERS), _about("egress", f"node:{STEERS}"), {**_about("entity", "x"), "marking": STEERS}],
)
def test_a_channel_that_another_program_described_is_judged_or_refused(
    tmp_path: Path, about: Mapping[str, str]
) -> None:
    assert set(outcomes(Hostile(tmp_path, seconds=2, about=about)).values()) <= {0, 1, 4}


ANEW = """\
import sys
from pathlib import Path
from aldis.apps.experiments.cases import find, read_case
from aldis.apps.experiments.report import write_report
case, folder, *files = map(Path, sys.argv[1:])
case = read_case(case)
found = find([case], files, None, experiment="raft", node="aus", party="AUS")
write_report(found, [case.data], folder)
"""


@pytest.mark.slow
def test_findings_and_report_are_the_same_bytes_whatever_the_clock_language_and_order(tmp_path: Path) -> None:
    files, _ = Scene(tmp_path, seconds=6).play()
    made = []
    for number, (zone, language, seed) in enumerate((("UTC", "C", "0"), ("Pacific/Chatham", "tr_TR.UTF-8", "4711"))):
        folder = tmp_path / f"report-{number}"
        there = os.environ | {"TZ": zone, "LC_ALL": language, "LANG": language, "PYTHONHASHSEED": seed}
        order = files if number else files[::-1]
        subprocess.run([sys.executable, "-c", ANEW, CASE, folder, *order], env=there, check=True, timeout=60)
        made.append({str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*.*")})
    assert made[0].keys() == made[1].keys() >= {"findings.json", "report.html", "report.pdf", "signatures.json"}
    assert made[0] == made[1]
