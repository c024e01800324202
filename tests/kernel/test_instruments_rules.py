"""Exemption rules are dated, cited data, and an exemption counts only with the evidence of its day."""

from __future__ import annotations

import msgspec
import pytest
from scene import AT, EPOCH, EXEMPTION, REQUEST, SECRET, with_instrument
from worlds import day

from aldis.kernel.errors import UnknownTerm
from aldis.kernel.labels import Label
from aldis.kernel.release import Outcome, Reason, decide
from aldis.kernel.rules import evidence_fields, rule_at, rule_dates

AUKUS, FORCES = "22 CFR 126.7", "22 CFR 126.7(c)"
TAG = "USML:XI(c)"
EVIDENCE = evidence_fields(AUKUS)


def export(at: int = AT, recipient: str = "gbr-low", text: str = EXEMPTION) -> Reason:
    tagged = Label(SECRET.policy, SECRET.classification, SECRET.releasable, control=frozenset({TAG}))
    request = msgspec.structs.replace(REQUEST, label=tagged, recipient=recipient)
    return decide(request, with_instrument(EPOCH, text), at).reasons[5]


def test_a_rule_has_the_version_of_its_day() -> None:
    assert rule_at(AUKUS, day("2024-09-01") - 1) is None
    interim, final = rule_at(AUKUS, day("2024-09-01")), rule_at(AUKUS, day("2025-12-30"))
    assert interim is not None
    assert final is not None
    assert "89 FR 67270" in interim.source
    assert "90 FR 61053" in final.source
    assert rule_at(AUKUS, day("2025-12-30") - 1) == interim
    assert rule_at(FORCES, day("2025-12-30") - 1) is None
    assert rule_at(FORCES, day("2025-12-30")) is not None
    assert rule_dates() == {day("2024-09-01"), day("2025-12-30")}


def test_every_rule_names_its_paragraphs_and_its_source() -> None:
    for name in (AUKUS, FORCES):
        rule = rule_at(name, AT)
        assert rule is not None
        assert rule.source
        assert all(p.id.startswith("(") and p.text and p.evidence for p in rule.paragraphs)


def test_an_unknown_rule_is_named() -> None:
    with pytest.raises(UnknownTerm, match=r"22 CFR 126\.5"):
        rule_at("22 CFR 126.5", AT)


def test_all_evidence_is_enough() -> None:
    assert export().code == "licensed"


@pytest.mark.parametrize("field", EVIDENCE)
@pytest.mark.parametrize("how", ["missing", "false"])
def test_evidence_that_is_missing_or_false_fails_and_names_the_paragraph(field: str, how: str) -> None:
    rule = rule_at(AUKUS, AT)
    assert rule is not None
    paragraph = next(p for p in rule.paragraphs if field in p.evidence)
    new = "" if how == "missing" else f"{field} = false\n"
    reason = export(text=EXEMPTION.replace(f"{field} = true\n", new))
    assert (reason.outcome, reason.code) == (Outcome.FAIL, "evidence-missing")
    assert f"paragraph {paragraph.id}" in reason.text
    assert reason.instrument == "aukus"


def test_an_exemption_does_not_count_before_its_rule_is_in_force() -> None:
    assert export(at=day("2024-09-01") - 1).code == "evidence-missing"
    assert export(at=day("2024-09-01")).code == "licensed"


def test_an_exemption_is_for_the_parties_of_its_rule_only() -> None:
    wider = EXEMPTION.replace('["AUS", "GBR", "USA"]', '["AUS", "CAN", "GBR", "USA"]')
    assert export(recipient="can-low", text=wider).code == "evidence-missing"
    assert export(recipient="gbr-low", text=wider).code == "licensed"


def test_evidence_for_one_rule_is_none_for_another() -> None:
    other = EXEMPTION.replace('rule = "22 CFR 126.7"', 'rule = "22 CFR 126.7(c)"')
    with pytest.raises(UnknownTerm, match="asks for no such evidence"):
        export(text=other)
