"""A project at real nodes: each nation has its own true board, and nothing of the rest shows anywhere."""

from __future__ import annotations

import pytest
from nations import Coalition
from personnel import GUEST, OFFICER, ORIGINATOR
from worksites import ALL, NAME, OWN, PAIR, charter, project, ref, worker, written

from aldis.apps.workspace.arranging import begin, extend
from aldis.apps.workspace.items import about_of
from aldis.apps.workspace.kinds import KINDS, Member, Plan, Ref
from aldis.apps.workspace.project import Project, charters, project_of
from aldis.kernel.errors import InvalidInput, NeedsPerson, RefusedByPolicy, UnknownTerm
from aldis.kernel.labels import Label, Releasability
from aldis.kernel.records import Record

CANARY = "canary"


def task(at: Project, title: str, mark: str = ALL, **marks: str) -> Record:
    return at.add(
        "task", {"title": title, "details": f"{CANARY} details", "plan": Plan(owner="AUS")}, {"": mark, **marks}
    )


def titles(at: Project) -> set[str]:
    at.refresh()
    return {item.text("title") for item in at.board.items if item.text("title")}


def test_each_nation_sees_its_own_true_board(coalition: Coalition) -> None:
    charter(coalition)
    aus = project(coalition, "aus")
    shared, pair, own = task(aus, "Shared"), task(aus, "Pair only", PAIR), task(aus, f"{CANARY} own", OWN)
    hidden_details = task(aus, "Half", ALL, details=OWN)
    for record, note in ((shared, "well"), (pair, f"{CANARY} pair"), (own, f"{CANARY} own")):
        aus.say(ref(record), "doing", note, {})
        aus.post(ref(record), f"{CANARY} about {record.header.id}", {})
    coalition.settle()
    gbr, usa, nzl = (project(coalition, name) for name in ("gbr", "usa", "nzl"))
    assert titles(aus) == {"Sea watch", "Shared", "Pair only", f"{CANARY} own", "Half"}
    assert titles(gbr) == {"Sea watch", "Shared", "Pair only", "Half"}
    assert titles(usa) == {"Sea watch", "Shared", "Half"}
    assert nzl.board.cards == ()
    for board, gone in ((gbr, (own,)), (usa, (own, pair))):
        written_board = written(board.board)
        for record in gone:
            assert record.header.id.encode() not in written_board
            with pytest.raises(UnknownTerm, match="no item"):
                board.card(ref(record))
    assert project(coalition, "gbr").card(ref(hidden_details)).item.text("details") == ""
    assert project(coalition, "usa").card(ref(shared)).state == "doing"


def test_who_sees_the_same_records_has_the_same_board_byte_for_byte(coalition: Coalition) -> None:
    charter(coalition)
    shared = task(project(coalition, "aus"), "Shared")
    coalition.settle()
    project(coalition, "gbr").say(ref(shared), "done", "We did it", {})
    project(coalition, "usa").post(ref(shared), "Good", {})
    coalition.settle()
    boards = {written(project(coalition, name).board) for name in ("aus", "gbr", "usa")}
    assert len(boards) == 1


def test_words_said_at_two_nodes_that_cannot_hear_each_other_both_stand(coalition: Coalition) -> None:
    charter(coalition)
    shared = task(project(coalition, "aus"), "Shared")
    coalition.settle()
    project(coalition, "aus").say(ref(shared), "done", "Ready", {})
    coalition.clock.at += 5
    project(coalition, "gbr").say(ref(shared), "blocked", "No ship", {})
    coalition.settle()
    for name in ("aus", "gbr", "usa"):
        card = project(coalition, name).card(ref(shared))
        assert card.state == "blocked" and card.differs
        assert [(said.item.ref.node, said.state) for said in card.said] == [("gbr", "blocked"), ("aus", "done")]
    project(coalition, "aus").say(ref(shared), "open", "Then wait", {})
    card = project(coalition, "aus").card(ref(shared))
    assert card.state == "open" and len(card.said) == 2
    assert card.said[0].item.version == 2


def test_a_word_about_something_is_marked_at_least_like_it(coalition: Coalition) -> None:
    charter(coalition)
    pair = task(project(coalition, "aus"), "Pair only", PAIR)
    coalition.settle()
    gbr = project(coalition, "gbr")
    wide = gbr.say(ref(pair), "doing", "wide?", {"": "OFFICIAL"})
    assert wide.label.classification == "SECRET"
    assert "USA" not in wide.label.releasable.parties and wide.label.origins == {"AUS"}
    coalition.settle()
    usa = project(coalition, "usa")
    assert coalition.held("usa", wide.header.id) is None
    assert titles(usa) == {"Sea watch"}
    assert project(coalition, "aus").card(ref(pair)).state == "doing"


