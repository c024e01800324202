"""Several cases at once: chosen or all alike, looked at, ruled on each by itself; and none that one may not see."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import urlencode

import pytest
from callers import SAME, Answer, Caller
from web_scene import ARRANGEMENT, OFFICIAL, SECRET, Scene, hire

from aldis.kernel.authority import Role
from aldis.kernel.ledger import decode_leaf

Make = Callable[..., Caller]
ROWS = {"north": OFFICIAL, "south": OFFICIAL, "east": OFFICIAL, "deep": SECRET}


@pytest.fixture
def numbers(made: Scene) -> dict[str, int]:
    """Cases that ask alike, and one at a higher level; put and asked for anew where they were decided."""
    waiting = {case.row.id for case in made.node.desk.cases().cases}
    for name, label in ROWS.items():
        if name not in waiting:
            id_ = f"{name}-{made.clock.at}"
            made.put(
                id_,
                {"title": (f"Berth {name.upper()}", label), "body": (f"IN{name.upper()}", label)},
                project="HARBOUR",
            )
            made.node.desk.offer(id_, "gbr")
    return {case.row.id.partition("-")[0]: case.number for case in made.node.desk.cases().cases}


def rule(olive: Caller, tokens: list[str], **fields: str) -> Answer:
    pairs = [("csrf", olive.csrf), *fields.items(), *(("token", one) for one in tokens)]
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    return olive.ask("POST", "/desk/several", urlencode(pairs).encode(), {**SAME, **kind})


def look(olive: Caller, *numbers: int) -> tuple[Answer, list[str]]:
    page = olive.get("/desk/several?" + "&".join(f"case={number}" for number in numbers))
    return page, re.findall(r'name="token" value="([^"]+)"', page.body)


def test_all_alike_are_listed_chosen_and_ruled_on_each_with_a_leaf_of_its_own(
    caller: Make, made: Scene, numbers: dict[str, int]
) -> None:
    olive = caller("olive", "SECRET")
    case = olive.get(f"/desk/{numbers['north']}")
    assert "2 more ask for just the same" in case.body
    alike = olive.get(f"/desk?like={numbers['north']}")
    assert alike.body.count(" checked") == 3 and "Berth SOUTH" in alike.body and "Berth DEEP" not in alike.body
    page, tokens = look(olive, *(numbers[name] for name in ("north", "south", "east")))
    assert len(tokens) == 3 and "These are not alike" not in page.body
    for bad in ({"do": "approve"}, {"because": "WORDSKEPT"}):
        failed = rule(olive, tokens, **bad)
        assert failed.status == 422 and bad.get("because", "") in failed.body and "Berth SOUTH" in failed.body
    before = made.node.core.store.ledger.size()
    stale = [*tokens[:2], f"{numbers['east']}:{'0' * 20}"]
    answer = rule(olive, stale, do="approve", because="the harbour is charted")
    assert answer.status == 303
    told = olive.get(answer.headers["location"])
    assert "2 approved" in told.body and "1 not ruled on" in told.body and "look at it again" in told.body
    states = {name: made.node.desk.case(numbers[name]).case.state for name in ("north", "south", "east")}
    assert states == {"north": "approved", "south": "approved", "east": "open"}
    ledger = made.node.core.store.ledger
    leaves = [decode_leaf(ledger.leaf(place).data) for place in range(before, ledger.size())]
    mine = [leaf for leaf in leaves if leaf.type == "decision" and leaf.actor == "olive"]
    assert [leaf.reasons[0] for leaf in mine] == ["the harbour is charted"] * 2
    assert len({leaf.reasons[1] for leaf in mine}) == 2
    again = olive.get(answer.headers["location"])
    assert again.plain == told.plain, "looking again rules on nothing"


def test_what_one_may_not_see_is_in_no_list_no_count_and_under_no_number(
    caller: Make, made: Scene, numbers: dict[str, int]
) -> None:
    deep, north = numbers["deep"], numbers["north"]
    [token] = re.findall(
        r'name="token" value="([^"]+)"', caller("olive", "SECRET").get(f"/desk/several?case={deep}").body
    )
    olive = caller("olive")
    assert olive.get(f"/desk?like={deep}").status == olive.get("/desk?like=1234567").status == 404
    for path in ("/desk", "/desk?rung=SECRET", "/desk?instrument=pa-northern-watch", f"/desk?like={north}"):
        low = olive.get(path)
        assert low.status == 200
        assert not any(word in low.body for word in ("DEEP", str(deep), "SECRET//")), path
    assert "Nothing that you may see" in olive.get("/desk?rung=SECRET").body
    held, none = (look(olive, number, north)[0] for number in (deep, 1234567))
    assert held.plain.replace(str(deep), "N") == none.plain.replace("1234567", "N")
    assert "1 case together" in held.body
    answer = rule(olive, [token, f"{north}:x"], do="approve", because="unseen")
    told = olive.get(answer.headers["location"])
    assert "DEEP" not in told.body and "2 not ruled on" in told.body
    assert made.node.desk.case(deep).case.state == "open"
    for who in ("alice", "audrey", "gail", "pat"):
        other = caller(who)
        assert other.get("/desk/several").status == other.post("/desk/several", {"do": "deny"}).status == 404


def test_cases_that_are_not_alike_are_said_to_be_so_and_filters_narrow(
    caller: Make, made: Scene, numbers: dict[str, int]
) -> None:
    olive = caller("olive", "SECRET")
    high = olive.get("/desk?rung=SECRET")
    assert "Berth DEEP" in high.body and "Berth NORTH" not in high.body
    assert "Berth DEEP" not in olive.get("/desk?rung=OFFICIAL").body
    assert "Berth NORTH" in olive.get("/desk?instrument=pa-northern-watch").body
    assert "Berth NORTH" not in olive.get("/desk?instrument=pa-north").body
    empty, tokens = look(olive)
    assert empty.status == 200 and tokens == [] and "No case is chosen" in empty.body
    assert rule(olive, [], do="deny", because="x").status == 422
    assert rule(olive, [str(numbers["north"])], do="deny", because="x").status == 422, "no token, nothing ruled"
    assert look(olive, *range(1000, 1101))[0].status == 413


def test_a_case_shows_the_clause_in_words_and_what_becomes_of_each_portion(
    caller: Make, made: Scene, numbers: dict[str, int]
) -> None:
    page = caller("olive").get(f"/desk/{numbers['north']}")
    assert "It rests on clause 4.2 of" in page.body and "in force, until" in page.body
    assert "a release officer, each time" in page.body and "each of its parties (AUS, GBR)" in page.body
    assert page.body.count("you are asked") == 3 and "nothing" in page.body
    assert "/instruments/pa-northern-watch" in page.body
    olive = caller("olive")
    olive.get(f"/desk/{numbers['north']}")
    lacking = olive.post(f"/desk/{numbers['north']}", {"do": "approve", "because": "x"})
    assert lacking.status == 422 and "which state" in lacking.body
    assert made.node.desk.case(numbers["north"]).case.state == "open"


def test_where_two_officers_decide_a_first_approval_lets_nothing_go(caller: Make, made: Scene) -> None:
    assert made.partner is not None
    text = ARRANGEMENT.replace("pa-northern-watch", "pa-depot").replace("HARBOUR", "DEPOT").replace("WATCH", "PORT")
    made.node.register.draft(text.replace("review = true", "approvals = 2"), "officer")
    made.settle()
    for node in (made.node, made.partner):
        node.register.sign("pa-depot", "officer")
    made.settle()
    hire(made.node, "second", roles=[Role.RELEASE_OFFICER])
    for name in ("crane", "shed"):
        made.put(name, {"title": (f"The {name}", OFFICIAL)}, project="DEPOT")
        made.node.desk.offer(name, "gbr")
    found = {case.row.id: case.number for case in made.node.desk.cases().cases}
    olive, second = caller("olive"), caller("second")
    assert "0 of 2 officers have approved" in olive.get(f"/desk/{found['crane']}").body
    _, tokens = look(olive, found["crane"], found["shed"])
    seen_before = look(second, found["crane"], found["shed"])[1]
    told = olive.get(rule(olive, tokens, do="approve", because="one").headers["location"])
    assert "2 approved by you, waiting for another officer" in told.body and "waits: 1 of 2 officers" in told.body
    stale = second.get(rule(second, seen_before, do="approve", because="two").headers["location"])
    assert "2 not ruled on" in stale.body, "what the first officer said was not seen yet"
    twice = olive.get(rule(olive, look(olive, found["crane"])[1], do="approve", because="again").headers["location"])
    assert "waits: 1 of 2 officers" in twice.body, "one officer counts once"
    tokens = look(second, found["crane"], found["shed"])[1]
    done = second.get(rule(second, tokens, do="approve", because="two").headers["location"])
    assert "2 approved" in done.body
    assert "the ledger" in done.body and made.node.desk.case(found["shed"]).case.state == "approved"
