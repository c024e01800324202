"""What comes: chunks from partners and content files, verified before anybody here may read a byte of them.

The steps for a chunk; one that fails writes nothing:
1 the sender is an active partner (the caller's to see to), and the chunk is of the closed schema
2 a portion that was admitted from this partner, and stands, describes that content; where the very same portion came
  from another partner too, and the content with it, that is enough
3 it begins where what is held ends; else the answer says where that is
4 it does not go beyond the size that was described
5 there is room: a partner has at most PARTIALS contents under way and `partial_mib` of them
When all has come:
6 its SHA-256 is the digest
7 it may be described as what it is described as (`media`)
8 it is on disk under its digest; only then the store says that it is whole, and the ledger tells of it
What fails 4, 6 or 7 is discarded, with a leaf; after TRIES times, or for 7 at once, no more of it is taken.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, BinaryIO, Literal

import msgspec
import structlog

from aldis.kernel.attachments import open_chunk
from aldis.kernel.encoding import digest_from_hex
from aldis.kernel.errors import AldisError, InvalidInput, NotAuthentic, TooLarge, UnknownTerm, VerificationFailed
from aldis.kernel.messages import Content, ContentReceipt, open_message, read_unverified
from aldis.node.attachments.folder import PIECE, Folder
from aldis.node.attachments.media import HEAD, check_type
from aldis.node.audit import Audit
from aldis.node.core import Core
from aldis.node.partners import Partners
from aldis.node.store import Incoming as Row

if TYPE_CHECKING:
    from hashlib import _Hash

__all__ = ["PARTIALS", "TRIES", "Incoming", "read_head"]

PARTIALS = 8
"""Contents of one partner that may be under way at once."""
TRIES = 3
_SYNC_BYTES = 64 * 1024 * 1024
_SYNC_MS = 1000
_STALLED_MS = 60_000
_LENGTH = 4
_HEAD_LIMIT = 4096
_ONLINE = "in."
_TEXT = 500
_State = Literal["wanted", "whole", "refused"]
_log = structlog.get_logger()


class _Partial:
    """A content under way: its file, and how much of it there is; the last piece is written and hashed meanwhile."""

    def __init__(self, folder: Folder, name: str, held: int, pool: ThreadPoolExecutor) -> None:
        self.held = self.synced = held
        self.synced_at = self.moved = 0
        self._folder, self._pool = folder, pool
        self._handle = folder.begin(name, held)
        self._work: Future[_Hash] = pool.submit(folder.digest_of, self._handle, held)
        self._sync: Future[int] | None = None

    def add(self, data: memoryview) -> None:
        before = self._work.result()  # one piece at most waits
        self._work = self._pool.submit(self._take, before, self.held, data)
        self.held += len(data)

    def on_disk(self, now: int) -> int | None:
        """How much is on disk for certain, where that is more than was told before; more is synced now and then."""
        told, self.moved = None, now
        if self._sync is not None and self._sync.done():
            told = self.synced = self._sync.result()
            self._sync = None
        due = self.held - self.synced >= _SYNC_BYTES or now - self.synced_at >= _SYNC_MS
        if self._sync is None and due and self.held > self.synced:
            self.synced_at = now
            self._sync = self._pool.submit(self._synced, self.held, self._work)
        return told

    def finish(self) -> tuple[bytes, bytes]:
        """The digest, and the first HEAD bytes, of what is on disk now for certain."""
        running = self._work.result()
        self._folder.sync(self._handle)
        return running.digest(), os.pread(self._handle, HEAD, 0)

    def close(self) -> None:
        for future in (self._work, self._sync):
            if future is not None and not future.cancel():
                future.exception()
        os.close(self._handle)

    def _take(self, running: _Hash, offset: int, data: memoryview) -> _Hash:
        self._folder.write(self._handle, offset, data)
        running.update(data)
        return running

    def _synced(self, held: int, written: Future[_Hash]) -> int:
        written.result()
        self._folder.sync(self._handle)
        return held


class Incoming:
    """Takes contents in, from partners that call and from files."""

    def __init__(self, core: Core, audit: Audit, partners: Partners, folder: Folder) -> None:
        self._core = core
        self._audit = audit
        self._partners = partners
        self._folder = folder
        self._store = core.store.attachments
        self._open: dict[str, _Partial] = {}
        self._locks: defaultdict[str, Lock] = defaultdict(Lock)
        self._pool = ThreadPoolExecutor(4, "aldis-content")

    def close(self) -> None:
        """Let go of the files; what is on disk stays."""
        for name in list(self._open):
            self._close(name)
        self._pool.shutdown()

    def take(self, source: str, body: bytes | bytearray) -> ContentReceipt:
        """Take a chunk from a partner that the transport authenticated; what is held now, and what is to come.

        Raises:
            InvalidInput: not of the closed schema of a chunk.
            Unavailable: a disk that is full or fails.
        """
        chunk = open_chunk(body)  # 1
        with self._locks[source]:
            return self._take(_name(source, chunk.digest), source, chunk.digest, chunk.offset, chunk.data)

    def take_file(self, path: Path) -> tuple[Content, ContentReceipt]:
        """Take in a content file: its head, and the receipt for its origin.

        Raises:
            InvalidInput: not a content file, or cut short.
            NotAuthentic: not for this node, or not signed by an active partner whose key is trusted.
            UnknownTerm: no portion that was admitted from that partner describes it yet.
            TooLarge: there is no room.
            VerificationFailed: it is not what was described, and was discarded.
        """
        with path.open("rb") as file:
            head = self._head(read_head(file, path), path)
            digest = digest_from_hex(head.digest)
            with self._locks[head.origin]:
                row = self._store.wanted(head.origin, digest)
                if row is None:
                    raise UnknownTerm(
                        f"no portion admitted from {head.origin} describes the content in {path.name}",
                        fix="Import the bundle that came with it first",
                    )
                return head, self._take_all(row, file, path)

    def _take_all(self, row: Row, file: BinaryIO, path: Path) -> ContentReceipt:
        name, digest = _name(row.source, row.digest, "file"), row.digest
        answer = self._take(name, row.source, digest, 0, memoryview(b""))
        while answer.state == "partial":
            data, before = file.read(PIECE), answer.held
            if not data:
                self._close(name)
                raise InvalidInput(f"{path.name} ends after {before:,} bytes of content", fix="Copy it again, whole")
            answer = self._take(name, row.source, digest, before, memoryview(data))
            if answer.held <= before:
                break
        if answer.state == "whole":
            return answer
        if answer.state == "later":
            raise TooLarge(f"there is no room for {path.name}", fix="Free some space, or raise `partial_mib`")
        raise VerificationFailed(f"{path.name} was discarded: {answer.reason}", fix=f"Ask {row.source} for it again")

    def _head(self, data: bytes, path: Path) -> Content:
        origin = read_unverified(data, Content).origin
        known = next((one for one in self._partners.all() if one.node == origin), None)
        if known is None or not known.active or known.distrust_after is not None:
            raise NotAuthentic(
                f"{path.name} is from {origin[:64]!r}, which is no active partner with a key that is trusted",
                fix="Pair with it, or resume it",
            )
        head = open_message(data, Content, known.sheet.pinned)
        if head.audience != self._core.node:
            raise NotAuthentic(f"{path.name} is for {head.audience!r}", fix="Take it to that node")
        return head

    def _take(self, name: str, source: str, digest: bytes, offset: int, data: memoryview) -> ContentReceipt:
        row = self._store.wanted(source, digest)  # 2
        if row is None:
            self._close(name)
            return self._answer(source, digest, 0, "later")
        if row.state != "wanted":
            self._close(name)
            return self._answer(source, digest, row.size if row.state == "whole" else 0, row.state, row.because)
        partial = self._open.get(name)
        if partial is None:
            held = min(row.held, self._folder.size(name)) if name.startswith(_ONLINE) else 0
            others = self._store.elsewhere(source, digest)
            if "" in others:
                return self._known(row)
            if offset != held:
                return self._answer(source, digest, held, "partial")
            if self._comes(others, digest) or not self._room(row, name):  # 5
                return self._answer(source, digest, held, "later")
            partial = self._open[name] = _Partial(self._folder, name, held, self._pool)
        if offset != partial.held:  # 3
            return self._answer(source, digest, partial.held, "partial")
        if partial.held + len(data) > row.size:  # 4
            return self._fault(name, row, TooLarge(f"there is more than the {row.size:,} bytes that were described"))
        try:
            partial.add(data)
            if partial.held == row.size:
                return self._complete(name, row, partial)
            told = partial.on_disk(self._core.clock.now())
        except BaseException:
            self._close(name)
            raise
        if told is not None and name.startswith(_ONLINE):
            self._store.set_incoming(msgspec.structs.replace(row, held=told, at=self._core.clock.now()))
        return self._answer(source, digest, partial.held, "partial")

    def _known(self, row: Row) -> ContentReceipt:
        """The very portion came from another partner too, and the content with it: it need not come twice."""
        now = self._core.clock.now()
        self._store.set_incoming(msgspec.structs.replace(row, held=row.size, state="whole", because="", at=now))
        return self._answer(row.source, row.digest, row.size, "whole")

    def _comes(self, sources: Iterable[str], digest: bytes) -> bool:
        """Whether one of these partners has been sending the content in the last minute."""
        now = self._core.clock.now()
        partials = (self._open.get(_name(source, digest)) for source in sources)
        return any(one is not None and now - one.moved < _STALLED_MS for one in partials)

    def _room(self, row: Row, name: str) -> bool:
        """Whether one more of this partner may be under way: each has its size reserved, so that none is cut short."""
        others = set(self._folder.partials(f"{_ONLINE}{row.source}.")) - {name}
        digests = [bytes.fromhex(one.rpartition(".")[2]) for one in others]
        known = [one for digest in digests for one in self._store.incoming(digest)]
        sizes = [one.size for one in known if one.source == row.source]
        most = self._core.config.partial_mib * 1024 * 1024
        return len(others) < PARTIALS and sum(sizes) + row.size <= most and self._folder.check_space(row.size)

    def _complete(self, name: str, row: Row, partial: _Partial) -> ContentReceipt:
        found, head = partial.finish()
        if found != row.digest:  # 6
            return self._fault(
                name, row, VerificationFailed(f"its SHA-256 is {found.hex()}, not the one that was described")
            )
        try:
            for media_type in sorted(self._store.media_types(row.digest, row.source)):  # 7
                check_type(head, media_type)
        except VerificationFailed as error:
            return self._fault(name, row, error, final=True)
        with self._folder.kept():
            self._folder.keep(name, row.digest)  # 8
            now = self._core.clock.now()
            with self._core.store.transaction():
                self._store.add_content(row.digest, row.size, now)
                self._store.set_incoming(msgspec.structs.replace(row, held=row.size, state="whole", because="", at=now))
                self._audit.write(
                    "admission", row.digest.hex(), verdict="attachment", reasons=[f"{row.size} bytes"], actor=row.source
                )
        self._close(name)
        return self._answer(row.source, row.digest, row.size, "whole")

    def _fault(self, name: str, row: Row, error: AldisError, *, final: bool = False) -> ContentReceipt:
        """Discard what came and raise the alarm; TRIES times at most."""
        self._close(name)
        self._folder.drop(name)
        tries, because = row.tries + 1, str(error.args[0])
        state: _State = "refused" if final or tries >= TRIES else "wanted"
        now = self._core.clock.now()
        with self._core.store.transaction():
            self._store.set_incoming(
                msgspec.structs.replace(row, held=0, state=state, tries=tries, because=because, at=now)
            )
            self._audit.write("quarantine", row.digest.hex(), verdict=error.code, reasons=[because], actor=row.source)
        _log.warning("attachment refused", partner=row.source, digest=row.digest.hex(), code=error.code, tries=tries)
        return self._answer(row.source, row.digest, 0, "refused" if state == "refused" else "partial", because)

    def _answer(
        self,
        source: str,
        digest: bytes,
        held: int,
        state: Literal["partial", "whole", "later", "refused"],
        reason: str = "",
    ) -> ContentReceipt:
        return ContentReceipt(
            self._core.node, source, self._core.clock.now(), digest.hex(), held, state, reason[:_TEXT]
        )

    def _close(self, name: str) -> None:
        partial = self._open.pop(name, None)
        if partial is not None:
            partial.close()


def read_head(file: BinaryIO, path: Path) -> bytes:
    """The signed message at the beginning of a content file, after its length in four bytes.

    Raises:
        InvalidInput: there is none.
    """
    size = int.from_bytes(file.read(_LENGTH), "big")
    data = file.read(size) if 0 < size <= _HEAD_LIMIT else b""
    if not data or len(data) != size:
        raise InvalidInput(f"{path.name} is no content file", fix="Name a file that was exported for this node")
    return data


def _name(source: str, digest: bytes, way: str = "in") -> str:
    return f"{way}.{source}.{digest.hex()}"
