"""What speaks against a track's being one thing that says the truth: two places, two stories, a name of another.

A doubt is noted, never acted on: which of two is the right one is for a person to say. Nothing here grows without
bound, whatever is sent: a few places and voices for each track, one claim for each of its names.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from operator import attrgetter

from aldis.apps.experiments.entity import Identity, Position, Track, Type
from aldis.apps.experiments.entity.geodesy import distance_m

__all__ = ["WRONG_CLOCK", "Doubts"]

WRONG_CLOCK = "its clock is wrong"
TWO_PLACES = "reported from two places at once"
_NAMES = ("mmsi", "imo", "name", "callsign", "dis_id", "mavlink_id", "cot_uid", "umaa_id")
_names: Callable[[Identity], tuple[str | int | None, ...]] = attrgetter(*_NAMES)
_SLACK_M = 1_000.0  # receive times of stations differ by seconds, positions by hundreds of metres
_PEERS_SLACK_M = 200.0
_DEGREE_M = 111_320.0  # of a great circle, at most: `distance_m` takes a sphere that is smaller
_PEERS_MS = 10_000  # within this, two peers that report one thing mean the same moment
_TOGETHER_MS = 180_000  # the longest that anything is silent between two reports (AIS, ITU-R M.1371-5, table 1)
_LASTS_MS = 600_000
_FEW = 4
_FASTEST_MPS = {"sea": 60.0, "land": 100.0, "air": 350.0, "space": 12_000.0}


_Names = tuple[str | int | None, ...]
_Claim = tuple[str, str | int]


@dataclass(slots=True)
class _Place:
    """Where reports that fit together put it; `began` is when it was first put there."""

    lat_deg: float
    lon_deg: float
    at: int
    began: int
    reporter: str
    reports: int = 1


@dataclass(slots=True)
class _Watched:
    places: list[_Place] = field(default_factory=list)
    voices: dict[str, tuple[_Names, int, _Names]] = field(default_factory=dict)
    """By reporter: the names that it gave, when, and those of its last report."""
    claims: _Names = ()
    claimed: tuple[_Claim, ...] = ()
    identity: Identity | None = None
    noted: dict[str, int] = field(default_factory=dict)
    type: Type | None = None
    fastest: float = 0


class Doubts:
    """Watches the tracks of one picture. `domain` says where a track moves: sea, land, air or space."""

    def __init__(self, domain: Callable[[Track], str]) -> None:
        self._domain = domain
        self._watched: dict[str, _Watched] = {}
        self._claims: dict[_Claim, dict[str, None]] = {}

    def forget(self, key: str) -> None:
        """Let go of all that is kept of a track."""
        watched = self._watched.pop(key, None)
        for claim in watched.claimed if watched else ():
            self._withdraw(key, claim)

    def note(self, key: str, doubt: str, at: int) -> None:
        """Hold a doubt for ten minutes from `at` (ms)."""
        self._of(key).noted[doubt] = at

    def place(self, track: Track, position: Position, at: int, reporter: str) -> bool:
        """Take in where it was reported at `at` (ms) by `reporter`; whether that is further than such a thing moves."""
        watched = self._of(track.key)
        if not watched.fastest:
            watched.type, watched.fastest = track.type, _FASTEST_MPS[self._domain(track)]
        places = watched.places
        jumped = False
        for index in range(len(places) - 1, -1, -1):
            if _fits(places[index], position, at, reporter, watched.fastest):
                found = places.pop(index)
                found.lat_deg, found.lon_deg, found.at = position.lat_deg, position.lon_deg, at
                found.reporter, found.reports = reporter, found.reports + 1
                break
            if places[index] is places[-1]:
                jumped = not _fits(places[-1], position, at, reporter, watched.fastest, alike=True)
        else:
            found = _Place(position.lat_deg, position.lon_deg, at, at, reporter)
        places.append(found)
        del places[:-_FEW]
        if len(places) > 1 and any(_beside(found, other) for other in places[:-1]):
            watched.noted[TWO_PLACES] = at
        return jumped

    def hear(self, key: str, identity: Identity, at: int, reporter: str) -> None:
        """Take in who `reporter` says it is, and compare that with what others said of it lately."""
        watched = self._of(key)
        voices, said = watched.voices, _names(identity)
        before, words = voices.pop(reporter, None), said
        for other, then, _ in voices.values():
            if other != said and abs(at - then) <= _TOGETHER_MS:
                for name, here, there in zip(_NAMES, said, other, strict=True):
                    if here is not None and there is not None and here != there:
                        watched.noted[f"two sources differ on its {name}"] = at
        if before is not None and before[2] == words:
            said = before[0]
        elif before is not None and before[0] != said:
            said = tuple(old if new is None else new for old, new in zip(before[0], said, strict=True))
        voices[reporter] = (said, at, words)
        if len(voices) > _FEW:
            del voices[next(iter(voices))]

    def of(self, track: Track, at: int) -> list[str] | None:
        """The doubts about a track as it is known at `at` (ms); None where there are none."""
        watched = self._of(track.key)
        if track.type is not watched.type or watched.fastest == 0:
            watched.type, watched.fastest = track.type, _FASTEST_MPS[self._domain(track)]
        if track.identity is not watched.identity and track.identity is not None:
            watched.identity = track.identity
            if (claims := _names(track.identity)) != watched.claims:
                self._claim(track.key, watched, claims)
        if watched.noted:
            for doubt in [doubt for doubt, then in watched.noted.items() if abs(at - then) > _LASTS_MS]:
                del watched.noted[doubt]
        disputed = self._disputed(track.key, watched)
        return sorted({*watched.noted, *disputed}) if watched.noted or disputed else None

    def _of(self, key: str) -> _Watched:
        found = self._watched.get(key)
        if found is None:
            found = self._watched[key] = _Watched()
        return found

    def _claim(self, key: str, watched: _Watched, names: _Names) -> None:
        watched.claimed, before = _claims(names), set(watched.claimed)
        now = set(watched.claimed)
        for claim in before - now:
            self._withdraw(key, claim)
        for claim in now - before:
            self._claims.setdefault(claim, {})[key] = None
        watched.claims = names

    def _withdraw(self, key: str, claim: _Claim) -> None:
        claimants = self._claims.get(claim)
        if claimants is not None:
            claimants.pop(key, None)
            if not claimants:
                del self._claims[claim]

    def _disputed(self, key: str, watched: _Watched) -> list[str]:
        """The names that tracks elsewhere have too; one thing heard in two protocols is in one place."""
        found = []
        for claim in watched.claimed:
            claimants = self._claims[claim]
            if len(claimants) > 1 and any(
                self._apart(watched, self._watched[other]) for other in _some(claimants) if other != key
            ):
                found.append(f"another track has the same {claim[0]}")
        return found

    @staticmethod
    def _apart(one: _Watched, other: _Watched) -> bool:
        if not one.places or not other.places:
            return True
        here, there = one.places[-1], other.places[-1]
        reach = max(one.fastest, other.fastest) * abs(here.at - there.at) / 1000 + _SLACK_M
        return distance_m(here.lat_deg, here.lon_deg, there.lat_deg, there.lon_deg) > reach


def _claims(names: _Names) -> tuple[_Claim, ...]:
    """The names that there are, each with its scheme."""
    return tuple([(name, value) for name, value in zip(_NAMES, names, strict=True) if value is not None])


def _some(claimants: dict[str, None]) -> list[str]:
    """The last few: of a flood under one name, more tell no more."""
    return list(claimants)[-_FEW:]


def _fits(place: _Place, position: Position, at: int, reporter: str, fastest: float, *, alike: bool = False) -> bool:
    """Whether what was there may be here now; of two peers at one moment less is forgiven, unless taken `alike`."""
    passed = abs(at - place.at)
    strict = reporter != place.reporter and passed <= _PEERS_MS and not alike
    reach = fastest * passed / 1000 + (_PEERS_SLACK_M if strict else _SLACK_M)
    degrees = abs(position.lat_deg - place.lat_deg) + abs(position.lon_deg - place.lon_deg)
    if degrees * _DEGREE_M < reach:  # it is no further than along both in turn
        return True
    return distance_m(place.lat_deg, place.lon_deg, position.lat_deg, position.lon_deg) <= reach


def _beside(found: _Place, other: _Place) -> bool:
    """Whether it was reported at both in turn, more than once each, and lately."""
    turns = found.reports > 1 and other.reports > 1 and other.at > found.began
    return turns and abs(found.at - other.at) <= _TOGETHER_MS
