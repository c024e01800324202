"""Every page as every role, in two worlds that differ in what whoever asks may not know of: all answers are equal.

The worlds are those of the walk of the API (`walk_world`): with what nobody who walks is in, what is above those who
work low, and a pact between others. The routes are the node's own, so that a new page is walked by itself; from each
page the walk goes on to where it leads. An answer counts with its status, its headers, its size and every byte but
nonce, token and sealed places; of a stream its first event.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from port_world import CANARY, LOW, PASSWORD, World, open_node, served
from walk_places import Scope, places
from walk_world import ABOVE, NOW, WALKING, Known, begin, hide, hide_above, hide_pact, later
from walkers import Answer, Pair, Walker, walk

from aldis.interfaces.web import site
from aldis.kernel.authority import Role
from aldis.kernel.frames import Update
from aldis.kernel.labels import Label
from aldis.node.people import Account, Cost, Passwords

VISITOR = Account(
    id="visitor", name="Visitor", nationality="GBR", clearance={"AUS": "OFFICIAL"}, projects=["WATCH"],
    kinds=["document"], roles=[Role.GUEST],
)  # fmt: skip
"""A guest of another nation."""
HIDES = dict.fromkeys(("low", "low-staff", "low-auditor", "guest"), "above") | dict.fromkeys(
    ("foreign", "foreign-staff", "visitor"), "pact"
)
"""From whom more is hidden than another project: what is above them in their own, and from GBR's a pact with USA."""
BY_OFFICE = {"auditor": ("/ledger",)}
"""What tells of all that is here to whoever holds the office."""
WALKERS = ("", *(who for who in WALKING if who != "suspended"), "visitor")
EVERYDAY = ("low-staff",)
DEEP = {"originator": 2, "foreign-staff": 4, "visitor": 4, "guest": 2, "low": 2}
"""How many more paths of each route are asked for somebody, where the answers lead on."""


class Worlds:
    """The worlds of a folder by name, each made when it is first asked for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "walked"
        self._base = folder / "begun"
        self._hidden: dict[str, Known] = {}
        self.seen = begin(self._base / "without")
        with open_node(self._base / "without" / "aus", seed=3) as node:
            node.people.passwords = Passwords(node.core.random, Cost(32, 1, 4))
            node.people.enrol(VISITOR.id, node.people.add(VISITOR), PASSWORD)
        self._later("without")

    def scope(self, who: str) -> Scope:
        """What is in sight of somebody, and what is hidden."""
        hides = HIDES.get(who, "hide")
        return Scope(self.seen, self._hidden["above" if hides == "pact" else hides], hides)

    def of(self, name: str) -> Path:
        """The folder of a world as it is at last."""
        for one in ("hide", "above", "pact"):
            if name != "without" and one not in self._made():
                self._make(one)
            if one == name:
                break
        if not (self.folder / name).exists():
            self._later(name)
        return self.folder / name

    def _made(self) -> set[str]:
        return {one.name for one in self._base.iterdir()}

    def _make(self, name: str) -> None:
        base = {"hide": "without", "above": "hide", "pact": "above"}[name]
        shutil.copytree(self._base / base, self._base / name)
        if name == "pact":
            hide_pact(self._base / name)
        else:
            self._hidden[name] = (hide if name == "hide" else hide_above)(self._base / name)

    def _later(self, name: str) -> None:
        shutil.copytree(self._base / name, self.folder / name)
        later(self.folder / name)


@pytest.fixture(scope="module")
def worlds(tmp_path_factory: pytest.TempPathFactory) -> Worlds:
    return Worlds(tmp_path_factory.mktemp("walk"))


@contextmanager
def side_by_side(worlds: Worlds, who: str, to: Path) -> Iterator[tuple[World, World]]:
    """The world without what is hidden from somebody, and the one with it."""
    name = HIDES.get(who, "hide")
    for one in ("without", name):
        shutil.copytree(worlds.of(one) / "aus", to / one)
    with (
        served(to / "without", seed=4, at=NOW, pages=site) as without,
        served(to / name, seed=4, at=NOW, pages=site) as more,
    ):
        for world in (without, more):
            tell(world, "seen", LOW, "WATCH")
        tell(more, f"{CANARY}-live", LOW, "BLACK")
        if name != "hide":
            tell(more, f"{CANARY}-above", ABOVE, "WATCH")
        yield without, more


def tell(world: World, name: str, label: Label, project: str) -> None:
    """A live value of two kinds."""
    for kind, portion in (("document", "title"), ("track", "identity")):
        value = name if kind == "document" else {"name": name}
        world.node.context.publish(label, label, project, Update(f"{name}-{kind}", kind, portion, NOW, value))


def walked(worlds: Worlds, who: str, to: Path, most: int = 4) -> list[Pair]:
    with side_by_side(worlds, who, to) as (without, more):
        found = places(more.node)
        one, two = Walker(without, who), Walker(more, who)
        pairs = walk(one, two, found, worlds.scope(who), most).pairs
        for place in found:
            for path, absent in place.asks(worlds.scope(who), few=not most) if "GET" in place.methods else ():
                if absent:
                    held, gone = two.get(path), two.get(absent)
                    assert without_typed(held, path) == without_typed(gone, absent), path
        for wire in (one, two):
            wire.close()
    return pairs


def without_typed(answer: Answer, path: str) -> object:
    """An answer without the words of its path, which come back in some; they are as long in both."""
    status, headers, body = answer.plain
    for word in path.split("/")[2:]:
        body = body.replace(word, "_" * len(word))
    return status, [one for one in headers if one[0] != "location"], body


def differs(pair: Pair) -> bool:
    """Whether the answers are not the same in both worlds."""
    assert pair.one is not None and pair.two is not None
    return pair.one.plain != pair.two.plain


@pytest.mark.parametrize(
    "who", [pytest.param(one, marks=() if one in EVERYDAY else pytest.mark.slow) for one in WALKERS]
)
def test_what_one_may_not_know_of_changes_no_page(worlds: Worlds, tmp_path: Path, who: str) -> None:
    pairs = walked(worlds, who, tmp_path, most=DEEP.get(who, 0))
    told = {pair.path for pair in pairs if differs(pair) and not pair.place.startswith(BY_OFFICE.get(who, "-"))}
    assert told == set()
    for pair in pairs:
        assert pair.two is not None
        assert pair.two.status < 500, pair.path
        assert CANARY in pair.path or CANARY not in pair.two.body
    if not who:
        told = {pair.place for pair in pairs if pair.two and pair.two.status == 200}
        assert told <= {"/sign-in", "/enrol", "/static/{name:path}"}


@pytest.mark.slow
def test_it_does_show_to_whoever_is_in_that_project(worlds: Worlds, tmp_path: Path) -> None:
    """What is hidden from the others could be told by the pages."""
    with side_by_side(worlds, "insider", tmp_path) as (without, more):
        one, two = Walker(without, "insider"), Walker(more, "insider")
        pairs = walk(one, two, places(more.node), worlds.scope("insider")).pairs
        one.close()
        two.close()
    told = {pair.place for pair in pairs if differs(pair)}
    assert told >= {"/records", "/records/{id}", "/search", "/desk", "/desk/{number}", "/live", "/workspace"}
