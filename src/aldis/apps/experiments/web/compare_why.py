"""Why a partner gets a portion as it does: every check with the clause it rests on, and what would change it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from aldis.app import Context
from aldis.apps.experiments.web.compare_panes import Line, Seen, line_of, newest_of, seen_of
from aldis.kernel.errors import UnknownTerm
from aldis.kernel.explain import Explanation
from aldis.kernel.release import CHECKS, Outcome

__all__ = ["Check", "Why", "why"]

EXISTENCE = "its existence"
_WORDS = {Outcome.PASS: "holds", Outcome.REFER: "for an officer", Outcome.FAIL: "fails"}
_SIGNS = {Outcome.PASS: "✓", Outcome.REFER: "?", Outcome.FAIL: "✗"}


class Check(msgspec.Struct, frozen=True):
    """One check of one part, in the words of a table."""

    number: int
    name: str
    outcome: str
    sign: str
    parts: str
    text: str
    clause: str


class Why(msgspec.Struct, frozen=True):
    """The line that was asked about, the checks that say why, and per part what would change it.

    `hopeless` are parts that nothing that can be agreed would let go.
    """

    seen: Seen
    line: Line
    checks: Sequence[Check]
    ways: Sequence[tuple[str, str, str]]
    hopeless: Sequence[str]


def why(ctx: Context, node: str, record_id: str, portion: str, partner: str) -> Why:
    """Of one portion of a track, or, for "", of its existence.

    Raises:
        RefusedByPolicy: the person may not rule on releases.
        UnknownTerm: no such track or portion that the person may see, or nothing goes to such a partner.
    """
    record = ctx.get(record_id, originator=node)
    seen = seen_of(ctx, record, newest_of(ctx, [record_id]))
    if portion and portion not in seen.portions:
        raise UnknownTerm(f"no portion {portion[:40]!r} there", fix="Choose a cell of the table")
    line = line_of(seen, portion, {partner: ctx.given([record], partner, seen.newest)[0]})
    found = ctx.explain(record, partner)
    parts = {EXISTENCE: found.header}
    if portion and portion in found.portions:
        parts[portion] = found.portions[portion]
    return Why(seen, line, _checks(parts), _ways(parts), [name for name, one in parts.items() if not one.enough])


def _checks(parts: Mapping[str, Explanation]) -> Sequence[Check]:
    rows = []
    for number, name in enumerate(CHECKS, 1):
        reasons = {part: one.decision.reasons[number - 1] for part, one in parts.items()}
        for reason in dict.fromkeys(reasons.values()):
            about = [part for part, one in reasons.items() if one == reason]
            of = "both" if len(about) == len(reasons) > 1 else ", ".join(about)
            clause = f"{reason.instrument} clause {reason.clause}" if reason.clause else ""
            word, sign = _WORDS[reason.outcome], _SIGNS[reason.outcome]
            rows.append(Check(number, name, word, sign, of, reason.text, clause))
    return rows


def _ways(parts: Mapping[str, Explanation]) -> Sequence[tuple[str, str, str]]:
    found: dict[tuple[str, str], list[str]] = {}
    for part, one in parts.items():
        for change in one.changes:
            found.setdefault((change.who, change.text), []).append(part)
    return [(", ".join(about), who, text) for (who, text), about in found.items()]
