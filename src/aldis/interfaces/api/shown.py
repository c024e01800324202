"""Records as the API shows them: the bytes of header and values as they were signed, and how their labels are written.

Rows are spliced together from stored bytes; only labels, alike in most rows, are worked out, once for each profile.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Any, TypeVar

import msgspec

from aldis.interfaces.cli.marks import Marks
from aldis.kernel.errors import UnknownTerm
from aldis.kernel.labels import Label
from aldis.node.core import Core
from aldis.node.people import Person
from aldis.node.records import Records
from aldis.node.store import Row

__all__ = ["HeaderShown", "LabelShown", "PortionShown", "RecordShown", "Shower"]

_MOST = 8_192
_MOST_SHOWN, _LARGEST = 4_096, 8_192
"""Rows that are kept as they were shown, and the largest of them, in bytes: 32 MiB at most."""
_Pattern = tuple[bytes, bytes]
_Seen = tuple[tuple[int, ...], tuple[int, ...]]
_ShownKey = tuple[bytes, _Pattern, _Seen]
_DAY = 86_400_000
_Key = TypeVar("_Key", bound=Hashable)


class LabelShown(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A label; `releasable` is `unmarked`, `refused` or a list of parties."""

    policy: str
    classification: str
    releasable: str | list[str]
    display: list[str] = []
    categories: dict[str, list[str]] = {}
    control: list[str] = []
    origins: list[str] = []


