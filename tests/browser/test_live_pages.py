"""Live data in the browser: the newest values that one may see, for as long as the session holds, and nothing else."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPResponse
from typing import Any
from urllib.parse import urlsplit

import msgspec
import pytest
from callers import COOKIE, Caller
from web_scene import AUSTRALIAN, OFFICIAL, SECRET, Scene

from aldis.app import Live
from aldis.interfaces.api.limits import Limits
from aldis.kernel.frames import Update
from aldis.node.newest import SLOTS, Newest

Make = Callable[..., Caller]
CANARY = "WITHHELDVALUE"
HIDDEN = {
    f"{CANARY}-portion": (OFFICIAL, SECRET, "NORTHERN-WATCH"),
    f"{CANARY}-header": (SECRET, OFFICIAL, "NORTHERN-WATCH"),
    f"{CANARY}-both": (AUSTRALIAN, AUSTRALIAN, "NORTHERN-WATCH"),
}


@pytest.fixture(autouse=True)
def _none_before(made: Scene) -> None:
    made.node.context._newest.__init__()  # type: ignore[misc]


def publish(
    made: Scene, id_: str, header: Any = OFFICIAL, label: Any = OFFICIAL, project: str = "NORTHERN-WATCH"
) -> None:
    update = Update(id_, "document", "title", made.clock.at, f"value of {id_}")
    made.node.context.publish(header, label, project, update)


@contextmanager
def stream(who: Caller, path: str = "/live/events") -> Iterator[Callable[[], Any]]:
    """What comes next: the data of an event, "ended", or None where the stream is at its end."""
    connection = HTTPConnection(urlsplit(who.made.url).netloc, timeout=5)
    connection.request("GET", path, headers={"Cookie": f"{COOKIE}={who.token}", "Sec-Fetch-Site": "same-origin"})
    answer: HTTPResponse = connection.getresponse()
    assert answer.status == 200 and answer.getheader("content-type") == "text/event-stream", answer.read()
    assert answer.getheader("cache-control") == "no-store"

    def following() -> Any:
        name = ""
        while line := answer.readline().decode():
            if line.startswith("event: "):
                name = line.removeprefix("event: ").strip()
            elif line.startswith("data:"):
                return "ended" if name == "ended" else msgspec.json.decode(line.removeprefix("data: "))
        return None

    try:
        yield following
    finally:
        answer.close()
        connection.close()


def test_live_values_are_those_that_one_may_see_and_of_others_there_is_no_sign(caller: Make, made: Scene) -> None:
    high, low, guest = caller("alice", "SECRET"), caller("bob"), caller("gail")
    publish(made, "seen")
    before, nothing = low.get("/live"), guest.get("/live")
    for id_, (header, label, project) in HIDDEN.items():
        publish(made, id_, header, label, project)
    made.node.context.told([Live("gbr", OFFICIAL, Update("unheld", "document", "title", made.clock.at, CANARY))])
    after = low.get("/live")
    assert before.status == 200 and "value of seen" in before.body and before.banners == ["OFFICIAL//REL AUS/GBR"] * 2
    assert after.plain == before.plain and after.headers["content-length"] == before.headers["content-length"]
    assert guest.get("/live").plain == nothing.plain and "value of" not in nothing.body
    page = high.get("/live")
    assert all(id_ in page.body for id_ in HIDDEN) and page.banners == ["SECRET//AGAO"] * 2
    assert "unheld" not in page.body, "of a partner's value nothing is shown without the record that it belongs to"
    assert all(CANARY not in text for text in (*low.seen, *guest.seen))
    assert low.get("/live?kind=task").body.count("value of") == 0
    assert low.get("/live?project=HARBOUR").body.count("value of") == 0


def test_a_stream_tells_of_what_one_may_see_and_of_nothing_else(caller: Make, made: Scene) -> None:
    bob = caller("bob")
    publish(made, "first")
    used = made.node.people.sessions.times(bob.token)
    with stream(bob) as following:
        first = following()
        assert "value of first" in first["html"] and first["banner"] == "OFFICIAL//REL AUS/GBR"
        for id_, (header, label, project) in HIDDEN.items():
            publish(made, id_, header, label, project)
        time.sleep(0.7)
        made.clock.at += 120_000
        publish(made, "second")
        second = following()
        assert made.node.people.sessions.times(bob.token) == used, "to look on is not to work"
        assert "value of second" in second["html"] and CANARY not in str(second), "no event for what is hidden"
        publish(made, "<b>&", OFFICIAL)
        assert "value of &lt;b&gt;&amp;" in following()["html"]


@pytest.mark.parametrize("how", ["revoked", "level", "signed out"])
def test_a_stream_ends_within_a_second_of_the_session(caller: Make, made: Scene, how: str) -> None:
    alice = caller("alice", "SECRET")
    publish(made, "seen")
    with stream(alice) as following:
        assert following()["banner"] == "OFFICIAL//REL AUS/GBR"
        if how == "revoked":
            made.node.people.revoke("alice")
        elif how == "level":
            alice.post("/level", {"rung": "OFFICIAL"})
        else:
            alice.post("/sign-out")
        publish(made, CANARY, SECRET, SECRET)
        began = time.monotonic()
        assert following() == "ended" and following() is None
        assert time.monotonic() - began < 1.0


def test_whoever_is_not_signed_in_or_has_too_many_gets_no_stream(caller: Make, made: Scene) -> None:
    assert caller().get("/live/events").status == 303
    bob = caller("bob")
    with stream(bob), stream(bob), stream(bob), stream(bob):
        open_ = [stream(bob) for _ in range(Limits().streams_per_person - 4)]
        for one in open_:
            one.__enter__()
        time.sleep(0.1)
        assert bob.get("/live/events").status == 429
        for one in open_:
            one.__exit__(None, None, None)


def test_no_flood_pushes_out_what_another_may_see() -> None:
    newest = Newest()
    one = Live("", OFFICIAL, Update("kept", "document", "title", 1, "x"), OFFICIAL, "A")
    newest.take([one])
    for number in range(SLOTS * 3):
        newest.take([Live("", SECRET, Update(f"s{number}", "document", "title", 1, "x"), SECRET, "A")])
    assert one in newest.all() and len(newest.all()) == SLOTS + 1
    newest.take([Live("", SECRET, Update("kept", "document", "title", 2, "y"), OFFICIAL, "A")])
    assert [live.label for live in newest.all() if live.update.id == "kept"] == [SECRET], "marked anew, shown once"
    for number in range(1000):
        newest.take([Live("", OFFICIAL, Update("p", "document", "title", 1, "x"), OFFICIAL, f"P{number}")])
    held = len(newest.all())
    assert len(newest._groups) <= 257 and len(newest._where) == held
