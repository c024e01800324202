"""A low and a high node of one party, and a nation that knows the low one alone, in fair weather and foul."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from aldis.kernel.labels import Label, Releasability
from aldis.kernel.records import Draft, DraftPortion
from aldis.node.config import Config
from aldis.testing import Coalition, Weather, check_all
from aldis.testing.archive import Broken

LOW = Config(node="aus-low", party="AUS", policy="AUS", ceiling="SECRET")
HIGH = Config(node="aus-high", party="AUS", policy="AUS", ceiling="TOP SECRET")
SHARED = Label("AUS", "SECRET", Releasability.to("GBR"))
TOP = replace(SHARED, classification="TOP SECRET")
BRITISH = Label("UK", "SECRET", Releasability.to("AUS"))
ARRANGEMENT = """\
instrument = "arrangement"
id = "pa-watch"
title = "Watch"
parties = ["AUS", "GBR"]
from = 2026-01-01
until = 2035-12-31

[[clause]]
id = "1"
kinds = ["document"]
projects = ["WATCH"]
purposes = ["surveillance"]
ceiling = { AUS = "SECRET", UK = "SECRET" }
"""
FOUL = Weather(lose_request=0.1, lose_answer=0.1, delay=0.05, repeat=0.05, damage=0.03)


@pytest.fixture
def coalition() -> Iterator[Coalition]:
    with Coalition.of({"aus-low": LOW, "aus-high": HIGH, "gbr": "GBR"}) as made:
        made.pair("aus-low", "gbr")
        made.pair("aus-low", "aus-high")
        made.settle()
        made.arrange(ARRANGEMENT)
        yield made


def put(coalition: Coalition, name: str, record: str, **portions: tuple[Any, Label]) -> None:
    node = coalition[name]
    draft = Draft(
        kind="document", id=record, originator=name, author="officer", created=node.core.clock.now(),
        label=next(iter(portions.values()))[1], project="WATCH",
        portions=[DraftPortion(part, label, value) for part, (value, label) in portions.items()],
    )  # fmt: skip
    node.records.put(draft)


def held(coalition: Coalition, name: str) -> set[str]:
    return {row.id for row in coalition[name].core.store.records.since(0, 1000) if row.kind == "document"}


def bring_down(coalition: Coalition, record: str) -> None:
    desk = coalition["aus-high"].desk
    desk.offer(record, "aus-low")
    desk.rule(desk.cases().cases[0].number, "approved", "needed below", "officer")


@pytest.mark.parametrize("weather", [Weather(), FOUL], ids=["fair", "foul"])
def test_the_third_nation_gets_nothing_of_the_high_node(coalition: Coalition, weather: Weather) -> None:
    coalition.set_weather(weather)
    for number in range(6):
        put(coalition, "aus-low", f"low-{number}", title=("from below", SHARED))
        put(coalition, "aus-high", f"high-{number}", title=("whisper", SHARED), annex=("whisper", TOP))
        put(coalition, "gbr", f"gbr-{number}", title=("from GBR", BRITISH))
        coalition.step()
    bring_down(coalition, "high-2")
    coalition.settle()
    coalition.mend()
    coalition.settle()
    low = {f"low-{number}" for number in range(6)} | {f"gbr-{number}" for number in range(6)}
    high = {f"high-{number}" for number in range(6)}
    assert held(coalition, "aus-low") == low | {"high-2"}
    assert held(coalition, "aus-high") == low | high
    assert held(coalition, "gbr") == low
    sent = [bundle for bundle in coalition.archive.bundles.values() if bundle.receiver == "gbr"]
    assert not [bundle for bundle in sent if bundle.sender == "aus-high"]
    assert not any(b"whisper" in portion for one in sent for item in one.bundle.items for portion in item.portions)
    row = coalition["aus-low"].core.store.records.get("high-2")
    assert row is not None
    assert [portion.name for portion in row.record().portions] == ["title"]
    check_all(coalition)


def test_the_invariants_notice_a_record_that_came_down_without_a_ruling(coalition: Coalition) -> None:
    put(coalition, "aus-high", "high", title=("whisper", SHARED))
    partners = coalition["aus-high"].partners
    partners._is_below = lambda known: False  # type: ignore[method-assign]
    coalition["aus-high"].core.policy_changed()
    coalition.settle()
    assert "high" in held(coalition, "aus-low")
    del partners._is_below
    with pytest.raises(Broken, match="another policy epoch"):
        check_all(coalition)


def test_a_stick_serves_between_levels_as_well(coalition: Coalition) -> None:
    coalition.cut("aus-low", "aus-high")
    put(coalition, "aus-low", "low", title=("from below", SHARED))
    put(coalition, "gbr", "theirs", title=("from GBR", BRITISH))
    coalition.settle()
    assert held(coalition, "aus-high") == set()
    coalition.by_file("aus-low", "aus-high")
    assert held(coalition, "aus-high") == {"low", "theirs"}
    coalition.mend()
    coalition.settle()
    check_all(coalition)
