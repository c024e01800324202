"""No canary of a withheld field is in anything for whoever may not have it; and where one is, it is found."""

from __future__ import annotations

import base64
from random import Random

import pytest

from aldis.apps.experiments.entity import Identity, Track, Type
from aldis.apps.experiments.gateways.registry import offered
from canaries import Canary, play

LEAKY = 11
WAYS = {
    "frame to gbr", "frame to usa", "bundle to gbr", "bundle to usa", "system of aus", "system of gbr",
    "reckoned at aus", "reckoned at gbr", "tape of gbr", "tape of usa", "tape of low",
}  # fmt: skip


def test_no_canary_is_in_what_is_for_whoever_may_not_have_it() -> None:
    outcome = play(1, 1_500)
    assert outcome.events == 1_500
    assert set(outcome.looked_at) >= {"frame to gbr", "frame to usa", "bundle to gbr", "bundle to usa"}


def test_where_everything_is_permitted_every_way_out_gives_canaries_away() -> None:
    assert set(play(LEAKY, 450, leak=True).found) == WAYS


def test_a_canary_is_known_in_each_of_its_forms() -> None:
    canary = Canary(Random(1), "track", "status")
    patterns = [*canary.patterns()]
    text = canary.text(4711)
    forms = [text.encode(), text.lower().encode(), text.encode("utf-16-le"), text.encode().hex().encode()]
    forms += [base64.b64encode(b"x" * lead + text.encode()) for lead in range(3)]
    forms += [f"{canary.value('angle', number):.12f}".encode() for number in (1, 4_000)]
    speaks = offered("nmea0183").open()
    named = Track(key="mmsi:230123456", identity=Identity(mmsi=230123456, name=canary.text(7)), type=Type(ship_type=70))
    forms += [b"".join(speaks.encode(named, 1_790_000_000_000_000).messages)]
    for form in forms:
        assert any(pattern in form for pattern in patterns), form
    assert canary.value("angle", 1) != canary.value("angle", 2)


@pytest.mark.slow
def test_no_canary_in_tens_of_thousands_of_events_of_other_worlds() -> None:
    for seed in range(100, 112):
        play(seed, 4_000)
