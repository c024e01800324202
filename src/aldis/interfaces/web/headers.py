"""What every page tells the browser: run nothing but ours, keep nothing, stand in no frame."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

__all__ = ["FIXED", "policy"]

FIXED: Mapping[str, str] = MappingProxyType(
    {
        "cache-control": "no-store",
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
        "referrer-policy": "same-origin",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
        "permissions-policy": "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
    }
)


def policy(nonce: str, *, workers: bool = False) -> str:
    """The Content-Security-Policy (W3C CSP level 3) of one page: only scripts that carry this nonce run.

    What they import statically or later carries it too; `workers` are for a page that asks for them.
    """
    return (
        f"default-src 'none'; script-src 'nonce-{nonce}'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'" + ("; worker-src 'self'" if workers else "")
    )
