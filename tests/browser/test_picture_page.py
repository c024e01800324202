"""The picture: for each who looks the tracks that they may see, live and recorded, and of others no sign."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from typing import Any

import pytest
from callers import Caller
from picture_scene import BRITISH, CANARY, Sea, populate, sea
from test_live_pages import stream
from web_scene import AUSTRALIAN, SECRET, served

from aldis.apps.experiments.web.feed import feed
from aldis.interfaces.web.assets import Assets
from aldis.node.people import Person

FEED = "/experiments/picture/feed"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sea]:
    with sea(tmp_path_factory.mktemp("picture")) as found, served(found):
        populate(found)
        yield found


@pytest.fixture(autouse=True)
def _nothing_live(made: Sea) -> None:
    made.node.context._newest.__init__()  # type: ignore[misc]


def caller(made: Sea, who: str, rung: str = "") -> Caller:
    return Caller(made).sign_in(who, rung)


def looking(made: Sea, who: str) -> Any:
    account = made.node.people.get(who)
    return made.node.context.bound(Person(account, dict(account.clearance)))


def test_the_page_needs_no_scripts_and_shows_what_its_asker_may_see(made: Sea) -> None:
    high, low = caller(made, "alice", "SECRET"), caller(made, "bob")
    page, other = high.get("/experiments/picture"), low.get("/experiments/picture")
    assert page.body.count('<th role="rowheader"') == 8 and CANARY in page.body
    assert page.banners == ["SECRET//AGAO + UK OFFICIAL"] * 2
    assert "DRIFTER" in page.body and ", reckoned</td>" in page.body and "±5000 m" in page.body
    assert CANARY not in other.body and other.body.count('<th role="rowheader"') == 5, "nothing of SECRET, nor of UK"
    assert "MIXED" not in other.body and "trk-mixed</a>" in other.body, "that it is there, not what it is called"
    assert other.banners == ["OFFICIAL//REL AUS/GBR"] * 2
    narrow = high.get("/experiments/picture?q=example&party=GBR")
    assert narrow.body.count('<th role="rowheader"') == 1 and "1 of 8 tracks" in narrow.body
    assert "show all 8" in high.get("/experiments/picture?q=nosuch").body
    assert high.get("/experiments/picture?kind=nowhere").status == 422
    assert '<a href="/experiments/picture" aria-current="page">Picture</a>' in page.body


def test_of_what_one_may_not_see_no_row_event_page_or_number_tells(made: Sea) -> None:
    low = caller(made, "bob")
    before = low.get("/experiments/picture")
    hidden = f"trk-{CANARY.lower()}"
    absent = low.get("/experiments/picture/aus/trk-none")
    withheld = low.get(f"/experiments/picture/aus/{hidden}")
    assert withheld.status == absent.status == 404 and withheld.plain == absent.plain
    with stream(low, FEED) as following:
        first = following()
        assert len(first["tracks"]) == 5 and first["banner"]["text"] == "OFFICIAL//REL AUS/GBR"
        made.live(hidden, {"position": {"lat_deg": 1.5, "lon_deg": 2.5, "at": made.clock.at}}, header=SECRET)
        made.live("trk-mixed", {"identity": {"name": CANARY}}, labels={"identity": AUSTRALIAN})
        time.sleep(0.3)
        made.live("trk-tallink-star", {"motion": {"speed_mps": 7.0, "course_deg": 80.0, "at": made.clock.at}})
        second = following()
        assert [one["key"] for one in second["tracks"]] == ["aus/trk-tallink-star"]
        assert second["tracks"][0] == {"key": "aus/trk-tallink-star", "speed": 7.0, "course": 80.0}
    with (
        stream(low, f"/experiments/picture/aus/{hidden}/feed") as one,
        stream(low, "/experiments/picture/aus/trk-none/feed") as other,
    ):
        assert one() == other() == {"banner": {"text": "UNOFFICIAL", "colour": "grey"}, "marks": [], "gone": True}
    made.node.context._newest.__init__()  # type: ignore[misc]
    assert low.get("/experiments/picture").plain == before.plain
    assert not any(CANARY in text or CANARY.lower() in text.replace(hidden, "") for text in low.seen)


def test_a_detail_names_each_portion_with_its_marking_and_whose_it_is(made: Sea) -> None:
    high = caller(made, "alice", "SECRET")
    made.live("trk-hms-example", {"motion": {"speed_mps": 5.0, "course_deg": 10.0, "at": made.clock.at}},
              labels={"motion": BRITISH}, source="gbr")  # fmt: skip
    page = high.get("/experiments/picture/gbr/trk-hms-example")
    assert page.status == 200 and page.banners == ["UK OFFICIAL"] * 2 and page.body.count("(UK O)") == 5
    assert (
        "GBR gbr, live, heard" in page.body
        and "GBR gbr, recorded" in page.body
        and '<dd dir="auto">5 m/s</dd>' in page.body
    )
    with stream(high, "/experiments/picture/aus/trk-mixed/feed") as following:
        told = following()
    parts = {part["name"]: part for part in told["parts"]}
    assert told["marks"][parts["identity"]["label"]]["text"] == "(S//AGAO)"
    assert told["marks"][parts["position"]["label"]]["text"] == "(O//REL AUS/GBR)" and told["name"] == "MIXED"


def test_live_values_stand_before_a_record_until_a_later_version_and_go_with_their_label(made: Sea) -> None:
    low = looking(made, "bob")
    look = feed(low, None)
    rows = {row["key"]: row for row in look(low).values["tracks"]}  # type: ignore[union-attr]
    assert look(low) is None and rows["aus/trk-old-anchor"]["lat"] == 59.58
    key, place = "aus/trk-old-anchor", {"lat_deg": 59.5, "lon_deg": 24.0, "at": made.clock.at}
    made.live("trk-old-anchor", {"position": place})
    assert look(low).values["tracks"][0] == {"key": key, "lat": 59.5, "lon": 24.0, "at": made.clock.at}  # type: ignore[union-attr]
    made.live("trk-old-anchor", {"position": {**place, "lat_deg": 59.4}}, labels={"position": SECRET})
    assert look(low).values["tracks"][0]["lat"] == 59.58, "of the live value nothing may be known now"  # type: ignore[union-attr]
    made.live("trk-new", {"position": place})
    assert [one["key"] for one in look(low).values["tracks"]] == ["aus/trk-new"]  # type: ignore[union-attr]
    made.live("trk-new", {"position": place}, header=SECRET)
    assert look(low).values["gone"] == ["aus/trk-new"]  # type: ignore[union-attr]


def test_the_age_grows_into_reckoning_and_ends_there(made: Sea) -> None:
    low, start = looking(made, "bob"), made.clock.at
    look = feed(low, None)
    moving = {"position": {"lat_deg": 59.5, "lon_deg": 24.0, "at": start},
              "motion": {"speed_mps": 10.0, "course_deg": 0.0, "at": start}, "type": {"ship_type": 70}}  # fmt: skip
    made.live("trk-going", moving)
    first = {row["key"]: row for row in look(low).values["tracks"]}["aus/trk-going"]  # type: ignore[union-attr]
    assert first["ahead"] is None
    try:
        made.clock.at += 60_000
        [row] = [row for row in look(low).values["tracks"] if row["key"] == "aus/trk-going"]  # type: ignore[union-attr]
        assert row["ahead"][0] == pytest.approx(59.5 + 600 / 111_400, abs=1e-4) and row["ahead"][2] > 100
        assert row.keys() == {"key", "ahead"}
        made.clock.at += 600_000
        [row] = [row for row in look(low).values["tracks"] if row["key"] == "aus/trk-going"]  # type: ignore[union-attr]
        assert row["ahead"] is None, "beyond the bound nobody knows"
    finally:
        made.clock.at = start


def test_what_pages_send_stays_small(made: Sea) -> None:
    assets = Assets(made.node.apps)
    if not assets.has("experiments/vendor/maplibre-gl.mjs"):
        pytest.skip("what draws maps is not there: `make assets`")

    def weight(page: str) -> int:
        """Bytes, packed, of all that a page may load, to the last import."""
        names = set(re.findall(r"/static/([\w./-]+)\?v=", page))
        while True:
            text = " ".join(assets._files[name].data.decode() for name in names if "vendor" not in name)
            more = {f"experiments/{found}" for found in re.findall(r'"\./([\w./-]+)\?v=', text)}
            if more <= names:
                return sum(len(assets._files[name].packed) for name in names)
            names |= more

    high = caller(made, "alice", "SECRET")
    with_map, without = weight(high.get("/experiments/picture").body), weight(high.get("/records").body)
    assert 500_000 < with_map < 1_200_000 and 1_000 < without < 150_000


def test_without_the_drawing_parts_the_table_is_there_and_says_what_to_run(
    made: Sea, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Assets, "has", lambda _assets, name: "vendor" not in name)
    with served(made):
        page = caller(made, "alice", "SECRET").get("/experiments/picture")
    assert "make assets" in page.body and "vendor" not in page.body and "TALLINK STAR" in page.body
