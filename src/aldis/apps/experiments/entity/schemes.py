"""What follows in one scheme of types from a code said in another: SISO-REF-010, CoT, AIS, MAV_TYPE, MIL-STD-2525.

The table `schemes.toml` says which codes call which thing, how surely, and what a thing is a kind of. A code leads to
its thing, and from there, or from what that is a kind of, to the other schemes' codes. Confidences multiply along that
way, and each step to something more general takes a tenth off. What no row knows leads nowhere.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any, Final

import msgspec

from aldis.apps.experiments.entity.affiliations import affiliation_of, sidc_digit, sidc_letter, type_letter
from aldis.apps.experiments.entity.track import Mapped, Type

__all__ = ["SCHEMES", "STEP", "Thing", "complete", "moves", "read", "things"]

FILE = "schemes.toml"
SCHEMES: Final = ("siso", "cot", "ship_type", "mav_type", "sidc", "sidc_digits")
"""The schemes that codes are mapped to; `sidc` is the letters of 2525C, `sidc_digits` the digits of 2525D and E."""
STEP = 0.9
"""What is left of a confidence where something more general is said."""
_FINE = 4
_SISO = re.compile(r"\d{1,3}(?:\.\d{1,5}){1,6}")
_DIGITS = re.compile(r"\d{20,30}")
_LETTERS = re.compile(r"S[A-Z*-][A-Z][A-Z*-][A-Z-]{6}[A-Z0-9*-]{0,5}")
_LEAST_MMSI = 2_000_000  # of a coast station in the first country there is
_BEGINNINGS = ("970", "972", "974", "111", "98", "99", "00")


@dataclass(frozen=True, slots=True)
class Thing:
    """A kind of thing: where it moves, what it is a kind of, and what each scheme calls it, with a confidence."""

    name: str
    moves: str
    of: Thing | None
    called: Mapping[str, tuple[str, float]]

    def ways(self) -> Iterator[tuple[Thing, float]]:
        """It, and what it is a kind of, each with what is left of a confidence there."""
        thing: Thing | None = self
        left = 1.0
        while thing is not None:
            yield thing, left
            thing, left = thing.of, left * STEP

    def within(self, other: Thing) -> bool:
        """Whether it is of that kind, and not just the same."""
        return other is not self and any(other is thing for thing, _ in self.ways())


@dataclass(frozen=True, slots=True)
class _Table:
    things: Mapping[str, Thing]
    meant: Mapping[tuple[str, str], tuple[Thing, float]]


def complete(said: Type, mmsi: int | str | None = None) -> Type:
    """`said` with the likeliest code in every scheme in which it has none, where one follows; nothing said is changed.

    `mmsi` tells stations, aids to navigation and distress beacons (ITU-R M.585).
    """
    found = {one.scheme: one for one in _mapped(*_codes(said, mmsi), said.affiliation)}
    for one in said.mapped or ():
        if one.scheme not in found or one.confidence > found[one.scheme].confidence:
            found[one.scheme] = one
    return msgspec.structs.replace(said, mapped=list(found.values())) if found else said


def moves(said: Type | None, mmsi: int | str | None = None) -> str | None:
    """Where such a thing moves: sea, land, air or space; None where no code tells."""
    readings = _readings(*_codes(said or Type(), mmsi))
    return max(readings, key=lambda one: one[1])[0].moves if readings else None


def read(scheme: str, code: str) -> tuple[Thing, float] | None:
    """The thing that a code calls, as exactly as the table knows, and how surely; None where it knows none."""
    meant = _table().meant
    return next((found for key in _keys(scheme, code) if (found := meant.get((scheme, key)))), None)


def things() -> Sequence[Thing]:
    """All kinds of things, the general before the special."""
    return tuple(_table().things.values())


_Codes = tuple[str | None, str | None, int | None, int | None, str | None, str | None, str | None]


def _codes(said: Type, mmsi: int | str | None) -> _Codes:
    number = f"{mmsi:09}" if isinstance(mmsi, int) and mmsi >= _LEAST_MMSI else ""
    beginning = next((known for known in _BEGINNINGS if number.startswith(known)), None)
    return said.siso, said.cot, said.ship_type, said.mav_type, said.sidc, said.station, beginning


@lru_cache(maxsize=8192)
def _readings(
    siso: str | None, cot: str | None, ship_type: int | None, mav_type: int | None, sidc: str | None,
    station: str | None, mmsi: str | None,
) -> tuple[tuple[Thing, float], ...]:  # fmt: skip
    """What the codes call, without what is said more exactly by another."""
    form = "sidc_digits" if sidc and sidc[0].isdigit() else "sidc"
    said = {
        "siso": siso, "cot": cot, "ship_type": ship_type, "mav_type": mav_type, form: sidc, "station": station,
        "mmsi": mmsi,
    }  # fmt: skip
    found = [one for scheme, code in said.items() if code is not None and (one := read(scheme, str(code)))]
    return tuple(one for one in found if not any(other[0].within(one[0]) for other in found))


@lru_cache(maxsize=8192)
def _mapped(
    siso: str | None, cot: str | None, ship_type: int | None, mav_type: int | None, sidc: str | None,
    station: str | None, mmsi: str | None, affiliation: str | None,
) -> tuple[Mapped, ...]:  # fmt: skip
    said = {"siso": siso, "cot": cot, "ship_type": ship_type, "mav_type": mav_type}
    said["sidc_digits" if sidc and sidc[0].isdigit() else "sidc"] = sidc
    side = affiliation or affiliation_of(cot, sidc)
    readings = _readings(siso, cot, ship_type, mav_type, sidc, station, mmsi)
    mapped = []
    for scheme in SCHEMES:
        best = max(_called(scheme, readings), key=lambda one: one[1], default=None)
        if said.get(scheme) is None and best is not None:
            code = _written(scheme, best[0], side)
            if code:
                mapped.append(Mapped(scheme=scheme, code=code, confidence=round(best[1], _FINE)))
    return tuple(mapped)


def _called(scheme: str, readings: Sequence[tuple[Thing, float]]) -> Iterator[tuple[str, float]]:
    """For each reading the most exact code of a scheme."""
    for thing, surely in readings:
        for more_general, left in thing.ways():
            if scheme in more_general.called:
                code, confidence = more_general.called[scheme]
                yield code, surely * left * confidence
                break


def _written(scheme: str, code: str, side: str | None) -> str | None:
    """A code of the table as the scheme writes it; where nobody said whose it is, nobody's side is put."""
    if scheme == "siso":
        return ".".join([*code.split("."), *"0000000"][:7])
    if scheme == "cot":
        return f"a-{type_letter(side)}-{code}"
    if scheme == "sidc":
        dimension, function = code.split(":")
        return f"S{sidc_letter(side)}{dimension}P{function:-<6}-----"
    if scheme == "sidc_digits":
        symbols, entity = code.split(":")
        digit = sidc_digit(side)
        return f"100{digit}{symbols}0000{entity:0<6}0000" if digit else None
    return code


