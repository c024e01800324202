"""Entities as messages of a mapped protocol."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aldis.apps.experiments.entity import Carried, Dropped, Ledger
from aldis.apps.experiments.gateways.gateway import Native
from aldis.apps.experiments.gateways.mapping.compiled import Message, Protocol
from aldis.apps.experiments.gateways.mapping.draft import Draft, Entry, Manner
from aldis.apps.experiments.gateways.mapping.framing import framed
from aldis.apps.experiments.gateways.mapping.values import Cell

__all__ = ["Writer"]


class Writer:
    """Writes messages; `filling` gives every field a value that tells, for specimens."""

    def __init__(self, protocol: Protocol, *, filling: bool = False) -> None:
        self._protocol = protocol
        self._manner = Manner(protocol, filling=filling)
        self._delimiter = protocol.spec.delimiter
        self._encoding = self._manner.encoding

    def write(
        self, message: Message, values: Mapping[str, Any], kept: Mapping[str, str]
    ) -> tuple[bytes | None, dict[str, Entry]]:
        """The message, or None where it cannot be or would say nothing, and what became of the fields it could have."""
        draft = Draft(self._manner, message, values, kept)
        for cell in message.cells:
            if cell.spec.name not in draft.said:
                draft.take(cell)
        draft.flags()
        entries = draft.entries
        naming = {"key", *(message.by_name[slot].spec.to for slot in message.slots)}
        tells = any(not isinstance(entry, Dropped) and path not in naming for path, entry in entries.items())
        if draft.lacking is not None:
            detail = f"{message.spec.name} cannot be without {draft.lacking}"
            return None, {
                path: entry if isinstance(entry, Dropped) else Dropped(path, "other message", detail)
                for path, entry in entries.items()
            }
        if not tells:
            return None, {path: entry for path, entry in entries.items() if isinstance(entry, Dropped)}
        for path, value in message.says.items():
            if path in values:
                same = values[path] == value
                entries[path] = Carried(path, message.spec.name) if same else Dropped(path, "no code")
        try:
            return framed(self._protocol.spec.framing, self._body(message, draft.said)), entries
        except (ValueError, OverflowError):
            return None, {path: Dropped(path, "not text of this protocol") for path in entries}

    def _body(self, message: Message, said: Mapping[str, Native | None]) -> bytes | bytearray:
        if self._protocol.binary:
            frame = bytearray(message.size)
            for cell in message.cells:
                value = said[cell.spec.name]
                if value is not None:
                    cell.pack(frame, value)
            return frame
        if self._delimiter:
            cells = [""] * (max(cell.spec.at or 0 for cell in message.cells) + 1)
            for cell in message.cells:
                cells[cell.spec.at or 0] = _text(cell, said)
            return self._delimiter.join(cells).encode(self._encoding)
        size = self._protocol.spec.framing.size if self._protocol.spec.framing.kind == "fixed" else None
        line = [" "] * (size or max((cell.spec.columns or (0, 0))[1] for cell in message.cells))
        for cell in message.cells:
            first, last = cell.spec.columns or (0, 0)
            text = _text(cell, said)
            line[first:last] = text.ljust(last - first) if cell.type == "text" else text.rjust(last - first)
        return "".join(line).encode(self._encoding)

    def ledger(self, values: Mapping[str, Any], fate: Mapping[str, Entry]) -> Ledger:
        """An entry for every field that was there."""
        return Ledger(tuple(fate.get(path) or Dropped(path, "no field") for path in values))


def _text(cell: Cell, said: Mapping[str, Native | None]) -> str:
    value = said[cell.spec.name]
    return "" if value is None else cell.text(value)
