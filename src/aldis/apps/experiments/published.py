"""The record kind `findings`: what a nation found, for its partners, as a labelled record on the road.

The portions are shapes without meaning here, so that a node that judges nothing needs none of what judging takes;
`findings_of` reads them strictly.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from aldis.kernel.errors import InvalidInput
from aldis.kernel.labels import Label
from aldis.kernel.records import Draft, DraftPortion, Kind, Record

if TYPE_CHECKING:
    from aldis.apps.experiments.cases.findings import Findings

__all__ = ["FINDINGS", "draft_of", "findings_of"]

_Rows = list[dict[str, Any]]


class Summary(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What was looked at, by whom; `digest` is that of the whole findings."""

    format: str
    experiment: str
    node: str
    party: str
    marking: str
    began_us: int
    ended_us: int
    digest: str
    recordings: _Rows


class Cells(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The cells of the matrix."""

    cells: _Rows


class Outcomes(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What became of test cases."""

    outcomes: _Rows


class Scores(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The scores of views."""

    scores: dict[str, dict[str, Any]]


_PARTS: dict[str, Any] = {"cells": Cells, "outcomes": Outcomes, "scores": Scores}
FINDINGS = Kind("findings", {"summary": Summary, **_PARTS}, title="summary")


def draft_of(findings: Findings, label: Label, *, record_id: str, node: str, at: int, project: str) -> Draft:
    """The first version of a record of findings, all of it under one label; `at` is in ms since 1970 UTC."""
    data = msgspec.to_builtins(findings)
    parts = {name: {name: data.pop(name)} for name in _PARTS}
    values = {"summary": data | {"digest": findings.digest}, **parts}
    return Draft(
        kind=FINDINGS.name, id=record_id, originator=node, author=node, created=at, label=label, project=project,
        portions=[DraftPortion(name, label, value) for name, value in values.items()],
    )  # fmt: skip


def findings_of(record: Record) -> tuple[Findings, Sequence[str]]:
    """The findings in a record, as far as they were released, and the names of what was not.

    Raises:
        InvalidInput: it is no record of findings, those of another node than its own, or not what its digest says.
    """
    from aldis.apps.experiments.cases.findings import Findings  # noqa: PLC0415 - numpy

    values = {portion.name: portion.value for portion in record.portions}
    lacking = [name for name in FINDINGS.portions if name not in values]
    try:
        summary = msgspec.convert(values.get("summary"), Summary)
        parts = {name: values.get(name, {name: {} if name == "scores" else []})[name] for name in _PARTS}
        fields = {name: value for name, value in msgspec.to_builtins(summary).items() if name != "digest"}
        found = msgspec.convert({**fields, **parts}, Findings)
    except (msgspec.ValidationError, KeyError, TypeError) as error:
        raise InvalidInput(f"{record.header.id!r} has no findings that can be read: {error}") from error
    if found.node != record.header.originator:
        raise InvalidInput(f"{record.header.originator!r} published findings in the name of {found.node[:40]!r}")
    if not lacking and found.digest != summary.digest:
        raise InvalidInput(f"the findings of {record.header.id!r} are not what they say of themselves")
    return found, lacking
