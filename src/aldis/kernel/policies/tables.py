"""The closed schema of the policy tables (TOML) and their reading into policies, groups and equivalences."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from datetime import date
from itertools import permutations
from typing import TypeVar

import msgspec

from aldis.kernel.errors import InvalidInput
from aldis.kernel.labels import CategoryType
from aldis.kernel.policies.equivalences import Direction, Equivalence
from aldis.kernel.policies.groups import Group, Membership
from aldis.kernel.policies.policy import Category, Policy, RollUp, Rung, Unmarked, Value

__all__ = ["read_equivalences", "read_groups", "read_parties", "read_policy"]

_T = TypeVar("_T")
_DAY_MS = 86_400_000
_EPOCH = date(1970, 1, 1)


class _Head(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    owner: str
    authority: str
    routine: str = ""
    unclassified: str = ""
    uri: str = ""


class _Rung(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    portion: str
    unmarked: Unmarked
    source: str
    since: date | None = None
    until: date | None = None
    originator: bool = False


class _Value(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    source: str
    portion: str = ""
    long: str = ""
    lowest: str = ""
    highest: str = ""
    refused: bool = False
    needs: tuple[str, ...] = ()
    not_with: tuple[str, ...] = ()
    needs_origins: bool = False
    implies: tuple[str, ...] = ()
    originator: bool = False


class _Category(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    tag: str
    type: CategoryType
    source: str
    values: tuple[_Value, ...] = ()
    pattern: str = ""
    nested: bool = False
    roll_up: RollUp = RollUp.UNION
    lowest: str = ""
    highest: str = ""


class _Claim(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    level: str
    says: str


class _Policy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    policy: _Head
    rungs: tuple[_Rung, ...]
    categories: tuple[_Category, ...] = ()
    notation: dict[str, str] = {}
    claims: tuple[_Claim, ...] = ()


class _Member(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    party: str
    since: date
    until: date | None = None


class _Group(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    source: str
    members: tuple[_Member, ...]
    written: bool = False
    organisation: bool = False


class _Groups(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    groups: tuple[_Group, ...]


class _Parties(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    source: str
    codes: tuple[str, ...]


class _Row(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"policy": "from"}):
    direction: Direction
    policy: str
    to: str
    since: date
    source: str
    levels: dict[str, str]
    until: date | None = None


class _Agreement(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    since: date
    source: str
    between: tuple[str, ...]
    levels: tuple[str, ...]


class _Equivalences(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    rows: tuple[_Row, ...]
    agreements: tuple[_Agreement, ...] = ()


def read_policy(name: str, data: bytes) -> Policy:
    """The policy that a table states; InvalidInput where it is malformed."""
    table = _read(name, data, _Policy)
    head = table.policy
    rungs = (
        Rung(r.name, rank, r.portion, r.unmarked, r.source, _ms(r.since), _ms(r.until), r.originator)
        for rank, r in enumerate(table.rungs)
    )
    categories = {row.tag: _category(row) for row in table.categories}
    ladder = tuple(rungs)
    if not ladder:
        raise InvalidInput(f"policy table {name} has no rungs", fix="Mend the table")
    return Policy(
        head.name,
        head.owner,
        head.authority,
        ladder,
        categories,
        dict(table.notation),
        head.routine or ladder[0].name,
        head.unclassified or ladder[0].name,
        head.uri,
        tuple((claim.level, claim.says) for claim in table.claims),
    )


def _category(row: _Category) -> Category:
    return Category(
        tag=row.tag,
        type=row.type,
        source=row.source,
        values={value.name: _value(value) for value in row.values},
        pattern=re.compile(row.pattern, re.ASCII) if row.pattern else None,
        nested=row.nested,
        roll_up=row.roll_up,
        lowest=row.lowest,
        highest=row.highest,
    )


def _value(row: _Value) -> Value:
    fields = msgspec.structs.asdict(row)
    fields["portion"] = row.portion or row.name
    fields["needs"] = tuple((tag, name) for tag, _, name in (need.partition(":") for need in row.needs))
    return Value(**fields)


def read_groups(name: str, data: bytes) -> dict[str, Group]:
    """The groups that a table states, by name."""
    found = {}
    for row in _read(name, data, _Groups).groups:
        members = tuple(Membership(m.party, _date_ms(m.since), _ms(m.until)) for m in row.members)
        found[row.name] = Group(row.name, row.source, members, row.written, row.organisation)
    return found


def read_parties(name: str, data: bytes) -> frozenset[str]:
    """The codes of parties that a table states."""
    return frozenset(_read(name, data, _Parties).codes)


def read_equivalences(name: str, data: bytes) -> tuple[Equivalence, ...]:
    """The rows that a table states; an agreement among n policies stands for its rows both ways between each two."""
    table = _read(name, data, _Equivalences)
    rows = (
        Equivalence(r.direction, r.policy, level, r.to, answer, _date_ms(r.since), r.source, _ms(r.until))
        for r in table.rows
        for level, answer in r.levels.items()
    )
    return (*rows, *(row for agreement in table.agreements for row in _agreed(agreement)))


def _agreed(agreement: _Agreement) -> Iterator[Equivalence]:
    since = _date_ms(agreement.since)
    for policy, other in permutations(agreement.between, 2):
        for direction in Direction:
            for level in agreement.levels:
                yield Equivalence(direction, policy, level, other, level, since, agreement.source)


def _read(name: str, data: bytes, schema: type[_T]) -> _T:
    try:
        return msgspec.convert(tomllib.loads(data.decode()), schema)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError) as error:
        raise InvalidInput(f"policy table {name}: {error}", fix="Mend the table") from error


def _date_ms(day: date) -> int:
    return (day - _EPOCH).days * _DAY_MS


def _ms(day: date | None) -> int | None:
    return None if day is None else _date_ms(day)
