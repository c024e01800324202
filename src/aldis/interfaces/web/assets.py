"""The files that pages load: our stylesheet, icon and scripts, and htmx where `make setup` put it; nothing else."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from aldis.interfaces.web.headers import FIXED
from aldis.kernel.encoding import sha256

__all__ = ["address", "asset_route", "has"]

_TYPES = {"css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8", "svg": "image/svg+xml"}
_NAMES = ("aldis.css", "aldis.svg", "link.js", "live.js", "upload.js", "vendor/htmx.min.js")


@cache
def _assets() -> dict[str, tuple[bytes, str]]:
    folder = files("aldis.interfaces.web") / "static"
    found = {name: folder.joinpath(*name.split("/")) for name in _NAMES}
    read = {name: one.read_bytes() for name, one in found.items() if one.is_file()}
    return {name: (data, sha256(data).hex()[:16]) for name, data in read.items()}


def has(name: str) -> bool:
    """Whether there is such a file here."""
    return name in _assets()


def address(name: str) -> str:
    """Where a page loads a file; another one for other content, so that it may be kept for long."""
    return f"/static/{name}?v={_assets()[name][1]}"


def asset_route() -> Route:
    """The route of all of them."""
    return Route("/static/{name:path}", _serve, methods=["GET"])


async def _serve(request: Request) -> Response:
    found = _assets().get(request.path_params["name"])
    if found is None:
        return Response("There is no such file.\n", 404, FIXED, media_type="text/plain")
    data, digest = found
    current = request.query_params.get("v") == digest
    kept = "public, max-age=31536000, immutable" if current else "no-cache"
    headers = {**FIXED, "cache-control": kept, "content-security-policy": "default-src 'none'"}
    return Response(data, headers=headers, media_type=_TYPES[request.path_params["name"].rpartition(".")[2]])
