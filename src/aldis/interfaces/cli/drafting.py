"""From a document to a draft: values read, markings parsed, and what its sources ask for added."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

from aldis.interfaces.cli.attaching import bring_in
from aldis.interfaces.cli.document import Attached, Document, FromFile, Part
from aldis.interfaces.cli.files import read_text
from aldis.interfaces.cli.marks import Marks
from aldis.kernel.encoding import digest_from_hex
from aldis.kernel.errors import InvalidInput, UnknownTerm
from aldis.kernel.labels import Label
from aldis.kernel.records import Draft, DraftPortion
from aldis.node.node import Node
from aldis.node.people import Person
from aldis.node.store import Row

__all__ = ["Drafting", "structured"]

_OPAQUE = 10
"""Random bytes of an id: nobody can tell anything from it, and no two nodes make the same."""
_DIGEST = 64
_TAG = re.compile(r"[A-Z][A-Z0-9-]{0,15}:[A-Za-z0-9][A-Za-z0-9.()/-]{0,63}")


class Drafting:
    """Makes drafts at one node, at one instant, of sources that the `viewer` may see."""

    def __init__(self, node: Node, author: str, viewer: str | Person = "") -> None:
        self._node = node
        self._author = author
        self._viewer = viewer
        self._at = node.core.clock.now()
        self._marks = Marks.of(node)

    def draft(self, document: Document) -> Draft:
        """The draft of a document.

        What it is made from goes on binding it: to every label are added the export-control tags of its sources, and
        as origins the parties whose information they hold.

        Raises:
            UnknownTerm: a source, kind, portion or word of a marking that nobody knows.
            InvalidInput: a value that is not of its portion's type, no portion, or nothing to take a label from.
            NeedsPerson: the labels of its sources cannot be rolled up.
        """
        if not document.parts:
            raise InvalidInput(
                f"this {document.kind or 'record'} has no portion",
                fix="Give it one: --portion NAME=VALUE, or [[portion]] in the file; `aldis apps` names them",
            )
        _check_tags([*document.control, *(tag for part in document.parts for tag in part.control)])
        rows = [self._source(name) for name in document.sources]
        given = self._label(document.marking)
        digests = [row.digest for row in rows]
        rolled = self._node.records.derived_label(digests, self._viewer) if rows and given is None else None
        parts = [self._portion(document, part, rows, given or rolled) for part in document.parts]
        header = given or rolled or self._rolled_up(parts)
        return Draft(
            kind=document.kind,
            id=document.id or ("" if self._viewer else self._node.core.random(_OPAQUE).hex()),
            originator=self._node.name,
            author=self._author,
            created=self._at,
            label=_bound(header, rows, document.control, self._node),
            portions=parts,
            project=document.project,
            sources=[row.digest for row in rows],
        )

    def _portion(self, document: Document, part: Part, rows: list[Row], default: Label | None) -> DraftPortion:
        label = self._label(part.marking) or default
        if label is None:
            raise InvalidInput(
                f"portion {part.name!r} has no marking, and the document has none either",
                fix="Give the document a marking, or each portion its own",
            )
        value = self._value(document.kind, part)
        return DraftPortion(part.name, _bound(label, rows, (*document.control, *part.control), self._node), value)

    def _label(self, marking: str | Label) -> Label | None:
        if isinstance(marking, Label):
            return marking
        return self._marks.read(marking, self._at) if marking else None

    def _value(self, kind: str, part: Part) -> Any:
        if isinstance(part.value, Attached):
            person = self._viewer.id if isinstance(self._viewer, Person) else ""
            return bring_in(self._node, kind, part.name, part.value.paths, person)
        if not isinstance(part.value, FromFile):
            return part.value
        known = self._node.core.kinds.get(kind)
        text = read_text(part.value.path)
        if known is None or known.portions.get(part.name) is str:
            return text
        return structured(text, str(part.value.path))

    def _rolled_up(self, parts: list[DraftPortion]) -> Label:
        labels = [part.label for part in parts]
        return self._node.core.policies.roll_up(labels, self._node.core.config.policy, self._at)

    def _source(self, name: str) -> Row:
        if len(name) != _DIGEST:
            return self._node.records.get(name, viewer=self._viewer)
        row = self._node.core.store.records.by_digest(digest_from_hex(name))
        if row is not None and isinstance(self._viewer, Person):
            row = self._node.sights.cut(row, self._node.sights.of(self._viewer))
        if row is None:
            raise UnknownTerm(f"no record with the digest {name} here", fix="`aldis get ID --json` gives the digest")
        return row


def structured(text: str, where: str) -> Any:
    """The value that text states, as TOML where the file is called so, else as JSON.

    Raises:
        InvalidInput: it is not.
    """
    try:
        return tomllib.loads(text) if Path(where).suffix == ".toml" else msgspec.json.decode(text)
    except (tomllib.TOMLDecodeError, msgspec.DecodeError, RecursionError) as error:
        raise InvalidInput(f"{where} is neither text for this portion nor JSON: {error}", fix="Mend it") from error


def _check_tags(tags: Iterable[str]) -> None:
    for tag in tags:
        if not _TAG.fullmatch(tag):
            raise InvalidInput(
                f"{tag[:80]!r} is not an export-control tag",
                fix="Write the list, a colon and the entry, such as USML:XI(c) or DSGL:6A001.a.2",
            )


def _bound(label: Label, rows: Iterable[Row], control: Iterable[str], node: Node) -> Label:
    parties = node.partners.parties()
    tags, origins = label.control | frozenset(control), label.origins
    for row in rows:
        record = row.record()
        for held in (record.label, *(portion.label for portion in record.portions)):
            tags, origins = tags | held.control, origins | held.origins
        origins |= frozenset({parties.get(row.originator, "")}) - {"", node.core.party}
    return label.narrowed(control=tags, origins=origins)
