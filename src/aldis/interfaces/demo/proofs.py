"""The proof at the end of the demo: what the ledgers say left is what arrived, and it decides the same again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from aldis.kernel.encoding import unb64
from aldis.kernel.errors import AldisError
from aldis.kernel.ledger import verify_checkpoint, verify_cosignature
from aldis.node.audit import check_proof
from aldis.node.core import ledger_name
from aldis.node.node import Node

__all__ = ["Finding", "cosigned", "prove", "summed"]

_SUMMED = {
    "ledger": "{0} ledgers recomputed: {1:,} leaves, {2:,} decisions made again alike",
    "items": "{0} ways between nodes: {1:,} items left and arrived, each way one chain of bundles",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was checked, whether it holds, the numbers in words, and what they count: together they add up."""

    text: str
    holds: bool
    about: str = ""
    counts: tuple[int, ...] = ()


def summed(findings: Sequence[Finding]) -> Iterator[Finding]:
    """Those that are about the same as one, where all of it holds; each that does not by itself."""
    for about, words in _SUMMED.items():
        alike = [finding for finding in findings if finding.about == about and finding.holds]
        if alike:
            sums = [sum(column) for column in zip(*(finding.counts for finding in alike), strict=True)]
            yield Finding(words.format(len(alike), *sums), holds=True)
    yield from (finding for finding in findings if not finding.about or not finding.holds)


def prove(nodes: dict[str, Node]) -> Iterator[Finding]:
    """Each check as it is done."""
    for name, node in nodes.items():
        yield _ledger(name, node)
    for sender, node in nodes.items():
        for known in node.partners.all():
            yield _arrived(sender, node, known.node, nodes[known.node])
    yield cosigned(nodes["aus"])
    yield _inclusion("aus", nodes["aus"])


def _ledger(name: str, node: Node) -> Finding:
    size, notes = node.audit.verify()
    count, differences = node.replay.run()
    text = f"{name}: {size:,} ledger leaves and {notes} checkpoints recomputed, {count:,} decisions made again alike"
    text = text if not differences else f"{text}, but {len(differences)} came out otherwise"
    return Finding(text, not differences, "ledger", (size, count))


def _arrived(sender: str, node: Node, receiver: str, other: Node) -> Finding:
    """The sender's last acknowledged bundle is the receiver's cursor, and as many items left as came in."""
    sent, cursor = node.core.store.exchange.last(receiver), other.inbound.cursor(sender)
    sealed = node.core.store.exchange.sealed_to(receiver, str(node.exchange.epoch), cursor.seq)
    same = cursor.seq == sent and (sent == 0 or (sealed is not None and sealed.digest.hex() == cursor.digest))
    text = f"{sender} → {receiver}: {sent:,} items left, {cursor.seq:,} arrived, one chain of bundles"
    return Finding(text, same, "items", (sent,))


def cosigned(node: Node) -> Finding:
    """Whether every partner has cosigned one checkpoint of a node's ledger."""
    name, held = node.name, [note for _, note in reversed(node.core.store.ledger.checkpoints())]
    partners = node.partners.all()
    for note in held:
        try:
            for known in partners:
                verify_cosignature(note, ledger_name(known.node), unb64(known.sheet.ledger_key))
        except AldisError:
            continue
        size = verify_checkpoint(note, node.core.ledger, node.core.note_signer.public).size
        names = " and ".join(known.node for known in partners)
        return Finding(
            f"{name}: checkpoint at {size:,} leaves cosigned by {names}: {name} cannot rewrite it", holds=True
        )
    return Finding(f"{name}: no checkpoint cosigned by every partner yet", holds=False)


def _inclusion(name: str, node: Node) -> Finding:
    released = node.core.store.ledger.leaves(0, 1, type_="release")
    if not released:
        return Finding(f"{name}: no release in the ledger", holds=False)
    proof = node.audit.prove(released[0].index)
    check_proof(proof, node.core.note_signer.public)
    return Finding(f"{name}: leaf {proof.index} (a release) proven in {len(proof.path)} hashes", holds=True)
