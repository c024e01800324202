"""`why`, `offer`, `hold`, `preview`, `instrument`: who gets what, and what would change it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from cli_nations import ARRANGEMENT, Coalition, Nation, carry, exchange, nation, pair, put_plan

from aldis.kernel.release import CHECKS

REVIEWED = ARRANGEMENT.replace("pa-northern-watch", "pa-reviewed").replace(
    'projects = ["NORTHERN-WATCH"]', 'projects = ["REVIEWED"]\nreview = true'
)


def put_note(one: Nation, name: str, project: str) -> None:
    one.run(
        *("put", "--kind", "document", "--id", name, "--project", project),
        *("--marking", "OFFICIAL//REL AUS/GBR/USA", "--portion", "title=A note"),
    )


def test_why_gives_all_eight_reasons_and_what_would_change_them(coalition: Coalition) -> None:
    put_plan(coalition.aus)
    shown = coalition.aus.run("why", "plan", "usa").stdout
    assert shown.startswith("plan: usa gets title, body; not annex.\n")
    for check in CHECKS:
        assert check in shown
    assert "✗ fails" in shown and "it is not releasable to USA" in shown
    assert "annex: AUS, its originator: make it releasable to USA" in shown
    assert "`aldis put --revise plan` with --marking M" in shown
    data = coalition.aus.ask("why", "plan", "USA")
    assert [part["part"] for part in data["parts"]] == ["", "title", "body", "annex"]
    assert all([reason["check"] for reason in part["reasons"]] == [*range(1, 9)] for part in data["parts"])
    assert (data["goes"], data["stays"]) == (["title", "body"], ["annex"])
    only = coalition.aus.ask("why", "plan", "usa", "--portion", "annex")
    assert [part["part"] for part in only["parts"]] == ["annex"]


def test_what_a_partner_may_be_told_says_nothing_of_the_record(coalition: Coalition) -> None:
    put_plan(coalition.aus)
    told = coalition.aus.run("why", "plan", "usa", "--for-partner").stdout
    assert "Ask its release officer" in told
    assert not any(word in told for word in ("annex", "SECRET", "releasable", "plan"))
    put_note(coalition.aus, "other", "NOWHERE")
    nothing = coalition.aus.ask("why", "other", "usa", "--for-partner")["text"]
    assert "no such record" in nothing


def test_an_offer_says_what_leaves_and_fails_where_nothing_does(coalition: Coalition) -> None:
    put_plan(coalition.aus)
    assert "usa gets title, body; not annex." in coalition.aus.run("offer", "plan", "usa").stdout
    put_note(coalition.aus, "other", "NOWHERE")
    refused = coalition.aus.run("offer", "other", "usa", code=3)
    assert "usa gets nothing of it" in refused.stdout
    assert "why other usa" in refused.stderr


def test_a_release_officer_rules_on_what_waits(coalition: Coalition) -> None:
    aus, gbr = coalition.aus, coalition.gbr
    aus.run("instrument", "draft", aus.write("reviewed.toml", REVIEWED))
    exchange(coalition, 1)
    for one in coalition:
        one.run("instrument", "sign", "pa-reviewed")
    exchange(coalition)
    put_note(aus, "careful", "REVIEWED")
    assert "until a release officer approves" in aus.run("offer", "careful", "gbr", code=3).stdout
    carry(aus, gbr)
    gbr.fails(2, "get", "careful")
    [asked] = aus.ask("desk", "list", "--partner", "gbr")["cases"]
    number = str(asked["number"])
    assert "Missing option '--because'" in aus.fails(2, "desk", "approve", number)
    assert "does not wait" in aus.fails(2, "desk", "approve", number, "--keep", "annex", "--because", "x")
    assert "go with one number" in aus.fails(2, "desk", "deny", "--all", "--partner", "gbr", "--only", "title",
                                             "--because", "x")  # fmt: skip
    assert (asked["waits"], asked["asked_by"]) == (["its existence", "title"], "pa-reviewed clause 4.1")
    shown = aus.run("desk", "show", number).stdout
    assert "review" in shown and "Nothing that you may see" in shown and asked["token"] in shown
    said = aus.fails(2, "desk", "approve", number, "--because", "x", "--if-state", "0" * 20)
    assert "is not what it was" in said
    aus.run("desk", "approve", number, "--because", "agreed with the project office", "--if-state", asked["token"])
    carry(aus, gbr)
    assert [one["name"] for one in gbr.ask("get", "careful")["portions"]] == ["title"]
    assert "denied" in aus.run("desk", "deny", number, "--because", "withdrawn").stdout
    assert "nothing waits under number 99" in aus.fails(2, "desk", "approve", "99", "--because", "x")


def test_nothing_of_a_held_record_leaves(coalition: Coalition) -> None:
    put_plan(coalition.aus)
    coalition.aus.run("hold", "plan", "--because", "an inquiry")
    carry(coalition.aus, coalition.gbr)
    coalition.gbr.fails(2, "get", "plan")
    assert "`aldis lift plan --because TEXT`" in coalition.aus.run("why", "plan", "gbr").stdout
    coalition.aus.run("lift", "plan", "--because", "the inquiry is over")
    carry(coalition.aus, coalition.gbr)
    assert coalition.gbr.ask("get", "plan")["id"] == "plan"
    assert "is not on hold" in coalition.aus.fails(2, "lift", "plan", "--because", "again")


def test_a_preview_names_what_a_draft_would_newly_release_and_to_whom(coalition: Coalition) -> None:
    aus = coalition.aus
    put_note(aus, "note-1", "OTHER")
    put_note(aus, "note-2", "OTHER")
    text = ARRANGEMENT.replace("pa-northern-watch", "pa-other").replace("NORTHERN-WATCH", "OTHER")
    file = aus.write("other.toml", text)
    shown = aus.run("preview", file).stdout
    assert "to gbr (GBR): 2 records" in shown and "note-1, note-2" in shown
    gains = {gain["node"]: gain for gain in aus.ask("preview", file)["gains"]}
    assert gains["usa"]["records"] == ["note-1", "note-2"]
    assert gains["usa"]["portions"] == {"title": 2}
    assert aus.ask("instrument", "list")["instruments"][0]["id"] == "pa-northern-watch"
    drafted = aus.run("instrument", "draft", file)
    assert "not yet signed by anyone" in drafted.stdout
    assert "newly release" in drafted.stderr and "Read that before you sign" in drafted.stderr


def test_drafts_that_rest_on_each_other_are_previewed_together(coalition: Coalition) -> None:
    aus = coalition.aus
    put_note(aus, "note-1", "OTHER")
    parent = aus.write("parent.toml", ARRANGEMENT.replace("pa-northern-watch", "ag-all").replace('"document"', '"x"'))
    text = ARRANGEMENT.replace("pa-northern-watch", "pa-other").replace("NORTHERN-WATCH", "OTHER")
    child = aus.write("child.toml", text.replace("until =", 'under = "ag-all"\nuntil =', 1))
    alone = aus.run("preview", child).stdout
    assert "pa-other would release nothing new" in alone
    assert "It stands under ag-all, which is not in force" in alone
    shown = aus.run("preview", parent, child)
    assert shown.stdout.startswith("ag-all and pa-other, signed by all, would from")
    assert "to gbr (GBR): 1 record" in shown.stdout and "not in force" not in shown.stdout
    assert "instrument draft" in shown.stderr and "parent.toml" in shown.stderr and "child.toml" in shown.stderr
    data = aus.ask("preview", child, parent)
    assert (data["instrument"], data["with"], data["lacking"]) == ("pa-other", ["ag-all"], [])
    assert {gain["node"]: gain["records"] for gain in data["gains"]} == {"gbr": ["note-1"], "usa": ["note-1"]}
    assert aus.ask("preview", child)["lacking"] == ["ag-all"]
    assert "two drafts of one instrument: pa-other, pa-other" in aus.fails(2, "preview", child, child)
    aus.fails(2, "preview")


def test_an_amendment_that_narrows_says_what_it_takes_back(coalition: Coalition) -> None:
    aus = coalition.aus
    put_plan(aus)
    narrower = aus.write("narrow.toml", ARRANGEMENT.replace('AUS = "SECRET"', 'AUS = "OFFICIAL"'))
    assert "take back some part of 1 record from somebody:\n  plan" in aus.run("preview", narrower).stdout
    assert aus.ask("instrument", "amend", narrower)["version"] == 2
    status = aus.ask("instrument", "show", "pa-northern-watch")
    assert (status["state"], status["version"]) == ("in force", 1)
    assert "version 2 waits for AUS, GBR, USA to sign" in status["text"] or status["missing"]
    assert "gbr gets all of it" in aus.run("why", "plan", "gbr").stdout


@pytest.mark.parametrize(("word", "gets"), [("terminate", "nothing of it"), ("leave", "all of it")])
def test_an_instrument_ends_for_all_or_for_one(coalition: Coalition, word: str, gets: str) -> None:
    aus, gbr, usa = coalition
    put_plan(aus)
    later, today = "2046-01-01", datetime.now(UTC).date().isoformat()
    assert f"from {later}" in usa.run("instrument", word, "pa-northern-watch", "--on", later).stdout
    assert usa.ask("instrument", "show", "pa-northern-watch")["state"] == "in force"
    assert "has passed" in usa.fails(2, "instrument", word, "pa-northern-watch", "--on", "2026-01-02")
    assert "is not a day" in usa.fails(2, "instrument", word, "pa-northern-watch", "--on", "31 May")
    usa.run("instrument", word, "pa-northern-watch", "--on", today)
    exchange(coalition, 1)
    assert "usa gets nothing of it" in aus.run("why", "plan", "usa").stdout
    assert f"gbr gets {gets}" in aus.run("why", "plan", "gbr").stdout
    assert gbr.ask("instrument", "list")["instruments"][0]["id"] == "pa-northern-watch"


def test_the_text_of_an_instrument_can_be_mended_and_amended(coalition: Coalition) -> None:
    aus = coalition.aus
    text = aus.run("instrument", "show", "pa-northern-watch", "--text").stdout
    assert text == ARRANGEMENT
    assert "Only its parties draft and sign it" in aus.fails(
        3, "instrument", "draft", aus.write("theirs.toml", text.replace('"AUS", ', "").replace("pa-", "pb-"))
    )


def test_a_departed_partner_gets_nothing_more_and_what_it_holds_is_listed(coalition: Coalition) -> None:
    aus, gbr = coalition.aus, coalition.gbr
    put_plan(aus)
    carry(aus, gbr)
    said = aus.run("partner", "depart", "gbr", "--because", "left the programme")
    assert "gbr has departed." in said.stdout
    assert "plan  version 1, SECRET//REL AUS/GBR" in said.stdout and "title, body, annex" in said.stdout
    assert "nothing goes to it" in aus.fails(2, "bundle", "export", "gbr")
    holds = aus.ask("partner", "show", "gbr", "--holds")["holds"]
    assert holds[-1]["id"] == "plan" and holds[-1]["acknowledged"] is True
    assert {"canary"}.isdisjoint(str(holds).split())
    aus.run("partner", "resume", "gbr", "--because", "back again")
    aus.run("partner", "suspend", "gbr", "--because", "pause")
    assert aus.ask("partner", "list")["partners"][0]["status"] == "suspended"
    assert "Reinstate" not in aus.run("why", "plan", "gbr").stdout
    assert "partner resume gbr" in aus.run("why", "plan", "gbr").stdout


def test_what_a_distrusted_key_signs_is_not_believed(coalition: Coalition) -> None:
    aus, gbr = coalition.aus, coalition.gbr
    said = gbr.run("partner", "distrust", "aus", "--after", "1", "--because", "its key was copied")
    assert "items after that came in before" in said.stderr
    put_plan(aus)
    files = aus.ask("bundle", "export", "gbr")["files"]
    assert "distrusted" in gbr.fails(4, "bundle", "import", *files)


def test_a_half_signed_and_an_expired_instrument_release_nothing_and_say_so(coalition: Coalition) -> None:
    aus = coalition.aus
    half = ARRANGEMENT.replace("pa-northern-watch", "pa-half").replace("NORTHERN-WATCH", "HALF")
    aus.run("instrument", "draft", aus.write("half.toml", half))
    aus.run("instrument", "sign", "pa-half")
    past = ARRANGEMENT.replace("pa-northern-watch", "pa-past").replace("NORTHERN-WATCH", "PAST")
    past = past.replace("2026-01-01", "2020-01-01").replace("2046-12-31", "2020-12-31")
    aus.run("instrument", "draft", aus.write("past.toml", past))
    exchange(coalition, 1)
    for one in coalition:
        one.run("instrument", "sign", "pa-past")
    exchange(coalition)
    put_note(aus, "half-note", "HALF")
    put_note(aus, "past-note", "PAST")
    exchange(coalition, 1)
    assert coalition.gbr.ask("list")["records"] == []
    assert "gbr gets nothing of it" in aus.run("why", "half-note", "gbr").stdout
    assert "GBR, USA have yet to sign" in aus.run("instrument", "show", "pa-half").stdout
    assert "gbr gets nothing of it" in aus.run("why", "past-note", "gbr").stdout
    states = {one["id"]: one["state"] for one in aus.ask("instrument", "list")["instruments"]}
    assert (states["pa-half"], states["pa-past"]) == ("not fully signed", "expired")


def test_a_node_below_the_level_of_a_record_does_not_get_it(coalition: Coalition) -> None:
    nzl = nation("NZL", coalition.aus.folder, "RESTRICTED")
    pair(coalition.aus, nzl)
    put_plan(coalition.aus)
    assert "nzl gets nothing of it" in coalition.aus.run("why", "plan", "nzl").stdout
