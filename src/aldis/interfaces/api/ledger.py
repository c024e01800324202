"""Operations that read the ledger, for auditors.

The ledger tells of every record here, by digests and ids: it is for this node's own nationals at its ceiling.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

from aldis.interfaces.api.operations import Call, Nothing, Operation
from aldis.kernel.authority import Act
from aldis.kernel.errors import UnknownTerm
from aldis.kernel.ledger import Leaf, LeafType, decode_leaf
from aldis.node.audit import Proof

__all__ = ["OPERATIONS"]

_INDEX = Annotated[int, msgspec.Meta(ge=0, lt=2**53)]


class Leaves(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which leaves: from an index on, in order, of a type or subject where they are named."""

    start: _INDEX = 0
    limit: Annotated[int, msgspec.Meta(ge=1, le=500)] = 100
    type: LeafType | None = None
    subject: str | None = None


class Index(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A leaf by its index."""

    index: _INDEX


class LeafShown(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A leaf and its index."""

    index: int
    leaf: Leaf


class LeafPage(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Leaves in order; `size` is how many the ledger has."""

    size: int
    leaves: list[LeafShown]


class CheckpointShown(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The signed checkpoint of the ledger as it stands (C2SP tlog-checkpoint); empty while the ledger is."""

    checkpoint: str


def leaves(call: Call, asked: Leaves) -> LeafPage:
    """A page of leaves."""
    _check(call)
    ledger = call.node.core.store.ledger
    rows = ledger.leaves(asked.start, asked.limit, type_=asked.type, subject=asked.subject)
    return LeafPage(ledger.size(), [LeafShown(row.index, decode_leaf(row.data)) for row in rows])


def checkpoint(call: Call, _asked: Nothing) -> CheckpointShown:
    """The checkpoint."""
    _check(call)
    return CheckpointShown(call.node.audit.checkpoint().decode())


def proof(call: Call, asked: Index) -> Proof:
    """The proof that a leaf stands in the ledger."""
    _check(call)
    size = call.node.core.store.ledger.size()
    if asked.index >= size:
        raise UnknownTerm(f"the ledger has no leaf {asked.index}", fix=f"It has {size}, counted from 0")
    return call.node.audit.prove(asked.index)


def _check(call: Call) -> None:
    call.node.sights.check_whole(
        call.person,
        "the ledger tells of every record here",
        "Read it as a national of this node's party who works at its ceiling",
    )


_L = "/api/v1/ledger"
OPERATIONS = (
    Operation("GET", _L + "/leaves", "Leaves of the ledger, in order", Leaves, LeafPage, leaves, act=Act.READ_LEDGER),
    Operation("GET", _L + "/leaves/{index}/proof", "The proof that a leaf stands in the ledger", Index, Proof, proof,
              act=Act.READ_LEDGER),
    Operation("GET", _L + "/checkpoint", "The signed checkpoint of the ledger", Nothing, CheckpointShown, checkpoint,
              act=Act.READ_LEDGER),
)  # fmt: skip
"""What reads the ledger."""
