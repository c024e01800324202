"""The ledger: an append-only, tamper-evident log (RFC 9162) whose heads are signed and cosigned (C2SP).

Storage is the caller's. It keeps each leaf's bytes and the nodes that `Frontier.append` hands over, and answers a
`Reader`; every proof is made from O(log n) reads.
"""

from aldis.kernel.ledger.checkpoint import (
    Checkpoint,
    NoteSigner,
    cosign,
    sign_checkpoint,
    verify_checkpoint,
    verify_cosignature,
)
from aldis.kernel.ledger.leaf import LEAF_LIMIT, Leaf, LeafType, decode_leaf, encode_leaf
from aldis.kernel.ledger.merkle import (
    EMPTY_ROOT,
    Frontier,
    Node,
    Reader,
    consistency_proof,
    inclusion_proof,
    inclusion_proofs,
    inclusion_steps,
    leaf_hash,
    merkle_root,
    node_hash,
    node_key,
    verify_consistency,
    verify_inclusion,
)
from aldis.kernel.ledger.note import NOTE_LIMIT, SIGNATURE_LIMIT, Note, Signature, add_signature, parse_note

__all__ = [
    "EMPTY_ROOT",
    "LEAF_LIMIT",
    "NOTE_LIMIT",
    "SIGNATURE_LIMIT",
    "Checkpoint",
    "Frontier",
    "Leaf",
    "LeafType",
    "Node",
    "Note",
    "NoteSigner",
    "Reader",
    "Signature",
    "add_signature",
    "consistency_proof",
    "cosign",
    "decode_leaf",
    "encode_leaf",
    "inclusion_proof",
    "inclusion_proofs",
    "inclusion_steps",
    "leaf_hash",
    "merkle_root",
    "node_hash",
    "node_key",
    "parse_note",
    "sign_checkpoint",
    "verify_checkpoint",
    "verify_consistency",
    "verify_cosignature",
    "verify_inclusion",
]
