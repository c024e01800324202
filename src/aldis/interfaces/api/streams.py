"""Server-sent events (HTML, section 9.2), for as long as the session holds that asked for them.

Events have no ids: what was missed is not told again (`Last-Event-ID` is not heeded), for an event that could be
asked for later would have to be kept for each person. A stream that is behind loses its oldest values.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from typing import Any

import msgspec
from starlette.types import Receive, Send

from aldis.app import Live
from aldis.interfaces.api.gateway import STREAM, Gateway
from aldis.interfaces.api.operations import Call, Operation
from aldis.kernel.errors import AldisError, UnknownTerm
from aldis.kernel.instruments import covers
from aldis.kernel.labels import Label

__all__ = ["OPERATIONS"]

_LOOK_S = 0.5
"""Between two looks whether the session still holds, and for what has arrived."""
_BEAT_S = 10.0
_STEP = 500
Stream = Callable[[Gateway, Receive, Send], Awaitable[None]]


class LiveAsked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Live values of a kind, of a project where one is named."""

    kind: str
    project: str = ""


class ChangesAsked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What arrives from now on, of a kind and project where they are named."""

    kind: str = ""
    project: str = ""


class LiveShown(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A live value: the node that observed it, its marking, and when it was observed (ms since 1970 UTC)."""

    source: str
    marking: str
    id: str
    kind: str
    portion: str
    at: int
    value: Any


class ChangeShown(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A version of a record that you may see has arrived."""

    id: str
    digest: str


def live(call: Call, asked: LiveAsked) -> Stream:
    """Live values, each filtered for the person by the labels of its header and of its portion."""
    if asked.kind not in call.node.core.kinds or not covers(frozenset(call.person.account.kinds), asked.kind):
        raise UnknownTerm(f"no kind {asked.kind!r} here", fix="GET /api/v1/kinds names those that you may see")

    async def events(gateway: Gateway, person: _Person) -> AsyncIterator[bytes]:
        known: dict[tuple[object, ...], bool] = {}
        since = 0
        async for one in call.node.context.subscribe(asked.kind):
            if person.changed != since:
                known, since = {}, person.changed
            key = (one.source, one.header, one.label, one.project, one.update.id if one.source else "")
            if key not in known:
                known[key] = await gateway.run(_may, call, one, person, asked.project)
            if known[key]:
                yield _event("live", _shown(call, one, person))

    return _stream(call, events)


def _may(call: Call, one: Live, person: _Person, project: str) -> bool:
    return call.node.records.may_watch(one, person.now, project)


def changes(call: Call, asked: ChangesAsked) -> Stream:
    """The ids and digests of what arrives that the person may see."""

    async def events(gateway: Gateway, person: _Person) -> AsyncIterator[bytes]:
        after = await gateway.run(call.node.core.store.records.last)
        while True:
            found, after = await gateway.run(_arrived, call, asked, person, after)
            for one in found:
                yield _event("change", one)
            await asyncio.sleep(_LOOK_S)

    return _stream(call, events)


def _arrived(call: Call, asked: ChangesAsked, person: _Person, after: int) -> tuple[list[ChangeShown], int]:
    found: list[ChangeShown] = []
    sight = call.node.sights.of(person.now)
    while rows := call.node.core.store.records.since(after, _STEP):
        after = rows[-1].seq
        for row in rows:
            wanted = asked.kind in ("", row.kind) and asked.project in ("", row.project)
            if wanted and call.node.sights.cut(row, sight) is not None:
                found.append(ChangeShown(row.id, row.digest.hex()))
    return found, after


class _Person:
    """Who a stream is for, looked up again and again; `changed` counts the looks."""

    def __init__(self, call: Call) -> None:
        self.now = call.person
        self.changed = 0
        self.marks: dict[Label, str] = {}


_Events = Callable[[Gateway, _Person], AsyncIterator[bytes]]


def _shown(call: Call, one: Live, person: _Person) -> LiveShown:
    marking = person.marks.get(one.label)
    if marking is None:
        marking = person.marks[one.label] = call.shower.write(one.label)
    update = one.update
    source = one.source or call.node.name
    return LiveShown(source, marking, update.id, update.kind, update.portion, update.at, update.value)


def _event(name: str, data: object) -> bytes:
    return b"event: %s\ndata: %s\n\n" % (name.encode(), msgspec.json.encode(data))


def _stream(call: Call, events: _Events) -> Stream:
    async def run(gateway: Gateway, receive: Receive, send: Send) -> None:
        await _Running(call, gateway, receive, send).run(events)

    return run


class _Running:
    """One open stream: it ends when its reader goes, its session is over or at another level, or the node stops."""

    def __init__(self, call: Call, gateway: Gateway, receive: Receive, send: Send) -> None:
        self._call = call
        self._gateway = gateway
        self._receive = receive
        self._send = send
        self._person = _Person(call)
        self._writing = asyncio.Lock()

    async def run(self, events: _Events) -> None:
        """Stream until it ends."""
        with self._gateway.counted("streams", self._call.person.id, self._gateway.limits.streams_per_person):
            await self._run(events)

    async def _run(self, events: _Events) -> None:
        tasks: list[asyncio.Task[object]] = []
        try:
            await self._send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", STREAM)]})
            work = (self._give(events), self._beat(), self._watch(), self._gone(), self._gateway.stopping.wait())
            tasks += [asyncio.create_task(one) for one in work]
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        await self._send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _write(self, data: bytes) -> None:
        async with self._writing:
            await self._send({"type": "http.response.body", "body": data, "more_body": True})

    async def _give(self, events: _Events) -> None:
        async for data in events(self._gateway, self._person):
            await self._write(data)

    async def _beat(self) -> None:
        while True:
            await self._write(b": still here\n\n")
            await asyncio.sleep(_BEAT_S)

    async def _watch(self) -> None:
        sessions, token = self._call.node.people.sessions, self._call.token
        with suppress(AldisError):
            while True:
                await asyncio.sleep(_LOOK_S)
                self._person.now = await self._gateway.run(lambda: sessions.who(token, used=False))
                self._person.changed += 1

    async def _gone(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass


OPERATIONS = (
    Operation("GET", "/api/v1/live", "Live values of a kind, as server-sent events (`live`)", LiveAsked, LiveShown,
              live, streams=True),
    Operation("GET", "/api/v1/changes", "What has arrived that you may see, as server-sent events (`change`)",
              ChangesAsked, ChangeShown, changes, streams=True),
)  # fmt: skip
"""What goes on."""
