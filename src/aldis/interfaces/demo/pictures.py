"""Three pictures of the same sea, side by side: counts, and one vessel field by field."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import msgspec
from rich.table import Table

from aldis.interfaces.demo.nations import NATIONS
from aldis.kernel.records import read_portion
from aldis.node.node import Node
from aldis.node.service import LIVE_COUNTS
from aldis.node.store import PAGE_LIMIT, Row

__all__ = ["count_table", "counts_of", "pick_vessel", "seen_of", "vessel_table"]

_PORTIONS = ("position", "motion", "identity", "type", "status", "voyage", "sensor", "timing")
_FIELDS = {
    "position": ("lat_deg", "lon_deg", "grid_m"),
    "motion": ("speed_mps", "course_deg"),
    "identity": ("name", "mmsi", "callsign"),
    "type": ("ship_type_text", "length_m"),
    "status": ("nav_status",),
    "voyage": ("destination", "eta", "draught_m"),
    "sensor": ("protocol", "station", "reports"),
    "timing": (),
}


def count_table(nodes: dict[str, Node]) -> Table:
    """How many tracks each nation sees, and of how many it has each portion."""
    table = Table(title="The same sea, three pictures", title_justify="left")
    table.add_column("")
    for node in nodes:
        table.add_column(NATIONS[node][0], justify="right")
    counts = [counts_of(node) for node in nodes.values()]
    for name in counts[0]:
        table.add_row(name, *(f"{count[name]:,}" if count[name] else "—" for count in counts))
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
    """The track with most portions, a name if any has one, and most reports."""
    rows = [(row, _values(row)) for row in _tracks(node)]
    return max(rows, key=lambda one: _fullness(one[1]))[0].id if rows else None


def _fullness(seen: dict[str, dict[str, Any]]) -> tuple[int, bool, int]:
    return len(seen), bool(seen.get("identity", {}).get("name")), seen.get("sensor", {}).get("reports") or 0


def vessel_table(nodes: dict[str, Node], track: str) -> Table:
    """One vessel, field by field, at each nation."""
    table = Table(title=f"One vessel, field by field: {track}", title_justify="left")
    table.add_column("", no_wrap=True)
    for node in nodes:
        table.add_column(NATIONS[node][0])
    seen = {node: seen_of(nodes[node], track) for node in nodes}
    for portion in _PORTIONS:
        for field in _FIELDS[portion]:
            cells = [_cell(seen[node], portion, field) for node in nodes]
            if any(cell.strip("·—") for cell in cells):
                table.add_row(f"{portion}.{field}", *cells)
    return table


def seen_of(node: Node, track: str) -> dict[str, dict[str, Any]]:
    """The fields that a node has of a track, by portion; a portion that is not there was withheld."""
    row = node.core.store.records.get(track)
    return _values(row) if row else {}


def _values(row: Row) -> dict[str, dict[str, Any]]:
    held = [*row.portions, *(data for data, _ in row.substitutes)]
    return {portion.name: portion.value for portion in map(read_portion, held)}


def _cell(seen: dict[str, dict[str, Any]], portion: str, field: str) -> str:
    if portion not in seen:
        return "[dim]withheld[/]" if seen else "—"
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
