"""Precedents: the best match first, none that the viewer may not see, and a cost that does not grow with rulings."""

from __future__ import annotations

from array import array
from dataclasses import replace
from typing import Any

import apsw
import pytest
from nations import ARRANGEMENT, Coalition, to
from personnel import OFFICER, hire, signed_in

from aldis.kernel.labels import Label
from aldis.kernel.records import Draft, DraftPortion
from aldis.node.cases import Case, Filters
from aldis.node.node import Node
from aldis.node.precedents import Precedent
from aldis.node.store.docket import _RULED, _RULED_FOR

PROJECTS = '["REVIEWED", "OTHER"]'
REVIEWED = (
    ARRANGEMENT.replace("pa-northern-watch", "pa-reviewed")
    .replace('["NORTHERN-WATCH"]', PROJECTS)
    .replace("onward", "review = true\nonward")
)
OURS = to("GBR", "USA")
SECRET = replace(OURS, classification="SECRET")
CANARY = "canary-words"


@pytest.fixture
def desk(coalition: Coalition) -> Coalition:
    coalition.arrange(REVIEWED)
    hire(coalition["aus"], "ann", roles=[OFFICER])
    hire(coalition["aus"], "low", roles=[OFFICER], clearance={"AUS": "OFFICIAL"})
    return coalition


def put(coalition: Coalition, record: str, project: str = "REVIEWED", **portions: tuple[Any, Label]) -> None:
    coalition.put("aus", record, portions or {"title": (f"Plan {record}", OURS)}, project=project)
    coalition.settle()


def case(node: Node, record: str, partner: str = "gbr") -> Case:
    every = node.desk.cases(None, Filters(partner=partner)).cases
    return next(one for one in every if one.row.id == record)


def best(node: Node, record: str, viewer: Any = None) -> tuple[Precedent, ...]:
    return node.desk.case(case(node, record).number, viewer).precedents.best


def test_what_is_most_alike_comes_first_and_says_in_words_what_is(desk: Coalition) -> None:
    aus = desk["aus"]
    put(desk, "same")
    put(desk, "other-project", project="OTHER")
    put(desk, "higher", title=("Plan", SECRET))
    put(desk, "more", title=("Plan", OURS), body=("Words", OURS))
    aus.desk.rule(case(aus, "same").number, "approved", "because same", "officer")
    for record in ("other-project", "higher", "more"):
        aus.desk.rule(case(aus, record).number, "denied", f"because {record}", "officer")
    aus.desk.rule(case(aus, "same", "usa").number, "denied", "because usa", "officer")
    put(desk, "asked")
    found = best(aus, "asked")
    assert [one.because for one in found] == [
        "because same", "because more", "because other-project", "because higher", "because usa",
    ]  # fmt: skip
    assert found[0].alike == ("partner", "clause", "label", "project", "portions")
    assert [one.differs for one in found][1:] == [("portions",), ("project",), ("label (higher)",), ("partner",)]
    assert (found[0].officer, found[0].state, found[0].record) == ("officer", "approved", "same")
    told = aus.desk.case(case(aus, "asked").number).precedents
    assert (told.approved, told.denied) == (1, 4)


def test_the_earlier_version_of_the_record_itself_is_the_best_of_all(desk: Coalition) -> None:
    aus = desk["aus"]
    put(desk, "other")
    put(desk, "doc")
    for record in ("doc", "other"):
        aus.desk.rule(case(aus, record).number, "denied", record, "officer")
    aus.records.revise(
        "doc",
        Draft(
            kind="document", id="doc", originator="aus", author="officer", created=desk.clock.at, label=OURS,
            portions=[DraftPortion("title", OURS, "again")], project="REVIEWED",
        ),
    )  # fmt: skip
    desk.settle()
    assert [one.because for one in best(aus, "doc")] == ["doc", "other"]
    assert best(aus, "doc")[0].alike[0] == "record"


def test_no_ruling_lets_a_like_case_go_by_itself(desk: Coalition) -> None:
    aus = desk["aus"]
    for number in range(4):
        put(desk, f"doc-{number}")
        if number < 3:
            aus.desk.rule(case(aus, f"doc-{number}").number, "approved", "always", "officer")
    desk.settle()
    assert desk.held("gbr", "doc-3") is None
    assert case(aus, "doc-3").state == "open"


def test_neither_precedents_nor_their_count_tell_of_a_record_that_the_officer_may_not_see(desk: Coalition) -> None:
    aus = desk["aus"]
    put(desk, "seen")
    aus.desk.rule(case(aus, "seen").number, "approved", "agreed", "officer")
    put(desk, "asked")
    low, number = signed_in(aus, "low"), case(aus, "asked").number
    before = aus.desk.case(number, low).precedents
    for count in range(25):
        put(desk, f"dark-{count}", title=(CANARY, SECRET))
        put(desk, f"deep-{count}", title=("Plan", OURS), body=(CANARY, SECRET))
    for one in aus.desk.cases(None, Filters(partner="gbr"), None, 200).cases:
        if one.row.id not in ("asked", "seen"):
            aus.desk.rule(one.number, "denied", CANARY, "officer")
    assert aus.desk.case(number, low).precedents == before
    assert (before.approved, before.denied) == (1, 0)
    assert aus.desk.case(number).precedents.denied == 40


def test_what_is_read_does_not_grow_with_the_rulings_there_are(desk: Coalition) -> None:
    put(desk, "doc")
    store = desk["aus"].core.store
    one = store.referrals.get(case(desk["aus"], "doc").number)
    for times in (100, 3000):
        with store.transaction(), store._db.writing() as connection:
            last = int(connection.execute("SELECT max(id) FROM referral").get)
            connection.executemany(
                "INSERT INTO referral SELECT ?, ?, partner, record_seq, portions, reasons, grounds, shape, 'approved',"
                " '', asked, at, due, 0 FROM referral WHERE id = ?",
                [(number, 20_000_000 + number, one.id) for number in range(last + 1, last + times + 1)],
            )
        found = store.docket.ruled([one.shape], "gbr", 20)
        assert sorted(other.id for other in found) == list(range(last + times - 19, last + times + 1))


@pytest.mark.parametrize(("query", "values"), [(_RULED, (5,)), (_RULED_FOR, ("gbr", 5))])
def test_precedents_are_looked_up_in_an_index(coalition: Coalition, query: str, values: tuple[str | int, ...]) -> None:
    with coalition["aus"].core.store._db.reading() as connection:
        wanted = apsw.carray(array("q", [1]))
        plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {query}", (wanted, *values))]
    assert any("referral_ruled" in step and "shape=?" in step for step in plan), plan
    assert not any(step.startswith("SCAN referral") for step in plan), plan
