"""Proofs and replay: that a leaf stands in the ledger, that one checkpoint continues another, that all comes out again.

They show what the ledger says, and so go by its rule: this node's own auditors, at its ceiling.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from aldis.app import Go, Handed
from aldis.interfaces.web.door import View
from aldis.interfaces.web.frame import Frame
from aldis.interfaces.web.pages.ledger import check_whole, number_of
from aldis.interfaces.web.visit import Sheet, Visit
from aldis.kernel.authority import Act
from aldis.kernel.errors import AldisError, UnknownTerm
from aldis.kernel.ledger import Checkpoint, inclusion_steps, leaf_hash, verify_checkpoint, verify_consistency
from aldis.node.audit import Proof, check_proof, cosigners
from aldis.node.core import ledger_name

__all__ = ["views"]

_SHOWN = 100
_CHECKPOINTS = 200


@dataclass(frozen=True, slots=True)
class _Step:
    """One step of the way to the root: what is hashed together, in order, and what that gives; all in hex."""

    left: str
    right: str
    given: str
    node: str


def views(_frame: Frame) -> Sequence[View]:
    """Of one leaf, of two checkpoints, of the whole ledger."""
    need = Act.READ_LEDGER
    return [
        View("/ledger/replay", _replay_page, _replay, need=need),
        View("/ledger/consistency", _consistency, need=need),
        View("/ledger/{index}/proof", _proof, need=need),
        View("/ledger/{index}/proof.json", _file, need=need),
    ]


def _made(visit: Visit) -> Proof:
    index = number_of(visit.segments["index"])
    check_whole(visit)
    if index >= visit.node.core.store.ledger.size():
        raise UnknownTerm(f"no leaf {index}")
    return visit.node.audit.prove(index)


def _proof(visit: Visit) -> Sheet:
    proof, core = _made(visit), visit.node.core
    checkpoint = check_proof(proof, core.note_signer.public)
    hashed = leaf_hash(proof.leaf.encode())
    path = [bytes.fromhex(digest) for digest in proof.path]
    steps, before = list[_Step](), hashed
    for side, sibling, node in inclusion_steps(hashed, proof.index, checkpoint.size, path):
        left, right = (sibling, before) if side == "left" else (before, sibling)
        steps.append(_Step(left.hex(), right.hex(), sibling.hex(), node.hex()))
        before = node
    values = {
        "index": proof.index,
        "leaf": proof.leaf,
        "hash": hashed.hex(),
        "steps": steps,
        "checkpoint": checkpoint,
        "root": checkpoint.root.hex(),
        "note": proof.checkpoint,
        "cosigned": [one.removeprefix(ledger_name("")) for one in cosigners(proof.checkpoint.encode(), core.ledger)],
        "file": _name(visit, proof.index),
    }
    return Sheet("proof.html", f"Proof of leaf {proof.index}", values, [visit.level])


def _file(visit: Visit) -> Handed:
    """The proof as `aldis ledger prove` writes it."""
    proof = _made(visit)
    data = msgspec.json.format(msgspec.json.encode(proof)) + b"\n"
    return Handed(_name(visit, proof.index), "application/json", len(data), iter([data]))


def _name(visit: Visit, index: int) -> str:
    return f"{visit.node.name}-leaf-{index}.json"


def _consistency(visit: Visit) -> Sheet:
    check_whole(visit)
    sizes = [size for size, _ in visit.node.core.store.ledger.checkpoints()][::-1]
    query, values = visit.query, {"sizes": sizes[:_CHECKPOINTS], "old": 0, "new": 0, "digests": [], "problem": ""}
    if query.get("old") and query.get("new"):
        old, new = sorted((number_of(query.get("old")), number_of(query.get("new"))))
        values |= {"old": old, "new": new}
        try:
            first, second, digests = _continues(visit, old, new)
            values |= {"digests": digests, "roots": (first.root.hex(), second.root.hex())}
        except AldisError as error:
            values["problem"] = f"{error.args[0]}. {error.fix}"
    return Sheet("consistency.html", "Two checkpoints", values, [visit.level])


def _continues(visit: Visit, old: int, new: int) -> tuple[Checkpoint, Checkpoint, list[str]]:
    """Two checkpoints and the proof that one continues the other, verified.

    Raises:
        UnknownTerm: there is no such checkpoint.
        AldisError: a signature does not hold, or one does not continue the other.
    """
    core, found, notes = visit.node.core, list[Checkpoint](), list[bytes]()
    for size in (old, new):
        held = core.store.ledger.checkpoint(size=size)
        if held is None:
            raise UnknownTerm(f"no checkpoint was signed at {size:,} leaves", fix="Choose two of those listed")
        notes.append(held[1])
        found.append(verify_checkpoint(held[1], core.ledger, core.note_signer.public))
    digests = visit.node.audit.consistency(old, notes[1])
    verify_consistency(old, found[0].root, new, found[1].root, [bytes.fromhex(one) for one in digests])
    return found[0], found[1], digests


def _replay_page(visit: Visit) -> Sheet:
    check_whole(visit)
    run = visit.node.replaying.last
    values = {
        "run": run,
        "differences": list(run.differences)[:_SHOWN] if run else [],
        "more": max(0, len(run.differences) - _SHOWN) if run else 0,
    }
    return Sheet("replay.html", "Replay", values, [visit.level])


def _replay(visit: Visit) -> Go:
    check_whole(visit)
    visit.node.replaying.start(visit.who)
    return Go("/ledger/replay")
