"""Sheets of partners as records: a node's word, to the other nodes of its own party, for whom it has paired with."""

from __future__ import annotations

import msgspec

from aldis.kernel.errors import AldisError
from aldis.kernel.labels import Label
from aldis.kernel.records import Draft, DraftPortion, Kind, Record
from aldis.node.pairing import Sheet

__all__ = ["SHEET", "SHEET_KIND", "Vouched", "read_vouched", "sheet_draft"]

SHEET = "sheet"


class Vouched(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A partner as the node that paired with it knows it; of a distrusted key nothing more is believed."""

    sheet: Sheet
    distrusted: bool = False


SHEET_KIND = Kind(SHEET, {"sheet": Vouched})


def sheet_draft(vouched: Vouched, *, label: Label, node: str, at: int) -> Draft:
    """The draft of a record of `node` that says who a partner is."""
    return Draft(
        kind=SHEET,
        id=f"sheet-{vouched.sheet.node}",
        originator=node,
        author=node,
        created=at,
        label=label,
        portions=[DraftPortion("sheet", label, msgspec.to_builtins(vouched))],
    )


def read_vouched(record: Record) -> Vouched | None:
    """Whom a record vouches for; None where it does not say."""
    portion = record.portion("sheet")
    try:
        vouched = msgspec.json.decode(portion.raw_value, type=Vouched) if portion else None
        if vouched is not None:
            _ = vouched.sheet.pinned
    except (msgspec.MsgspecError, AldisError):
        return None
    return vouched
