"""One track with every field that may be seen of it, each portion with its marking and whose it is."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from aldis.app import Context, Shown
from aldis.apps.experiments.entity.reckoning import reckoned
from aldis.apps.experiments.web.rows import names, rolling
from aldis.apps.experiments.web.sights import Key, Part, Sight, one
from aldis.kernel.errors import UnknownTerm

__all__ = ["Named", "detail", "follow", "shown"]

_EVERY_MS = 1_000
_LONGEST = 400
_UNITS = (
    ("deg_per_min", "°/min"), ("rad_s", "rad/s"), ("mps2", "m/s²"), ("mps", "m/s"), ("deg", "°"), ("percent", "%"),
    ("us", ""), ("ms", ""), ("m", "m"), ("v", "V"), ("a", "A"),
)  # fmt: skip
_TIMES = {"at": 1, "received_ms": 1, "source_us": 1000, "received_us": 1000, "start_us": 1000, "stale_us": 1000}
_SPREAD = re.compile(r"_(?=[a-z])")


class Named(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A track: the node that says it, and the id that it gives it."""

    node: str
    id: str


def detail(ctx: Context, asked: Named) -> Shown:
    """The page of one track.

    Raises:
        UnknownTerm: there is none, or they may not know of it.
    """
    sight = one(ctx, (asked.node, asked.id))
    if sight is None:
        raise UnknownTerm("no such track")
    return Shown({**shown(ctx, sight), "asked": asked}, list(dict.fromkeys(sight.labels)))


def follow(_ctx: Context, asked: Named) -> Callable[[Context], Shown | None]:
    """What an open panel is told, at most once a second: the track, or that there is none (any more).

    `rolled` is how the track is marked in the picture: the panel shows nothing that the page's banner does not cover.
    """
    looked = 0
    key: Key = (asked.node, asked.id)

    def look(ctx: Context) -> Shown | None:
        nonlocal looked
        now = ctx.now()
        if 0 <= now - looked < _EVERY_MS:
            return None
        looked = now
        sight = one(ctx, key)
        if sight is None:
            return Shown({"gone": True}, [])
        rolled = rolling(ctx)(sight.labels)
        labels = list(dict.fromkeys([*rolled, *sight.labels]))
        values = shown(ctx, sight)
        parts = [{**part, "label": labels.index(part["label"])} for part in values["parts"]]
        places = {"header": labels.index(sight.header), "rolled": [*range(len(rolled))]}
        return Shown({**values, **places, "parts": parts}, labels)

    return look


def shown(ctx: Context, sight: Sight) -> dict[str, Any]:
    """A track for page and panel: its name, its portions in words, and where it is by reckoning."""
    track, parties, now = sight.track, ctx.parties(), ctx.now()
    ahead = reckoned(track, now)
    by_now = ahead.track.position if ahead else None
    return {
        "name": next(names(track), "") or sight.key[1],
        "node": sight.key[0],
        "party": parties.get(sight.key[0], ""),
        "id": sight.key[1],
        "header": sight.header,
        "at": now,
        "ahead": f"{by_now.lat_deg:.5f}, {by_now.lon_deg:.5f}, within {ahead.radius_m:.0f} m in 95 of 100 cases"
        if ahead and by_now
        else "",
        "parts": [_part(name, part, parties) for name, part in sight.parts.items()],
    }


def _part(name: str, part: Part, parties: Mapping[str, str]) -> dict[str, Any]:
    return {
        "name": name,
        "label": part.label,
        "node": part.node,
        "party": parties.get(part.node, ""),
        "at": part.at,
        "live": part.live,
        "fields": [list(field) for field in _fields(part.value)],
    }


def _fields(group: Any) -> Iterator[Sequence[str]]:
    """Each field that somebody spoke of: what it is, and its value in words with its unit."""
    for field in msgspec.structs.fields(group):
        value = getattr(group, field.name)
        if value is None:
            continue
        if field.name in _TIMES:
            yield _SPREAD.sub(" ", re.sub("_[mu]s$", "", field.name)), _moment(value / _TIMES[field.name])
        else:
            unit = next(((end, sign) for end, sign in _UNITS if field.name.endswith(f"_{end}")), None)
            name = field.name.removesuffix(f"_{unit[0]}") if unit and unit[1] else field.name
            text = _words(value)
            yield name.replace("_", " "), f"{text} {unit[1]}".strip() if unit else text


def _words(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.7g}"
    if isinstance(value, list | tuple):
        text = "; ".join(_words(item) for item in value)
    elif isinstance(value, msgspec.Struct):
        said = msgspec.structs.asdict(value)
        text = ", ".join(f"{name.replace('_', ' ')} {_words(item)}" for name, item in said.items() if item is not None)
    else:
        text = str(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _moment(ms: float) -> str:
    try:
        return f"{datetime.fromtimestamp(ms / 1000, UTC):%Y-%m-%d %H:%M:%S} UTC"
    except (OverflowError, ValueError, OSError):
        return f"{ms:.0f} ms"
