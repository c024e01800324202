"""What pages of experiments show, without a node: so far, the matrix, participants, and what protocols lose."""

from __future__ import annotations

import io
import time
import zipfile
from typing import Any, cast

import msgspec
import pytest
from made_findings import evidence, findings

from aldis.app import Context, Shown
from aldis.apps.experiments.cases.case import case_of
from aldis.apps.experiments.cases.findings import Cell, Mark, Measure, Outcome, Reason
from aldis.apps.experiments.participants.kind import ClockShown, StateShown, TrafficShown
from aldis.apps.experiments.participants.listing import ParticipantShown
from aldis.apps.experiments.report import write_report
from aldis.apps.experiments.web import runs_report
from aldis.apps.experiments.web.losses import PAGES as LOSSES
from aldis.apps.experiments.web.losses import fields, pair
from aldis.apps.experiments.web.matrix import cell_named, cell_shown, classes, counted, outcomes_shown
from aldis.apps.experiments.web.participants import clock_words, row
from aldis.apps.experiments.web.runs_report import zipped
from aldis.apps.experiments.web.runs_so_far import FINAL, so_far
from aldis.apps.experiments.web.tasks import corners
from aldis.kernel.errors import InvalidInput, Unavailable, UnknownTerm

OPEN: tuple[Reason, ...] = ("recording incomplete",)


def outcome(*measures: Measure) -> Outcome:
    whole = Measure(criterion="recording", met=False, reasons=OPEN, text="that of aus is not whole")
    given = Outcome(
        case="c", title="C", case_digest="0" * 64, measures=(whole, *measures), verdict="limited success", reasons=OPEN
    )
    return so_far(findings(outcomes=(given,))).outcomes[0]


def measured(met: bool | None, *reasons: Reason) -> Measure:
    return Measure(criterion="updates", step="s", met=met, reasons=reasons, evidence=(evidence(1),), text="2 of 5")


def test_so_far_what_was_met_is_a_success_and_what_may_yet_come_is_pending() -> None:
    assert outcome(measured(True)).verdict == "success"
    waits = outcome(measured(True), measured(False, "incomplete"))
    assert (waits.verdict, waits.reasons) == ("pending", ())
    assert waits.measures[-1].text == "not so far; incomplete; 2 of 5"
    assert outcome(measured(None, *OPEN)).verdict == "pending"
    assert outcome(Measure(criterion="updates", met=None, step="s")).verdict == "not tested"


@pytest.mark.parametrize("reason", sorted(FINAL))
def test_so_far_what_no_message_can_take_away_is_an_issue_at_once(reason: Reason) -> None:
    assert outcome(measured(True), measured(False, reason)).verdict == "interoperability issue"


def test_so_far_a_missing_nation_stays_missing() -> None:
    assert outcome(measured(True), measured(None, "recording missing")).verdict == "pending"


def cell(*marks: Mark) -> Cell:
    given = Cell(source="aus/a", target="aus/b", message="track", protocols=("x", "y"), marks=marks, verdict="pending")
    return so_far(findings(cells=(given,))).cells[0]


def test_so_far_a_cell_is_held_against_nothing_that_may_yet_come() -> None:
    met = Mark(rung="bytes", outcome="met", reasons=OPEN)
    assert cell(met).verdict == "success"
    assert cell(met, Mark(rung="decoded", outcome="failed", reasons=("nothing arrived",))).verdict == "pending"
    assert cell(met, Mark(rung="bytes", outcome="partly", reasons=("incomplete",))).verdict == "pending"
    assert cell(met, Mark(rung="fidelity", outcome="partly", reasons=("field dropped",))).verdict == "limited success"
    assert (
        cell(met, Mark(rung="state", outcome="failed", reasons=("identity switched",))).verdict
        == "interoperability issue"
    )
    assert cell().verdict == "not tested"


def test_the_matrix_has_every_pair_and_a_cell_its_rungs_in_order_with_where_to_look() -> None:
    made = findings()
    tables = classes(made)
    assert [one.message for one in tables] == ["track", "tasking"]
    assert tables[0].targets == ["gbr/tak", "usa/dis"] and [name for name, _ in tables[0].rows] == [
        "aus/usv",
        "usa/dis",
    ]
    first, second = tables[0].rows[1][1]
    assert first.sign is not None and first.sign.words == "pending" and second.sign is None
    one = cell_shown(made, cell_named(made, "aus/usv", "usa/dis", "track"))
    assert [line.name for line in one.lines] == ["bytes", "fidelity"] and one.lines[1].sign.tone == "waits"
    assert one.lines[1].why[0] == "not sayable: the protocol of the target has no way to say it"
    assert (one.lines[0].places[0].file, one.lines[0].places[0].sequence) == ("aus-20261122-0001.mcap", 4)
    with pytest.raises(UnknownTerm):
        cell_named(made, "aus/usv", "usa/dis", "area")


