"""A file on its way to a browser: piece by piece, to be kept and never run or shown in this node's name."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from urllib.parse import quote

from starlette.concurrency import iterate_in_threadpool
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from aldis.app import Handed
from aldis.interfaces.web.headers import FIXED
from aldis.node.attachments import Reader

__all__ = ["Download", "attached", "disposition", "handed_over"]

_PIECE = 256 * 1024
_RULES = "default-src 'none'; sandbox"


class Download(StreamingResponse):
    """A file by its pieces; what they come from is let go of however the sending ends."""

    def __init__(
        self, name: str, media_type: str, size: int, pieces: Iterator[bytes], close: Callable[[], None]
    ) -> None:
        self._close = close
        headers = {
            **FIXED,
            "content-security-policy": _RULES,
            "content-disposition": disposition(name),
            "content-length": str(size),
            "content-type": media_type,
        }
        super().__init__(pieces, headers=headers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it, or of a HEAD what it would be."""
        try:
            if scope["method"] == "HEAD":
                self.body_iterator = iterate_in_threadpool(())
            await super().__call__(scope, receive, send)
        finally:
            self._close()


def attached(reader: Reader) -> Download:
    """The content of an attachment."""
    one = reader.attachment
    return Download(one.name, one.media_type, reader.size, _pieces(reader), reader.close)


def handed_over(handed: Handed) -> Download:
    """A file that a page makes for whoever asks."""

    def close() -> None:
        if isinstance(handed.pieces, Generator):
            handed.pieces.close()

    return Download(handed.name, handed.media_type, handed.size, handed.pieces, close)


def _pieces(reader: Reader) -> Iterator[bytes]:
    offset = 0
    while data := reader.read(offset, _PIECE):
        yield data
        offset += len(data)


def disposition(name: str) -> str:
    """The Content-Disposition (RFC 6266) that keeps a file under this name: in ASCII, and exactly (RFC 8187)."""
    plain = "".join(char if char.isascii() and (char.isalnum() or char in " ._()+-") else "_" for char in name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
