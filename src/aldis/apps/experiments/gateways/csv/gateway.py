"""Rows of comma-separated values, one for each entity, under a header with the model's field names.

A header stands at the start, and again where the columns change: its first cell is `entity`, as no row's is.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from aldis.apps.experiments.entity import Carried, Decoded, Dropped, Encoded, Entity, Ledger
from aldis.apps.experiments.gateways.csv.cells import plain, quoted, text_of, value_of
from aldis.apps.experiments.gateways.csv.records import LIMIT, Records, cells_of
from aldis.apps.experiments.gateways.gateway import Damaged, Native, Tally
from aldis.apps.experiments.gateways.layout import FIELDS, Shapes, entity_of, flat, kind_of, sayable

__all__ = ["Csv", "familiar", "fields"]

_ENTITY = "entity"
_ORDER = {
    name: place for place, name in enumerate(dict.fromkeys((_ENTITY, "key", *(p for k in FIELDS for p in FIELDS[k]))))
}


def _said(names: tuple[str, ...]) -> Ledger:
    """`names` are the columns that said something, the kind of entity first."""
    known = FIELDS[names[0]]
    return Ledger(
        tuple(
            Carried(name, "key" if name == _ENTITY else name)
            if name in known or name == _ENTITY
            else Dropped(name, "not decoded", "kept as residue")
            for name in names[1:]
        )
    )


_DECODED = Shapes(_said)
_ENCODED = Shapes(lambda paths: Ledger(tuple(Carried(path, path) for path in paths)))


class Csv:
    """One file or connection of rows, both ways."""

    protocol = "csv"

    def __init__(self) -> None:
        self.tally = Tally()
        self._records = Records(self.tally)
        self._names: list[str] | None = None
        self._columns: tuple[str, ...] = ()
        self._there: frozenset[str] = frozenset()

    def feed(self, data: bytes, at_us: int) -> Sequence[Decoded]:
        """The entities of the rows that `data` completes."""
        found = []
        for record in self._records.feed(data):
            try:
                cells = cells_of(record)
                if self._names is None or cells[0] == _ENTITY or cells == self._names:
                    self._names = None
                    self._names = _header(cells)
                    self.tally.carried += 1
                    continue
                found.append(_decoded(self._names, cells, at_us))
            except Damaged as damage:
                self.tally.drop(str(damage))
            else:
                self.tally.carried += 1
        return found

    def encode(self, entity: Entity, at_us: int) -> Encoded:
        """The row of `entity`, behind a header where it needs columns that the last one lacks."""
        del at_us
        kind = kind_of(entity)
        values, unsaid = sayable(kind, flat(entity))
        if not values:
            return Encoded((), Ledger(unsaid))
        known = FIELDS[kind]
        cells = {path: quoted(text_of(known[path], value)) for path, value in values.items()}
        cells[_ENTITY] = kind
        columns = self._columns
        if not cells.keys() <= self._there:
            columns = tuple(sorted({*columns, *cells}, key=_ORDER.__getitem__))
        row = (",".join([cells.get(name, "") for name in columns]) + "\r\n").encode()
        if len(row) > LIMIT:
            return Encoded((), Ledger(tuple(Dropped(path, "too long", f"over {LIMIT} bytes") for path in values)))
        ledger = _ENCODED.of(values)
        if unsaid:
            ledger += Ledger(unsaid)
        if columns is self._columns:
            return Encoded((row,), ledger)
        self._columns, self._there = columns, frozenset(columns)
        return Encoded(((",".join(columns) + "\r\n").encode(), row), ledger)

    def close(self) -> None:
        """Count a row without its end as dropped."""
        self._records.close()


def _header(cells: Sequence[str]) -> list[str]:
    names = [plain(cell.strip()) or f"column {place}" for place, cell in enumerate(cells, 1)]
    if len(set(names)) < len(names):
        raise Damaged("two columns of one name")
    return names


def _said_cells(names: Sequence[str], cells: Sequence[str]) -> dict[str, str]:
    if len(names) != len(cells):
        raise Damaged("more or fewer cells than columns")
    return {name: cell for name, cell in zip(names, cells, strict=True) if cell}


def _decoded(names: Sequence[str], cells: Sequence[str], at_us: int) -> Decoded:
    said = _said_cells(names, cells)
    kind = said.get(_ENTITY, "track")
    known = FIELDS.get(kind)
    if known is None:
        raise Damaged("unknown kind of entity")
    values: dict[str, Any] = {}
    foreign: list[dict[str, str]] = []
    for name, cell in said.items():
        if name in known:
            values[name] = value_of(known[name], cell)
        elif name != _ENTITY:
            data = base64.b64encode(plain(cell).encode()).decode()
            foreign.append({"protocol": "csv", "field": name, "data": data})
    if foreign:
        values["residue.parts"] = [*_listed(values.get("residue.parts")), *foreign]
    return Decoded(entity_of(kind, values, "csv", at_us), _DECODED.of((kind, *said)))


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def familiar(data: bytes) -> bool:
    """Whether the first line is a header with names of the model."""
    try:
        names = cells_of(data.split(b"\n", 1)[0].removesuffix(b"\r"))
    except Damaged:
        return False
    return "key" in names and sum(name in _ORDER for name in names) > 1


def fields(messages: Iterable[bytes]) -> Mapping[str, Native]:
    """Every column that says something, with its text."""
    names: list[str] = []
    found: dict[str, Native] = {}
    for message in messages:
        cells = cells_of(message.rstrip(b"\r\n"))
        if not names or cells[0] == _ENTITY:
            names = _header(cells)
        else:
            found |= {name: plain(cell) for name, cell in _said_cells(names, cells).items()}
    return found
