"""Instruments as pages: read, drafted, compared, signed and ended by who may, and by nobody else."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from callers import Answer, Caller
from web_scene import OFFICIAL, SECRET, Scene, hire, scene, served

from aldis.kernel.authority import Role
from aldis.kernel.labels import Label, Releasability
from aldis.kernel.ledger import decode_leaf

Make = Callable[..., Caller]
HIDDEN = """\
instrument = "agreement"
id = "ag-amberfox"
title = "AMBERFOX"
parties = ["AUS", "GBR"]
from = 2026-01-01
until = 2029-12-31

[[clause]]
id = "1"
kinds = ["document"]
projects = ["AMBERFOX-PROJECT"]
purposes = ["survey"]
ceiling = { AUS = "SECRET" }
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """A node of its own, since instruments change what the others' tests rest on."""
    with scene(tmp_path_factory.mktemp("instruments")) as found, served(found):
        hire(found.node, "sam", name="Signer", roles=[Role.SECURITY_OFFICER])
        hire(found.node, "brit", name="Guest officer", nationality="GBR", clearance={"AUS": "SECRET"},
             roles=[Role.SECURITY_OFFICER, Role.RELEASE_OFFICER])  # fmt: skip
        found.node.register.draft(HIDDEN, "officer", Label("AUS", "SECRET", Releasability.to("AUS", "GBR")))
        found.settle()
        yield found


def draft(olive: Caller, beginning: str = "pa-harbour", **changes: str) -> tuple[str, str]:
    """The text of a draft like the template's, and its id."""
    page = olive.get("/drafts")
    given = re.search(r"id = &#34;pa-new-([0-9a-f]{8})&#34;", page.body)
    assert given, page.body
    name = f"{beginning}-{given.group(1)}"
    text = HIDDEN.replace("ag-amberfox", name).replace("AMBERFOX-PROJECT", "FAIR").replace("AMBERFOX", "Harbour fair")
    for old, new in changes.items():
        text = text.replace(old, new)
    return text.replace('ceiling = { AUS = "SECRET" }', 'ceiling = { AUS = "OFFICIAL" }'), name


def put(olive: Caller, text: str, do: str = "draft", path: str = "/drafts", **fields: str) -> Answer:
    return olive.post(path, {"text": text, "do": do, "marking": "", **fields})


def test_the_list_shows_what_is_in_force_on_a_time_line_and_nothing_that_one_may_not_see(
    caller: Make, made: Scene
) -> None:
    low = caller("bob").get("/instruments")
    assert "Northern Watch" in low.body and "in force" in low.body and 'class="today"' in low.body
    assert "SECRET (AUS), SECRET (UK)" in low.body and "style=" not in low.body
    assert "AMBERFOX" not in low.body.upper() and low.banners == ["OFFICIAL//REL AUS/GBR"] * 2
    assert "pairing-" not in low.body and "pairing-" in caller("bob").get("/instruments?pairings=yes").body
    high = caller("alice", "SECRET").get("/instruments")
    assert "AMBERFOX" in high.body and high.banners == ["SECRET//REL AUS/GBR"] * 2
    one = caller("alice", "SECRET").get("/instruments/ag-amberfox")
    assert "not fully signed: AUS, GBR have yet to sign" in one.body and "each of its parties (AUS, GBR)" in one.body


def test_what_one_may_not_see_is_answered_as_what_is_not_there(caller: Make, made: Scene) -> None:
    hire(made.node, "low", name="Low officer", roles=[Role.RELEASE_OFFICER, Role.SECURITY_OFFICER])
    low = caller("low")
    nothing = low.get("/instruments/pa-none")
    assert nothing.status == 404
    for below in ("", "/versions/1", "/compare", "/held", "/preview", "/amend", "/sign", "/end"):
        held = low.get(f"/instruments/ag-amberfox{below}")
        assert (held.status, held.plain) == (404, nothing.plain), below
        posted = low.post(f"/instruments/ag-amberfox{below}", {"text": HIDDEN, "do": "draft", "digest": "0" * 64})
        assert posted.status in (404, 405), below
    assert low.get("/instruments/pa-northern-watch/versions/2").plain == nothing.plain
    seen, none = (low.get(f"/instruments/pa-northern-watch/preview?with=ag-{name}fox") for name in ("amber", "grey"))
    assert seen.status == 200 and seen.plain.replace("amber", "grey") == none.plain
    taken = put(low, HIDDEN)
    free = put(low, HIDDEN.replace("ag-amberfox", "ag-greyfox"))
    assert taken.status == free.status == 422
    assert all("does not end in eight digits" in one.body for one in (taken, free))


