"""The picture of a recording at an instant, as far as who asks may see it now.

A message is marked as a whole. It is shown to whoever may see something so marked, in the project of its record, and
may know of that record today: what is no longer there, or was never a record here, is shown to nobody.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from aldis.app import Context, Live
from aldis.apps.experiments.entity import Track
from aldis.apps.experiments.kinds import TRACK, entity_of
from aldis.apps.experiments.recorder import PARTNER
from aldis.apps.experiments.web.replaying_index import Known, Slot
from aldis.kernel.errors import AldisError, InvalidInput
from aldis.kernel.frames import Update
from aldis.kernel.labels import Label
from aldis.kernel.records import Record

__all__ = ["Thing", "Things", "things", "views"]

_MOST = 500


class Thing(msgspec.Struct, frozen=True):
    """A track as it was: its portions, each with its age in ms at that instant, and the labels that they had."""

    id: str
    node: str
    name: str
    values: Mapping[str, Any]
    ages: Mapping[str, int]
    labels: Sequence[Label]
    said_by: Sequence[str]


class Things(msgspec.Struct, frozen=True):
    """What was there, by name, and the labels of all of it, with those that its records have today."""

    found: Sequence[Thing]
    labels: Sequence[Label]
    more: bool


class _Judge:
    """Decides for one look; what is alike is decided once."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self._records: dict[tuple[str, str], Record | None] = {}
        self._labels: dict[tuple[str, str], Label | None] = {}
        self._seen: dict[tuple[object, ...], bool] = {}

    def record(self, slot: Slot) -> Record | None:
        """The record that a message is of, if who asks may know of it today."""
        left = slot.tap == "egress" or not slot.name.startswith(PARTNER)
        node = self._ctx.node if left else slot.name.removeprefix(PARTNER)
        key = (node, slot.record)
        if key not in self._records:
            try:
                found = self._ctx.get(slot.record, originator=node)
            except AldisError:
                found = None
            fits = found is not None and found.header.kind == TRACK.name and not found.header.deleted
            self._records[key] = found if fits else None
        return self._records[key]

    def header(self, node: str, record_id: str) -> Label:
        """The label that the existence of a record, which was looked at, has today."""
        found = self._records[node, record_id]
        assert found is not None
        return found.label

    def label(self, marking: str, record: Record) -> Label | None:
        """What a marking says in the policy of its record; None where it says nothing that can be decided here."""
        key = (marking, record.label.policy)
        if key not in self._labels:
            found = self._ctx.readings(marking) if marking else ()
            self._labels[key] = next((label for label in found if label.policy == record.label.policy), None)
        return self._labels[key]

    def may_see(self, record: Record, label: Label, portion: str, at: int) -> bool:
        """Whether who asks may see a portion of a record that is marked so."""
        header = record.header
        source = "" if header.originator == self._ctx.node else header.originator
        key = (source and header.id, source, record.label, header.project, label, portion)
        if key not in self._seen:  # of a partner's it is decided by the record that is held, so each for itself
            live = Live(source, label, Update(header.id, TRACK.name, portion, at, None), record.label, header.project)
            self._seen[key] = self._ctx.may_watch(live)
        return self._seen[key]


def views(state: Mapping[Slot, Known], ctx: Context) -> Sequence[str]:
    """The partner nodes of which something that left for them may be seen, by name."""
    judge, found = _Judge(ctx), dict[str, None]()
    for slot in state:
        if slot.tap == "egress" and slot.name.startswith(PARTNER) and slot.name not in found:
            record = judge.record(slot)
            label = judge.label(slot.marking, record) if record is not None else None
            if record is not None and label is not None and judge.may_see(record, label, "position", 0):
                found[slot.name] = None
    return sorted(name.removeprefix(PARTNER) for name in found)


def things(state: Mapping[Slot, Known], ctx: Context, instant: int, view: str = "") -> Things:
    """What was known at an instant (ns since 1970 UTC); with a `view`, what had left for that node by then."""
    judge, parts = _Judge(ctx), dict[tuple[str, str], list[tuple[Slot, Label, str, Any, int]]]()
    for slot, known in state.items():
        wanted = (slot.tap, slot.name) == ("egress", PARTNER + view) if view else slot.tap == "entity"
        record = judge.record(slot) if wanted else None
        label = judge.label(slot.marking, record) if record is not None else None
        if record is None or label is None:
            continue
        for portion, (value, at) in known.items():
            if judge.may_see(record, label, portion, at // 1_000_000):
                place = (record.header.originator, slot.record)
                parts.setdefault(place, []).append((slot, label, portion, value, at))
    made = sorted((_thing(place, some, instant) for place, some in parts.items()), key=lambda one: (one.name, one.id))
    shown = made[:_MOST]
    labels = [label for one in shown for label in (judge.header(one.node, one.id), *one.labels)]
    return Things(shown, list(dict.fromkeys(labels)), len(made) > _MOST)


def _thing(place: tuple[str, str], some: Sequence[tuple[Slot, Label, str, Any, int]], instant: int) -> Thing:
    """One track of all that was said of it: of each portion, what was said last."""
    newest: dict[str, tuple[Slot, Label, str, Any, int]] = {}
    for one in sorted(some, key=lambda part: (part[4], part[0].name)):
        newest[one[2]] = one
    values = {name: one[3] for name, one in newest.items() if name in TRACK.portions}
    return Thing(
        id=place[1],
        node=place[0],
        name=_name(_track(place[1], values)) or place[1],
        values=values,
        ages={name: max(0, instant - one[4]) // 1_000_000 for name, one in newest.items()},
        labels=list(dict.fromkeys(one[1] for one in newest.values())),
        said_by=sorted({one[0].name.removeprefix(PARTNER) for one in newest.values()}),
    )


def _track(key: str, values: Mapping[str, Any]) -> Track:
    try:
        made = entity_of(TRACK.name, key, values)
    except InvalidInput:  # what another version of this program recorded
        return Track(key=key)
    return made if isinstance(made, Track) else Track(key=key)


def _name(track: Track) -> str:
    who = track.identity
    names = (who.name, who.callsign, who.mmsi, who.imo, who.cot_uid, who.native_id) if who else ()
    return next((str(one) for one in names if one), "")
