"""Instruments as the TOML that people write. A closed schema: what is not listed here is refused.

The fields are in `spec/instruments.md`. A day is a TOML local date and means that UTC day; `until` is inclusive.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from difflib import get_close_matches
from enum import Enum
from functools import lru_cache
from typing import Any, Protocol, TypeVar

from aldis.kernel.errors import InvalidInput, TooLarge, UnknownTerm
from aldis.kernel.instruments.clauses import (
    ANY,
    DAY_MS,
    MOST_APPROVALS,
    MOST_DAYS,
    Action,
    Clause,
    Form,
    Instrument,
    Transform,
)
from aldis.kernel.labels import Grading
from aldis.kernel.rules import evidence_fields

__all__ = ["known_instrument", "parse_instrument"]

_MAX_TEXT = 256 * 1024
_MAX_CLAUSES = 256
_ID = re.compile(r"[a-z0-9][a-z0-9.-]{0,63}")
_CLAUSE_ID = re.compile(r"[0-9A-Za-z][0-9A-Za-z.()-]{0,31}")
_PARTY = re.compile(r"[A-Z][A-Z0-9]{1,11}")

_TOP = ("instrument", "id", "title", "parties", "from", "until")
_LISTS = ("kinds", "projects", "purposes", "portions")
_TOP_MAY = {
    Form.AGREEMENT: ("under", "clause"),
    Form.ARRANGEMENT: ("under", "clause"),
    Form.LICENCE: ("under", "clause"),
    Form.EXEMPTION: ("under", "clause", "rule", "evidence"),
    Form.PAIRING: (),
}
_SHARES = ("id", "kinds", "projects", "purposes", "from", "to", "portions", "ceiling", "categories", "onward")
_ASKS = ("review", "approvals", "decide_within_days")
_CLAUSE_MAY = {
    Form.AGREEMENT: (*_SHARES, *_ASKS, "transforms"),
    Form.ARRANGEMENT: (*_SHARES, *_ASKS, "transforms"),
    Form.LICENCE: ("id", "tags", "from", "to", "kinds", "projects", "provisos"),
    Form.EXEMPTION: ("id", "tags", "from", "to", "kinds", "projects", "provisos"),
}
_CLAUSE_MUST = {
    Form.AGREEMENT: ("id", "kinds", "projects", "purposes", "ceiling"),
    Form.ARRANGEMENT: ("id", "kinds", "projects", "purposes", "ceiling"),
    Form.LICENCE: ("id", "tags"),
    Form.EXEMPTION: ("id", "tags"),
}
_TRANSFORM_MAY = {
    Action.COARSEN: ("portion", "action", "grid_m", "seconds"),
    Action.DELAY: ("portion", "action", "seconds"),
    Action.PSEUDONYMISE: ("portion", "action"),
}


_Word = TypeVar("_Word", bound=Enum)


class _Policies(Protocol):
    def policy(self, name: str, /) -> Grading: ...


class _Table:
    """A TOML table being read: every complaint names the line, the table and the key."""

    def __init__(self, values: Mapping[str, Any], text: str, name: str = "", nth: int = -1) -> None:
        self._values, self._text, self._name, self._nth = values, text, name, nth

    def wrong(self, key: str, message: str, fix: str = "") -> InvalidInput:
        return InvalidInput(f"{self.place(key)}: {message}", fix=fix)

    def place(self, key: str) -> str:
        line = _line_of(self._text, self._nth, key.split(".")[0])
        return f"line {line}, {self._name}{key}" if line else f"{self._name}{key}"

    def only(self, allowed: Iterable[str], what: str) -> None:
        known = tuple(allowed)
        for key in self._values:
            if key not in known:
                raise UnknownTerm(f"{self.place(key)}: no field {key!r} in {what}", fix=_suggest(key, known))

    def must(self, keys: Iterable[str]) -> None:
        for key in keys:
            if key not in self._values:
                place = self.place("").rstrip(" ,.") or "instrument"
                raise InvalidInput(f"{place}: {key!r} is missing", fix=f"Add a line `{key} = ...`")

    def has(self, key: str) -> bool:
        return key in self._values

    def string(self, key: str, default: str = "") -> str:
        value = self._values.get(key, default)
        if not isinstance(value, str):
            raise self.wrong(key, f"{value!r} is not text", 'Write it in quotes: "..."')
        return value

    def flag(self, key: str) -> bool:
        value = self._values.get(key, False)
        if not isinstance(value, bool):
            raise self.wrong(key, f"{value!r} is neither true nor false")
        return value

    def whole(self, key: str) -> int:
        value = self._values.get(key, 0)
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise self.wrong(key, f"{value!r} is not a whole number of at least 0")
        return value

    def strings(self, key: str, default: frozenset[str] = frozenset()) -> frozenset[str]:
        if key not in self._values:
            return default
        return self._set(key, self._values[key])

    def _set(self, key: str, value: Any) -> frozenset[str]:
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise self.wrong(key, f"{value!r} is not a list of texts", 'Write it as ["...", "..."]')
        if not value:
            raise self.wrong(key, "an empty list permits nothing", f'Name values, or ["{ANY}"] for every one')
        if len(set(value)) != len(value):
            raise self.wrong(key, f"{value!r} names a value twice")
        return frozenset(value)

    def table(self, key: str) -> Mapping[str, Any]:
        value = self._values.get(key, {})
        if not isinstance(value, dict):
            raise self.wrong(key, f"{value!r} is not a table")
        return value

    def tables(self, key: str) -> list[Mapping[str, Any]]:
        value = self._values.get(key, [])
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise self.wrong(key, "not a list of tables")
        return value

    def sets(self, key: str) -> tuple[tuple[str, frozenset[str]], ...]:
        rows = self.table(key).items()
        return tuple((tag, self._set(f"{key}.{tag}", values)) for tag, values in rows)

    def day(self, key: str) -> int:
        value = self._values[key]
        if not isinstance(value, date) or isinstance(value, datetime):
            raise self.wrong(key, f"{value!r} is not a date", "Write a bare date such as 2026-01-31")
        return int(datetime(value.year, value.month, value.day, tzinfo=UTC).timestamp()) * 1000


def parse_instrument(text: str, policies: _Policies | None = None) -> Instrument:
    """The instrument that a TOML text states; with `policies`, its ceilings and categories are checked too.

    Raises:
        UnknownTerm: a form, field, rule, party, policy, classification or category that nobody defined.
        InvalidInput: not TOML, a field missing or of the wrong shape, dates the wrong way round, an id used twice.
        TooLarge: over 256 KiB or 256 clauses.
    """
    if len(text) > _MAX_TEXT:
        raise TooLarge(f"an instrument of {len(text)} characters; the limit is {_MAX_TEXT}")
    try:
        values = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError, ValueError) as error:
        raise InvalidInput(f"not TOML: {error}", fix="See spec/instruments.md for an example") from error
    top = _Table(values, text)
    top.must(("instrument",))
    form = _word(top, "instrument", Form)
    top.only((*_TOP, *_TOP_MAY[form]), f"an instrument of form {form.value!r}")
    top.must((*_TOP, *(("rule", "evidence") if form is Form.EXEMPTION else ())))
    parties = _parties(top)
    start, last = top.day("from"), top.day("until")
    if start > last:
        raise top.wrong("until", "the last day is before the first")
    clauses = top.tables("clause")
    if len(clauses) > _MAX_CLAUSES:
        raise TooLarge(f"an instrument of {len(clauses)} clauses; the limit is {_MAX_CLAUSES}")
    if not clauses and form is not Form.PAIRING:
        raise top.wrong("clause", "an instrument without a clause permits nothing", "Add a [[clause]]")
    rule = top.string("rule")
    evidence, denied = _evidence(top, rule) if form is Form.EXEMPTION else (frozenset(), frozenset())
    return Instrument(
        form=form, id=_slug(top, "id", _ID), title=top.string("title"), parties=parties,
        start=start, end=last + DAY_MS, clauses=_clauses(clauses, text, form, parties, policies),
        under=_slug(top, "under", _ID) if top.has("under") else "", rule=rule, evidence=evidence, denied=denied,
    )  # fmt: skip


@lru_cache(1024)
def known_instrument(text: str) -> Instrument:
    """As `parse_instrument`, for texts that are read over and over: epochs that follow each other share most."""
    return parse_instrument(text)


def _parties(top: _Table) -> frozenset[str]:
    parties = top.strings("parties")
    for party in sorted(parties):
        if not _PARTY.fullmatch(party):
            raise top.wrong("parties", f"{party!r} is not a party code", "Use ISO 3166 alpha-3 such as AUS")
    if len(parties) < 2:
        raise top.wrong("parties", "it takes two")
    return parties


def _evidence(top: _Table, rule: str) -> tuple[frozenset[str], frozenset[str]]:
    try:
        known = evidence_fields(rule)
    except UnknownTerm as error:
        raise UnknownTerm(f"{top.place('rule')}: {error}") from None
    given = top.table("evidence")
    for name, value in given.items():
        if name not in known:
            place = top.place(f"evidence.{name}")
            raise UnknownTerm(f"{place}: {rule} asks for no such evidence", fix=_suggest(name, known))
        if not isinstance(value, bool):
            raise top.wrong(f"evidence.{name}", f"{value!r} is neither true nor false")
    held = frozenset(name for name, value in given.items() if value)
    return held, frozenset(given) - held


def _clauses(
    tables: list[Mapping[str, Any]], text: str, form: Form, parties: frozenset[str], policies: _Policies | None
) -> tuple[Clause, ...]:
    clauses: dict[str, Clause] = {}
    for nth, values in enumerate(tables):
        name = values.get("id")
        table = _Table(values, text, f"clause {name} " if isinstance(name, str) else f"clause #{nth + 1} ", nth)
        clause = _clause(table, form, parties)
        if clause.id in clauses:
            raise table.wrong("id", f"two clauses have the id {clause.id!r}")
        if policies is not None:
            _check_terms(table, clause, policies)
        clauses[clause.id] = clause
    return tuple(clauses.values())


def _clause(table: _Table, form: Form, parties: frozenset[str]) -> Clause:
    table.only(_CLAUSE_MAY[form], f"a clause of {form.value!r}")
    table.must(_CLAUSE_MUST[form])
    defaults = {"kinds": frozenset({ANY}), "projects": frozenset({ANY}), "portions": frozenset({ANY})}
    sets = {key: table.strings(key, defaults.get(key, frozenset())) for key in _LISTS}
    for key in ("from", "to", "onward"):
        for party in sorted(table.strings(key) - parties):
            raise UnknownTerm(f"{table.place(key)}: {party!r} is not a party to this instrument",
                              fix=_suggest(party, sorted(parties)))  # fmt: skip
    for key in ("purposes", "tags"):
        if ANY in table.strings(key):
            raise table.wrong(key, f"{ANY!r} is not a value of {key}", "Name each value that the parties agreed")
    return Clause(
        id=_slug(table, "id", _CLAUSE_ID), givers=table.strings("from", parties), takers=table.strings("to", parties),
        **sets, ceiling=_ceiling(table), categories=table.sets("categories"), onward=table.strings("onward"),
        review=table.flag("review"), approvals=_approvals(table), decide_within_days=_days(table),
        transforms=_transforms(table), tags=table.strings("tags"), provisos=table.string("provisos"),
    )  # fmt: skip


def _approvals(table: _Table) -> int:
    asked = table.whole("approvals")
    if table.has("approvals") and not 1 <= asked <= MOST_APPROVALS:
        raise table.wrong("approvals", f"{asked} release officers", f"Ask for 1 to {MOST_APPROVALS}")
    if asked and table.has("review") and not table.flag("review"):
        raise table.wrong("approvals", "it asks for approvals and for no review", "Leave `review` out")
    return asked


def _days(table: _Table) -> int:
    days = table.whole("decide_within_days")
    if table.has("decide_within_days") and not 1 <= days <= MOST_DAYS:
        raise table.wrong("decide_within_days", f"{days} days", f"Give 1 to {MOST_DAYS}")
    return days


def _ceiling(table: _Table) -> tuple[tuple[str, str], ...]:
    rows = table.table("ceiling")
    if not all(isinstance(value, str) for value in rows.values()) or (table.has("ceiling") and not rows):
        raise table.wrong("ceiling", "not a classification per policy", 'Write it as { AUS = "SECRET" }')
    return tuple(rows.items())


def _transforms(clause: _Table) -> tuple[Transform, ...]:
    found: list[Transform] = []
    for values in clause.tables("transforms"):
        table = _Table(values, "", f"{clause.place('transforms')}: ")
        table.must(("portion", "action"))
        action = _word(table, "action", Action)
        table.only(_TRANSFORM_MAY[action], f"the action {action.value!r}")
        transform = Transform(table.string("portion"), action, table.whole("grid_m"), table.whole("seconds"))
        if action is not Action.PSEUDONYMISE and not (transform.grid_m or transform.seconds):
            raise table.wrong("action", f"{action.value!r} does nothing without an amount",
                              "Give grid_m or seconds")  # fmt: skip
        if not transform.portion:
            raise table.wrong("portion", "a transform names a portion")
        if any((other.portion, other.action) == (transform.portion, action) for other in found):
            raise table.wrong("action", f"{action.value!r} twice for portion {transform.portion!r}")
        found.append(transform)
    return tuple(found)


def _check_terms(table: _Table, clause: Clause, policies: _Policies) -> None:
    for name, classification in clause.ceiling:
        try:
            policies.policy(name).rank(classification)
        except UnknownTerm as error:
            raise UnknownTerm(f"{table.place('ceiling')}: {error}") from None


def _slug(table: _Table, key: str, shape: re.Pattern[str]) -> str:
    value = table.string(key)
    if not shape.fullmatch(value):
        raise table.wrong(key, f"{value!r} is not an id", f"It must match {shape.pattern}")
    return value


def _word(table: _Table, key: str, words: type[_Word]) -> _Word:
    value = table.string(key)
    try:
        return words(value)
    except ValueError:
        known = [word.value for word in words]
        raise UnknownTerm(f"{table.place(key)}: no {key} {value!r}", fix=_suggest(value, known)) from None


def _suggest(name: str, known: Iterable[str]) -> str:
    words = list(known)
    near = get_close_matches(name, words, n=1)
    return f"Did you mean {near[0]!r}?" if near else f"Use one of: {', '.join(words)}"


def _line_of(text: str, nth: int, key: str) -> int:
    """The line of a key in the head (nth -1) or the nth clause, or of that clause where the key is not there."""
    clause, header = -1, 0
    for number, line in enumerate(text.splitlines(), 1):
        if re.match(r"\s*\[\[\s*clause\s*\]\]", line):
            clause, header = clause + 1, number if clause + 1 == nth else header
        elif clause == nth and key and re.match(rf"\s*(\[\s*)?[\"']?{re.escape(key)}[\"']?\s*[.=\]]", line):
            return number
    return header
