"""Operations that read attachments: which there are, and the bytes of one, whole or by range (RFC 9110 section 14)."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated
from urllib.parse import quote

import msgspec
from starlette.types import Receive, Send

from aldis.interfaces.api.gateway import Gateway, matches, respond
from aldis.interfaces.api.operations import Call, Operation
from aldis.interfaces.api.problems import HttpProblem
from aldis.interfaces.api.reading import Named
from aldis.kernel.errors import UnknownTerm
from aldis.node.attachments import Reader

__all__ = ["OPERATIONS", "disposition", "range_of"]

_PIECE = 256 * 1024
_LOOK_S = 1.0
"""Between two looks whether the person may still read it."""
_RANGE = re.compile(r"bytes=(\d{0,15})-(\d{0,15})", re.ASCII)
_PLAIN = re.compile(r"[^A-Za-z0-9._ -]")
Given = Callable[[Gateway, Receive, Send], Awaitable[None]]


class AttachmentNamed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An attachment by the portion that describes it and its name or digest; the newest version unless one is named.

    `originator` says whose record, where several nodes use the id.
    """

    id: str
    portion: str
    name: str
    version: Annotated[int, msgspec.Meta(ge=1)] | None = None
    originator: str = ""


class AttachmentShown(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An attachment as its portion describes it; `state` is whole, waits, refused or gone, `held` its bytes here."""

    portion: str
    name: str
    digest: str
    size: int
    media_type: str
    state: str
    held: int
    because: str


class AttachmentList(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The attachments of a record that you may see."""

    attachments: list[AttachmentShown]


def everything(call: Call, asked: Named) -> AttachmentList:
    """Those of the portions that the person may see."""
    row = call.node.records.get(asked.id, asked.version, call.person, asked.originator)
    return AttachmentList(
        [
            AttachmentShown(
                held.portion, one.name, one.digest, one.size, one.media_type, held.state, held.held, held.because
            )
            for held in call.node.attachments.of(row)
            for one in (held.attachment,)
        ]
    )


def read(call: Call, asked: AttachmentNamed) -> Given:
    """The bytes of one."""

    async def run(gateway: Gateway, receive: Receive, send: Send) -> None:
        with gateway.counted("transfers", call.person.id, gateway.limits.transfers_per_person):
            reader, version, originator = await gateway.run(_open, call, asked)
            try:
                again = msgspec.structs.replace(asked, version=version, originator=originator)
                await _Going(call, gateway, again, reader).give(receive, send)
            finally:
                reader.close()

    return run


def range_of(text: str, size: int) -> tuple[int, int] | None:
    """The first place and the one after the last that `Range` names; None where it is to be passed over.

    Raises:
        HttpProblem: the content ends before.
    """
    found = _RANGE.fullmatch(text.strip())
    if found is None or not any(found.groups()):
        return None
    first, last = (int(part) if part else None for part in found.groups())
    if first is None:
        first, end = max(0, size - (last or 0)), size
    elif last is not None and last < first:
        return None
    else:
        end = size if last is None else min(size, last + 1)
    if first >= end:
        raise HttpProblem(
            "range-not-satisfiable", f"the content has {size} bytes", "Ask for less",
            headers={"content-range": f"bytes */{size}"},
        )  # fmt: skip
    return first, end


def disposition(name: str) -> str:
    """`Content-Disposition` (RFC 6266, RFC 8187) to keep a file under its name and never to show it."""
    return f"attachment; filename=\"{_PLAIN.sub('_', name)}\"; filename*=UTF-8''{quote(name, safe='')}"


def _open(call: Call, asked: AttachmentNamed) -> tuple[Reader, int, str]:
    row = call.node.records.get(asked.id, asked.version, call.person, asked.originator)
    for held in call.node.attachments.of(row):
        known = asked.portion == held.portion and asked.name in (held.attachment.name, held.attachment.digest)
        if known and held.state == "waits":
            raise HttpProblem("unavailable", f"{held.held} of {held.attachment.size} bytes are here so far", "Wait",
                              headers={"retry-after": "30"})  # fmt: skip
        if known and held.state == "gone":
            raise UnknownTerm("the content was removed here", fix="Ask its originator for it again")
    return call.node.attachments.open(row, asked.portion, asked.name), row.version, row.originator


class _Going:
    """One content on its way to a person, for as long as they may read it."""

    def __init__(self, call: Call, gateway: Gateway, asked: AttachmentNamed, reader: Reader) -> None:
        self._call = call
        self._gateway = gateway
        self._asked = asked
        self._reader = reader

    async def give(self, receive: Receive, send: Send) -> None:
        """Answer the request."""
        given, size, tag = self._call.headers, self._reader.size, f'"{self._reader.attachment.digest}"'
        headers = {
            "etag": tag,
            "accept-ranges": "bytes",
            "content-type": "application/octet-stream",
            "content-disposition": disposition(self._reader.attachment.name),
            "content-security-policy": "sandbox; default-src 'none'; frame-ancestors 'none'",
        }
        if matches(given.get("if-none-match"), tag):
            await respond(send, 304, b"", {"etag": tag})
            return
        place = range_of(given["range"], size) if _partial(given, tag) and not self._call.head else None
        first, end = place or (0, size)
        headers["content-length"] = str(end - first)
        if place:
            headers["content-range"] = f"bytes {first}-{end - 1}/{size}"
        raw = [(name.encode(), value.encode("ascii")) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": 206 if place else 200, "headers": raw})
        if self._call.head:
            await send({"type": "http.response.body", "body": b""})
            return
        gone = asyncio.create_task(_gone(receive))
        try:
            await self._pieces(first, end, send, gone)
        finally:
            gone.cancel()
            await asyncio.gather(gone, return_exceptions=True)

    async def _pieces(self, first: int, end: int, send: Send, gone: asyncio.Task[None]) -> None:
        looked = time.monotonic()
        until = looked + self._gateway.limits.transfer_s
        while first < end and not gone.done():
            now = time.monotonic()
            if now > until:
                raise HttpProblem("request-timeout", "the answer took too long")
            if now - looked > _LOOK_S:
                await self._gateway.run(self._look)
                looked = now
            data = await self._gateway.run(self._reader.read, first, min(_PIECE, end - first))
            if not data:
                raise HttpProblem("unavailable", "the content is shorter than it was")
            first += len(data)
            await send({"type": "http.response.body", "body": data, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    def _look(self) -> None:
        """Return if the session holds, and its person may still read this.

        Raises:
            AldisError: it is over, or they may not.
        """
        person = self._call.node.people.sessions.who(self._call.token, used=False)
        asked, records = self._asked, self._call.node.records
        records.read_attachment(asked.id, asked.portion, asked.name, person, asked.version, asked.originator).close()


def _partial(given: Mapping[str, str], tag: str) -> bool:
    """Whether `Range` is to be heeded: what the asker holds of it, if they say so, is of this very content."""
    return "range" in given and given.get("if-range", tag) == tag


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


_A = "/api/v1/records/{id}/attachments"
OPERATIONS = (
    Operation("GET", _A, "The attachments of a record that you may see", Named, AttachmentList, everything),
    Operation("GET", _A + "/{portion}/{name}", "The content of an attachment, whole or by `Range`", AttachmentNamed,
              None, read, file=True, etag=True),
)  # fmt: skip
"""What reads attachments."""
