"""The text of an event written at once: what a plan does where every value is as most are."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from operator import le
from typing import Any

from aldis.apps.experiments.gateways.cot.quick import picker
from aldis.apps.experiments.gateways.cot.rendering import shown, template
from aldis.apps.experiments.gateways.cot.times import date_text
from aldis.apps.experiments.gateways.cot.values import (
    GIVEN,
    MAX_TEXT,
    Native,
    Unsaid,
    give_flag,
    give_percent,
    give_text,
    give_time,
)

__all__ = ["Plainly"]

_Source = tuple[str, str, Callable[[Any], Native]]


class Plainly:
    """Writes events of `names`, whose values come from `sources`: a group, a field and how to give it, or a constant.

    `said` is a track of the same fields in the same order as all that will be written, and `constants` are by name.
    """

    def __init__(
        self,
        names: Sequence[str],
        sources: Sequence[_Source],
        said: Mapping[str, Mapping[str, Any]],
        constants: Mapping[str, Native],
    ) -> None:
        flat = {(group, name): place for place, (group, name) in enumerate((g, n) for g, f in said.items() for n in f)}
        text, order = template(names)
        first, *others = text.split("%s")
        slots = []
        for index, piece in zip(order, others, strict=True):
            group, name, _ = sources[index]
            if group:
                slots.append(flat[group, name])
            first += ("%s" if group else shown(constants[name])) + piece
        self._text = first
        self._order = picker(slots)
        gives = [(flat[group, name], give) for group, name, give in sources if group]
        self._texts = picker([place for place, give in gives if give is give_text])
        numbers = [(place, GIVEN[give]) for place, give in gives if give in GIVEN]
        self._numbers = picker([place for place, _ in numbers])
        self._lows = [low for _, (low, _) in numbers]
        self._highs = [high for _, (_, high) in numbers]
        self._times = [place for place, give in gives if give is give_time]
        self._percents = [place for place, give in gives if give is give_percent]
        self._flags = [place for place, give in gives if give is give_flag]
        self._tags, self._quotes = first.count("<"), first.count('"')

    def text(self, said: Mapping[str, Mapping[str, Any]]) -> str | None:
        """The event of these values; None where one needs a closer look."""
        flat: list[Any] = list(chain.from_iterable(map(dict.values, said.values())))  # type: ignore[arg-type]
        numbers = self._numbers(flat)
        try:
            if not (all(map(le, self._lows, numbers)) and all(map(le, numbers, self._highs))):
                return None
            joined = "".join(self._texts(flat))
            for place in self._times:
                flat[place] = date_text(flat[place])
            for place in self._percents:
                flat[place] = give_percent(flat[place])
        except (TypeError, Unsaid):
            return None
        for place in self._flags:
            flat[place] = shown(flat[place])
        if not joined.isprintable() or len(joined) > MAX_TEXT:
            return None
        text = self._text % self._order(flat)
        fits = text.count("<") == self._tags and text.count('"') == self._quotes
        return text if fits and "&" not in text and '=""' not in text and ">" not in joined else None
