"""Attachments for tests: files brought in at a node, records that describe them, and what became of them elsewhere."""

from __future__ import annotations

import io
import re
from random import Random
from typing import Any

import msgspec
from nations import Coalition, to

from aldis.kernel.labels import Label
from aldis.kernel.ledger import decode_leaf
from aldis.kernel.records import Record
from aldis.node.attachments import Held

ALL = to("GBR", "USA")
ONLY_GBR = to("GBR")


def noise(size: int, seed: int = 1) -> bytes:
    return Random(seed).randbytes(size)


def bring(coalition: Coalition, data: bytes, name: str = "plan.bin", node: str = "aus", person: str = "") -> Any:
    """The value that describes a file with this content, brought in at a node."""
    return msgspec.to_builtins(coalition[node].attachments.uploads.whole(io.BytesIO(data), name, person=person))


def give(
    coalition: Coalition, data: bytes, record: str = "doc", label: Label = ALL, node: str = "aus", **fields: Any
) -> Record:
    """A document with one file in its portion `files`."""
    value = [bring(coalition, data, fields.pop("name", "plan.bin"), node)]
    header = fields.pop("header", ALL if node == "aus" else label)
    return coalition.put(node, record, {"title": (record, header), "files": (value, label)}, **fields)


def held(coalition: Coalition, node: str, record: str = "doc") -> list[Held]:
    row = coalition[node].core.store.records.get(record)
    return coalition[node].attachments.of(row) if row else []


def content(coalition: Coalition, node: str, record: str = "doc", name: str = "plan.bin", **asked: Any) -> bytes:
    with coalition[node].records.read_attachment(record, "files", name, **asked) as reader:
        return b"".join(reader.pieces())


def leaves(coalition: Coalition, node: str, kind: str) -> list[tuple[str, str]]:
    """Verdict and subject of the leaves of a type."""
    rows = coalition[node].core.store.ledger.leaves(0, 10_000, type_=kind)
    return [(leaf.verdict, leaf.subject) for leaf in (decode_leaf(row.data) for row in rows)]


def files(coalition: Coalition, node: str) -> list[str]:
    """Every file below a node's folder of attachments, but the lock."""
    folder = coalition[node].core.home.attachments
    return sorted(path.name for path in folder.rglob("*") if path.is_file() and path.name != "lock")


def some(coalition: Coalition, origin: str, audience: str, *, certain: bool = False) -> int:
    """Let one node call another until some of a content has come, on disk for certain or not; how much."""
    for _ in range(40):
        there = sum(coming(coalition, audience)) if certain else taken(coalition, audience)
        if there:
            return there
        coalition.clock.at += 2_500
        assert coalition.step(origin, audience)
    raise AssertionError("nothing came")


def taken(coalition: Coalition, audience: str) -> int:
    """How much of a content a node has by its last word: threads may still be writing it."""
    last = coalition.wire[-1] if coalition.wire else None
    said = re.search(rb'"held":(\d+)', last.answer) if last is not None and last.audience == audience else None
    return int(said[1]) if said else 0


def coming(coalition: Coalition, node: str) -> list[int]:
    """How much is on disk for certain of each content under way to a node."""
    return [one.held for one in coalition[node].core.store.attachments.incoming() if one.state == "wanted"]
