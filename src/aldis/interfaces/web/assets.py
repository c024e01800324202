"""The files that pages load, from the node's own package and its apps': each at an address that tells of its content.

1. what stands in a folder `static` is served, by its suffix, and nothing else
2. a module of ours names what it imports by its file; it is sent with the address of just that content, and so its own
   address is another one whenever anything that it imports has changed
3. text goes packed to whoever takes it so; it is packed once
"""

from __future__ import annotations

import gzip
import posixpath
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from aldis.app import App
from aldis.interfaces.web.headers import FIXED
from aldis.kernel.encoding import sha256
from aldis.kernel.errors import InvalidInput

__all__ = ["Assets"]

_SCRIPT = "text/javascript; charset=utf-8"
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": _SCRIPT,
    ".mjs": _SCRIPT,
    ".json": "application/json",
    ".svg": "image/svg+xml",
}
_OWN = Path(__file__).parent / "static"
_IMPORT = re.compile(r'(\b(?:from|import)\s*\(?\s*)"(\.{1,2}/[\w./-]+\.m?js)"')
_SMALL = 1024


@dataclass(frozen=True)
class _File:
    """One file as it is sent; `digest` is a part of its address."""

    data: bytes
    kind: str

    @cached_property
    def digest(self) -> str:
        return sha256(self.data).hex()[:16]

    @cached_property
    def packed(self) -> bytes:
        """In gzip (RFC 1952), the same each time."""
        return gzip.compress(self.data, 9, mtime=0)


class Assets:
    """The files of one node's pages, by name: `live.js`, and of an app `APP/name.js`."""

    def __init__(self, apps: Mapping[str, App]) -> None:
        folders = {f"{name}/": _folder(app) for name, app in apps.items()}
        self._files = {
            **_read(_OWN, ""),
            **{k: v for prefix, one in folders.items() for k, v in _read(one, prefix).items()},
        }

    def has(self, name: str) -> bool:
        """Whether there is such a file here."""
        return name in self._files

    def address(self, name: str) -> str:
        """Where a page loads a file; another one for other content, so that it may be kept for long."""
        return f"/static/{name}?v={self._files[name].digest}"

    def route(self) -> Route:
        """The route of all of them."""
        return Route("/static/{name:path}", self._serve, methods=["GET"])

    def _serve(self, request: Request) -> Response:
        found = self._files.get(request.path_params["name"])
        if found is None:
            return Response("There is no such file.\n", 404, FIXED, media_type="text/plain")
        current = request.query_params.get("v") == found.digest
        kept = "public, max-age=31536000, immutable" if current else "no-cache"
        headers = {**FIXED, "cache-control": kept, "content-security-policy": "default-src 'none'"}
        if len(found.data) < _SMALL:
            return Response(found.data, headers=headers, media_type=found.kind)
        headers["vary"] = "accept-encoding"
        if not _takes_gzip(request.headers.get("accept-encoding", "")):
            return Response(found.data, headers=headers, media_type=found.kind)
        return Response(found.packed, headers={**headers, "content-encoding": "gzip"}, media_type=found.kind)


@cache
def _read(folder: Path, prefix: str) -> Mapping[str, _File]:
    """Every file of a folder by its name; modules with the addresses of what they import (2).

    Raises:
        InvalidInput: modules import one another in a circle.
    """
    found = {f"{prefix}{path.relative_to(folder).as_posix()}": path for path in _files(folder)}
    made: dict[str, _File] = {}

    def make(name: str, asked: tuple[str, ...]) -> _File:
        if name in asked:
            raise InvalidInput(f"{' imports '.join([*asked, name])}: no address tells of such content")
        if name not in made:
            data, kind = found[name].read_bytes(), _TYPES[found[name].suffix]
            made[name] = _File(_addressed(data, name, (*asked, name)) if _ours(name, kind) else data, kind)
        return made[name]

    def _addressed(data: bytes, name: str, asked: tuple[str, ...]) -> bytes:
        def address(match: re.Match[str]) -> str:
            other = posixpath.normpath(posixpath.join(posixpath.dirname(name), match[2]))
            return f'{match[1]}"{match[2]}?v={make(other, asked).digest}"' if other in found else match[0]

        return _IMPORT.sub(address, data.decode()).encode()

    for name in found:
        make(name, ())
    return made


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.suffix in _TYPES and path.is_file())


def _ours(name: str, kind: str) -> bool:
    return kind == _SCRIPT and "vendor" not in name.split("/")


def _folder(app: App) -> Path:
    return Path(sys.modules[type(app).__module__].__file__ or "").parent / "static"


def _takes_gzip(accepted: str) -> bool:
    """Whether a header `Accept-Encoding` (RFC 9110, 12.5.3) allows it."""
    for one in accepted.lower().split(","):
        coding, _, weight = one.replace(" ", "").partition(";")
        if coding == "gzip":
            return not re.fullmatch(r"q=0(\.0*)?", weight)
    return False
