"""Rows: a stored record as it is read back, cheap enough to walk through a million."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from typing import Any

import apsw
import msgspec
import numpy as np
from numpy.typing import NDArray

from aldis.kernel.records import Portion, Record, read_record
from aldis.node.store.profiles import Profile

__all__ = ["COLUMNS", "Row", "Substitute", "make_row", "rows_of"]

COLUMNS = (
    "record.seq, digest, id, version, created, profile, portion_profiles, header, portions, substitute_profiles,"
    " substitutes, arrived, source"
)

_portions = msgspec.msgpack.Decoder(list[bytes])
_substitutes = msgspec.msgpack.Decoder(list[tuple[bytes, str]])


class Substitute(msgspec.Struct, frozen=True, gc=False):
    """A portion that came in another's place, and the transform its originator says it went through."""

    portion: Portion
    transform: str


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
        portions = _seen(visible, self.portion_profiles)
        others = _seen(visible, self.substitute_profiles)
        return msgspec.structs.replace(
            self,
            portions=[self.portions[i] for i in portions],
            portion_profiles=array("I", [self.portion_profiles[i] for i in portions]),
            substitutes=[self.substitutes[i] for i in others],
            substitute_profiles=array("I", [self.substitute_profiles[i] for i in others]),
        )


def make_row(values: tuple[Any, ...], profile: Callable[[int], Profile]) -> Row:
    """The row of `COLUMNS`."""
    seq, digest, id_, version, created, number, numbers, header, portions, others, substitutes, arrived, source = values
    of = profile(number)
    return Row(
        seq, digest, id_, version, of.kind, of.project, of.originator, created, number,
        array("I", numbers), header, _portions.decode(portions),
        array("I", others), _substitutes.decode(substitutes) if substitutes else [],
        arrived, source,
    )  # fmt: skip


def rows_of(connection: apsw.Connection, seqs: Sequence[int], profile: Callable[[int], Profile]) -> list[Row]:
    """The rows with these numbers, in the order given."""
    if not seqs:
        return []
    found = connection.execute(
        f"SELECT {COLUMNS} FROM carray(?) AS wanted CROSS JOIN record ON record.seq = wanted.value",  # noqa: S608
        (apsw.carray(array("q", seqs)),),
    )
    return [make_row(values, profile) for values in found]


def _seen(visible: NDArray[np.bool_], profiles: array[int]) -> list[int]:
    known = len(visible)
    return [i for i, profile in enumerate(profiles) if profile < known and visible[profile]]
