"""A message of a mapped protocol in the making."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from aldis.apps.experiments.entity import Approximated, Carried, Dropped, Reason
from aldis.apps.experiments.gateways.gateway import Damaged, Native
from aldis.apps.experiments.gateways.mapping.compiled import EAST, NORTH, Message, Protocol
from aldis.apps.experiments.gateways.mapping.times import PARTS, clock_text, iso_text, parts_of
from aldis.apps.experiments.gateways.mapping.values import Cell, Unsayable

__all__ = ["Draft", "Entry", "Manner"]

Entry = Carried | Approximated | Dropped
_LONGEST = 200
"""A longer key is none of this protocol's."""
_DERIVED = {"motion.speed_mps", "motion.course_deg"}


class Manner:
    """What messages of a protocol can hold; `filling` gives every field a value that tells, for specimens."""

    def __init__(self, protocol: Protocol, *, filling: bool) -> None:
        self.encoding = "ascii" if protocol.binary else protocol.spec.encoding
        self.fills = filling
        self._protocol = protocol

    def allowed(self, cell: Cell, value: Native) -> Native:
        """The value, if the message can hold it.

        Raises:
            Unsayable: it cannot.
        """
        cell.fits(value, self.encoding, "" if self._protocol.binary else self._protocol.spec.delimiter)
        if cell.spec.columns is not None:
            width = cell.spec.columns[1] - cell.spec.columns[0]
            if len(cell.text(value)) > width:
                raise Unsayable("out of range")
        return value

    def blank(self, cell: Cell) -> tuple[bool, Native | None]:
        """Whether a field can stand without a value, and what is written then."""
        spec = cell.spec
        if spec.unknown:
            return True, cell.unknown[0]
        if spec.default is not None:
            return True, spec.default
        return not self._protocol.binary or cell.type == "text" or bool(spec.known_if) or not spec.to, None


