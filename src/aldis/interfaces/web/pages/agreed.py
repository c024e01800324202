"""What instruments say, as pages show it: where one stands, its clauses in words, what a decision rests on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from aldis.interfaces.cli.text import day
from aldis.interfaces.web.visit import Visit
from aldis.kernel.errors import UnknownTerm
from aldis.kernel.instruments import Effect, Entry, Instrument, Notice, State, clause_words
from aldis.kernel.labels import Label
from aldis.node.cases import Part

__all__ = ["Clause", "Rests", "clauses", "end_words", "labels_of_entry", "path_of_instrument", "rests", "tone"]

_HOLDS = {State.IN_FORCE}
_WAITS = {State.UNSIGNED, State.NOT_YET, State.ORPHANED}


@dataclass(frozen=True, slots=True)
class Clause:
    """A clause: its id, the name of its place on the page, and what it says, by field."""

    id: str
    words: Mapping[str, str]

    @property
    def place(self) -> str:
        """An id for an element of the page."""
        return "clause-" + "".join(char if char.isalnum() else "_" for char in self.id)


@dataclass(frozen=True, slots=True)
class Rests:
    """A clause that a decision rests on, with its instrument as it is in force, and what one should know of that."""

    instrument: str
    title: str
    version: int
    path: str
    clause: Clause
    until: int
    state: str
    tone: str


def path_of_instrument(name: str, below: str = "") -> str:
    """Where the page of an instrument is, or one below it."""
    return f"/instruments/{quote(name, safe='')}{below}"


def tone(state: State) -> str:
    """How a state is coloured: `holds`, `waits` or `fails`."""
    return "holds" if state in _HOLDS else "waits" if state in _WAITS else "fails"


def clauses(instrument: Instrument) -> list[Clause]:
    """The clauses of an instrument, in words."""
    return [Clause(one.id, clause_words(one, instrument)) for one in instrument.clauses]


def labels_of_entry(visit: Visit, entries: Iterable[Entry]) -> list[Label]:
    """The labels of versions that the person sees."""
    rows = [visit.node.records.by_digest(entry.digest, visit.who) for entry in entries]
    return [label for row in rows for label in (row.record().label, *(one.label for one in row.record().portions))]


def end_words(notices: Sequence[Notice], entry: Entry) -> list[tuple[int, str]]:
    """What parties gave notice of, for a version: the day and the words."""
    words = {Effect.TERMINATE: "ends it for every party", Effect.LEAVE: "leaves it"}
    return [
        (one.on, f"{one.party} {words[one.effect]}")
        for one in notices
        if one.version >= entry.version and one.party in entry.instrument.parties
    ]


def rests(visit: Visit, parts: Sequence[Part]) -> tuple[list[Rests], list[Label]]:
    """The clauses on which what is asked for rests, those of instruments that the person sees, and their labels."""
    node, found, labels = visit.node, list[Rests](), list[Label]()
    asked = [part.decision.basis for part in parts if part.decision is not None and part.decision.basis.instrument]
    for basis in dict.fromkeys((one.instrument, one.version, one.clause) for one in asked):
        name, version, clause = basis
        try:
            entries = node.register.entries(name, visit.who)
        except UnknownTerm:
            continue
        for entry in entries:
            said = [one for one in clauses(entry.instrument) if one.id == clause]
            if entry.version != version or not said:
                continue
            state = node.epochs.current().instruments.state(entry, visit.at)
            labels += labels_of_entry(visit, [entry])
            found.append(
                Rests(
                    name,
                    entry.instrument.title,
                    version,
                    path_of_instrument(name),
                    said[0],
                    entry.instrument.end - 1,
                    _state(visit, entry, state),
                    tone(state),
                )
            )
    return found, labels


def _state(visit: Visit, entry: Entry, state: State) -> str:
    ends = end_words(visit.node.register.notices(entry.instrument.id, visit.who), entry)
    return "; ".join([state.value, *(f"{who} from {day(on)}" for on, who in ends)])
