"""Cases at the release desk: who is shown what, rulings in part and in bulk, days, and that nothing is ever lost."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise
from typing import Any, Literal

import msgspec
import pytest
from nations import ARRANGEMENT, Coalition, to
from personnel import OFFICER, hire, signed_in

from aldis.kernel.authority import Role
from aldis.kernel.epoch import PartnerStatus
from aldis.kernel.errors import Changed, InvalidInput, RefusedByPolicy, TooLarge, UnknownTerm
from aldis.kernel.instruments import Effect
from aldis.kernel.instruments.clauses import DAY_MS
from aldis.kernel.labels import Label
from aldis.kernel.records import Draft, DraftPortion, Record
from aldis.node.cases import Case, Filters
from aldis.node.checks import run_checks
from aldis.node.node import Node
from aldis.node.people import Person

REVIEWED = (
    ARRANGEMENT.replace("pa-northern-watch", "pa-reviewed")
    .replace("NORTHERN-WATCH", "REVIEWED")
    .replace("onward", "review = true\ndecide_within_days = 3\nonward")
)
TWICE = REVIEWED.replace("review = true", "approvals = 2")
OURS = to("GBR", "USA")
SECRET = replace(OURS, classification="SECRET")
CANARY = "canary-words"
ALL = Filters(every=True)


@pytest.fixture
def desk(coalition: Coalition) -> Coalition:
    """AUS asks an officer for each release of REVIEWED, within three days. Ann sees all, and Low no SECRET."""
    coalition.arrange(REVIEWED)
    aus = coalition["aus"]
    hire(aus, "ann", roles=[OFFICER])
    hire(aus, "low", roles=[OFFICER], clearance={"AUS": "OFFICIAL"})
    return coalition


def put(coalition: Coalition, record: str, label: Label = OURS, **portions: tuple[Any, Label]) -> None:
    coalition.put("aus", record, portions or {"title": (f"Plan {record}", label)}, project="REVIEWED")
    coalition.settle()


def revise(coalition: Coalition, record: str, text: str) -> None:
    aus = coalition["aus"]
    before = aus.records.own(record)
    portions = [msgspec.structs.replace(part, value=text) for part in _draft(before).portions]
    aus.records.revise(record, msgspec.structs.replace(_draft(before), portions=portions))
    coalition.settle()


def _draft(record: Record) -> Draft:
    """What would write the same again."""
    head = record.header
    portions = [DraftPortion(part.name, part.label, part.value) for part in record.portions]
    return Draft(
        kind=head.kind, id=head.id, originator=head.originator, author=head.author, created=head.created,
        label=record.label, portions=portions, project=head.project,
    )  # fmt: skip


def waiting(node: Node, viewer: Person | None = None, partner: str = "gbr", **filters: Any) -> list[Case]:
    return node.desk.cases(viewer, Filters(partner=partner, **filters)).cases


def only(node: Node, **filters: Any) -> Case:
    [case] = waiting(node, **filters)
    return case


def told(value: Any) -> str:
    """Everything that a viewer is given, as text."""
    return json.dumps(msgspec.to_builtins(value, enc_hook=repr, str_keys=True))


# what a viewer is shown


def test_a_case_says_what_is_asked_by_which_clause_and_by_when(desk: Coalition) -> None:
    put(desk, "doc", title=("Plan", OURS), body=("Words", SECRET))
    case = only(desk["aus"])
    assert [part.name for part in case.parts] == ["", "body", "title"]
    assert (case.grounds, case.approvals, case.needed, case.state) == ("pa-reviewed clause 4.1", 0, 1, "open")
    assert 0 <= case.due - (case.since + 3 * DAY_MS) < 60_000 and not case.overdue
    dossier = desk["aus"].desk.case(case.number)
    assert dossier.goes == {"title": "", "body": ""}
    assert dossier.purposes == ("surveillance",) and dossier.holdings == ()
    assert dossier.explanation is not None and len(dossier.explanation.header.sentences) == 8


def test_an_officer_sees_just_the_cases_of_which_they_see_all_that_is_asked(desk: Coalition) -> None:
    aus = desk["aus"]
    for number in range(6):
        put(desk, f"open-{number}")
        put(desk, f"hidden-{number}", title=("Plan", OURS), body=(CANARY, SECRET))
        put(desk, f"dark-{number}", SECRET)
    low, ann = signed_in(aus, "low"), signed_in(aus, "ann")
    assert len(waiting(aus, ann)) == len(waiting(aus)) == 18
    seen = waiting(aus, low)
    assert {case.row.id for case in seen} == {f"open-{number}" for number in range(6)}
    given = told(seen) + "".join(told(aus.desk.case(case.number, low).precedents) for case in seen)
    assert not any(word in given for word in (CANARY, "hidden", "dark"))


def test_pages_and_cursors_are_the_same_whether_there_is_more_that_is_hidden_or_not(desk: Coalition) -> None:
    aus = desk["aus"]
    for number in range(5):
        put(desk, f"open-{number}")
    low = signed_in(aus, "low")
    before = _walk(aus, low)
    for number in range(7):
        put(desk, f"dark-{number}", SECRET)
        put(desk, f"hidden-{number}", title=("Plan", OURS), body=(CANARY, SECRET))
    after = _walk(aus, low)
    assert before == after
    assert [len(ids) for ids, _ in after] == [2, 2, 1]
    assert sum(len(ids) for ids, _ in _walk(aus, None)) == 19


def _walk(node: Node, viewer: Person | None) -> list[tuple[list[str], int]]:
    """The pages of a list of two, with the length of each cursor."""
    found, cursor = list[tuple[list[str], int]](), None
    while True:
        page = node.desk.cases(viewer, Filters(partner="gbr"), cursor, 2)
        found.append(([case.row.id for case in page.cases], len(page.next or "")))
        cursor = page.next
        if cursor is None:
            return found


def test_a_cursor_is_good_for_its_own_viewer_and_question_alone(desk: Coalition) -> None:
    aus = desk["aus"]
    for number in range(3):
        put(desk, f"open-{number}")
    cursor = aus.desk.cases(signed_in(aus, "ann"), Filters(partner="gbr"), None, 1).next
    for viewer, filters in ((None, Filters(partner="gbr")), (signed_in(aus, "ann"), Filters(partner="usa"))):
        with pytest.raises(InvalidInput, match="cursor"):
            aus.desk.cases(viewer, filters, cursor, 1)
    with pytest.raises(InvalidInput, match="a page of 201"):
        aus.desk.cases(None, Filters(), None, 201)


def test_a_hidden_case_and_one_that_there_is_not_are_told_apart_by_nothing(desk: Coalition) -> None:
    put(desk, "dark", SECRET)
    aus, number = desk["aus"], only(desk["aus"]).number
    low, errors = signed_in(aus, "low"), []
    for asked in (number, 1234567):
        for act in (
            lambda n: aus.desk.case(n, low),
            lambda n: aus.desk.rule(n, "approved", "x", low),
            lambda n: aus.desk.rule(n, "denied", "x", low, only=["title"], if_state="00"),
            lambda n: aus.desk.defer(n, aus.core.clock.now() + DAY_MS, "x", low),
            lambda n: aus.desk.cases(low, Filters(like=n)),
        ):
            with pytest.raises(UnknownTerm) as caught:
                act(asked)
            errors.append(str(caught.value).replace(str(asked), "N"))
        assert str(aus.desk.rule_many({asked: ""}, "denied", "x", low)[0].error).replace(str(asked), "N") == errors[0]
    assert set(errors) == {errors[0]}
    assert only(aus).state == "open"


def test_numbers_tell_nothing_of_what_is_in_between(desk: Coalition) -> None:
    aus = desk["aus"]
    for number in range(12):
        put(desk, f"doc-{number}")
    numbers = [case.number for case in reversed(waiting(aus, every=True))]
    assert all(1_000_000 <= number < 10_000_000 for number in numbers)
    steps = [later - earlier for earlier, later in pairwise(numbers)]
    assert min(map(abs, steps)) > 1 and any(step < 0 for step in steps) and any(step > 0 for step in steps)


@pytest.mark.parametrize("roles", [(), ("auditor",), ("guest",)])
def test_who_is_no_release_officer_gets_nothing_but_a_refusal(desk: Coalition, roles: tuple[str, ...]) -> None:
    put(desk, "doc")
    aus, number = desk["aus"], only(desk["aus"]).number
    hire(aus, "other", roles=[Role(role) for role in roles], projects=["REVIEWED"], kinds=["document"])
    other, texts = signed_in(aus, "other"), set()
    for act in (
        lambda: aus.desk.cases(other), lambda: aus.desk.case(number, other), lambda: aus.desk.case(1234567, other),
        lambda: aus.desk.rule(number, "denied", "x", other),
        lambda: aus.desk.rule_many({number: ""}, "denied", "x", other),
        lambda: aus.desk.defer(number, aus.core.clock.now() + 9, "x", other),
    ):  # fmt: skip
        with pytest.raises(RefusedByPolicy, match="no role that allows this") as caught:
            act()
        texts.add(str(caught.value))
    assert len(texts) == 1


def test_a_dossier_shows_no_portion_that_its_viewer_may_not_see(desk: Coalition) -> None:
    aus = desk["aus"]
    theirs = replace(to("USA"), classification="SECRET")
    put(desk, "doc", title=("Plan", OURS), annex=(CANARY, theirs))
    low = signed_in(aus, "low")
    dossier = aus.desk.case(only(aus).number, low)
    assert CANARY not in told(dossier.case.row.record().portions[0].value) and "annex" not in told(dossier.goes)
    assert dossier.explanation is not None and set(dossier.explanation.portions) == {"title"}
    assert CANARY.encode() not in b"".join(dossier.case.row.portions)
    aus.desk.rule(only(aus).number, "approved", "agreed", "operator")
    usa = only(aus, partner="usa")
    aus.desk.rule(usa.number, "approved", "agreed", "operator")
    desk.settle()
    revise(desk, "doc", "again")
    [case] = waiting(aus, low)
    assert [one.portions for one in aus.desk.case(case.number, low).holdings] == [("title",)]


# ruling


def test_some_portions_are_ruled_on_and_the_rest_waits_under_another_number(desk: Coalition) -> None:
    put(desk, "doc", title=("Plan", OURS), body=("Words", OURS), annex=("More", OURS))
    aus = desk["aus"]
    first = only(aus).number
    ruled = aus.desk.rule(first, "approved", "only the title", "officer", only=["title"])
    assert (ruled.case.number, ruled.case.state, ruled.rest != first) == (first, "approved", True)
    desk.settle()
    assert desk.held("gbr", "doc") == ["title"]
    rest = only(aus)
    assert (rest.number, [part.name for part in rest.parts], rest.due) == (
        ruled.rest,
        ["annex", "body"],
        ruled.case.due,
    )
    aus.desk.rule(rest.number, "denied", "not the body", "officer", only=["body"])
    desk.settle()
    assert [part.name for part in only(aus).parts] == ["annex"]
    aus.desk.rule(only(aus).number, "approved", "agreed", "officer")
    desk.settle()
    assert (desk.held("gbr", "doc"), waiting(aus)) == (["annex", "title"], [])
    assert b"Words" not in desk.seen_by("gbr")
    assert aus.replay.run()[1] == []


def test_a_part_ruling_names_what_waits_and_does_not_say_two_things(desk: Coalition) -> None:
    put(desk, "doc", title=("Plan", OURS), body=("Words", OURS))
    aus, number = desk["aus"], only(desk["aus"]).number
    rulings: tuple[tuple[Literal["approved", "denied"], dict[str, Any]], ...] = (
        ("approved", {"only": ["annex"]}), ("approved", {"keep": [""]}), ("denied", {"keep": ["body"]}),
        ("approved", {"keep": ["body"], "only": ["title"]}),
    )  # fmt: skip
    for verdict, given in rulings:
        with pytest.raises(InvalidInput):
            aus.desk.rule(number, verdict, "x", "officer", **given)
    with pytest.raises(InvalidInput, match="needs a reason"):
        aus.desk.rule(number, "approved", " \n", "officer")
    with pytest.raises(TooLarge):
        aus.desk.rule(number, "approved", "x" * 2001, "officer")
    assert only(aus).number == number


def test_a_denial_in_part_outlasts_a_second_officer_and_the_first_ones_word_stands(desk: Coalition) -> None:
    aus = desk["aus"]
    hire(aus, "ben", roles=[OFFICER])
    desk.arrange(TWICE.replace("pa-reviewed", "pa-twice").replace('"REVIEWED"', '"TWICE"'))
    desk.put("aus", "doc", {"title": ("Plan", OURS), "body": (CANARY, OURS)}, project="TWICE")
    desk.settle()
    number = only(aus).number
    aus.desk.rule(number, "approved", "not the body", signed_in(aus, "ann"), keep=["body"])
    for _ in range(2):
        aus.desk.offer("doc", "gbr")
        desk.settle()
    case = only(aus)
    assert (case.number, case.approvals, case.needed) == (number, 1, 2)
    assert [part.name for part in case.parts] == ["", "title"]
    aus.desk.rule(number, "approved", "agreed", signed_in(aus, "ben"))
    desk.settle()
    assert desk.held("gbr", "doc") == ["title"]
    assert CANARY.encode() not in desk.seen_by("gbr")
    assert [one.officer for one in aus.desk.case(number).rulings] == ["ann", "ben"]


def test_mine_leaves_out_what_an_officer_has_said_yes_to_or_wrote(desk: Coalition) -> None:
    aus = desk["aus"]
    hire(aus, "officer", roles=[OFFICER])
    desk.arrange(TWICE.replace("pa-reviewed", "pa-twice").replace('"REVIEWED"', '"TWICE"'))
    for record in ("one", "two"):
        desk.put("aus", record, {"title": ("Plan", OURS)}, project="TWICE")
    desk.settle()
    ann, author = signed_in(aus, "ann"), signed_in(aus, "officer")
    aus.desk.rule(waiting(aus)[0].number, "approved", "agreed", ann)
    assert [case.row.id for case in waiting(aus, ann, mine=True)] == ["two"]
    assert waiting(aus, author, mine=True) == [] and len(waiting(aus, author)) == 2
    with pytest.raises(InvalidInput, match="nobody is named"):
        waiting(aus, None, mine=True)


def test_what_has_changed_since_it_was_looked_at_is_not_ruled_on(desk: Coalition) -> None:
    aus = desk["aus"]
    put(desk, "doc", title=("Plan", OURS), body=("Words", OURS))
    case = only(aus)
    assert only(aus).token == case.token == aus.desk.case(case.number, signed_in(aus, "ann")).case.token
    aus.register.amend(REVIEWED.replace('purposes = ["surveillance"]', 'purposes = ["training"]'), "officer")
    for node in desk.nodes.values():
        desk.settle()
        node.register.sign("pa-reviewed", "officer")
    desk.settle()
    for act in (
        lambda: aus.desk.rule(case.number, "approved", "x", "officer", if_state=case.token),
        lambda: aus.desk.defer(case.number, aus.core.clock.now() + DAY_MS, "x", "officer", if_state=case.token),
    ):
        with pytest.raises(Changed, match="not what it was"):
            act()
    assert desk.held("gbr", "doc") is None
    fresh = only(aus)
    assert fresh.number == case.number
    aus.desk.rule(case.number, "approved", "agreed", "officer", if_state=fresh.token)
    desk.settle()
    assert desk.held("gbr", "doc") == ["body", "title"]


def test_several_are_ruled_on_each_by_itself_and_each_is_told_of(desk: Coalition) -> None:
    aus = desk["aus"]
    for number in range(3):
        put(desk, f"doc-{number}")
    put(desk, "dark", SECRET)
    low, every = signed_in(aus, "low"), {case.row.id: case for case in waiting(aus)}
    wanted = {case.number: case.token for case in every.values()} | {every["doc-1"].number: "0" * 20}
    done = {one.number: one for one in aus.desk.rule_many(wanted, "approved", "routine", low)}
    assert isinstance(done[every["doc-1"].number].error, Changed)
    assert isinstance(done[every["dark"].number].error, UnknownTerm)
    desk.settle()
    assert [desk.held("gbr", f"doc-{number}") for number in range(3)] == [["title"], None, ["title"]]
    assert desk.held("gbr", "dark") is None
    with pytest.raises(TooLarge):
        aus.desk.rule_many(dict.fromkeys(range(1001), ""), "denied", "x", low)


def test_alike_are_those_with_the_same_clause_partner_label_and_portions(desk: Coalition) -> None:
    aus = desk["aus"]
    put(desk, "one")
    put(desk, "two")
    put(desk, "dark", SECRET)
    put(desk, "more", title=("Plan", OURS), body=("Words", OURS))
    case = next(case for case in waiting(aus) if case.row.id == "one")
    like = aus.desk.cases(None, Filters(like=case.number)).cases
    assert {one.row.id for one in like} == {"one", "two"} and {one.partner for one in like} == {"gbr"}


# days


def test_what_is_due_soonest_comes_first_and_no_day_lets_anything_go(desk: Coalition) -> None:
    aus, clock = desk["aus"], desk.clock
    put(desk, "first")
    clock.at += DAY_MS
    put(desk, "second")
    desk.put("aus", "no-day", {"title": ("Plan", Label("AUS", "OFFICIAL"))})
    clock.at += 2 * DAY_MS + 60_000
    desk.settle()
    assert [(case.row.id, case.overdue) for case in waiting(aus)][:2] == [("first", True), ("second", False)]
    assert [case.row.id for case in waiting(aus, due_by=clock.at)] == ["first"]
    [check] = [check for check in run_checks(aus) if check.name == "desk"]
    assert (check.ok, check.cause) == (False, "2 cases overdue")
    clock.at += 400 * DAY_MS
    desk.settle()
    assert desk.held("gbr", "first") is None
    assert {case.state for case in waiting(aus)} == {"open"}


def test_putting_off_moves_the_day_and_the_ledger_keeps_why(desk: Coalition) -> None:
    aus, clock = desk["aus"], desk.clock
    put(desk, "doc")
    number, until = only(aus).number, clock.at + 30 * DAY_MS
    case = aus.desk.defer(number, until, "the project office is away", signed_in(aus, "ann"))
    assert 0 <= case.due - until < 60_000
    clock.at += 10 * DAY_MS
    desk.settle()
    assert not only(aus).overdue
    [ruling] = aus.desk.case(number).rulings
    assert (ruling.officer, ruling.verdict, ruling.because) == ("ann", "deferred", "the project office is away")
    for when in (clock.at, clock.at + 367 * DAY_MS):
        with pytest.raises(InvalidInput, match="not ahead"):
            aus.desk.defer(number, when, "x", "officer")
    aus.desk.rule(number, "denied", "no", "officer")
    with pytest.raises(InvalidInput, match="was denied"):
        aus.desk.defer(number, clock.at + DAY_MS, "x", "officer")


# nothing that waits is lost


def test_what_waits_outlasts_a_restart_a_new_epoch_and_a_suspension(desk: Coalition) -> None:
    put(desk, "doc", title=("Plan", OURS), body=("Words", OURS))
    number = only(desk["aus"]).number
    desk.open("aus")
    assert only(desk["aus"]).number == number
    aus = desk["aus"]
    aus.exchange.new_epoch("gbr")
    desk.settle()
    assert only(aus).number == number
    aus.partners.set_status("gbr", PartnerStatus.SUSPENDED, "an inquiry")
    assert only(aus).number == number
    assert aus.desk.case(number).goes == {}
    aus.partners.set_status("gbr", PartnerStatus.ACTIVE, "it is over")
    desk.settle()
    assert only(aus).number == number
    aus.desk.rule(number, "approved", "agreed", "officer")
    desk.settle()
    assert desk.held("gbr", "doc") == ["body", "title"]


def test_what_waits_is_there_again_when_a_backup_is_restored(desk: Coalition) -> None:
    put(desk, "doc")
    number = only(desk["aus"]).number
    desk.back_up("aus")
    desk["aus"].desk.rule(number, "denied", "no", "officer")
    desk.restore("aus")
    desk["aus"].exchange.new_epoch("restored")
    desk.settle()
    assert only(desk["aus"]).number == number
    desk["aus"].desk.rule(number, "approved", "agreed", "officer")
    desk.settle()
    assert desk.held("gbr", "doc") == ["title"]


def test_what_waits_outlasts_a_notice_that_ends_its_instrument(desk: Coalition) -> None:
    put(desk, "doc")
    aus, number = desk["aus"], only(desk["aus"]).number
    before = aus.desk.case(number)
    aus.register.end("pa-reviewed", Effect.TERMINATE, desk.clock.at, "officer")
    desk.settle()
    after = aus.desk.case(number)
    assert (after.case.state, after.goes) == ("open", {}) and after.case.token != before.case.token


def test_what_waits_outlasts_the_end_of_its_instrument_and_says_that_nothing_would_go(desk: Coalition) -> None:
    put(desk, "doc")
    aus, number = desk["aus"], only(desk["aus"]).number
    desk.clock.at += 1500 * DAY_MS
    desk.settle()
    dossier = aus.desk.case(number)
    assert (dossier.case.state, dossier.case.overdue, dossier.goes) == ("open", True, {})
    assert [case.number for case in waiting(aus)] == [number]


def test_a_newer_version_takes_the_place_of_what_waited_and_keeps_its_day(desk: Coalition) -> None:
    aus = desk["aus"]
    put(desk, "doc")
    old = only(aus)
    desk.clock.at += DAY_MS
    revise(desk, "doc", "better")
    new = only(aus)
    assert new.number != old.number and new.due == old.due and new.row.version == 2
    [was] = [case for case in aus.desk.cases(None, ALL).cases if case.number == old.number]
    assert (was.state, was.successor) == ("superseded", new.number)
    with pytest.raises(Changed, match=f"superseded.*see number {new.number}"):
        aus.desk.rule(old.number, "approved", "x", "officer")
    assert desk.held("gbr", "doc") is None


def test_a_successor_that_an_officer_may_not_see_is_not_named(desk: Coalition) -> None:
    aus = desk["aus"]
    put(desk, "doc")
    old, low = only(aus), signed_in(aus, "low")
    draft = msgspec.structs.replace(
        _draft(aus.records.own("doc")), label=SECRET, portions=[DraftPortion("title", SECRET, CANARY)]
    )
    aus.records.revise("doc", draft)
    desk.settle()
    assert only(aus).number != old.number and waiting(aus, low) == []
    assert (aus.desk.case(old.number, low).case.state, aus.desk.case(old.number, low).case.successor) == (
        "superseded",
        0,
    )
    with pytest.raises(Changed) as caught:
        aus.desk.rule(old.number, "approved", "x", low)
    assert str(only(aus).number) not in str(caught.value)


def test_a_version_that_waits_for_nobody_yet_hides_no_case(desk: Coalition) -> None:
    """The newer version is put and not yet decided for anybody: the old one waits no more, and says so."""
    aus = desk["aus"]
    put(desk, "doc")
    old = only(aus)
    aus.records.revise("doc", _draft(aus.records.own("doc")))
    assert waiting(aus) == []
    assert aus.desk.case(old.number).case.state == "superseded"
    desk.settle()
    assert only(aus).row.version == 2


@pytest.mark.parametrize("how", ["deleted", "recalled", "erased"])
def test_what_is_taken_back_waits_no_more_and_says_why(desk: Coalition, how: str) -> None:
    aus = desk["aus"]
    put(desk, "doc", title=("Plan", OURS), body=(CANARY, OURS))
    usa = only(aus, partner="usa").number
    aus.desk.rule(usa, "approved", "agreed", "officer")
    desk.settle()
    number = only(aus).number
    if how == "deleted":
        aus.records.delete("doc", "officer")
    elif how == "recalled":
        aus.recalls.ask("doc", "a mistake", "officer")
    else:
        with aus.core.store.transaction():
            aus.recalls.erase(aus.core.store.records.versions("doc"), "an order", "officer")
    for viewer in (None, signed_in(aus, "ann")):
        dossier = aus.desk.case(number, viewer)
        assert dossier.case.state == "withdrawn" and how in dossier.case.because
    desk.settle()
    assert [case for case in waiting(aus) if case.row.id == "doc" and case.number == number] == []
    with pytest.raises(Changed, match="withdrawn"):
        aus.desk.rule(number, "approved", "x", "officer")
    assert CANARY.encode() not in desk.seen_by("gbr")


def test_that_a_record_was_deleted_waits_like_any_version(desk: Coalition) -> None:
    aus = desk["aus"]
    put(desk, "doc")
    aus.desk.rule(only(aus).number, "approved", "agreed", "officer")
    desk.settle()
    aus.records.delete("doc", "officer")
    desk.settle()
    case = only(aus)
    assert ([part.name for part in case.parts], case.row.version) == ([""], 2)
    aus.desk.rule(case.number, "approved", "agreed", "officer")
    desk.settle()
    held = desk["gbr"].core.store.records.get("doc")
    assert held is not None and held.record().header.deleted


def test_what_the_rules_let_go_meanwhile_needs_no_officer_any_more(desk: Coalition) -> None:
    aus = desk["aus"]
    put(desk, "doc", title=("Plan", OURS), body=("Words", OURS))
    number = only(aus).number
    aus.register.amend(REVIEWED.replace("review = true\ndecide_within_days = 3\n", ""), "officer")
    for node in desk.nodes.values():
        desk.settle()
        node.register.sign("pa-reviewed", "officer")
    desk.settle()
    assert (desk.held("gbr", "doc"), waiting(aus)) == (["body", "title"], [])
    assert aus.desk.case(number).case.state == "withdrawn"


def test_a_portion_that_is_asked_for_later_joins_what_waits_and_a_denial_stands(desk: Coalition) -> None:
    aus = desk["aus"]
    unmarked = Label("US", "SECRET")
    put(desk, "doc", title=("Plan", OURS), annex=("Marked by nobody", unmarked))
    number = only(aus).number
    aus.desk.rule(number, "denied", "not the annex", "officer", only=["annex"])
    for _ in range(2):
        aus.desk.offer("doc", "gbr")
        desk.settle()
    [case] = waiting(aus)
    assert [part.name for part in case.parts] == ["", "title"]
    every = aus.desk.cases(None, Filters(partner="gbr", every=True)).cases
    assert sorted((one.state, len(one.parts)) for one in every) == [("denied", 1), ("open", 2)]


def test_every_word_of_officers_is_found_by_an_inquiry(desk: Coalition, tmp_path: Any) -> None:
    aus = desk["aus"]
    put(desk, "doc")
    number = only(aus).number
    for step, act in enumerate((
        lambda: aus.desk.defer(number, aus.core.clock.now() + DAY_MS, "later", "officer"),
        lambda: aus.desk.rule(number, "denied", "no", "officer"),
        lambda: aus.desk.rule(number, "approved", "yes after all", "officer"),
    )):  # fmt: skip
        desk.clock.at += 1000 + step
        act()
    desk.settle()
    aus.inquiry.record("doc", tmp_path / "told", "officer")
    found = (tmp_path / "told" / "decisions.json").read_text("utf-8") + (tmp_path / "told" / "leaves.json").read_text(
        "utf-8"
    )
    for words in ("later", "no", "yes after all"):
        assert words in found
    assert f"number {number}" in found
