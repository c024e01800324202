"""A decision as a table: the eight checks, each distinct reason with the parts of the record that it is about."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from aldis.kernel.explain import Explanation
from aldis.kernel.release import CHECKS, Outcome, Reason

__all__ = ["Check", "Way", "checks", "ways"]

_WORDS = {Outcome.PASS: "holds", Outcome.REFER: "for an officer", Outcome.FAIL: "fails"}
_SIGNS = {Outcome.PASS: "✓", Outcome.REFER: "?", Outcome.FAIL: "✗"}


@dataclass(frozen=True, slots=True)
class Check:
    """One row: the check by number and name, how it came out, for which parts, why, and the clause it rests on."""

    number: int
    name: str
    outcome: str
    sign: str
    parts: str
    text: str
    clause: str


@dataclass(frozen=True, slots=True)
class Way:
    """A change that would help to permit: who can make it, what it is, and for which parts."""

    who: str
    text: str
    parts: str


def checks(parts: Mapping[str, Explanation]) -> list[Check]:
    """The rows of the eight checks, in their order."""
    rows = []
    for number, name in enumerate(CHECKS, 1):
        held: dict[Reason, list[str]] = {}
        for part, one in parts.items():
            held.setdefault(one.decision.reasons[number - 1], []).append(part)
        rows += [
            Check(
                number,
                name,
                _WORDS[reason.outcome],
                _SIGNS[reason.outcome],
                _parts(about, parts),
                reason.text,
                f"{reason.instrument} clause {reason.clause}" if reason.clause else "",
            )
            for reason, about in held.items()
        ]
    return rows


def ways(parts: Mapping[str, Explanation]) -> list[Way]:
    """What would change the answer, for the parts that do not go."""
    found: dict[tuple[str, str], list[str]] = {}
    for part, one in parts.items():
        for change in one.changes:
            found.setdefault((change.who, change.text), []).append(part)
    return [Way(who, text, _parts(about, parts)) for (who, text), about in found.items()]


def _parts(about: Iterable[str], parts: Mapping[str, Explanation]) -> str:
    named = list(about)
    return "all of it" if len(named) == len(parts) > 1 else ", ".join(named)
