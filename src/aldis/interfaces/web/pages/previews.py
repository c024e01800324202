"""What a draft instrument would newly release, and what it would stop, as a difference that people can judge."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from aldis.interfaces.cli.text import count
from aldis.interfaces.web.door import View
from aldis.interfaces.web.frame import Frame
from aldis.interfaces.web.pages.agreed import labels_of_entry, path_of_instrument
from aldis.interfaces.web.pages.items import Item, item, labels_of, levels
from aldis.interfaces.web.visit import Sheet, Visit
from aldis.kernel.authority import Act
from aldis.kernel.errors import InvalidInput, UnknownTerm
from aldis.kernel.labels import Label, rung_text
from aldis.kernel.preview import Gain, Loss, Preview
from aldis.node.instruments import instrument_text
from aldis.node.store import Row

__all__ = ["Gained", "Lost", "Outlook", "Sample", "groups", "headline", "lost_headline", "outlook", "views"]

_SAMPLES = 20
_MOST = 8


@dataclass(frozen=True, slots=True)
class Sample:
    """A record that would go: its line, its export-control tags, and whether a release officer is asked first."""

    item: Item
    tags: tuple[str, ...]
    waits: bool


@dataclass(frozen=True, slots=True)
class Gained:
    """What one partner would newly get: in a sentence, in groups (by what, which, how many), and some of it.

    `twice` is whether a record may count under several classifications.
    """

    node: str
    headline: str
    groups: tuple[tuple[str, str, str], ...]
    samples: tuple[Sample, ...]
    more: int
    twice: bool


@dataclass(frozen=True, slots=True)
class Lost:
    """What one partner would no longer get."""

    node: str
    headline: str
    samples: tuple[Sample, ...]
    more: int


@dataclass(frozen=True, slots=True)
class Outlook:
    """A preview as a page shows it; `labels` are those of what it shows, counts included."""

    at: int
    seen: int
    lacking: tuple[str, ...]
    gains: tuple[Gained, ...]
    losses: tuple[Lost, ...]
    labels: tuple[Label, ...]

    @property
    def nothing(self) -> bool:
        """Whether nothing would change."""
        return not self.gains and not self.losses


def views(frame: Frame) -> Sequence[View]:
    """The preview of an instrument's newest version, alone or with others that it rests on."""

    def page(visit: Visit) -> Sheet:
        return _page(visit, frame)

    return [View("/instruments/{instrument}/preview", page, need=Act.OFFER)]


def headline(gain: Gain) -> str:
    """A gain in a sentence: "Newly released: 312 records to JPN, of them 14 with export-control tags"."""
    to = f"{gain.party} ({gain.node})"
    parts = []
    if gain.records:
        tagged = len(gain.controlled)
        of_them = f", of them {tagged:,} with export-control tags" if tagged else ", none with an export-control tag"
        parts.append(f"Newly released: {count(len(gain.records), 'record')} to {to}{of_them}")
    if gain.referred:
        first = f"for a release officer to decide: {count(len(gain.referred), 'record')}"
        parts.append(first if parts else f"{first.capitalize()} for {to}; nothing would go by itself")
    return "; ".join(parts)


def lost_headline(loss: Loss) -> str:
    """A loss in a sentence."""
    kinds = ", ".join(f"{many:,} {kind}" for kind, many in loss.kinds.items())
    return f"Would stop: some part of {count(len(loss.records), 'record')} to {loss.party} ({loss.node}): {kinds}"


def groups(gain: Gain) -> tuple[tuple[str, str, str], ...]:
    """What a gain is made of, what is controlled first: by export control, classification, kind and portion."""
    rows = [("Export control", tag, count(many, "part")) for tag, many in gain.control.items()]
    rows += [
        ("Classification", rung_text(policy, rung), count(many, "record"))
        for (policy, rung), many in gain.classes.items()
    ]
    rows += [("Kind", kind, count(many, "record")) for kind, many in gain.kinds.items()]
    rows += [("Portion", name, f"{many:,}") for name, many in gain.portions.items()]
    return tuple(rows)


def outlook(visit: Visit, frame: Frame, *texts: str) -> Outlook:
    """What drafts together would newly release of what the person may see.

    Raises:
        InvalidInput, UnknownTerm, RefusedByPolicy: as `Register.preview`.
    """
    found: Preview = visit.node.register.preview(*texts, viewer=visit.who)
    rows: list[Row] = []

    def samples(names: Sequence[str], waits: Collection[str] = (), tagged: Collection[str] = ()) -> tuple[Sample, ...]:
        kept = [(name, _row(visit, name)) for name in names[:_SAMPLES]]
        rows.extend(row for _, row in kept if row is not None)
        return tuple(
            _sample(visit, frame, row, waits=name in waits, tagged=name in tagged)
            for name, row in kept
            if row is not None
        )

    gains = [
        Gained(
            gain.node, headline(gain), groups(gain), samples(_first(gain), gain.referred, gain.controlled),
            max(0, len({*gain.records, *gain.referred}) - _SAMPLES),
            len(gain.classes) > 1,
        )
        for gain in found.gains
    ]  # fmt: skip
    losses = [
        Lost(loss.node, lost_headline(loss), samples(loss.records), max(0, len(loss.records) - _SAMPLES))
        for loss in found.losses
    ]
    counted = [visit.level] if gains or losses else []
    labels = [*counted, *(label for row in rows for label in labels_of(row))]
    return Outlook(found.at, found.seen, found.lacking, tuple(gains), tuple(losses), tuple(labels))


def _first(gain: Gain) -> list[str]:
    """The records of a gain, those with export-control tags first."""
    tagged = set(gain.controlled)
    every = sorted({*gain.records, *gain.referred})
    return sorted(every, key=lambda name: name not in tagged)


def _row(visit: Visit, name: str) -> Row | None:
    """The record that a preview calls so: one of this node's by its id, another's as NODE/ID."""
    node, slash, id_ = name.partition("/")
    try:
        return visit.node.records.get(id_ if slash else name, viewer=visit.who, originator=node if slash else "")
    except InvalidInput:
        return None


def _sample(visit: Visit, frame: Frame, row: Row, *, waits: bool, tagged: bool) -> Sample:
    tags = {tag for label in labels_of(row) for tag in label.control} if tagged else set[str]()
    return Sample(item(visit, frame, row, {}, levels(visit)), tuple(sorted(tags)), waits)


def _page(visit: Visit, frame: Frame) -> Sheet:
    if not visit.resident:
        raise UnknownTerm("no such page")
    register, name = visit.node.register, visit.segments["instrument"]
    entry = register.entries(name, visit.who)[-1]
    waiting = [
        one
        for one in register.shown(visit.who)
        if one != name and (last := register.entries(one, visit.who)[-1]).missing and not last.instrument.pairing
    ]
    chosen = [one for one in visit.query.all("with") if one in waiting][:_MOST]
    records = [register.record(one, visit.who) for one in (name, *chosen)]
    seen = outlook(visit, frame, *map(instrument_text, records))
    values = {
        "id": name,
        "here": lambda below="": path_of_instrument(name, below),
        "version": entry.version,
        "others": waiting,
        "chosen": chosen,
        "seen": seen,
    }
    entries = [register.entries(one, visit.who)[-1] for one in (*waiting, name)]
    return Sheet(
        "instrument_preview.html", f"Preview of {name}", values, [*labels_of_entry(visit, entries), *seen.labels]
    )
