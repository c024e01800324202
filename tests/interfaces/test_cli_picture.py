"""`aldis experiment picture`: what a node and its people may see of all nations' tracks, and where each is now."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from cli_nations import Coalition, Nation, carry

SECRET, SHARED = "SECRET//AGAO", "OFFICIAL//REL AUS/GBR/USA"
PASSWORD = "correct horse battery"


def track(nation: Nation, name: str, lat: float, lon: float, **more: Any) -> None:
    """A ship under way, whose doubts nobody but this nation may know."""
    now = time.time_ns() // 1_000_000
    values = {
        "position": {"lat_deg": lat, "lon_deg": lon, "at": now - 20_000, "accuracy_m": 10.0},
        "motion": {"speed_mps": 10.0, "course_deg": 0.0},
        "identity": {"mmsi": 230123456, "name": name},
        "type": {"ship_type": 70},
        "sensor": {"protocol": "ais", "received_ms": now, **more},
    }
    words = ["put", "--kind", "track", "--id", f"trk-{name.lower()}", "--project", "NORTHERN-WATCH"]
    words += ["--marking", SHARED if nation.party == "AUS" else "UK OFFICIAL / AUS EYES ONLY"]
    for portion, value in values.items():
        words += ["--portion", f"{portion}={json.dumps(value)}"]
        if portion in ("sensor", "identity") and nation.party == "AUS":
            words += ["--portion-marking", f"{portion}={SECRET}"]
    nation.run(*words)


def tracks(nation: Nation, *words: str) -> list[dict[str, Any]]:
    return list(nation.ask("experiment", "picture", *words)["tracks"])


@pytest.fixture
def seen(coalition: Coalition) -> Coalition:
    track(coalition.aus, "PETREL", 59.9, 24.5)
    track(coalition.aus, "HOOGE", 10.0, 10.0, doubts=["two places at once"])
    carry(coalition.aus, coalition.gbr)
    return coalition


def test_each_nation_sees_what_it_may_know_and_where_it_is_by_now(seen: Coalition) -> None:
    own = {one["name"]: one for one in tracks(seen.aus)}
    assert set(own) == {"PETREL", "HOOGE"}
    assert own["HOOGE"]["doubts"] == ["two places at once"]
    assert own["HOOGE"]["reckoned"] is None, "nothing is reckoned on from what is doubtful"
    petrel = own["PETREL"]
    assert (petrel["kind"], petrel["node"], petrel["portions"]["sensor"]) == ("sea", "aus", "(S//AGAO)")
    assert 20 <= petrel["age_s"] < 120
    assert petrel["reckoned"]["lat_deg"] == pytest.approx(59.9 + 10 * petrel["age_s"] / 111_400, abs=2e-5)
    assert petrel["reckoned"]["radius_m"] > 25
    given = tracks(seen.gbr)
    assert [set(one["portions"]) for one in given] == [{"position", "motion", "type"}] * 2
    assert all(one["reckoned"] and one["node"] == "aus" for one in given), "of its doubts it was not told"
    text = json.dumps(given) + seen.gbr.run("experiment", "picture").output
    for hidden in ("PETREL", "HOOGE", "two places", "sensor", "identity", "SECRET", "230123456"):
        assert hidden not in text


def test_it_is_narrowed_and_goes_on_from_page_to_page(seen: Coalition) -> None:
    assert [one["name"] for one in tracks(seen.aus, "--near", "59.9,24.5,5")] == ["PETREL"]
    assert tracks(seen.aus, "--near", "0,0,5") == []
    assert len(tracks(seen.gbr, "--from", "aus", "--kind", "sea")) == 2
    assert tracks(seen.gbr, "--from", "gbr") == tracks(seen.gbr, "--kind", "air") == []
    first = seen.aus.ask("experiment", "picture", "--limit", "1")
    second = seen.aus.ask("experiment", "picture", "--limit", "1", "--cursor", first["next"])
    assert {one["tracks"][0]["name"] for one in (first, second)} == {"PETREL", "HOOGE"}
    assert "is no circle" in seen.aus.fails(2, "experiment", "picture", "--near", "here")
    shown = seen.aus.run("experiment", "picture").stdout
    assert "~59.9" in shown and "±" in shown and "two places at once" in shown


def test_a_person_sees_what_they_may(seen: Coalition) -> None:
    aus = seen.aus
    code = aus.ask("person", "add", "alice", "--clearance", "OFFICIAL", "--project", "*")["code"]
    aus.run("person", "enrol", "alice", text=f"{code}\n{PASSWORD}\n")
    aus.run("sign-in", "alice", text=f"{PASSWORD}\n")
    told = aus.run("experiment", "picture", "--as", "person:alice").output
    assert "trk-petrel" in told and "~59.9" in told
    assert "PETREL" not in told and "identity" not in told and "doubt" not in told.replace("doubts", "")