def test_a_reply_is_marked_like_all_that_its_author_saw_of_what_it_answers(coalition: Coalition) -> None:
    charter(coalition)
    aus = project(coalition, "aus")
    half = task(aus, "Half", ALL, details=PAIR)
    reply = aus.post(ref(half), "as the details say", {})
    assert reply.label.releasable.parties == {"GBR"}
    loud = aus.post(ref(half), "nothing quoted", {"": ALL})
    assert loud.label.releasable.parties == {"GBR", "USA"}


def test_a_board_at_a_lower_level_and_for_a_guest_shows_less_and_says_nothing_of_it(coalition: Coalition) -> None:
    charter(coalition, mark="OFFICIAL//REL AUS/GBR/USA")
    aus = project(coalition, "aus")
    low = task(aus, "Low", "OFFICIAL//REL AUS/GBR/USA")
    high = task(aus, f"{CANARY} high", "SECRET//REL AUS/GBR")
    aus.say(ref(low), "done", f"{CANARY} note", {"": "SECRET//REL AUS/GBR"})
    aus.post(ref(low), f"{CANARY} reply", {"": "SECRET//AGAO"})
    aus.add("milestone", {"title": "Ready"}, {"": "OFFICIAL"})
    alice = Project(worker(coalition, "aus", "alice", level="OFFICIAL"), NAME)
    card = alice.card(ref(low))
    assert (card.state, card.said, card.replies) == ("open", (), ())
    assert CANARY.encode() not in written(alice.board).replace(b"canary details", b"")
    assert high.header.id.encode() not in written(alice.board)
    assert [entry.verb for entry in alice.feed()] == ["added"] * 3
    guest = worker(coalition, "aus", "acme", roles=[GUEST], kinds=["task"], projects=[NAME])
    seen = Project(guest, NAME)
    assert {card.item.kind for card in seen.board.cards} == {"task"}
    assert charters(guest) == []
    other = worker(coalition, "aus", "other", roles=[GUEST], kinds=["task"], projects=["ELSEWHERE"])
    for name in (NAME, "NOWHERE"):
        with pytest.raises(UnknownTerm) as said:
            Project.open(other, name)
        assert str(said.value).replace(name, "X") == str(said.value).replace(repr(name), "'X'")
    with pytest.raises(UnknownTerm):
        project_of(other, low.header.id)


def test_members_are_listed_by_their_own_nation(coalition: Coalition) -> None:
    charter(coalition)
    people = [Member("Kit Example", "Naval staff", "lead")]
    quiet = [Member("Robin Example", "Lab", "analyst")]
    project(coalition, "aus").add("membership", {"members": people, "reserved": quiet}, {"": ALL, "reserved": PAIR})
    project(coalition, "gbr").add("membership", {"members": people}, {"": "SECRET"})
    coalition.settle()
    [ours, _theirs] = project(coalition, "gbr").board.of("membership")
    assert ours.item.seen("reserved") is not None
    seen = [card.item for card in project(coalition, "usa").board.of("membership")]
    assert b"Robin" not in written(project(coalition, "usa").board)
    assert {item.ref.node for item in seen} == {"aus", "gbr"}


def test_a_person_may_do_what_their_roles_allow_and_writes_as_themselves(coalition: Coalition) -> None:
    charter(coalition)
    alice = Project(worker(coalition, "aus", "alice"), NAME)
    made = alice.add("task", {"title": "Mine"}, {})
    assert made.header.author == "alice" and made.label == alice.board.charter.label  # type: ignore[union-attr]
    reader = Project(worker(coalition, "aus", "reader", roles=[]), NAME)
    for write in (
        lambda: reader.add("task", {"title": "No"}, {}),
        lambda: reader.say(ref(made), "done", "", {}),
        lambda: reader.post(ref(made), "No", {}),
        lambda: reader.revise(ref(made), {"title": "No"}, {}),
    ):
        with pytest.raises(RefusedByPolicy, match="no role"):
            write()
    assert len(reader.board.items) == 2


def test_only_its_own_node_revises_an_item_and_parts_that_are_not_named_stay(coalition: Coalition) -> None:
    charter(coalition)
    aus = project(coalition, "aus")
    made = task(aus, "First", ALL, details=PAIR)
    coalition.settle()
    with pytest.raises(RefusedByPolicy, match="alone writes its versions"):
        project(coalition, "gbr").revise(ref(made), {"title": "Theirs"}, {})
    again = aus.revise(ref(made), {"title": "Second", "plan": None}, {})
    assert {portion.name: portion.label for portion in again.portions} == {
        portion.name: portion.label for portion in made.portions if portion.name != "plan"
    }
    assert again.header.version == 2


