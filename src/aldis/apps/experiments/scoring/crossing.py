"""Whether two nations agree on what crossed between them: what left, as one recorded it, and what arrived at the other.

A frame has one name at both ends, and a thing one record, so that nothing has to be guessed and no two clocks have to
agree. Frames may be lost; one that arrived and never left may not be, nor one that changed on its way.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any

import msgspec

from aldis.apps.experiments.entity import Entity, Track
from aldis.apps.experiments.recorder.reader import Message
from aldis.apps.experiments.recorder.taps import PARTNER, read_told
from aldis.apps.experiments.scoring.score import Criteria, Score, score
from aldis.apps.experiments.scoring.streams import Report, report_of
from aldis.kernel.errors import InvalidInput

__all__ = ["Agreement", "Frame", "Odd", "Passed", "Span", "agree", "passed", "spans"]

_TOLD = 20
Frame = tuple[int, int]
"""The epoch of a stream and the number of a frame in it, which is about its time in ms; later ones are greater."""
Span = tuple[Frame, Frame]
"""The first and the last frame between which all that crossed was recorded, these included."""


class Passed(msgspec.Struct, frozen=True, gc=False):
    """One thing in one frame, as it left or as it arrived; where it is recorded, for whoever looks."""

    record: str
    frame: Frame
    entity: Entity
    topic: str = ""
    sequence: int = 0


class Odd(msgspec.Struct, frozen=True):
    """Something that cannot be: a thing in a frame, why, and where it is recorded."""

    record: str
    frame: Frame
    wrong: str
    topic: str
    sequence: int


class Agreement(msgspec.Struct, frozen=True, kw_only=True):
    """Of the things in frames: how many left and arrived; `alike`; `in_part`, where the other did not take every group.

    `lost` left and did not arrive. Of `unknown` one end has no recording. `altered` and `never_left` (the first few of
    each, with how many there are) may not be. `scores` are each end's of what both recorded, against one truth.
    """

    left: int
    arrived: int
    alike: int
    in_part: int
    lost: int
    unknown: int
    altered: int
    never_left: int
    odd: tuple[Odd, ...]
    scores: tuple[Score, Score]

    @property
    def agrees(self) -> bool:
        """Whether nothing is there that may not be, and both come to one score."""
        return not (self.altered or self.never_left) and self.scores[0].digest == self.scores[1].digest


def passed(messages: Iterable[Message]) -> Mapping[tuple[str, str], list[Passed]]:
    """What crossed, by tap and partner, as (`egress`, `gbr`) and (`entity`, `gbr`), in the order given.

    Raises:
        InvalidInput: a message cannot be read.
    """
    found: dict[tuple[str, str], list[Passed]] = {}
    for message in messages:
        name, kind = message.about["name"], message.about["kind"]
        if name.startswith(PARTNER) and kind not in ("fix", "bytes"):
            told = read_told(message)
            if told.frame:
                one = Passed(told.record, _frame(told.frame), told.entity, message.topic, message.sequence)
                found.setdefault((message.about["tap"], name.removeprefix(PARTNER)), []).append(one)
    return found


def spans(files: Sequence[tuple[Sequence[Passed], bool]]) -> Sequence[Span]:
    """Between which frames everything was recorded, of files in their order, each with whether it was closed.

    One that was not closed may end amid its last frame, and nothing is known from there to the next file.
    """
    made: list[Span] = []
    going: Span | None = None
    for things, closed in files:
        frames = sorted({one.frame for one in things})
        if not closed and frames:
            frames.pop()
        if frames:
            going = (going[0] if going else frames[0], frames[-1])
        if not closed and going:
            made.append(going)
            going = None
    return [*made, *([going] if going else ())]


def agree(
    left: Sequence[Passed],
    arrived: Sequence[Passed],
    truth: Sequence[Report] = (),
    criteria: Criteria | None = None,
    *,
    left_spans: Sequence[Span] | None = None,
    arrived_spans: Sequence[Span] | None = None,
) -> Agreement:
    """Hold what left against what arrived. `truth` has records' ids as keys; only what both recorded is scored.

    The spans say what either end recorded; without them, from its first frame to its last.
    """
    there = {(one.record, one.frame): one for one in left}
    here = {(one.record, one.frame): one for one in arrived}
    at_there = spans([(left, True)]) if left_spans is None else left_spans
    at_here = spans([(arrived, True)]) if arrived_spans is None else arrived_spans
    counts = dict.fromkeys(("alike", "in_part", "lost", "unknown", "altered", "never_left"), 0)
    odd: list[Odd] = []
    for key, one in here.items():
        sent = there.get(key)
        if sent is None:
            what, wrong = ("never_left", "it never left") if _within(one.frame, at_there) else ("unknown", "")
        else:
            what, wrong = _compared(sent.entity, one.entity)
        counts[what] += 1
        if wrong:
            odd.append(Odd(one.record, one.frame, wrong, one.topic, one.sequence))
    for key, one in there.items():
        if key not in here:
            counts["lost" if _within(one.frame, at_here) else "unknown"] += 1
    both = sorted(there.keys() & here.keys(), key=lambda key: (key[1], key[0]))
    records = {record for record, _ in both}
    known = [one for one in truth if one.key in records]
    views = [_reports((one[key], two[key].entity) for key in both) for one, two in ((there, here), (here, there))]
    return Agreement(
        left=len(there),
        arrived=len(here),
        **counts,
        odd=tuple(islice(sorted(odd, key=lambda one: (one.frame, one.record)), _TOLD)),
        scores=(score(known, views[0], criteria), score(known, views[1], criteria)),
    )


def _compared(sent: Entity, came: Entity) -> tuple[str, str]:
    """How what arrived stands to what left, and what is wrong with it."""
    if sent == came:
        return "alike", ""
    one, two = _groups(sent), _groups(came)
    changed = sorted(name for name, value in two.items() if one.get(name) != value)
    return ("altered", f"{changed[0]} is not what left") if changed else ("in_part", "")


def _groups(entity: Entity) -> dict[str, Any]:
    return {"": type(entity).__name__} | {
        name: value for name in entity.__struct_fields__ if (value := getattr(entity, name)) is not None
    }


def _reports(some: Iterable[tuple[Passed, Entity]]) -> list[Report]:
    """Reports of what both ends have of each thing, received at the frame's number, which is neither end's clock."""
    return [
        report_of(_without(one.entity, other), one.frame[1] * 1000, one.record)
        for one, other in some
        if isinstance(one.entity, Track)
    ]


def _without(entity: Track, other: Entity) -> Track:
    """A track without the groups that the other end did not take."""
    gone = [name for name in _groups(entity).keys() - {"", "key"} if getattr(other, name, None) is None]
    return msgspec.structs.replace(entity, **dict.fromkeys(gone)) if gone else entity


def _within(frame: Frame, some: Sequence[Span]) -> bool:
    return any(first <= frame <= last for first, last in some)


def _frame(text: str) -> Frame:
    epoch, _, number = text.partition("/")
    if not (epoch.isdecimal() and number.isdecimal() and len(text) < 64):
        raise InvalidInput(f"no name of a frame: {text[:40]!r}", fix="Read it with the version that recorded it")
    return int(epoch), int(number)