def test_each_act_is_for_its_role_and_for_the_partys_own_people(caller: Make, made: Scene) -> None:
    name = "pa-northern-watch"
    for who, missing in {
        "alice": ("/amend", "/sign", "/end"), "olive": ("/sign", "/end"), "pat": ("/amend",),
        "audrey": ("/amend", "/sign", "/end", "/preview"), "gail": ("/amend", "/sign", "/end", "/preview", "/held"),
        "brit": ("/amend", "/sign", "/end", "/preview", "/held"),
    }.items():  # fmt: skip
        person = caller(who)
        for below in missing:
            assert person.get(f"/instruments/{name}{below}").status == 404, (who, below)
            assert person.post(f"/instruments/{name}{below}", {"on": "2027-01-01"}).status in (404, 405), (who, below)
    for who in ("alice", "pat", "audrey", "gail", "brit"):
        person = caller(who)
        person.get("/level")
        assert person.get("/drafts").status == person.post("/drafts", {"do": "draft"}).status == 404, who
    assert "What went" not in caller("brit").get(f"/instruments/{name}").body


def test_a_draft_is_checked_by_line_previewed_as_a_difference_and_put(caller: Make, made: Scene) -> None:
    olive = caller("olive")
    text, name = draft(olive)
    wrong = put(olive, text.replace("kinds", "kind"), "preview")
    assert (
        wrong.status == 422 and "line 10, clause 1 kind" in wrong.body and "Did you mean &#39;kinds&#39;" in wrong.body
    )
    assert "Harbour fair" in wrong.body, "what was typed is there again"
    line = olive.post("/drafts/reading", {"text": text.replace("2026-01-01", "soon")})
    assert "not TOML" in line.body
    seen = put(olive, text, "preview")
    assert seen.status == 200 and "Newly released: 1 record to GBR (gbr), none with an export-control tag" in seen.body
    assert "Programme of the industry fair" in seen.body and name not in olive.get("/instruments").body
    other = put(olive, text.replace(name, "pa-harbour-00000000").replace('"GBR"', '"USA"'), "preview")
    assert "Nothing new would go" in other.body
    made_ = put(olive, text)
    assert made_.headers["location"] == f"/instruments/{name}?done=drafted"
    page = olive.get(made_.headers["location"])
    assert "permits nothing until each of them has signed" in page.body and "by olive at aus" in page.body
    assert "Read and sign" not in page.body and "What would it newly release?" in page.body
    again = put(olive, text)
    assert again.status == 422 and "already" in again.body
    beyond = put(olive, draft(olive)[0], marking="SECRET//REL AUS/GBR")
    assert beyond.status == 403 and "could not read it" in beyond.body


