"""Lists whose rows are kept as they were shown: all that is shown is what a first look would show."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from port_world import HIGH, LOW, PASSWORD, Clock, open_node, put

from aldis.interfaces.api.reading import RecordPage
from aldis.interfaces.api.shown import Shower
from aldis.kernel.labels import Label, Releasability
from aldis.kernel.records import Draft, DraftPortion, make_record
from aldis.node.node import Node
from aldis.node.people import Account

SPECIAL = "Special Handling"
HELD = {"cabinet": ["CABINET"], "source": ["DELICATE SOURCE"], "every": ["*"], "plain": []}


def caveat(value: str) -> Label:
    return Label("AUS", "PROTECTED", Releasability.to("GBR"), ((SPECIAL, frozenset({value})),))


CABINET, SOURCE = caveat("CABINET"), caveat("DELICATE SOURCE")
OTHER = Label("AUS", "PROTECTED", Releasability.to("GBR"))


@pytest.fixture
def node(folder: Path, tmp_path: Path) -> Iterator[Node]:
    """Records with a portion for each; two people see equally many profiles, and not the same."""
    shutil.copytree(folder, tmp_path / "aus")
    with open_node(tmp_path / "aus", Clock()) as made:
        for who, values in HELD.items():
            made.people.enrol(who, made.people.add(account(who, values)), PASSWORD)
        put(made, "parted", "canary title", body=("canary cabinet", CABINET), summary=("canary source", SOURCE))
        put(made, "secret", "canary title", body=("canary secret", HIGH))
        yield made


def account(who: str, values: list[str]) -> Account:
    clearance, categories = {"AUS": "SECRET"}, {SPECIAL: values}
    return Account(id=who, name=who, nationality="AUS", clearance=clearance, projects=["WATCH"], categories=categories)


def check(node: Node, shower: Shower, token: str) -> str:
    """What a person is shown, twice the same and as by a shower that has shown nothing before."""
    person = node.people.sessions.who(token)
    page = node.records.page(viewer=person)
    first = Shower(node.core).page(page.rows, page.next or "")
    assert shower.listing(node.records, person)[0] == first
    assert shower.listing(node.records, person)[0] == first
    msgspec.json.decode(first, type=RecordPage)
    return first.decode()


def test_what_is_kept_of_a_list_is_for_those_alone_who_see_the_same(node: Node) -> None:
    shower = Shower(node.core)
    tokens = {who: node.people.sign_in(who, PASSWORD) for who in (*HELD, "foreign", "guest")}
    tokens["low"] = node.people.sign_in("every", PASSWORD, {"AUS": "PROTECTED"})
    words = ("canary cabinet", "canary source", "canary secret")
    expected = {
        "every": (True, True, True), "cabinet": (True, False, True), "source": (False, True, True),
        "plain": (False, False, True), "low": (True, True, False), "foreign": (False, False, False),
        "guest": (False, False, False),
    }  # fmt: skip

    def look(order: list[str]) -> dict[str, tuple[bool, ...]]:
        shown = {who: check(node, shower, tokens[who]) for who in order}
        return {who: tuple(word in shown[who] for word in words) for who in order}

    people = {who: node.people.sessions.who(tokens[who]) for who in ("cabinet", "source")}
    assert len({int(node.records.visible(person).sum()) for person in people.values()}) == 1
    assert look([*expected]) == expected
    assert look([*expected][::-1]) == expected

    put(node, "later", "more", body=("canary cabinet", CABINET), annex=("new", OTHER))
    assert look([*expected]) == expected
    node.people.set(account("every", []))  # a caveat withdrawn
    narrowed = expected | {"every": (False, False, True), "low": (False, False, False)}
    assert look([*expected]) == narrowed
    node.people.set(account("plain", ["*"]))
    assert look([*expected]) == narrowed | {"plain": (True, True, True)}


def test_what_is_kept_of_a_list_is_void_once_the_content_changes(node: Node) -> None:
    shower, token = Shower(node.core), node.people.sign_in("every", PASSWORD)
    parts = [DraftPortion("title", LOW, "came first"), DraftPortion("body", LOW, "came late")]
    now = node.core.clock.now()
    record = make_record(Draft("document", "grown", node.name, "", now, LOW, parts, project="WATCH"), node.core.random)
    first = next(portion for portion in record.portions if portion.name == "title")
    store = node.core.store
    store.records.put([record.only([first.digest])], now)
    assert "came first" in check(node, shower, token) and "came late" not in check(node, shower, token)
    [seq] = store.records.put([record], now).seqs
    assert "came late" in check(node, shower, token)
    with store.transaction():
        store.erasure.erase([seq], "for the test", now)
    assert "came" not in check(node, shower, token)


def test_what_is_kept_of_a_list_is_bounded(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    shower, token = Shower(node.core), node.people.sign_in("every", PASSWORD)
    monkeypatch.setattr("aldis.interfaces.api.shown._MOST_SHOWN", 2_000)
    for number in range(5):
        put(node, f"more-{number}", "long " * 100)
        check(node, shower, token)
        assert sum(len(data) for view in shower._views._rows.values() for data, _ in view.values()) <= 4_000
