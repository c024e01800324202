"""Rows for the small maps of pages that show something else than the live picture; `rows` says what is in one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from aldis.apps.experiments.entity import GROUPS
from aldis.apps.experiments.web.rows import ahead, row_of
from aldis.apps.experiments.web.sights import Part, Sight
from aldis.kernel.labels import Label

__all__ = ["chart_row", "chart_rows"]


def chart_row(
    key: tuple[str, str], header: Label, values: Mapping[str, Any], parties: Mapping[str, str], now: int
) -> dict[str, Any]:
    """The row of a track of which these portions are known, and nothing else: where it is reckoned on to by `now` too.

    It is for a map alone: how it is marked stands in the table.
    """
    parts = {name: Part(value, header, key[0], now, live=False) for name, value in _groups(values)}
    sight = Sight(key, header, parts)
    return {**row_of(sight, parties, lambda _labels: ()), "ahead": ahead(sight, now), "labels": []}


def chart_rows(rows: Iterable[Mapping[str, Any]]) -> str:
    """Rows as a page carries them; those without a place are left to the table."""
    return msgspec.json.encode([row for row in rows if row["lat"] is not None]).decode()


def _groups(values: Mapping[str, Any]) -> Iterable[tuple[str, Any]]:
    for name in GROUPS:
        if name in values:
            try:
                yield name, msgspec.convert(values[name], GROUPS[name])
            except msgspec.ValidationError:
                continue  # what another version of this program said
