"""Records as pages show them: a line of a list, and a portion."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from aldis.interfaces.cli.kinds import in_order, title
from aldis.interfaces.cli.text import words
from aldis.interfaces.web.forms import Fields
from aldis.interfaces.web.frame import Frame
from aldis.interfaces.web.markings import Chip
from aldis.interfaces.web.visit import Visit
from aldis.kernel.labels import Label, rung_text
from aldis.kernel.records import Record
from aldis.node.instruments import KINDS
from aldis.node.recall_records import RECALL_KINDS
from aldis.node.sheets import SHEET
from aldis.node.store import Row

__all__ = ["AGREEING", "Item", "Part", "item", "labels_of", "levels", "parts", "writable"]

AGREEING = frozenset({SHEET, *(kind.name for kind in KINDS)})
"""Kinds that are about agreements: left out of a list unless asked for."""
_OWN = AGREEING | {kind.name for kind in RECALL_KINDS}


@dataclass(frozen=True, slots=True)
class Item:
    """A line of a list. `party` is empty where nobody vouches for the originator; `level` is where it came in.

    `path` is that of the record's page.
    """

    id: str
    path: str
    title: str
    kind: str
    project: str
    marking: Chip
    originator: str
    party: str
    created: int
    level: str
    deleted: bool


@dataclass(frozen=True, slots=True)
class Part:
    """A portion: its mark, and its value as text; `prose` where that is what it is."""

    name: str
    label: Label
    text: str
    prose: bool


def labels_of(row: Row) -> list[Label]:
    """The labels of what is shown of a row: its header's and those of its portions that are there."""
    record = row.record()
    return [record.label, *(portion.label for portion in record.portions)]


def levels(visit: Visit) -> Mapping[str, str]:
    """At a node with others of its party, the level of each by name, for this party's own people; else nothing."""
    node = visit.node
    inside = [known for known in node.partners.all() if known.party == node.core.party]
    if not inside or not visit.resident:
        return {}
    own = {node.name: rung_text(node.core.config.policy, node.core.config.ceiling)}
    return own | {known.node: ", ".join(known.sheet.ceiling.values()) for known in inside}


def item(visit: Visit, frame: Frame, row: Row, parties: Mapping[str, str], inside: Mapping[str, str]) -> Item:
    """A row as a line of a list."""
    source = row.source if row.source in inside else visit.node.name
    return Item(
        id=row.id,
        path=path_of(visit, row),
        title=title(visit.node, row.record()) or f"{row.kind} {row.id}",
        kind=row.kind,
        project=row.project,
        marking=frame.markings.record(labels_of(row)),
        originator=row.originator,
        party=parties.get(row.originator, ""),
        created=row.created,
        level=f"{source} ({inside[source]})" if inside else "",
        deleted=row.record().header.deleted,
    )


def path_of(visit: Visit, row: Row, below: str = "", **fields: str) -> str:
    """Where a record's page is, or one below it; of another node's, whose it is stands in the query.

    Ids are each node's own: a partner's record may have that of one of ours.
    """
    whose = row.originator if row.originator != visit.node.name else ""
    return Fields.address(f"/records/{quote(row.id, safe='')}{below}", originator=whose, **fields)


def parts(visit: Visit, record: Record) -> list[Part]:
    """The portions that are there, in the order of their kind."""
    found = {portion.name: portion for portion in record.portions}
    names = in_order(visit.node, record.header.kind, found)
    values: list[tuple[str, Any]] = [(name, found[name].value) for name in names]
    return [Part(name, found[name].label, words(value), isinstance(value, str)) for name, value in values]


def writable(visit: Visit) -> list[str]:
    """The kinds that this person may write."""
    allowed = visit.who.account.kinds
    return sorted(name for name in visit.node.core.kinds if name not in _OWN and ("*" in allowed or name in allowed))
