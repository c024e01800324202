"""What of an event has no name in the model: kept as it came, and said again where an event of CoT is made."""

from __future__ import annotations

from binascii import Error, a2b_base64, b2a_base64
from collections.abc import Container, Sequence

from aldis.apps.experiments.entity import Carried, Dropped, Remainder, Residue
from aldis.apps.experiments.gateways.cot.rendering import element_text, fits
from aldis.apps.experiments.gateways.cot.scanner import ILLEGAL, MAX_EVENT
from aldis.apps.experiments.gateways.cot.values import Native

__all__ = ["COT", "kept", "residue_entry", "said_again"]

COT = "cot"
"""The protocol that remainders of events name, whichever wire form they came in."""
_MAX_PARTS = 512


def kept(spare: Sequence[tuple[str, int]], values: Sequence[Native], rest: Sequence[tuple[str, str]]) -> Residue | None:
    """What was not understood, as it came."""
    said = [(name, str(values[index])) for name, index in spare] + list(rest)
    parts = [
        Remainder(protocol="cot", field=name, data=b2a_base64(text.encode(), newline=False).decode())
        for name, text in said
    ]
    return Residue(parts=parts) if parts else None


def said_again(
    residue: Residue, names: Container[str]
) -> tuple[dict[str, Native], list[tuple[str, str]], list[str]]:
    """The values and the whole elements that are to stand in an event again, and the fields of what cannot.

    A remainder may have come over from a partner: it is checked again, and takes the place of nothing in `names`.
    """
    said: dict[str, Native] = {}
    rest: list[tuple[str, str]] = []
    left: list[str] = []
    for part in residue.parts[:_MAX_PARTS]:
        text = _text(part) if part.protocol == COT and fits(part.field) else None
        if text is None or part.field in names or part.field in said:
            left.append(part.field)
        elif "@" in part.field:
            said[part.field] = text
        elif element_text(text, part.field.rpartition("/")[2].partition("[")[0]):
            rest.append((part.field, text))
        else:
            left.append(part.field)
    return said, rest, left + [part.field for part in residue.parts[_MAX_PARTS:]]


def _text(part: Remainder) -> str | None:
    """Its text; None where it is none, or more than an event may be."""
    try:
        text = a2b_base64(part.data.encode("ascii")).decode() if len(part.data) <= 2 * MAX_EVENT else None
    except (Error, UnicodeError):
        return None
    return None if text is None or ILLEGAL.search(text) else text


def residue_entry(left: Sequence[str], to: str) -> Carried | Dropped:
    """The fate of the remainders: carried to `to`, unless some of them, `left`, could not be."""
    if not left:
        return Carried("residue.parts", to)
    more = f" and {len(left) - 3} more" if len(left) > 3 else ""
    return Dropped("residue.parts", "no field", f"not of this protocol: {', '.join(left[:3])}{more}")
