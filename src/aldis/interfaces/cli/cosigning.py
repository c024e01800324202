"""How far each partner has cosigned this node's ledger, and this node theirs."""

from __future__ import annotations

import msgspec

from aldis.kernel.encoding import unb64
from aldis.kernel.ledger import parse_note, verify_checkpoint, verify_cosignature
from aldis.node.core import ledger_name
from aldis.node.node import Node
from aldis.node.partners import Known

__all__ = ["Cosigned", "cosigned"]


class Cosigned(msgspec.Struct, frozen=True):
    """The newest checkpoint of ours that `node` cosigned, `size` leaves at `at` (ms since 1970 UTC), 0 for none.

    `theirs` is the size of its own newest checkpoint that this node cosigned.
    """

    node: str
    size: int
    at: int
    theirs: int


def cosigned(node: Node, known: Known) -> Cosigned:
    """What a partner and this node have cosigned of each other's ledgers, each signature verified.

    Raises:
        NotAuthentic: a signature that is kept here does not hold.
    """
    ledger, name, key = node.core.store.ledger, ledger_name(known.node), unb64(known.sheet.ledger_key)
    size = at = 0
    for count, note in reversed(ledger.checkpoints()):
        if any(signature.name == name for signature in parse_note(note).signatures):
            size, at = count, verify_cosignature(note, name, key) * 1000
            break
    held = ledger.checkpoint(name)
    theirs = verify_checkpoint(held[1], name, key).size if held else 0
    if held:
        verify_cosignature(held[1], node.core.ledger, node.core.note_signer.public)
    return Cosigned(known.node, size, at, theirs)
