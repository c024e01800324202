"""A coalition of real nodes in one process: one clock, every byte between them kept, every link ours to cut."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aldis.apps.workspace import app as workspace
from aldis.kernel.labels import Label, Releasability
from aldis.kernel.records import Draft, DraftPortion, Record
from aldis.node.config import Config
from aldis.node.home import make_home
from aldis.node.node import Node
from aldis.testing.clock import START
from aldis.testing.clock import VirtualClock as Clock

NATIONS = {"aus": ("AUS", "AUS", "SECRET"), "gbr": ("GBR", "UK", "SECRET"), "usa": ("USA", "US", "SECRET")}
PROJECT = "NORTHERN-WATCH"
ARRANGEMENT = """\
instrument = "arrangement"
id = "pa-northern-watch"
title = "Northern Watch"
parties = ["AUS", "GBR", "USA"]
from = 2026-01-01
until = 2028-12-31

[[clause]]
id = "4.1"
kinds = ["document", "track"]
projects = ["NORTHERN-WATCH"]
purposes = ["surveillance"]
ceiling = { AUS = "SECRET", UK = "SECRET", US = "SECRET" }
onward = ["USA"]
"""
WATCH = """\
instrument = "arrangement"
id = "pa-watch"
title = "Watch"
parties = ["AUS", "GBR"]
from = 2026-01-01
until = 2035-12-31

[[clause]]
id = "1"
kinds = ["document", "track"]
projects = ["WATCH"]
purposes = ["surveillance"]
ceiling = { AUS = "SECRET", UK = "SECRET" }
"""


@dataclass(frozen=True)
class Sent:
    """One call between two nodes, as it went over the wire."""

    origin: str
    audience: str
    operation: str
    body: bytes
    answer: bytes


class Coalition:
    """Nodes by name, in folders below one; `wire` holds every call there was.

    With `random`, a node draws its bytes from what that gives for its name.
    """

    def __init__(
        self,
        folder: Path,
        apps: dict[str, Any] | None = None,
        random: Callable[[str], Callable[[int], bytes]] | None = None,
    ) -> None:
        self.folder = folder
        self.random = random
        self.clock = Clock(START)
        self.apps = apps or {"workspace": workspace}
        self.nodes: dict[str, Node] = {}
        self.wire: list[Sent] = []

    def __getitem__(self, name: str) -> Node:
        return self.nodes[name]

    def add(self, name: str, **settings: Any) -> Node:
        """A new node; party, policy and ceiling as in NATIONS unless given."""
        party, policy, ceiling = NATIONS.get(name[:3], ("", "", ""))
        config = Config(**{"node": name, "party": party, "policy": policy, "ceiling": ceiling, **settings})
        make_home(self.folder / name, config, now=self.clock.now())
        return self.open(name)

    def open(self, name: str, apps: dict[str, Any] | None = None) -> Node:
        """A node from its folder, anew where it was open; with other apps than the coalition's where given."""
        self.shut(name)
        installed = self.apps if apps is None else apps
        drawn: dict[str, Any] = {"random": self.random(name)} if self.random else {}
        self.nodes[name] = Node.open(self.folder / name, clock=self.clock, environment={}, apps=installed, **drawn)
        return self.nodes[name]

    def shut(self, name: str) -> None:
        if name in self.nodes:
            self.nodes.pop(name).close()

    def close(self) -> None:
        for name in list(self.nodes):
            self.shut(name)

    def back_up(self, name: str) -> None:
        """Keep a node's folder as it is now, for `restore`."""
        self.shut(name)
        shutil.copytree(self.folder / name, self.folder / f"{name}.backup")
        self.open(name)

    def restore(self, name: str) -> None:
        """Put a node's folder back to what `back_up` kept."""
        self.shut(name)
        shutil.rmtree(self.folder / name)
        shutil.copytree(self.folder / f"{name}.backup", self.folder / name)
        self.open(name)

    def pair(self, one: str, other: str) -> None:
        invitation = self[one].partners.invite(self[other].core.party)
        own = self[one].core.party == self[other].core.party
        _, reply = self[other].partners.join(invitation, lambda _sheet, _digits: True, own=own)
        assert reply is not None
        self[one].partners.join(reply, lambda _sheet, _digits: True)

    def step(self, origin: str, audience: str) -> bool:
        """One call from one node to another; whether there was anything to say."""
        call = self[origin].exchange.next_call(audience)
        if call is None:
            return False
        answer = self[audience].answer(origin, call.operation, call.body)
        self.wire.append(Sent(origin, audience, call.operation, bytes(call.body), answer))
        self[origin].exchange.answered(audience, call, answer)
        return True

    def settle(self, *names: str) -> None:
        """Let the nodes talk (all, or the named ones) until nobody has anything to say."""
        wanted = names or tuple(self.nodes)
        links = [(a, k.node) for a in wanted for k in self[a].partners.all() if k.node in wanted and k.active]
        for _ in range(60):
            self.clock.at += 1
            if not sum(self.step(a, b) for a, b in links):
                return
        raise AssertionError("the exchange does not come to rest")

    def put(self, node: str, record: str, portions: dict[str, tuple[Any, Label]], **fields: Any) -> Record:
        """A document of this node's, each portion a value and a label; the header has the first one's."""
        first = next(iter(portions.values()))[1]
        draft = Draft(
            kind=fields.pop("kind", "document"), id=record, originator=node, author="officer",
            created=self.clock.now(), label=fields.pop("label", first),
            portions=[DraftPortion(name, label, value) for name, (value, label) in portions.items()],
            project=fields.pop("project", PROJECT), **fields,
        )  # fmt: skip
        return self[node].records.put(draft)

    def held(self, node: str, record: str) -> list[str] | None:
        """The names of the portions that a node holds of a record, sorted; None where it holds no such record."""
        row = self[node].core.store.records.get(record)
        return sorted(portion.name for portion in row.record().portions) if row else None

    def arrange(self, text: str = ARRANGEMENT, drafter: str = "aus") -> None:
        """Draft, spread and sign an instrument by all who are here and party to it."""
        record = self[drafter].register.draft(text, "officer")
        self.settle()
        for node in self.nodes.values():
            if f'"{node.core.party}"' in text:
                node.register.sign(record.header.id, "officer")
        self.settle()

    def seen_by(self, name: str) -> bytes:
        """Every byte that was ever sent to a node, one after the other."""
        to = [sent.body for sent in self.wire if sent.audience == name]
        answered = [sent.answer for sent in self.wire if sent.origin == name]
        return b"".join([*to, *answered])


def to(*parties: str, policy: str = "AUS", classification: str = "OFFICIAL") -> Label:
    """A label of AUS OFFICIAL, releasable to these parties."""
    return Label(policy, classification, Releasability.to(*parties))
