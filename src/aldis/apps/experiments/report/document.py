"""What a report consists of, before it is a page or paper: both are made from this, so both say the same."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec

__all__ = ["Block", "Cell", "Document", "Entry", "Items", "Note", "Row", "Section", "Span", "Table", "cell"]

Style = Literal["", "code", "strong", "met", "partly", "failed", "unknown", "untested"]


class Span(msgspec.Struct, frozen=True):
    """A piece of text; `to` is an anchor of this document that it links to."""

    text: str
    to: str = ""
    style: Style = ""


Cell = tuple[Span, ...]


class Row(msgspec.Struct, frozen=True):
    """A row of a table; its first cell is its heading."""

    cells: tuple[Cell, ...]
    anchor: str = ""


class Table(msgspec.Struct, frozen=True):
    """`widths` are relative; a `grid` has one column for each of many things, and may be cut between columns."""

    caption: str
    headings: tuple[Cell, ...]
    rows: tuple[Row, ...]
    widths: tuple[float, ...] = ()
    grid: bool = False


class Note(msgspec.Struct, frozen=True):
    """A paragraph."""

    spans: Cell


class Items(msgspec.Struct, frozen=True):
    """A list, numbered where `steps`."""

    items: tuple[Cell, ...]
    steps: bool = False


class Entry(msgspec.Struct, frozen=True):
    """A heading within a section."""

    spans: Cell
    anchor: str


Block = Table | Note | Items | Entry


class Section(msgspec.Struct, frozen=True):
    """A part of the document with a heading of its own."""

    title: str
    anchor: str
    blocks: Sequence[Block]


class Document(msgspec.Struct, frozen=True):
    """All of it; `marking` is to stand at the top and the bottom of every page."""

    title: str
    marking: str
    sections: Sequence[Section]


def cell(*parts: str | Span) -> Cell:
    """A cell of texts and spans."""
    return tuple(Span(part) if isinstance(part, str) else part for part in parts)
