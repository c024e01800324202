"""Preview: before anyone signs some instruments, what they would newly release together, and to whom."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from types import MappingProxyType

from aldis.kernel.changes import adopt
from aldis.kernel.epoch import PartnerStatus, PolicyEpoch
from aldis.kernel.errors import InvalidInput
from aldis.kernel.instruments import Instrument
from aldis.kernel.release import NO_GRANTS, Request, Terms, Verdict, View, compile_terms, requests_for

__all__ = ["Gain", "Loss", "Passed", "Preview", "preview"]

_YES = Verdict.PERMIT


@dataclass(frozen=True, slots=True)
class Passed:
    """A record of another node's: its originator's onward `grants`, and `known`, the nodes that have it already.

    `name` is how a preview calls it.
    """

    view: View
    name: str
    grants: Mapping[str, Collection[bytes]]
    known: frozenset[str]


@dataclass(frozen=True, slots=True)
class Gain:
    """What one recipient would newly get.

    `records` are ids of records of which the header or a portion is new to it, sorted; `portions` counts those
    portions by name; `control` counts the newly released parts by export-control tag; `referred` are ids of
    records that would newly wait for a release officer. Of `records`, `kinds` counts them by kind, `classes` by the
    policy and classification of what is new of each (one may count under several), and `controlled` are the ids of
    those with an export-control tag in what is new.
    """

    node: str
    party: str
    records: tuple[str, ...]
    portions: Mapping[str, int]
    control: Mapping[str, int]
    referred: tuple[str, ...]
    kinds: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    classes: Mapping[tuple[str, str], int] = field(default_factory=lambda: MappingProxyType({}))
    controlled: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Loss:
    """What one recipient would no longer get: ids of records of which some part would stop, sorted, and by kind."""

    node: str
    party: str
    records: tuple[str, ...]
    kinds: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Preview:
    """What drafts would newly release at the instant `at`, if every party to them had signed.

    `at` is the instant asked for, or the first at which every draft has begun where that is later. `lacking` are ids of
    instruments under which a draft stands and that would still not be in force. `narrowed` are ids of records of
    which some part would no longer go to somebody: an amendment can take away; `losses` are the same by recipient.
    """

    instruments: tuple[str, ...]
    lacking: tuple[str, ...]
    at: int
    seen: int
    gains: tuple[Gain, ...]
    narrowed: tuple[str, ...]
    losses: tuple[Loss, ...] = ()


@dataclass(slots=True)
class _Tally:
    records: set[str] = field(default_factory=set)
    referred: set[str] = field(default_factory=set)
    narrowed: set[str] = field(default_factory=set)
    controlled: set[str] = field(default_factory=set)
    portions: Counter[str] = field(default_factory=Counter)
    control: Counter[str] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    classes: Counter[tuple[str, str]] = field(default_factory=Counter)
    lost: Counter[str] = field(default_factory=Counter)


def preview(drafts: Sequence[Instrument], epoch: PolicyEpoch, rows: Iterable[View | Passed], at: int) -> Preview:
    """What `drafts` together would newly release of `rows` to each active partner, for any purpose that they name.

    A record counts where its header would go; a portion is new where it would go now and would not have before. Another
    node's goes as far as its grants, and never transformed.

    Raises:
        InvalidInput: no draft, or two of one instrument.
    """
    if not drafts:
        raise InvalidInput("no draft to preview", fix="Name one or more instruments")
    names = tuple(draft.id for draft in drafts)
    if len(set(names)) < len(names):
        raise InvalidInput(f"two drafts of one instrument: {', '.join(names)}", fix="Name one draft of each")
    instant = max(at, *(draft.start for draft in drafts))
    signed = reduce(adopt, drafts, epoch)
    nodes = [partner for partner in epoch.partners if partner.status is PartnerStatus.ACTIVE]
    terms = {
        partner.node: (
            compile_terms(epoch, partner.node, None, instant),
            compile_terms(signed, partner.node, None, instant),
        )
        for partner in nodes
    }
    tallies = {partner.node: _Tally() for partner in nodes}
    seen = 0
    for row in rows:
        seen += 1
        for node, (before, after) in terms.items():
            if not isinstance(row, Passed) or node not in row.known:
                _count(row, node, before, after, tallies[node])
    gains = tuple(
        Gain(
            node=partner.node,
            party=partner.party,
            records=tuple(sorted(tally.records)),
            portions=MappingProxyType(dict(sorted(tally.portions.items()))),
            control=MappingProxyType(dict(sorted(tally.control.items()))),
            referred=tuple(sorted(tally.referred)),
            kinds=MappingProxyType(dict(sorted(tally.kinds.items()))),
            classes=MappingProxyType(dict(sorted(tally.classes.items()))),
            controlled=tuple(sorted(tally.controlled)),
        )
        for partner, tally in zip(nodes, tallies.values(), strict=True)
        if tally.records or tally.referred
    )
    losses = tuple(
        Loss(
            node=partner.node,
            party=partner.party,
            records=tuple(sorted(tally.narrowed)),
            kinds=MappingProxyType(dict(sorted(tally.lost.items()))),
        )
        for partner, tally in zip(nodes, tallies.values(), strict=True)
        if tally.narrowed
    )
    narrowed = sorted(set().union(*(tally.narrowed for tally in tallies.values())))
    parents = {draft.under for draft in drafts if draft.under}
    lacking = sorted(name for name in parents if signed.instruments.standing(name, instant) is None)
    return Preview(names, tuple(lacking), instant, seen, gains, tuple(narrowed), losses)


def _count(row: View | Passed, node: str, before: Terms, after: Terms, tally: _Tally) -> None:
    own = not isinstance(row, Passed)
    view, name, grants = (row.view, row.name, row.grants) if isinstance(row, Passed) else (row, row.id, NO_GRANTS)
    asked = [request for _, request in requests_for(view, node, None, grants=grants)]
    old, new = (_goes(asked, terms, own=own) for terms in (before, after))
    gained = [request for request, then, now in zip(asked, old, new, strict=True) if now is _YES and then is not _YES]
    if gained:
        tally.records.add(name)
        tally.portions.update(request.portion for request in gained if request.portion)
        tally.control.update(tag for request in gained for tag in request.label.control)
        tally.kinds[view.kind] += 1
        tally.classes.update({(request.label.policy, request.label.classification) for request in gained})
        if any(request.label.control for request in gained):
            tally.controlled.add(name)
    if any(then is _YES and now is not _YES for then, now in zip(old, new, strict=True)):
        tally.narrowed.add(name)
        tally.lost[view.kind] += 1
    if Verdict.REFER in new and Verdict.REFER not in old:
        tally.referred.add(name)


def _goes(asked: list[Request], terms: Terms, *, own: bool) -> list[Verdict]:
    """What would become of the header and of each portion; a portion goes no further than its header."""
    first, *rest = [terms.decide(request) for request in asked]
    header = first.verdict
    portions = [one.verdict if own or not one.transforms else Verdict.REFUSE for one in rest]
    if header is Verdict.REFUSE:
        return [header] * len(asked)
    return [header, *(portion if header is _YES or portion is Verdict.REFUSE else header for portion in portions)]