class Draft:
    """A message in the making: what stands in each field, and what became of each of the model's."""

    def __init__(self, manner: Manner, message: Message, values: Mapping[str, Any], kept: Mapping[str, str]) -> None:
        self.said: dict[str, Native | None] = {}
        self.entries: dict[str, Entry] = {}
        self.lacking: str | None = None
        self._manner = manner
        self._message = message
        self._values = _with_velocity(values, message)
        self._kept = kept
        self._slots()

    def _field(self, cell: Cell) -> str:
        return f"{self._message.spec.name}.{cell.spec.name}"

    def _slots(self) -> None:
        """The fields that the key is made of."""
        message, key = self._message, str(self._values["key"])
        if not message.slots:
            same = key == message.spec.key
            self.entries["key"] = Carried("key", message.spec.name) if same else Dropped("key", "no field")
            return
        found = message.pattern.fullmatch(key) if len(key) <= _LONGEST else None
        words = found.groups() if found else (key,) * len(message.slots)
        if self._manner.fills:
            words = ("42",) * len(message.slots)
        if found is None and len(message.slots) > 1 and not self._manner.fills:
            self.entries["key"] = Dropped("key", "no code")
            self.lacking = "an id"
            return
        for slot, word in zip(message.slots, words, strict=True):
            cell = message.by_name[slot]
            try:
                self.said[slot] = self._manner.allowed(cell, cell.typed(word))
            except (Unsayable, Damaged) as error:
                reason: Reason = error.args[0] if isinstance(error, Unsayable) else "no code"
                self.entries["key"] = Dropped("key", reason)
                self.lacking = "an id"
                return
            other = Dropped("key", "no code", f"another scheme's; written as {slot}")
            self.entries["key"] = Carried("key", self._field(cell)) if found else other
            if cell.spec.to in self._values:
                same = str(self._values[cell.spec.to]) == word
                here = cell.spec.to
                self.entries[here] = (
                    Carried(here, self._field(cell)) if same else Dropped(here, "no field", "the key's")
                )

    def take(self, cell: Cell) -> None:
        """Give a field its value."""
        spec = cell.spec
        if spec.is_ is not None:
            self.said[spec.name] = spec.is_
        elif spec.sign is not None or any(other.spec.known_if == spec.name for other in self._message.cells):
            self.said.setdefault(spec.name, None)
        elif spec.to and spec.to in self._values:
            self._say(cell, self._values[spec.to])
        else:
            self._restore(cell)

    def _say(self, cell: Cell, value: Any) -> None:
        path = cell.spec.to
        try:
            number = self._timed(cell, value) if cell.spec.time else cell.number(value)
            number = self._signed(cell, number)
            self.said[cell.spec.name] = self._manner.allowed(cell, number)
        except (Unsayable, ValueError, OverflowError) as error:
            reason: Reason = error.args[0] if isinstance(error, Unsayable) else "out of range"
            if self._manner.fills:
                self._fill(cell)
                return
            self.entries[path] = Dropped(path, reason)
            self._blank(cell)
        else:
            self._carry(cell, path, value)

    def _carry(self, cell: Cell, path: str, value: Any) -> None:
        if path in (NORTH, EAST):
            for one in _DERIVED - self.entries.keys():
                unit = "m/s" if one.endswith("_mps") else "deg"
                speed = max(float(self._values["motion.speed_mps"]), 1e-9)
                error = cell.error if unit == "m/s" else min(180.0, math.degrees(1.5 * cell.error / speed))
                self.entries[one] = Approximated(one, self._field(cell), 2 * error, unit)
            return
        error = self._error(cell, value)
        unit = _unit(path)
        made = Approximated(path, self._field(cell), error, unit) if error else Carried(path, self._field(cell))
        if cell.spec.time not in PARTS or path not in self.entries:
            self.entries[path] = made

    def _error(self, cell: Cell, value: Any) -> float:
        spec = cell.spec
        if spec.time is not None:
            fine = spec.time == "iso8601" or any(other.spec.time == "nanosecond" for other in self._message.cells)
            exact = 0.5 * 10.0 ** (6 - min(6, spec.digits)) if spec.time == "hhmmss" else 500_000.0
            error = 0.0 if fine or (spec.time == "hhmmss" and spec.digits >= 6) else exact
            return error if spec.to.endswith("_us") else error / 1000
        if spec.values or cell.type in ("text", "f64") or isinstance(value, str | bool):
            return 0.0
        if cell.type == "f32":
            return cell.single(value)
        exact = cell.type != "decimal" and cell.factor == 1 and not cell.offset
        return 0.0 if exact and isinstance(value, int) else cell.error

    def _timed(self, cell: Cell, value: Any) -> Native:
        at_us = int(value) if cell.spec.to.endswith("_us") else int(value) * 1000
        if cell.spec.time == "iso8601":
            return iso_text(at_us)
        if cell.spec.time == "hhmmss":
            return clock_text(at_us, cell.spec.digits)
        whole = not any(other.spec.time == "nanosecond" for other in self._message.cells)
        assert cell.spec.time is not None
        return parts_of(at_us, whole=whole)[cell.spec.time]

    def _signed(self, cell: Cell, number: Native) -> Native:
        """The number without its sign, where another field has that."""
        for other in self._message.cells:
            sign = other.spec.sign
            if sign is not None and sign.of == cell.spec.name and not isinstance(number, str):
                self.said[other.spec.name] = sign.minus if number < 0 else sign.plus
                return abs(number)
        return number

    def _restore(self, cell: Cell) -> None:
        """What this protocol once said there; else a blank."""
        text = self._kept.get(self._field(cell))
        if self._manner.fills:
            self._fill(cell)
        elif text is None:
            self._blank(cell)
        else:
            try:
                self.said[cell.spec.name] = self._manner.allowed(cell, cell.typed(text))
                whole = len(self._values["residue.parts"]) == len(self._kept)
            except (Unsayable, Damaged):
                self._blank(cell)
                whole = False
            said, part = self._message.spec.name, "only what this protocol said itself went over"
            made = Carried("residue.parts", said) if whole else Dropped("residue.parts", "no field", part)
            if not isinstance(self.entries.get("residue.parts"), Dropped):
                self.entries["residue.parts"] = made

    def _fill(self, cell: Cell) -> None:
        number = 2 + list(self._message.by_name).index(cell.spec.name)
        if cell.spec.values:
            self.said[cell.spec.name] = cell.typed(next(iter(cell.spec.values)))
        elif cell.type == "text":
            self.said[cell.spec.name] = f"x{number}"
        else:
            bits = cell.spec.bits[1] if cell.spec.bits else 7
            self.said[cell.spec.name] = number % (1 << min(bits, 7)) or 1

    def _blank(self, cell: Cell) -> None:
        sound, value = self._manner.blank(cell)
        self.said[cell.spec.name] = value
        if not sound and self.lacking is None:
            self.lacking = cell.spec.to

    def flags(self) -> None:
        """Set the fields that say whether others are known."""
        for cell in self._message.cells:
            needed = [other for other in self._message.cells if other.spec.known_if == cell.spec.name]
            if needed:
                known = all(self.said.get(other.spec.name) is not None for other in needed)
                self.said[cell.spec.name] = int(known)
                for other in () if known else needed:
                    path = other.spec.to
                    if path in self.entries and not isinstance(self.entries[path], Dropped):
                        self.entries[path] = Dropped(
                            path, "no code", f"only with all that {cell.spec.name} vouches for"
                        )


def _with_velocity(values: Mapping[str, Any], message: Message) -> Mapping[str, Any]:
    if not any(cell.spec.to in (NORTH, EAST) for cell in message.cells):
        return values
    speed, course = values.get("motion.speed_mps"), values.get("motion.course_deg")
    if speed is None or (course is None and speed):
        return values
    angle = math.radians(course or 0.0)
    return {**values, NORTH: speed * math.cos(angle), EAST: speed * math.sin(angle)}


def _unit(path: str) -> str:
    units = {"mps": "m/s", "mps2": "m/s2", "min": "deg/min", "c": "degC"}
    _, line, unit = path.rpartition("_")
    return units.get(unit, unit) if line else "ms"
