"""A document from the options of `aldis put`, alone or over the version before."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from aldis.interfaces.cli.document import Attached, Document, FromFile, Part
from aldis.interfaces.cli.drafting import structured
from aldis.interfaces.cli.files import read_text
from aldis.kernel.records import Kind, Record
from aldis.node.node import Node

__all__ = ["Quick", "from_file"]


@dataclass(frozen=True, slots=True)
class Quick:
    """What the options say; `portions` and `markings` are NAME=VALUE, `files` NAME=PATH."""

    kind: str
    id: str
    project: str
    marking: str
    portions: tuple[str, ...]
    markings: tuple[str, ...]
    control: tuple[str, ...]
    files: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        """Whether anything was said."""
        return bool(
            self.kind
            or self.id
            or self.project
            or self.marking
            or self.portions
            or self.markings
            or self.control
            or self.files
        )

    def document(self, node: Node, sources: tuple[str, ...], before: Record | None) -> Document:
        """The document; over `before`, with the portions that the options do not name as they were."""
        kind = self.kind or (before.header.kind if before else "")
        if not kind or (not (self.portions or self.files) and before is None and not self.marking):
            raise click.UsageError("name a FILE, or a --kind and its portions with --portion NAME=VALUE")
        parts = {part.name: part for part in before.portions} if before else {}
        held = {name: Part(name, part.value, part.label) for name, part in parts.items()}
        marked = dict(_pairs(self.markings, "--portion-marking"))
        values: dict[str, str | Attached] = dict(_pairs(self.portions, "--portion"))
        values |= self._attached(values)
        for name in marked.keys() - values.keys() - held.keys():
            raise click.UsageError(f"--portion-marking names {name!r}, and neither --portion nor --attach does")
        for name in [*held, *(name for name in values if name not in held)]:
            old = held.get(name)
            value = _value(node.core.kinds.get(kind), name, values[name]) if name in values else old and old.value
            marking = marked.get(name) or ("" if self.marking and name in values else old.marking if old else "")
            held[name] = Part(name, value, marking)
        return Document(
            kind=kind,
            id=before.header.id if before else self.id,
            project=self.project or (before.header.project if before else ""),
            marking=self.marking or (before.label if before and not sources else ""),
            control=self.control,
            sources=(*(before.header.sources if before else ()), *sources),
            parts=tuple(held.values()),
        )

    def _attached(self, values: Iterable[str]) -> dict[str, Attached]:
        found: dict[str, Attached] = {}
        for name, path in _pairs(self.files, "--attach"):
            if name in values:
                raise click.UsageError(f"--attach and --portion both name {name!r}")
            found[name] = Attached((*(found[name].paths if name in found else ()), Path(path)))
        return found


def from_file(text: str) -> str:
    """A marking, or `NAME=` and one, where `@FILE` stands for what the file holds."""
    if not text.startswith("@") and "=@" not in text:
        return text
    name, _, file = text.partition("@")
    return name + read_text(Path(file))


def _pairs(texts: Iterable[str], option: str) -> Iterable[tuple[str, str]]:
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals:
            raise click.UsageError(f"{option} {text!r}: write it as NAME=VALUE")
        yield name, value


def _value(kind: Kind | None, name: str, text: str | Attached) -> Any:
    if isinstance(text, Attached):
        return text
    if text.startswith("@"):
        return FromFile(Path(text[1:]))
    if kind is None or kind.portions.get(name) in (str, None):
        return text
    return structured(text, f"--portion {name}")
