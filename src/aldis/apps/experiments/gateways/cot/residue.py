"""What of an event has no name in the model: kept as it came, and said again where an event of CoT is made."""

from __future__ import annotations

from binascii import Error, a2b_base64, b2a_base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from aldis.apps.experiments.entity import Carried, Dropped, Remainder, Residue
from aldis.apps.experiments.gateways.cot.event import Event
from aldis.apps.experiments.gateways.cot.rendering import element_text, fits
from aldis.apps.experiments.gateways.cot.scanner import ILLEGAL, MAX_EVENT
from aldis.apps.experiments.gateways.cot.values import Native

__all__ = ["Room", "kept", "residue_entry", "said_again"]

COT, TAK = "cot", "tak"
"""The protocol that remainders name: CoT for whatever is text, TAK for fields of protobuf that no one knows."""
_MAX_PARTS = 512


def kept(spare: Sequence[tuple[str, int]], event: Event) -> Residue | None:
    """What of `event` was not understood, as it came: the values in `spare`, and what has no name."""
    said = [(name, str(event.values[index])) for name, index in spare] + list(event.rest)
    parts = [_part(COT, name, text.encode()) for name, text in said]
    parts += [_part(TAK, place, raw) for place, raw in event.wire]
    return Residue(parts=parts) if parts else None


def _part(protocol: str, place: str, raw: bytes) -> Remainder:
    return Remainder(protocol=protocol, field=place, data=b2a_base64(raw, newline=False).decode())


@dataclass(frozen=True, slots=True)
class Room:
    """What a wire form has room for: a value as text under a name, and bytes of protobuf under a place."""

    text: Callable[[str, str], bool]
    wire: Callable[[str, bytes], bool]


def said_again(residue: Residue, event: Event, room: Room) -> tuple[Event, list[str]]:
    """`event` with what is to stand in it again, and the fields of what cannot.

    A remainder may have come over from a partner: it is checked again, and takes the place of nothing in `event`.
    """
    said: dict[str, Native] = dict(zip(event.names, event.values, strict=True))
    rest: list[tuple[str, str]] = []
    wire: list[tuple[str, bytes]] = []
    left: list[str] = []
    for part in residue.parts[:_MAX_PARTS]:
        raw = _raw(part)
        if raw is not None and part.protocol == COT and fits(part.field) and _says(part.field, raw, said, rest, room):
            continue
        if raw is not None and part.protocol == TAK and room.wire(part.field, raw):
            wire.append((part.field, raw))
        else:
            left.append(part.field)
    left += [part.field for part in residue.parts[_MAX_PARTS:]]
    return Event(tuple(said), list(said.values()), rest, wire), left


def _says(place: str, raw: bytes, said: dict[str, Native], rest: list[tuple[str, str]], room: Room) -> bool:
    """Add a value or an element at `place`, unless there is one, no room, or it is neither."""
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        return False
    if ILLEGAL.search(text) or place in said:
        return False
    if "@" in place:
        if not room.text(place, text):
            return False
        said[place] = text
        return True
    if not element_text(text, place.rpartition("/")[2].partition("[")[0]):
        return False
    rest.append((place, text))
    return True


def _raw(part: Remainder) -> bytes | None:
    """Its bytes; None where it is not base64, or more than an event may be."""
    try:
        return a2b_base64(part.data.encode("ascii"), strict_mode=True) if len(part.data) <= 2 * MAX_EVENT else None
    except (Error, UnicodeError):
        return None


def residue_entry(left: Sequence[str], to: str) -> Carried | Dropped:
    """The fate of the remainders: carried to `to`, unless some of them, `left`, could not be."""
    if not left:
        return Carried("residue.parts", to)
    more = f" and {len(left) - 3} more" if len(left) > 3 else ""
    return Dropped("residue.parts", "no field", f"not of this protocol: {', '.join(left[:3])}{more}")
