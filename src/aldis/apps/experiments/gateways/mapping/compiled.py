"""A mapping file made ready: every field with its place, its number and the model's field; or an error."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aldis.apps.experiments.gateways.gateway import Damaged
from aldis.apps.experiments.gateways.layout import FIELDS, Field
from aldis.apps.experiments.gateways.mapping import spec as specs
from aldis.apps.experiments.gateways.mapping.checksums import SIZES
from aldis.apps.experiments.gateways.mapping.times import PARTS
from aldis.apps.experiments.gateways.mapping.units import conversion, unit_of
from aldis.apps.experiments.gateways.mapping.values import Cell
from aldis.kernel.errors import InvalidInput, UnknownTerm

__all__ = ["EAST", "NORTH", "Message", "Protocol", "compiled"]

NORTH, EAST = "motion.north_mps", "motion.east_mps"
"""Parts of a velocity that a message may have in place of speed and course, or beside them."""
_PARTS = {path: Field(path, "motion", path.partition(".")[2], "number") for path in (NORTH, EAST)}
_SLOT = re.compile(r"\{([^{}]+)\}")
_NAME = re.compile(r"[a-z][a-z0-9-]{0,30}")
_MOST_SLOTS = 3
_INTEGERS = ("integer", "u8", "u16", "u24", "u32", "u64", "i8", "i16", "i24", "i32", "i64")


@dataclass(frozen=True)
class Message:
    """One kind of message: its cells, those that tell it from others, and the pattern that its keys match."""

    spec: specs.MessageSpec
    cells: tuple[Cell, ...]
    by_name: Mapping[str, Cell]
    constants: tuple[Cell, ...]
    slots: tuple[str, ...]
    pattern: re.Pattern[str]
    size: int
    says: Mapping[str, Any]

    @property
    def kind(self) -> str:
        """Of which entity it speaks."""
        return self.spec.entity

    def filled(self, slots: Mapping[str, str]) -> str:
        """The key with these words in it."""
        return _SLOT.sub(lambda slot: slots[slot[1]], self.spec.key)


@dataclass(frozen=True)
class Protocol:
    """A whole mapping."""

    spec: specs.Mapping
    messages: tuple[Message, ...]

    @property
    def binary(self) -> bool:
        """Whether messages are bytes with places, not text."""
        return self.spec.form == "binary"


class _Checker:
    """Says what is wrong with the table it is at."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.place = ""

    def refuse(self, what: str, fix: str) -> InvalidInput:
        return InvalidInput(f"{self._path}: {self.place}{what}", fix=fix)

    def known(self, name: str, names: Sequence[str], what: str) -> None:
        if name not in names:
            near = difflib.get_close_matches(name, names, 1)
            hint = f"Did you mean {near[0]!r}?" if near else f"Write one of {', '.join(names)}"
            raise UnknownTerm(f"{self._path}: {self.place}{what} {name!r} is not known", fix=hint)

    def need(self, sound: object, what: str, fix: str) -> None:
        if not sound:
            raise self.refuse(what, fix)


def compiled(path: Path) -> Protocol:
    """The protocol that a file maps.

    Raises:
        InvalidInput, UnknownTerm: the file cannot be used; the message says where, and what to do.
    """
    spec = specs.load(path)
    check = _Checker(path)
    check.need(_NAME.fullmatch(spec.protocol), f"`protocol` cannot be {spec.protocol!r}", "Write a-z, 0-9 and hyphens")
    check.need(spec.message, "no message is described", "Add a table [[message]]")
    _framing(spec, check)
    messages = []
    for one in spec.message:
        check.place = f"message {one.name!r}: "
        messages.append(_message(spec, one, check))
    check.place = ""
    names = [one.name for one in spec.message]
    check.need(len(set(names)) == len(names), "two messages have one name", "Give each its own")
    plain = [one.spec.name for one in messages if not one.constants]
    check.need(
        len(plain) == 0 or len(messages) == 1,
        f"nothing tells message {plain[0] if plain else ''!r} from others",
        "Give one of its fields `is`, with what stands there",
    )
    return Protocol(spec, tuple(messages))


def _framing(spec: specs.Mapping, check: _Checker) -> None:
    framing, check.place = spec.framing, "[framing]: "
    need = check.need
    for name in ("start", "end"):
        text = getattr(framing, name)
        need(re.fullmatch("(?:[0-9a-fA-F]{2}){0,16}", text), f"`{name}` cannot be {text!r}", 'Write bytes: "b562"')
    kind, lines = framing.kind, framing.kind == "lines"
    need(not lines or framing.separator, "`separator` is empty", 'Write "\\n"')
    need(not lines or spec.form == "text", "lines are text", 'Write form = "text", or another kind of framing')
    need(kind != "fixed" or framing.size, "`size` is missing", "Give the bytes of a message")
    need(kind != "fixed" or (framing.size or 0) <= framing.limit, "`size` is over `limit`", "Raise `limit`")
    need(kind != "length" or framing.length, "`length` is missing", "Add a table [framing.length]")
    need(kind != "between" or (framing.start and framing.end), "`start` or `end` is missing", "Give both")
    sum_ = framing.checksum
    if sum_ is not None:
        check.place = "[framing.checksum]: "
        need(not lines or sum_.mark, "`mark` is missing", 'Lines have it behind a mark: mark = "*"')
        need(lines or sum_.at is not None, "`at` is missing", "Say where the checksum stands; -2 is two from the end")
        need(lines or spec.form == "binary", "only lines and binary frames have one", "Leave it out")
        least = framing.size or (framing.length.adds if framing.length else 0)
        need(lines or kind == "between" or least >= SIZES[sum_.kind], "frames are too short for it", "Raise `adds`")
    check.place = ""


