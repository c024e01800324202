"""A file on its way to a browser: piece by piece, to be kept and never run or shown in this node's name."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from urllib.parse import quote

from starlette.concurrency import iterate_in_threadpool
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from aldis.app import Handed
from aldis.interfaces.web.headers import FIXED
from aldis.node.attachments import Reader

__all__ = ["Download", "Handing", "disposition"]

_PIECE = 256 * 1024
_RULES = "default-src 'none'; sandbox"


class Download(StreamingResponse):
    """The content of an attachment; its file is let go of however the sending ends."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        headers = {
            **FIXED,
            "content-security-policy": _RULES,
            "content-disposition": disposition(reader.attachment.name),
            "content-length": str(reader.size),
            "content-type": reader.attachment.media_type,
        }
        super().__init__(self._pieces(), headers=headers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it, or of a HEAD what it would be."""
        try:
            if scope["method"] == "HEAD":
                self.body_iterator = iterate_in_threadpool(())
            await super().__call__(scope, receive, send)
        finally:
            self._reader.close()

    def _pieces(self) -> Iterator[bytes]:
        offset = 0
        while data := self._reader.read(offset, _PIECE):
            yield data
            offset += len(data)


class Handing(StreamingResponse):
    """A file of an app; what its pieces come from is let go of however the sending ends."""

    def __init__(self, handed: Handed) -> None:
        self._handed = handed
        headers = {
            **FIXED,
            "content-security-policy": _RULES,
            "content-disposition": disposition(handed.name),
            "content-length": str(handed.size),
            "content-type": handed.media_type,
        }
        super().__init__(handed.pieces, headers=headers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it, or of a HEAD what it would be."""
        try:
            if scope["method"] == "HEAD":
                self.body_iterator = iterate_in_threadpool(())
            await super().__call__(scope, receive, send)
        finally:
            if isinstance(self._handed.pieces, Generator):
                self._handed.pieces.close()


def disposition(name: str) -> str:
    """The Content-Disposition (RFC 6266) that keeps a file under this name: in ASCII, and exactly (RFC 8187)."""
    plain = "".join(char if char.isascii() and (char.isalnum() or char in " ._()+-") else "_" for char in name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
