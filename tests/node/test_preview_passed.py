"""A preview of what this node holds of others': what it may pass on by their grants, and what then goes."""

from __future__ import annotations

from pathlib import Path

import pytest
from nations import ARRANGEMENT, Coalition, to
from personnel import hire, signed_in

from aldis.kernel.labels import Label, Releasability

OF_THREE = ARRANGEMENT.replace('onward = ["USA"]\n', "")
OF_TWO = OF_THREE.replace('["AUS", "GBR", "USA"]', '["AUS", "GBR"]').replace(', US = "SECRET"', "")
BRITISH = ARRANGEMENT.replace("pa-northern-watch", "pa-british") + 'from = ["GBR"]\nto = ["AUS", "USA"]\n'
ALL = Label("AUS", "OFFICIAL", Releasability.to("AUS", "GBR", "USA"))
HIGH = Label("AUS", "SECRET", Releasability.to("AUS", "GBR", "USA"))
US_TOO = Label("AUS", "OFFICIAL", Releasability.to("AUS", "GBR"))


@pytest.fixture
def before(strangers: Coalition) -> Coalition:
    """AUS and GBR have an arrangement; GBR gives to both, and lets AUS pass some on to USA, which AUS may not yet."""
    coalition = strangers
    coalition.add("usa")
    for one, other in (("aus", "gbr"), ("gbr", "usa"), ("aus", "usa")):
        coalition.pair(one, other)
    coalition.settle()
    coalition.arrange(OF_TWO)
    coalition.arrange(BRITISH, "gbr")
    coalition.put("gbr", "same", {"title": ("may go on", ALL), "body": ("CANARY stays", US_TOO)})
    coalition.put("gbr", "high", {"title": ("may go on, and is secret", HIGH)})
    coalition.put("gbr", "kept", {"title": ("CANARY kept", US_TOO)})
    coalition.put("aus", "same", {"title": ("ours", ALL)})
    coalition.put("aus", "ours", {"title": ("ours alone", to("GBR"))})
    coalition.settle("aus", "gbr")
    return coalition


def test_what_a_newcomer_would_get_of_others_items_is_what_it_gets(before: Coalition) -> None:
    aus = before["aus"]
    found = aus.register.preview(OF_THREE)
    [gain] = [one for one in found.gains if one.node == "usa"]
    assert gain.records == ("gbr/high", "gbr/same", "same")
    assert dict(gain.portions) == {"title": 3}
    assert not [one for one in found.gains if one.node == "gbr"]
    aus.register.amend(OF_THREE, "officer")
    before.settle("aus", "usa")
    before.settle("aus", "gbr")
    for name in ("aus", "gbr", "usa"):
        before[name].register.sign("pa-northern-watch", "officer")
    before.settle("aus", "gbr")
    before.settle("aus", "usa")
    held = {
        f"{row.originator}/{row.id}": (row.source, len(row.portions))
        for row in before["usa"].core.store.records.since(0)
        if row.kind == "document"
    }
    assert held == {"gbr/high": ("aus", 1), "gbr/same": ("aus", 1), "aus/same": ("aus", 1)}
    assert b"CANARY" not in b"".join(one.body for one in before.wire if one.audience == "usa" and one.origin == "aus")
    assert not aus.register.preview(OF_THREE).gains


def test_a_preview_names_to_a_person_only_what_they_may_see(before: Coalition) -> None:
    aus = before["aus"]
    hire(aus, "low", clearance={"AUS": "OFFICIAL"})
    [gain] = [one for one in aus.register.preview(OF_THREE, viewer=signed_in(aus, "low")).gains if one.node == "usa"]
    assert gain.records == ("gbr/same", "same")


def test_what_must_be_transformed_is_nobodys_to_pass_on(before: Coalition) -> None:
    text = OF_THREE + 'transforms = [{ portion = "title", action = "pseudonymise" }]\n'
    [gain] = [one for one in before["aus"].register.preview(text).gains if one.node == "usa"]
    assert "title" in gain.portions
    assert gain.portions["title"] == 1


def test_nobody_is_said_to_gain_what_it_wrote_or_sent(tmp_path: Path) -> None:
    coalition = Coalition(tmp_path)
    for name in ("aus", "gbr"):
        coalition.add(name)
    coalition.pair("aus", "gbr")
    coalition.settle()
    coalition.arrange(OF_TWO)
    coalition.put("gbr", "theirs", {"title": ("of GBR", ALL)})
    coalition.settle()
    other = OF_TWO.replace("pa-northern-watch", "pa-other").replace('NORTHERN-WATCH"]', 'NORTHERN-WATCH", "MORE"]')
    assert not coalition["aus"].register.preview(other).gains
    coalition.close()