def _message(spec: specs.Mapping, one: specs.MessageSpec, check: _Checker) -> Message:
    here, known = check.place, dict(FIELDS[one.entity]) | (_PARTS if one.entity == "track" else {})
    if spec.form == "binary":
        check.need(one.size, "`size` is missing", "Give the bytes of the whole frame")
        check.need((one.size or 0) <= spec.framing.limit, "`size` is over the limit of frames", "Raise framing.limit")
    cells = []
    for field in one.field:
        check.place = f"{here}field {field.name!r}: "
        cells.append(_cell(spec, one, field, known, check))
    check.place = here
    by_name = {cell.spec.name: cell for cell in cells}
    check.need(len(by_name) == len(cells), "two fields have one name", "Give each its own")
    for cell in cells:
        check.place = f"{here}field {cell.spec.name!r}: "
        if cell.spec.known_if:
            check.known(cell.spec.known_if, list(by_name), "the field of `known_if`")
        if cell.spec.sign is not None:
            check.known(cell.spec.sign.of, list(by_name), "the field of `sign`")
    check.place = here
    slots = tuple(_SLOT.findall(one.key))
    for slot in slots:
        check.known(slot, list(by_name), "the field in `key`")
    check.need(len(slots) <= _MOST_SLOTS, f"`key` has over {_MOST_SLOTS} fields", "Use fewer")
    for path in one.says:
        check.known(path, list(FIELDS[one.entity]), "the field in `says`")
    pieces = _SLOT.split(one.key)
    pattern = "".join("(.+)" if place % 2 else re.escape(piece) for place, piece in enumerate(pieces))
    constants = tuple(cell for cell in cells if cell.spec.is_ is not None)
    said = dict(one.says)
    return Message(one, tuple(cells), by_name, constants, slots, re.compile(pattern, re.DOTALL), one.size or 0, said)


def _cell(
    spec: specs.Mapping, one: specs.MessageSpec, field: specs.FieldSpec, known: Mapping[str, Field], check: _Checker
) -> Cell:
    if field.to:
        check.known(field.to, list(known), "the model's field")
    model = known.get(field.to)
    need = check.need
    binary = spec.form == "binary"
    need(field.at is not None or field.columns is not None, "it is nowhere", "Give `at`, or `columns`")
    need(not field.time or model, "`time` leads nowhere", 'Give `to`, as "timing.source_us"')
    type_ = field.type or _usual(field, model)
    need(type_ in ("text", "integer", "decimal") or binary, f"text has no {type_}", "Write text, integer or decimal")
    if binary:
        need(field.type not in (None, "integer", "decimal"), "`type` is missing", "Write u8, i32, f64 …, or text")
        width = field.size or 0 if type_ == "text" else int(type_[1:]) // 8
        need(width, "`size` is missing", "Give the bytes of the text")
        need((field.at or 0) + width <= (one.size or 0), "it ends behind the message", "Mend `at`, or the size")
        fits = field.bits is None or (type_[0] == "u" and sum(field.bits) <= 8 * width)
        need(fits, "such bits are not in it", "Bits are of a u8 to u64: first and count")
    else:
        need(spec.delimiter or field.columns, "text without `delimiter` has columns", "Give `columns`")
        need(not spec.delimiter or field.at is not None, "text with `delimiter` has cells", "Give `at`")
        need(
            field.columns is None or field.columns[0] < field.columns[1],
            "`columns` are empty",
            "First, and behind last",
        )
    return _scaled(field, model, type_, field.endian or spec.endian, check)


def _usual(field: specs.FieldSpec, model: Field | None) -> str:
    """The type of a field of text that says none."""
    plain = model is None or field.time or field.values or field.sign or isinstance(field.is_, str)
    if plain or model is None or model.form in ("text", "truth", "either", "json"):
        return "text"
    scaled = field.unit or field.scale != 1 or field.offset
    return "integer" if model.form == "whole" and not scaled else "decimal"


def _scaled(field: specs.FieldSpec, model: Field | None, type_: str, endian: str, check: _Checker) -> Cell:
    factor, offset = field.scale, field.offset
    check.need(factor, "`scale` is 0", "Write another")
    if model is not None:
        check.need(model.form != "json", f"{model.path!r} is no single value", "Map another field")
        numeric = model.form in ("number", "whole") and not field.values and not field.time
        text = type_ == "text" and not field.values and not field.time
        check.need(not (numeric and text), f"{model.path!r} is a number, not text", "Give another `type`")
        check.need(not field.unit or numeric, "`unit` is of numbers", "Leave it out")
        if field.time:
            check.need(unit_of(model.path) in ("us", "ms"), f"{model.path!r} is no time", 'Write "timing.source_us"')
            check.need(field.time not in PARTS or type_ in _INTEGERS, "a part of a time is an integer", "Mend `type`")
        if field.unit:
            unit = _tell(check, lambda: conversion(field.unit, model.path))
            factor, offset = factor * unit[0], offset * unit[0] + unit[1]
        for meaning in field.values.values():
            sound = not model.words or meaning in model.words
            check.need(sound, f"{model.path!r} cannot be {meaning!r}", f"Write one of {', '.join(model.words)}")
    cell = Cell(field, model, type_, endian, factor, offset)
    try:
        _ = cell.unknown, cell.codes
    except Damaged as error:
        raise check.refuse("`unknown` or `values` has what is no number", f"Its type is {type_}") from error
    return cell


def _tell(check: _Checker, step: Callable[[], tuple[float, float]]) -> tuple[float, float]:
    try:
        return step()
    except InvalidInput as error:
        raise type(error)(f"{check.refuse(str(error.args[0]), '').args[0]}", fix=error.fix) from error
