"""Invariants of what nodes hold: one chain for each record, ledgers that agree, and everything permitted arrived."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator

from aldis.kernel.bundles import onward_of
from aldis.kernel.encoding import unb64
from aldis.kernel.ledger import Frontier, verify_checkpoint, verify_cosignature
from aldis.kernel.release import requests_for
from aldis.node.core import ledger_name
from aldis.node.node import Node
from aldis.node.store import Row
from aldis.testing.archive import Broken
from aldis.testing.audience import Decide, View, check_audience, kernel_decide, party_of
from aldis.testing.coalition import Coalition
from aldis.testing.streams import check_exactly_once, check_prefix, pairs, rows, set_aside

__all__ = ["check_all", "check_arrived", "check_history", "check_ledgers", "check_stores"]


def check_all(coalition: Coalition, honest: Collection[str] | None = None) -> None:
    """Every invariant, for nodes that have settled in fair weather and were never restored.

    Raises:
        Broken: one does not hold.
    """
    check_prefix(coalition, honest)
    check_exactly_once(coalition, honest)
    check_history(coalition, honest)
    check_ledgers(coalition, honest)
    check_audience(coalition, honest)
    check_arrived(coalition, honest)
    check_stores(coalition)


def check_history(coalition: Coalition, honest: Collection[str] | None = None, restored: Collection[str] = ()) -> None:
    """Each record has one line of versions, the same wherever it is held.

    A node that was `restored` from a backup may have written a version twice: then each holder keeps one of the two,
    and still every line is whole in itself.

    Raises:
        Broken: two versions with one number, or one that does not follow the version before.
    """
    everywhere: dict[tuple[str, str, int], set[bytes]] = defaultdict(set)
    for name in coalition if honest is None else honest:
        here: dict[tuple[str, str, int], Row] = {}
        for row in rows(coalition[name]):
            key = (row.originator, row.id, row.version)
            if key in here:
                raise Broken(f"{name} holds two versions {row.version} of {row.id!r} by {row.originator}")
            here[key] = row
            everywhere[key].add(row.digest)
        for (originator, id_, version), row in here.items():
            before = here.get((originator, id_, version - 1))
            if before is not None and row.record().header.previous != before.digest.hex():
                raise Broken(f"version {version} of {id_!r} by {originator} follows another version at {name}")
    for (originator, id_, version), digests in everywhere.items():
        if len(digests) > 1 and originator not in restored and (honest is None or originator in honest):
            raise Broken(f"version {version} of {id_!r} by {originator} is not the same everywhere")


def check_ledgers(coalition: Coalition, honest: Collection[str] | None = None, restored: Collection[str] = ()) -> None:
    """Every ledger verifies, decides again as it did, and continues what its partners cosigned.

    Of a node that was `restored` from a backup, partners may have cosigned what it no longer has.

    Raises:
        Broken: a decision comes out otherwise, or a cosigned checkpoint is not of this ledger.
        VerificationFailed: a leaf, node or checkpoint was altered.
    """
    names = sorted(coalition if honest is None else honest)
    for name in names:
        node = coalition[name]
        node.audit.verify()
        _, differences = node.replay.run()
        if differences:
            first = differences[0]
            raise Broken(f"leaf {first.index} of {name} says {first.leaf.verdict}, and replay says {first.now}")
        for known in node.partners.all():
            if known.node in names and known.node not in restored:
                _check_cosigned(node, coalition[known.node], unb64(known.sheet.ledger_key))


def _check_cosigned(witness: Node, owner: Node, ledger_key: bytes) -> None:
    name = ledger_name(owner.name)
    held = witness.core.store.ledger.checkpoint(name)
    if held is None:
        return
    checkpoint = verify_checkpoint(held[1], name, ledger_key)
    verify_cosignature(held[1], witness.core.ledger, witness.core.note_signer.public)
    ledger = owner.core.store.ledger
    if checkpoint.size > ledger.size():
        raise Broken(f"{witness.name} cosigned {checkpoint.size} leaves of {owner.name}, which has fewer")
    if Frontier.load(ledger.reader(), checkpoint.size).root() != checkpoint.root:
        raise Broken(f"{witness.name} cosigned another ledger of {owner.name}")


def check_stores(coalition: Coalition) -> None:
    """Every store is sound, down to the file.

    Raises:
        Broken: one is not.
    """
    for name in coalition:
        problems = coalition[name].core.store.check()
        if problems:
            raise Broken(f"the store of {name}: {problems[0]}")


def check_arrived(coalition: Coalition, honest: Collection[str] | None = None, decide: Decide = kernel_decide) -> None:
    """Whatever may go from one node to another now is there, or set aside there.

    For when the nodes have settled in fair weather with no link cut; nodes that suspended each other are left out.

    Raises:
        Broken: a record or portion that may go has not arrived.
    """
    for sender, receiver in pairs(coalition, honest):
        if _active(coalition[sender], receiver) and _active(coalition[receiver], sender):
            aside = {digest for digest, _ in set_aside(coalition[receiver])}
            there = {row.digest: row for row in rows(coalition[receiver])}
            for row, portions in _due(coalition, sender, receiver, decide):
                held = there.get(row.digest)
                if row.digest not in aside and (held is None or not portions <= set(held.portions)):
                    what = "the record" if held is None else "a portion"
                    raise Broken(f"{what} of {row.id!r} version {row.version} did not go from {sender} to {receiver}")


def _due(coalition: Coalition, sender: str, receiver: str, decide: Decide) -> Iterator[tuple[Row, set[bytes]]]:
    """Rows that stand and may go, each with the bytes of the portions that may go as they are.

    A deletion concerns only those who got what was deleted.
    """
    node = coalition[sender]
    there = {(row.originator, row.id) for row in rows(coalition[receiver])}
    epoch, now = node.epochs.current(), node.core.clock.now()
    held = rows(node)
    grants = node.core.store.grants.of([row.seq for row in held])
    newest = {(row.originator, row.id): row.version for row in sorted(held, key=lambda row: row.version)}
    for row in held:
        grant = grants.get(row.seq)
        if receiver in (row.originator, row.source) or (grant is None and row.originator != sender):
            continue
        inside = party_of(coalition, receiver) == party_of(coalition, sender)
        if row.originator != sender and not inside and not onward_of(grant, sender):
            continue
        record = row.record()
        deleted = record.header.deleted and (row.originator, row.id) not in there
        if deleted or row.version < newest[row.originator, row.id]:
            continue
        approved = frozenset[bytes]().union(
            *(one.portions for one in node.core.store.referrals.of(receiver, row.seq) if one.state == "approved")
        )
        requests = requests_for(
            View.of(record, party_of(coalition, row.originator)),
            receiver,
            None,
            grants=onward_of(grant, sender),
            approved=approved,
        )
        rulings = {digest: decide(request, epoch, now) for digest, request in requests}
        header = rulings.pop(record.digest)
        if header.permits:
            yield (
                row,
                {
                    portion.data
                    for portion in record.portions
                    if (ruling := rulings[portion.digest]).permits
                    and ruling.not_before <= now
                    and not ruling.transforms
                    and (not header.purposes or set(header.purposes) & set(ruling.purposes))
                },
            )


def _active(node: Node, partner: str) -> bool:
    return any(known.node == partner and known.active for known in node.partners.all())
