"""The worlds of the walk of the API with their pages served: with what is hidden from somebody, and without.

In the one with it, there are also live values of it.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from port_world import CANARY, LOW, OPEN, PASSWORD, World, open_node, served
from starlette.routing import BaseRoute
from walk_places import Scope
from walk_world import ABOVE, NOW, Known, begin, hide, hide_above, hide_pact, later

from aldis.interfaces.web import site
from aldis.kernel.authority import Role
from aldis.kernel.frames import Update
from aldis.kernel.labels import Label
from aldis.node.node import Node
from aldis.node.people import Account, Cost, Passwords

__all__ = ["HIDES", "VISITOR", "Worlds", "alone", "side_by_side"]

VISITOR = Account(
    id="visitor", name="Visitor", nationality="GBR", clearance={"AUS": "OFFICIAL"}, projects=["WATCH"],
    kinds=["document"], roles=[Role.GUEST],
)  # fmt: skip
"""A guest of another nation."""
HIDES = dict.fromkeys(("low", "low-staff", "low-auditor", "guest"), "above") | dict.fromkeys(
    ("foreign", "foreign-staff", "visitor"), "pact"
)
"""From whom more is hidden than another project: what is above them in their own, and from GBR's a pact with USA."""


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


def pages(node: Node) -> list[BaseRoute]:
    """All pages, for whoever asks as often as the walk does."""
    return site(node, OPEN)


@contextmanager
def side_by_side(worlds: Worlds, who: str, to: Path) -> Iterator[tuple[World, World]]:
    """The world without what is hidden from somebody, and the one with it."""
    name = HIDES.get(who, "hide")
    for one in ("without", name):
        shutil.copytree(worlds.of(one) / "aus", to / one)
    with (
        served(to / "without", seed=4, at=NOW, pages=pages) as without,
        served(to / name, seed=4, at=NOW, pages=pages) as more,
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


@contextmanager
def alone(worlds: Worlds, name: str, to: Path) -> Iterator[World]:
    """One world."""
    shutil.copytree(worlds.of(name) / "aus", to / name)
    with served(to / name, seed=4, at=NOW, pages=pages) as world:
        yield world
