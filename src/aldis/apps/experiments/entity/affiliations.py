"""Whose side a thing is on, as each scheme writes it. It is the word of whoever says it, and relative to them.

CoT: the second part of an atom's type (MITRE, CoTtypes.xml); DIS: the force id (SISO-REF-010, UID 6); MIL-STD-2525C:
the second letter (table A-I); MIL-STD-2525D: the fourth digit (table A-III).
"""

from __future__ import annotations

from typing import Final, Literal

__all__ = ["AFFILIATIONS", "Affiliation", "affiliation_of", "affiliation_of_force", "force_of", "sidc_digit",
           "sidc_letter", "type_letter"]  # fmt: skip

Affiliation = Literal["pending", "unknown", "assumed friend", "friend", "neutral", "suspect", "hostile", "other"]
_NONE = "o"
"""CoT's and 2525B's letter for a side that is not specified."""

AFFILIATIONS: Final[dict[str, tuple[str, str, str, int | None]]] = {
    "pending": ("p", "P", "0", None),
    "unknown": ("u", "U", "1", None),
    "assumed friend": ("a", "A", "2", None),
    "friend": ("f", "F", "3", 1),
    "neutral": ("n", "N", "4", 3),
    "suspect": ("s", "S", "5", None),
    "hostile": ("h", "H", "6", 2),
    "other": ("x", "", "", 0),
}
"""Each word with its letter of CoT and of 2525C, its digit of 2525D and its force id; "" or None where it has none."""

_BY_TYPE: Final = {row[0]: word for word, row in AFFILIATIONS.items()}
_BY_LETTER: Final = {row[1]: word for word, row in AFFILIATIONS.items() if row[1]}
_BY_DIGIT: Final = {row[2]: word for word, row in AFFILIATIONS.items() if row[2]}
_FORCES: Final = {row[3]: word for word, row in AFFILIATIONS.items() if row[3] is not None}
_MOST_FORCES = 30


def type_letter(affiliation: str | None) -> str:
    """The letter of a CoT type; `o`, none specified, where nobody said."""
    return AFFILIATIONS[affiliation][0] if affiliation in AFFILIATIONS else _NONE


def sidc_letter(affiliation: str | None) -> str:
    """The letter of a 2525C code; `O`, none specified, where nobody said or the scheme has none."""
    return (AFFILIATIONS[affiliation][1] if affiliation in AFFILIATIONS else "") or _NONE.upper()


def sidc_digit(affiliation: str | None) -> str | None:
    """The digit of a 2525D code; None where nobody said or the scheme has none."""
    return (AFFILIATIONS[affiliation][2] if affiliation in AFFILIATIONS else "") or None


def force_of(affiliation: str | None) -> int | None:
    """The force id; None where nobody said or the scheme has none."""
    return AFFILIATIONS[affiliation][3] if affiliation in AFFILIATIONS else None


def affiliation_of_force(force: int) -> str | None:
    """The side of a force id: friendly, opposing and neutral by turns, ten of each; None for what is not in use."""
    return _FORCES[(force - 1) % 3 + 1 if force else 0] if 0 <= force <= _MOST_FORCES else None


def affiliation_of(cot: str | None, sidc: str | None) -> str | None:
    """The side that a CoT type or a symbol code states; None where neither does."""
    parts = (cot or "").split("-")
    if parts[0] == "a" and len(parts) > 1 and parts[1] in _BY_TYPE:
        return _BY_TYPE[parts[1]]
    if sidc and len(sidc) > 3:
        return _BY_DIGIT.get(sidc[3]) if sidc[0].isdigit() else _BY_LETTER.get(sidc[1])
    return None
