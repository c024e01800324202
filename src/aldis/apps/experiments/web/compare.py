"""Compare: this nation's picture beside what partners get of it from here, and why each field goes as it does.

For release officers: it shows at a glance what each partner knows and does not know from here, which is their office.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from aldis.app import Context, Page, Shown
from aldis.apps.experiments.web.compare_panes import panes
from aldis.apps.experiments.web.compare_why import why
from aldis.kernel.authority import Act
from aldis.kernel.errors import RefusedByPolicy, UnknownTerm

__all__ = ["PAGES", "Asked", "AskedWhy", "chosen"]


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


def _compare(ctx: Context, asked: Asked) -> Shown:
    check_cleared(ctx)
    partners, parties = chosen(ctx, asked), ctx.recipients()
    found = panes(ctx, partners, asked.text.strip(), asked.cursor)
    values = {
        "asked": asked,
        "own": ctx.node,
        "own_party": ctx.party,
        "partners": partners,
        "parties": parties,
        "found": found,
        "places": {name: msgspec.json.encode(rows).decode() for name, rows in found.places.items()},
        "now": ctx.now(),
    }
    return Shown(values, found.labels)


def _why(ctx: Context, asked: AskedWhy) -> Shown:
    check_cleared(ctx)
    found = why(ctx, asked.node, asked.record, asked.portion, asked.partner)
    values = {"why": found, "cell": found.line.cells[0], "asked": asked, "party": ctx.recipients()[asked.partner]}
    return Shown(values, found.seen.labels)


PAGES = (
    Page("GET", "/compare", "Compare", Asked, _compare, "compare.html"),
    Page("GET", "/compare/why", "Why", AskedWhy, _why, "compare_why.html"),
)
