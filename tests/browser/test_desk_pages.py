"""The release desk's pages: an officer sees what they may see of it, and rules with a reason."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from callers import Caller
from web_scene import OFFICIAL, SECRET, Scene

Make = Callable[..., Caller]


@pytest.fixture
def numbers(made: Scene) -> dict[str, int]:
    """The numbers of what waits, by record; asked for anew where it was decided."""
    for name in ("quay", "depot"):
        if name not in made.records:
            label = SECRET if name == "depot" else OFFICIAL
            made.put(
                name, {"title": (f"Title of {name}", label), "body": (f"DEEP{name.upper()}", label)}, project="HARBOUR"
            )
        made.node.desk.offer(name, "gbr")
    return {case.row.id: case.number for case in made.node.desk.cases().cases}


def test_an_officer_sees_the_cases_of_their_level_and_no_others(caller: Make, numbers: dict[str, int]) -> None:
    olive = caller("olive")
    low = olive.get("/desk")
    assert "Title of quay" in low.body and "depot" not in low.body and low.banners == ["OFFICIAL//REL AUS/GBR"] * 2
    held, absent = olive.get(f"/desk/{numbers['depot']}"), olive.get("/desk/1234567")
    assert held.status == absent.status == 404 and held.plain == absent.plain
    assert olive.get("/desk/x").status == 404
    olive.post("/level", {"rung": "SECRET"})
    high = olive.get(f"/desk/{numbers['depot']}")
    assert "DEEPDEPOT" in high.body and high.banners == ["SECRET//REL AUS/GBR"] * 2
    assert "clause 4.2" in high.body
    for who in ("alice", "audrey", "gail"):
        other = caller(who)
        assert other.get("/desk").status == other.get(f"/desk/{numbers['quay']}").status == 404
        assert other.post(f"/desk/{numbers['quay']}", {"do": "approve", "because": "x"}).status == 404


def test_an_officer_rules_with_a_reason_in_part_on_what_they_looked_at(
    caller: Make, made: Scene, numbers: dict[str, int]
) -> None:
    olive, number = caller("olive"), numbers["quay"]
    page = olive.get(f"/desk/{number}")
    token = page.body.partition('name="token" value="')[2].partition('"')[0]
    for fields in ({"do": "approve"}, {"because": "WORDSKEPT"}, {"do": "defer", "because": "x", "until": "never"}):
        failed = olive.post(f"/desk/{number}", {"token": token, **fields})
        assert failed.status == 422 and fields.get("because", "") in failed.body
    stale = olive.post(f"/desk/{number}", {"token": "other", "do": "approve", "because": "WORDSKEPT"})
    assert stale.status == 409 and "WORDSKEPT" in stale.body
    assert made.node.desk.case(number).case.state == "open"
    ruled = olive.post(
        f"/desk/{number}", {"token": token, "do": "approve", "because": "the clause is met", "keep": "body"}
    )
    assert ruled.headers["location"] == f"/desk/{number}?done=approved"
    done = olive.get(ruled.headers["location"])
    assert "leaves with the next bundle" in done.body and "the clause is met" in done.body
    assert "body" not in made.node.desk.case(number).goes
