"""Starting a project between parties, and taking one more in: the arrangement, and what it would release."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime

import msgspec

from aldis.app import Context
from aldis.apps.workspace.items import Item
from aldis.apps.workspace.kinds import KINDS, Charter, Ref
from aldis.apps.workspace.project import Project
from aldis.kernel.errors import InvalidInput, UnknownTerm
from aldis.kernel.instruments import Clause, Form, Instrument, covers, parse_instrument, write_instrument
from aldis.kernel.labels import Label
from aldis.kernel.policies import builtin
from aldis.kernel.preview import Preview

__all__ = ["OTHERS", "TEMPLATES", "Beginning", "Extension", "Glimpse", "begin", "extend"]

OTHERS = (
    "Of other nodes' items this counts what they let this node pass on. What they themselves release to the newcomer is"
    " theirs to decide."
)
TEMPLATES: Mapping[str, int] = {"bilateral": 2, "trilateral": 3}
"""How many parties each template of a project is between."""
_NAME = re.compile(r"[A-Z0-9][A-Z0-9-]{0,47}")
_PURPOSE = "collaboration"
_YEARS = 3


class Beginning(msgspec.Struct, frozen=True):
    """A project that is about to begin: its charter, its arrangement (TOML), and what that would release beside it."""

    name: str
    title: str
    purpose: str
    charter: Charter
    marking: str
    arrangement: str
    preview: Preview

    def put(self, ctx: Context, author: str = "operator") -> Item:
        """Write the charter; the arrangement is for an operator to draft and for its parties to sign.

        Raises:
            InvalidInput: there is such a project here by now.
            RefusedByPolicy: whoever asks may not write it.
        """
        project = Project(ctx, self.name, author)
        if project.board.charter is not None:
            raise InvalidInput(f"there is a project {self.name!r} already", fix="Choose another name, or extend it")
        parts = {"title": self.title, "purpose": self.purpose, "charter": self.charter}
        made = project.add("charter", parts, {"": self.marking} if self.marking else {})
        return project.card(Ref(made.header.originator, made.header.id)).item


class Glimpse(msgspec.Struct, frozen=True):
    """One item held here, and whether a newcomer would get it from here; `labels` are those of what is said of it."""

    ref: Ref
    kind: str
    title: str
    goes: bool
    labels: tuple[Label, ...]


class Extension(msgspec.Struct, frozen=True):
    """A project that is about to take a party in: its next charter, the amended arrangement, what the newcomer gets.

    `items` are all of this node's items in sight, whoever gets them.
    """

    project: str
    party: str
    charter: Ref
    terms: Charter
    marking: str
    arrangement: str
    preview: Preview
    items: tuple[Glimpse, ...]

    @property
    def goes(self) -> tuple[Glimpse, ...]:
        """What the newcomer would get."""
        return tuple(item for item in self.items if item.goes)

    def put(self, ctx: Context, author: str = "operator") -> Item:
        """Write the charter's next version; the amendment is for an operator to draft.

        Raises:
            RefusedByPolicy: whoever asks may not write it.
        """
        project = Project.open(ctx, self.project, author)
        seen = {part.name for part in project.card(self.charter).item.parts}
        marks = dict.fromkeys(("header", *seen), self.marking) if self.marking else {}
        project.revise(self.charter, {"charter": self.terms}, marks)
        return project.card(self.charter).item


def begin(
    ctx: Context,
    name: str,
    *,
    template: str,
    partners: Sequence[str],
    title: str,
    purpose: str = "",
    marking: str = "",
    ceilings: Mapping[str, str] | None = None,
    begins: date | None = None,
    ends: date | None = None,
) -> Beginning:
    """What it takes to begin a project between this node's party and others; nothing is written yet.

    `ceilings` raise the classification that may be shared, by policy: else that of everyday official papers.

    Raises:
        InvalidInput, UnknownTerm: a name, party, template or day that cannot be; a project that is here already.
        RefusedByPolicy: whoever asks may not ask what would be released.
    """
    if not _NAME.fullmatch(name):
        raise InvalidInput(
            f"{name[:60]!r} is no name of a project", fix="Capitals, digits and hyphens, as in SEA-WATCH"
        )
    parties = _parties(ctx, template, partners)
    if ctx.standing(name, ("charter",)):
        raise InvalidInput(f"there is a project {name!r} already", fix="Choose another name, or extend it")
    first = begins or _day(ctx.now())
    last = ends or _later(first, _YEARS)
    if last < first:
        raise InvalidInput(f"it ends on {last}, before it begins", fix="Give a later day")
    instrument = f"pa-{name.lower()}"
    text = write_instrument(
        parse_instrument(_text(instrument, title, parties, name, first, last, ceilings or {}), builtin())
    )
    charter = Charter(sorted(parties), first, last, instrument)
    return Beginning(name, title, purpose, charter, marking, text, ctx.preview(text))


def extend(ctx: Context, project: Project, party: str, *, marking: str = "") -> Extension:
    """What it takes to take a party into a project, and what it would get; nothing is written yet.

    Raises:
        UnknownTerm: no such party, or no node of it is paired with this one; the arrangement is not here.
        InvalidInput: it is in the project already; the charter or arrangement is another nation's to amend.
    """
    charter = _own_charter(ctx, project)
    terms = charter.part("charter", Charter)
    if terms is None:
        raise InvalidInput(f"the terms of {project.name}'s charter are not in sight", fix="Sign in at a higher level")
    _known(ctx, party)
    if party in terms.parties:
        raise InvalidInput(f"{party} is in {project.name} already", fix="Nothing is to do")
    amended = write_instrument(_with(_arrangement(ctx, terms.instrument), project.name, party))
    preview = ctx.preview(amended)
    gained = {record for gain in preview.gains if gain.party == party for record in gain.records}
    if marking and party in ctx.label(marking).releasable.parties:
        gained.add(charter.ref.id)
    items = tuple(
        Glimpse(item.ref, item.kind, item.title, goes, item.labels)
        for item in project.board.items
        for own in (item.ref.node == ctx.node,)
        for goes in ((item.ref.id if own else str(item.ref)) in gained,)
        if own or goes
    )
    new = Charter(sorted({*terms.parties, party}), terms.begins, terms.ends, terms.instrument)
    return Extension(project.name, party, charter.ref, new, marking, amended, preview, items)


def _own_charter(ctx: Context, project: Project) -> Item:
    charter = next((card.item for card in project.board.of("charter") if card.item.ref.node == ctx.node), None)
    if charter is None:
        raise InvalidInput(
            f"this node wrote no charter of {project.name}", fix="Ask the nation that did: it alone amends it"
        )
    return charter


def _parties(ctx: Context, template: str, partners: Sequence[str]) -> frozenset[str]:
    count = TEMPLATES.get(template)
    if count is None:
        raise UnknownTerm(f"no template {template[:40]!r}", fix=f"There are: {', '.join(TEMPLATES)}")
    for party in partners:
        _known(ctx, party, paired=False)
    parties = frozenset({ctx.party, *partners})
    if len(parties) != count or len(partners) != count - 1:
        raise InvalidInput(
            f"a {template} project is between {count} parties, {ctx.party} among them",
            fix=f"Name {count - 1} other than {ctx.party}",
        )
    return parties


def _known(ctx: Context, party: str, *, paired: bool = True) -> None:
    if party not in builtin().parties:
        raise UnknownTerm(f"{party[:20]!r} is not a party", fix="Use ISO 3166 alpha-3 such as NZL")
    if paired and party not in ctx.parties().values():
        raise UnknownTerm(f"no node of {party} is paired with this one", fix=f"`aldis invite {party}` comes first")


def _text(
    instrument: str, title: str, parties: Collection[str], project: str, first: date, last: date,
    ceilings: Mapping[str, str],
) -> str:  # fmt: skip
    """One clause: every party gives and takes what a project is made of, and may pass it on to the others."""
    until = int(datetime(last.year, last.month, last.day, tzinfo=UTC).timestamp() * 1000) + 86_400_000
    start = int(datetime(first.year, first.month, first.day, tzinfo=UTC).timestamp() * 1000)
    clause = Clause(
        id="1",
        givers=frozenset(parties),
        takers=frozenset(parties),
        kinds=frozenset(kind.name for kind in KINDS),
        projects=frozenset({project}),
        purposes=frozenset({_PURPOSE}),
        ceiling=tuple((_ceilings(parties) | dict(ceilings)).items()),
        onward=frozenset(parties) if len(parties) > 2 else frozenset(),
    )
    return write_instrument(
        Instrument(Form.ARRANGEMENT, instrument, title, frozenset(parties), start, until, (clause,))
    )


def _ceilings(parties: Collection[str]) -> dict[str, str]:
    """The everyday official level of each party's own policy; a party without a policy of its own adds none."""
    found = {}
    for party in parties:
        try:
            policy = builtin().policy_of(party)
        except UnknownTerm:
            continue
        found[policy.name] = policy.routine
    return found


