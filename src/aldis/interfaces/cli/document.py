"""A record as people write it: a TOML file, or the options of `aldis put`."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import msgspec

from aldis.interfaces.cli.files import read_text
from aldis.kernel.errors import InvalidInput, UnknownTerm
from aldis.kernel.labels import Label

__all__ = ["Attached", "Document", "FromFile", "Part", "read_document"]

_TOP = ("kind", "id", "project", "marking", "control", "sources", "portion")
_PORTION = ("name", "marking", "control", "value", "file", "attach")


@dataclass(frozen=True, slots=True)
class FromFile:
    """A value that is the content of a file: text where the portion's type is text, else JSON."""

    path: Path


@dataclass(frozen=True, slots=True)
class Attached:
    """A value that describes files, whose content goes beside the record."""

    paths: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """A portion to be; without a marking (or label) of its own it has the document's."""

    name: str
    value: Any
    marking: str | Label = ""
    control: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Document:
    """A record to be; an empty `id` asks for an opaque one, an empty `marking` for the roll-up."""

    kind: str
    parts: tuple[Part, ...]
    id: str = ""
    project: str = ""
    marking: str | Label = ""
    control: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()


def read_document(path: Path) -> Document:
    """The document in a TOML file; the files it names are looked for beside it.

    Raises:
        InvalidInput: not TOML, or a field missing or of the wrong type.
        UnknownTerm: a field that documents do not have.
        OSError: it cannot be read.
    """
    try:
        values = tomllib.loads(read_text(path))
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise InvalidInput(f"{path} is not TOML: {error}", fix="`aldis put --help` shows an example") from error
    _only(values, _TOP, str(path))
    parts = _field(values, "portion", list[dict[str, Any]], str(path), [])
    return Document(
        kind=_text(values, "kind", str(path), required=True),
        id=_text(values, "id", str(path)),
        project=_text(values, "project", str(path)),
        marking=_text(values, "marking", str(path)),
        control=_texts(values, "control", str(path)),
        sources=_texts(values, "sources", str(path)),
        parts=tuple(_part(part, path, number) for number, part in enumerate(parts, 1)),
    )


def _part(values: Mapping[str, Any], path: Path, number: int) -> Part:
    where = f"{path}, portion {values.get('name', number)!r}"
    _only(values, _PORTION, where)
    if sum(key in values for key in ("value", "file", "attach")) != 1:
        raise InvalidInput(f"{where}: it takes one of `value`, `file` and `attach`", fix="Give one of them")
    value = values.get("value")
    if "attach" in values:
        named = values["attach"]
        one = {"attach": [named]} if isinstance(named, str) else values
        value = Attached(tuple(path.parent / name for name in _texts(one, "attach", where)))
    if "file" in values:
        value = FromFile(path.parent / _text(values, "file", where))
    name = _text(values, "name", where, required=True)
    return Part(name, value, _text(values, "marking", where), _texts(values, "control", where))


def _only(values: Mapping[str, Any], known: tuple[str, ...], where: str) -> None:
    for key in values:
        if key not in known:
            near = get_close_matches(key, known, 1)
            hint = f"Did you mean {near[0]!r}?" if near else f"It has: {', '.join(known)}"
            raise UnknownTerm(f"{where}: no field {key!r}", fix=hint)


def _text(values: Mapping[str, Any], key: str, where: str, *, required: bool = False) -> str:
    if required and not values.get(key):
        raise InvalidInput(f"{where}: {key!r} is missing", fix=f'Add a line `{key} = "..."`')
    found: str = _field(values, key, str, where, "")
    return found


def _texts(values: Mapping[str, Any], key: str, where: str) -> tuple[str, ...]:
    return tuple(_field(values, key, list[str], where, []))


def _field(values: Mapping[str, Any], key: str, of: Any, where: str, default: Any) -> Any:
    try:
        return msgspec.convert(values.get(key, default), of)
    except msgspec.ValidationError as error:
        raise InvalidInput(f"{where}: {key}: {error}", fix="`aldis put --help` shows an example") from error