def test_bad_words_are_refused_and_name_what_is_possible(coalition: Coalition) -> None:
    charter(coalition)
    aus = project(coalition, "aus")
    made = task(aus, "First")
    with pytest.raises(InvalidInput, match="open, doing, blocked, done, dropped"):
        aus.say(ref(made), "agreed", "", {})
    with pytest.raises(InvalidInput, match="Reply to it instead"):
        aus.say(aus.board.charter.ref, "done", "", {})  # type: ignore[union-attr]
    with pytest.raises(InvalidInput, match="without a title"):
        aus.post(None, "text", {})
    with pytest.raises(InvalidInput, match="without a word"):
        aus.post(ref(made), " ", {})
    with pytest.raises(UnknownTerm, match="no item aus/gone"):
        aus.post(Ref("aus", "gone"), "text", {})
    with pytest.raises(InvalidInput, match="no portion 'colour'"):
        aus.add("task", {"title": "T"}, {"colour": ALL})
    with pytest.raises(InvalidInput, match="a line of at most"):
        aus.add("task", {"title": "two\nlines"}, {})
    with pytest.raises(InvalidInput, match="how this task is marked"):
        Project(coalition["aus"].context, "NEW").add("task", {"title": "T"}, {})


def test_what_came_since_it_was_read_is_new_and_what_concerns_one_is_a_notice(coalition: Coalition) -> None:
    charter(coalition)
    context = worker(coalition, "aus", "alice")
    alice = Project(context, NAME)
    mine = alice.add("task", {"title": "Mine"}, {"": ALL})
    alice.read()
    assert alice.news() == []
    coalition.settle()
    gbr = project(coalition, "gbr")
    gbr.post(ref(mine), "Who pays?", {})
    gbr.say(ref(mine), "blocked", "money", {})
    for_alice = gbr.add("task", {"title": "Hers", "plan": Plan(person="Alice")}, {"": "SECRET"})
    coalition.settle()
    alice.refresh()
    assert sorted((entry.verb, entry.item.ref.node) for entry in alice.news()) == [
        ("added", "gbr"), ("replied", "gbr"), ("said", "gbr"),
    ]  # fmt: skip
    assert sorted(entry.verb for entry in alice.concerns()) == ["assigned", "replied", "said"]
    assert for_alice.header.id in {entry.item.ref.id for entry in alice.concerns()}
    alice.read()
    assert alice.news() == [] and alice.concerns() == []
    low = Project(worker(coalition, "aus", "bert", level="OFFICIAL"), NAME)
    assert low.feed() == []


def test_what_was_read_is_kept_apart_by_person_and_level_and_never_travels(coalition: Coalition) -> None:
    charter(coalition, mark="OFFICIAL//REL AUS/GBR/USA")
    high = worker(coalition, "aus", "alice")
    Project(high, NAME).read()
    assert Project(high, NAME).news() == []
    person = coalition["aus"].people.sessions.who(
        coalition["aus"].people.sign_in("alice", "correct horse battery", {"AUS": "OFFICIAL"})
    )
    low = coalition["aus"].context.bound(person)
    assert len(Project(low, NAME).news()) == 1
    assert len(project(coalition, "aus").news()) == 1
    before = len(coalition.wire)
    Project(low, NAME).read()
    coalition.settle()
    assert all(b"workspace/read" not in sent.body for sent in coalition.wire[before:])


