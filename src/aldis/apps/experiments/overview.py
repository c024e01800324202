"""The picture as whoever asks may see it: this node's tracks and those released to it, each with where it is by now."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Annotated, Literal

import msgspec

from aldis.app import Context, Query, Route
from aldis.apps.experiments.entity import Track
from aldis.apps.experiments.entity.geodesy import distance_m
from aldis.apps.experiments.entity.reckoning import reckoned
from aldis.apps.experiments.entity.schemes import moves
from aldis.apps.experiments.kinds import TRACK, entity_of
from aldis.kernel.errors import InvalidInput, NeedsPerson
from aldis.kernel.labels import Label
from aldis.kernel.records import Record

__all__ = ["ROUTE", "Ahead", "Asked", "Near", "Overview", "Seen", "overview", "read_near"]

_PAGE, _PAGES = 200, 25
_NUMBER = re.compile(r"\s*-?\d{1,6}(?:\.\d{1,12})?\s*", re.ASCII)
Domain = Literal["sea", "land", "air", "space", "unknown"]


class Near(msgspec.Struct, frozen=True):
    """A circle around a place."""

    lat_deg: float
    lon_deg: float
    km: float


class Asked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which tracks: of a node, near a place (`LAT,LON,KM`), moving at sea, on land, in the air or in space."""

    near: str = ""
    node: str = ""
    kind: Literal["", "sea", "land", "air", "space", "unknown"] = ""
    limit: Annotated[int, msgspec.Meta(ge=1, le=200)] = 50
    cursor: str = ""


class Ahead(msgspec.Struct, frozen=True):
    """Where it is by dead reckoning, and the radius of the circle that holds it in 95 of 100 cases."""

    lat_deg: float
    lon_deg: float
    radius_m: float


class Seen(msgspec.Struct, frozen=True):
    """One track as far as whoever asks may see it; `portions` are the markings of what is there."""

    id: str
    node: str
    name: str
    kind: Domain
    portions: dict[str, str]
    doubts: list[str] = []
    lat_deg: float | None = None
    lon_deg: float | None = None
    grid_m: int | None = None
    age_s: float | None = None
    reckoned: Ahead | None = None


class Overview(msgspec.Struct, frozen=True):
    """A page of tracks, the last that arrived first; `next` is the cursor of what follows, "" where nothing does."""

    at: int
    marking: str
    tracks: list[Seen]
    next: str


def overview(ctx: Context, asked: Asked) -> Overview:
    """A page of what may be seen; one with filters may end early and still have a cursor.

    Raises:
        InvalidInput: no such circle.
    """
    near, now = read_near(asked.near), ctx.now()
    found, labels, cursor = list[Seen](), list[Label](), asked.cursor
    for _ in range(_PAGES):
        page = ctx.find(
            Query(kind=TRACK.name, originator=asked.node, limit=min(asked.limit - len(found), _PAGE), cursor=cursor)
        )
        for record in page.records:
            seen = _seen(ctx, record, now)
            if asked.kind in ("", seen.kind) and (near is None or _within(seen, near)):
                found.append(seen)
                labels += [record.label, *(portion.label for portion in record.portions)]
        cursor = page.next
        if not cursor or len(found) >= asked.limit:
            break
    return Overview(now, _roll_up(ctx, labels), found, cursor)


def read_near(text: str) -> Near | None:
    """The circle that `LAT,LON,KM` means; None for no text.

    Raises:
        InvalidInput: it means none.
    """
    if not text:
        return None
    parts = [float(part) for part in text.split(",") if _NUMBER.fullmatch(part)]
    if len(parts) != 3 or not (abs(parts[0]) <= 90 and abs(parts[1]) <= 180 and 0 < parts[2] <= 20_040):
        raise InvalidInput(f"{text[:40]!r} is no circle", fix="Write LAT,LON,KM, as in 59.9,24.5,20")
    return Near(*parts)


def _seen(ctx: Context, record: Record, now: int) -> Seen:
    portions = {portion.name: ctx.marking(portion.label, portion=True) for portion in record.portions}
    try:
        track = entity_of(TRACK.name, record.header.id, {portion.name: portion.value for portion in record.portions})
    except InvalidInput:  # what another version of this program put
        track = Track(key=record.header.id)
    if not isinstance(track, Track):  # pragma: no cover - the kind says so
        track = Track(key=record.header.id)
    place, ahead = track.position, reckoned(track, now)
    by_now = ahead.track.position if ahead else None
    number = track.identity.mmsi if track.identity else None
    return Seen(
        id=record.header.id,
        node=record.header.originator,
        name=next(_names(track), ""),
        kind=moves(track.type, number) or "unknown",  # type: ignore[arg-type]
        portions=portions,
        doubts=[*_doubts(track)],
        lat_deg=place.lat_deg if place else None,
        lon_deg=place.lon_deg if place else None,
        grid_m=place.grid_m if place else None,
        age_s=round((now - place.at) / 1000, 1) if place and place.at is not None else None,
        reckoned=Ahead(round(by_now.lat_deg, 7), round(by_now.lon_deg, 7), ahead.radius_m)
        if ahead and by_now
        else None,
    )


def _names(track: Track) -> Iterator[str]:
    """What it is called, the word that people know first."""
    who = track.identity
    if who is not None:
        for one in (who.name, who.callsign, who.mmsi, who.imo, who.cot_uid, who.dis_id, who.mavlink_id, who.native_id):
            if one:
                yield str(one)


def _doubts(track: Track) -> Iterator[str]:
    if track.position is not None and track.position.suspect:
        yield "a jump that nothing makes"
    if track.sensor is not None:
        yield from track.sensor.doubts or ()


def _within(seen: Seen, near: Near) -> bool:
    place = seen.reckoned or seen
    if place.lat_deg is None or place.lon_deg is None:
        return False
    return distance_m(place.lat_deg, place.lon_deg, near.lat_deg, near.lon_deg) <= 1000 * near.km


def _roll_up(ctx: Context, labels: Sequence[Label]) -> str:
    """The banner of all that is shown; of what nobody has mapped to this node's policy, each as it is written there."""
    try:
        return ctx.marking(ctx.banner(labels))
    except NeedsPerson:
        return "; ".join(sorted({ctx.marking(label) for label in labels}))


ROUTE = Route("GET", "/picture", "The tracks that you may see, each with where it is by now", Asked, Overview, overview)
