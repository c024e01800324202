"""`aldis experiment report`, `sign` and `verify FOLDER`, as typed at two nations' nodes and where there is none."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from recorded import START_US, signer
from thread_scene import SECOND, SHIPS, Nation, Scene, ais

from aldis.apps.experiments.recorder import key_text
from aldis.apps.experiments.report import CONTEXT
from aldis.interfaces.cli.main import cli
from aldis.kernel.encoding import sha256
from aldis.kernel.errors import RefusedByPolicy
from aldis.node.node import Node
from aldis.node.people import Account, Person

CASE = """\
case = "sea-picture"
title = "The sea picture"

[[step]]
name = "shared"
does = "share"
who = "aus/sea"
to = "gbr/tak"
latency_p95_s = 2
"""


class Place:
    """Two nodes, their recordings of one run, and a case."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.case = folder / "case.toml"
        self.case.write_text(CASE)
        by = {}
        for party in ("AUS", "GBR"):
            assert self.typed(party, "init", party).exit_code == 0
            node = Node.open(folder / party)
            by[party] = node.core.signer
            node.close()
        aus, gbr = (Nation(party.lower(), folder / "recordings" / party, by[party]) for party in by)
        scene = Scene(folder)
        for second in range(6):
            for ship in SHIPS:
                at = START_US + second * SECOND
                for track in aus.heard("sea", "nmea0183", ais(ship, second), at):
                    scene._share(aus, gbr, track, at, second)
        self.files = {"AUS": aus.close(), "GBR": gbr.close()}
        self.sealed = [
            word for party, one in by.items() for word in ("--sealed-by", f"{party.lower()}={key_text(one.public)}")
        ]
        self.recordings = [word for path in self.files.values() for word in ("--recording", str(path))]

    def typed(self, party: str, *words: str | Path) -> Result:
        return CliRunner(env={"ALDIS_HOME": str(self.folder / party)}).invoke(cli, list(map(str, words)))

    def at(self, party: str, *words: str | Path) -> Result:
        return self.typed(party, "experiment", *words, *self.sealed)

    def report(self, into: Path, *words: str | Path, at: str = "AUS") -> Result:
        every = ("report", self.case, *self.recordings, "--signers", "AUS,GBR", "--out", into, *words)
        return self.at(at, *every)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    return Place(tmp_path_factory.mktemp("place"))


@pytest.fixture(scope="module")
def made(place: Place) -> Path:
    folder = place.folder / "made"
    result = place.report(folder, "--experiment", "NORTHERN-WATCH", "--no-pdf")
    assert result.exit_code == 0, result.output
    assert "at a node of GBR" in result.stderr
    return folder


@pytest.fixture
def copy(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "r"))


def data(result: Result) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def test_a_report_goes_from_nation_to_nation_and_is_intact_once_both_signed(place: Place, copy: Path) -> None:
    waiting = place.at("GBR", "verify", copy)
    assert waiting.exit_code == 1 and "GBR  has not signed\nincomplete" in waiting.stdout
    silent = place.at("GBR", "sign", copy)
    assert silent.exit_code == 2 and "--as-received" in silent.stderr
    signed = place.at("GBR", "sign", copy, *place.recordings)
    assert signed.exit_code == 0 and "GBR  gbr signed: recomputed" in signed.stdout
    assert place.at("GBR", "sign", copy, *place.recordings).exit_code == 2
    whole = place.at("AUS", "verify", copy, *place.recordings)
    assert whole.exit_code == 0, whole.output
    assert "AUS  aus made it" in whole.stdout and whole.stdout.rstrip().endswith("intact")
    assert "the recordings here come to the same findings" in whole.stdout
    assert place.at("NOWHERE", "verify", copy).exit_code == 0
    nobody = place.typed("NOWHERE", "experiment", "verify", copy)
    assert nobody.exit_code == 1 and "nobody vouched for" in nobody.stdout


