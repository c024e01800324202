"""The values of an event taken all at once: what a plan does where every value is of its kind and known."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from operator import attrgetter, itemgetter, le
from typing import Any

import msgspec

from aldis.apps.experiments.entity import Track
from aldis.apps.experiments.gateways.cot.event import Event
from aldis.apps.experiments.gateways.cot.rows import AFFILIATIONS
from aldis.apps.experiments.gateways.cot.times import micros
from aldis.apps.experiments.gateways.cot.values import (
    BOUNDS,
    GIVEN,
    MAX_TEXT,
    Native,
    Unsaid,
    give_flag,
    give_percent,
    give_text,
    height,
    percent,
    positive,
)

__all__ = ["Given", "Quick", "climb", "picker"]

_Row = tuple[str, Callable[[Any], Any] | None, int]


class Quick:
    """Reads a track at once: the values go into a text of JSON, of which the model makes the track.

    `rows` are a group's fields, each with how to take it and which of the `width` values it is. JSON is as strict with
    numbers as is wanted here, and the model checks its own limits; whatever is not as usual is left to a closer look.
    """

    def __init__(self, protocol: str, rows: Mapping[str, Sequence[_Row]], width: int) -> None:
        self._rows = rows
        self._protocol = protocol
        said = {(group, name): (take, index) for group, fields in rows.items() for name, take, index in fields}
        count = width
        self._times = [(name, index) for (group, name), (_, index) in said.items() if group == "timing"]
        self._stamps = picker([index for _, index in self._times])
        self._source = next((n for n, (name, _) in enumerate(self._times) if name == "source_us"), None)
        self._type = said["type", "cot"][1]
        self._slope = said.get(("motion", "climb_mps"), (None, None))[1]
        self._speed = said.get(("motion", "speed_mps"), (None, None))[1]
        at, received_ms, received_us, affiliation, climbing = (f"={count + n}" for n in range(5))
        slots: dict[str, dict[str, str]] = {group: {"at": at} for group in rows if group in _DATED}
        slots |= {"sensor": {"protocol": f'"{protocol}"', "received_ms": received_ms}}
        slots |= {"timing": {"received_us": received_us}, "type": {"affiliation": affiliation}}
        for (group, name), (take, index) in said.items():
            slots.setdefault(group, {})[name] = f'"={index}"' if take is None else f"={index}"
        for place, (name, _) in enumerate(self._times):
            slots["timing"][name] = f"={count + 5 + place}"
        if self._slope is not None:
            slots["motion"]["climb_mps"] = climbing
        groups = [f'"{group}":{{' + ",".join(f'"{n}":{s}' for n, s in f.items()) + "}" for group, f in slots.items()]
        pieces = _SLOT.split(f'{{"key":"cot:={said["identity", "cot_uid"][1]}",{",".join(groups)}}}')
        self._pieces = pieces
        self._pick = picker([int(place) for place in pieces[1::2]])
        self._texts = picker([index for take, index in said.values() if take is None])
        self._numbers = picker([index for take, index in said.values() if take is not None and take is not micros])
        bounded = [(f"{group}.{name}", BOUNDS[take]) for (group, name), (take, _) in said.items() if take in _BOUNDED]
        self._bounded = attrgetter("position.lat_deg", "position.lon_deg", *[path for path, _ in bounded])
        self._lows = [-90.0, -180.0, *[low for _, (low, _) in bounded]]
        self._highs = [90.0, 180.0, *[high for _, (_, high) in bounded]]

    def moved(self, slots: Sequence[int], width: int) -> Quick:
        """The same, of `width` values, those that are read in these places."""
        rows = {
            group: [(name, take, slots[index]) for name, take, index in fields] for group, fields in self._rows.items()
        }
        return Quick(self._protocol, rows, width)

    def track(self, event: Event, at_us: int) -> Track | None:
        """The track that `event` says; None where a value needs a closer look."""
        values = event.values
        if event.native and str in map(type, self._numbers(values)):
            return None
        if not event.plain:
            joined = "".join(map(str, self._texts(values) if event.native else values))
            if not joined.isprintable() or '"' in joined or "\\" in joined:
                return None
        return self.plain_track(values, at_us, native=event.native)

    def plain_track(self, values: Sequence[Native], at_us: int, *, native: bool = False) -> Track | None:
        """As `track`, of values that are printable, and have no quotation mark and no backslash."""
        try:
            if "" in values or (not native and "n" in "".join(self._numbers(values))):
                return None  # not known; nan, infinity, null
            times = [*map(_us if native else micros, self._stamps(values))]
            source = at_us if self._source is None else times[self._source]
            climbing = "" if self._slope is None else str(self._climbing(values))
            kind = str(values[self._type])
            affiliation = _AFFILIATED[kind[2:4]]
            more = [str(source // 1000), str(at_us // 1000), str(at_us), affiliation, climbing, *map(str, times)]
            pieces = self._pieces[:]
            said = self._pick([*values, *more])
            pieces[1::2] = map(str, said) if native else said
            track = _decode("".join(pieces))
        except (ValueError, TypeError, KeyError, msgspec.DecodeError):
            return None
        numbers = self._bounded(track)
        if all(map(le, self._lows, numbers)) and all(map(le, numbers, self._highs)) and _somewhere(track):
            return track
        return None

    def _climbing(self, values: Sequence[Native]) -> float:
        assert self._slope is not None
        motion = {"climb_mps": float(values[self._slope])}
        if self._speed is not None:
            motion["speed_mps"] = float(values[self._speed])
        climb(motion)
        return motion["climb_mps"]


def _us(said: Native) -> int:
    return micros(said if isinstance(said, str) else int(said))


_decode = msgspec.json.Decoder(Track).decode
_SLOT = re.compile(r"=(\d+)")
_DATED = frozenset({"position", "motion", "identity", "status"})
_BOUNDED = frozenset({height, positive, percent})
_WORDS = {**{letter: f'"{word}"' for letter, word in AFFILIATIONS.items()}, "o": "null"}
_AFFILIATED = {f"{letter}{after}": word for letter, word in _WORDS.items() for after in ("-", "")}


def _somewhere(track: Track) -> bool:
    place = track.position
    return place is not None and bool(place.lat_deg or place.lon_deg)


class Given:
    """Gives the values that an event is to have, each from a group's field, and how to give it."""

    def __init__(self, sources: Sequence[tuple[str, str, Callable[[Any], Native]]]) -> None:
        groups: dict[str, list[int]] = {}
        for place, (group, _, _) in enumerate(sources):
            groups.setdefault(group, []).append(place)
        self._groups = [(group, _getter([sources[place][1] for place in places])) for group, places in groups.items()]
        flat = [place for places in groups.values() for place in places]
        self._order = picker([flat.index(place) for place in range(len(sources))])
        gives = [give for _, _, give in sources]
        self._texts = picker([place for place, give in enumerate(gives) if give is give_text])
        numbers = [place for place, give in enumerate(gives) if give in GIVEN]
        self._numbers = picker(numbers)
        self._lows = [GIVEN[gives[place]][0] for place in numbers]
        self._highs = [GIVEN[gives[place]][1] for place in numbers]
        self._others = [(place, give) for place, give in enumerate(gives) if give in (give_percent, give_flag)]

    def values(self, said: Mapping[str, Mapping[str, Any]]) -> list[Native] | None:
        """The values in order; None where one needs a closer look."""
        flat: list[Any] = []
        for group, get in self._groups:
            flat += get(said[group])
        values = list(self._order(flat))
        texts = self._texts(values)
        numbers = self._numbers(values)
        try:
            joined = "".join(texts)
            fits = all(map(le, self._lows, numbers)) and all(map(le, numbers, self._highs))
            for place, give in self._others:
                values[place] = give(values[place])
        except (TypeError, Unsaid):
            return None
        plain = fits and joined.isprintable() and len(joined) <= MAX_TEXT and "" not in texts
        return values if plain and not ("&" in joined or "<" in joined or '"' in joined or ">" in joined) else None


def _getter(fields: Sequence[str]) -> Callable[[Mapping[str, Any]], tuple[Any, ...]]:
    return itemgetter(*fields) if len(fields) > 1 else lambda said: (said[fields[0]],)


def picker(places: Sequence[int]) -> Callable[[Sequence[Any]], tuple[Any, ...]]:
    """What gives the items at `places`, in one step."""
    if len(places) > 1:
        return itemgetter(*places)
    return lambda values: tuple([values[place] for place in places])


def climb(motion: dict[str, Any]) -> None:
    """In place of the slope that stands there, put the climb rate that it and the speed make.

    Raises:
        ValueError: there is none.
    """
    slope, speed = motion["climb_mps"], motion.get("speed_mps", 0.0)
    if not (speed > 0 and -89.9 <= slope <= 89.9):
        raise ValueError("a slope without a speed")
    rate = speed * math.tan(math.radians(slope))
    if not math.isfinite(rate):
        raise ValueError("no speed")
    motion["climb_mps"] = rate
