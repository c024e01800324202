"""Compare: what a partner gets is all that stands in its pane, and what one may not see oneself stands nowhere."""

from __future__ import annotations

import json
import re
from html import unescape
from typing import Any
from urllib.parse import quote

import msgspec
import pytest
from callers import Caller
from compare_scene import ALL, HIGH, OURS, Sea
from test_live_pages import stream

from aldis.apps.experiments.web.compare_panes import Panes, panes
from aldis.apps.experiments.web.runs_files import permitted
from aldis.kernel.epoch import PartnerStatus
from aldis.kernel.errors import RefusedByPolicy, UnknownTerm

COMPARE = "/experiments/compare"
SECRETS = ("WITHHELDSTATION", "SOUTHERN STAR", "12.34568", "12.345678", "132.222", "13.111")
"""What the table says of it or the record holds, that GBR is not given."""


@pytest.fixture(scope="module")
def made(at_sea: Sea) -> Sea:
    return at_sea


def seen(made: Sea, who: str = "olive", rung: str = "SECRET", *partners: str) -> Panes:
    person = made.node.people.standing(who)
    assert person is not None
    person = msgspec.structs.replace(person, level={**person.level, "AUS": rung})
    return panes(made.node.context.bound(person), partners or ("gbr", "usa"))


def words(found: Panes, track: str, partner: str) -> dict[str, str]:
    lines = next(lines for one, lines in found.tracks if one.record.header.id == track)
    return {line.portion: cell.word for line in lines for cell in line.cells if cell.partner == partner}


def placed(found: Panes, partner: str) -> dict[str, Any]:
    return {one.record.header.id: values for one, values in found.places[partner]}


def test_each_pane_has_what_the_rules_let_go_and_nothing_else(made: Sea) -> None:
    found = seen(made)
    assert words(found, "t-shared", "gbr") == {
        "": "passed",
        "position": "coarsened",
        "identity": "pseudonymised",
        "sensor": "withheld",
    }
    assert words(found, "t-shared", "usa") == {
        "": "passed",
        "position": "passed",
        "identity": "withheld",
        "sensor": "withheld",
    }
    assert set(words(found, "t-british", "usa").values()) == {"withheld"}
    assert set(placed(found, "usa")) == {"t-shared", "t-high"}
    assert set(placed(found, "gbr")) == {"t-shared", "t-high", "t-british", "t-gbr"}
    assert set(words(found, "t-gbr", "gbr").values()) == {"its own"}
    assert set(words(found, "t-gbr", "usa").values()) == {"withheld"}, "nobody else's to give"
    rows = placed(found, "gbr")
    assert rows["t-shared"]["position"]["grid_m"] == 2000 and "sensor" not in rows["t-shared"]
    pane = str(rows) + str(
        [cell for _, lines in found.tracks for line in lines for cell in line.cells if cell.partner == "gbr"]
    )
    assert not [secret for secret in SECRETS if secret in pane]


def test_what_is_shown_is_what_a_frame_takes(made: Sea) -> None:
    made.clock.at += 1_000
    moved = {"lat_deg": -12.9, "lon_deg": 130.9}
    made.publish("t-shared", "position", moved, ALL)
    made.publish("t-shared", "motion", {"speed_mps": 7.25}, OURS)
    out, context = made.node.live_out, made.node.context
    values = context.latest("track")
    (coarse,) = [one.value for one, _ in out.would_take("gbr", values) if one is not None]
    assert [one.value for one, _ in out.would_take("usa", values) if one is not None] == [moved]
    rows = {name: placed(seen(made), name) for name in ("", "gbr", "usa")}
    assert rows[""]["t-shared"]["position"] == rows["usa"]["t-shared"]["position"] == moved
    assert rows["gbr"]["t-shared"]["position"] == coarse != moved and "motion" not in rows["gbr"]["t-shared"]
    assert words(seen(made), "t-shared", "gbr")["motion"] == "withheld"
    made.node.context._newest.__init__()  # type: ignore[misc]


