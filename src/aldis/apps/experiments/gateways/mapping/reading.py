"""Messages of a mapped protocol as entities."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from typing import Any

from aldis.apps.experiments.entity import Approximated, Carried, Decoded, Dropped, Ledger
from aldis.apps.experiments.entity.geodesy import course
from aldis.apps.experiments.gateways.gateway import Damaged, Native
from aldis.apps.experiments.gateways.layout import Shapes, entity_of
from aldis.apps.experiments.gateways.mapping.compiled import EAST, NORTH, Message, Protocol
from aldis.apps.experiments.gateways.mapping.times import PARTS, clock_of, iso_of, joined_parts
from aldis.apps.experiments.gateways.mapping.values import Cell, Unsayable

__all__ = ["Reader", "fields"]

_PLACE = {"position.lat_deg", "position.lon_deg"}


class Reader:
    """Reads frames; one serves all connections of its protocol."""

    def __init__(self, protocol: Protocol) -> None:
        self._protocol = protocol
        self._messages = {message.spec.name: message for message in protocol.messages}
        self._ledgers = Shapes(self._ledger)

    def natives(self, frame: bytes) -> tuple[Message, dict[str, Native]]:
        """Which message it is, and its fields that say something, as they stand there.

        Raises:
            Damaged: it is none, or a number is none.
        """
        text = [] if self._protocol.binary else self._cells(frame)
        for message in self._protocol.messages:
            if self._protocol.binary and len(frame) != message.size:
                continue
            if all(self._native(cell, frame, text, strict=False) == cell.spec.is_ for cell in message.constants):
                said = {cell.spec.name: self._native(cell, frame, text) for cell in message.cells}
                known = {name: value for name, value in said.items() if value is not None}
                for cell in message.cells:
                    if cell.spec.known_if and not known.get(cell.spec.known_if):
                        known.pop(cell.spec.name, None)
                return message, known
        raise Damaged("no such message")

    def read(self, frame: bytes, at_us: int) -> Decoded:
        """The entity that a frame speaks of.

        Raises:
            Damaged: it is no message, or says what cannot be.
        """
        message, said = self.natives(frame)
        values: dict[str, Any] = dict(message.says)
        kept: list[dict[str, str]] = []
        fates = [message.spec.name]
        parts: dict[str, dict[str, int]] = {}
        for cell in message.cells:
            value = said.get(cell.spec.name)
            if value is None:
                continue
            fate = self._take(cell, value, said, message, values, parts, at_us)
            if fate == "kept":
                name = f"{message.spec.name}.{cell.spec.name}"
                data = base64.b64encode(str(value).encode()).decode()
                kept.append({"protocol": self._protocol.spec.protocol, "field": name, "data": data})
            fates += (cell.spec.name, fate)
        for path, one in parts.items():
            if one.keys() >= set(PARTS[:6]):
                values[path] = _instant(path, joined_parts(one))
        _velocity(values)
        if not values.keys() >= _PLACE:
            fates[2::2] = [
                "alone" if message.by_name[name].spec.to in values and _of_place(message.by_name[name]) else fate
                for name, fate in zip(fates[1::2], fates[2::2], strict=True)
            ]
            values = {path: value for path, value in values.items() if not path.startswith("position.")}
        if kept:
            values["residue.parts"] = kept
        values["key"] = _key(message, said)
        entity = entity_of(message.kind, values, self._protocol.spec.protocol, at_us)
        return Decoded(entity, self._ledgers.of(fates))

    def _take(
        self,
        cell: Cell,
        value: Native,
        said: Mapping[str, Native],
        message: Message,
        values: dict[str, Any],
        parts: dict[str, dict[str, int]],
        at_us: int,
    ) -> str:
        """Puts one field among `values`, and says what became of it."""
        spec = cell.spec
        if spec.is_ is not None:
            return "made anew"
        if spec.sign is not None or any(other.spec.known_if == spec.name for other in message.cells):
            return "carried"
        if not spec.to:
            return "carried" if spec.name in message.slots else "kept"
        if spec.time in PARTS:
            parts.setdefault(spec.to, {})[spec.time] = int(value)
        elif spec.time is not None:
            at = iso_of(str(value)) if spec.time == "iso8601" else clock_of(str(value), at_us)
            values[spec.to] = _instant(spec.to, at)
        else:
            try:
                meant = cell.meaning(value)
            except Unsayable:
                return "kept"
            except (OverflowError, ValueError) as error:
                raise Damaged("a value cannot be") from error
            if isinstance(meant, float) and self._negative(spec.name, message, said):
                meant = -meant
            values[spec.to] = meant
        return "carried"

    @staticmethod
    def _negative(name: str, message: Message, said: Mapping[str, Native]) -> bool:
        return any(
            other.spec.sign is not None
            and other.spec.sign.of == name
            and said.get(other.spec.name) == other.spec.sign.minus
            for other in message.cells
        )

    def _cells(self, frame: bytes) -> list[str]:
        try:
            text = frame.decode(self._protocol.spec.encoding)
        except UnicodeDecodeError as error:
            raise Damaged("not text of this protocol") from error
        return text.split(self._protocol.spec.delimiter) if self._protocol.spec.delimiter else [text]

    def _native(self, cell: Cell, frame: bytes, text: list[str], *, strict: bool = True) -> Native | None:
        if self._protocol.binary:
            value = cell.unpacked(frame)
        else:
            part = _part(cell, text)
            try:
                value = cell.typed(part) if part else None
            except Damaged:
                if strict:
                    raise
                return None
        return None if value in cell.unknown else value

    def _ledger(self, fates: tuple[str, ...]) -> Ledger:
        message = self._messages[fates[0]]
        entries: list[Carried | Approximated | Dropped] = []
        for name, fate in zip(fates[1::2], fates[2::2], strict=True):
            field = f"{message.spec.name}.{name}"
            if fate == "made anew":
                entries.append(Dropped(field, "made anew"))
            elif fate == "alone":
                entries.append(Dropped(field, "no field", "it is of a place, and none is known"))
            elif fate == "kept":
                entries.append(Dropped(field, "not decoded", "kept as residue"))
            else:
                entries.append(_entry(field, message, message.by_name[name]))
        return Ledger(tuple(entries))


def _entry(field: str, message: Message, cell: Cell) -> Carried | Approximated:
    spec = cell.spec
    if spec.sign is not None:
        return Carried(field, message.by_name[spec.sign.of].spec.to)
    if not spec.to:
        dependent = next((other.spec.to for other in message.cells if other.spec.known_if == spec.name), "")
        return Carried(field, dependent or "key")
    whole = cell.field is not None and cell.field.form == "whole" and not spec.time and not spec.values
    if whole and not float(cell.factor).is_integer():
        return Approximated(field, spec.to, 0.5, "")
    return Carried(field, {NORTH: "motion.speed_mps", EAST: "motion.course_deg"}.get(spec.to, spec.to))


def _of_place(cell: Cell) -> bool:
    return cell.spec.to.startswith("position.")


def _part(cell: Cell, text: list[str]) -> str:
    if cell.spec.columns is not None:
        return text[0][slice(*cell.spec.columns)].strip()
    at = cell.spec.at or 0
    return text[at].strip() if at < len(text) else ""


def _instant(path: str, at_us: int) -> int:
    return at_us if path.endswith("_us") else at_us // 1000


def _key(message: Message, said: Mapping[str, Native]) -> str:
    if any(slot not in said for slot in message.slots):
        raise Damaged("no id")
    return message.filled({slot: str(said[slot]) for slot in message.slots})


def _velocity(values: dict[str, Any]) -> None:
    """Speed and course from the parts of a velocity, where the message has not said them itself."""
    north, east = values.pop(NORTH, None), values.pop(EAST, None)
    if north is None or east is None:
        return
    speed, direction = course(north, east)
    values.setdefault("motion.speed_mps", speed)
    if direction is not None:
        values.setdefault("motion.course_deg", direction)


def fields(reader: Reader, frames: Iterable[bytes]) -> Mapping[str, Native]:
    """Every field of some frames that says something, by `message.field`."""
    found: dict[str, Native] = {}
    for frame in frames:
        message, said = reader.natives(frame)
        found |= {f"{message.spec.name}.{name}": value for name, value in said.items()}
    return found
