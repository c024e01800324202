"""Operations on the terms of a node: kinds, policies, markings, and instruments to read."""

from __future__ import annotations

from typing import Any

import msgspec

from aldis.interfaces.api.operations import Call, Nothing, Operation
from aldis.interfaces.api.shown import LabelShown
from aldis.interfaces.cli.marks import Marks
from aldis.kernel.errors import UnknownTerm
from aldis.kernel.instruments import covers
from aldis.kernel.labels import encode_label
from aldis.node.instruments import instrument_text

__all__ = ["OPERATIONS"]


class Name(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Something by its name."""

    name: str


class KindShown(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A kind of record: the JSON Schema of each portion's value, which are searched, and which is the title."""

    name: str
    portions: dict[str, dict[str, Any]]
    text: list[str]
    title: str


class KindList(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The kinds that you may see."""

    kinds: list[KindShown]


class RungShown(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A rung of a ladder: its name and the mark of a portion; `in_use` says whether new labels may have it."""

    name: str
    rank: int
    portion: str
    in_use: bool
    source: str


class CategoryShown(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A category of a policy: its tag, its type (STANAG 4774), and the values that have a name."""

    tag: str
    type: str
    values: list[str]
    source: str


class PolicyShown(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A label policy; `own` is that of this node, `ceiling` its ceiling there, else empty."""

    name: str
    owner: str
    authority: str
    own: bool
    ceiling: str
    ladder: list[RungShown]
    categories: list[CategoryShown]


class PolicyList(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The label policies that this node goes by."""

    policies: list[PolicyShown]


class MarkingGiven(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A marking as people write it, in this node's policy, in another as `UK: SECRET`, or XML of ADatP-4774."""

    marking: str


class MarkingRead(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The label that a marking states, and how it is written: as a banner and as the mark of a portion."""

    label: LabelShown
    banner: str
    portion: str


class InstrumentShown(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where an instrument stands now; `missing` are parties that have yet to sign. Signing is done at the machine."""

    id: str
    version: int
    state: str
    missing: list[str]
    status: str
    digest: str


class InstrumentText(InstrumentShown, frozen=True, forbid_unknown_fields=True):
    """An instrument with the TOML of its newest version."""

    text: str


class InstrumentList(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The instruments that you may see."""

    instruments: list[InstrumentShown]


def kinds(call: Call, _asked: Nothing) -> KindList:
    """The kinds that the person's account names."""
    allowed = frozenset(call.person.account.kinds)
    found = [kind for name, kind in sorted(call.node.core.kinds.items()) if covers(allowed, name)]
    return KindList(
        [
            KindShown(kind.name, {name: _schema(of) for name, of in kind.portions.items()}, list(kind.text), kind.title)
            for kind in found
        ]
    )


def _schema(of: Any) -> dict[str, Any]:
    (schema,), components = msgspec.json.schema_components([of], ref_template="#/$defs/{name}")
    return {**schema, **({"$defs": components} if components else {})}


def policies(call: Call, _asked: Nothing) -> PolicyList:
    """All policies."""
    return PolicyList([_policy(call, name) for name in call.node.core.policies.names])


def policy(call: Call, asked: Name) -> PolicyShown:
    """One policy."""
    return _policy(call, call.node.core.policies.policy(asked.name).name)


def _policy(call: Call, name: str) -> PolicyShown:
    core, now = call.node.core, call.node.core.clock.now()
    found, own = core.policies.policy(name), name == core.config.policy
    return PolicyShown(
        name=found.name,
        owner=found.owner,
        authority=found.authority,
        own=own,
        ceiling=core.config.ceiling if own else "",
        ladder=[RungShown(rung.name, rung.rank, rung.portion, rung.in_use(now), rung.source) for rung in found.ladder],
        categories=[
            CategoryShown(one.tag, one.type.value, sorted(one.values), one.source) for one in found.categories.values()
        ],
    )


def marking(call: Call, asked: MarkingGiven) -> MarkingRead:
    """A marking, read and written back."""
    marks, now = Marks.of(call.node), call.node.core.clock.now()
    label = marks.read(asked.marking, now)
    shown = msgspec.json.decode(encode_label(label), type=LabelShown)
    return MarkingRead(shown, marks.write(label, now), marks.write(label, now, portion=True))


def instruments(call: Call, _asked: Nothing) -> InstrumentList:
    """The instruments whose records the person may see."""
    found = []
    for name in call.node.epochs.current().instruments.ids():
        try:
            shown = instrument(call, Name(name))
        except UnknownTerm:
            continue
        found.append(InstrumentShown(*(getattr(shown, field) for field in InstrumentShown.__struct_fields__)))
    return InstrumentList(found)


def instrument(call: Call, asked: Name) -> InstrumentText:
    """One instrument."""
    record = call.node.register.record(asked.name, call.person)
    status = call.node.register.status(asked.name)
    return InstrumentText(
        asked.name, status.version, status.state.value, list(status.missing), status.text, record.digest.hex(),
        instrument_text(record),
    )  # fmt: skip


_V = "/api/v1"
OPERATIONS = (
    Operation("GET", _V + "/kinds", "The kinds of record, with JSON Schemas", Nothing, KindList, kinds),
    Operation("GET", _V + "/policies", "The label policies: their ladders and categories", Nothing, PolicyList,
              policies),
    Operation("GET", _V + "/policies/{name}", "A label policy", Name, PolicyShown, policy),
    Operation("POST", _V + "/markings", "Read a marking: the label that it states", MarkingGiven, MarkingRead,
              marking),
    Operation("GET", _V + "/instruments", "List the instruments that you may see", Nothing, InstrumentList,
              instruments),
    Operation("GET", _V + "/instruments/{name}", "An instrument's text, and where it stands", Name, InstrumentText,
              instrument),
)  # fmt: skip
"""What the words of a node mean."""
