"""Records as the API shows them: the bytes of header and values as they were signed, and how their labels are written.

Rows are spliced together from stored bytes; only labels, alike in most rows, are worked out, once for each profile.
"""

from __future__ import annotations

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
_MOST_SHOWN, _LARGEST = 32 * 1024 * 1024, 8_192
"""Bytes of the rows that are kept as they were shown, and of the largest of them."""
_Shown = dict[int, tuple[bytes, tuple[int, ...]]]
"""Rows as they were shown and the profiles of what was, by number."""
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
        self._views = _Views(-1)

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

        What was shown is kept by which profiles its viewer sees, the outcome of all decisions about them: whoever sees
        any more or less has rows of their own.
        """
        self._fresh()
        found = records.numbers(viewer, **asked)
        if found is None:
            page = records.page(viewer=viewer, **asked)
            return self.page(page.rows, page.next or ""), page.next
        (seqs, after, changes), seen = found
        views = self._views
        if views.changes != changes:
            views = self._views = _Views(changes)
        view = views.of(seen.tobytes())
        missing = [seq for seq in seqs if seq not in view]
        fresh = {row.seq: (self._record(row), _profiles(row)) for row in records.rows(missing, seen)} if missing else {}
        shown = [one for seq in seqs if (one := fresh.get(seq) or view.get(seq))]
        if views.keep(view, fresh) > _MOST_SHOWN:
            self.forget()
        profiles = set[int]().union(*[numbers for _, numbers in shown])
        banner = self._banners[tuple(sorted(profiles))] if shown else b'""'
        return _paged(banner, [data for data, _ in shown], after or ""), after

    def forget(self) -> None:
        """Drop all that was kept, such as what has been erased since."""
        self._views = _Views(-1)

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
            self.forget()
            self._good = day, generation

    def _mark(self, number: int) -> bytes:
        return msgspec.json.encode(self.write(self._core.store.profiles.profile(number).label))

    def _roll_up(self, numbers: tuple[int, ...]) -> bytes:
        labels = [self._core.store.profiles.profile(number).label for number in numbers]
        return msgspec.json.encode(self._writing.roll_up(labels, self._core.clock.now()))


class _Views:
    """Rows as they were shown, by what their viewers see of all profiles, while the store's `changes` are the same."""

    def __init__(self, changes: int) -> None:
        self.changes = changes
        self._size = 0
        self._rows: dict[bytes, _Shown] = {}

    def of(self, seen: bytes) -> _Shown:
        """What was shown to those who see just these profiles: a byte for each, 0 for those that are not seen."""
        return self._rows.setdefault(seen.rstrip(b"\0"), {})

    def keep(self, view: _Shown, fresh: _Shown) -> int:
        """Add rows to those of a view; how many bytes are kept in all."""
        kept = {seq: one for seq, one in fresh.items() if len(one[0]) <= _LARGEST}
        view.update(kept)
        self._size += sum([len(data) for data, _ in kept.values()])
        return self._size


def _paged(banner: bytes, records: list[bytes], after: str) -> bytes:
    """A page in one piece: its records are copied once."""
    first, last = b'{"banner":%s,"records":[' % banner, b'],"next":"%s"}' % after.encode()
    return b"".join([first, *records[:1], *[part for one in records[1:] for part in (b",", one)], last])


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
