"""Invariants of the exchange: what each node admitted is a prefix of what was sent to it, each item exactly once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from itertools import permutations

from aldis.kernel.admission import read_set_aside
from aldis.kernel.encoding import digest_from_hex, sha256
from aldis.kernel.errors import InvalidInput
from aldis.kernel.ledger import decode_leaf
from aldis.node.instruments import PAIRING_PREFIX
from aldis.node.node import Node
from aldis.node.store import Row
from aldis.testing.archive import Broken, Sent
from aldis.testing.coalition import Coalition

__all__ = ["admitted", "check_exactly_once", "check_prefix", "pairs", "rows", "set_aside"]

_ALL = 1_000_000


def pairs(coalition: Coalition, honest: Collection[str] | None) -> Iterator[tuple[str, str]]:
    """Every (sender, receiver) of the honest nodes; of all, where none are named."""
    return permutations(coalition if honest is None else sorted(honest), 2)


def rows(node: Node) -> list[Row]:
    """Every version that a node holds, in order of arrival."""
    return node.core.store.records.since(0, _ALL)


def admitted(coalition: Coalition, sender: str, receiver: str) -> list[Sent]:
    """The bundles that the receiver's ledger says it admitted from the sender, in order.

    Raises:
        Broken: the sender never sent one of them.
    """
    found = []
    for row in coalition[receiver].core.store.ledger.leaves(0, _ALL, type_="admission"):
        leaf = decode_leaf(row.data)
        if leaf.actor == sender:
            sent = coalition.archive.bundles.get(digest_from_hex(leaf.subject))
            if sent is None or (sent.sender, sent.receiver) != (sender, receiver):
                raise Broken(f"{receiver} admitted bundle {leaf.subject[:12]}, which {sender} never sent to it")
            found.append(sent)
    return found


def check_prefix(coalition: Coalition, honest: Collection[str] | None = None) -> None:
    """In each epoch of each stream, the admitted bundles are the first ones that were sent, in order, without a gap.

    Raises:
        Broken: they are not, or a cursor says otherwise.
    """
    for sender, receiver in pairs(coalition, honest):
        where = f"the stream from {sender} to {receiver}"
        epoch, last, digest = 0, 0, ""
        for sent in admitted(coalition, sender, receiver):
            manifest = sent.bundle.manifest
            if manifest.epoch < epoch:
                raise Broken(f"{where} went back from epoch {epoch} to {manifest.epoch}")
            if manifest.epoch > epoch:
                epoch, last, digest = manifest.epoch, 0, ""
            if (manifest.first, manifest.previous) != (last + 1, digest):
                raise Broken(f"{where} has item {manifest.first} after item {last} of epoch {epoch}")
            last, digest = manifest.last, sent.bundle.digest.hex()
        cursor = coalition[receiver].inbound.cursor(sender)
        if (cursor.epoch, cursor.seq, cursor.digest) != (epoch, last, digest):
            raise Broken(f"{where} was admitted up to {last} of epoch {epoch}, and the cursor says {cursor}")


def check_exactly_once(coalition: Coalition, honest: Collection[str] | None = None) -> None:
    """Each item of each admitted bundle is stored or set aside; each stored row came in one, and is there once.

    Raises:
        Broken: an item is lost, or a record is there twice or came from nowhere.
    """
    for sender, receiver in pairs(coalition, honest):
        node = coalition[receiver]
        held = rows(node)
        twice = [digest.hex() for digest, times in Counter(row.digest for row in held).items() if times > 1]
        if twice:
            raise Broken(f"{receiver} holds a record twice: {twice[0][:12]}")
        by_digest = {row.digest: row for row in held}
        aside = set_aside(node)
        came: set[bytes] = set()
        for sent in admitted(coalition, sender, receiver):
            for item in sent.bundle.items:
                digest = sha256(item.record)
                came.add(digest)
                row = by_digest.get(digest)
                whole = row is not None and set(item.portions) <= set(row.portions)
                if not whole and (digest, sender) not in aside:
                    raise Broken(f"{receiver} took an item of {sender} and holds {digest.hex()[:12]} nowhere")
        for row in held:
            if row.source == sender and row.digest not in came and not _paired(row):
                raise Broken(f"{receiver} holds {row.id!r} from {sender}, which never sent it")


def set_aside(node: Node) -> set[tuple[bytes, str]]:
    """What is in quarantine: digests of records, each with who sent it."""
    found: set[tuple[bytes, str]] = set()
    for entry in node.core.store.quarantine.all(0, _ALL):
        kept = node.core.store.quarantine.get(entry.id)
        try:
            item = read_set_aside(kept[1]).item if kept else None
        except InvalidInput:
            continue
        if item is not None:
            found.add((sha256(item.record), entry.source))
    return found


def _paired(row: Row) -> bool:
    """Whether a record came with an invitation, before any bundle."""
    record = row.record()
    if record.header.kind == "instrument":
        return row.id.startswith(PAIRING_PREFIX)
    signature = record.portion("signature")
    return signature is not None and str(signature.value.get("instrument", "")).startswith(PAIRING_PREFIX)