def test_what_one_may_not_see_is_nowhere(made: Sea) -> None:
    low = seen(made, "olive", "OFFICIAL")
    assert "t-high" not in str(low) and "HIDDENHULL" not in str(low)
    officer = Caller(made).sign_in("olive", "OFFICIAL")
    page = officer.get(COMPARE)
    assert page.status == 200 and page.banners == ["OFFICIAL//AGAO"] * 2
    absent = officer.get(f"{COMPARE}/why?node=aus&record=n0ne&partner=gbr&portion=identity")
    hidden = officer.get(f"{COMPARE}/why?node=aus&record=t-high&partner=gbr&portion=identity")
    assert hidden.status == absent.status == 404 and hidden.plain == absent.plain
    none = officer.get(f"{COMPARE}/why?node=aus&record=t-shared&partner=gbr&portion=voyage")
    assert none.status == 404 and none.plain == absent.plain
    assert not [text for text in officer.seen if "HIDDENHULL" in text or re.search("t-high(?!&)", text)]
    assert "HIDDENHULL" in Caller(made).sign_in("olive", "SECRET").get(COMPARE).body
    made.clock.at += 1_000
    with stream(officer, f"{COMPARE}/feed") as following:
        first = following()
        assert first["banner"]["text"] == "OFFICIAL//AGAO" and "SOUTHERN STAR" in first["html"]
        made.publish("t-shared", "motion", {"speed_mps": 7531.25}, HIGH)
        made.publish("t-shared", "status", {"state": "adrift"}, ALL)
        second = following()
        assert "adrift" in second["html"] and "7531" not in second["html"] and "HIDDENHULL" not in second["html"]
    made.node.context._newest.__init__()  # type: ignore[misc]


@pytest.mark.parametrize("who", ["alice", "bob", "pat", "audrey", "gail"])
def test_only_a_release_officer_compares(made: Sea, who: str) -> None:
    caller = Caller(made).sign_in(who)
    for path in (
        COMPARE,
        f"{COMPARE}/why?node=aus&record=t-shared&partner=gbr",
        f"{COMPARE}?to=nobody",
        f"{COMPARE}/feed",
    ):
        page = caller.get(path)
        assert page.status == 403 and "SOUTHERN STAR" not in page.body, path
    assert f'href="{COMPARE}"' not in caller.get("/records").body
    person = made.node.people.standing(who)
    assert person is not None
    with pytest.raises(RefusedByPolicy):
        made.node.context.bound(person).given([], "gbr")


def test_a_map_has_no_row_of_what_does_not_go(made: Sea) -> None:
    page = Caller(made).sign_in("olive", "SECRET").get(f"{COMPARE}?to=gbr&also=usa").body
    rows = {of: json.loads(unescape(text)) for of, text in re.findall(r'data-map="(\w*)" data-rows="([^"]*)"', page)}
    assert {of: {row["id"] for row in some} for of, some in rows.items()} == {
        "": {"t-shared", "t-british", "t-ours"},
        "gbr": {"t-shared", "t-british"},
        "usa": {"t-shared"},
    }
    (star,) = [row for row in rows["gbr"] if row["id"] == "t-shared"]
    assert star["grid"] == 2000 and (star["lat"], star["lon"]) != (-12.34568, 130.98765)
    assert not [secret for secret in SECRETS if secret in str(rows["gbr"])] and "SOUTHERN" not in str(rows["usa"])


def test_a_field_says_why_with_its_clause_and_what_would_change_it(made: Sea) -> None:
    officer = Caller(made).sign_in("olive", "SECRET")
    page = officer.get(f"{COMPARE}?to=gbr")
    assert "WITHHELDSTATION" in page.body and page.body.count('class="given') > 4
    links = re.findall(r'class="why" href="([^"]+)"', page.body)
    for link in links:
        assert officer.get(link.replace("&amp;", "&")).status == 200
    why = officer.get(f"{COMPARE}/why?node=aus&record=t-shared&partner=gbr&portion=sensor").body
    assert "it is not releasable to GBR" in why and "pa-gbr clause 2.1" in why
    assert "make it releasable to GBR" in why and "withheld" in why
    coarse = officer.get(f"{COMPARE}/why?node=aus&record=t-shared&partner=gbr&portion=position").body
    assert "Changed on its way (coarsen 2000 m), as pa-gbr clause 2.1 asks" in coarse


