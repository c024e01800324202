"""The HTTP API: pages of 200 labelled records of 100,000, and 200 people working at once.

    python -m benchmarks.api [--quick] [--rows N] [--people N]

The peer of the pages is the same server, port and threads, which answers the same bytes from a table of records that
were rendered beforehand: no session, no decisions, no labels, no cursor. Both are asked for their first page over 4
connections by another process, in turns. The 200 people have an account, a session and a connection each, and do
something about every two seconds: half of it lists, a quarter reads, the rest searches and puts; of each the median and
99th percentile are told.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import random
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from threading import local
from typing import Any

import apsw
import msgspec
import structlog
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from aldis.app import find_apps
from aldis.interfaces.api.gateway import respond
from aldis.interfaces.api.limits import Limits
from aldis.interfaces.api.server import PeoplePort
from aldis.interfaces.api.shown import Shower
from aldis.kernel.authority import Role
from aldis.kernel.labels import Label, Releasability
from aldis.kernel.records import Draft, DraftPortion
from aldis.node.config import Config
from aldis.node.home import make_home
from aldis.node.node import Node
from aldis.node.people import Account, Cost, Passwords
from benchmarks.report import median_spread, report

PAGE = 200
CONNECTIONS = 4
ROUNDS = 5
PASSWORD = "correct horse battery"
FREE = Limits(person_rate=1e9, person_burst=1e9, stranger_rate=1e9, stranger_burst=1e9)
THINK_S = 2.0
TARGET = 0.5
PATIENCE_MS = 1000.0


def main() -> None:
    """Build a node, serve it, and load it from another process."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="10,000 rows, shorter rounds")
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--people", type=int, default=200)
    parser.add_argument("--load", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.load:
        asyncio.run(load(msgspec.json.decode(given.load)))
        return
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    rows, seconds = (10_000, 2.0) if given.quick else (given.rows, 4.0)
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(measure(Path(folder) / "aus", rows, given.people, seconds))


async def measure(folder: Path, rows: int, people: int, seconds: float) -> None:
    """All figures."""
    config = Config(node="aus", party="AUS", policy="AUS", ceiling="SECRET", http="127.0.0.1:0")
    make_home(folder, config, now=time.time_ns() // 1_000_000)
    with Node.open(folder, environment={}, apps=find_apps()) as node:
        fill(node, rows)
        tokens = [hire(node, f"person-{number}") for number in range(people)]
        port = PeoplePort(node, FREE, pages=[Route("/raw", Raw(render(node, folder, tokens[0])))])
        url = await port.start()
        asked: dict[str, Any] = {"url": url, "seconds": seconds, "rows": rows}
        listing, raw = [], []
        for _ in range(ROUNDS):
            listing.append(await loaded({**asked, "path": f"/api/v1/records?limit={PAGE}", "token": tokens[0]}))
            raw.append(await loaded({**asked, "path": f"/raw?limit={PAGE}", "token": ""}))
        rate, spread = median_spread([one["rate"] for one in listing])
        peer, _ = median_spread([one["rate"] for one in raw])
        assert listing[0]["size"] >= raw[0]["size"] > 50_000
        report(f"api listing, {PAGE} of {rows:,}", "the same rows, rendered before, by the same server", rate / peer,
               TARGET, rate / peer >= TARGET, rate, "pages/s", spread)  # fmt: skip
        worked = await loaded({**asked, "seconds": seconds * 5, "tokens": tokens})
        for name, times in worked.items():
            times.sort()
            middle, late = times[len(times) // 2], times[int(len(times) * 0.99)]
            what = f"api {name}, {people} people at once, p99 (p50 {middle:.0f} ms, {len(times)} asked)"
            report(what, "a second", late / PATIENCE_MS, "1", late <= PATIENCE_MS, late, "ms", (times[0], times[-1]))
        await port.stop()


def fill(node: Node, rows: int) -> None:
    """Documents under a dozen labels, two portions each."""
    labels = [
        Label("AUS", rung, Releasability.to(*parties))
        for rung in ("OFFICIAL", "PROTECTED", "SECRET")
        for parties in ((), ("GBR",), ("GBR", "USA"), ("CAN", "GBR", "NZL", "USA"))
    ]
    draw, now = random.Random(7), node.core.clock.now()
    for start in range(0, rows, 1000):
        drafts = []
        for number in range(start, start + 1000):
            low, high = sorted(draw.choices(range(len(labels)), k=2))
            words = " ".join(draw.choices(("patrol", "survey", "sonar", "cable", "vessel", "weather"), k=40))
            parts = [DraftPortion("title", labels[low], f"Report {number}"), DraftPortion("body", labels[high], words)]
            drafts.append(Draft("document", f"doc-{number}", "aus", "bench", now, labels[low], parts, project="WATCH"))
        node.records.put_all(drafts)


def hire(node: Node, who: str) -> str:
    """A person's session."""
    node.people.passwords = Passwords(node.core.random, Cost(32, 1, 1))
    account = Account(
        id=who, name=who, nationality="AUS", clearance={"AUS": "SECRET"}, projects=["WATCH"], roles=[Role.ORIGINATOR]
    )
    node.people.enrol(who, node.people.add(account), PASSWORD)
    return node.people.sign_in(who, PASSWORD)


def render(node: Node, folder: Path, token: str) -> Path:
    """A file with every record as the API shows it to a person, by number."""
    person, shower, cursor, path = node.people.sessions.who(token), Shower(node.core), "", folder / "raw.db"
    raw = apsw.Connection(str(path))
    raw.execute("CREATE TABLE raw (seq INTEGER PRIMARY KEY, data BLOB NOT NULL)")
    with raw:
        while True:
            page = node.records.page(limit=PAGE, cursor=cursor, viewer=person)
            raw.executemany("INSERT INTO raw VALUES (?, ?)", [(row.seq, shower.record(row)) for row in page.rows])
            if page.next is None:
                break
            cursor = page.next
    raw.close()
    return path


class Raw:
    """Serves rendered rows, newest first, from any place on; each thread has a connection of its own."""

    def __init__(self, path: Path) -> None:
        self._path, self._own = path, local()
        self._last = int(apsw.Connection(str(path)).execute("SELECT max(seq) FROM raw").get)

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        found = await asyncio.to_thread(self._page)
        await respond(send, 200, found, {}, json=True)

    def _page(self) -> bytes:
        if not hasattr(self._own, "connection"):
            self._own.connection = apsw.Connection(str(self._path))
        rows = self._own.connection.execute(
            "SELECT data FROM raw WHERE seq <= ? ORDER BY seq DESC LIMIT ?", (self._last, PAGE)
        )
        return b'{"records":[%s]}' % b",".join([data for (data,) in rows])


async def loaded(asked: dict[str, Any]) -> dict[str, Any]:
    """What another process measured."""
    command = [sys.executable, "-m", "benchmarks.api", "--load", msgspec.json.encode(asked).decode()]
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE, env=os.environ)
    said, _ = await process.communicate()
    assert process.returncode == 0
    found: dict[str, Any] = msgspec.json.decode(said)
    return found


async def load(asked: dict[str, Any]) -> None:
    """In the other process: one path as fast as it goes, or people at work."""
    host, _, port = asked["url"].removeprefix("http://").rpartition(":")
    end = time.perf_counter() + asked["seconds"]
    if "tokens" in asked:
        times: dict[str, list[float]] = {}
        work = [
            person(await asyncio.open_connection(host, int(port)), token, end, times, asked["rows"])
            for token in asked["tokens"]
        ]
        await asyncio.gather(*work)
        print(msgspec.json.encode(times).decode())
        return
    sizes: list[int] = []

    async def hurry() -> None:
        link = await asyncio.open_connection(host, int(port))
        while time.perf_counter() < end:
            sizes.append(len(await exchange(link, "GET", asked["path"], asked["token"])))

    began = time.perf_counter()
    await asyncio.gather(*(hurry() for _ in range(CONNECTIONS)))
    print(msgspec.json.encode({"rate": len(sizes) / (time.perf_counter() - began), "size": sizes[0]}).decode())


Link = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def person(link: Link, token: str, end: float, times: dict[str, list[float]], rows: int) -> None:
    """One person at work until the end."""
    draw = random.Random(token)
    new = {
        "kind": "document",
        "project": "WATCH",
        "marking": "OFFICIAL",
        "portions": [{"name": "title", "value": "New"}],
    }
    work: dict[str, Callable[[], Awaitable[bytes]]] = {
        "list": lambda: exchange(link, "GET", "/api/v1/records?limit=50", token),
        "get": lambda: exchange(link, "GET", f"/api/v1/records/doc-{draw.randrange(rows)}", token),
        "search": lambda: exchange(link, "GET", f"/api/v1/search?text=report+{draw.randrange(rows)}", token),
        "put": lambda: exchange(link, "POST", "/api/v1/records", token, msgspec.json.encode(new)),
    }
    await asyncio.sleep(draw.random() * THINK_S)
    while time.perf_counter() < end:
        name = draw.choices(list(work), (4, 2, 1, 1))[0]
        began = time.perf_counter()
        await work[name]()
        times.setdefault(name, []).append(1000 * (time.perf_counter() - began))
        await asyncio.sleep(draw.uniform(0.5, 1.5) * THINK_S)


async def exchange(link: Link, method: str, path: str, token: str, body: bytes = b"") -> bytes:
    """One request and its answer's body, which must be a success."""
    reader, writer = link
    head = f"{method} {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {token}\r\n"
    kind = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n" if body else ""
    writer.write(f"{head}{kind}\r\n".encode() + body)
    said = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
    assert said.split(" ")[1][0] == "2", said
    size = int(said.partition("content-length: ")[2].partition("\r\n")[0])
    return await reader.readexactly(size)


if __name__ == "__main__":
    main()
