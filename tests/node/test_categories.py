"""What a caveat covers is for those alone who are accredited for it: people at one node, and the node above."""

from __future__ import annotations

from pathlib import Path

import pytest
from nations import Coalition, to
from personnel import hire, listed, signed_in

from aldis.kernel.errors import UnknownTerm
from aldis.kernel.labels import Label, Releasability
from aldis.node.node import Node
from aldis.node.people import Person

SPECIAL = "Special Handling"
ALL = Releasability.to("AUS", "GBR")
PLAIN = Label("AUS", "PROTECTED", ALL)


def caveat(*values: str) -> Label:
    return Label("AUS", "PROTECTED", ALL, ((SPECIAL, frozenset(values)),))


def fill(coalition: Coalition, node: str) -> None:
    """Records with a caveat in the header, in one portion, and in none."""
    coalition.put(node, "plain", {"title": ("canary plain", PLAIN)})
    coalition.put(node, "mixed", {"title": ("canary mixed", PLAIN), "body": ("canary body", caveat("CABINET"))})
    coalition.put(node, "cabinet", {"title": ("canary cabinet", caveat("CABINET"))})
    coalition.put(node, "both", {"title": ("canary both", caveat("CABINET", "DELICATE SOURCE"))})


EVERYTHING = {"aus/plain": {"title"}, "aus/mixed": {"title", "body"}, "aus/cabinet": {"title"}, "aus/both": {"title"}}
NOTHING = {"aus/plain": {"title"}, "aus/mixed": {"title"}}


def seen(node: Node, person: Person) -> dict[str, set[str]]:
    """What is listed, after a look that search, single reads and counts tell of no more."""
    found = listed(node, person)
    hits = {f"{hit.row.originator}/{hit.row.id}" for hit in node.records.search("canary", viewer=person).hits}
    assert hits == found.keys()
    assert node.records.count(viewer=person) == len(found)
    for record in ("plain", "mixed", "cabinet", "both"):
        if f"aus/{record}" in found:
            assert {p.name for p in node.records.get(record, viewer=person).record().portions} == found[f"aus/{record}"]
        else:
            with pytest.raises(UnknownTerm) as hidden:
                node.records.get(record, viewer=person)
            with pytest.raises(UnknownTerm) as absent:
                node.records.get("nothing", viewer=person)
            assert str(hidden.value).replace(record, "X") == str(absent.value).replace("nothing", "X")
    return found


@pytest.mark.parametrize(
    ("held", "expected"),
    [
        ({}, NOTHING),
        ({SPECIAL: []}, NOTHING),
        ({SPECIAL: ["DELICATE SOURCE"]}, NOTHING),
        ({SPECIAL: ["CABINET"]}, {**EVERYTHING, "aus/both": None}),
        ({SPECIAL: ["CABINET", "DELICATE SOURCE"]}, EVERYTHING),
        ({SPECIAL: ["*"]}, EVERYTHING),
        ({"Nationality": ["*"]}, NOTHING),
    ],
)
def test_a_person_sees_what_a_caveat_covers_only_with_every_value_of_it(
    tmp_path: Path, held: dict[str, list[str]], expected: dict[str, set[str] | None]
) -> None:
    coalition = Coalition(tmp_path)
    node = coalition.add("aus")
    fill(coalition, "aus")
    hire(node, "alice", categories=held)
    person = signed_in(node, "alice")
    assert seen(node, person) == {name: portions for name, portions in expected.items() if portions}
    if held:
        hire(node, "bob")
        bob = signed_in(node, "bob")
        assert seen(node, bob) == NOTHING  # another's caveats are no one else's
    coalition.close()


@pytest.mark.parametrize(
    ("accredited", "arrives"),
    [
        ({}, {"plain": ["title"], "mixed": ["title"]}),
        ({SPECIAL: ["DELICATE SOURCE"]}, {"plain": ["title"], "mixed": ["title"]}),
        ({SPECIAL: ["CABINET"]}, {"plain": ["title"], "mixed": ["body", "title"], "cabinet": ["title"]}),
        ({SPECIAL: ["*"]}, {"plain": ["title"], "mixed": ["body", "title"], "cabinet": ["title"], "both": ["title"]}),
    ],
)
def test_a_caveat_goes_up_only_where_the_high_node_has_it(
    tmp_path: Path, accredited: dict[str, list[str]], arrives: dict[str, list[str]]
) -> None:
    coalition = Coalition(tmp_path)
    coalition.add("aus-low")
    coalition.add("aus-high", ceiling="TOP SECRET", categories=accredited)
    coalition.pair("aus-low", "aus-high")
    fill(coalition, "aus-low")
    coalition.settle()
    held = {name: coalition.held("aus-high", name) for name in ("plain", "mixed", "cabinet", "both")}
    assert {name: portions for name, portions in held.items() if portions} == arrives
    crossed = coalition.seen_by("aus-high")
    for name in held.keys() - arrives.keys():
        assert f"canary {name}".encode() not in crossed and name.encode() not in crossed
    assert (b"canary body" in crossed) == ("body" in arrives["mixed"])
    coalition.close()


def test_a_node_says_only_what_some_policy_has(tmp_path: Path) -> None:
    coalition = Coalition(tmp_path)
    for name, wrong in (("aus-a", {"Nonsense": ["X"]}), ("aus-b", {SPECIAL: ["X"]})):
        node = coalition.add(name, categories=wrong)
        with pytest.raises(UnknownTerm):
            node.partners.invite("GBR")
    assert to("GBR").categories == ()
    coalition.close()
