"""The picture as a page: a table that needs no script, and beside it the map of the same rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

import msgspec

from aldis.app import Context, Page, Shown
from aldis.apps.experiments.web.detail import Named, detail, follow
from aldis.apps.experiments.web.feed import feed, rows
from aldis.apps.experiments.web.rows import Row, labels_of

__all__ = ["PAGES"]

_ROWS = 200
_MINUTE_MS = 60_000
KINDS = ("sea", "land", "air", "space", "unknown")
_AGES = (("1", "1 minute"), ("10", "10 minutes"), ("60", "1 hour"), ("1440", "1 day"))
_SORTS = {"name": "Track", "party": "From", "kind": "Moves", "age": "Age"}


class _Asked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which tracks: words of their names, a party, where they move, heard of within so many minutes; in which order."""

    q: str = ""
    party: str = ""
    kind: Literal["", "sea", "land", "air", "space", "unknown"] = ""
    age: Literal["", "1", "10", "60", "1440"] = ""
    sort: Literal["name", "party", "kind", "age"] = "age"
    at: Annotated[int, msgspec.Meta(ge=0, le=10_000)] = 0


class _Nothing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Nothing is asked."""


def _picture(ctx: Context, asked: _Asked) -> Shown:
    found, now = rows(ctx)
    fitting = sorted((row for row in found.values() if _fits(row, asked, now)), key=lambda row: _order(row, asked.sort))
    lines = [{**row, "age": _age(row, now)} for row in fitting[asked.at : asked.at + _ROWS]]
    values = {
        "rows": lines,
        "total": len(found),
        "fitting": len(fitting),
        "asked": asked,
        "after": asked.at + _ROWS if asked.at + _ROWS < len(fitting) else None,
        "before": max(0, asked.at - _ROWS) if asked.at else None,
        "parties": sorted(set(ctx.parties().values())),
        "kinds": KINDS,
        "ages": _AGES,
        "sorts": _SORTS,
        "now": now,
    }
    return Shown(values, labels_of(lines))


def _fits(row: Row, asked: _Asked, now: int) -> bool:
    said = f"{row['name']} {row['words']} {row['id']} {row['node']} {row['party']}".lower()
    return (
        all(word in said for word in asked.q.lower().split())
        and asked.party in ("", row["party"])
        and asked.kind in ("", row["kind"])
        and (not asked.age or (row["at"] is not None and now - row["at"] <= int(asked.age) * _MINUTE_MS))
    )


def _order(row: Row, sort: str) -> tuple[str | float, ...]:
    if sort == "age":
        return (-(row["at"] or 0), row["name"])
    return (row[sort], row["name"], row["key"])


def _age(row: Mapping[str, int | None], now: int) -> str:
    if row["at"] is None:
        return ""
    seconds = max(0, now - row["at"]) // 1000
    return next((f"{seconds // size} {unit}" for size, unit in _UNITS if seconds >= size), f"{seconds} s")


_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"))
PAGES = (
    Page("GET", "/picture", "Picture", _Asked, _picture, "picture.html", workers=True),
    Page("FEED", "/picture/feed", "", _Nothing, feed),
    Page("GET", "/picture/{node}/{id}", "Track", Named, detail, "picture_track.html"),
    Page("FEED", "/picture/{node}/{id}/feed", "", Named, follow),
)
