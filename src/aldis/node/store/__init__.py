"""The store of a node: one SQLite file, the only SQL of the project.

Every method is synchronous. A method that writes joins the open `transaction()` of its thread, or is one by itself.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec

from aldis.kernel.errors import AldisError
from aldis.node.store.answers import Answers
from aldis.node.store.arrivals import Stored
from aldis.node.store.attachments import Attachments, Described, Incoming, Outgoing, Upload
from aldis.node.store.cursors import KEY_SIZE, Cursors
from aldis.node.store.database import Database
from aldis.node.store.digests import Digests
from aldis.node.store.docket import Docket
from aldis.node.store.erasure import Erased, Erasure
from aldis.node.store.exchange import Exchange, OutboxRow, Position, Release, Sealed
from aldis.node.store.grants import Grants
from aldis.node.store.identities import Identities
from aldis.node.store.ledger import LeafRow, Ledger
from aldis.node.store.listing import PAGE_LIMIT, Keep, Listing, Numbers, Page
from aldis.node.store.meanings import Due, Meanings
from aldis.node.store.meta import Meta
from aldis.node.store.nearest import Nearest, Question
from aldis.node.store.partners import Acknowledged, Cursor, PartnerRow, Partners
from aldis.node.store.passages import Passages
from aldis.node.store.people import People, SessionRow
from aldis.node.store.profiles import PARTNER_PROFILES, Profile, Profiles
from aldis.node.store.quarantine import Quarantine, Quarantined
from aldis.node.store.recalls import Recalls, Request
from aldis.node.store.records import Records
from aldis.node.store.referrals import NEVER, Hold, Referral, Referrals, Ruling
from aldis.node.store.releases import Held, Releases
from aldis.node.store.rows import Row, Substitute
from aldis.node.store.saved import Saved, SavedRow
from aldis.node.store.schema import MIGRATIONS
from aldis.node.store.search import QUERY_LIMIT, Hit, Hits, Search, check_text
from aldis.node.store.shapes import Shape, Shapes
from aldis.node.store.withdrawals import Withdrawals

__all__ = [
    "NEVER",
    "PAGE_LIMIT",
    "PARTNER_PROFILES",
    "QUERY_LIMIT",
    "Acknowledged",
    "Cursor",
    "Described",
    "Due",
    "Erased",
    "Held",
    "Hit",
    "Hits",
    "Hold",
    "Incoming",
    "Keep",
    "LeafRow",
    "Numbers",
    "OutboxRow",
    "Outgoing",
    "Page",
    "PartnerRow",
    "Position",
    "Profile",
    "Profiles",
    "Quarantined",
    "Question",
    "Referral",
    "Release",
    "Request",
    "Row",
    "Ruling",
    "SavedRow",
    "Sealed",
    "SessionRow",
    "Shape",
    "Store",
    "Stored",
    "Substitute",
    "Upload",
    "check_text",
]

_SECRET = "cursor-secret"  # noqa: S105
_TEXTS = "search-texts"
_QUARANTINE_BYTES = 1024 * 1024 * 1024


class Store:
    """All that a node keeps."""

    def __init__(
        self,
        database: Database,
        texts: Mapping[str, Sequence[str]] | None,
        secret: bytes | None,
        quarantine_bytes: int,
        random: Callable[[int], bytes],
    ) -> None:
        self._db = database
        self.meta = Meta(database)
        self.attachments = Attachments(database)
        self.profiles = Profiles(database)
        passages = Passages()
        cursors = Cursors(secret or self._secret(random), random)
        self.erasure = Erasure(database, self.profiles, passages)
        self.recalls = Recalls(database)
        self.releases = Releases(database)
        self.records = Records(database, self.profiles, Digests(database, self.meta), passages)
        self.listing = Listing(database, self.profiles, cursors)
        self.search = Search(database, self.profiles, cursors)
        self.meanings = Meanings(database, self.meta, self.profiles, passages)
        self.nearest = Nearest(database, self.profiles, self.meanings, cursors)
        self.saved = Saved(database, cursors)
        self.ledger = Ledger(database)
        self.partners = Partners(database)
        self.exchange = Exchange(database)
        self.withdrawals = Withdrawals(database)
        self.grants = Grants(database)
        self.shapes = Shapes(database, self.profiles)
        self.referrals = Referrals(database, self.shapes, random)
        self.docket = Docket(database, cursors)
        self.people = People(database)
        self.identities = Identities(database)
        self.answers = Answers(database)
        self.quarantine = Quarantine(database, quarantine_bytes)
        self._choose_texts(passages, texts)
        self.shapes.complete()

    @classmethod
    def open(
        cls,
        path: Path,
        *,
        texts: Mapping[str, Sequence[str]] | None = None,
        secret: bytes | None = None,
        quarantine_bytes: int = _QUARANTINE_BYTES,
        random: Callable[[int], bytes] = os.urandom,
        vfs: str | None = None,
        alone: bool = False,
    ) -> Store:
        """Open the store in the file at `path`, or make it.

        Args:
            path: the file; two more stand beside it while it is open.
            texts: names of the portions to search, by kind; without it, those named when the store was last opened.
            secret: 32 bytes that seal cursors; without it, some of the store's own.
            quarantine_bytes: how much the quarantine may hold.
            random: gives n unguessable bytes.
            vfs: name of an SQLite file system that is registered with apsw.
            alone: keep all other processes out; needed where `vfs` has no shared memory.

        Raises:
            InvalidInput: another kind of database, or the store of a newer Aldis.
            VerificationFailed: the file is damaged.
            Unavailable: it cannot be opened, or another process keeps it busy.
        """
        database = Database(path, vfs=vfs, alone=alone)
        try:
            return cls(database, texts, secret, quarantine_bytes, random)
        except BaseException:
            database.close()
            raise

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All that the block writes, or nothing of it; on disk when the block ends. Not to be nested or awaited in.

        Raises:
            InvalidInput: this thread is in a transaction already.
            Unavailable: disk full or failing, or another process wrote for over 5 s; nothing was written.
            VerificationFailed: the file is damaged.
        """
        with self._db.transaction():
            yield

    def check(self) -> list[str]:
        """What is wrong with the file and the ledger, a line each; empty where all is sound. Reads everything."""
        found = self._db.check()
        try:
            self.ledger.verify()
        except AldisError as error:
            found.append(str(error))
        return found

    def older_copies(self) -> list[Path]:
        """Copies of the store as it was before it was brought up to date; erasing takes them away."""
        return self._db.kept_copies()

    @property
    def schema(self) -> int:
        """The version of its tables."""
        return len(MIGRATIONS)

    def size(self) -> int:
        """How many bytes a copy of the store has."""
        return self._db.size()

    def copy_to(self, path: Path) -> None:
        """Copy the store as it is now to `path`, while this and other processes go on writing.

        Raises:
            VerificationFailed: it is damaged.
            Unavailable: no space, or a disk that fails.
        """
        self._db.copy_to(path)

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def _secret(self, random: Callable[[int], bytes]) -> bytes:
        with self._db.transaction():
            secret = self.meta.get(_SECRET) or random(KEY_SIZE)
            self.meta.set(_SECRET, secret)
        return secret

    def _choose_texts(self, passages: Passages, texts: Mapping[str, Sequence[str]] | None) -> None:
        known = msgspec.json.decode(self.meta.get(_TEXTS) or b"{}", type=dict[str, list[str]])
        wanted = known if texts is None else {kind: sorted(names) for kind, names in sorted(texts.items()) if names}
        passages.choose(wanted)
        if wanted != known:
            with self._db.transaction():
                self.meta.set(_TEXTS, msgspec.json.encode(wanted))
                self.records.reindex()
