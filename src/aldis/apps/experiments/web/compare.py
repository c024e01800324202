"""Compare: this nation's picture beside what partners get of it from here, and why each field goes as it does.

For release officers: it shows at a glance what each partner knows and does not know from here, which is their office.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from aldis.app import Context, Page, Shown
from aldis.apps.experiments.web.charting import chart_row, chart_rows
from aldis.apps.experiments.web.compare_panes import Seen, panes
from aldis.apps.experiments.web.compare_why import why
from aldis.kernel.authority import Act
from aldis.kernel.errors import AldisError, RefusedByPolicy, UnknownTerm
from aldis.kernel.labels import Label

__all__ = ["PAGES", "Asked", "AskedWhy", "chosen"]

_INSTRUMENT = 4
"""The check that an instrument in force covers it."""
_STEP_MS = 5_000
_LOOKS = 10
"""Looks of a stream, at ten a second, of which one is taken."""


class Asked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which partners, the words that a track has, and where in the list."""

    to: str = ""
    also: str = ""
    text: str = ""
    cursor: str = ""


class AskedWhy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One field: of the track with this id of a node, for a partner; no portion is that the track is there."""

    node: str
    record: str
    partner: str
    portion: str = ""


def check_cleared(ctx: Context) -> None:
    """Return if whoever asks is cleared for Compare.

    Raises:
        RefusedByPolicy: they may not rule on releases.
    """
    if ctx.person is not None and Act.RULE.value not in ctx.person.acts:
        raise RefusedByPolicy(
            "pictures are compared by release officers", fix="`aldis people set PERSON --role release-officer`"
        )


def chosen(ctx: Context, asked: Asked) -> Sequence[str]:
    """The partners whose panes are asked for: those named, else the first two.

    Raises:
        UnknownTerm: nothing goes to one of them.
    """
    there = sorted(ctx.recipients())
    named = list(dict.fromkeys(one for one in (asked.to, asked.also) if one))
    for one in named:
        if one not in there:
            raise UnknownTerm(f"nothing goes to {one[:64]!r}", fix="Choose another partner")
    return named or there[:2]


def _rows(ctx: Context, asked: Asked) -> Shown:
    partners = chosen(ctx, asked)
    found = panes(ctx, partners, asked.text.strip(), asked.cursor)
    values = {
        "asked": asked,
        "own": ctx.node,
        "own_party": ctx.party,
        "partners": partners,
        "parties": ctx.recipients(),
        "found": found,
        "maps": [_map(ctx, name, found.places[name]) for name in ("", *partners)],
        "now": _now(ctx),
        "gone": False,
        "marks": _marks(ctx, found.labels),
    }
    return Shown(values, found.labels)


def _map(ctx: Context, partner: str, places: Sequence[tuple[Seen, Mapping[str, Any]]]) -> tuple[str, str]:
    """A partner, "" for this node, and the rows of its map: where things are as far as it was told."""
    now, parties = _now(ctx), ctx.parties()
    heads = [(one.record.header, one.record.label, values) for one, values in places]
    rows = [chart_row((head.originator, head.id), label, values, parties, now) for head, label, values in heads]
    return partner, chart_rows(rows)


def _now(ctx: Context) -> int:
    """By whole steps, so that nothing is sent again only because it is later."""
    return ctx.now() // _STEP_MS * _STEP_MS


def _marks(ctx: Context, labels: Sequence[Label]) -> str:
    """Names of labels: what has no other names than a page may stand on it, below its banner."""
    return " ".join(sorted({ctx.opaque(ctx.marking(label)) for label in labels}))


def _compare(ctx: Context, asked: Asked) -> Shown:
    check_cleared(ctx)
    return _rows(ctx, asked)


def _feed(ctx: Context, asked: Asked) -> Callable[[Context], Shown | None]:
    """The rows again, once a second; what is as it was before is not sent."""
    check_cleared(ctx)
    chosen(ctx, asked)
    looks = itertools.count()

    def look(now: Context) -> Shown | None:
        if next(looks) % _LOOKS:
            return None
        try:
            return _compare(now, asked)
        except AldisError:
            return Shown({"gone": True, "marks": "", "maps": [], "now": 0}, [])

    return look


def _why(ctx: Context, asked: AskedWhy) -> Shown:
    check_cleared(ctx)
    found = why(ctx, asked.node, asked.record, asked.portion, asked.partner)
    clause = next((one.clause for one in reversed(found.checks) if one.number == _INSTRUMENT), "")
    values = {"why": found, "cell": found.line.cells[0], "asked": asked, "clause": clause}
    values |= {"party": ctx.recipients()[asked.partner], "marks": _marks(ctx, found.seen.labels)}
    return Shown(values, found.seen.labels)


PAGES = (
    Page("GET", "/compare", "Compare", Asked, _compare, "compare.html", workers=True, linked=True, act="rule"),
    Page("FEED", "/compare/feed", "Compare", Asked, _feed, "compare_rows.html"),
    Page("GET", "/compare/why", "Why", AskedWhy, _why, "compare_why.html"),
)
