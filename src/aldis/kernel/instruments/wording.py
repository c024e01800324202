"""Instruments in words, and what one version changes of another, clause by clause."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType

from aldis.kernel.instruments.clauses import ANY, DAY_MS, SHARING, Action, Clause, Instrument, Transform

__all__ = ["ClauseChange", "Comparison", "Difference", "clause_words", "compare", "head_words"]

_HOW = {
    Action.COARSEN: "coarsened to",
    Action.DELAY: "delayed by",
    Action.PSEUDONYMISE: "under a pseudonym",
}


@dataclass(frozen=True, slots=True)
class Difference:
    """One field of the head or of a clause: its words before and after, "" where it says nothing."""

    field: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class ClauseChange:
    """A clause that both versions have and say otherwise."""

    id: str
    differences: tuple[Difference, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """What a version changes: fields of the head, clauses by id; `same` are those that stay as they are."""

    head: tuple[Difference, ...]
    added: tuple[Clause, ...]
    removed: tuple[Clause, ...]
    changed: tuple[ClauseChange, ...]
    same: tuple[str, ...]

    @property
    def nothing(self) -> bool:
        """Whether both say the same."""
        return not (self.head or self.added or self.removed or self.changed)


def head_words(instrument: Instrument) -> Mapping[str, str]:
    """What an instrument says beside its clauses, by the name of the field; days are UTC, the last included."""
    evidence = [*sorted(instrument.evidence), *(f"not {name}" for name in sorted(instrument.denied))]
    found = {
        "form": instrument.form.value,
        "title": instrument.title,
        "parties": _listed(instrument.parties),
        "from": _day(instrument.start),
        "until": _day(instrument.end - DAY_MS),
        "under": instrument.under,
        "rule": instrument.rule,
        "evidence": ", ".join(evidence),
    }
    return _given(found)


def clause_words(clause: Clause, instrument: Instrument) -> Mapping[str, str]:
    """What a clause says, in the order in which one reads it; what it leaves open that matters stands as words."""
    shares = instrument.form in SHARING
    found = {
        "who gives": _parties(clause.givers, instrument),
        "to whom": _parties(clause.takers, instrument),
        "export-control tags": _listed(clause.tags),
        "kinds": _every(clause.kinds, "every kind"),
        "projects": _every(clause.projects, "every project", "records without a project"),
        "portions": _every(clause.portions, "every portion") if shares else "",
        "purposes": _listed(clause.purposes),
        "ceiling": ", ".join(f"{rung} ({policy})" for policy, rung in clause.ceiling),
        "categories": "; ".join(f"{tag}: {_listed(values)}" for tag, values in clause.categories),
        "onward": (f"may be passed on to {_listed(clause.onward)}" if clause.onward else "to nobody") if shares else "",
        "a person decides": _review(clause) if shares else "",
        "changed on the way": "; ".join(map(_transform, clause.transforms)),
        "provisos": clause.provisos,
    }
    return _given(found)


def compare(before: Instrument, after: Instrument) -> Comparison:
    """What `after` changes of `before`."""
    old = {clause.id: clause for clause in before.clauses}
    new = {clause.id: clause for clause in after.clauses}
    differ = {
        name: _differences(clause_words(old[name], before), clause_words(new[name], after))
        for name in old
        if name in new
    }
    return Comparison(
        head=_differences(head_words(before), head_words(after)),
        added=tuple(clause for name, clause in new.items() if name not in old),
        removed=tuple(clause for name, clause in old.items() if name not in new),
        changed=tuple(ClauseChange(name, found) for name, found in differ.items() if found),
        same=tuple(name for name, found in differ.items() if not found),
    )


def _differences(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[Difference, ...]:
    fields = [*before, *(name for name in after if name not in before)]
    return tuple(
        Difference(name, before.get(name, ""), after.get(name, ""))
        for name in fields
        if before.get(name, "") != after.get(name, "")
    )


def _given(found: Mapping[str, str]) -> Mapping[str, str]:
    return MappingProxyType({name: text for name, text in found.items() if text})


def _listed(values: Iterable[str]) -> str:
    return ", ".join(sorted(values))


def _every(values: frozenset[str], every: str, empty: str = "") -> str:
    return every if ANY in values else ", ".join(value or empty for value in sorted(values))


def _parties(named: frozenset[str], instrument: Instrument) -> str:
    listed = _listed(named)
    return f"each of its parties ({listed})" if named == instrument.parties else listed


def _review(clause: Clause) -> str:
    if not clause.review:
        return "no: what fits goes by itself"
    who = "a release officer" if clause.approvals == 1 else f"{clause.approvals} different release officers"
    days = clause.decide_within_days
    within = f", within {days} {'day' if days == 1 else 'days'}" if days else ""
    return f"{who}, each time{within}"


def _transform(transform: Transform) -> str:
    amounts = [f"{transform.grid_m:,} m"] if transform.grid_m else []
    amounts += [f"{transform.seconds:,} s"] if transform.seconds else []
    return " ".join([f"{transform.portion}:", _HOW[transform.action], " and ".join(amounts)]).strip()


def _day(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).date().isoformat()
