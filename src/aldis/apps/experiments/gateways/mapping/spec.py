"""What a mapping file may say, and the check of it: every key is known, and an error names the table it is in."""

from __future__ import annotations

import difflib
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from aldis.kernel.errors import InvalidInput, TooLarge, UnknownTerm

__all__ = ["Checksum", "FieldSpec", "Framing", "Length", "Mapping", "MessageSpec", "Sign", "load"]

_MOST = 256 * 1024
_Offset = Annotated[int, msgspec.Meta(ge=0, le=65_535)]
_Number = Literal["u8", "u16", "u24", "u32", "u64", "i8", "i16", "i24", "i32", "i64", "f32", "f64"]
_Endian = Literal["little", "big"]


class _Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Closed: `load` looks for unknown keys before, to say what may have been meant."""


class Checksum(_Table, frozen=True, kw_only=True):
    """Over the bytes from `first` to before `last` (negative: from the end) of a frame, written at `at`.

    In lines it is hexadecimal behind `mark`, over what stands before that. `fletcher8` is the two-byte sum of RFC 1145.
    """

    kind: Literal["xor", "sum8", "fletcher8", "crc16-ccitt", "crc32"]
    first: _Offset = 0
    last: int | None = None
    at: int | None = None
    endian: _Endian = "little"
    mark: str = ""


class Length(_Table, frozen=True, kw_only=True):
    """A number in the frame: it and `adds` are the bytes of the whole frame."""

    at: _Offset
    type: Literal["u8", "u16", "u24", "u32"]
    adds: int = 0
    endian: _Endian = "little"


class Framing(_Table, frozen=True, kw_only=True):
    """How a stream is cut into messages: `start` and `end` are bytes in hexadecimal, `limit` the most bytes of one."""

    kind: Literal["lines", "fixed", "length", "between"]
    separator: str = "\n"
    size: Annotated[int, msgspec.Meta(ge=1, le=65_535)] | None = None
    start: str = ""
    end: str = ""
    length: Length | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=65_535)] = 4096
    checksum: Checksum | None = None


class Sign(_Table, frozen=True, kw_only=True):
    """This field is the sign of another: `N` and `S`, `E` and `W`."""

    of: str
    plus: str
    minus: str


class FieldSpec(_Table, frozen=True, kw_only=True):
    """A field of a message: where it stands, how it is written, and which field of the model it is.

    `at` counts cells from 0 in delimited text and bytes in binary; `columns` are the first, and the one behind the
    last. Model value = (number x `scale` + `offset`) in `unit`. `is` must stand there; what bears it, decides which
    message it is. `unknown` are the numbers or words for not known; `known_if` names a field that is 0 then.
    """

    name: str
    at: _Offset | None = None
    columns: tuple[_Offset, _Offset] | None = None
    type: _Number | Literal["text", "integer", "decimal"] | None = None
    size: _Offset | None = None
    bits: tuple[_Offset, Annotated[int, msgspec.Meta(ge=1, le=64)]] | None = None
    endian: _Endian | None = None
    scale: float = 1.0
    offset: float = 0.0
    unit: str = ""
    digits: Annotated[int, msgspec.Meta(ge=0, le=12)] = 6
    whole_digits: Annotated[int, msgspec.Meta(ge=1, le=12)] = 1
    degrees_minutes: bool = False
    unknown: list[str | int | float] = []
    values: dict[str, str | int | float | bool] = {}
    is_: str | int | None = msgspec.field(name="is", default=None)
    to: str = ""
    time: Literal["iso8601", "hhmmss", "year", "month", "day", "hour", "minute", "second", "nanosecond"] | None = None
    known_if: str = ""
    sign: Sign | None = None
    default: str | int | float | None = None


class MessageSpec(_Table, frozen=True, kw_only=True):
    """One kind of message: of which entity it speaks, how its key is made of fields, and what it says without any."""

    name: str
    key: str
    entity: Literal["track", "report", "environment"] = "track"
    size: Annotated[int, msgspec.Meta(ge=1, le=65_535)] | None = None
    says: dict[str, str | int | float | bool] = {}
    field: list[FieldSpec]


class Mapping(_Table, frozen=True, kw_only=True):
    """A whole file."""

    protocol: str
    title: str
    form: Literal["text", "binary"]
    framing: Framing
    message: list[MessageSpec]
    delimiter: str = ""
    encoding: Literal["ascii", "utf-8", "latin-1"] = "utf-8"
    endian: _Endian = "little"


_BELOW: dict[type[_Table], dict[str, type[_Table]]] = {
    Mapping: {"framing": Framing, "message": MessageSpec},
    Framing: {"length": Length, "checksum": Checksum},
    MessageSpec: {"field": FieldSpec},
    FieldSpec: {"sign": Sign},
}


def load(path: Path) -> Mapping:
    """The mapping in a file; whether its parts fit is seen when it is compiled.

    Raises:
        InvalidInput: it cannot be read, is not TOML, lacks something, or a value cannot be.
        UnknownTerm: a key that does not exist.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InvalidInput(f"{path} cannot be read: {error.strerror}", fix="Check the path") from error
    if len(data) > _MOST:
        raise TooLarge(f"{path} has {len(data)} bytes; the limit is {_MOST}", fix="Split it into several protocols")
    try:
        table = tomllib.loads(data.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidInput(f"{path} is not TOML: {error}", fix="Mend that line") from error
    _known(table, Mapping, str(path), "the top")
    try:
        return msgspec.convert(table, Mapping)
    except msgspec.ValidationError as error:
        raise InvalidInput(f"{path}: {_placed(table, str(error))}", fix="Mend that value, or give it") from error


def _known(table: Any, type_: type[_Table], file: str, place: str) -> None:
    names = [field.encode_name for field in msgspec.structs.fields(type_)]
    if not isinstance(table, dict):
        return
    for key, value in table.items():
        if key not in names:
            near = difflib.get_close_matches(key, names, 1)
            hint = f"Did you mean {near[0]!r}?" if near else f"Write one of {', '.join(names)}"
            raise UnknownTerm(f"{file}: {place} has the unknown key {key!r}", fix=hint)
        below = _BELOW.get(type_, {}).get(key)
        if below is None:
            continue
        for count, one in enumerate(value if isinstance(value, list) else [value], 1):
            _known(one, below, file, _name(one, key, count, place))


def _name(table: Any, key: str, count: int, place: str) -> str:
    named = table.get("name") if isinstance(table, dict) else None
    here = f"{key} {named!r}" if named else f"{key} {count}" if key in ("message", "field") else f"[{key}]"
    return here if place == "the top" else f"{place}, {here}"


def _placed(table: Any, error: str) -> str:
    """The error, with names of tables in place of their numbers."""
    text, _, path = error.partition(" - at `$")
    place, at = "the top", table
    for part in path.rstrip("`").split("."):
        key, _, number = part.partition("[")
        if isinstance(at, dict) and key in at:
            at = at[key]
            count = number.rstrip("]")
            if count.isdigit() and isinstance(at, list):
                at = at[int(count)]
                place = _name(at, key, int(count) + 1, place)
            else:
                place = f"{place}, {key!r}" if place != "the top" else repr(key)
    return f"{place}: {text}"
