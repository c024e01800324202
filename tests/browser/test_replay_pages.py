"""Recordings as pages: one instant is one picture, and it holds what who asks may see today and nothing else."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from callers import Caller
from compare_scene import START_MS, Sea
from test_live_pages import stream

from aldis.apps.experiments.recorder import messages, verify
from aldis.apps.experiments.web.replaying_index import Head, Index, State, fold, index

RUN = "20261001-120000"
PLACE = f"/experiments/recordings/{RUN}"
HIDDEN = ("HIDDENHULL", "t-high", "NORECORD", "UNDECIDABLE", "t-gone")


@pytest.fixture(scope="module")
def made(at_sea: Sea) -> Sea:
    at_sea.record()
    at_sea.record("20261002-120000", 8, closed=False)
    bad = at_sea.record("20261003-120000", 8)
    data = bytearray(bad.read_bytes())
    data[data.index(b"SOUTHERN")] ^= 1
    bad.write_bytes(data)
    return at_sea


def folded(path: Path, instant: int) -> State:
    """What the messages up to an instant come to, one after the other."""
    state: State = {}
    for message in messages(path, verify(path).covered):
        if message.log_ns > instant:
            break
        fold(state, message)
    return state


def test_one_instant_is_one_picture_however_one_comes_to_it(made: Sea) -> None:
    place = made.node.context.recordings
    assert place is not None
    path = Path(place.folder) / f"{RUN}-0001.mcap"
    found: Index = index({path: verify(path).covered}, share=1.0)
    assert len(found.frames) > 5 and found.first == START_MS * 10**6
    forward, back = Head(found), Head(found)
    instants = [found.first + second * 10**9 + 1 for second in (0, 1, 7, 8, 31, 39, 100)]
    shown = {at: dict(forward.to(at)) for at in instants}
    for at in reversed(instants):
        assert dict(back.to(at)) == shown[at] == dict(Head(found).to(at)) == folded(path, at), at
    assert dict(Head(found).to(found.first - 1)) == {}


def test_a_recording_shows_what_one_may_see_today_and_nothing_else(made: Sea) -> None:
    low, high = Caller(made).sign_in("bob"), Caller(made).sign_in("alice", "SECRET")
    page = low.get(f"{PLACE}?at=30")
    assert page.status == 200 and "Recorded, not live: 21 September 2026, 14:13:50 UTC" in page.body
    assert "SOUTHERN STAR" in page.body and "12.03000 S" in page.body
    assert page.banners == ["OFFICIAL//AGAO"] * 2 and "Every seal holds" in page.body
    assert low.get(f"{PLACE}?at=30").plain == page.plain, "one instant, one picture"
    assert not [word for word in HIDDEN for text in low.seen if word in text]
    whole = high.get(f"{PLACE}?at=30")
    assert "HIDDENHULL" in whole.body and whole.banners == ["SECRET//AGAO"] * 2
    assert not [word for word in HIDDEN[2:] if word in whole.body], "of no record here, or undecidable: nobody's"
    left = low.get(f"{PLACE}?at=30&view=gbr")
    assert "12.05000 S" in left.body and "12.03000" not in left.body and "grid of 2000 m" in left.body
    assert "SOUTHERN" not in left.body
    with stream(low, f"{PLACE}/play?at=10&speed=16") as following:
        first, second = following(), following()
        assert "12.01000 S" in first["html"] and first["html"] != second["html"]
        assert not [word for word in HIDDEN if word in first["html"] + second["html"]]
    assert "LATERDELETED" in page.body
    made.node.records.delete("t-lost", "olive")
    gone = low.get(f"{PLACE}?at=30")
    assert gone.status == 200 and "12.03000" in gone.body and "LATERDELETED" not in gone.body
    assert gone.banners == ["OFFICIAL//REL AUS/GBR/USA"] * 2


def test_the_list_says_what_state_each_is_in_and_strangers_see_none(made: Sea) -> None:
    alice = Caller(made).sign_in("alice", "SECRET")
    page = alice.get("/experiments/recordings").body
    assert re.findall(r"recordings/([0-9-]+)\"", page)[::2] == ["20261003-120000", "20261002-120000", RUN]
    assert "never closed" in page and "closed and sealed" in page
    guest = Caller(made).sign_in("gail")
    nothing = guest.get("/experiments/recordings")
    assert "No recording that you may see" in nothing.body and RUN not in nothing.body
    absent, hidden = guest.get("/experiments/recordings/none"), guest.get(PLACE)
    assert absent.status == hidden.status == 404 and absent.plain == hidden.plain
    assert alice.get("/experiments/recordings/none").plain.count("Nothing here") >= 1
    assert alice.get("/experiments/recordings/..%2f..%2fx").status == 404


def test_one_that_is_not_whole_or_was_altered_says_so(made: Sea) -> None:
    alice = Caller(made).sign_in("alice", "SECRET")
    cut = alice.get("/experiments/recordings/20261002-120000?at=5")
    assert "Not whole" in cut.body and "never closed" in cut.body and "HIDDENHULL" in cut.body
    bad = alice.get("/experiments/recordings/20261003-120000?at=5")
    assert "Damaged" in bad.body and "STAR" not in bad.body and "HIDDENHULL" not in bad.body
    low = Caller(made).sign_in("bob").get("/experiments/recordings/20261002-120000?at=5")
    assert "Not whole" in low.body and "never closed" not in low.body
