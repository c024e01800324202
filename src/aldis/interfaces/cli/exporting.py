"""A record as plain files: Markdown or Word with banner and portion marks, its label beside it or inside."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from aldis.interfaces.cli.files import write_whole
from aldis.interfaces.cli.marks import Marks
from aldis.interfaces.cli.ooxml import Paragraph, write_docx
from aldis.interfaces.cli.text import clean
from aldis.kernel.bindings import Binding, refer, write_binding
from aldis.kernel.errors import AldisError
from aldis.kernel.labels import Label
from aldis.kernel.markings.adatp4774 import Confidentiality, Role
from aldis.kernel.records import Portion, Record
from aldis.node.core import ledger_name
from aldis.node.node import Node

__all__ = ["MARKDOWN", "SIDECAR", "export", "labels_of", "markdown"]

SIDECAR = ".bdo"
"""The suffix of a sidecar: a binding data object (ADatP-4778.2 chapter 9)."""
MARKDOWN = "text/markdown; charset=utf-8"


@dataclass(frozen=True, slots=True)
class _Page:
    """What both formats say."""

    banner: str
    paragraphs: tuple[Paragraph, ...]


def export(node: Node, record: Record, parts: list[Portion], folder: Path, *, word: bool, actor: str) -> list[Path]:
    """Write the files of a record and the leaf that says so; what was written, in order.

    Raises:
        NeedsPerson, InvalidInput: its labels cannot be rolled up, or ADatP-4774 has no words for them.
        OSError: the folder cannot be written to.
    """
    labels = labels_of(node, record, parts)
    page = _page(node, record, parts, labels[0].label)
    stem, policies = folder / record.header.id.replace(":", "_"), node.core.policies
    if word:
        contents = {stem.with_name(stem.name + ".docx"): write_docx(page.banner, page.paragraphs, labels, policies)}
    else:
        path, text = stem.with_name(stem.name + ".md"), _text(page)
        binding = Binding(labels, (refer(quote(path.name), text, MARKDOWN),))
        contents = {path: text, path.with_name(path.name + SIDECAR): write_binding(binding, policies)}
    for path, data in contents.items():
        write_whole(path, data)
    with node.core.store.transaction():
        reasons = ["plain files", *(path.name for path in contents)]
        node.audit.write("export", record.digest.hex(), verdict="written", reasons=reasons, actor=actor)
    return list(contents)


def labels_of(node: Node, record: Record, parts: list[Portion]) -> tuple[Confidentiality, ...]:
    """The roll-up in the record's policy, and beside it the node's own where that is another and a rule says which."""
    policies, at = node.core.policies, record.header.created
    every = [record.label, *(part.label for part in parts)]
    who = f"https://{ledger_name(record.header.originator)}"
    first = Confidentiality(policies.roll_up(every, record.label.policy, at), at, originator=who)
    if record.label.policy == node.core.config.policy:
        return (first,)
    try:
        ours = policies.roll_up(every, node.core.config.policy, at)
    except AldisError:
        return (first,)
    return first, Confidentiality(ours, at, Role.ALTERNATIVE, originator=f"https://{node.core.ledger}")


def markdown(node: Node, record: Record, parts: list[Portion], label: Label) -> bytes:
    """The record as Markdown under the banner of `label`."""
    return _text(_page(node, record, parts, label))


def _page(node: Node, record: Record, parts: list[Portion], label: Label) -> _Page:
    marks, at = Marks(node.core.policies, record.label.policy), record.header.created
    kind = node.core.kinds.get(record.header.kind)
    paragraphs = []
    for part in parts:
        mark = marks.write(part.label, at, portion=True)
        if kind is not None and part.name == kind.title and isinstance(part.value, str):
            paragraphs.append(Paragraph(mark, clean(part.value), heading=1))
            continue
        paragraphs.append(Paragraph(mark, part.name.capitalize(), heading=2))
        paragraphs += [Paragraph(mark, text, code=not isinstance(part.value, str)) for text in _texts(part.value)]
    return _Page(marks.write(label, at), tuple(paragraphs))


def _texts(value: Any) -> list[str]:
    if not isinstance(value, str):
        return [clean(json.dumps(value, indent=2, ensure_ascii=False))]
    return [text.strip("\n") for text in clean(value).split("\n\n") if text.strip()]


def _text(page: _Page) -> bytes:
    lines = [f"**{page.banner}**", ""]
    for one in page.paragraphs:
        if one.heading:
            lines += [f"{'#' * one.heading} {one.mark} {' '.join(one.text.split())}", ""]
        elif one.code:
            lines += [one.mark, "", *(f"    {line}" for line in one.text.split("\n")), ""]
        else:
            lines += [f"{one.mark} {one.text}", ""]
    return "\n".join([*lines, f"**{page.banner}**", ""]).encode("utf-8")