def test_a_project_begins_with_a_charter_and_an_arrangement_and_says_first_what_that_releases(
    coalition: Coalition,
) -> None:
    context = worker(coalition, "aus", "alice", projects=["*"], roles=[ORIGINATOR, OFFICER])
    coalition.put("aus", "old", {"title": ("Old", context.label("OFFICIAL//REL AUS/GBR"))}, project="REEF")
    plan = begin(context, "REEF", template="bilateral", partners=["GBR"], title="Reef", marking="OFFICIAL//REL AUS/GBR")
    assert [(gain.party, gain.records) for gain in plan.preview.gains] == [("GBR", ("old",))]
    assert context.standing("REEF", [kind.name for kind in KINDS][:2]) == []
    plan.put(context)
    coalition.arrange(plan.arrangement)
    reef = Project(coalition["gbr"].context, "REEF")
    assert titles(reef) == {"Reef", "Old"}
    assert Project(coalition["usa"].context, "REEF").board.cards == ()
    with pytest.raises(InvalidInput, match="already"):
        begin(context, "REEF", template="bilateral", partners=["GBR"], title="Reef")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"name": "reef"}, "no name of a project"),
        ({"template": "quadrilateral"}, "bilateral, trilateral"),
        ({"partners": ["GBR", "USA"]}, "between 2 parties"),
        ({"partners": ["AUS"]}, "between 2 parties"),
        ({"partners": ["XYZ"]}, "not a party"),
    ],
)
def test_a_beginning_that_cannot_be_is_refused(coalition: Coalition, given: dict[str, object], said: str) -> None:
    fields = {"name": "REEF", "template": "bilateral", "partners": ["GBR"], "title": "Reef"} | given
    with pytest.raises(InvalidInput, match=said):
        begin(coalition["aus"].context, fields.pop("name"), **fields)  # type: ignore[arg-type]


def test_a_newcomer_gets_exactly_what_the_preview_showed(coalition: Coalition) -> None:
    charter(coalition)
    aus = project(coalition, "aus")
    all_four = "SECRET//REL AUS/GBR/NZL/USA"
    shown = task(aus, "For all", all_four)
    half = task(aus, "Half", all_four, details=ALL)
    task(aus, f"{CANARY} for three")
    aus.say(ref(shown), "doing", "begun", {"": all_four})
    coalition.settle()
    plan = extend(coalition["aus"].context, project(coalition, "aus"), "NZL", marking=all_four)
    assert {item.title for item in plan.goes if item.kind in ("task", "charter")} == {"For all", "Half", "Sea watch"}
    assert {item.title for item in plan.items if not item.goes} == {f"{CANARY} for three"}
    assert project(coalition, "nzl").board.cards == ()
    plan.put(coalition["aus"].context)
    coalition["aus"].register.amend(plan.arrangement, "officer")
    coalition.settle()
    for name in ("aus", "gbr", "usa", "nzl"):
        coalition[name].register.sign("pa-sea-watch", "officer")
    coalition.settle()
    nzl = project(coalition, "nzl")
    assert {item.ref for item in nzl.board.items} == {item.ref for item in plan.goes}
    assert nzl.card(ref(half)).item.text("details") == ""
    assert nzl.card(ref(shown)).state == "doing"
    assert CANARY.encode() not in written(nzl.board).replace(b"canary details", b"")
    assert b"for three" not in coalition.seen_by("nzl")


def test_an_extension_that_cannot_be_is_refused(coalition: Coalition) -> None:
    charter(coalition)
    coalition.settle()
    context = coalition["aus"].context
    with pytest.raises(InvalidInput, match="is in SEA-WATCH already"):
        extend(context, project(coalition, "aus"), "GBR")
    with pytest.raises(UnknownTerm, match="no node of CAN"):
        extend(context, project(coalition, "aus"), "CAN")
    with pytest.raises(InvalidInput, match="wrote no charter"):
        extend(coalition["gbr"].context, project(coalition, "gbr"), "NZL")


def test_labels_that_no_equivalence_maps_leave_the_level_to_the_author_and_the_audience_to_both(
    coalition: Coalition,
) -> None:
    gbr = project(coalition, "gbr")
    plain = gbr.add("task", {"title": "Plain"}, {"": "OFFICIAL-SENSITIVE"})
    assert about_of(gbr.item(ref(plain))) is None
    coalition.settle()
    aus = project(coalition, "aus")
    reply = aus.post(ref(plain), "Fine", {"": "OFFICIAL//REL AUS/GBR"})
    assert reply.label.policy == "AUS" and reply.label.releasable.parties - {"AUS"} == {"GBR"}
    few = Label("UK", "OFFICIAL-SENSITIVE", Releasability.to("AUS"))
    two = gbr.add("task", {"title": "For two"}, {"": few})
    coalition.settle()
    wide = project(coalition, "aus").post(ref(two), "Fine", {"": "OFFICIAL//REL AUS/GBR/USA"})
    assert wide.label.releasable.parties - {"AUS"} == {"GBR"}
    same = aus.post(ref(plain), "As you mark it", {})
    assert same.label.policy == "UK"
    mixed = gbr.add("task", {"title": "Mixed", "details": "x"}, {"": "OFFICIAL", "details": "OFFICIAL-SENSITIVE"})
    coalition.settle()
    with pytest.raises(NeedsPerson, match="Say how your words"):
        project(coalition, "aus").post(ref(mixed), "?", {})
