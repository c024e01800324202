"""The test cases that a person keeps at this node: their own, at the level at which they were brought in."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files

import msgspec

from aldis.app import Context
from aldis.apps.experiments.cases.case import Case, case_of
from aldis.kernel.errors import AldisError, TooLarge, UnknownTerm

__all__ = ["MOST_BYTES", "MOST_CASES", "drop", "examples", "keep", "kept", "text_of"]

MOST_BYTES, MOST_CASES = 64 * 1024, 50
_INDEX, _ONE = "experiments/cases", "experiments/case/"
_EXAMPLES = "aldis.apps.experiments"


def kept(ctx: Context) -> Sequence[Case]:
    """Those that whoever asks keeps, by name."""
    return [case for name in _names(ctx) if (case := _case(ctx, name)) is not None]


def text_of(ctx: Context, name: str) -> str:
    """The text of one.

    Raises:
        UnknownTerm: they keep none of that name.
    """
    data = ctx.kept(_ONE + name) if name in _names(ctx) else b""
    if not data:
        raise UnknownTerm(f"no test case {name[:40]!r} here")
    return data.decode()


def keep(ctx: Context, data: bytes) -> Case:
    """Keep a case under its own name, in the place of one that had it.

    Raises:
        InvalidInput, UnknownTerm: it is none; the message says at which line.
        TooLarge: too long, or too many.
    """
    if len(data) > MOST_BYTES:
        raise TooLarge(f"a test case of over {MOST_BYTES // 1024} KiB", fix="Split it, or test it with the command")
    case, names = case_of(data, "the test case"), _names(ctx)
    if case.name not in names and len(names) >= MOST_CASES:
        raise TooLarge(f"more than {MOST_CASES} test cases", fix="Put one away first")
    ctx.keep(_ONE + case.name, data)
    ctx.keep(_INDEX, msgspec.json.encode(sorted({*names, case.name})))
    return case


def drop(ctx: Context, name: str) -> None:
    """Put one away.

    Raises:
        UnknownTerm: they keep none of that name.
    """
    names = _names(ctx)
    if name not in names:
        raise UnknownTerm(f"no test case {name[:40]!r} here")
    ctx.keep(_INDEX, msgspec.json.encode([one for one in names if one != name]))
    ctx.keep(_ONE + name, b"")


def examples() -> Sequence[tuple[Case, str]]:
    """The cases that come with this program, each with its text."""
    folder = files(_EXAMPLES).joinpath("examples", "cases")
    found = sorted((one for one in folder.iterdir() if one.name.endswith(".toml")), key=lambda one: one.name)
    return [(case_of(data, one.name), data.decode()) for one in found for data in [one.read_bytes()]]


def _names(ctx: Context) -> Sequence[str]:
    try:
        return msgspec.json.decode(ctx.kept(_INDEX) or b"[]", type=list[str])
    except msgspec.MsgspecError:
        return []


def _case(ctx: Context, name: str) -> Case | None:
    """One that is kept; None where a newer program reads it no more."""
    try:
        return case_of(ctx.kept(_ONE + name), name)
    except AldisError:
        return None
