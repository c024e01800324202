"""Writing: a new record, or the next version of one, with a marking for each portion.

The form is shown again with how each marking reads until it can be stored; nothing typed is lost on the way.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from aldis.app import Go
from aldis.interfaces.cli.text import size, words
from aldis.interfaces.web.door import View
from aldis.interfaces.web.forms import Fields
from aldis.interfaces.web.frame import Frame
from aldis.interfaces.web.markings import Chip
from aldis.interfaces.web.pages.items import writable
from aldis.interfaces.web.visit import Sheet, Visit
from aldis.kernel.attachments import Attachment
from aldis.kernel.authority import Act
from aldis.kernel.errors import AldisError, InvalidInput, Stale, UnknownTerm
from aldis.kernel.labels import Label
from aldis.kernel.records import Draft, DraftPortion, Portion, Record

__all__ = ["views"]


@dataclass(frozen=True, slots=True)
class _Field:
    """A portion in the form: what was typed, how its marking reads, or why it does not."""

    name: str
    text: str
    marking: str
    prose: bool
    shape: str
    reads: Chip | None
    wrong: str
    files: list[_Choice] | None
    many: bool


@dataclass(frozen=True, slots=True)
class _Choice:
    """A file that the next version may have: its description as the form carries it, and whether it stays."""

    text: str
    name: str
    size: str
    stays: bool


@dataclass(frozen=True, slots=True)
class _Term:
    """A word that a marking may have: as it stands in a banner and in a portion mark."""

    name: str
    portion: str
    kind: str


def views(frame: Frame) -> Sequence[View]:
    """A new record, a revision, and how a marking reads."""

    def new(visit: Visit) -> Sheet:
        return _form(visit, frame, None)

    def revision(visit: Visit) -> Sheet:
        return _form(visit, frame, _own(visit))

    def put(visit: Visit) -> Sheet | Go:
        return new(visit) if visit.form.get("do") == "check" else _put(visit, frame)

    def revise(visit: Visit) -> Sheet | Go:
        return revision(visit) if visit.form.get("do") == "check" else _revise(visit, frame)

    def reading(visit: Visit) -> Sheet:
        """How the marking in the field that `of` names reads; a part of a page, for htmx."""
        typed = visit.form.get(visit.query.get("of"))
        chip, wrong = _read(frame, typed)
        return Sheet("reading.html", "Marking", {"reads": chip, "wrong": wrong})

    return [
        View("/records/new", new, put, need=Act.PUT, files=True),
        View("/records/{id}/revise", revision, revise, need=Act.REVISE, files=True),
        View("/marking", reading, reading, need=Act.PUT, reads=False),
    ]


def _own(visit: Visit) -> Record:
    return visit.node.records.own(visit.segments["id"], visit.who)


def _form(visit: Visit, frame: Frame, before: Record | None) -> Sheet:
    """The form, empty, or with what was typed, or with what the version before says."""
    node, form = visit.node, visit.form
    kinds = writable(visit)
    kind = before.header.kind if before else form.get("kind") or visit.query.get("kind")
    if kind and kind not in kinds:
        raise UnknownTerm(f"no kind {kind[:50]!r} to write", fix=f"There are: {', '.join(kinds)}")
    label = frame.markings.words(before.label) if before else ""
    marking = form.get("marking") if form else label
    chip, wrong = _read(frame, marking)
    rules = node.core.policies.policy(node.core.config.policy)
    terms = [_Term(rung.name, rung.portion, "classification") for rung in rules.ladder if rung.in_use(visit.at)]
    terms += [_Term(value.name, value.portion, tag) for tag, one in rules.categories.items()
              for value in one.values.values()]  # fmt: skip
    values = {
        "kinds": kinds,
        "kind": kind,
        "before": before.header if before else None,
        "previous": form.get("previous") if form else before.digest.hex() if before else "",
        "project": form.get("project") if form else before.header.project if before else node.core.config.project,
        "projects": sorted(visit.who.account.projects),
        "whole": marking,
        "reads": chip,
        "wrong": wrong,
        "control": form.get("control"),
        "sources": form.get("sources") if form else visit.query.get("sources"),
        "fields": sorted(
            [_field(visit, frame, kind, name, before) for name in _names(visit, kind)],
            key=lambda one: one.files is not None,
        ),
        "terms": terms,
        "policy": rules.name,
        "example": _example(rules.owner, rules.routine),
    }
    held = [before.label, *(portion.label for portion in before.portions)] if before else []
    title = f"Revise {before.header.id}" if before else "New record"
    return Sheet("write.html", title, values, [visit.level, *held])


def _example(owner: str, routine: str) -> str:
    friends = [party for party in ("AUS", "GBR", "USA") if party != owner][:2]
    return f"{routine}//REL {'/'.join([owner, *friends])}" if owner == "AUS" else routine


def _names(visit: Visit, kind: str) -> list[str]:
    return list(visit.node.core.kinds[kind].portions) if kind else []


def _field(visit: Visit, frame: Frame, kind: str, name: str, before: Record | None) -> _Field:
    form, type_ = visit.form, visit.node.core.kinds[kind].portions[name]
    held = before.portion(name) if before else None
    text = form.get(f"{name}.value") if form else words(held.value) if held else ""
    marking = form.get(f"{name}.marking") if form else frame.markings.words(held.label) if held else ""
    chip, wrong = _read(frame, marking)
    files = _choices(visit, name, held) if name in visit.node.core.kinds[kind].files else None
    plain = type_ is str or files is not None
    shape = "" if plain else msgspec.json.format(msgspec.json.encode(msgspec.json.schema(type_))).decode()
    return _Field(name, text, marking, type_ is str, shape, chip, wrong, files, type_ is not Attachment)


def _choices(visit: Visit, name: str, held: Portion | None) -> list[_Choice]:
    """The files of the version before, and those that came with a form that failed."""
    before = _described(held.value if held else None)
    given = _kept(visit.form, name) if visit.form else before
    by_name = {one.name: one for one in (*before, *given)}
    return [
        _Choice(msgspec.json.encode(one).decode(), one.name, size(one.size), one in given) for one in by_name.values()
    ]


def _described(value: Any) -> list[Attachment]:
    listed = value if isinstance(value, list) else [] if value is None else [value]
    return [msgspec.convert(one, Attachment) for one in listed]


def _kept(form: Fields, name: str) -> list[Attachment]:
    """The files that a form names for a portion; a later one takes the place of one of the same name.

    Raises:
        InvalidInput: a description that this node did not write.
    """
    try:
        found = [msgspec.json.decode(text, type=Attachment) for text in form.all(f"{name}.files")]
    except msgspec.DecodeError as error:
        raise InvalidInput(f"the files of {name!r} are not those of this form", fix="Open it again") from error
    return list({one.name: one for one in found}.values())


def _read(frame: Frame, marking: str) -> tuple[Chip | None, str]:
    """How a marking reads, or what is wrong with it; neither where there is none."""
    if not marking.strip():
        return None, ""
    try:
        return frame.markings.chip(frame.markings.read(marking)), ""
    except AldisError as error:
        return None, str(error)


def _put(visit: Visit, frame: Frame) -> Go:
    record = visit.node.records.put(_draft(visit, frame, None), visit.who)
    return Go(Fields.address(f"/records/{record.header.id}", done="stored"))


def _revise(visit: Visit, frame: Frame) -> Go:
    before = _own(visit)
    if visit.form.get("previous") != before.digest.hex():
        raise Stale(
            f"version {before.header.version} was written since you opened this form",
            fix="Read it in another tab, put into this form what is to stay, and send it again",
        )
    record = visit.node.records.revise(before.header.id, _draft(visit, frame, before), visit.who)
    return Go(Fields.address(f"/records/{record.header.id}", done="stored"))


def _draft(visit: Visit, frame: Frame, before: Record | None) -> Draft:
    """The record that the form states.

    Raises:
        InvalidInput, UnknownTerm: a marking or a value that cannot be read, or nothing to store.
    """
    node, form = visit.node, visit.form
    kind = before.header.kind if before else form.get("kind")
    if kind not in writable(visit):
        raise UnknownTerm(f"no kind {kind[:50]!r} to write", fix=f"There are: {', '.join(writable(visit))}")
    sources = [node.records.get(name, viewer=visit.who).record() for name in form.words("sources")]
    control = frozenset(form.words("control"))
    whole = frame.markings.read(form.get("marking")) if form.get("marking").strip() else None
    parts = []
    for name in _names(visit, kind):
        type_ = node.core.kinds[kind].portions[name]
        kept = _kept(form, name) if name in node.core.kinds[kind].files else []
        if not kept and not form.get(f"{name}.value").strip():
            continue
        marking = form.get(f"{name}.marking").strip()
        label = frame.markings.read(marking) if marking else whole
        if label is None:
            raise InvalidInput(f"portion {name!r} has no marking, and the record has none either", fix="Give it one")
        held = before.portion(name) if before else None
        value = (kept[-1] if type_ is Attachment else kept) if kept else _value(form.get(f"{name}.value"), type_, name)
        parts.append(DraftPortion(name, _bound(visit, label, control, sources, held.label if held else None), value))
    if not parts:
        raise InvalidInput("nothing is written", fix="Fill in a portion")
    header = whole or node.core.policies.roll_up([part.label for part in parts], node.core.config.policy, visit.at)
    return Draft(
        kind=kind,
        id=before.header.id if before else "",
        originator=node.name,
        author=visit.who.id,
        created=visit.at,
        label=_bound(visit, header, control, sources, before.label if before else None),
        portions=parts,
        project=form.get("project").strip(),
        sources=[source.digest for source in sources],
    )


def _value(text: str, type_: Any, name: str) -> Any:
    if type_ is str:
        return text
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError) as error:
        raise InvalidInput(
            f"portion {name!r} is not JSON: {error}", fix="Mend it; its shape stands below it"
        ) from error


def _bound(
    visit: Visit, label: Label, control: frozenset[str], sources: Iterable[Record], before: Label | None
) -> Label:
    """The label with what goes on binding it: the export control and origins of its sources and of the version before.

    A tag that was set is taken off by nobody who only revises the text.
    """
    parties, own = visit.node.partners.parties(), visit.node.core.party
    tags, origins = label.control | control, label.origins
    for source in sources:
        for held in (source.label, *(portion.label for portion in source.portions)):
            tags, origins = tags | held.control, origins | held.origins
        origins |= frozenset({parties.get(source.header.originator, "")}) - {"", own}
    if before is not None:
        tags, origins = tags | before.control, origins | before.origins
    return label.narrowed(control=tags, origins=origins)
