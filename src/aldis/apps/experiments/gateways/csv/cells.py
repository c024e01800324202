"""Cells: a value of the model as the text of a table's cell, and back, exactly.

Text that a spreadsheet would take for a formula, and empty text, is written behind an apostrophe, which reading takes
away again; so is text where a number could stand too. An empty cell says nothing.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from aldis.apps.experiments.gateways.gateway import Damaged
from aldis.apps.experiments.gateways.layout import Field

__all__ = ["plain", "quoted", "text_of", "value_of"]

_RISKY = frozenset("=+-@'\t\r\n＝＋－＠")
_SPECIAL = re.compile('[",\r\n]')
_WHOLE = re.compile(r"-?[0-9]{1,40}")
_NUMBER = re.compile(r"[+-]?(?:[0-9]{1,400}(?:\.[0-9]{0,400})?|\.[0-9]{1,400})(?:[eE][+-]?[0-9]{1,4})?")


def quoted(cell: str) -> str:
    """A cell as it stands in a line (RFC 4180, section 2, rules 5 to 7)."""
    return '"' + cell.replace('"', '""') + '"' if _SPECIAL.search(cell) else cell


def text_of(field: Field, value: Any) -> str:
    """The cell of a value that the field has."""
    if field.form == "number":
        return repr(float(value))
    if field.form == "json":
        return msgspec.json.encode(value).decode()
    if isinstance(value, str):
        risky = not value or value[0] in _RISKY or field.form == "either"
        return f"'{value}" if risky else value
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def value_of(field: Field, cell: str) -> Any:
    """The value of a cell that is not empty.

    Raises:
        Damaged: it cannot be one of this field.
    """
    if field.form == "text":
        return plain(cell)
    if field.form == "number" and _NUMBER.fullmatch(cell):
        return float(cell)
    if field.form == "whole" and _WHOLE.fullmatch(cell):
        return int(cell)
    if field.form == "truth" and cell.lower() in ("true", "false"):
        return cell.lower() == "true"
    if field.form == "either":
        return int(cell) if _WHOLE.fullmatch(cell) else plain(cell)
    if field.form == "json":
        try:
            return msgspec.json.decode(cell)
        except (ValueError, RecursionError) as error:
            raise Damaged("a value cannot be") from error
    raise Damaged("a value cannot be")


def plain(cell: str) -> str:
    """The text of a cell, without the apostrophe that kept it from being a formula."""
    return cell[1:] if cell[:1] == "'" else cell
