"""One message on its way out: its fields, and what became of the model's."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import radians

from aldis.apps.experiments.entity import Approximated, Carried, Dropped
from aldis.apps.experiments.entity.losses import Entry
from aldis.apps.experiments.gateways.nmea2000.pgns import PGNS, Value

__all__ = ["Draft", "Said"]

Said = dict[str, Entry]
_FIELDS = {number: {item.name: item for item in pgn.fields} for number, pgn in PGNS.items()}


@dataclass(slots=True)
class Draft:
    """A message of one PGN; every `put` says what became of a field of the model, unless it was said before."""

    pgn: int
    said: Said
    values: dict[str, Value | None] = field(default_factory=dict)

    def put(self, path: str, name: str, value: float | None, unit: str, scale: float = 1.0) -> None:
        """A number in the message's unit, rounded; the greatest error is half of its resolution, times `scale`."""
        if value is None:
            return
        item = _FIELDS[self.pgn][name]
        if item.raw(value) == item.raw(None):
            self.said.setdefault(path, Dropped(path, "out of range"))
            return
        self.values[name] = value
        error = float(f"{item.resolution * scale / 2:.4g}")
        self.said[path] = self._kept(path) or Approximated(path, f"{self.pgn}.{name}", error, unit)

    def angle(self, path: str, name: str, bearing_deg: float | None) -> None:
        """A bearing, as radians."""
        if bearing_deg is not None:
            self.put(path, name, radians(bearing_deg % 360), "deg", 57.2958)

    def code(self, path: str, name: str, value: int) -> None:
        """A code, or a number that goes over whole."""
        self.values[name] = value
        self.said[path] = Carried(path, f"{self.pgn}.{name}")

    def text(self, path: str, name: str, words: str | None, count: int) -> None:
        """Text, of printable ASCII."""
        if words is None:
            return
        sent = "".join(c if " " <= c <= "~" and c != "@" else "?" for c in words).strip()
        self.values[name] = sent[:count]
        entry: Entry = Carried(path, f"{self.pgn}.{name}")
        if len(sent) > count:
            entry = Dropped(path, "too long", f"cut to {count} characters: {sent[:count]}")
        elif sent != words:
            entry = Dropped(path, "not text of this protocol", f"sent as {sent}")
        self.said[path] = entry

    def message(self) -> tuple[int, bytes]:
        """PGN and bytes."""
        return self.pgn, PGNS[self.pgn].pack(self.values)

    def _kept(self, path: str) -> Entry | None:
        """What an earlier message said of the same field, if that went over better."""
        before = self.said.get(path)
        return before if isinstance(before, (Carried, Approximated)) else None
