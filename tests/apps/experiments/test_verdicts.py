"""The laws of verdicts, and a slow obvious reference."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Literal, get_args

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from aldis.apps.experiments.cases.findings import VERDICTS, Mark, Measure, Reason, Verdict
from aldis.apps.experiments.cases.verdict import AT_MOST, ORDER, verdict_of, verdict_of_case

REASONS: tuple[Reason, ...] = get_args(Reason)
OUTCOMES: Sequence[Literal["met", "partly", "unknown", "failed"]] = ("met", "partly", "unknown", "failed")
WITHOUT_HARM = {"withheld by label", "coarsened by instrument", "delayed by instrument"}

SOME: Sequence[tuple[Reason, ...]] = [(), *((one,) for one in REASONS), ("too late", "field not permitted")]
MARKS = [Mark(rung="bytes", outcome=one, reasons=why) for one in OUTCOMES for why in SOME]
marks = st.sampled_from(MARKS)
few = settings(max_examples=20)
measures = st.sampled_from(
    [Measure(criterion="error_m", met=one, reasons=why) for one in (True, False, None) for why in SOME]
)
more_reasons = st.sampled_from(SOME)


def rank(verdict: Verdict) -> int:
    return ORDER.index(verdict)


def reference(several: Sequence[Mark]) -> Verdict:
    """Ask one question after the other, the worst answer first."""
    if not several:
        return "not tested"
    reasons = {reason for mark in several for reason in mark.reasons}
    outcomes = {mark.outcome for mark in several}
    if "failed" in outcomes or any(AT_MOST.get(one) == "interoperability issue" for one in reasons):
        return "interoperability issue"
    if "unknown" in outcomes or "recording missing" in reasons:
        return "pending"
    if "partly" in outcomes or reasons - WITHOUT_HARM:
        return "limited success"
    return "success"


def test_the_verdict_is_that_of_the_slow_reference() -> None:
    for count in (1, 2):
        for several in product(MARKS, repeat=count):
            assert verdict_of(several) == reference(several)


@few
@given(st.lists(marks, max_size=6))
def test_the_verdict_of_many_is_that_of_the_slow_reference(several: list[Mark]) -> None:
    assert verdict_of(several) == reference(several)


@few
@given(st.lists(marks, min_size=1, max_size=6), st.data())
def test_a_mark_that_turns_worse_never_improves_the_verdict(several: list[Mark], data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(several) - 1))
    worse = data.draw(st.sampled_from(OUTCOMES[OUTCOMES.index(several[at].outcome) :]))
    reasons = (*several[at].reasons, *data.draw(more_reasons))
    after = [*several]
    after[at] = msgspec.structs.replace(several[at], outcome=worse, reasons=reasons)
    assert rank(verdict_of(after)) >= rank(verdict_of(several))


@few
@given(st.lists(marks, min_size=1, max_size=6), marks)
def test_one_more_mark_never_improves_the_verdict(several: list[Mark], more: Mark) -> None:
    assert rank(verdict_of([*several, more])) >= rank(verdict_of(several))


@few
@given(st.lists(marks, max_size=6))
def test_the_order_of_marks_does_not_matter(several: list[Mark]) -> None:
    assert verdict_of(several) == verdict_of(list(reversed(several)))


@few
@given(st.lists(marks, max_size=5), st.sampled_from(["accepted but did not move", "recording incomplete"]))
def test_what_did_not_move_or_rests_on_half_a_recording_is_never_a_success(several: list[Mark], reason: Reason) -> None:
    held = Mark(rung="executed", outcome="met", reasons=(reason,))
    assert rank(verdict_of([*several, held])) >= rank("limited success")


def test_of_nothing_there_is_no_verdict() -> None:
    assert verdict_of([]) == verdict_of_case([]) == "not tested"
    assert set(ORDER) | {"not tested"} == set(VERDICTS)


def test_every_reason_but_a_nations_will_holds_a_verdict_down() -> None:
    assert set(REASONS) - set(AT_MOST) == WITHOUT_HARM


@few
@given(st.lists(measures, min_size=1, max_size=6), st.data())
def test_a_criterion_that_turns_worse_never_improves_a_case(several: list[Measure], data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(several) - 1))
    reasons = (*several[at].reasons, *data.draw(more_reasons))
    met = data.draw(st.sampled_from([True, False])) if several[at].met else several[at].met
    after = [*several]
    after[at] = msgspec.structs.replace(several[at], met=met, reasons=reasons)
    assert rank(verdict_of_case(after)) >= rank(verdict_of_case(several))


@few
@given(st.lists(measures, min_size=1, max_size=6))
def test_a_case_with_a_criterion_not_met_is_no_success(several: list[Measure]) -> None:
    if any(one.met is not True for one in several):
        assert verdict_of_case(several) != "success"
