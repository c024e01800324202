"""One field of a message, compiled: its number or text from the message and into it, and from and to the model."""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from aldis.apps.experiments.gateways.gateway import Damaged, Native
from aldis.apps.experiments.gateways.layout import Field
from aldis.apps.experiments.gateways.mapping.spec import FieldSpec

__all__ = ["Cell", "Unsayable"]

_INTEGER = re.compile(r"[+-]?[0-9]{1,19}")
_DECIMAL = re.compile(r"[+-]?(?:[0-9]{1,30}(?:\.[0-9]{0,30})?|\.[0-9]{1,30})(?:[eE][+-]?[0-9]{1,3})?")
_FLOATS = {("f32", "little"): "<f", ("f32", "big"): ">f", ("f64", "little"): "<d", ("f64", "big"): ">d"}
_SINGLE = 2.0**-24
"""The relative error of a number of 32 bits (IEEE 754)."""


class Unsayable(Exception):
    """The message has no way to say this; the argument is the reason of a ledger."""


@dataclass(frozen=True)
class Cell:
    """A field; `factor` and `offset` lead from its number to the model's; `field` is the model's, where it has one."""

    spec: FieldSpec
    field: Field | None
    type: str
    endian: str
    factor: float = 1.0
    offset: float = 0.0

    @cached_property
    def unknown(self) -> tuple[Native, ...]:
        """The values that say nothing."""
        return tuple(self.typed(str(one)) for one in self.spec.unknown)

    @cached_property
    def words(self) -> Mapping[str, Any]:
        """What its codes mean, by the code as text."""
        return self.spec.values

    @cached_property
    def codes(self) -> Mapping[Any, Native]:
        """The code of each meaning; where several have it, the first."""
        return {meaning: self.typed(code) for code, meaning in reversed(self.spec.values.items())}

    @property
    def width(self) -> int:
        """Bytes of a binary field."""
        return self.spec.size or 0 if self.type == "text" else int(self.type[1:]) // 8

    @property
    def error(self) -> float:
        """The greatest error of writing a number that is not a float, in the model's unit."""
        if self.spec.degrees_minutes:
            return 0.5 * 10.0**-self.spec.digits / 60 * abs(self.factor)
        return 0.5 * abs(self.factor) * (10.0**-self.spec.digits if self.type == "decimal" else 1.0)

    def typed(self, text: str) -> Native:
        """The number or text that stands in a cell of text.

        Raises:
            Damaged: it is no such number.
        """
        if self.type == "text":
            return text
        if self.type in ("decimal", "f32", "f64"):
            if not _DECIMAL.fullmatch(text):
                raise Damaged("a value cannot be")
            return float(text)
        if not _INTEGER.fullmatch(text):
            raise Damaged("a value cannot be")
        return int(text)

    def unpacked(self, frame: bytes) -> Native | None:
        """The number or text at its place in a frame; None where it is no number, or blank."""
        at = self.spec.at or 0
        part = frame[at : at + self.width]
        if self.type == "text":
            text = part.split(b"\0", 1)[0].decode("ascii", "replace").strip()
            return text or None
        if self.type[0] == "f":
            number: float = struct.unpack(_FLOATS[self.type, self.endian], part)[0]
            return number if math.isfinite(number) else None
        whole = int.from_bytes(part, "big" if self.endian == "big" else "little", signed=self.type[0] == "i")
        if self.spec.bits is not None:
            first, count = self.spec.bits
            whole = whole >> first & ((1 << count) - 1)
        return whole

    def pack(self, frame: bytearray, value: Native) -> None:
        """Write the value at its place; bits are added to those already there."""
        at, width = self.spec.at or 0, self.width
        if self.type == "text":
            frame[at : at + width] = str(value).encode("ascii").ljust(width, b"\0")
        elif self.type[0] == "f":
            struct.pack_into(_FLOATS[self.type, self.endian], frame, at, float(value))
        else:
            order: Any = self.endian
            whole = int(value)
            if self.spec.bits is not None:
                whole = whole << self.spec.bits[0] | int.from_bytes(frame[at : at + width], order)
            frame[at : at + width] = whole.to_bytes(width, order, signed=self.type[0] == "i")

    def fits(self, value: Native, encoding: str, delimiter: str) -> None:
        """Return if the message can hold the value.

        Raises:
            Unsayable: it cannot.
        """
        if isinstance(value, str):
            self._fits_text(value, encoding, delimiter)
        elif self.type[0] in "iu" and self.type != "integer":
            bits = self.spec.bits[1] if self.spec.bits else int(self.type[1:])
            least, most = (-(1 << bits - 1), (1 << bits - 1) - 1) if self.type[0] == "i" else (0, (1 << bits) - 1)
            if not least <= value <= most:
                raise Unsayable("out of range")
        elif self.type == "f32" and abs(value) > 3.4e38:
            raise Unsayable("out of range")
        if value in self.unknown:
            raise Unsayable("no code")

    def _fits_text(self, value: str, encoding: str, delimiter: str) -> None:
        try:
            size = len(value.encode(encoding))
        except UnicodeEncodeError as error:
            raise Unsayable("not text of this protocol") from error
        odd = (delimiter and delimiter in value) or not value.isprintable() or value != value.strip()
        if not value or odd:
            raise Unsayable("not text of this protocol")
        limit = self.spec.size if self.spec.columns is None else self.spec.columns[1] - self.spec.columns[0]
        if limit is not None and size > limit:
            raise Unsayable("too long")

    def meaning(self, value: Native) -> Any:
        """The model's value.

        Raises:
            Unsayable: the code means nothing that the file tells.
        """
        if self.words:
            if str(value) not in self.words:
                raise Unsayable("no code")
            return self.words[str(value)]
        assert self.field is not None
        if isinstance(value, str) or self.field.form in ("text", "either"):
            return value if self.field.form == "either" else str(value)
        if self.field.form == "truth":
            return bool(value)
        if self.spec.degrees_minutes:
            degrees, minutes = divmod(abs(value), 100)
            value = math.copysign(degrees + minutes / 60, value)
        number = value * self.factor + self.offset
        return round(number) if self.field.form == "whole" else float(number)

    def number(self, value: Any) -> Native:
        """What is written for the model's value.

        Raises:
            Unsayable: nothing can be.
        """
        if self.words:
            if value not in self.codes:
                raise Unsayable("no code")
            return self.codes[value]
        if self.type == "text":
            return str(value)
        if isinstance(value, str):
            if not _INTEGER.fullmatch(value) or self.field is None or self.field.form == "number":
                raise Unsayable("no code")
            value = int(value)
        scaled = (float(value) - self.offset) / self.factor if self.factor != 1 or self.offset else value
        if isinstance(scaled, float) and not math.isfinite(scaled):
            raise Unsayable("out of range")
        if self.spec.degrees_minutes:
            return float(scaled)
        return float(scaled) if self.type in ("decimal", "f32", "f64") else round(scaled)

    def text(self, value: Native) -> str:
        """The cell of text."""
        if self.type != "decimal":
            return str(value).zfill(self.spec.whole_digits) if self.type == "integer" else str(value)
        digits, number = self.spec.digits, float(value)
        if self.spec.degrees_minutes:
            ones = 10**digits
            degrees, rest = divmod(round(abs(number) * 60 * ones), 60 * ones)
            number = math.copysign(degrees * 100 + rest / ones, number)
        sign = "-" if number < 0 else ""
        return f"{sign}{abs(number):0{self.spec.whole_digits + (digits + 1 if digits else 0)}.{digits}f}"

    def single(self, value: Any) -> float:
        """The error of a 32-bit float with this value."""
        return abs(float(value)) * _SINGLE
