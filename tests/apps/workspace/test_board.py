"""The board is a fold over the set of records in sight, whatever way they came; and it loses nobody's word."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from worksites import written

from aldis.apps.workspace.board import fold
from aldis.apps.workspace.kinds import COLUMNS, About, Plan, Progress, Ref
from aldis.kernel.labels import Label, Releasability
from aldis.kernel.records import Draft, DraftPortion, Record, make_record, next_version, tombstone

LABEL = Label("AUS", "SECRET", Releasability.to("GBR", "USA"))
NODES = ("aus", "gbr", "usa")
_bytes = Random(1).randbytes


def record(
    node: str, id_: str, kind: str, parts: dict[str, object], at: int = 1, before: Record | None = None
) -> Record:
    draft = Draft(
        kind=kind, id=id_, originator=node, author="kit", created=at, label=LABEL, project="P",
        portions=[DraftPortion(name, LABEL, value) for name, value in parts.items()],
    )  # fmt: skip
    return make_record(next_version(before, draft) if before else draft, _bytes)


def task(node: str, id_: str, title: str = "Do it", at: int = 1) -> Record:
    return record(node, id_, "task", {"title": title, "plan": Plan()}, at)


def word(node: str, id_: str, about: Ref, state: str, at: int) -> Record:
    return record(node, id_, "progress", {"progress": Progress(about, state)}, at)  # type: ignore[arg-type]


def post(node: str, id_: str, about: Ref | None, at: int) -> Record:
    return record(node, id_, "post", {"title": id_, "text": f"says {id_}", "thread": About(about)}, at)


@st.composite
def histories(draw: st.DrawFn) -> list[Record]:
    """What three nations wrote without hearing of one another: about each other's things, and what is not there."""
    found: list[Record] = []
    refs = [Ref(node, f"{kind}{n}") for node in NODES for kind in "tp" for n in range(2)]
    for node in NODES:
        for n in range(draw(st.integers(0, 2))):
            made = task(node, f"t{n}", at=draw(st.integers(0, 3)))
            found.append(made)
            if draw(st.booleans()):
                found.append(record(node, f"t{n}", "task", {"title": "Do it better"}, draw(st.integers(0, 3)), made))
            elif draw(st.booleans()):
                found.append(make_record(tombstone(made, "kit", 5), _bytes))
        for n in range(draw(st.integers(0, 3))):
            about = draw(st.sampled_from([None, *refs, *(Ref(one, "gone") for one in NODES)]))
            found.append(post(node, f"p{n}", about, draw(st.integers(0, 3))))
        for n in range(draw(st.integers(0, 3))):
            state = draw(st.sampled_from(["open", "doing", "done", "agreed"]))
            found.append(word(node, f"w{n}", draw(st.sampled_from(refs)), state, draw(st.integers(0, 3))))
    return found


@given(histories(), st.randoms(use_true_random=False))
def test_any_order_of_arrival_and_any_repetition_give_the_same_board(records: list[Record], rng: Random) -> None:
    board = written(fold(records))
    again = [*records, *rng.choices(records, k=3)] if records else []
    rng.shuffle(again)
    assert written(fold(again)) == board


@given(histories(), st.data())
def test_what_is_missing_leaves_no_trace(records: list[Record], data: st.DataObject) -> None:
    gone = (
        data.draw(st.sets(st.sampled_from([(r.header.originator, r.header.id) for r in records]))) if records else set()
    )
    seen = [r for r in records if (r.header.originator, r.header.id) not in gone]
    board = fold(seen)
    shown = {item.ref for item in board.items}
    assert not {Ref(*pair) for pair in gone} & shown
    for card in board.cards:
        for said in card.said:
            assert said.item.part("progress", Progress).about == card.item.ref  # type: ignore[union-attr]
        for reply in card.replies:
            about = reply.item.part("thread", About)
            assert about is not None and about.about in shown


@given(histories())
def test_every_nation_s_last_word_is_on_the_card_and_the_latest_is_its_state(records: list[Record]) -> None:
    for card in fold(records).of("task"):
        nodes = [said.item.ref.node for said in card.said]
        assert len(nodes) == len(set(nodes))
        words = [
            (r.header.created, r.header.originator, r.header.id, r)
            for r in records
            if r.header.kind == "progress"
            and r.portions[0].value["about"] == {"node": card.item.ref.node, "id": card.item.ref.id}
        ]
        assert set(nodes) == {node for _, node, _, _ in words}
        counted = [one for one in words if one[3].portions[0].value["state"] in COLUMNS["task"]]
        by_node = {one[1]: one for one in sorted(words, key=lambda one: one[:3])}
        known = [one for one in by_node.values() if one in counted]
        expected = max(known, key=lambda one: one[:3])[3].portions[0].value["state"] if known else "open"
        assert card.state == expected


def test_a_ring_of_posts_hangs_on_nothing_and_is_not_shown() -> None:
    one, two = post("aus", "a", Ref("gbr", "b"), 1), post("gbr", "b", Ref("aus", "a"), 2)
    assert fold([one, two]).cards == ()
    assert fold([one, two, post("usa", "c", Ref("gbr", "b"), 3)]).cards == ()


def test_a_long_thread_is_walked_without_end_of_stack() -> None:
    posts = [post("aus", "0", None, 0)] + [post("aus", str(n), Ref("aus", str(n - 1)), n) for n in range(1, 3000)]
    [card] = fold(posts).cards
    assert [reply.depth for reply in card.replies] == list(range(1, 3000))


def test_of_one_version_held_twice_the_copy_that_shows_more_stands() -> None:
    whole = task("aus", "t0", "Sonar canary")
    part = whole.only([whole.portions[1].digest])
    for records in ([whole, part], [part, whole]):
        assert fold(records).cards[0].item.title == "Sonar canary"
    assert fold([part]).cards[0].item.title == "t0"


def test_an_older_version_that_comes_late_changes_nothing() -> None:
    first = task("aus", "t0", "Old")
    second = record("aus", "t0", "task", {"title": "New"}, 2, first)
    deleted = make_record(tombstone(second, "kit", 3), _bytes)
    assert fold([second, first]).cards[0].item.title == "New"
    assert fold([deleted, first, second]).cards == ()


def test_a_post_whose_thread_is_not_in_sight_is_no_topic_of_its_own() -> None:
    reply = post("gbr", "b", Ref("aus", "hidden"), 1)
    cut = reply.only([portion.digest for portion in reply.portions if portion.name != "thread"])
    assert fold([cut]).cards == ()


@pytest.mark.parametrize("kind", COLUMNS)
def test_every_card_stands_in_one_column(kind: str) -> None:
    cards = [record("aus", f"x{n}", kind, {"title": f"{n}"}) for n in range(5)]
    words = [
        word("gbr", f"w{n}", Ref("aus", f"x{n}"), state, 2) for n, state in enumerate(("done", "agreed", "dropped"))
    ]
    board = fold([*cards, *words])
    assert sorted(card.item.ref for column in board.columns(kind).values() for card in column) == [
        Ref("aus", f"x{n}") for n in range(5)
    ]