def test_a_hold_and_a_suspended_partner_show_at_once(made: Sea) -> None:
    made.node.desk.hold("t-british", "waits for a check")
    assert set(words(seen(made), "t-british", "gbr").values()) == {"withheld"}
    made.node.desk.lift("t-british", "checked")
    assert words(seen(made), "t-british", "gbr")["position"] == "coarsened"
    made.node.partners.set_status("usa", PartnerStatus.SUSPENDED, "a test")
    officer = Caller(made).sign_in("olive", "SECRET")
    assert officer.get(f"{COMPARE}?to=usa").status == officer.get(f"{COMPARE}?to=nobody").status == 404
    with pytest.raises(UnknownTerm):
        seen(made, "olive", "SECRET", "usa")
    assert '<option value="usa"' not in officer.get(COMPARE).body
    made.node.partners.set_status("usa", PartnerStatus.ACTIVE, "a test")


def test_words_of_tracks_narrow_it_and_empty_states_say_what_next(made: Sea) -> None:
    officer = Caller(made).sign_in("olive", "SECRET")
    found = officer.get(f"{COMPARE}?text={quote('SOUTHERN')}")
    assert "SOUTHERN STAR" in found.body and "HIDDENHULL" not in found.body
    nothing = officer.get(f"{COMPARE}?text=nowhere")
    assert "Show all" in nothing.body and nothing.status == 200


def test_what_goes_later_or_waits_for_an_officer_says_so_and_is_on_no_map(made: Sea) -> None:
    made.track("t-later", "HARBOUR")
    found = seen(made)
    assert words(found, "t-later", "gbr") == {"": "passed", "position": "delayed"}
    assert "position" not in placed(found, "gbr")["t-later"]
    officer = Caller(made).sign_in("olive", "SECRET")
    assert re.search(r"delayed.*?from <time", officer.get(COMPARE).body, re.DOTALL)
    made.clock.at += 3_600_000
    assert words(seen(made), "t-later", "gbr") == {"": "passed", "position": "passed"}
    made.node.records.delete("t-later", "olive")
    made.track("t-waits", "QUAY")
    told = made.node.core.store.ledger.size()
    assert words(seen(made), "t-waits", "gbr") == {"": "for an officer", "position": "for an officer"}
    assert "t-waits" not in placed(seen(made), "gbr")
    assert made.node.core.store.ledger.size() == told and not made.node.desk.cases().cases, "to look asks nothing"
    made.node.records.delete("t-waits", "olive")


def test_a_run_with_what_a_partner_released_is_for_whoever_may_see_that_too(at_sea: Sea) -> None:
    person = at_sea.node.people.standing("alice")
    assert person is not None

    def markings(rung: str, *said: str) -> bool:
        who = msgspec.structs.replace(person, level={**person.level, "AUS": rung})
        return permitted(at_sea.node.context.bound(who), said) is not None

    own, theirs = "OFFICIAL//REL AUS/GBR/USA", "UK OFFICIAL"
    assert markings("SECRET", own, theirs) and markings("SECRET", own) and not markings("UNOFFICIAL", own)
    assert not markings("UNOFFICIAL", theirs)
    for beyond in ("UK SECRET – UK EYES ONLY", "UK TOP SECRET", "COSMIC TOP SECRET", "XYZZY", ""):
        assert not markings("SECRET", own, beyond), beyond
    for words in ("SECRET", "UK OFFICIAL", "XYZZY"):
        read = {label.policy: node for label, node in at_sea.node.context.readings(words).items()}
        every = {"AUS": "", "UK": "gbr", "US": "usa"}
        assert read == {"SECRET": every, "UK OFFICIAL": {"UK": "gbr"}, "XYZZY": {}}[words]
