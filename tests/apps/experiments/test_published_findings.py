"""Findings as records: they travel as they are labelled, are what they say, and stand beside those of others."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner, Result
from made_findings import CASES, findings

from aldis.apps.experiments.cases.findings import Findings, Verdict
from aldis.apps.experiments.published import FINDINGS, draft_of, findings_of
from aldis.apps.experiments.report import sign_report, write_report
from aldis.apps.experiments.report.merging import joined
from aldis.interfaces.cli.main import cli
from aldis.kernel.errors import InvalidInput
from aldis.kernel.labels import Label
from aldis.kernel.records import make_record
from aldis.node.node import Node

LABEL = Label("AUS", "OFFICIAL")
MARKING = "OFFICIAL: Sensitive//REL AUS/GBR"


def record(made: Findings, **changes: Any) -> Any:
    draft = draft_of(made, LABEL, record_id="f", node=made.node, at=1, project="")
    portions = [msgspec.structs.replace(one, value=one.value | changes.get(one.name, {})) for one in draft.portions]
    return make_record(msgspec.structs.replace(draft, portions=portions), bytes)


def test_findings_are_what_they_were_in_a_record_too() -> None:
    made = findings()
    found = record(made)
    for portion in found.portions:
        FINDINGS.check(portion)
    assert findings_of(found) == (made, [])


def test_what_was_withheld_is_named_and_what_was_changed_is_refused() -> None:
    made = findings()
    whole = record(made)
    part = msgspec.structs.replace(whole, portions=tuple(one for one in whole.portions if one.name != "scores"))
    assert findings_of(part) == (msgspec.structs.replace(made, scores={}), ["scores"])
    with pytest.raises(InvalidInput, match="not what they say"):
        findings_of(record(made, summary={"ended_us": 1}))
    with pytest.raises(InvalidInput, match="in the name of 'gbr'"):
        findings_of(record(made, summary={"node": "gbr"}))
    with pytest.raises(InvalidInput, match="no findings that can be read"):
        findings_of(record(made, cells={"cells": [{"source": 1}]}))


def said(node: str, *verdicts: Verdict) -> Findings:
    made = findings()
    cells = tuple(
        msgspec.structs.replace(one, verdict=verdict) for one, verdict in zip(made.cells, verdicts, strict=False)
    )
    return msgspec.structs.replace(made, node=node, cells=cells, outcomes=())


def test_who_could_judge_is_believed_and_a_disagreement_is_never_a_success() -> None:
    one = said("aus", "pending", "success", "success", "not tested", "success")
    two = said("gbr", "success", "interoperability issue", "success", "pending", "limited success")
    by = {cell.what: cell for cell in joined([one, two])}
    found = [by[f"{cell.source} to {cell.target}, {cell.message}"] for cell in one.cells]
    assert [(cell.verdict, cell.disagree) for cell in found] == [
        ("success", False), ("interoperability issue", True), ("success", False), ("pending", False),
        ("limited success", True),
    ]  # fmt: skip
    assert found[1].by == {"aus": "success", "gbr": "interoperability issue"}


def typed(folder: Path, *words: str | Path) -> Result:
    return CliRunner(env={"ALDIS_HOME": str(folder)}).invoke(cli, list(map(str, words)))


def test_a_nation_publishes_its_own_report_marked_as_its_recordings_or_higher(tmp_path: Path) -> None:
    home, folder = tmp_path / "aus", tmp_path / "r"
    assert typed(home, "init", "AUS").exit_code == 0
    made = findings(marking=MARKING, node="aus", party="AUS")
    write_report(made, CASES, folder, pdf=False)
    refused = typed(home, "experiment", "publish", folder)
    assert refused.exit_code == 2 and "made and signed" in refused.stderr
    node = Node.open(home)
    sign_report(folder, "AUS", "aus", node.context.report_signer(), at_ms=1, own=made)
    node.close()
    below = typed(home, "experiment", "publish", folder, "--marking", "OFFICIAL")
    assert below.exit_code == 3 and "OFFICIAL: Sensitive" in below.stderr
    result = typed(home, "experiment", "publish", folder)
    assert result.exit_code == 0 and result.stderr.startswith("OFFICIAL: Sensitive"), result.output
    (name,) = result.stdout.split()
    listed = typed(home, "experiment", "findings")
    assert name in listed.stdout and "2 interoperability issue" in listed.stdout
    shown = typed(home, "experiment", "findings", name, "--json")
    assert msgspec.convert(json.loads(shown.stdout)["findings"][0], Findings) == made
    assert typed(home, "experiment", "findings", "none").exit_code == 2


def test_findings_that_rest_on_what_another_policy_marks_are_not_published(tmp_path: Path) -> None:
    home, folder = tmp_path / "aus", tmp_path / "r"
    assert typed(home, "init", "AUS").exit_code == 0
    made = findings(marking=f"{MARKING}; UNCLASSIFIED//REL TO USA, AUS", node="aus", party="AUS")
    write_report(made, CASES, folder, pdf=False)
    node = Node.open(home)
    sign_report(folder, "AUS", "aus", node.context.report_signer(), at_ms=1, own=made)
    node.close()
    for more in ((), ("--marking", MARKING)):
        refused = typed(home, "experiment", "publish", folder, *more)
        assert refused.exit_code == 3 and "another policy" in refused.stderr
