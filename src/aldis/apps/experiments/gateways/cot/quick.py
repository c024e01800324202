"""The values of an event taken all at once: what a plan does where every value is of its kind and known."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter, le
from typing import Any

from aldis.apps.experiments.gateways.cot.event import Event
from aldis.apps.experiments.gateways.cot.rendering import SPECIAL
from aldis.apps.experiments.gateways.cot.values import (
    BOUNDS,
    GIVEN,
    MAX_TEXT,
    Native,
    Unsaid,
    give_flag,
    give_percent,
    give_text,
)

__all__ = ["Given", "Quick", "climb", "picker"]

_Row = tuple[str, Callable[[Any], Any] | None, int]


class Quick:
    """Takes the values of `rows`, a group's fields each with how to take it and the index of its value."""

    def __init__(self, rows: Mapping[str, Sequence[_Row]]) -> None:
        every = [(group, *row) for group, said in rows.items() for row in said]
        texts = [row for row in every if row[2] is None]
        numbers = [row for row in every if row[2] in BOUNDS]
        others = [row for row in every if row[2] is not None and row[2] not in BOUNDS]
        self._texts = picker([row[3] for row in texts])
        self._numbers = picker([row[3] for row in numbers])
        self._lows = [BOUNDS[row[2]][0] for row in numbers]
        self._highs = [BOUNDS[row[2]][1] for row in numbers]
        self._others = [(row[2], row[3]) for row in others if row[2] is not None]
        taken = [(row[0], row[1]) for row in (*texts, *numbers, *others)]
        self._groups = []
        for group in rows:
            places = [place for place, (name, _) in enumerate(taken) if name == group]
            self._groups.append((group, [taken[place][1] for place in places], picker(places)))
        self._climbs = ("motion", "climb_mps") in taken

    def groups(self, event: Event) -> dict[str, dict[str, Any]] | None:
        """The fields of each group; None where a value needs a closer look."""
        values = event.values
        texts = self._texts(values)
        said = self._numbers(values)
        try:
            if "" in texts or (not event.native and "_" in "".join(said)):
                return None
            numbers = tuple(map(float, said))
            taken = texts + numbers + tuple([take(values[index]) for take, index in self._others])
        except (ValueError, TypeError):
            return None
        if not (all(map(le, self._lows, numbers)) and all(map(le, numbers, self._highs))):
            return None
        groups: dict[str, dict[str, Any]] = {"position": {}, "timing": {}, "sensor": {}}
        for group, fields, pick in self._groups:
            groups[group] = dict(zip(fields, pick(taken), strict=True))
        if self._climbs:
            try:
                climb(groups["motion"])
            except ValueError:
                return None
        return groups


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
        self._others = [
            (place, give) for place, give in enumerate(gives) if give in (give_percent, give_flag)
        ]

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
        return values if plain and not SPECIAL.search(joined) else None


def _getter(fields: Sequence[str]) -> Callable[[Mapping[str, Any]], tuple[Any, ...]]:
    return itemgetter(*fields) if len(fields) > 1 else lambda said: (said[fields[0]],)


def picker(places: Sequence[int]) -> Callable[[Sequence[Any]], tuple[Any, ...]]:
    """What gives the items at `places`, in one step."""
    if len(places) > 1:
        return itemgetter(*places)
    return (lambda values: (values[places[0]],)) if places else (lambda values: ())


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
