"""What a system that acts as an account is sent: what the account may see, and nothing from when it may not."""

from __future__ import annotations

import dataclasses

import msgspec
from nations import Coalition, to

from aldis.app import Live, System
from aldis.kernel.frames import Update
from aldis.kernel.labels import Label
from aldis.node.checks import run_checks
from aldis.node.people import Account
from aldis.node.showing import KEPT_MS

PROJECT = "NORTHERN-WATCH"
LOW, HIGH = Label("AUS", "OFFICIAL"), Label("AUS", "SECRET")


def live(label: Label, *, header: Label = LOW, project: str = PROJECT) -> Live:
    return Live("", label, Update("trk-1", "track", "position", 1, {"lat_deg": 1.0}), header, project)


def test_a_system_is_shown_what_its_account_may_see_and_no_more(coalition: Coalition) -> None:
    node = coalition["aus"]
    boat = Account(id="boat-1", name="Boat 1", nationality="AUS", clearance={"AUS": "OFFICIAL"}, projects=[PROJECT])
    node.people.add(boat)
    shows = node.context.may_show
    assert shows(live(LOW), "boat-1")
    assert not shows(live(HIGH), "boat-1"), "above its clearance"
    assert not shows(live(LOW, header=HIGH), "boat-1"), "of what it may not know of"
    assert not shows(live(LOW, project="OTHER"), "boat-1"), "of another project"
    assert not shows(live(LOW), "nobody"), "of an account that nobody has"


def test_what_changes_at_an_account_holds_within_a_second(coalition: Coalition) -> None:
    node = coalition["aus"]
    boat = Account(id="boat-1", name="Boat 1", nationality="AUS", clearance={"AUS": "SECRET"}, projects=[PROJECT])
    node.people.add(boat)
    assert node.context.may_show(live(HIGH), "boat-1")
    node.people.set(msgspec.structs.replace(boat, clearance={"AUS": "OFFICIAL"}))
    coalition.clock.advance(KEPT_MS)
    assert not node.context.may_show(live(HIGH), "boat-1")
    assert node.context.may_show(live(LOW), "boat-1")
    node.people.suspend("boat-1", "lost at sea")
    coalition.clock.advance(KEPT_MS)
    assert not node.context.may_show(live(LOW), "boat-1")
    assert KEPT_MS < 1_000


def test_a_foreign_system_is_shown_what_its_nation_would_get(coalition: Coalition) -> None:
    node = coalition["aus"]
    node.people.add(
        Account(id="boat-2", name="Boat 2", nationality="GBR", clearance={"AUS": "SECRET"}, projects=[PROJECT])
    )
    assert node.context.may_show(live(to("GBR")), "boat-2"), "the arrangement permits it"
    assert not node.context.may_show(live(to("USA")), "boat-2")
    assert not node.context.may_show(live(to("GBR"), project="OTHER"), "boat-2"), "no instrument permits it"


def test_doctor_tells_of_a_system_that_acts_as_nobody(coalition: Coalition) -> None:
    node = coalition["aus"]
    acting = {"a": "", "b": "nobody", "c": "c"}
    systems = [System(name=name, address="udp://:1", person=who) for name, who in acting.items()]
    node.core = dataclasses.replace(node.core, config=msgspec.structs.replace(node.core.config, systems=systems))
    node.people.add(Account(id="c", name="C", nationality="AUS", clearance={"AUS": "SECRET"}))
    found = {check.name: check for check in run_checks(node, quick=True)}
    assert [found[f"system {name}"].ok for name in "abc"] == [True, False, True]
    assert "aldis person add nobody" in found["system b"].fix
