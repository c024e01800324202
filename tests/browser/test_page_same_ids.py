"""One id at two nodes: each line of a list leads to its own record, and everything on that page stays with it."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from callers import Caller
from web_scene import OFFICIAL, PROJECT, Scene

from aldis.kernel.records import Draft, DraftPortion, Record, make_record, next_version

Make = Callable[..., Caller]


@pytest.fixture(scope="module")
def twins(made: Scene) -> Scene:
    """AUS's own record twin, and one of GBR's with that id, in two versions."""
    made.put("twin", {"title": ("OURS twin", OFFICIAL)})
    before: Record | None = None
    for text in ("THEIRS first", "THEIRS second"):
        draft = Draft(
            kind="document", id="twin", originator="gbr", author="o", created=made.clock.now(), label=OFFICIAL,
            portions=[DraftPortion("title", OFFICIAL, text)], project=PROJECT,
        )  # fmt: skip
        before = make_record(next_version(before, draft) if before else draft, made.node.core.random)
        made.node.core.store.records.put([before], made.clock.now(), "gbr")
    return made


def test_each_line_leads_to_its_own_record(twins: Scene, caller: Make) -> None:
    alice = caller("alice")
    for page in ("/records", "/search?q=twin"):
        listed = alice.get(page).body
        assert 'href="/records/twin"' in listed
    assert 'href="/records/twin?originator=gbr"' in alice.get("/records").body
    assert 'href="/records/twin?originator=gbr"' in alice.get("/search?q=THEIRS").body
    ours, theirs = alice.get("/records/twin"), alice.get("/records/twin?originator=gbr")
    assert "OURS twin" in ours.body and "THEIRS" not in ours.body and "originator=gbr" not in ours.body
    assert "THEIRS second" in theirs.body and "OURS" not in theirs.body


def test_what_the_page_links_to_is_of_the_same_record(twins: Scene, caller: Make) -> None:
    alice = caller("alice")
    page = alice.get("/records/twin?originator=gbr").body
    links = {link.replace("&amp;", "&") for link in re.findall(r'href="(/records/twin[^"]*)"', page)}
    assert links == {"/records/twin?originator=gbr&version=1", "/records/twin/to/gbr?originator=gbr"}
    older = alice.get("/records/twin?originator=gbr&version=1").body
    assert "THEIRS first" in older and "OURS" not in older
    release = alice.get("/records/twin/to/gbr?originator=gbr")
    assert "THEIRS second" in release.body and 'action="/records/twin/to/gbr?originator=gbr"' in release.body


def test_an_offer_from_the_page_is_of_the_same_record(twins: Scene, caller: Make) -> None:
    alice = caller("alice")
    asked = alice.post("/records/twin/to/gbr?originator=gbr", {})
    assert asked.status == 303
    assert "originator=gbr" in asked.headers["location"]
    assert caller("alice").get("/records/twin?originator=nobody").status == 404
