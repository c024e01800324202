"""Records to store: small, seeded, with labels that differ."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import shake_256
from itertools import count
from typing import Any

from aldis.kernel.labels import Label, Releasability
from aldis.kernel.ledger import Leaf, LeafType, encode_leaf
from aldis.kernel.records import Draft, DraftPortion, Record, make_record, next_version, tombstone

__all__ = ["LABELS", "draft", "leaf", "random_bytes", "record", "successor", "tomb"]

LABELS = tuple(
    Label("AUS", classification, Releasability.to("AUS", *parties))
    for classification in ("OFFICIAL", "PROTECTED", "SECRET")
    for parties in ((), ("GBR",), ("USA",), ("GBR", "USA"))
)


def random_bytes(seed: object) -> Callable[[int], bytes]:
    """Bytes that differ at every call and repeat with the seed."""
    calls = count()
    return lambda size: shake_256(f"{seed} {next(calls)}".encode()).digest(size)


_random = random_bytes("samples")


def draft(
    id_: str,
    portions: Sequence[tuple[str, int, Any]] = (("position", 0, {"lat": 1.5}), ("identity", 1, {"name": "AAVA"})),
    *,
    kind: str = "track",
    label: int = 0,
    project: str = "",
    originator: str = "aus-low",
) -> Draft:
    """A draft whose portions are (name, number of a label, value)."""
    return Draft(
        kind=kind,
        id=id_,
        originator=originator,
        author="someone",
        created=1_700_000_000_000,
        label=LABELS[label],
        project=project,
        portions=[DraftPortion(name, LABELS[number], value) for name, number, value in portions],
    )


def record(id_: str, portions: Sequence[tuple[str, int, Any]] | None = None, **rest: Any) -> Record:
    """A first version."""
    made = draft(id_, **rest) if portions is None else draft(id_, portions, **rest)
    return make_record(made, _random)


def successor(before: Record, portions: Sequence[tuple[str, int, Any]] | None = None, **rest: Any) -> Record:
    """The version after `before`."""
    header = before.header
    same = {"kind": header.kind, "project": header.project, "originator": header.originator, **rest}
    made = draft(header.id, **same) if portions is None else draft(header.id, portions, **same)
    return make_record(next_version(before, made), _random)


def tomb(before: Record) -> Record:
    """The tombstone after `before`."""
    return make_record(tombstone(before, "someone", before.header.created + 1), _random)


def leaf(number: int, type_: LeafType = "release", subject: str = "v-1") -> bytes:
    """One leaf of a ledger."""
    return encode_leaf(
        Leaf(
            at=number, type=type_, input="ab" * 32, epoch="", verdict="permit", reasons=(), subject=subject, actor="me"
        )
    )
