"""Drafting an instrument, or its next version, as the TOML that it is signed as; checked and previewed before."""

from __future__ import annotations

from collections.abc import Sequence

from aldis.app import Go
from aldis.interfaces.web.door import View
from aldis.interfaces.web.forms import Fields
from aldis.interfaces.web.frame import Frame
from aldis.interfaces.web.pages.agreed import clauses, labels_of_entry, path_of_instrument
from aldis.interfaces.web.pages.beginnings import TEMPLATES, begin
from aldis.interfaces.web.pages.previews import outlook
from aldis.interfaces.web.visit import Sheet, Visit
from aldis.kernel.authority import Act
from aldis.kernel.encoding import digest_from_hex
from aldis.kernel.errors import AldisError, InvalidInput, UnknownTerm
from aldis.kernel.instruments import Entry, Instrument, compare, parse_instrument
from aldis.kernel.labels import Label
from aldis.node.instruments import instrument_text

__all__ = ["views"]

_LEAST_ROWS, _MOST_ROWS = 16, 40


def views(frame: Frame) -> Sequence[View]:
    """A new draft, the reading of one while it is typed, and the next version of an instrument."""

    def new(visit: Visit) -> Sheet:
        return _form(visit, frame, None)

    def amended(visit: Visit) -> Sheet:
        return _form(visit, frame, _before(visit))

    def put(visit: Visit) -> Sheet | Go:
        return _put(visit, frame, None)

    def amend(visit: Visit) -> Sheet | Go:
        return _put(visit, frame, _before(visit))

    return [
        View("/drafts", new, put, need=Act.DRAFT),
        View("/drafts/reading", _reading, _reading, need=Act.DRAFT, reads=False),
        View("/instruments/{instrument}/amend", amended, amend, need=Act.DRAFT),
    ]


def _before(visit: Visit) -> Entry:
    """The newest version of an instrument that this node drafted and the person sees.

    Raises:
        UnknownTerm: there is none.
    """
    entry = visit.node.register.entries(visit.segments["instrument"], visit.who)[-1]
    if visit.node.records.by_digest(entry.digest, visit.who).originator != visit.node.name:
        raise UnknownTerm("this node did not draft it")
    return entry


def _form(visit: Visit, frame: Frame, before: Entry | None, *, looked: bool = False) -> Sheet:
    """The form, with what was typed, or the version before, or a template; once `looked` with what it would do."""
    if not visit.resident:
        raise UnknownTerm("no such page")
    node, form = visit.node, visit.form
    record = node.records.by_digest(before.digest, visit.who).record() if before else None
    template = visit.query.get("template") if visit.query.get("template") in TEMPLATES else next(iter(TEMPLATES))
    text = form.get("text")
    if not form:
        text = instrument_text(record) if record else begin(template, node, visit.at)
    read, wrong = _read(visit, text) if form else (None, "")
    seen = outlook(visit, frame, text) if looked and read else None
    name = before.instrument.id if before else ""
    values = {
        "before": name,
        "here": lambda below="": path_of_instrument(name, below),
        "action": path_of_instrument(name, "/amend") if before else Fields.address("/drafts", template=template),
        "digest": form.get("digest") if form else before.digest.hex() if before else "",
        "templates": list(TEMPLATES),
        "template": template,
        "text": text,
        "rows": min(_MOST_ROWS, max(_LEAST_ROWS, text.count("\n") + 2)),
        "wrong": wrong,
        "read": read if looked else None,
        "clauses": clauses(read) if read and looked else [],
        "found": compare(before.instrument, read) if before and read and looked else None,
        "marking": form.get("marking") if form else frame.markings.words(record.label) if record else "",
        "seen": seen,
    }
    labels = [*(labels_of_entry(visit, [before]) if before else []), *([visit.level] if form else []),
              *(seen.labels if seen else [])]  # fmt: skip
    title = f"Amend {name}" if before else "Draft an instrument"
    return Sheet("draft.html", title, values, labels or [visit.routine])


def _put(visit: Visit, frame: Frame, before: Entry | None) -> Sheet | Go:
    if not visit.resident:
        raise UnknownTerm("no such page")
    form, register = visit.form, visit.node.register
    text, marking = form.get("text"), form.get("marking").strip()
    label = frame.markings.read(marking) if marking else None
    instrument = _parsed(visit, text, before)
    if form.get("do") == "preview":
        return _form(visit, frame, before, looked=True)
    if form.get("do") != "draft":
        raise InvalidInput("neither checked nor drafted", fix="Choose one of the buttons")
    if before is None:
        register.draft(text, visit.who, label)
    else:
        register.amend(text, visit.who, _kept(label, visit, before), digest_from_hex(form.get("digest")))
    return Go(Fields.address(path_of_instrument(instrument.id), done="amended" if before else "drafted"))


def _kept(label: Label | None, visit: Visit, before: Entry) -> Label | None:
    """The label that was typed; None where it is that of the version before, so that new parties may have it."""
    held = visit.node.records.by_digest(before.digest, visit.who).record().label
    return None if label is not None and label == held.narrowed(control=frozenset[str]()) else label


def _parsed(visit: Visit, text: str, before: Entry | None) -> Instrument:
    instrument = parse_instrument(text, visit.node.core.policies)
    if before is not None and instrument.id != before.instrument.id:
        raise InvalidInput(f"id: this amends {before.instrument.id!r}", fix="Leave the id as it is")
    return instrument


def _read(visit: Visit, text: str) -> tuple[Instrument | None, str]:
    """How a text reads, or why it does not."""
    try:
        return parse_instrument(text, visit.node.core.policies), ""
    except AldisError as error:
        return None, str(error)


def _reading(visit: Visit) -> Sheet:
    """A line on how what was typed reads, to stand below it."""
    read, wrong = _read(visit, visit.form.get("text"))
    return Sheet("draft_reading.html", "Reading", {"read": read, "wrong": wrong}, [visit.level])
