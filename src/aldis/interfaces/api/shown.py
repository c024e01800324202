"""Records as the API shows them: the bytes of header and values as they were signed, and how their labels are written.

Rows are spliced together from stored bytes; only labels, alike in most rows, are worked out, once for each profile.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from threading import Lock
from typing import Any

import msgspec

from aldis.interfaces.cli.marks import Marks
from aldis.kernel.errors import UnknownTerm
from aldis.kernel.labels import Label
from aldis.kernel.records import Attachment
from aldis.node.core import Core
from aldis.node.store import Row

__all__ = ["HeaderShown", "LabelShown", "PortionShown", "RecordShown", "Shower"]

_KEPT = 4_096
_DAY = 86_400_000


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
    attachments: list[Attachment] = []
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
        self._marks = Marks(core.policies, core.config.policy)
        self._lock = Lock()
        self._day = self._generation = -1
        self._written: dict[int, bytes] = {}
        self._banners: OrderedDict[tuple[int, ...], bytes] = OrderedDict()

    def record(self, row: Row) -> bytes:
        """A row, already cut to what its viewer may see, as JSON (`RecordShown`)."""
        profiles = (row.profile, *row.portion_profiles, *row.substitute_profiles)
        portions = [
            self._portion(data, number) for data, number in zip(row.portions, row.portion_profiles, strict=True)
        ]
        if row.substitutes:
            portions += [
                self._portion(data, number, transform)
                for (data, transform), number in zip(row.substitutes, row.substitute_profiles, strict=True)
            ]
        return b'{"digest":"%s","banner":%s,"marking":%s,"header":%s,"portions":[%s]}' % (
            row.digest.hex().encode(),
            self._banner(profiles),
            self._marking(row.profile),
            row.header,
            b",".join(portions),
        )

    def page(self, rows: Sequence[Row], after: str, around: Iterable[bytes] = ()) -> bytes:
        """A page of rows as JSON, with the roll-up of all that is shown; `around` adds members to each record."""
        profiles = tuple(
            {number for row in rows for number in (row.profile, *row.portion_profiles, *row.substitute_profiles)}
        )
        shown = [self.record(row) for row in rows]
        if more := list(around):
            shown = [one[:-1] + b"," + extra + b"}" for one, extra in zip(shown, more, strict=True)]
        return b'{"banner":%s,"records":[%s],"next":"%s"}' % (
            self._banner(tuple(sorted(profiles))) if rows else b'""',
            b",".join(shown),
            after.encode(),
        )

    def portion(self, row: Row, name: str) -> bytes:
        """One portion of a row as JSON (`PortionShown`).

        Raises:
            UnknownTerm: none of that name in the row.
        """
        quoted = msgspec.json.encode(name)
        for data, number in zip(row.portions, row.portion_profiles, strict=True):
            if bytes(_part.decode(data).name) == quoted:
                return self._portion(data, number)
        raise UnknownTerm(f"no portion {name!r} of {row.id!r} here", fix="Read the record to see which there are")

    def banner(self, row: Row) -> str:
        """The marking of a row with all its portions."""
        return str(msgspec.json.decode(self._banner((row.profile, *row.portion_profiles, *row.substitute_profiles))))

    def write(self, label: Label) -> str:
        """A label as people write it."""
        return self._marks.write(label, self._core.clock.now())

    def _portion(self, data: bytes, number: int, transform: str = "") -> bytes:
        part = _part.decode(data)
        more = b',"transform":%s' % msgspec.json.encode(transform) if transform else b""
        return b'{"name":%s,"marking":%s,"label":%s,"value":%s%s}' % (
            bytes(part.name), self._marking(number), bytes(part.label), bytes(part.value), more
        )  # fmt: skip

    def _marking(self, number: int) -> bytes:
        self._fresh()
        found = self._written.get(number)
        if found is None:
            label = self._core.store.profiles.profile(number).label
            found = self._written[number] = msgspec.json.encode(self.write(label))
        return found

    def _banner(self, numbers: tuple[int, ...]) -> bytes:
        self._fresh()
        found = self._banners.get(numbers)
        if found is None:
            labels = [self._core.store.profiles.profile(number).label for number in numbers]
            found = msgspec.json.encode(self._marks.roll_up(labels, self._core.clock.now()))
            with self._lock:
                self._banners[numbers] = found
                while len(self._banners) > _KEPT:
                    self._banners.popitem(last=False)
        return found

    def _fresh(self) -> None:
        day, generation = self._core.clock.now() // _DAY, self._core.store.profiles.generation
        if (day, generation) != (self._day, self._generation):
            with self._lock:
                self._written, self._banners = {}, OrderedDict()
                self._day, self._generation = day, generation
