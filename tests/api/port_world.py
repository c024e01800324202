"""A node with people, served on a real socket; its clock stands still and its random numbers are drawn alike."""

from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
from starlette.routing import BaseRoute

from aldis.app import find_apps
from aldis.interfaces.api.limits import Limits
from aldis.interfaces.api.server import PeoplePort
from aldis.kernel.authority import Role
from aldis.kernel.labels import Label, Releasability
from aldis.kernel.records import Draft, DraftPortion, Record
from aldis.node.config import Config
from aldis.node.home import make_home
from aldis.node.node import Node
from aldis.node.people import Account, Cost, Passwords
from aldis.testing.clock import START as START
from aldis.testing.clock import VirtualClock

Clock = VirtualClock
PASSWORD = "correct horse battery"
CANARY = "canary-zwxq"
LOW = Label("AUS", "OFFICIAL", Releasability.to("GBR"))
HIGH = Label("AUS", "SECRET", Releasability.to())
OPEN = Limits(person_rate=1e6, person_burst=1e6, stranger_rate=1e6, stranger_burst=1e6)
PEOPLE: dict[str, dict[str, Any]] = {
    "originator": {"roles": [Role.ORIGINATOR]},
    "officer": {"roles": [Role.RELEASE_OFFICER]},
    "security": {"roles": [Role.SECURITY_OFFICER]},
    "auditor": {"roles": [Role.AUDITOR]},
    "administrator": {"roles": [Role.ADMINISTRATOR]},
    "guest": {"roles": [Role.GUEST], "kinds": ["document"], "clearance": {"AUS": "OFFICIAL"}},
    "foreign": {"roles": [Role.ORIGINATOR], "nationality": "GBR"},
    "low": {"roles": [Role.ORIGINATOR]},
    "suspended": {"roles": [Role.ORIGINATOR]},
    "bystander": {"roles": []},
}


@dataclass
class World:
    """A node that is served."""

    node: Node
    clock: Clock
    url: str = ""
    limits: Limits = OPEN
    tokens: dict[str, str] = field(default_factory=dict)
    loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)
    client: httpx2.Client | None = None

    def token(self, who: str) -> str:
        """The token of a person's session, signed in where they are not."""
        if who not in self.tokens:
            level = {"AUS": "OFFICIAL"} if who.startswith("low") else {}
            self.tokens[who] = self.node.people.sign_in(who, PASSWORD, level)
        return self.tokens[who]

    def ask(self, method: str, path: str, who: str = "", **rest: Any) -> httpx2.Response:
        """One request."""
        headers = dict(rest.pop("headers", {}))
        if who:
            headers["authorization"] = f"Bearer {self.token(who)}"
        assert self.client is not None
        return self.client.request(method, path, headers=headers, **rest)

    def close(self) -> None:
        """Close the connections."""
        if self.client is not None:
            self.client.close()


def seeded(seed: int | str) -> Callable[[int], bytes]:
    """Bytes that are the same for the same seed."""
    lock, source = threading.Lock(), random.Random(seed)

    def draw(size: int) -> bytes:
        with lock:
            return source.randbytes(size)

    return draw


def make_node(folder: Path, people: Mapping[str, dict[str, Any]] = PEOPLE, **settings: Any) -> None:
    """A node's folder with these people, each with a password; one called `suspended` is."""
    given = {"node": "aus", "party": "AUS", "policy": "AUS", "ceiling": "SECRET", "http": "127.0.0.1:0"} | settings
    make_home(folder, Config(**given), now=START)
    with open_node(folder) as node:
        node.people.passwords = Passwords(node.core.random, Cost(32, 1, 4))
        for who, fields in people.items():
            base = {"nationality": "AUS", "clearance": {"AUS": "SECRET"}, "projects": ["WATCH"], "name": who.title()}
            code = node.people.add(Account(id=who, **base | fields))
            node.people.enrol(who, code, PASSWORD)
        if "suspended" in people:
            node.people.suspend("suspended", "for the test")


def open_node(folder: Path, clock: Clock | None = None, seed: int = 1) -> Node:
    """The node of a folder."""
    return Node.open(folder, clock=clock or Clock(), random=seeded(seed), environment={}, apps=find_apps())


def put(
    node: Node,
    id_: str,
    title: str = "",
    label: Label = LOW,
    project: str = "WATCH",
    author: str = "originator",
    kind: str = "document",
    **portions: Any,
) -> Record:
    """A document as the node's operator puts it; `portions` give value and label of others."""
    drafts = [DraftPortion("title", label, title or id_)]
    drafts += [DraftPortion(name, label_, value) for name, (value, label_) in portions.items()]
    return node.records.put(Draft(kind, id_, node.name, author, node.core.clock.now(), label, drafts, project=project))


@contextmanager
def served(
    folder: Path, *, limits: Limits = OPEN, seed: int = 1, at: int = START,
    pages: Callable[[Node], list[BaseRoute]] = lambda _node: [],
) -> Iterator[World]:  # fmt: skip
    """The node of a folder on a real socket, in a thread with a loop of its own."""
    clock = Clock(at)
    node = open_node(folder, clock, seed)
    node.people.passwords = Passwords(node.core.random, Cost(32, 1, 4))
    world, ready = World(node, clock, limits=limits), threading.Event()
    loop = world.loop
    stop = asyncio.Event()

    async def serve() -> None:
        port = PeoplePort(node, limits, pages(node))
        try:
            world.url = await port.start()
        finally:
            ready.set()
        await stop.wait()
        await port.stop()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()))
    thread.start()
    ready.wait(20)
    world.client = httpx2.Client(base_url=world.url, trust_env=False, timeout=20, verify=False)
    try:
        yield world
    finally:
        world.close()
        loop.call_soon_threadsafe(stop.set)
        thread.join(20)
        loop.close()
        node.close()
