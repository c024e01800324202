"""A node with people and records, its pages served on loopback, and every byte that they answered."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import uvicorn
from sample_app import app as sample
from starlette.applications import Starlette
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from aldis.apps.workspace import app as workspace
from aldis.interfaces.api.limits import Limits
from aldis.interfaces.web import site
from aldis.kernel.authority import Role
from aldis.kernel.labels import Label, Releasability
from aldis.kernel.records import Draft, DraftPortion, Record
from aldis.node.config import Config
from aldis.node.home import make_home
from aldis.node.node import Node
from aldis.node.people import Account, Cost, Passwords
from aldis.testing.clock import VirtualClock as Clock

PATIENT = Limits(person_rate=1e6, person_burst=1e6, stranger_rate=1e6, stranger_burst=1e6)
PASSWORD = "correct horse battery"
PROJECT = "NORTHERN-WATCH"
ARRANGEMENT = """\
instrument = "arrangement"
id = "pa-northern-watch"
title = "Northern Watch"
parties = ["AUS", "GBR"]
from = 2026-01-01
until = 2028-12-31

[[clause]]
id = "4.1"
kinds = ["document"]
projects = ["NORTHERN-WATCH"]
purposes = ["surveillance"]
ceiling = { AUS = "SECRET", UK = "SECRET" }

