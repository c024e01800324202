"""Instruments: which there are, on a time line, and what one says, permits and has let go."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from aldis.interfaces.cli.text import listed
from aldis.interfaces.web.door import View
from aldis.interfaces.web.frame import Frame
from aldis.interfaces.web.markings import Chip
from aldis.interfaces.web.pages.agreed import clauses, end_words, labels_of_entry, path_of_instrument, tone
from aldis.interfaces.web.pages.items import item, labels_of, levels
from aldis.interfaces.web.pages.timeline import Span, timeline
from aldis.interfaces.web.visit import Sheet, Visit
from aldis.kernel.authority import Act
from aldis.kernel.errors import InvalidInput, UnknownTerm
from aldis.kernel.instruments import Effect, Entry, Instrument, State, compare
from aldis.kernel.labels import Label
from aldis.node.instruments import instrument_text
from aldis.node.store import Row

__all__ = ["agreement", "views"]

_DONE = {
    "drafted": "Drafted. It travels to its parties, and permits nothing until each of them has signed.",
    "amended": "The next version is drafted. The one before stands until every party has signed this one.",
    "signed": "Signed for this node's party.",
    "ended": "Notice is given: it travels to the other parties.",
}
_ORDER = {"holds": 0, "waits": 1, "fails": 2}
_LONGEST = 6
_SHOWN = 200


@dataclass(frozen=True, slots=True)
class _Line:
    """An instrument in the list; `ends` are notices given."""

    id: str
    path: str
    entry: Entry
    state: State
    tone: str
    marking: Chip
    ceilings: str
    flows: str
    missing: tuple[str, ...]
    ends: list[tuple[int, str]]


def views(frame: Frame) -> Sequence[View]:
    """The list, one instrument, a version of it, two compared, and what partners hold under it."""

    def listing(visit: Visit) -> Sheet:
        return _listing(visit, frame)

    def held(visit: Visit) -> Sheet:
        return _held(visit, frame)

    return [
        View("/instruments", listing),
        View("/instruments/{instrument}", _one),
        View("/instruments/{instrument}/versions/{version}", _one),
        View("/instruments/{instrument}/compare", _compare),
        View("/instruments/{instrument}/held", held),
    ]


def agreement(visit: Visit) -> tuple[Entry, ...]:
    """The versions of the instrument that the page is about, as far as the person sees them, oldest first.

    Raises:
        UnknownTerm: there is none, or they may not know of it: the two are told apart by nothing.
    """
    return visit.node.register.entries(visit.segments["instrument"], visit.who)


def _listing(visit: Visit, frame: Frame) -> Sheet:
    register, pairings = visit.node.register, visit.query.get("pairings") == "yes"
    found = [_line(visit, frame, name) for name in register.shown(visit.who)]
    lines = [line for line in found if pairings or not line.entry.instrument.pairing]
    lines.sort(key=lambda line: (_ORDER[line.tone], line.entry.instrument.start, line.id))
    spans = [
        Span(line.id, line.entry.instrument.start, line.entry.instrument.end, line.tone, _ended(visit, line.entry))
        for line in lines
    ]
    values = {
        "lines": lines,
        "hidden": len(found) - len(lines),
        "pairings": pairings,
        "picture": timeline(spans, visit.at),
        "drafts": visit.may(Act.DRAFT) and visit.resident,
    }
    labels = labels_of_entry(visit, [line.entry for line in lines])
    return Sheet("instruments.html", "Instruments", values, labels or [visit.routine])


def _line(visit: Visit, frame: Frame, name: str) -> _Line:
    register, known = visit.node.register, visit.node.epochs.current().instruments
    entries = register.entries(name, visit.who)
    status = register.status(name)
    entry = next((one for one in entries if one.version == status.version), entries[-1])
    state = known.state(entry, visit.at)
    return _Line(
        name,
        path_of_instrument(name),
        entry,
        state,
        tone(state),
        frame.markings.record(labels_of_entry(visit, [entry])),
        _ceilings(entry.instrument),
        _flows(entry.instrument),
        tuple(sorted(entries[-1].missing)),
        end_words(register.notices(name, visit.who), entry),
    )


def _ended(visit: Visit, entry: Entry) -> int:
    """The instant from which a notice ends a version for all, or 0."""
    notices = visit.node.register.notices(entry.instrument.id, visit.who)
    days = [one.on for one in notices if one.effect is Effect.TERMINATE and one.version >= entry.version]
    return min(days, default=0)


def _ceilings(instrument: Instrument) -> str:
    """The highest that its clauses let go, by policy."""
    rungs = dict.fromkeys(f"{rung} ({policy})" for clause in instrument.clauses for policy, rung in clause.ceiling)
    return listed(rungs)


def _flows(instrument: Instrument) -> str:
    """What flows under it, shortly: kinds and projects, or the tags that it frees."""
    tags = listed(sorted({tag for clause in instrument.clauses for tag in clause.tags}), _LONGEST)
    kinds = listed(sorted({kind for clause in instrument.clauses for kind in clause.kinds}), _LONGEST)
    projects = listed(
        sorted({project or "none" for clause in instrument.clauses for project in clause.projects}), _LONGEST
    )
    return tags or f"{kinds} of {projects}".replace("* of", "every kind of").replace("of *", "of every project")


def _one(visit: Visit) -> Sheet:
    node, entries = visit.node, agreement(visit)
    known, name = node.epochs.current().instruments, visit.segments["instrument"]
    entry = _version(entries, visit.segments.get("version", ""))
    newest = entries[-1]
    record = node.records.by_digest(entry.digest, visit.who).record()
    flows = node.flows.under(entry.instrument, visit.who) if visit.resident and entry == newest else []
    state = known.state(entry, visit.at)
    own, acts = record.header.originator == node.name, visit.resident and node.core.party in entry.instrument.parties
    under = entry.instrument.under
    values = {
        "id": name,
        "here": lambda below="": path_of_instrument(name, below),
        "entry": entry,
        "newest": newest,
        "one": entry.instrument,
        "state": state,
        "tone": tone(state),
        "status": node.register.status(name).text if entry == newest else "",
        "clauses": clauses(entry.instrument),
        "ends": end_words(node.register.notices(name, visit.who), entry),
        "versions": [(one, known.state(one, visit.at)) for one in reversed(entries)],
        "flows": flows,
        "resident": visit.resident,
        "drafter": record.header.originator,
        "author": record.header.author,
        "label": record.label,
        "under": path_of_instrument(under) if under and node.register.shows(under, visit.who) else "",
        "text": instrument_text(record),
        "may": {
            "preview": visit.may(Act.OFFER) and visit.resident and not entry.instrument.pairing,
            "amend": visit.may(Act.DRAFT) and acts and own and not entry.instrument.pairing,
            "sign": visit.may(Act.SIGN) and acts and node.core.party in newest.missing,
            "end": visit.may(Act.SIGN) and acts and not entry.instrument.pairing,
        },
        "done": _DONE.get(visit.query.get("done"), ""),
    }
    labels = [
        *labels_of_entry(visit, [entry]),
        *(row.record().label for flow in flows for row in flow.rows),
    ]
    title = entry.instrument.title or name
    return Sheet("instrument.html", title if entry == newest else f"{title}, version {entry.version}", values, labels)


def _compare(visit: Visit) -> Sheet:
    entries = agreement(visit)
    if len(entries) < 2 and not visit.query.get("to"):
        raise InvalidInput("there is one version, and nothing to compare it with", fix="Go back to the instrument")
    to = _version(entries, visit.query.get("to") or str(entries[-1].version))
    before = _version(entries, visit.query.get("from") or str(entries[-2].version))
    found = compare(before.instrument, to.instrument)
    values = {
        "id": visit.segments["instrument"],
        "here": lambda below="": path_of_instrument(visit.segments["instrument"], below),
        "before": before,
        "after": to,
        "found": found,
        "words": {clause.id: clause.words for one in (before, to) for clause in clauses(one.instrument)},
        "versions": [one.version for one in entries],
    }
    title = f"{to.instrument.title or visit.segments['instrument']}: version {before.version} and {to.version}"
    return Sheet("instrument_compare.html", title, values, labels_of_entry(visit, [before, to]))


def _held(visit: Visit, frame: Frame) -> Sheet:
    if not visit.resident:
        raise UnknownTerm("no such page")
    node, entries = visit.node, agreement(visit)
    inside, parties = levels(visit), node.partners.parties()
    flows = node.flows.under(entries[-1].instrument, visit.who)
    shown = [
        (flow, [item(visit, frame, row, parties, inside) for row in flow.rows[:_SHOWN]], len(flow.rows) - _SHOWN)
        for flow in flows
    ]
    values = {"id": visit.segments["instrument"], "one": entries[-1].instrument, "flows": shown, "levels": bool(inside),
              "back": path_of_instrument(visit.segments["instrument"])}  # fmt: skip
    labels = [*labels_of_entry(visit, entries[-1:]), *_labels(flow.rows for flow in flows)]
    return Sheet("instrument_held.html", f"Held under {visit.segments['instrument']}", values, labels)


def _labels(several: Iterable[Iterable[Row]]) -> list[Label]:
    """The labels of rows that are shown or counted."""
    return [label for rows in several for row in rows for label in labels_of(row)]


def _version(entries: Sequence[Entry], text: str) -> Entry:
    """The version that a path names, the newest where it names none."""
    if not text:
        return entries[-1]
    found = [one for one in entries if str(one.version) == text]
    if not found:
        raise UnknownTerm(f"no version {text[:20]!r}")
    return found[0]