def test_an_altered_report_is_refused_with_what_is_wrong(place: Place, copy: Path) -> None:
    page = copy / "report.html"
    page.write_bytes(page.read_bytes().replace(b"limited success", b"limited succesS"))
    found = place.at("AUS", "verify", copy, "--json")
    assert found.exit_code == 4
    assert data(found)["wrong"] == ["'report.html' is not what was signed"]
    assert place.at("GBR", "sign", copy, "--as-received").exit_code == 4


def test_another_key_than_the_one_expected_is_foreign(place: Place, copy: Path) -> None:
    other = ("--sealed-by", f"aus={key_text(signer().public)}")
    assert place.typed("GBR", "experiment", "verify", copy, *other).exit_code == 4
    assert place.typed("GBR", "experiment", "sign", copy, "--as-received", *other).exit_code == 4


def test_signatures_of_two_copies_come_together(place: Place, copy: Path, made: Path, tmp_path: Path) -> None:
    assert place.at("GBR", "sign", copy, "--as-received").exit_code == 0
    other = shutil.copytree(made, tmp_path / "other")
    taken = place.at("AUS", "sign", other, "--with", copy)
    assert taken.exit_code == 0 and "GBR  signature taken over" in taken.stdout
    assert place.at("AUS", "verify", other).exit_code == 0


def test_made_again_it_is_the_same_report_and_another_is_not_written_over_it(place: Place, made: Path) -> None:
    before = (made / "signatures.json").read_bytes()
    assert place.report(made, "--experiment", "NORTHERN-WATCH", "--no-pdf").exit_code == 0
    assert (made / "signatures.json").read_bytes() == before
    other = place.report(made, "--experiment", "ANOTHER", "--no-pdf")
    assert other.exit_code == 2 and "another report" in other.stderr


def test_where_there_is_no_node_it_is_made_and_nobody_has_signed(place: Place, tmp_path: Path) -> None:
    result = place.report(tmp_path / "r", "--json", at="NOWHERE")
    assert result.exit_code == 0, result.output
    assert data(result)["missing"] == ["AUS", "GBR"]
    assert (tmp_path / "r" / "report.pdf").read_bytes().startswith(b"%PDF-")
    nobody = place.at("NOWHERE", "report", place.case, *place.recordings, "--out", tmp_path / "s")
    assert nobody.exit_code == 2 and "--signers" in nobody.stderr


def test_what_signs_reports_signs_nothing_else_and_for_no_person(place: Place) -> None:
    node = Node.open(place.folder / "AUS")
    by = node.context.report_signer()
    assert by.public == node.core.signer.public
    by.public.verify(CONTEXT, b"x", by.sign(CONTEXT, b"x"))
    for other in (b"aldis/recording/1", b"", b"aldis/report/1\x00"):
        with pytest.raises(ValueError, match="signs nothing under"):
            by.sign(other, b"x")
    account = Account(id="p", name="", nationality="AUS", clearance={}, projects=[])
    with pytest.raises(RefusedByPolicy):
        node.context.bound(Person(account, {})).report_signer()
    node.close()


def test_only_a_folder_takes_recordings_and_several_keys(place: Place, copy: Path) -> None:
    file = place.files["AUS"]
    assert place.at("AUS", "verify", copy, file).exit_code == 2
    assert place.at("AUS", "verify", file).exit_code == 2
    assert place.at("AUS", "verify", place.folder).exit_code == 2


def test_a_replay_comes_to_the_findings_of_the_report_and_of_other_recordings_does_not(
    place: Place, copy: Path
) -> None:
    files = place.files.values()
    result = place.at("GBR", "replay", *files, "--report", copy, "--json")
    assert result.exit_code == 0, result.output
    assert data(result)["findings"] == sha256((copy / "findings.json").read_bytes()).hex()
    result = place.at("GBR", "replay", place.files["AUS"], "--report", copy)
    assert result.exit_code == 4
    assert "do not come to the findings" in result.stderr
    findings = copy / "findings.json"
    findings.write_bytes(findings.read_bytes().replace(b"limited success", b"success", 1) + b" ")
    assert place.at("GBR", "replay", *files, "--report", copy).exit_code == 4
