"""Nothing that a hostile partner tries gains it anything, and each attempt meets the error that names it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from coalition_scenes import besieged

from aldis.testing import ATTACKS, Attack, Hostile


@pytest.fixture(scope="module")
def scene() -> Iterator[Hostile]:
    hostile = besieged()
    with hostile.coalition:
        yield hostile


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name.replace(" ", "-"))
def test_a_hostile_partner_gains_nothing_by_a(scene: Hostile, attack: Attack) -> None:
    outcome = scene.attempt(attack)
    assert outcome.gained == ()
    if attack.expects:
        assert {*outcome.refused, *outcome.set_aside} == {attack.expects}


def test_every_attack_has_a_name_of_its_own() -> None:
    assert len({attack.name for attack in ATTACKS}) == len(ATTACKS) > 100
