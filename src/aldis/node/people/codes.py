"""Codes that people carry from one place to another: 120 random bits, in letters and digits."""

from __future__ import annotations

from base64 import b32encode
from collections.abc import Callable

__all__ = ["draw", "plain"]

_SIZE = 15
_GROUP = 6


def draw(random: Callable[[int], bytes]) -> str:
    """A new code in groups of six; `random(n)` gives n unguessable bytes."""
    text = b32encode(random(_SIZE)).decode()
    return "-".join(text[start : start + _GROUP] for start in range(0, len(text), _GROUP))


def plain(code: str) -> str:
    """A code without what people add or change when they type it."""
    return code.upper().replace("-", "").replace(" ", "")
