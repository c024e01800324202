"""Operations on what goes to partners: why, what they may be told, offers, and previews of instruments."""

from __future__ import annotations

from typing import Annotated

import msgspec

from aldis.interfaces.api.explained import ExplanationShown, explained
from aldis.interfaces.api.operations import Call, Operation
from aldis.kernel.authority import Act

__all__ = ["OPERATIONS"]

_DRAFTS = 16


class Pair(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A record and the partner (a node) it may go to; `originator` says whose, where several nodes use the id."""

    id: str
    partner: str
    originator: str = ""


class PreviewAsked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Draft instruments, TOML each, that are to be read as if all had signed them."""

    instruments: Annotated[list[str], msgspec.Meta(max_length=_DRAFTS)]


class ToldShown(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the partner itself may be told; `instruments` are those in force that it signed and that you may see."""

    text: str
    instruments: list[str]


class GainShown(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a partner would newly get of records that you may see; counts of portions and export-control tags.

    Another node's record, which its grant would let this node pass on, is named as NODE/ID.
    """

    node: str
    party: str
    records: list[str]
    portions: dict[str, int]
    control: dict[str, int]
    referred: list[str]


class PreviewShown(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What drafts would newly release; `lacking` are instruments under which they stand that are not in force."""

    instruments: list[str]
    lacking: list[str]
    at: int
    gains: list[GainShown]
    narrowed: list[str]


def why(call: Call, asked: Pair) -> ExplanationShown:
    """Why a partner may or may not have a record, of what the person may see of it."""
    return explained(call.context.explain(call.context.get(asked.id, originator=asked.originator), asked.partner))


def offer(call: Call, asked: Pair) -> ExplanationShown:
    """A decision now; what needs a release officer waits for one."""
    return explained(call.context.offer(call.context.get(asked.id, originator=asked.originator), asked.partner))


def told(call: Call, asked: Pair) -> ToldShown:
    """What may be passed on to the partner."""
    row = call.node.records.get(asked.id, None, call.person, asked.originator)
    found = call.node.desk.told(asked.id, asked.partner, row.originator)
    return ToldShown(found.text, [name for name in found.instruments if call.node.register.shows(name, call.person)])


def preview(call: Call, asked: PreviewAsked) -> PreviewShown:
    """What drafts would release."""
    found = call.context.preview(*asked.instruments)
    return PreviewShown(
        instruments=list(found.instruments),
        lacking=list(found.lacking),
        at=found.at,
        gains=[
            GainShown(one.node, one.party, list(one.records), dict(one.portions), dict(one.control), list(one.referred))
            for one in found.gains
        ],
        narrowed=list(found.narrowed),
    )


_P = "/api/v1/records/{id}/partners/{partner}"
OPERATIONS = (
    Operation("GET", _P, "Why a partner may or may not have a record, and what would change that", Pair,
              ExplanationShown, why, act=Act.OFFER),
    Operation("GET", _P + "/told", "What the partner itself may be told of that", Pair, ToldShown, told, act=Act.OFFER),
    Operation("POST", _P + "/offer", "Ask for a release now; what needs a person goes to the release desk", Pair,
              ExplanationShown, offer, act=Act.OFFER),
    Operation("POST", "/api/v1/preview", "What draft instruments would newly release", PreviewAsked, PreviewShown,
              preview, act=Act.OFFER, slow=True),
)  # fmt: skip
"""What goes to partners."""
