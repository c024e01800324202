"""Operations that bring files in, piece by piece: what has come stays, and is gone on from."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated

import msgspec
from starlette.types import Receive, Send

from aldis.interfaces.api.gateway import Gateway, respond
from aldis.interfaces.api.operations import Answer, Call, Nothing, Operation
from aldis.interfaces.api.problems import HttpProblem
from aldis.kernel.attachments import ATTACHMENT_LIMIT, Attachment
from aldis.kernel.authority import Act
from aldis.kernel.errors import InvalidInput, Stale, TooLarge
from aldis.node.store import Upload

__all__ = ["OPERATIONS"]

_PIECE = 256 * 1024
"""Bytes of a request that are in memory at once."""
_OFFSET_DIGITS = 12
_BYTES = "application/octet-stream"
Given = Callable[[Gateway, Receive, Send], Awaitable[None]]


class BeginUpload(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file name without a path, and the media type; without one, that which the name tells."""

    name: str
    media_type: str = ""


class UploadId(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One of your uploads by its id."""

    upload: str


class FinishUpload(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One of your uploads, and the SHA-256 (hex) that it must have, where you say so."""

    upload: str
    digest: Annotated[str, msgspec.Meta(pattern="^([0-9a-f]{64})?$")] = ""


class UploadShown(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An upload: how many bytes of it are here, and whether it is finished. It is kept for a day from `at`."""

    upload: str
    name: str
    media_type: str
    at: int
    held: int
    whole: bool


class UploadList(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Your uploads of the last day, the oldest first."""

    uploads: list[UploadShown]


class Held(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How many bytes are here now."""

    held: int


def everything(call: Call, _asked: Nothing) -> UploadList:
    """One's own."""
    return UploadList([_shown(*one) for one in call.node.attachments.uploads.all(call.person.id)])


def begin(call: Call, asked: BeginUpload) -> Answer:
    """A new one."""
    made = call.node.attachments.uploads.begin(asked.name, asked.media_type, call.person.id)
    return Answer(_shown(made, 0), 201, {"location": f"/api/v1/uploads/{made.id}"})


def get(call: Call, asked: UploadId) -> Answer:
    """How far it is."""
    uploads = call.node.attachments.uploads
    held = uploads.held(asked.upload, call.person.id)
    found = next(_shown(*one) for one in uploads.all(call.person.id) if one[0].id == asked.upload)
    return Answer(found, headers={"upload-offset": str(held)})


def finish(call: Call, asked: FinishUpload) -> Attachment:
    """All of it, as a portion describes it."""
    return call.node.attachments.uploads.finish(asked.upload, call.person.id, asked.digest)


def drop(call: Call, asked: UploadId) -> None:
    """None of it."""
    call.node.attachments.uploads.drop(asked.upload, call.person.id)


def append(call: Call, asked: UploadId) -> Given:
    """More of it, from where it ends."""

    async def run(gateway: Gateway, receive: Receive, send: Send) -> None:
        with gateway.counted("transfers", call.person.id, gateway.limits.transfers_per_person):
            held = await _Coming(call, gateway, asked.upload).take(receive)
        body = msgspec.json.encode(Held(held))
        await respond(send, 200, body, {"upload-offset": str(held)}, json=True)

    return run


class _Coming:
    """One request's bytes on their way to an upload."""

    def __init__(self, call: Call, gateway: Gateway, upload: str) -> None:
        self._uploads = call.node.attachments.uploads
        self._headers = call.headers
        self._person = call.person.id
        self._gateway = gateway
        self._upload = upload
        self._held = 0
        self._buffer = bytearray()

    async def take(self, receive: Receive) -> int:
        """Keep all that comes, also where it breaks off; how many bytes are here at the end.

        Raises:
            HttpProblem: not where it ends, or too slow.
            UnknownTerm, TooLarge, Unavailable: as `Uploads.append`.
        """
        offset, limits = _offset(self._headers), self._gateway.limits
        self._held = await self._gateway.run(self._uploads.held, self._upload, self._person)
        if offset != self._held:
            raise self._elsewhere()
        declared = _declared(self._headers)
        if offset + declared > ATTACHMENT_LIMIT:
            raise TooLarge(f"an attachment has at most {ATTACHMENT_LIMIT:,} bytes", fix="Split the file")
        more, until = True, time.monotonic() + limits.transfer_s
        while more:
            try:
                async with asyncio.timeout(min(limits.idle_s, max(0.0, until - time.monotonic()))):
                    message = await receive()
            except TimeoutError:
                await self._write()
                raise HttpProblem(
                    "request-timeout", f"nothing came for {limits.idle_s:g} s, or all of it took too long",
                    "Ask how many bytes are here, and go on from there", headers={"connection": "close"},
                ) from None  # fmt: skip
            if message["type"] == "http.disconnect":
                await self._write()
                raise HttpProblem("invalid-input", "the connection was closed before the body was whole")
            self._buffer += message.get("body", b"")
            more = message.get("more_body", False)
            if len(self._buffer) >= _PIECE:
                await self._write()
        await self._write()
        return self._held

    async def _write(self) -> None:
        if self._buffer:
            data = bytes(self._buffer)
            self._buffer.clear()
            try:
                self._held = await self._gateway.run(self._uploads.append, self._upload, self._held, data, self._person)
            except Stale as error:
                self._held = await self._gateway.run(self._uploads.held, self._upload, self._person)
                raise self._elsewhere() from error

    def _elsewhere(self) -> HttpProblem:
        return HttpProblem(
            "conflict", f"the upload ends at {self._held}", "Go on from there, if it is not finished",
            headers={"upload-offset": str(self._held)},
        )  # fmt: skip


def _offset(headers: Mapping[str, str]) -> int:
    """Where the bytes are to begin.

    Raises:
        InvalidInput: that is not said.
        HttpProblem: what comes is not declared as bytes.
    """
    text = headers.get("upload-offset", "")
    if not text.isascii() or not text.isdecimal() or len(text) > _OFFSET_DIGITS:
        raise InvalidInput("where in the file these bytes begin is not said", fix="Send `Upload-Offset`, such as 0")
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != _BYTES:
        raise HttpProblem("unsupported-media-type", "the body is not declared as bytes",
                          f"Send `Content-Type: {_BYTES}`")  # fmt: skip
    return int(text)


def _declared(headers: Mapping[str, str]) -> int:
    text = headers.get("content-length", "0")
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= _OFFSET_DIGITS else ATTACHMENT_LIMIT + 1


def _shown(one: Upload, held: int) -> UploadShown:
    return UploadShown(one.id, one.name, one.media_type, one.at, held, one.digest is not None)


_U = "/api/v1/uploads"
OPERATIONS = (
    Operation("GET", _U, "List your uploads of the last day", Nothing, UploadList, everything, act=Act.PUT),
    Operation("POST", _U, "Begin to bring a file in", BeginUpload, UploadShown, begin, act=Act.PUT, status=201),
    Operation("GET", _U + "/{upload}", "How many bytes of an upload are here: go on from there", UploadId, UploadShown,
              get, act=Act.PUT),
    Operation("PUT", _U + "/{upload}", "Add bytes to an upload, from where it ends", UploadId, Held, append,
              act=Act.PUT, raw=True),
    Operation("DELETE", _U + "/{upload}", "Throw an upload away that is not finished", UploadId, None, drop,
              act=Act.PUT),
    Operation("POST", _U + "/{upload}/finish", "Finish an upload; the answer is what a portion holds to attach it",
              FinishUpload, Attachment, finish, act=Act.PUT, slow=True),
)  # fmt: skip
"""What brings files in."""
