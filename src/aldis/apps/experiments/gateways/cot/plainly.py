"""The text of an event written at once: what a plan does where every value is as most are."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from operator import le
from typing import Any

import msgspec

from aldis.apps.experiments.gateways.cot.quick import picker
from aldis.apps.experiments.gateways.cot.rendering import shown, template
from aldis.apps.experiments.gateways.cot.times import date_text
from aldis.apps.experiments.gateways.cot.values import (
    GIVEN,
    MAX_TEXT,
    Native,
    Unsaid,
    give_text,
    give_time,
)

__all__ = ["Plainly"]

_Source = tuple[str, str, Callable[[Any], Native]]
_encode = msgspec.json.Encoder().encode


class Plainly:
    """Writes events of `names`, whose values come from `sources`: a group, a field and how to give it, or a constant.

    `said` is a track of the same fields in the same order as all that will be written, and `constants` are by name.
    Numbers become text all together, as JSON, which writes them as Python does but for those with an exponent.
    """

    def __init__(
        self,
        names: Sequence[str],
        sources: Sequence[_Source],
        said: Mapping[str, Mapping[str, Any]],
        constants: Mapping[str, Native],
    ) -> None:
        flat = {(group, name): place for place, (group, name) in enumerate((g, n) for g, f in said.items() for n in f)}
        gives = [(flat[group, name], give) for group, name, give in sources if group]
        texts = [place for place, give in gives if give is give_text]
        times = [place for place, give in gives if give is give_time]
        numbers = [(place, GIVEN[give]) for place, give in gives if give in GIVEN and give is not give_time]
        counted = [place for place, _ in numbers]
        self._others = [(place, give) for place, give in gives if place not in {*texts, *times, *counted}]
        self._texts, self._times, self._numbers = picker(texts), picker(times), picker(counted)
        self._lows = [low for _, (low, _) in numbers]
        self._highs = [high for _, (_, high) in numbers]
        ready = [*texts, *times, *(place for place, _ in self._others), *counted]
        text, order = template(names)
        first, *others = text.split("%s")
        self._pieces, slots = [first], []
        for index, piece in zip(order, others, strict=True):
            group, name, _ = sources[index]
            if group:
                slots.append(ready.index(flat[group, name]))
                self._pieces += ("", piece)
            else:
                self._pieces[-1] += shown(constants[name]) + piece
        self._pieces = [piece.replace("%%", "%") for piece in self._pieces]
        self._order = picker(slots)

    def text(self, said: Mapping[str, Mapping[str, Any]]) -> str | None:
        """The event of these values; None where one needs a closer look."""
        flat: list[Any] = list(chain.from_iterable(map(dict.values, said.values())))  # type: ignore[arg-type]
        texts, numbers = self._texts(flat), self._numbers(flat)
        try:
            if not (all(map(le, self._lows, numbers)) and all(map(le, numbers, self._highs)) and _plain(texts)):
                return None
            dates = map(date_text, self._times(flat))
            others = [shown(give(flat[place])) for place, give in self._others]
            counted = _encode(numbers).decode()
            ready = [*texts, *dates, *others, *counted[1:-1].split(",")]
        except (TypeError, ValueError, Unsaid):
            return None
        if "e" in counted or "0.0000" in counted:
            return None
        pieces = self._pieces[:]
        pieces[1::2] = self._order(ready)
        return "".join(pieces)


def _plain(texts: Sequence[str]) -> bool:
    """Whether all stand in XML as they are."""
    joined = "".join(texts)
    special = "&" in joined or "<" in joined or '"' in joined or ">" in joined
    return joined.isprintable() and not special and "" not in texts and len(joined) <= MAX_TEXT
