"""Who a request comes from: the session's cookie, the page that sent a form, and where a visit may lead."""

from __future__ import annotations

import hmac
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import Response

__all__ = ["COOKIE", "csrf", "fits", "forget", "from_elsewhere", "ours", "place_of", "remember", "safe_path"]

COOKIE = "__Host-aldis"
_LONGEST = 2000


def remember(response: Response, token: str) -> None:
    """Give the browser the session: for this host alone, out of scripts' reach, never sent from another site."""
    response.set_cookie(COOKIE, token, secure=True, httponly=True, samesite="strict", path="/")


def forget(response: Response) -> None:
    """Take the session from the browser."""
    response.delete_cookie(COOKIE, secure=True, httponly=True, samesite="strict", path="/")


def csrf(secret: bytes, token: str) -> str:
    """What a form of this session carries: whoever lacks the node's secret and the session cannot make it."""
    return hmac.digest(secret, b"aldis/csrf/1\x00" + token.encode("utf-8", "replace"), "sha256").hex()


def fits(secret: bytes, token: str, given: str) -> bool:
    """Whether a form carries what this session's forms do; as long either way."""
    return hmac.compare_digest(csrf(secret, token).encode(), given.encode("utf-8", "replace"))


def ours(headers: Headers) -> bool:
    """Whether a page of this very host sent the form, by what browsers say and scripts cannot change.

    Fetch Metadata (W3C) where the browser has it, else the Origin (RFC 6454); where there is neither, no.
    """
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    if site is not None:
        return site == "same-origin"
    try:
        return bool(origin) and urlsplit(origin or "").netloc == headers.get("host", "")
    except ValueError:
        return False


def from_elsewhere(headers: Headers) -> bool:
    """Whether a link on another site led here: then the browser kept the session's cookie back."""
    return headers.get("sec-fetch-site") in ("cross-site", "same-site")


def place_of(url: str) -> str:
    """The path and query of an address of this host, as the browser gives it with a form."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "/"
    return safe_path(parts.path + (f"?{parts.query}" if parts.query else ""))


def safe_path(path: str) -> str:
    """`path` where it is a path of this host, else the first page."""
    plain = path.isprintable() and path.isascii() and len(path) <= _LONGEST and "\\" not in path
    return path if plain and path.startswith("/") and not path.startswith("//") else "/"
