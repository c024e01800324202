"""The zip file around a container: two stored members, found by the directory at its end and by nothing else.

Source: PKWARE APPNOTE 6.3.10, sections 4.3.7, 4.3.12, 4.3.14 to 4.3.16 and 4.5.3 (ZIP64).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any, BinaryIO

from aldis.kernel.errors import InvalidInput, NotAuthentic

__all__ = ["MANIFEST", "PAYLOAD", "Member", "members"]

MANIFEST, PAYLOAD = "0.manifest.json", "0.payload"
_END = struct.Struct("<4s4H2IH")
_LOCATOR = struct.Struct("<4sIQI")
_END64 = struct.Struct("<4sQ2H2I4Q")
_ENTRY = struct.Struct("<4s6H3I5H2I")
_LOCAL = struct.Struct("<4s5H3I2H")
_FULL = 0xFFFFFFFF
_DIRECTORY = 4096
_ENCRYPTED = 1


@dataclass(frozen=True, slots=True)
class Member:
    """Where a member's bytes are in the file."""

    start: int
    size: int


def members(file: BinaryIO) -> tuple[Member, Member]:
    """The manifest and the payload of a container.

    Raises:
        NotAuthentic: it does not end as a zip file does: it was cut, or more was added to it.
        InvalidInput: it has other members than these two, or one that is compressed or encrypted, or they overlap.
    """
    size = file.seek(0, 2)
    start, count, length = _directory(file, size)
    if count != 2 or length > _DIRECTORY:
        raise InvalidInput(f"a TDF has two members, not {count}")
    file.seek(start)
    data, place, found = file.read(length), 0, dict[str, tuple[int, int]]()
    for _ in range(count):
        name, local, stored, place = _entry(data, place)
        if name in found:
            raise InvalidInput(f"the member {name} is there twice")
        found[name] = local, stored
    if place != len(data) or found.keys() != {MANIFEST, PAYLOAD}:
        raise InvalidInput(f"a TDF has the members {MANIFEST} and {PAYLOAD}, not {', '.join(found)}")
    manifest, payload = (_located(file, name, *found[name]) for name in (MANIFEST, PAYLOAD))
    first, last = sorted((manifest, payload), key=lambda one: one.start)
    if first.start + first.size > last.start or last.start + last.size > start:
        raise InvalidInput("the members of the TDF overlap")
    return manifest, payload


def _directory(file: BinaryIO, size: int) -> tuple[int, int, int]:
    """Start, entries and length of the central directory."""
    if size < _END.size:
        raise NotAuthentic(f"{size} bytes are no TDF: it was cut", fix="Ask its maker for it again")
    file.seek(size - _END.size)
    mark, _, _, _, count, length, start, comment = _END.unpack(file.read(_END.size))
    if mark != b"PK\x05\x06" or comment:
        raise NotAuthentic(
            "the file does not end as a TDF does: it was cut or added to", fix="Ask its maker for it again"
        )
    end = size - _END.size
    if _FULL in (length, start) or count == 0xFFFF:
        end -= _LOCATOR.size
        file.seek(max(end, 0))
        mark, _, place, _ = _unpacked(_LOCATOR, file.read(_LOCATOR.size))
        file.seek(min(place, size))
        mark64, _, _, _, _, _, _, count, length, start = _unpacked(_END64, file.read(_END64.size))
        if mark != b"PK\x06\x07" or mark64 != b"PK\x06\x06" or place + _END64.size != end:
            raise InvalidInput("the TDF has a broken ZIP64 directory")
        end = place
    if start + length != end:
        raise InvalidInput("the directory of the TDF is not where its end says")
    return start, count, length


def _entry(data: bytes, place: int) -> tuple[str, int, int, int]:
    """Name, local header and size of the member at `place` of the directory, and where the next one is."""
    fields = _unpacked(_ENTRY, data[place : place + _ENTRY.size])
    mark, _, _, flags, method, _, _, _, packed, size, named, more, said = fields[:13]
    local = fields[16]
    name = data[place + _ENTRY.size :][:named]
    extra = data[place + _ENTRY.size + named :][:more]
    if mark != b"PK\x01\x02" or flags & _ENCRYPTED or method or packed != size:
        raise InvalidInput("a member of the TDF is not stored as it is")
    if _FULL in (size, local):
        size, local = _wide(extra, size, packed, local)
    return name.decode("ascii", "replace"), local, size, place + _ENTRY.size + named + more + said


def _wide(extra: bytes, size: int, packed: int, local: int) -> tuple[int, int]:
    while len(extra) >= 4:
        kind, length = struct.unpack_from("<2H", extra)
        values, extra = extra[4 : 4 + length], extra[4 + length :]
        if kind != 1:
            continue
        numbers = iter(struct.unpack_from(f"<{length // 8}Q", values)) if len(values) == length else iter(())
        wide = [next(numbers, -1) if one == _FULL else one for one in (size, packed, local)]
        if -1 not in wide and wide[0] == wide[1]:
            return wide[0], wide[2]
        break
    raise InvalidInput("a member of the TDF has a broken ZIP64 size")


def _located(file: BinaryIO, name: str, local: int, size: int) -> Member:
    file.seek(local)
    fields = _unpacked(_LOCAL, file.read(_LOCAL.size))
    if fields[0] != b"PK\x03\x04" or file.read(fields[9]) != name.encode():
        raise InvalidInput(f"the member {name} is not where the directory says")
    return Member(local + _LOCAL.size + fields[9] + fields[10], size)


def _unpacked(form: struct.Struct, data: bytes) -> tuple[Any, ...]:
    if len(data) != form.size:
        raise InvalidInput("the directory of the TDF is broken")
    return form.unpack(data)