def _keys(scheme: str, code: str) -> Iterator[str]:
    """What a code may stand as in the table, the most exact first."""
    if scheme == "siso":
        yield from _siso_keys(code)
    elif scheme == "cot":
        parts = code.split("-")[2:] if code.startswith("a-") else []
        yield from ("-".join(parts[:end]) for end in range(len(parts), 0, -1))
    elif scheme == "sidc":
        if _LETTERS.fullmatch(code):
            function = code[4:10].rstrip("-*")
            yield from (f"{code[2]}:{function[:end]}" for end in range(len(function), -1, -1))
    elif scheme == "sidc_digits":
        if _DIGITS.fullmatch(code):
            entity = code[10:16]
            yield from (f"{code[4:6]}:{entity[:end]:0<6}" for end in (6, 4, 2))
            yield f"{code[4:6]}:"
    else:
        yield code
        if scheme == "ship_type" and len(code) == 2:
            yield f"{code[0]}*"


def _siso_keys(code: str) -> Iterator[str]:
    """Without the country, and with ever fewer of the numbers after it."""
    if _SISO.fullmatch(code):
        parts = code.split(".")
        kept = [*parts[:2], *parts[3:]]
        while len(kept) > 2 and kept[-1] == "0":
            kept.pop()
        for end in range(len(kept), 1, -1):
            yield ".".join(kept[:end])


@cache
def _table() -> _Table:
    """The table, read once."""
    text = (files("aldis.apps.experiments.entity") / FILE).read_text("utf-8")
    known, meant = dict[str, Thing](), dict[tuple[str, str], tuple[Thing, float]]()
    for row in tomllib.loads(text)["thing"]:
        of = known[row["of"]] if "of" in row else None
        codes: list[list[Any]] = row["codes"]
        called = {code[0]: (code[1], float(code[2])) for code in codes[::-1] if code[3:] != ["in"]}
        thing = known[row["is"]] = Thing(row["is"], row.get("moves") or (of.moves if of else ""), of, called)
        for scheme, code, confidence, *way in codes:
            if way != ["out"]:
                meant[scheme, _key(scheme, code)] = (thing, float(confidence))
    return _Table(known, meant)


def _key(scheme: str, code: str) -> str:
    return next(_siso_keys(code)) if scheme == "siso" else code
