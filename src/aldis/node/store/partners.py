"""Partners, and how far the exchange with each has come."""

from __future__ import annotations

import msgspec

from aldis.kernel.errors import UnknownTerm
from aldis.node.store.database import Database

__all__ = ["Acknowledged", "Cursor", "PartnerRow", "Partners"]


class PartnerRow(msgspec.Struct, frozen=True):
    """A partner's node; `data` is the caller's JSON, `at` when it last changed (ms since 1970 UTC)."""

    node: str
    party: str
    status: str
    data: bytes
    at: int


class Cursor(msgspec.Struct, frozen=True):
    """The last bundle let in from a partner: its sending epoch, last sequence number and digest."""

    epoch: str
    seq: int
    digest: bytes


class Acknowledged(msgspec.Struct, frozen=True):
    """The last bundle that a partner gave a receipt for."""

    epoch: str
    seq: int
    digest: bytes
    receipt: bytes


class Partners:
    """The nodes this one exchanges with."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def put(self, partner: PartnerRow) -> None:
        """Add a partner, or replace what is known of it."""
        with self._db.writing() as connection:
            connection.execute(
                "INSERT INTO partner VALUES (?, ?, ?, ?, ?) ON CONFLICT (node) DO UPDATE SET party = excluded.party,"
                " status = excluded.status, data = excluded.data, at = excluded.at",
                (partner.node, partner.party, partner.status, partner.data, partner.at),
            )

    def set_status(self, node: str, status: str, at: int) -> None:
        """Change a partner's status.

        Raises:
            UnknownTerm: no such partner.
        """
        with self._db.writing() as connection:
            changed = connection.execute(
                "UPDATE partner SET status = ?, at = ? WHERE node = ? RETURNING node", (status, at, node)
            ).get
        if changed is None:
            raise UnknownTerm(f"no partner {node!r}", fix="List the partners, or pair with it first")

    def get(self, node: str) -> PartnerRow | None:
        """The partner, or None."""
        return next((row for row in self.all() if row.node == node), None)

    def all(self) -> list[PartnerRow]:
        """Every partner, by name."""
        with self._db.reading() as connection:
            rows = connection.execute("SELECT node, party, status, data, at FROM partner ORDER BY node")
            return [PartnerRow(*row) for row in rows]

    def cursor(self, partner: str) -> Cursor | None:
        """How far this node has let in what `partner` sent; None before the first bundle."""
        with self._db.reading() as connection:
            rows = connection.execute("SELECT epoch, seq, digest FROM inbox WHERE partner = ?", (partner,))
            return next((Cursor(*row) for row in list(rows)), None)

    def advance(self, partner: str, cursor: Cursor) -> None:
        """Move the cursor; do it in the transaction that stores the rows."""
        with self._db.writing() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO inbox VALUES (?, ?, ?, ?)", (partner, cursor.epoch, cursor.seq, cursor.digest)
            )

    def acknowledged(self, partner: str) -> Acknowledged | None:
        """How far `partner` says it has let in what this node sent; None before its first receipt."""
        with self._db.reading() as connection:
            rows = connection.execute("SELECT epoch, seq, digest, receipt FROM acked WHERE partner = ?", (partner,))
            return next((Acknowledged(*row) for row in list(rows)), None)
