"""Precedents: what officers ruled in cases alike, best match first, each with what is alike and what is not.

They inform an officer and decide nothing. Only rulings that the viewer may see count, also in the figures.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from aldis.kernel.errors import AldisError
from aldis.kernel.labels import Label
from aldis.node.cases import Cases, Look
from aldis.node.core import Core
from aldis.node.store import Referral, Shape
from aldis.node.store.referrals import State
from aldis.node.store.shapes import NOBODY

__all__ = ["Precedent", "Precedents", "find_precedents"]

_SHAPES = 100
_EACH = 20
_MOST = 200
_SHOWN = 5


class Precedent(msgspec.Struct, frozen=True):
    """An earlier ruling: its number, record and partner, what was ruled by whom, why and when (ms since 1970 UTC).

    `alike` and `differs` name partner, clause, label, project and portions.
    """

    number: int
    record: str
    version: int
    partner: str
    state: State
    because: str
    officer: str
    at: int
    alike: tuple[str, ...]
    differs: tuple[str, ...]


class Precedents(msgspec.Struct, frozen=True):
    """The best matches, and how many of those looked at (the newest of each sort) were approved and denied."""

    best: tuple[Precedent, ...]
    approved: int
    denied: int


class _Match(NamedTuple):
    """How much two cases have in common, and what."""

    score: int
    alike: tuple[str, ...]
    differs: tuple[str, ...]


def find_precedents(core: Core, cases: Cases, one: Referral, look: Look) -> Precedents:
    """Rulings in cases like a referral's, of the same kind of record; the viewer may see that referral.

    What is read does not grow with the number of rulings: the newest 20 of each of the 100 shapes most alike.
    """
    store, visible = core.store, look.shapes
    mine = visible[one.shape]
    kind = store.profiles.profile(mine.profile).kind
    matches = {
        id_: _compare(core, mine, shape)
        for id_, shape in visible.items()
        if store.profiles.profile(shape.profile).kind == kind
    }
    nearest = sorted(matches, key=lambda id_: (-matches[id_].score, -id_))[:_SHAPES]
    [row] = store.records.rows([one.record_seq])
    before = store.docket.of_record(row.id, row.originator, one.partner)
    same = {other.id for other in before}
    held = [*store.docket.ruled(nearest, one.partner, _EACH), *before]
    found = {
        other.id: (_whole(matches[other.shape], one, other, other.id in same), other)
        for other in held
        if other.id != one.id and other.state in ("approved", "denied") and other.shape in matches
    }
    ranked = sorted(found.values(), key=lambda pair: (-pair[0].score, -pair[1].at, pair[1].id))[:_MOST]
    shown = [(match, other) for match, other in ranked if cases.seen(other, look) is not None]
    best = [_told(core, match, other) for match, other in shown[:_SHOWN]]
    approved = sum(other.state == "approved" for _, other in shown)
    return Precedents(tuple(best), approved, len(shown) - approved)


def _compare(core: Core, mine: Shape, other: Shape) -> _Match:
    """Label, project and portions of two shapes."""
    profiles = core.store.profiles
    score, alike, differs = 0, list[str](), list[str]()
    ours, theirs = profiles.profile(mine.profile), profiles.profile(other.profile)
    our_labels, their_labels = _labels(core, mine), _labels(core, other)
    if our_labels == their_labels:
        score, alike = score + 3, [*alike, "label"]
    else:
        step = _step(core, our_labels, their_labels)
        score += bool(step)
        differs.append(f"label ({step})" if step else "label")
    if ours.project == theirs.project:
        score, alike = score + 2, [*alike, "project"]
    else:
        differs.append("project")
    if mine.names == other.names:
        score, alike = score + 2, [*alike, "portions"]
    else:
        score += bool((mine.names & other.names) - {""})
        differs.append("portions")
    return _Match(score, tuple(alike), tuple(differs))


def _whole(match: _Match, one: Referral, other: Referral, same: bool) -> _Match:
    """The match of two shapes with what the referrals themselves have in common."""
    score, alike, differs = match.score, list(match.alike), list(match.differs)
    for word, equal, weight in (
        ("clause", one.grounds == other.grounds, 3), ("partner", one.partner == other.partner, 4),
    ):  # fmt: skip
        score += weight * equal
        (alike if equal else differs).insert(0, word)
    if same:
        score, alike = score + 4, ["record", *alike]
    return _Match(score, tuple(alike), tuple(differs))


def _labels(core: Core, shape: Shape) -> frozenset[Label]:
    return frozenset(core.store.profiles.profile(profile).label for profile in shape.profiles - {NOBODY})


def _step(core: Core, ours: Iterable[Label], theirs: Iterable[Label]) -> str:
    """Whether what was ruled on then was classified higher or lower; nothing where that cannot be said."""
    try:
        mine, other = (
            max((core.policies.policy(label.policy).rank(label.classification), label.policy) for label in labels)
            for labels in (ours, theirs)
        )
    except (AldisError, ValueError):
        return ""
    if mine[1] != other[1]:
        return ""
    return "higher" if other[0] > mine[0] else "lower" if other[0] < mine[0] else "as high"


def _told(core: Core, match: _Match, other: Referral) -> Precedent:
    [row] = core.store.records.rows([other.record_seq])
    said = [one for one in core.store.referrals.rulings(other.id) if one.verdict == other.state]
    last = said[-1] if said else None
    return Precedent(
        number=other.number, record=row.id, version=row.version, partner=other.partner, state=other.state,
        because=last.because if last else other.because, officer=last.officer if last else "", at=other.at,
        alike=match.alike, differs=match.differs,
    )  # fmt: skip
