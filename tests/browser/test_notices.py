"""Searches that are narrowed and saved, and notices of what is new: only of what their owner may see now."""

from __future__ import annotations

from collections.abc import Callable

from callers import Caller
from web_scene import OFFICIAL, SECRET, Scene

Make = Callable[..., Caller]


def test_a_search_is_narrowed_by_what_one_sees(caller: Make, made: Scene) -> None:
    alice = caller("alice", "SECRET")
    assert "Survey of the northern cable" in alice.get("/search?q=cable&kind=document&project=NORTHERN-WATCH").body
    assert "Survey of the northern cable" in alice.get("/search?author=alice&since=2026-01-01&until=2026-12-31").body
    for narrow in ("kind=task", "project=HARBOUR", "originator=gbr", "author=bob", "since=2027-01-01",
                   "until=2026-01-01"):  # fmt: skip
        assert "Survey of the northern cable" not in alice.get(f"/search?q=cable&{narrow}").body, narrow
    assert alice.get("/search?q=cable&since=noon").status == 422
    assert alice.get("/search?q=cable&since=2026-12-31&until=2026-01-01").status == 422
    assert "By meaning" not in alice.get("/search").body
    assert alice.get("/search?q=cable&meaning=yes").status == 503


def test_a_saved_search_tells_what_is_new_until_it_is_read_and_is_removed(caller: Make, made: Scene) -> None:
    alice = caller("alice", "SECRET")
    assert alice.post("/search", {"q": "kelp", "name": "kelp"}).headers["location"] == "/notices"
    again = alice.post("/search", {"q": "sentinelword", "kind": "document", "name": "No good"})
    assert again.status == 422 and "sentinelword" in again.body and "No good" in again.body
    page = alice.get("/notices")
    assert "Nothing new" in page.body and 'href="/search?q=kelp"' in page.body
    made.put("kelp1", {"title": ("Kelp off the point", OFFICIAL), "body": ("KELPDEPTHS", SECRET)})
    page = alice.get("/notices")
    assert (
        "New in kelp" in page.body and "Kelp off the point" in page.body and page.banners == ["SECRET//REL AUS/GBR"] * 2
    )
    upto = page.body.partition('name="upto" value="')[2].partition('"')[0]
    assert alice.post("/notices", {"name": "kelp", "do": "mark", "upto": "forged"}).status == 422
    assert alice.post("/notices", {"name": "kelp", "do": "mark", "upto": upto}).status == 303
    assert "Nothing new" in alice.get("/notices").body
    assert alice.post("/notices", {"name": "kelp", "do": "remove"}).status == 303
    assert "kelp" not in alice.get("/notices").body


def test_notices_tell_nobody_of_what_they_may_not_see_nor_of_anothers_searches(caller: Make, made: Scene) -> None:
    alice, bob = caller("alice", "SECRET"), caller("bob")
    assert alice.post("/search", {"q": "otter", "name": "alices-own"}).status == 303
    assert bob.post("/search", {"q": "otter", "name": "mine"}).status == 303
    before = bob.get("/notices")
    made.put("otter1", {"title": ("HIGHOTTER seen", SECRET), "body": ("an otter", SECRET)})
    made.put("otter2", {"title": ("Birds", OFFICIAL), "body": ("and an OTTERDEN otter", SECRET)})
    after = bob.get("/notices")
    assert before.plain == after.plain and before.headers["content-length"] == after.headers["content-length"]
    assert "HIGHOTTER" in alice.get("/notices").body
    upto = alice.get("/notices").body.partition('name="upto" value="')[2].partition('"')[0]
    assert bob.post("/notices", {"name": "mine", "do": "mark", "upto": upto}).status == 422
    held, absent = (bob.post("/notices", {"name": name, "do": "remove"}) for name in ("alices-own", "none"))
    assert held.status == absent.status == 422
    assert held.plain.replace("alices-own", "none") == absent.plain
    told = "".join(bob.seen)
    assert not any(word in told for word in ("HIGHOTTER", "OTTERDEN", "alices-own</a>"))
