"""Attachments: which contents are whole here, which portions describe them, and what is under way to and from whom."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any, Literal

import apsw
import msgspec

from aldis.kernel.encoding import DIGEST_SIZE
from aldis.node.store.database import Database

__all__ = ["Attachments", "Described", "Incoming", "Outgoing", "Upload"]

_IN = "source, digest, size, held, state, tries, because, at"
_OUT = "id, partner, record_seq, portion, digest, size, sent, state, because, at"


class Described(msgspec.Struct, frozen=True):
    """An attachment that a portion (its digest) of a row describes; `source` is who sent the portion, "" for nobody."""

    record_seq: int
    portion: bytes
    digest: bytes
    source: str
    size: int
    media_type: str


class Incoming(msgspec.Struct, frozen=True):
    """A content that a partner is to send: `held` bytes of it are on disk for certain; `at` is ms since 1970 UTC."""

    source: str
    digest: bytes
    size: int
    held: int
    state: Literal["wanted", "whole", "refused"]
    tries: int
    because: str
    at: int


class Outgoing(msgspec.Struct, frozen=True):
    """A content that goes to a partner, and how much of it the partner said it has."""

    id: int
    partner: str
    record_seq: int
    portion: bytes
    digest: bytes
    size: int
    sent: int
    state: Literal["waits", "done", "refused"]
    because: str
    at: int


class Upload(msgspec.Struct, frozen=True):
    """A file that a person of this node is bringing in; it has a digest once it is whole."""

    id: str
    person: str
    name: str
    media_type: str
    at: int
    digest: bytes | None = None


class Attachments:
    """All that a node knows of attachments but their content, which lies in files."""

    def __init__(self, database: Database) -> None:
        self._db = database

    # contents and descriptions

    def content(self, digest: bytes) -> int | None:
        """The size of a content that is whole here, or None."""
        with self._db.reading() as connection:
            size: int | None = connection.execute("SELECT size FROM content WHERE digest = ?", (digest,)).get
            return size

    def contents(self) -> list[tuple[bytes, int]]:
        """Every content that is whole here: digest and size."""
        with self._db.reading() as connection:
            rows: list[tuple[Any, ...]] = connection.execute("SELECT digest, size FROM content").fetchall()
            return [(digest, size) for digest, size in rows]

    def add_content(self, digest: bytes, size: int, at: int) -> None:
        """Say that a content is whole; its file has its name already."""
        with self._db.writing() as connection:
            connection.execute("INSERT OR IGNORE INTO content VALUES (?, ?, ?)", (digest, size, at))

    def describe(self, described: Iterable[Described], at: int) -> None:
        """Keep what portions describe; what came from a partner is wanted from that partner."""
        with self._db.writing() as connection:
            for one in described:
                connection.execute(
                    "INSERT OR IGNORE INTO attachment VALUES (?, ?, ?, ?, ?, ?)", msgspec.structs.astuple(one)
                )
                if one.source:
                    connection.execute(_WANT, (one.source, one.digest, one.size, at))

    def expect(self, entry: int, source: str, described: Iterable[tuple[bytes, int, str]], at: int) -> None:
        """Want, from `source`, what an entry in quarantine describes: digest, size and media type.

        It is wanted no more once the entry is dropped, and described like any other once it is admitted.
        """
        with self._db.writing() as connection:
            for digest, size, media_type in described:
                row = (entry, source, digest, media_type)
                connection.execute("INSERT OR IGNORE INTO expected VALUES (?, ?, ?, ?)", row)
                connection.execute(_WANT, (source, digest, size, at))

    def of(self, record_seq: int) -> list[Described]:
        """What the portions of a row describe."""
        with self._db.reading() as connection:
            rows = connection.execute("SELECT * FROM attachment WHERE record_seq = ?", (record_seq,))
            return [Described(*row) for row in rows]

    def media_types(self, digest: bytes, source: str) -> set[str]:
        """As what the portions from this source describe a content."""
        query = (
            "SELECT media_type FROM attachment WHERE digest = ?1 AND source = ?2"
            " UNION SELECT media_type FROM expected WHERE digest = ?1 AND source = ?2"
        )
        with self._db.reading() as connection:
            return {media_type for (media_type,) in connection.execute(query, (digest, source))}

    def whole(self, record_seq: int, portion: bytes, digest: bytes) -> bool:
        """Whether the content has come, in full, from one who sent this portion."""
        with self._db.reading() as connection:
            return bool(connection.execute(f"SELECT EXISTS ({_WHOLE})", (record_seq, portion, digest)).get)

    def forget(self, connection: apsw.Connection, record_seqs: Collection[int]) -> None:
        """Forget what these rows described, in the open transaction: their content is erased."""
        for table in ("attachment", "outgoing"):
            connection.executemany(
                f"DELETE FROM {table} WHERE record_seq = ?",  # noqa: S608
                [(seq,) for seq in record_seqs],
            )

    def tidy(self, before: int) -> list[bytes]:
        """Forget contents that no kept record describes, and uploads begun before `before`; the contents' digests.

        A record keeps what each of its versions describes until it is deleted or erased; on hold, in any case.
        """
        with self._db.writing() as connection:
            connection.execute("DELETE FROM upload WHERE at < ?", (before,))
            rows: list[tuple[Any, ...]] = connection.execute(_UNUSED).fetchall()
            connection.executemany("DELETE FROM content WHERE digest = ?", rows)
            connection.execute(_UNWANTED)
            return [digest for (digest,) in rows]

    # what comes

    def wanted(self, source: str, digest: bytes) -> Incoming | None:
        """What is known of a content from a partner, where a portion from it that stands, or may yet, describes it."""
        with self._db.reading() as connection:
            rows = connection.execute(f"SELECT {_IN} FROM incoming {_STANDING}", (source, digest))  # noqa: S608
            return next((Incoming(*row) for row in rows), None)

    def elsewhere(self, source: str, digest: bytes) -> set[str]:
        """From whom else the very portions came by which a partner describes this content; empty unless all did.

        "" stands for one from whom the content itself has come as well.
        """
        with self._db.reading() as connection:
            if not connection.execute(f"SELECT {_ALL_WHOLE}", (source, digest)).get:
                return {other for (other,) in connection.execute(_OTHERS, (source, digest))}
            return {""}

    def incoming(self, digest: bytes | None = None) -> list[Incoming]:
        """All that is to come, or has; of one content where a digest is given."""
        query = f"SELECT {_IN} FROM incoming WHERE ?1 IS NULL OR digest = ?1 ORDER BY at"  # noqa: S608
        with self._db.reading() as connection:
            return [Incoming(*row) for row in connection.execute(query, (digest,))]

    def set_incoming(self, row: Incoming) -> None:
        """Keep how a content from a partner stands now."""
        with self._db.writing() as connection:
            connection.execute(
                "UPDATE incoming SET held = ?4, state = ?5, tries = ?6, because = ?7, at = ?8"
                " WHERE source = ?1 AND digest = ?2 AND size = ?3",
                msgspec.structs.astuple(row),
            )

    # what goes

    def queue(self, partner: str, first: int, last: int, at: int) -> None:
        """Let the contents go that the outbox items `first` to `last` describe, in portions that went as they are."""
        with self._db.writing() as connection:
            if not connection.execute("SELECT EXISTS (SELECT 1 FROM attachment)").get:
                return
            rows: list[tuple[Any, ...]] = connection.execute(_DESCRIBED, (partner, first, last)).fetchall()
            connection.executemany(
                "INSERT OR IGNORE INTO outgoing VALUES (NULL, ?, ?, ?, ?, ?, 0, 'waits', '', ?)",
                [
                    (partner, seq, portion, digest, size, at)
                    for seq, portion, digest, size, sent in rows
                    if portion in _split(sent)
                ],
            )

    def again(self, partner: str, first: int, last: int) -> None:
        """Let the contents go again that went with the outbox items `first` to `last`."""
        with self._db.writing() as connection:
            connection.execute(
                "UPDATE outgoing SET state = 'waits' WHERE partner = ?1 AND state = 'done' AND record_seq IN"
                " (SELECT record_seq FROM outbox WHERE partner = ?1 AND seq BETWEEN ?2 AND ?3)",
                (partner, first, last),
            )

    def retry(self, record_seqs: Collection[int], partner: str = "") -> int:
        """Ask for, and offer, the contents of these rows again that were refused; how many those are.

        To a `partner` that is named, all of them are offered again, also what it has said it has.
        """
        changed = 0
        with self._db.writing() as connection:
            for seq in record_seqs:
                for step in (_OFFER_AGAIN, _ASK_AGAIN, _OFFER_ALL):
                    connection.execute(step, (seq, partner) if step is _OFFER_ALL else (seq,))
                    changed += connection.changes()
        return changed

    def described_by(self, source: str, digest: bytes) -> list[str]:
        """The ids of the records from a source that describe a content."""
        query = (
            "SELECT DISTINCT id FROM attachment JOIN record ON record.seq = record_seq"
            " WHERE attachment.digest = ? AND attachment.source = ? ORDER BY id"
        )
        with self._db.reading() as connection:
            return [id_ for (id_,) in connection.execute(query, (digest, source))]

    def waiting(self, partner: str, after: int = 0, limit: int = 100) -> list[Outgoing]:
        """The next contents for a partner that are whole here and have not gone, oldest first."""
        with self._db.reading() as connection:
            rows = connection.execute(_WAITING, (partner, after, limit))
            return [Outgoing(*row) for row in rows]

    def outgoing(self, digest: bytes | None = None) -> list[Outgoing]:
        """All that goes or has gone; of one content where a digest is given."""
        query = f"SELECT {_OUT} FROM outgoing WHERE ?1 IS NULL OR digest = ?1 ORDER BY id"  # noqa: S608
        with self._db.reading() as connection:
            return [Outgoing(*row) for row in connection.execute(query, (digest,))]

    def set_outgoing(self, row: Outgoing) -> None:
        """Keep how a content for a partner stands now."""
        with self._db.writing() as connection:
            connection.execute(
                "UPDATE outgoing SET sent = ?, state = ?, because = ?, at = ? WHERE id = ?",
                (row.sent, row.state, row.because, row.at, row.id),
            )

    # uploads

    def add_upload(self, upload: Upload) -> None:
        """Keep an upload, or what has changed of it."""
        with self._db.writing() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO upload VALUES (?, ?, ?, ?, ?, ?)", msgspec.structs.astuple(upload)
            )

    def uploads(self, person: str | None = None) -> list[Upload]:
        """The uploads of a person ("" for the node's operator), or of all."""
        query = "SELECT * FROM upload WHERE ?1 IS NULL OR person = ?1 ORDER BY at"
        with self._db.reading() as connection:
            return [Upload(*row) for row in connection.execute(query, (person,))]

    def uploaded(self, person: str) -> int:
        """Bytes of the whole uploads of a person."""
        query = (
            "SELECT coalesce(sum(size), 0) FROM upload JOIN content ON content.digest = upload.digest WHERE person = ?"
        )
        with self._db.reading() as connection:
            [(size,)] = connection.execute(query, (person,))
        return int(size)

    def drop_upload(self, id_: str) -> None:
        """Forget an upload."""
        with self._db.writing() as connection:
            connection.execute("DELETE FROM upload WHERE id = ?", (id_,))


_OFFER_AGAIN = "UPDATE outgoing SET state = 'waits', because = '' WHERE record_seq = ? AND state = 'refused'"
_OFFER_ALL = "UPDATE outgoing SET state = 'waits' WHERE record_seq = ? AND partner = ? AND state = 'done'"
_WANT = "INSERT OR IGNORE INTO incoming VALUES (?, ?, ?, 0, 'wanted', 0, '', ?)"
_ASK_AGAIN = """
UPDATE incoming SET state = 'wanted', tries = 0, because = '' WHERE state = 'refused' AND EXISTS (
    SELECT 1 FROM attachment
    WHERE record_seq = ? AND attachment.digest = incoming.digest AND attachment.source = incoming.source
)
"""
_WHOLE = """
SELECT 1 FROM attachment JOIN content USING (digest)
WHERE record_seq = ?1 AND portion = ?2 AND digest = ?3 AND attachment.size = content.size AND (source = '' OR EXISTS (
    SELECT 1 FROM incoming WHERE incoming.source = attachment.source AND incoming.digest = ?3 AND state = 'whole'
))
"""
_DELETED = """
EXISTS (
    SELECT 1 FROM record AS later
    WHERE later.id = record.id AND later.originator = record.originator AND later.version > record.version
    AND json_extract(CAST(later.header AS TEXT), '$.deleted')
) AND NOT EXISTS (SELECT 1 FROM hold WHERE record_id = record.id)
"""
_UNUSED = f"""
SELECT digest FROM content WHERE NOT EXISTS (
    SELECT 1 FROM attachment JOIN record ON record.seq = record_seq
    WHERE attachment.digest = content.digest AND NOT ({_DELETED})
) AND NOT EXISTS (SELECT 1 FROM upload WHERE upload.digest = content.digest)
AND NOT EXISTS (SELECT 1 FROM expected WHERE expected.digest = content.digest)
"""  # noqa: S608
_UNWANTED = """
DELETE FROM incoming WHERE NOT EXISTS (
    SELECT 1 FROM attachment WHERE attachment.digest = incoming.digest AND attachment.source = incoming.source
) AND NOT EXISTS (
    SELECT 1 FROM expected WHERE expected.digest = incoming.digest AND expected.source = incoming.source
) OR (state = 'whole' AND NOT EXISTS (SELECT 1 FROM content WHERE content.digest = incoming.digest))
"""
_STANDING = f"""
WHERE source = ?1 AND digest = ?2 AND (EXISTS (
    SELECT 1 FROM expected WHERE expected.digest = ?2 AND expected.source = ?1
) OR EXISTS (
    SELECT 1 FROM attachment JOIN record ON record.seq = record_seq
    WHERE attachment.digest = ?2 AND attachment.source = ?1 AND NOT ({_DELETED}) AND NOT EXISTS (
        SELECT 1 FROM recalled JOIN recall_request ON recall_request.id = request
        WHERE recalled.digest = record.digest AND state <> 'refused' AND asker IN (record.originator, record.source)
    )
))
"""  # noqa: S608
_ALL_WHOLE = """
NOT EXISTS (SELECT 1 FROM expected WHERE expected.digest = ?2 AND expected.source = ?1) AND NOT EXISTS (
    SELECT 1 FROM attachment AS one WHERE one.digest = ?2 AND one.source = ?1 AND NOT EXISTS (
        SELECT 1 FROM attachment AS other JOIN content ON content.digest = other.digest AND content.size = other.size
        WHERE other.record_seq = one.record_seq AND other.portion = one.portion AND other.digest = one.digest
        AND other.source <> one.source AND (other.source = '' OR EXISTS (
            SELECT 1 FROM incoming
            WHERE incoming.source = other.source AND incoming.digest = one.digest AND state = 'whole'
        ))
    )
)
"""
_OTHERS = """
SELECT DISTINCT other.source FROM attachment AS one JOIN attachment AS other
ON other.record_seq = one.record_seq AND other.portion = one.portion AND other.digest = one.digest
WHERE one.digest = ?2 AND one.source = ?1 AND other.source NOT IN (?1, '')
"""
_DESCRIBED = """
SELECT attachment.record_seq, portion, attachment.digest, size, portions FROM outbox
JOIN attachment ON attachment.record_seq = outbox.record_seq
WHERE partner = ?1 AND outbox.seq BETWEEN ?2 AND ?3 AND NOT EXISTS (
    SELECT 1 FROM altered
    WHERE altered.partner = ?1 AND altered.record_seq = attachment.record_seq AND altered.portion = attachment.portion
)
"""
_WAITING = f"""
SELECT {_OUT} FROM outgoing AS one WHERE partner = ?1 AND id > ?2 AND state = 'waits' AND EXISTS (
    {_WHOLE.replace("?1", "one.record_seq").replace("?2", "one.portion").replace("?3", "one.digest")}
) ORDER BY id LIMIT ?3
"""  # noqa: S608


def _split(joined: bytes) -> set[bytes]:
    return {joined[start : start + DIGEST_SIZE] for start in range(0, len(joined), DIGEST_SIZE)}
