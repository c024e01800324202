"""Attachments at a node: contents brought in, sent, taken in, read by whom their portion may be seen, and removed."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Self

import msgspec

from aldis.kernel.attachments import Attachment, attachments_in
from aldis.kernel.bundles import Item
from aldis.kernel.errors import AldisError, RefusedByPolicy, Unavailable, UnknownTerm
from aldis.kernel.records import Record, read_portion
from aldis.node.attachments.folder import PIECE, Folder
from aldis.node.attachments.incoming import Incoming
from aldis.node.attachments.media import HEAD, check_type, guess_type
from aldis.node.attachments.outgoing import CONTENT_SUFFIX, Outgoing, Permitted, Piece
from aldis.node.attachments.uploads import OPEN, UPLOAD_MS, Uploads
from aldis.node.audit import Audit
from aldis.node.core import Core
from aldis.node.partners import Partners
from aldis.node.store import Described, Row

__all__ = [
    "CONTENT_SUFFIX",
    "OPEN",
    "PIECE",
    "Attachments",
    "Folder",
    "Held",
    "Piece",
    "Reader",
    "guess_type",
]

_STALE_MS = 7 * 24 * 60 * 60 * 1000
_STUCK_MS = 60 * 60 * 1000


class Held(msgspec.Struct, frozen=True):
    """An attachment of a record: the portion that describes it, and how much of its content is here."""

    portion: str
    attachment: Attachment
    held: int
    state: str
    because: str = ""

    @property
    def whole(self) -> bool:
        """Whether it can be read."""
        return self.state == "whole"


class Reader:
    """A whole content, to be read from any place; close it when done."""

    def __init__(self, handle: int, attachment: Attachment) -> None:
        self._handle = handle
        self.attachment = attachment

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def size(self) -> int:
        """Bytes of content."""
        return self.attachment.size

    def fileno(self) -> int:
        """The open file, for `os.sendfile` and its like."""
        return self._handle

    def read(self, offset: int, length: int) -> bytes:
        """At most PIECE bytes from `offset` on; none at the end."""
        return os.pread(self._handle, min(length, PIECE), offset)

    def pieces(self, offset: int = 0, length: int | None = None) -> Iterator[bytes]:
        """`length` bytes from `offset` on (all the rest without it), at most PIECE at once."""
        end = self.size if length is None else min(self.size, offset + length)
        while offset < end and (data := self.read(offset, end - offset)):
            yield data
            offset += len(data)

    def close(self) -> None:
        """Let go of the file."""
        if self._handle >= 0:
            os.close(self._handle)
        self._handle = -1


class Attachments:
    """All that a node does with attachments; no file is ever in memory as a whole."""

    def __init__(self, core: Core, audit: Audit, partners: Partners, permitted: Permitted) -> None:
        self._core = core
        self._partners = partners
        self._store = core.store.attachments
        self.folder = Folder(core.home.attachments)
        self.uploads = Uploads(core, self.folder)
        self.incoming = Incoming(core, audit, partners, self.folder)
        self.outgoing = Outgoing(core, audit, self.folder, permitted)

    def close(self) -> None:
        """Let go of all files; what is under way goes on from there another time."""
        self.incoming.close()
        self.outgoing.close()

    def open(self, row: Row, portion: str, name: str) -> Reader:
        """The content of an attachment (its name or digest) that a portion of `row` describes, to read.

        `row` holds the portions that the viewer may see, and no others: `Records.get` gives it so.

        Raises:
            UnknownTerm: no such attachment, or not for this viewer: the two are told apart by nothing.
            Unavailable: its content is not whole here yet, or missing.
            RefusedByPolicy: what came is not what the portion says it is.
        """
        found = next((one for one in self._of(row) if one[0] == portion and name in (one[2].name, one[2].digest)), None)
        if found is None:
            raise UnknownTerm(
                f"record {row.id!r} has no attachment {name[:64]!r} in a portion {portion[:32]!r} here",
                fix=f"`aldis get {row.id}` names those there are",
            )
        held = self._held(row, *found)
        if held.state == "refused":
            raise RefusedByPolicy(f"{held.attachment.name}: {held.because}", fix="Ask its originator for it again")
        if held.state == "gone":
            raise Unavailable(f"the content of {held.attachment.name} was removed here", fix="Ask for it again")
        if not held.whole:
            raise Unavailable(
                f"{held.attachment.name} is not whole yet: {held.held:,} of {held.attachment.size:,} bytes so far",
                fix="Wait; `aldis attachments` says how it stands",
            )
        handle = self.folder.open(bytes.fromhex(held.attachment.digest))
        try:
            check_type(os.pread(handle, HEAD, 0), held.attachment.media_type, held.attachment.name)
        except BaseException:
            os.close(handle)
            raise
        return Reader(handle, held.attachment)

    def of(self, row: Row) -> list[Held]:
        """The attachments of a row, as far as it holds the portions that describe them, and how each stands."""
        return [self._held(row, *one) for one in self._of(row)]

    def check_put(self, records: Iterable[Record]) -> list[tuple[bytes, Attachment]]:
        """What records to be put describe: portion digests and attachments, each of them whole here.

        Raises:
            UnknownTerm: a content that is not here.
            VerificationFailed: it has another size, or is not of the type that is said.
        """
        found = []
        for record in records:
            kind = self._core.kinds[record.header.kind]
            for portion in record.portions if kind.files else ():
                for one in kind.attachments(portion):
                    self._check(one)
                    found.append((portion.digest, one))
        return found

    def check_named(self, records: Iterable[Record], person: str, seen: Callable[[Record], Sequence[Row]]) -> None:
        """Return if a person may put these records: each content is one they brought in, or may read in what they saw.

        `seen` gives, for a record, its sources and the version before, cut to what the person may see.

        Raises:
            UnknownTerm: there is another, or one that is not here: the two are told apart by nothing.
        """
        for record in records:
            kind = self._core.kinds[record.header.kind]
            named = [one for part in record.portions for one in kind.attachments(part)] if kind.files else []
            rows = seen(record) if named else ()
            for one in named:
                if not self.may_name(one, person, rows):
                    raise _absent(one)

    def may_name(self, attachment: Attachment, person: str, seen: Sequence[Row]) -> bool:
        """Whether a person brought this content in, or may read it in `seen`: to know a digest is not to have it."""
        digest = bytes.fromhex(attachment.digest)
        if self.uploads.mine(digest, person):
            return True
        return any(held.whole and held.attachment.digest == attachment.digest for row in seen for held in self.of(row))

    def describe(self, records: Sequence[Record], seqs: Sequence[int], source: str) -> None:
        """Keep, in the open transaction, what stored records describe; from a `source`, its content is wanted too.

        What is erased here describes nothing.
        """
        found = []
        for record, seq in zip(records, seqs, strict=True):
            kind = self._core.kinds[record.header.kind]
            parts = [part for part in record.portions if part.name in kind.files] if kind.files else []
            held = set(self._core.store.records.rows([seq])[0].portions) if parts else set()
            for part in parts:
                if part.data in held:
                    found += [
                        Described(seq, part.digest, bytes.fromhex(one.digest), source, one.size, one.media_type)
                        for one in kind.attachments(part)
                    ]
        if found:
            self._store.describe(found, self._core.clock.now())

    def expect(self, entry: int, item: Item, source: str) -> None:
        """Want what an item in quarantine describes, in the open transaction, so that it is here if that is admitted.

        What its kind is need not be known here.
        """
        found = list[tuple[bytes, int, str]]()
        for data in item.portions:
            with suppress(AldisError, msgspec.MsgspecError, RecursionError):
                named = attachments_in(read_portion(data).value)
                found += [(bytes.fromhex(one.digest), one.size, one.media_type) for one in named]
        if found:
            self._store.expect(entry, source, found, self._core.clock.now())

    def tidy(self, *, must: bool = False) -> int:
        """Remove what nothing describes any more, uploads a day old, and what stopped coming a week ago; how many.

        The store forgets first, then the file goes; a file that the store does not know goes too. Nothing is done
        while a backup is being made or a content is put in its place.

        Raises:
            Unavailable: that was so, and it `must` be done.
        """
        now, removed = self._core.clock.now(), 0
        with self.folder.alone() as alone:
            if not alone and must:
                raise Unavailable("a backup is being made; attachments could not be removed", fix="Try again")
            if not alone:
                return 0
            self._store.tidy(now - UPLOAD_MS)
            known = {digest for digest, _ in self._store.contents()}
            for digest in list(self.folder.digests()):
                if digest not in known:
                    self.folder.remove(digest)
                    removed += 1
            for name in self.folder.partials():
                if not self._under_way(name, now):
                    self.folder.drop(name)
                    removed += 1
        return removed

    def missing(self) -> list[str]:
        """The digests of contents that the store counts as whole and whose file is not there, or of another size."""
        gone = []
        for digest, size in self._store.contents():
            path = self.folder.whole(digest)
            with suppress(OSError):
                if path.stat().st_size == size:
                    continue
            gone.append(digest.hex())
        return gone

    def stuck(self) -> list[str]:
        """What comes from or goes to an active partner and has not moved for an hour, or was refused, in words."""
        now, found = self._core.clock.now(), list[str]()
        active = {known.node for known in self._partners.all() if known.active}
        for one in self._store.incoming():
            if one.source not in active:
                continue
            name = f"{one.digest.hex()[:12]} from {one.source}"
            if one.state == "refused":
                found.append(f"{name} was refused: {one.because}")
            elif one.state == "wanted" and now - one.at > _STUCK_MS:
                records = self._store.described_by(one.source, one.digest)
                whose = f" for {', '.join(records[:3])}" if records else " for an entry in quarantine"
                found.append(f"{name}{whose} waits at {one.held:,} of {one.size:,} bytes")
        for out in self._store.outgoing():
            if out.partner not in active:
                continue
            if out.state == "refused":
                found.append(f"{out.digest.hex()[:12]} was refused by {out.partner}: {out.because}")
            elif out.state == "waits" and now - out.at > _STUCK_MS:
                found.append(f"{out.digest.hex()[:12]} for {out.partner} waits at {out.sent:,} of {out.size:,} bytes")
        return found

    def _of(self, row: Row) -> Iterator[tuple[str, bytes, Attachment]]:
        kind = self._core.kinds.get(row.kind)
        if kind is None or not kind.files:
            return
        for portion in row.record().portions:
            for one in kind.attachments(portion):
                yield portion.name, portion.digest, one

    def _held(self, row: Row, portion: str, digest: bytes, one: Attachment) -> Held:
        content = bytes.fromhex(one.digest)
        if self._store.whole(row.seq, digest, content):
            return Held(portion, one, one.size, "whole")
        known = [found for found in self._store.of(row.seq) if (found.portion, found.digest) == (digest, content)]
        sources = {found.source for found in known if found.source}
        best = Held(portion, one, 0, "waits" if sources else "gone")
        for coming in self._store.incoming(content):
            if coming.source not in sources:
                continue
            if coming.state == "refused":
                best = Held(portion, one, 0, "refused", coming.because) if best.held == 0 else best
            elif coming.state == "wanted" and coming.held >= best.held:
                best = Held(portion, one, coming.held, "waits")
            elif coming.size != one.size:
                best = Held(portion, one, 0, "refused", "the content has another size than was described")
        return best

    def _check(self, one: Attachment) -> None:
        digest = bytes.fromhex(one.digest)
        if self._store.content(digest) != one.size:
            raise _absent(one)
        handle = self.folder.open(digest)
        try:
            check_type(os.pread(handle, HEAD, 0), one.media_type, one.name)
        finally:
            os.close(handle)

    def _under_way(self, name: str, now: int) -> bool:
        way, _, rest = name.partition(".")
        path = self.folder.partial(name)
        if way == "up":
            return any(one.id == rest for one in self._store.uploads() if one.digest is None)
        try:
            recent = now - path.stat().st_mtime * 1000 < _STALE_MS
        except FileNotFoundError:
            return True
        source, _, digest = rest.partition(".")
        row = self._store.wanted(source, bytes.fromhex(digest)) if way in ("in", "file") else None
        return recent and row is not None and row.state == "wanted"


def _absent(one: Attachment) -> UnknownTerm:
    return UnknownTerm(
        f"the content of {one.name!r} is not here, or has another size", fix="Bring the file in first: --attach"
    )