[[clause]]
id = "4.2"
kinds = ["document"]
projects = ["HARBOUR"]
purposes = ["surveillance"]
ceiling = { AUS = "SECRET", UK = "SECRET" }
review = true
"""
OFFICIAL = Label("AUS", "OFFICIAL", Releasability.to("AUS", "GBR"))
SECRET = Label("AUS", "SECRET", Releasability.to("AUS", "GBR"))
AUSTRALIAN = Label("AUS", "SECRET", Releasability.to("AUS"))
PEOPLE: dict[str, dict[str, Any]] = {
    "alice": {"name": "Originator One", "roles": [Role.ORIGINATOR]},
    "bob": {"name": "Reader Two", "clearance": {"AUS": "OFFICIAL"}, "roles": [Role.ORIGINATOR]},
    "olive": {"name": "Officer Three", "roles": [Role.RELEASE_OFFICER]},
    "pat": {"name": "Keeper Four", "roles": [Role.ADMINISTRATOR, Role.SECURITY_OFFICER]},
    "audrey": {"name": "Auditor Five", "roles": [Role.AUDITOR]},
    "gail": {"name": "Guest Six", "clearance": {"AUS": "OFFICIAL"}, "roles": [Role.GUEST], "projects": ["FAIR"],
             "kinds": ["document"], "organisation": "Example University"},
}  # fmt: skip


@dataclass
class Scene:
    """The node, its clock, and where its pages are."""

    node: Node
    clock: Clock
    url: str = ""
    records: dict[str, Record] = field(default_factory=dict)
    answered: list[bytes] = field(default_factory=list)
    """Headers and body of every response."""
    partner: Node | None = None
    """The node of GBR."""

    def settle(self) -> None:
        """Let the two nodes exchange until nothing is left to send."""
        assert self.partner is not None
        _settle(self.node, self.partner, self.clock)

    def put(self, name: str, portions: dict[str, tuple[Any, Label]], **fields: Any) -> Record:
        first = next(iter(portions.values()))[1]
        given: dict[str, Any] = {"kind": "document", "project": PROJECT, "label": first, "created": self.clock.now()}
        draft = Draft(
            id=name, originator=self.node.name, author="alice",
            portions=[DraftPortion(part, label, value) for part, (value, label) in portions.items()],
            **given | fields,
        )  # fmt: skip
        self.records[name] = self.node.records.put(draft)
        self.clock.at += 60_000
        return self.records[name]


APPS = {"workspace": workspace, "sample": sample}


def _open(home: Path, name: str, party: str, policy: str, clock: Clock, apps: dict[str, Any]) -> Node:
    make_home(home, Config(node=name, party=party, policy=policy, ceiling="SECRET"), now=clock.now())
    return Node.open(home, clock=clock, environment={}, apps=apps)


def _settle(one: Node, other: Node, clock: Clock) -> None:
    for _ in range(40):
        clock.at += 1
        for a, b in ((one, other), (other, one)):
            call = a.exchange.next_call(b.name)
            if call is not None:
                a.exchange.answered(b.name, call, b.answer(a.name, call.operation, call.body))


def hire(node: Node, who: str, **fields: Any) -> None:
    """An account with a password."""
    given = {"nationality": "AUS", "clearance": {"AUS": "SECRET"}, "projects": ["*"], "name": who} | fields
    node.people.enrol(who, node.people.add(Account(id=who, **given)), PASSWORD)


@contextmanager
def scene(folder: Path, *, apps: dict[str, Any] = APPS, bare: bool = False) -> Iterator[Scene]:
    """AUS, paired with GBR under an arrangement, with people and, unless it is `bare`, records at two levels."""
    clock = Clock()
    aus, gbr = (_open(folder / name, name, party, policy, clock, apps)
                for name, party, policy in (("aus", "AUS", "AUS"), ("gbr", "GBR", "UK")))  # fmt: skip
    with aus, gbr:
        invitation = aus.partners.invite("GBR")
        _, reply = gbr.partners.join(invitation, lambda _sheet, _digits: True)
        aus.partners.join(reply or b"", lambda _sheet, _digits: True)
        _settle(aus, gbr, clock)
        record = aus.register.draft(ARRANGEMENT, "officer")
        _settle(aus, gbr, clock)
        for node in (aus, gbr):
            node.register.sign(record.header.id, "officer")
        _settle(aus, gbr, clock)
        aus.people.passwords = Passwords(aus.core.random, Cost(32, 1, 4))
        for who, fields in PEOPLE.items():
            hire(aus, who, **fields)
        made = Scene(aus, clock, partner=gbr)
        if not bare:
            _fill(made)
        yield made


def _fill(made: Scene) -> None:
    made.put("tides", {"title": ("Tide tables for the strait", OFFICIAL),
                       "summary": ("High water at the narrows, by day.", OFFICIAL),
                       "body": ("Springs run to four knots; slack lasts twenty minutes.", OFFICIAL)})  # fmt: skip
    made.put("survey", {"title": ("Survey of the northern cable", OFFICIAL),
                        "summary": ("Depths along the route, in metres.", OFFICIAL),
                        "body": ("QUARTZLANTERN passes the cable at 03:10.", SECRET),
                        "annex": ("ONLYOURS: sensor positions.", AUSTRALIAN)})  # fmt: skip
    made.put("plan", {"title": ("VIOLETHARBOUR patrol plan", SECRET),
                      "body": ("VIOLETHARBOUR begins at dusk.", SECRET)})  # fmt: skip
    made.put("berths", {"title": ("Berths at the harbour", OFFICIAL),
                        "body": ("Six, two of them deep.", OFFICIAL)}, project="HARBOUR")  # fmt: skip
    made.put("fair", {"title": ("Programme of the industry fair", OFFICIAL)}, project="FAIR")
    made.put("parts", {"title": ("Pump housing", OFFICIAL), "parts": ([{"part": "P-1", "drawing": "D-77"}], OFFICIAL)},
             kind="technical-data", project="HARBOUR")  # fmt: skip


class Watch:
    """Keeps what was answered to whom."""

    def __init__(self, app: ASGIApp, made: Scene) -> None:
        self._app = app
        self._made = made

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        kept = bytearray()

        async def keep(message: Message) -> None:
            kept.extend(b"".join(b"%s: %s\n" % pair for pair in message.get("headers", ())))
            kept.extend(message.get("body", b""))
            await send(message)

        await self._app(scope, receive, keep)
        if scope["type"] == "http":
            self._made.answered.append(bytes(kept))


@contextmanager
def served(made: Scene, limits: Limits = PATIENT) -> Iterator[Scene]:
    """The pages of the scene's node on a port of loopback."""
    app = Watch(Starlette(routes=site(made.node, limits)), made)
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error", lifespan="off", access_log=False))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    made.url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    try:
        yield made
    finally:
        server.should_exit = True
        thread.join()