def test_signing_takes_two_steps_and_what_was_looked_at(caller: Make, made: Scene) -> None:
    olive, sam = caller("olive"), caller("sam")
    text, name = draft(olive, "pa-signed")
    assert put(olive, text).status == 303
    page = sam.get(f"/instruments/{name}/sign")
    assert "Newly released: 1 record to GBR" in page.body and "after you, GBR has yet to sign" in page.body
    digest = re.search(r'name="digest" value="([0-9a-f]{64})"', page.body)
    assert digest
    unread = sam.post(f"/instruments/{name}/sign", {"digest": digest.group(1)})
    assert unread.status == 422 and not made.node.register.status(name).state.value.startswith("in force")
    assert sam.post(f"/instruments/{name}/sign", {"read": "yes"}).status == 422, "it does not say which version"
    amended = olive.get(f"/instruments/{name}/amend")
    old = re.search(r'name="digest" value="([0-9a-f]{64})"', amended.body)
    assert old and old.group(1) == digest.group(1)
    wider = text.replace('projects = ["FAIR"]', 'projects = ["FAIR", "HARBOUR"]')
    path = f"/instruments/{name}/amend"
    told = put(olive, wider, "preview", path, digest=digest.group(1))
    assert "Clause 1, projects" in told.body and "<ins>FAIR, HARBOUR</ins>" in told.body
    assert put(olive, wider.replace(name, "pa-other-00000000"), "draft", path, digest=digest.group(1)).status == 422
    assert put(olive, wider, "draft", path, digest=digest.group(1)).status == 303
    assert put(olive, wider, "draft", path, digest=digest.group(1)).status == 409, "somebody amended it meanwhile"
    stale = sam.post(f"/instruments/{name}/sign", {"digest": digest.group(1), "read": "yes"})
    assert stale.status == 409 and "newer version" in stale.body
    fresh = re.search(r'name="digest" value="([0-9a-f]{64})"', stale.body)
    assert fresh and sam.post(f"/instruments/{name}/sign", {"digest": fresh.group(1), "read": "yes"}).status == 303
    made.settle()
    assert made.partner is not None
    made.partner.register.sign(name, "officer")
    made.settle()
    found = sam.get(f"/instruments/{name}")
    assert f"{name} version 2 is in force" in found.body and 'href="/instruments/' + name + "/compare" in found.body
    assert "2 records" not in found.body and "gbr" in found.body and "Read and sign" not in found.body
    compared = sam.get(f"/instruments/{name}/compare")
    assert "Changed: clause 1" in compared.body and "<del>FAIR</del>" in compared.body
    held = sam.get(f"/instruments/{name}/held")
    assert "Programme of the industry fair" in held.body


def test_what_went_counts_what_one_may_see_and_no_more(caller: Make, made: Scene) -> None:
    made.put("deepfair", {"title": ("VIOLETFAIR", SECRET)})
    made.put("calm", {"title": ("Calm water", OFFICIAL)})
    made.settle()
    low, high = (caller("alice", rung).get("/instruments/pa-northern-watch") for rung in ("OFFICIAL", "SECRET"))

    def counts(page: Answer) -> int:
        return int(re.findall(r'/held">([0-9,]+)</a>', page.body)[0])

    assert counts(low) < counts(high)
    for path in ("", "/held"):
        assert not any(
            word in caller("alice").get(f"/instruments/pa-northern-watch{path}").body
            for word in ("VIOLET", "SECRET//", "deepfair")
        )
    assert "VIOLETFAIR" in caller("alice", "SECRET").get("/instruments/pa-northern-watch/held").body
    sees = caller("olive").get("/instruments/pa-northern-watch/preview")
    assert "VIOLET" not in sees.body and "Nothing new would go" in sees.body


def test_ending_needs_a_day_ahead_and_a_reason_which_stays_in_the_ledger(caller: Make, made: Scene) -> None:
    olive, sam = caller("olive"), caller("sam")
    text, name = draft(olive, "pa-ended")
    assert put(olive, text).status == 303
    page = sam.get(f"/instruments/{name}/end")
    digest = re.search(r'name="digest" value="([0-9a-f]{64})"', page.body)
    assert digest and "What its parties then hold" in page.body
    given = {"digest": digest.group(1), "effect": "terminate", "on": "2027-06-01", "because": "NOTNEEDED"}
    for name_, value in {"effect": "", "on": "2020-01-01", "because": " ", "digest": "0" * 64}.items():
        failed = sam.post(f"/instruments/{name}/end", {**given, name_: value})
        assert failed.status in (409, 422), name_
    assert made.node.register.notices(name, made.node.people.sessions.who(sam.token)) == ()
    done = sam.post(f"/instruments/{name}/end", given)
    assert done.headers["location"] == f"/instruments/{name}?done=ended"
    assert "AUS ends it for every party from" in sam.get(f"/instruments/{name}").body
    ledger = made.node.core.store.ledger
    leaves = [decode_leaf(ledger.leaf(place).data) for place in range(ledger.size())]
    assert [(leaf.actor, leaf.verdict) for leaf in leaves if "NOTNEEDED" in leaf.reasons] == [("sam", "terminate")]
    assert 'class="void"' in sam.get("/instruments").body
