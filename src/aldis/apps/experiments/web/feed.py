"""What an open picture is told: first every row, then what of each has changed, and which have gone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from aldis.app import Context, Shown
from aldis.apps.experiments.web.rows import FRESH_MS, Row, ahead, key_text, labels_of, moved, rolling, row_of, stays
from aldis.apps.experiments.web.sights import Changed, Key, Sight, Sights
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
    return _Feed().look


class _Feed:
    """What one open page has been told: of each track its row, and the sight that it was last made of as a whole."""

    def __init__(self) -> None:
        self._sights = Sights()
        self._shown: dict[Key, tuple[Row, Sight]] = {}
        self._reckoned_at = 0
        self._began = False

    def look(self, ctx: Context) -> Shown | None:
        """What is new; None for nothing."""
        now, parties, roll_up = ctx.now(), ctx.parties(), rolling(ctx)
        changed = self._changed(ctx, now)
        sent, gone = list[Row](), list[str]()
        for key in sorted(changed):
            known = self._shown.get(key)
            moving = self._moved(key, known, changed[key], now) if known is not None else None
            if known is not None and moving is not None:
                news, sight = moving, known[1]
            else:
                found = self._sights.get(key)
                if found is None:
                    if self._shown.pop(key, None) is not None:
                        gone.append(key_text(key))
                    continue
                news, sight = {**row_of(found, parties, roll_up), "ahead": ahead(found, now)}, found
            before = known[0] if known is not None else {}
            news = {name: value for name, value in news.items() if name not in before or value != before[name]}
            self._shown[key] = ({**before, **news} if news else before, sight)
            if news:
                sent.append({**news, "key": key_text(key)})
        if self._began and not sent and not gone:
            return None
        labels = labels_of(row for row, _ in self._shown.values())
        told: dict[str, Any] = {"at": now, "tracks": [_numbered(one, labels) for one in sent], "gone": gone}
        if not self._began:
            self._began = True
            told["all"] = True
        return Shown(told, labels)

    def _changed(self, ctx: Context, now: int) -> Changed:
        """What changed, and once a second what grows old."""
        changed = self._sights.look(ctx)
        if not 0 <= now - self._reckoned_at < _RECKON_MS:
            self._reckoned_at = now
            for key, (row, _) in self._shown.items():
                if row["ahead"] or _stale(row, now):
                    changed.setdefault(key, set())
        return changed

    def _moved(self, key: Key, known: tuple[Row, Sight], some: set[str] | None, now: int) -> Row | None:
        """What of its row is else, where it only moved or grew older; None where more may be."""
        part, (before, sight) = partial(self._sights.part, key), known
        if some is None or not stays(some, part, sight):
            return None
        news = moved(part("position"), part("motion"))
        if before["ahead"] or _stale(news, now):
            full = self._sights.get(key)
            news["ahead"] = ahead(full, now) if full is not None else None
        return news


def _stale(row: Mapping[str, Any], now: int) -> bool:
    return row["at"] is not None and now - row["at"] > FRESH_MS


def _numbered(row: Row, labels: list[Label]) -> Row:
    """The row with its labels as places among those of the event."""
    if "labels" not in row:
        return row
    return {**row, "labels": [labels.index(label) for label in row["labels"]]}