def test_what_falls_short_is_counted_first_and_nobody_failed_what_nobody_tried() -> None:
    made = findings()
    assert [(count, one.words) for count, one in counted([one.verdict for one in made.cells])] == [
        (1, "interoperability issue"), (1, "limited success"), (1, "pending"), (1, "not tested"), (1, "success"),
    ]  # fmt: skip
    untested = msgspec.structs.replace(made.outcomes[1], verdict="not tested")
    (shown,) = outcomes_shown(msgspec.structs.replace(made, outcomes=(untested,)))
    assert {line.sign.words for line in shown.lines} == {"not tested"}


def test_a_report_without_the_library_for_pdf_has_all_else_and_is_to_be_signed_by_whoever_recorded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def bare(*given: Any, pdf: bool = True, **more: Any) -> None:
        if pdf:
            raise Unavailable("no reportlab")
        write_report(*given, pdf=False, **more)

    monkeypatch.setattr(runs_report, "write_report", bare)
    made = findings()
    cases = [case_of(b'case = "raft"\ntitle = "t"\n[[step]]\nname = "a"\ndoes = "sense"\nwho = "aus/usv"\n', "x")]
    one = zipped(made, cases, "report-x", {"aus": "AUS", "gbr": "GBR", "usa": "USA"})
    assert one == zipped(made, cases, "report-x", {"aus": "AUS", "gbr": "GBR", "usa": "USA"})
    with zipfile.ZipFile(io.BytesIO(one)) as packed:
        names = packed.namelist()
        sheet = msgspec.json.decode(packed.read("report-x/signatures.json"))
    assert {"report-x/findings.json", "report-x/report.html", "report-x/signatures.json"} <= set(names)
    assert (sheet["manifest"]["parties"], sheet["signatures"]) == (["AUS", "GBR"], [])
    assert "report-x/report.pdf" not in names


def participant(**more: Any) -> ParticipantShown:
    values: dict[str, Any] = {
        "name": "aus/usv", "node": "aus", "party": "AUS", "record": "ptc-1", "marking": "OFFICIAL", "known": 1,
        "stale": False, "state": StateShown(system="usv", protocol="mavlink", state="joined", since=1),
        "clock": ClockShown(low_us=-20_000, high_us=30_000), "traffic": TrafficShown(heard=10, damaged=2, last=1),
        "node_clock_low_us": None,
    }  # fmt: skip
    return ParticipantShown(**{**values, **more})


def test_a_participant_is_said_in_words_with_what_is_missing_and_what_to_do() -> None:
    here = row(participant(), "aus")
    assert (here.state, here.tone, here.own, here.next) == ("present", "holds", True, "")
    assert here.missing == ["2 of 10 messages were damaged"] and here.clock == "-0.020 to +0.030 s"
    words = {state: row(participant(state=StateShown(system="u", state=state, since=1)), "gbr").state
             for state in ("waiting", "silent", "returned", "ended", "failed")}  # fmt: skip
    assert words == {
        "waiting": "late",
        "silent": "lost",
        "returned": "back",
        "ended": "left",
        "failed": "cannot be reached",
    }
    stale = row(participant(stale=True), "gbr")
    assert stale.state == "present, by the last news of it" and stale.tone == "waits" and "partner" in stale.next
    bare = row(participant(state=None, clock=None, traffic=None), "gbr")
    assert (bare.state, bare.missing) == ("not known", ["its state is withheld", "what comes from it is withheld"])
    assert clock_words(ClockShown(low_us=5_000, jumps=2)) == "at least +0.005 s, set 2 times"


def test_what_two_protocols_lose_is_counted_and_each_field_says_why() -> None:
    found = pair("geojson", "csv")
    assert found is not None and 0 < found.share <= 100 and found.counts["unexplained"] == 0
    rows = [one for _, some in fields("geojson", "csv") for one in some]
    assert len(rows) == sum(found.counts.values())
    assert all(one.why for one in rows if one.fate in ("dropped", "approximated"))
    for a, b in (("geojson", "geojson"), ("geojson", "smoke"), ("smoke", "csv")):
        with pytest.raises(UnknownTerm):
            fields(a, b)


def test_corners_are_read_line_by_line() -> None:
    assert [(one.lat_deg, one.lon_deg) for one in corners("59.9, 24.5\n\n-10,170\n")] == [(59.9, 24.5), (-10.0, 170.0)]
    for text in ("59.9", "91,0", "0,181", "a,b", "1,2,3"):
        with pytest.raises(InvalidInput, match="no place"):
            corners(text)


@pytest.mark.slow
def test_the_table_of_losses_keeps_nobody_waiting_and_is_whole_in_the_end() -> None:
    page = next(one for one in LOSSES if one.path == "/runs/losses")
    began = time.monotonic()
    while True:
        shown = page.handler(cast("Context", None), page.asks())
        assert isinstance(shown, Shown)
        if not shown.values["waits"]:
            break
        assert time.monotonic() < began + 120
        time.sleep(0.05)
    known, names = shown.values["known"], shown.values["names"]
    assert names and all(known[a, b].counts for a in names for b in names if a != b)
