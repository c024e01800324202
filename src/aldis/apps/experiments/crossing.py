"""What leaves for partner nodes in live frames and what comes from them, put together thing by thing for the tape."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from aldis.app import Context, Crossed, Live
from aldis.apps.experiments.entity import Entity
from aldis.apps.experiments.kinds import KINDS, TRACK, entity_of
from aldis.apps.experiments.tape import Tape
from aldis.kernel.errors import InvalidInput, TooLarge
from aldis.kernel.labels import Label

__all__ = ["Crossing", "things"]

_BREATH = 64
_MOST = 500_000
"""Values that may wait for the tape; a node that is further behind cannot say that it records what crosses."""
_OWN = frozenset(kind.name for kind in KINDS)


class Crossing:
    """Follows a node's frames for as long as it is recorded. They go onto the tape in their order, none left out."""

    def __init__(self, context: Context, tape: Tape) -> None:
        self._tape = tape
        self._waiting: deque[Crossed] = deque()
        self._values = 0
        self._news = asyncio.Event()
        self._putting = self._put()
        self._leave = context.follow_frames(self._told) if tape.runs else lambda: None

    async def run(self) -> None:
        """Put frames onto the tape as they come, with a breath now and then."""
        while self._tape.runs:
            await self._news.wait()
            self._news.clear()
            self._putting = self._put()
            for count, _ in enumerate(self._putting, 1):
                if count % _BREATH == 0:
                    await asyncio.sleep(0)

    def close(self) -> None:
        """Follow no more, and put what still waits onto the tape."""
        self._leave()
        for putting in (self._putting, self._put()):
            for _ in putting:
                pass

    def _told(self, crossed: Crossed) -> None:
        if self._tape.runs:
            self._waiting.append(crossed)
            self._values += len(crossed.values)
            self._news.set()
        if self._values > _MOST:
            self._tape.stop(TooLarge(f"{self._values} values wait to be recorded", fix="Record at a faster machine"))

    def _put(self) -> Iterator[None]:
        """Put what waits onto the tape, thing by thing."""
        while self._waiting:
            one = self._waiting.popleft()
            self._values -= len(one.values)
            for entity, labels in things(one.values):
                self._tape.crossed(one.node, labels, entity, one.at, left=one.left, frame=one.frame)
                yield


def things(values: Iterable[Live]) -> Iterator[tuple[Entity | Mapping[str, Any], Sequence[Label]]]:
    """What live values add up to, thing by thing, under their records' ids, and the labels of what is in each.

    A track is given by its groups as they crossed, for a great many may in one frame. That of which too little is there
    to say what it is, as of an area without its shape, is left out.
    """
    parts: dict[tuple[str, str, str], list[Live]] = {}
    for live in values:
        update = live.update
        if update.kind in _OWN:
            slot = (live.source, update.kind, update.id)
            some = parts.get(slot)
            if some is None:
                parts[slot] = [live]
            else:
                some.append(live)
    for (_, kind, record), some in parts.items():
        groups = {live.update.portion: live.update.value for live in some}
        labels = [live.label for live in some]
        if kind == TRACK.name:
            yield {"key": record, **groups}, labels
            continue
        try:
            entity = entity_of(kind, record, groups)
        except InvalidInput:
            continue
        yield entity, labels
