"""Corners of the eight checks that worlds drawn at random seldom reach."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest
from scene import ARRANGEMENT, AT, EPOCH, REQUEST, with_instrument

from aldis.kernel.epoch import Partner, PolicyEpoch
from aldis.kernel.labels import Label, Releasability
from aldis.kernel.release import Decision, decide

TO = Releasability.to("GBR", "USA")


def epoch(ceiling: str, *, categories: str = "", node: Partner | None = None) -> PolicyEpoch:
    """The scene with another ceiling in clause 4.1 and another gbr-low."""
    text = ARRANGEMENT.replace('ceiling = { AUS = "SECRET" }', f"ceiling = {{ {ceiling} }}\n{categories}", 1)
    partner = node or Partner("gbr-low", "GBR", (("AUS", "TOP SECRET"), ("COA", "HIGH"), ("US", "TOP SECRET")))
    return replace(with_instrument(EPOCH, text, 2), partners=(partner,))


def asked(label: Label, there: PolicyEpoch) -> Decision:
    return decide(msgspec.structs.replace(REQUEST, label=label), there, AT)


@pytest.mark.parametrize(
    ("allowed", "held", "code"),
    [
        ({"BLUE"}, {"GREEN"}, "category-not-held"),
        ({"BLUE"}, {"BLUE"}, "categories-permitted"),
        ({"GREEN"}, {"BLUE", "GREEN"}, "categories-permitted"),
        ({"RED"}, {"BLUE"}, "category-not-permitted"),
        ({"BLUE"}, set(), "category-not-held"),
    ],
)
def test_one_permissive_value_must_be_both_permitted_and_held(allowed: set[str], held: set[str], code: str) -> None:
    node = Partner("gbr-low", "GBR", (("COA", "HIGH"),), (("Community", frozenset(held)),))
    there = epoch('COA = "HIGH"', categories=f"categories = {{ Community = {sorted(allowed)} }}", node=node)
    label = Label("COA", "LOW", TO, (("Community", frozenset({"BLUE", "GREEN"})),))
    assert asked(label, there).reasons[4].code == code


@pytest.mark.parametrize(
    ("ceiling", "code"),
    [
        ('AUS = "SECRET", UK = "TOP SECRET"', "within-ceilings"),
        ('AUS = "SECRET", UK = "SECRET"', "above-clause-ceiling"),
        ('AUS = "PROTECTED", UK = "TOP SECRET"', "above-clause-ceiling"),
        ('US = "SECRET", UK = "SECRET"', "within-ceilings"),
        ('CAN = "SECRET"', "unmapped"),
    ],
)
def test_every_rung_that_a_label_maps_to_must_be_within_the_clause(ceiling: str, code: str) -> None:
    assert asked(Label("US", "SECRET", TO), epoch(ceiling)).reasons[1].code == code


def test_one_clearance_that_is_high_enough_is_enough() -> None:
    label = Label("AUS", "TOP SECRET", TO)
    for ceiling, code in (
        ((("UK", "SECRET"), ("US", "TOP SECRET")), "within-ceilings"),
        ((("UK", "SECRET"),), "above-node-ceiling"),
        ((("CAN", "SECRET"),), "unmapped"),
        ((("US", "CUI"),), "above-node-ceiling"),
        ((("UK", "OFFICIAL"), ("US", "TOP SECRET")), "within-ceilings"),
    ):
        there = epoch('AUS = "TOP SECRET"', node=Partner("gbr-low", "GBR", ceiling))
        assert asked(label, there).reasons[1].code == code


@pytest.mark.parametrize(("onward", "code"), [("USA", "onward"), ("GBR", "origin-not-covered")])
def test_anothers_information_goes_on_only_to_whom_its_clause_names(onward: str, code: str) -> None:
    there = with_instrument(EPOCH, ARRANGEMENT.replace('onward = ["USA"]', f'onward = ["{onward}"]'), 2)
    label = Label("AUS", "SECRET", TO, origins=frozenset({"GBR"}))
    request = msgspec.structs.replace(REQUEST, label=label, recipient="usa-low")
    assert decide(request, there, AT).reasons[6].code == code
