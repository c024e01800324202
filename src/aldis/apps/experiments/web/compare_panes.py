"""What stands side by side: a page of tracks as the person sees them, and as far as each partner gets them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from aldis.app import Context, Given, Live, Query
from aldis.apps.experiments.kinds import TRACK
from aldis.apps.experiments.web.compare_words import in_words
from aldis.kernel.labels import Label
from aldis.kernel.records import Record

__all__ = ["PAGE", "Cell", "Line", "Panes", "Seen", "line_of", "newest_of", "panes", "seen_of"]

PAGE = 20
_LIVE = 10_000
_WORDS = {
    "whole": "passed",
    "later": "delayed",
    "referred": "for an officer",
    "withheld": "withheld",
    "theirs": "its own",
}
_KINDS = {"coarsen": "coarsened", "pseudonymise": "pseudonymised", "delay": "delayed"}
_NAMED = ("name", "callsign", "mmsi", "imo", "cot_uid", "dis_id", "mavlink_id", "native_id")


class Cell(msgspec.Struct, frozen=True):
    """What one partner gets of one portion, in a word for its state, its value as it goes, and what is done to it."""

    partner: str
    state: str
    word: str
    text: str = ""
    words: str = ""
    due: int = 0


class Line(msgspec.Struct, frozen=True):
    """One portion, as the person sees it, and the cell of each partner; "" is that the track is there at all."""

    portion: str
    label: Label
    text: str
    cells: Sequence[Cell]


class Seen(msgspec.Struct, frozen=True):
    """A track as far as the person sees it: its record, and each portion with label and newest value."""

    record: Record
    portions: Mapping[str, tuple[Label, Any]]
    newest: Sequence[Live]

    @property
    def name(self) -> str:
        """What it is called, by whoever sees its identity; else its id."""
        identity = self.portions.get("identity", (None, None))[1]
        found = (identity.get(one) for one in _NAMED) if isinstance(identity, Mapping) else ()
        return str(next((one for one in found if one), self.record.header.id))

    @property
    def labels(self) -> list[Label]:
        """The labels of all that it shows, and of what a partner may have got before it."""
        held = [part.label for part in self.record.portions]
        return [self.record.label, *held, *(label for label, _ in self.portions.values())]


class Panes(msgspec.Struct, frozen=True):
    """A page: each track with its lines; what each partner's map has of it, by portion; and the cursor of the next."""

    tracks: Sequence[tuple[Seen, Sequence[Line]]]
    places: Mapping[str, Sequence[tuple[Seen, Mapping[str, Any]]]]
    next: str
    labels: Sequence[Label]


def panes(ctx: Context, partners: Sequence[str], text: str = "", cursor: str = "") -> Panes:
    """The tracks that the person may see, and what each partner gets of them; "" names the person's own pane.

    Raises:
        RefusedByPolicy: the person may not rule on releases.
        UnknownTerm: nothing goes to one of the partners.
    """
    page = ctx.find(Query(kind=TRACK.name, text=text, limit=PAGE, cursor=cursor))
    live = newest_of(ctx, {record.header.id for record in page.records})
    seen = [seen_of(ctx, record, live) for record in page.records]
    newest = [value for one in seen for value in one.newest]
    given = {partner: ctx.given([one.record for one in seen], partner, newest) for partner in partners}
    tracks = [
        (
            one,
            [
                line_of(one, name, {partner: given[partner][place] for partner in partners})
                for name in ("", *one.portions)
            ],
        )
        for place, one in enumerate(seen)
    ]
    places = {"": [(one, _own(one)) for one in seen]}
    for partner in partners:
        gets = [(one, given[partner][place]) for place, one in enumerate(seen)]
        places[partner] = [(one, _theirs(one, found)) for one, found in gets if found[""].state in ("whole", "theirs")]
    return Panes(tracks, places, page.next, list(dict.fromkeys(label for one in seen for label in one.labels)))


def newest_of(ctx: Context, ids: Iterable[str]) -> Mapping[tuple[str, str], Sequence[Live]]:
    """The newest live values that the person may see of some records, by node ("" for this one) and id."""
    wanted, found = frozenset(ids), dict[tuple[str, str], list[Live]]()
    for live in ctx.latest(TRACK.name, most=_LIVE) if wanted else ():
        if live.update.id in wanted:
            found.setdefault((live.source, live.update.id), []).append(live)
    return found


def seen_of(ctx: Context, record: Record, newest: Mapping[tuple[str, str], Sequence[Live]]) -> Seen:
    """A record with the newer of its portions and of the live values of it, in the order of its kind."""
    header = record.header
    live = newest.get(("" if header.originator == ctx.node else header.originator, header.id), ())
    held: dict[str, tuple[Label, Any]] = {part.name: (part.label, part.value) for part in record.portions}
    fresh = [one for one in live if one.update.at >= header.created]  # a later version knows better
    held |= {one.update.portion: (one.label, one.update.value) for one in fresh}
    order = [*TRACK.portions, *held]
    return Seen(record, dict(sorted(held.items(), key=lambda one: order.index(one[0]))), fresh)


def line_of(one: Seen, name: str, given: Mapping[str, Mapping[str, Given]]) -> Line:
    """A portion of a track, or for "" its existence, with what is given of it to each partner."""
    label, value = one.portions[name] if name else (one.record.label, None)
    cells = [_cell(partner, name, found.get(name, Given("withheld"))) for partner, found in given.items()]
    return Line(name, label, in_words(name, value) if name else "it is here", cells)


def _cell(partner: str, portion: str, given: Given) -> Cell:
    word = _WORDS.get(given.state) or _changed(given.words)
    text = in_words(portion, given.value) if given.value is not None else ""
    words = given.words if any(one.isdigit() for one in given.words) else ""
    return Cell(partner, given.state, word, text, words, given.due)


def _changed(words: str) -> str:
    done = [_KINDS[first] for part in words.split(", ") if (first := part.split(" ")[0]) in _KINDS]
    return " and ".join(done) or "changed"


def _own(one: Seen) -> Mapping[str, Any]:
    return {name: value for name, (_, value) in one.portions.items()}


def _theirs(one: Seen, given: Mapping[str, Given]) -> Mapping[str, Any]:
    """What a partner's pane holds: nothing but what goes, or what came from there itself."""
    if given[""].state == "theirs":
        return _own(one)
    return {name: found.value for name, found in given.items() if name and found.value is not None}
