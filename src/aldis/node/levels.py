"""Levels: which nodes of one's own party stand above and below this one, and what a header would tell the one below."""

from __future__ import annotations

from aldis.kernel.encoding import digest_from_hex
from aldis.kernel.errors import UnknownTerm
from aldis.kernel.policies import Policies
from aldis.kernel.records import read_header
from aldis.node.config import Config
from aldis.node.pairing import Sheet
from aldis.node.store import Row, Store

__all__ = ["covers", "untold"]


def covers(sheet: Sheet, config: Config, policies: Policies) -> bool:
    """Whether a node's ceiling is at least that of the node with these settings, in this one's policy.

    Two ceilings that no ladder compares cover each other in neither direction: each node is below the other.
    """
    rung = sheet.ceiling.get(config.policy)
    if rung is None:
        return False
    try:
        policy = policies.policy(config.policy)
        return policy.rank(rung) >= policy.rank(config.ceiling)
    except UnknownTerm:
        return False


def untold(store: Store, row: Row, node: str) -> list[str]:
    """The digests in a record's header of records that `node` is not known to hold: its predecessor and its sources."""
    header = read_header(row.header)
    named = [digest for digest in (header.previous, *header.sources) if digest]
    return [digest for digest in named if not _held(store, digest, node)]


def _held(store: Store, digest: str, node: str) -> bool:
    row = store.records.by_digest(digest_from_hex(digest))
    if row is None:
        return False
    return node in (row.originator, row.source) or bool(store.exchange.released(node, [row.seq]))
