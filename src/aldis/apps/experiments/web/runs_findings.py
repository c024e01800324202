"""The pages of findings that nations published: each with its matrix, and several beside each other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import msgspec

from aldis.app import Context, Page, Query, Shown
from aldis.apps.experiments.cases.findings import Findings
from aldis.apps.experiments.published import FINDINGS, findings_of
from aldis.apps.experiments.report.merging import joined
from aldis.apps.experiments.web.matrix import (
    Sign,
    cell_named,
    cell_shown,
    classes,
    counted,
    outcomes_shown,
    sign,
)
from aldis.kernel.errors import InvalidInput, UnknownTerm
from aldis.kernel.labels import Label
from aldis.kernel.records import Record

__all__ = ["PAGES", "Published", "labels_of"]

_MOST, _PAGE = 8, 50


class Published(msgspec.Struct, frozen=True, kw_only=True):
    """Findings as a nation published them; none where they cannot be read, for the reason `wrong`.

    `whole` says that all of it was released, so that it could be held against its digest.
    """

    record: Record
    party: str
    found: Findings | None
    lacking: Sequence[str]
    wrong: str = ""

    @property
    def whole(self) -> bool:
        """Whether it is what its digest says."""
        return self.found is not None and not self.lacking

    @property
    def name(self) -> str:
        """As it is named among several."""
        return f"{self.record.header.originator}/{self.record.header.id}"


class _After(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A page of the list, by its cursor."""

    cursor: Annotated[str, msgspec.Meta(max_length=2000)] = ""


class _Named(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Findings by their node and id."""

    node: str
    id: str


class _Cell(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A cell of their matrix."""

    node: str
    id: str
    source: str
    target: str
    message: str


class _Several(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Several, each as NODE/ID."""

    of: Annotated[list[str], msgspec.Meta(max_length=_MOST)] = []


class _Row(msgspec.Struct, frozen=True):
    """What is known of one cell or case: by everybody together, and by each node in turn."""

    what: str
    sign: Sign
    by: Sequence[Sign | None]
    disagree: bool


def labels_of(record: Record) -> Sequence[Label]:
    """Of all of a record that is shown."""
    return [record.label, *(portion.label for portion in record.portions)]


def _list(ctx: Context, asked: _After) -> Shown:
    page = ctx.find(Query(kind=FINDINGS.name, limit=_PAGE, cursor=asked.cursor))
    rows = []
    for record in page.records:
        one = _published(ctx, record)
        found = one.found
        verdicts = (
            [*(cell.verdict for cell in found.cells), *(case.verdict for case in found.outcomes)] if found else []
        )
        rows.append((one, counted(verdicts)))
    labels = [label for record in page.records for label in labels_of(record)]
    return Shown({"rows": rows, "next": page.next, "most": _MOST}, labels)


def _one(ctx: Context, asked: _Named) -> Shown:
    one = _get(ctx, asked.node, asked.id)
    found = one.found
    values = {
        "one": one,
        "found": found,
        "classes": classes(found) if found else [],
        "outcomes": outcomes_shown(found) if found else [],
    }
    return Shown(values, labels_of(one.record))


def _cell(ctx: Context, asked: _Cell) -> Shown:
    one = _get(ctx, asked.node, asked.id)
    if one.found is None:
        raise UnknownTerm("no such cell")
    cell = cell_shown(one.found, cell_named(one.found, asked.source, asked.target, asked.message))
    return Shown({"published": one, "one": cell}, labels_of(one.record))


def _beside(ctx: Context, asked: _Several) -> Shown:
    several = [_get(ctx, *_split(text)) for text in dict.fromkeys(asked.of)]
    if len(several) < 2:
        raise InvalidInput("findings are held beside others", fix="Tick at least two in the list")
    read = [one for one in several if one.found is not None]
    rows = [
        _Row(
            row.what,
            sign(row.verdict),
            [sign(row.by[one.record.header.originator]) if one.record.header.originator in row.by else None
             for one in read],
            row.disagree,
        )
        for row in joined([one.found for one in read if one.found is not None])
    ]  # fmt: skip
    nodes = [one.record.header.originator for one in read]
    if len(set(nodes)) < len(nodes):
        raise InvalidInput("two of these are of one node", fix="Tick one of each node")
    labels = [label for one in several for label in labels_of(one.record)]
    return Shown({"several": several, "read": read, "rows": rows}, labels)


def _split(text: str) -> tuple[str, str]:
    node, _, record_id = text.partition("/")
    return node, record_id


def _get(ctx: Context, node: str, record_id: str) -> Published:
    record = ctx.get(record_id, originator=node)
    if record.header.kind != FINDINGS.name:
        raise UnknownTerm("no such findings")
    return _published(ctx, record)


def _published(ctx: Context, record: Record) -> Published:
    party = ctx.parties().get(record.header.originator, "")
    try:
        found, lacking = findings_of(record)
    except InvalidInput as error:
        return Published(record=record, party=party, found=None, lacking=(), wrong=str(error.args[0]))
    return Published(record=record, party=party, found=found, lacking=lacking)


PAGES: Sequence[Page] = (
    Page("GET", "/runs/findings", "Published findings", _After, _list, "findings_list.html"),
    Page("GET", "/runs/findings/beside", "Findings beside each other", _Several, _beside, "findings_beside.html"),
    Page("GET", "/runs/findings/{node}/{id}", "Findings", _Named, _one, "findings_one.html"),
    Page("GET", "/runs/findings/{node}/{id}/cell", "A cell of the matrix", _Cell, _cell, "findings_cell.html"),
)