def _arrangement(ctx: Context, name: str) -> Instrument:
    try:
        portion = ctx.get(name).portion("text") if name else None
    except UnknownTerm:
        portion = None
    if portion is None:
        raise UnknownTerm(
            f"the arrangement {name!r} of the charter is not here", fix="`aldis instrument list` names those that are"
        )
    return parse_instrument(portion.value, builtin())


def _with(instrument: Instrument, project: str, party: str) -> Instrument:
    """The instrument with one party more, wherever the clauses of this project speak of all parties."""
    clauses = tuple(_clause(clause, instrument.parties, project, party) for clause in instrument.clauses)
    return replace(instrument, parties=instrument.parties | {party}, clauses=clauses)


def _clause(clause: Clause, parties: frozenset[str], project: str, party: str) -> Clause:
    if not covers(clause.projects, project):
        return clause
    more = frozenset({party})
    onward = parties | more if len(parties) == 2 and not clause.onward else clause.onward
    return replace(
        clause,
        givers=clause.givers | more if clause.givers == parties else clause.givers,
        takers=clause.takers | more if clause.takers == parties else clause.takers,
        onward=onward | more if parties <= onward else onward,
        ceiling=tuple({**_ceilings(more), **dict(clause.ceiling)}.items()),
    )


def _day(at: int) -> date:
    return datetime.fromtimestamp(at // 1000, UTC).date()


def _later(day: date, years: int) -> date:
    return date(day.year + years, day.month, min(day.day, 28))
