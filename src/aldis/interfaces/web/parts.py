"""A form with files (RFC 7578): its fields within a limit, its files passed on piece by piece, none whole in memory.

1. the first part is what this session's forms carry, before any file is looked at
2. a file goes into an upload of the person's own; the field of its name then holds the JSON of its `Attachment`
3. once something fails, files are passed over and fields still read, so that nothing typed is lost
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

import msgspec
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from aldis.interfaces.web.forms import CSRF, Fields
from aldis.kernel.attachments import ATTACHMENT_LIMIT
from aldis.kernel.errors import AldisError, InvalidInput, NotAuthentic, TooLarge
from aldis.node.attachments import PIECE
from aldis.node.attachments.uploads import Uploads

__all__ = ["TYPE", "Intake"]

TYPE = "multipart/form-data"
_PARTS = 500
_QUIET_S, _LONGEST_S = 30.0, 7200.0
_PASSED = ATTACHMENT_LIMIT
"""How many bytes are read of files that nobody will take, so that the browser hears the answer."""


@dataclass(slots=True)
class _Part:
    """A part: its field, and for a file its name and the upload that takes it."""

    name: str
    file: str | None
    data: bytearray = field(default_factory=bytearray)
    upload: str = ""
    held: int = 0


class _EnoughError(Exception):
    """No more of the form is read."""


class Intake:
    """Reads one form for one person; `check` returns if a token is that of this session's forms."""

    def __init__(self, uploads: Uploads, person: str, check: Callable[[str], None], limit: int) -> None:
        self._uploads = uploads
        self._person = person
        self._check = check
        self._limit = limit
        self._read = self._passed = self._count = 0
        self._part: _Part | None = None
        self._fields: dict[str, list[str]] = {}
        self.error: AldisError | None = None
        """Why no file of it was taken from some point on."""

    async def read(self, request: Request) -> Fields:
        """The fields, with the JSON of an `Attachment` for each file.

        Raises:
            InvalidInput: not such a form.
            NotAuthentic: it does not begin with what this session's forms carry.
            TooLarge: over the limit of fields.
            TimeoutError: nothing came for 30 seconds, or it took over two hours.
        """
        try:
            async with asyncio.timeout(_LONGEST_S):
                async for kind, data in _events(request):
                    if kind == "begin":
                        self._begin(*_described(data))
                    elif kind == "data":
                        await self._take(data)
                    else:
                        await self._end()
        except _EnoughError:
            pass
        except BaseException:
            if self._part is not None and self._part.upload:
                self._uploads.drop(self._part.upload, self._person)
            raise
        return Fields(self._fields)

    def _begin(self, name: str, file: str | None) -> None:
        self._count += 1
        if self._count > _PARTS:
            raise TooLarge(f"a form of more than {_PARTS} parts", fix="Send fewer")
        if (self._count == 1) != (name == CSRF and file is None):  # 1
            raise NotAuthentic("the form does not begin with its token", fix="Send it from this node's own pages")
        self._part = _Part(name, file)

    async def _take(self, data: bytes) -> None:
        part = self._part
        assert part is not None
        if part.file is None:
            self._read += len(data)
            if self._read > self._limit:
                raise TooLarge(
                    f"the form has more than {self._limit:,} bytes beside its files", fix="Send a long text as a file"
                )
            part.data += data
        elif self.error is not None or not part.file:
            self._passed += len(data)
            if self._passed > _PASSED:
                raise _EnoughError
        else:
            part.data += data
            if len(part.data) >= PIECE:
                await self._pass_on(part)

    async def _end(self) -> None:
        part, self._part = self._part, None
        assert part is not None
        if part.file is None:
            self._given(part.name, part.data)
            if self._count == 1:
                self._allow()
        elif part.file and self.error is None:
            self._part = part
            await self._pass_on(part, last=True)
            self._part = None

    def _allow(self) -> None:
        try:
            self._check(self._fields[CSRF][-1])
        except AldisError as error:
            self.error = error

    def _given(self, name: str, data: bytearray) -> None:
        try:
            value = data.decode()
        except UnicodeDecodeError as error:
            raise InvalidInput("that is not a form in UTF-8", fix="Send it from this node's own pages") from error
        self._fields.setdefault(name, []).append(value)

    async def _pass_on(self, part: _Part, *, last: bool = False) -> None:  # 2
        data, part.data = part.data, bytearray()
        try:
            await run_in_threadpool(self._upload, part, bytes(data), last)
        except AldisError as error:  # 3
            self.error = error
            if part.upload:
                await run_in_threadpool(self._uploads.drop, part.upload, self._person)
            part.upload = ""

    def _upload(self, part: _Part, data: bytes, last: bool) -> None:
        assert part.file is not None
        if not part.upload:
            part.upload = self._uploads.begin(part.file, person=self._person).id
        if data:
            part.held = self._uploads.append(part.upload, part.held, data, self._person)
        if last:
            found = self._uploads.finish(part.upload, self._person)
            self._fields.setdefault(part.name, []).append(msgspec.json.encode(found).decode())
            part.upload = ""


async def _events(request: Request) -> AsyncIterator[tuple[str, bytes]]:
    """What the body holds, as it comes: `begin` of a part with its Content-Disposition, `data`, `end`."""
    _, options = parse_options_header(request.headers.get("content-type", ""))
    found: list[tuple[str, bytes]] = []
    header, value, ended = bytearray(), bytearray(), False
    disposition = b""

    def begin() -> None:
        nonlocal disposition
        disposition = b""

    def head() -> None:
        nonlocal disposition
        if header.lower() == b"content-disposition":
            disposition = bytes(value)
        header.clear()
        value.clear()

    def end() -> None:
        nonlocal ended
        ended = True

    try:
        parser = MultipartParser(
            options.get(b"boundary", b""),
            {
                "on_part_begin": begin,
                "on_header_field": lambda data, first, last: header.extend(data[first:last]),
                "on_header_value": lambda data, first, last: value.extend(data[first:last]),
                "on_header_end": head,
                "on_headers_finished": lambda: found.append(("begin", disposition)),
                "on_part_data": lambda data, first, last: found.append(("data", data[first:last])),
                "on_part_end": lambda: found.append(("end", b"")),
                "on_end": end,
            },
        )
        body = aiter(request.stream())
        while True:
            async with asyncio.timeout(_QUIET_S):
                data = await anext(body, None)
            if data is None:
                break
            parser.write(data)
            for event in found:
                yield event
            found.clear()
        parser.finalize()
    except FormParserError as error:
        raise _broken() from error
    if not ended:
        raise _broken()


def _broken() -> InvalidInput:
    return InvalidInput("that is not a form, or only a part of one", fix="Send it from this node's own pages")


def _described(disposition: bytes) -> tuple[str, str | None]:
    """The field of a part, and the name of its file without a path; None where it is no file."""
    kind, options = parse_options_header(disposition)
    if kind != b"form-data" or b"name" not in options:
        raise _broken()
    try:
        name = options[b"name"].decode()
        file = options[b"filename"].decode() if b"filename" in options else None
    except UnicodeDecodeError as error:
        raise _broken() from error
    return name, None if file is None else file.replace("\\", "/").rpartition("/")[2].replace("%22", '"')
