"""What an open picture is told: first every row, then what of each has changed, and which have gone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from aldis.app import Context, Shown
from aldis.apps.experiments.web.rows import FRESH_MS, Row, ahead, key_text, labels_of, moved, rolling, row_of, stays
from aldis.apps.experiments.web.sights import Key, Sight, Sights
from aldis.kernel.labels import Label

__all__ = ["feed", "rows"]

_RECKON_MS = 1_000


def rows(ctx: Context) -> tuple[dict[Key, Row], int]:
    """Every row as it is now, and when that is."""
    sights, parties, roll_up = Sights(), ctx.parties(), rolling(ctx)
    found: dict[Key, Row] = {}
    for key in sights.look(ctx):
        sight = sights.get(key)
        if sight is not None:
            found[key] = {**row_of(sight, parties, roll_up), "ahead": ahead(sight, ctx.now())}
    return found, ctx.now()


def feed(_ctx: Context, _asked: Any) -> Callable[[Context], Shown | None]:
    """One stream of changes. Each event: `at` ms, `tracks` (rows, of known ones just what changed), `gone` (keys).

    The first has `all`: what was shown before is void. The banner is that of everything that is then shown.
    """
    sights, shown, reckoned_at, began = Sights(), dict[Key, tuple[Row, Sight]](), 0, False

    def look(ctx: Context) -> Shown | None:
        nonlocal reckoned_at, began
        now, parties, roll_up = ctx.now(), ctx.parties(), rolling(ctx)
        changed = sights.look(ctx)
        if not 0 <= now - reckoned_at < _RECKON_MS:
            reckoned_at = now
            changed |= {key for key, (row, _) in shown.items() if row["ahead"] or _stale(row, now)}
        sent, gone = list[Row](), list[str]()
        for key in sorted(changed):
            sight, known = sights.get(key), shown.get(key)
            if sight is None:
                if known is not None:
                    del shown[key]
                    gone.append(key_text(key))
                continue
            if known is None:
                news = row = {**row_of(sight, parties, roll_up), "ahead": ahead(sight, now)}
            else:
                before = known[0]
                some = moved(sight) if stays(sight, known[1]) else row_of(sight, parties, roll_up)
                some["ahead"] = ahead(sight, now)
                news = {name: one for name, one in some.items() if one != before[name]}
                row = {**before, **news} if news else before
            shown[key] = (row, sight)
            if news:
                sent.append({**news, "key": row["key"]})
        if began and not sent and not gone:
            return None
        labels = labels_of(row for row, _ in shown.values())
        told: dict[str, Any] = {"at": now, "tracks": [_numbered(one, labels) for one in sent], "gone": gone}
        if not began:
            began = True
            told["all"] = True
        return Shown(told, labels)

    return look


def _stale(row: Mapping[str, Any], now: int) -> bool:
    return row["at"] is not None and now - row["at"] > FRESH_MS


def _numbered(row: Row, labels: list[Label]) -> Row:
    """The row with its labels as places among those of the event."""
    if "labels" not in row:
        return row
    return {**row, "labels": [labels.index(label) for label in row["labels"]]}
