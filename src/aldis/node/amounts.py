"""Counts and sizes as people say them."""

from __future__ import annotations

__all__ = ["count", "size"]

_UNITS = ("KiB", "MiB", "GiB", "TiB")
_WHOLE = 10


def count(number: int, noun: str, plural: str = "") -> str:
    """`1 record`, `2,000 records`."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def size(number: int) -> str:
    """Bytes as people say them: `700 bytes`, `3.2 MiB`, `256 MiB`."""
    unit = sum(number >= 1024**power for power in range(1, len(_UNITS) + 1))
    if not unit:
        return count(number, "byte")
    scaled = number / 1024**unit
    text = f"{scaled:,.0f}" if scaled >= _WHOLE else f"{scaled:.1f}".removesuffix(".0")
    return f"{text} {_UNITS[unit - 1]}"