class HeaderShown(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A record's header as its originator signed it; `digest` of the record is the SHA-256 of these very bytes."""

    kind: str
    id: str
    version: int
    originator: str
    author: str
    created: int
    label: LabelShown
    portions: list[str]
    previous: str = ""
    project: str = ""
    sources: list[str] = []
    deleted: bool = False


class PortionShown(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A portion that you may see; `transform` says what its originator changed of it on the way here, if it did."""

    name: str
    marking: str
    label: LabelShown
    value: Any
    transform: str = ""


class RecordShown(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A version of a record with just the portions that you may see; `banner` marks all of it together."""

    digest: str
    banner: str
    marking: str
    header: HeaderShown
    portions: list[PortionShown]


class _Part(msgspec.Struct, frozen=True, gc=False, array_like=True):
    salt: str
    name: msgspec.Raw
    label: msgspec.Raw
    value: msgspec.Raw


_part = msgspec.json.Decoder(_Part)


class Shower:
    """Shows rows of one node; what was worked out for a label holds for a day, since groups change by the date."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._writing = Marks(core.policies, core.config.policy)
        self._good = -1, -1
        self._marks, self._banners = _Kept(self._mark), _Kept(self._roll_up)
        self._shown: dict[_ShownKey, bytes] = {}

    def record(self, row: Row) -> bytes:
        """A row, already cut to what its viewer may see, as JSON (`RecordShown`)."""
        self._fresh()
        return self._record(row)

    def page(self, rows: Sequence[Row], after: str, around: Iterable[bytes] = ()) -> bytes:
        """A page of rows as JSON, with the roll-up of all that is shown; `around` adds members to each record."""
        self._fresh()
        profiles = {number for row in rows for number in _profiles(row)}
        shown = [self._record(row) for row in rows]
        if more := list(around):
            shown = [one[:-1] + b"," + extra + b"}" for one, extra in zip(shown, more, strict=True)]
        banner = self._banners[tuple(sorted(profiles))] if rows else b'""'
        return _paged(banner, shown, after)

    def listing(self, records: Records, viewer: Person, **asked: Any) -> tuple[bytes, str | None]:
        """A page of what a person may see, as `page`, and its cursor; rows that are the same as before are not read.

        What was shown is kept by what the person sees of the very content: a row that gained or lost content, and a
        person who sees other portions of it, have another key.
        """
        self._fresh()
        found = records.heads(viewer, **asked)
        if found is None:
            page = records.page(viewer=viewer, **asked)
            return self.page(page.rows, page.next or ""), page.next
        heads, after, seen = found
        look_up, shown = seen.tobytes(), self._shown
        patterns: dict[_Pattern, _Seen] = {}
        keys: list[_ShownKey] = []
        for head in heads:
            pattern = (head.portion_profiles, head.substitute_profiles)
            if pattern not in patterns:
                patterns[pattern] = _seen(pattern[0], look_up), _seen(pattern[1], look_up)
            keys.append((head.digest, pattern, patterns[pattern]))
        missing = [head.seq for head, key in zip(heads, keys, strict=True) if key not in shown]
        fresh = {row.seq: self._record(row) for row in records.rows(missing, seen)} if missing else {}
        for head, key in zip(heads, keys, strict=True) if fresh else ():
            if head.seq in fresh and len(fresh[head.seq]) <= _LARGEST:
                shown[key] = fresh[head.seq]
        rendered = [fresh.get(head.seq) or shown.get(key) for head, key in zip(heads, keys, strict=True)]
        parts = [part for part in rendered if part is not None]
        profiles = {head.profile for head in heads}.union(*(part for pair in patterns.values() for part in pair))
        if len(shown) > _MOST_SHOWN:
            self._shown = {}
        banner = self._banners[tuple(sorted(profiles))] if parts else b'""'
        return _paged(banner, parts, after or ""), after

    def forget(self) -> None:
        """Drop all that was kept, such as what has been erased since."""
        self._shown = {}

    def portion(self, row: Row, name: str) -> bytes:
        """One portion of a row as JSON (`PortionShown`).

        Raises:
            UnknownTerm: none of that name in the row.
        """
        self._fresh()
        quoted = msgspec.json.encode(name)
        for data, number in zip(row.portions, row.portion_profiles, strict=True):
            if bytes(_part.decode(data).name) == quoted:
                return _portion(data, self._marks[number])
        raise UnknownTerm(f"no portion {name!r} of {row.id!r} here", fix="Read the record to see which there are")

    def banner(self, row: Row) -> str:
        """The marking of a row with all its portions."""
        self._fresh()
        return str(msgspec.json.decode(self._banners[_profiles(row)]))

    def write(self, label: Label) -> str:
        """A label as people write it."""
        return self._writing.write(label, self._core.clock.now())

    def _record(self, row: Row) -> bytes:
        marks = self._marks
        portions = [
            _portion(data, marks[number]) for data, number in zip(row.portions, row.portion_profiles, strict=True)
        ]
        if row.substitutes:
            portions += [
                _portion(data, marks[number], transform)
                for (data, transform), number in zip(row.substitutes, row.substitute_profiles, strict=True)
            ]
        return b'{"digest":"%s","banner":%s,"marking":%s,"header":%s,"portions":[%s]}' % (
            row.digest.hex().encode(),
            self._banners[_profiles(row)],
            marks[row.profile],
            row.header,
            b",".join(portions),
        )

    def _fresh(self) -> None:
        day, generation = self._core.clock.now() // _DAY, self._core.store.profiles.generation
        if (day, generation) != self._good:
            self._marks, self._banners = _Kept(self._mark), _Kept(self._roll_up)
            self._shown = {}
            self._good = day, generation

    def _mark(self, number: int) -> bytes:
        return msgspec.json.encode(self.write(self._core.store.profiles.profile(number).label))

    def _roll_up(self, numbers: tuple[int, ...]) -> bytes:
        labels = [self._core.store.profiles.profile(number).label for number in numbers]
        return msgspec.json.encode(self._writing.roll_up(labels, self._core.clock.now()))


def _seen(profiles: bytes, seen: bytes) -> tuple[int, ...]:
    """Of the profiles of a row's parts, those that are seen."""
    known = len(seen)
    return tuple(number for number in array("I", profiles) if number < known and seen[number])


def _paged(banner: bytes, records: list[bytes], after: str) -> bytes:
    return b'{"banner":%s,"records":[%s],"next":"%s"}' % (banner, b",".join(records), after.encode())


class _Kept(dict[_Key, bytes]):
    """What was worked out once; emptied where it grows too large."""

    def __init__(self, work: Callable[[_Key], bytes]) -> None:
        super().__init__()
        self._work = work

    def __missing__(self, key: _Key) -> bytes:
        if len(self) >= _MOST:
            self.clear()
        found = self[key] = self._work(key)
        return found


def _profiles(row: Row) -> tuple[int, ...]:
    return (row.profile, *row.portion_profiles, *row.substitute_profiles)


def _portion(data: bytes, marking: bytes, transform: str = "") -> bytes:
    part = _part.decode(data)
    more = b',"transform":%s' % msgspec.json.encode(transform) if transform else b""
    return b'{"name":%b,"marking":%b,"label":%b,"value":%b%b}' % (part.name, marking, part.label, part.value, more)
