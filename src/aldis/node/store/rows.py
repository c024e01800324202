"""Rows: a stored record as it is read back, cheap enough to walk through a million."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import apsw
import msgspec
import numpy as np
from numpy.typing import NDArray

from aldis.kernel.records import Portion, Record, read_record
from aldis.node.store.profiles import Profile

__all__ = ["COLUMNS", "Row", "Substitute", "Substitutes", "make_row", "rows_of"]

COLUMNS = (
    "record.seq, digest, id, version, created, profile, portion_profiles, header, portions, substitute_profiles,"
    " substitutes, arrived, source"
)

Part = TypeVar("Part")

_NONE = array("I")
_portions = msgspec.msgpack.Decoder(list[bytes])
_substitutes = msgspec.msgpack.Decoder(list[tuple[bytes, str]])


class Substitute(msgspec.Struct, frozen=True, gc=False):
    """A portion that came in another's place, and the transform its originator says it went through."""

    portion: Portion
    transform: str


Substitutes = Mapping[bytes, Sequence[Substitute]]
"""By the digest of the record they came with."""


class Row(msgspec.Struct, frozen=True, gc=False):
    """One held version. `seq` numbers arrivals in this node and never leaves it.

    `portion_profiles[i]` is the profile of `portions[i]`, in the order of their digests, and so for `substitutes`,
    pairs of portion bytes and transform. `created` and `arrived` are in milliseconds since 1970 UTC; `source` is the
    node it came from, "" for this one.
    """

    seq: int
    digest: bytes
    id: str
    version: int
    kind: str
    project: str
    originator: str
    created: int
    profile: int
    portion_profiles: array[int]
    header: bytes
    portions: list[bytes]
    substitute_profiles: array[int]
    substitutes: list[tuple[bytes, str]]
    arrived: int
    source: str

    def record(self) -> Record:
        """The record, parsed and checked against its commitments.

        Raises:
            VerificationFailed: the file was altered.
        """
        return read_record(self.header, self.portions)

    def only(self, visible: NDArray[np.bool_]) -> Row:
        """The same row with just the portions and substitutes whose profiles are visible."""
        seen = visible.tobytes()
        portions, portion_profiles = _cut(self.portions, self.portion_profiles, seen)
        others, other_profiles = _cut(self.substitutes, self.substitute_profiles, seen)
        if len(portions) == len(self.portions) and len(others) == len(self.substitutes):
            return self
        return msgspec.structs.replace(
            self,
            portions=portions,
            portion_profiles=portion_profiles,
            substitutes=others,
            substitute_profiles=other_profiles,
        )


def make_row(values: tuple[Any, ...], profile: Callable[[int], Profile], seen: bytes | None = None) -> Row:
    """The row of `COLUMNS`; with `seen`, a byte by profile, just the portions and substitutes where it is not 0."""
    seq, digest, id_, version, created, number, numbers, header, data, others, other_data, arrived, source = values
    portions, portion_profiles = _portions.decode(data), array("I", numbers)
    if seen is not None:
        portions, portion_profiles = _cut(portions, portion_profiles, seen)
    substitutes: list[tuple[bytes, str]] = []
    substitute_profiles = _NONE
    if other_data:
        substitutes, substitute_profiles = _substitutes.decode(other_data), array("I", others)
        if seen is not None:
            substitutes, substitute_profiles = _cut(substitutes, substitute_profiles, seen)
    of = profile(number)
    return Row(
        seq, digest, id_, version, of.kind, of.project, of.originator, created, number, portion_profiles, header,
        portions, substitute_profiles, substitutes, arrived, source,
    )  # fmt: skip


def rows_of(
    connection: apsw.Connection, seqs: Sequence[int], profile: Callable[[int], Profile], seen: bytes | None = None
) -> list[Row]:
    """The rows with these numbers, in the order given, cut as `make_row` says."""
    if not seqs:
        return []
    found = connection.execute(
        f"SELECT {COLUMNS} FROM carray(?) AS wanted CROSS JOIN record ON record.seq = wanted.value",  # noqa: S608
        (apsw.carray(array("q", seqs)),),
    )
    return [make_row(values, profile, seen) for values in found]


def _cut(parts: list[Part], profiles: array[int], seen: bytes) -> tuple[list[Part], array[int]]:
    """The parts that may be seen, and their profiles."""
    known = len(seen)
    kept = [i for i, profile in enumerate(profiles) if profile < known and seen[profile]]
    if len(kept) == len(parts):
        return parts, profiles
    return [parts[i] for i in kept], array("I", [profiles[i] for i in kept])
