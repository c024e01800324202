"""Three pictures of the same sea, side by side: counts, and a few tracks field by field."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec
from rich.table import Table

from aldis.interfaces.demo.nations import NATIONS
from aldis.kernel.records import read_portion
from aldis.node.node import Node
from aldis.node.service import LIVE_COUNTS
from aldis.node.store import PAGE_LIMIT, Row

__all__ = ["Fields", "count_table", "counts_of", "fields_table", "pick_vessel", "seen_of", "values_of"]

_PORTIONS = ("position", "motion", "identity", "type", "status", "voyage", "sensor", "timing")
_COUNTED = ("tracks", "position", "position, coarse", "motion", "status", "voyage", "sensor", "live values")
Fields = tuple[str, str, Sequence[str]]
"""What a track is called here, its id, and which of its fields are shown, as `position.lat_deg`."""


def count_table(counts: Mapping[str, Mapping[str, int]]) -> Table:
    """How many tracks each nation sees, and of how many it has each portion."""
    table = Table(title="The same sea, three pictures", title_justify="left")
    table.add_column("")
    for node in counts:
        table.add_column(NATIONS[node][0], justify="right")
    for name in _COUNTED:
        table.add_row(name, *(f"{count[name]:,}" if count[name] else "—" for count in counts.values()))
    return table


def counts_of(node: Node) -> dict[str, int]:
    """How many tracks a node has, of how many each portion, and how much else."""
    tracks = _counts(node)
    return {
        **{name: tracks[name] for name in ("tracks", *_PORTIONS, "position, coarse")},
        "documents": node.records.count(kind="document"),
        "technical data": node.records.count(kind="technical-data"),
        "live values": _live(node),
    }


def pick_vessel(node: Node) -> str | None:
    """The ship with most portions, a name if any has one, and most reports."""
    rows = [(row, values_of(row)) for row in _tracks(node) if not row.source]
    return max(rows, key=lambda one: _fullness(one[1]))[0].id if rows else None


def _fullness(seen: dict[str, dict[str, Any]]) -> tuple[int, bool, int]:
    return len(seen), bool(seen.get("identity", {}).get("name")), seen.get("sensor", {}).get("reports") or 0


def fields_table(nodes: Mapping[str, Node], shown: Sequence[Fields]) -> Table:
    """A few tracks, field by field, at each nation."""
    table = Table(title="Field by field", title_justify="left")
    table.add_column("", no_wrap=True)
    for node in nodes:
        table.add_column(NATIONS[node][0])
    for name, track, fields in shown:
        seen = [seen_of(node, track) for node in nodes.values()]
        for place, field in enumerate(fields):
            cells = [_cell(one, *field.split(".")) for one in seen]
            table.add_row(f"{name}: {field}", *cells, end_section=place == len(fields) - 1)
    return table


def seen_of(node: Node, track: str) -> dict[str, dict[str, Any]]:
    """The fields that a node has of a record, by portion; a portion that is not there was withheld."""
    row = node.core.store.records.get(track)
    return values_of(row) if row else {}


def values_of(row: Row) -> dict[str, dict[str, Any]]:
    """The fields of a record, by portion."""
    held = [*row.portions, *(data for data, _ in row.substitutes)]
    return {portion.name: portion.value for portion in map(read_portion, held)}


def _cell(seen: dict[str, dict[str, Any]], portion: str, field: str) -> str:
    if portion not in seen:
        return "[yellow]withheld[/]" if seen else "—"
    value = seen[portion].get(field)
    if value is None:
        return "·"
    return f"{value:.4f}" if isinstance(value, float) else str(value)


def _counts(node: Node) -> Counter[str]:
    counts: Counter[str] = Counter()
    for row in _tracks(node):
        counts["tracks"] += 1
        counts.update(read_portion(data).name for data in row.portions)
        counts.update(f"{read_portion(data).name}, coarse" for data, _ in row.substitutes)
    return counts


def _tracks(node: Node) -> Iterator[Row]:
    cursor = ""
    while True:
        page = node.records.page(kind="track", cursor=cursor, limit=PAGE_LIMIT)
        yield from page.rows
        if not page.next:
            return
        cursor = page.next


def _live(node: Node) -> int:
    data = node.core.store.meta.get(LIVE_COUNTS)
    return sum(msgspec.json.decode(data, type=dict[str, int]).values()) if data else 0
