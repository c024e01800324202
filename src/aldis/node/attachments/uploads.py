"""Uploads: files that people of this node bring in, to be named by a record within a day."""

from __future__ import annotations

import os
from threading import Lock
from typing import BinaryIO

import msgspec

from aldis.kernel.attachments import ATTACHMENT_LIMIT, Attachment, check_attachments
from aldis.kernel.errors import InvalidInput, Stale, TooLarge, Unavailable, UnknownTerm
from aldis.node.attachments.folder import PIECE, Folder
from aldis.node.attachments.media import HEAD, check_type, guess_type
from aldis.node.core import Core
from aldis.node.store import Upload

__all__ = ["DAY_BYTES", "DAY_UPLOADS", "OPEN", "UPLOAD_MS", "Uploads"]

OPEN = 8
"""Uploads of one person that may be under way at once."""
DAY_UPLOADS = 1_000
"""Uploads of one person, not the operator, in a day, whole or not."""
DAY_BYTES = 16 * 1024 * 1024 * 1024
"""Bytes of whole ones among them."""
UPLOAD_MS = 24 * 60 * 60 * 1000
"""How long an upload is kept that no record names."""
_ID = 16
_NOTHING = "0" * 64


class Uploads:
    """Takes files in piece by piece. `person` is an id of this node's, "" for its operator, who see their own."""

    def __init__(self, core: Core, folder: Folder) -> None:
        self._core = core
        self._folder = folder
        self._store = core.store.attachments
        self._lock = Lock()
        self._finishing: set[str] = set()

    def begin(self, name: str, media_type: str = "", person: str = "") -> Upload:
        """A new upload; without a media type, the one that its name tells.

        Raises:
            InvalidInput: a name that is a path, or no media type.
            TooLarge: the person has OPEN uploads under way, or brought in as much as a day allows.
        """
        described = _described(_NOTHING, 0, media_type or guess_type(name), name)
        with self._lock:
            mine = self._store.uploads(person)
            if len([one for one in mine if one.digest is None]) >= OPEN:
                raise TooLarge(f"{OPEN} uploads are under way already", fix="Finish one, or drop it")
            if person and (len(mine) >= DAY_UPLOADS or self._store.uploaded(person) >= DAY_BYTES):
                raise TooLarge(
                    f"a person brings in at most {DAY_UPLOADS:,} files and {DAY_BYTES >> 30} GiB in a day",
                    fix="Go on tomorrow",
                )
            upload = Upload(
                self._core.random(_ID).hex(), person, name, described.media_type, self._core.clock.now()
            )  # fmt: skip
            self._store.add_upload(upload)
        return upload

    def all(self, person: str = "") -> list[tuple[Upload, int]]:
        """A person's uploads of the last day, and how many bytes of each are here, the oldest first."""
        return [(one, self._size(one)) for one in self._store.uploads(person)]

    def held(self, id_: str, person: str = "") -> int:
        """How many bytes of an upload are here: go on from there.

        Raises:
            UnknownTerm: no such upload of this person's.
        """
        return self._size(self._own(id_, person))

    def append(self, id_: str, offset: int, data: bytes | memoryview, person: str = "") -> int:
        """Add bytes at the end; how many there are now.

        Raises:
            UnknownTerm: no such upload of this person's.
            Stale: `offset` is not where it ends.
            TooLarge: over ATTACHMENT_LIMIT, or over what a person may have under way (`partial_mib`).
            Unavailable: disk full or failing.
        """
        with self._lock:
            upload = self._own(id_, person)
            name = _file(upload)
            held = self._folder.size(name)
            if offset != held or upload.digest is not None or id_ in self._finishing:
                raise Stale(f"the upload has {held:,} bytes, and this begins at {offset:,}", fix="Go on from its end")
            if held + len(data) > ATTACHMENT_LIMIT:
                raise TooLarge(f"an attachment has at most {ATTACHMENT_LIMIT:,} bytes", fix="Split the file")
            mine = sum(self._folder.size(_file(one)) for one in self._store.uploads(person) if one.digest is None)
            if mine + len(data) > self._core.config.partial_mib * 1024 * 1024:
                raise TooLarge("what you have under way fills `partial_mib`", fix="Finish an upload, or drop one")
            if not self._folder.check_space(len(data)):
                raise Unavailable("the disk is nearly full", fix="Free some space")
            handle = self._folder.begin(name, held)
            try:
                self._folder.write(handle, held, data)
            finally:
                os.close(handle)
            return held + len(data)

    def finish(self, id_: str, person: str = "", digest: str = "") -> Attachment:
        """The whole upload as a portion describes it; `digest` (hex), where given, is what it must be.

        Raises:
            UnknownTerm: no such upload of this person's.
            VerificationFailed: it is not what its media type says, or has another digest.
            Unavailable: disk full or failing.
        """
        with self._lock:
            upload = self._own(id_, person)
            if upload.digest is not None:
                return _described(upload.digest.hex(), self._size(upload), upload.media_type, upload.name)
            if id_ in self._finishing:
                raise Stale("the upload is being finished", fix="Ask again")
            self._finishing.add(id_)
        try:
            return self._finish(upload, digest)
        finally:
            self._finishing.discard(id_)

    def _finish(self, upload: Upload, digest: str) -> Attachment:
        name = _file(upload)
        size = self._folder.size(name)
        handle = self._folder.begin(name, size)
        try:
            self._folder.sync(handle)
            found = self._folder.digest_of(handle, size).digest()
            check_type(os.pread(handle, HEAD, 0), upload.media_type, upload.name)
        finally:
            os.close(handle)
        if digest and digest != found.hex():
            raise Stale(f"the upload has the SHA-256 {found.hex()}, not {digest}", fix="Drop it and begin anew")
        with self._folder.kept():
            self._folder.keep(name, found)
            with self._core.store.transaction():
                self._store.add_content(found, size, self._core.clock.now())
                self._store.add_upload(msgspec.structs.replace(upload, digest=found))
        return _described(found.hex(), size, upload.media_type, upload.name)

    def drop(self, id_: str, person: str = "") -> None:
        """Throw an upload away that is not whole.

        Raises:
            UnknownTerm: no such upload of this person's.
            InvalidInput: it is whole.
            Stale: it is being made so.
        """
        with self._lock:
            upload = self._own(id_, person)
            if upload.digest is not None:
                raise InvalidInput("the upload is whole", fix="It goes by itself after a day if no record names it")
            if id_ in self._finishing:
                raise Stale("the upload is being finished", fix="Ask again")
            self._store.drop_upload(upload.id)
            self._folder.drop(_file(upload))

    def whole(self, file: BinaryIO, name: str, media_type: str = "", person: str = "") -> Attachment:
        """All of an open file at once, piece by piece; see `begin`, `append` and `finish`."""
        upload, held = self.begin(name, media_type, person), 0
        try:
            while data := file.read(PIECE):
                held = self.append(upload.id, held, data, person)
            return self.finish(upload.id, person)
        except BaseException:
            self.drop(upload.id, person)
            raise

    def mine(self, digest: bytes, person: str) -> bool:
        """Whether this person has brought in a content within a day."""
        return any(one.digest == digest for one in self._store.uploads(person))

    def content(self, digest: str, person: str, most: int) -> bytes:
        """All bytes of a small content (its digest in hex) that this person has brought in within a day.

        Raises:
            UnknownTerm: they brought in no such content.
            TooLarge: it has over `most` bytes.
            Unavailable: it is missing.
        """
        known = bytes.fromhex(digest)
        if not self.mine(known, person):
            raise UnknownTerm("no such file was brought in", fix="Choose it again")
        handle = self._folder.open(known)
        try:
            size = os.fstat(handle).st_size
            if size > most:
                raise TooLarge(f"the file has {size:,} bytes; at most {most:,} are read", fix="Send it in parts")
            with open(handle, "rb", closefd=False) as file:
                return file.read()
        finally:
            os.close(handle)

    def _size(self, upload: Upload) -> int:
        if upload.digest is not None:
            return self._store.content(upload.digest) or 0
        return self._folder.size(_file(upload))

    def _own(self, id_: str, person: str) -> Upload:
        for one in self._store.uploads(person):
            if one.id == id_:
                return one
        raise UnknownTerm("no such upload", fix="Begin one; an upload that no record names is kept for a day")


def _file(upload: Upload) -> str:
    return f"up.{upload.id}"


def _described(digest: str, size: int, media_type: str, name: str) -> Attachment:
    try:
        made = msgspec.convert(
            {"digest": digest, "size": size, "media_type": media_type, "name": name}, Attachment
        )  # fmt: skip
    except msgspec.ValidationError as error:
        raise InvalidInput(f"this cannot be attached: {error}", fix="Check its name and its media type") from error
    check_attachments([made])
    return made
