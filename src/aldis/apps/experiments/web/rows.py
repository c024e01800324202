"""One row of a picture: what the map, the table and the search need of a track, and no more."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from aldis.app import Context
from aldis.apps.experiments.entity import Track, Type
from aldis.apps.experiments.entity.affiliations import affiliation_of, sidc_letter
from aldis.apps.experiments.entity.reckoning import reckoned
from aldis.apps.experiments.entity.schemes import complete, moves
from aldis.apps.experiments.web.sights import Key, Part, Sight
from aldis.kernel.errors import NeedsPerson
from aldis.kernel.labels import Label

__all__ = [
    "FRESH_MS",
    "Row",
    "ahead",
    "key_text",
    "labels_of",
    "moved",
    "names",
    "rolling",
    "row_of",
    "stays",
    "symbol",
]

RollUp = Callable[[Iterable[Label]], tuple[Label, ...]]
Row = dict[str, Any]
"""`key` node/id, `node`, `party`, `id`, `name`, `words` for the search, `kind`, `side`, `sidc`, `lat`, `lon`, `at` ms
of the position, `grid` m, `speed` m/s, `course` degrees, `doubts`, `labels`; `ahead` [lat, lon, radius m] where it is
reckoned on by now. What is not known is None."""
FRESH_MS = 2_000
"""A position that is no older stands for where it is."""
_SIDC = re.compile(r"\d{20}|\d{30}|[A-Z][A-Z*-][A-Z][A-Z*-][A-Z0-9*-]{6}[A-Z0-9*-]{0,5}")
_DIMENSIONS = {"sea": "S", "land": "G", "air": "A", "space": "P"}
_MOVING = frozenset({"position", "motion", "sensor", "timing", "status", "voyage"})
_PLACES = 5  # of a degree: about a metre


def key_text(key: Key) -> str:
    """A key as one word: no node's name holds a slash."""
    return f"{key[0]}/{key[1]}"


def row_of(sight: Sight, parties: Mapping[str, str], roll_up: RollUp) -> Row:
    """The row of a track; its marking is that of everything that may be seen of it, not of the row alone."""
    track, (node, record) = sight.track, sight.key
    said = list(names(track))
    number = track.identity.mmsi if track.identity else None
    kind = moves(track.type, number) or "unknown"
    return {
        "key": key_text(sight.key),
        "node": node,
        "party": parties.get(node, ""),
        "id": record,
        "name": said[0] if said else "",
        "words": " ".join(said[1:]),
        "kind": kind,
        "side": _side(track) or "",
        "sidc": symbol(track, kind),
        "doubts": list(_doubts(track)),
        "labels": roll_up(sight.labels),
        **moved(sight),
    }


def moved(sight: Sight) -> Row:
    """What of its row is else whenever it moves."""
    held = sight.parts
    place, motion = (part.value if (part := held.get(name)) else None for name in ("position", "motion"))
    return {
        "lat": round(place.lat_deg, _PLACES) if place else None,
        "lon": round(place.lon_deg, _PLACES) if place else None,
        "at": place.at if place else None,
        "grid": place.grid_m if place else None,
        "speed": round(motion.speed_mps, 2) if motion and motion.speed_mps is not None else None,
        "course": round(motion.course_deg, 1) if motion and motion.course_deg is not None else None,
    }


def stays(sight: Sight, before: Sight) -> bool:
    """Whether nothing but what `moved` tells has changed since, in what is said of it and how that is marked."""
    one, other = sight.parts, before.parts
    if one.keys() != other.keys() or sight.header != before.header:
        return False
    for name, part in one.items():
        was = other[name]
        if part is was:
            continue
        if name not in _MOVING or part.label != was.label or _doubted(name, part) != _doubted(name, was):
            return False
    return True


def _doubted(name: str, part: Part) -> object:
    return part.value.doubts if name == "sensor" else part.value.suspect if name == "position" else None


def ahead(sight: Sight, now: int) -> list[float] | None:
    """Where it is by dead reckoning, and the radius that holds it in 95 of 100 cases; None for what is not reckoned."""
    place = sight.parts.get("position")
    if place is None or place.value.at is None or now - place.value.at <= FRESH_MS:
        return None
    found = reckoned(sight.track, now)
    if found is None or found.track.position is None:
        return None
    by_now = found.track.position
    return [round(by_now.lat_deg, _PLACES), round(by_now.lon_deg, _PLACES), round(found.radius_m)]


def names(track: Track) -> Iterator[str]:
    """What it is called, the word that people know first."""
    who = track.identity
    if who is not None:
        for one in (who.name, who.callsign, who.mmsi, who.imo, who.cot_uid, who.dis_id, who.mavlink_id, who.native_id):
            if one:
                yield str(one)


def symbol(track: Track, kind: str) -> str:
    """The code of its symbol (MIL-STD-2525, APP-6): as it was said, as it follows, or just where it moves."""
    number = track.identity.mmsi if track.identity else None
    said = complete(track.type or Type(), number)
    follow = {one.scheme: one.code for one in said.mapped or ()}
    codes = (said.sidc, follow.get("sidc_digits"), follow.get("sidc"))
    for code in codes:
        if code and _SIDC.fullmatch(code):
            return code
    letter = sidc_letter(_side(track))
    return f"S{letter}{_DIMENSIONS.get(kind, 'Z')}P-----------"


def rolling(ctx: Context) -> RollUp:
    """What rolls labels up into one; of what no equivalence maps, each stays."""
    known: dict[tuple[Label, ...], tuple[Label, ...]] = {}

    def roll_up(labels: Iterable[Label]) -> tuple[Label, ...]:
        given = tuple(dict.fromkeys(labels))
        if given not in known:
            try:
                known[given] = (ctx.banner(given),)
            except NeedsPerson:
                known[given] = given
        return known[given]

    return roll_up


def labels_of(rows: Iterable[Row]) -> list[Label]:
    """Every label of these rows, once, in an order that stays."""
    return sorted({label for row in rows for label in row["labels"]}, key=lambda one: (one.policy, repr(one)))


def _side(track: Track) -> str | None:
    said = track.type
    return (said.affiliation or affiliation_of(said.cot, said.sidc)) if said else None


def _doubts(track: Track) -> Iterator[str]:
    if track.position is not None and track.position.suspect:
        yield "a jump that nothing makes"
    if track.sensor is not None:
        yield from track.sensor.doubts or ()
