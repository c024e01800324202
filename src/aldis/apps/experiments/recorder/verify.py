"""Whether a recording is what its node recorded, found from the file and a public key alone.

1 The file begins as MCAP, with a header and an opening. 2 Every seal is signed, over every byte before it. 3 The chain
over the records comes to each seal's head. 4 The closing seal is signed over every byte of the file. What ends before
4 without contradicting it is incomplete, as after a power cut: what its last seal covers holds.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import BinaryIO, Literal, NoReturn

import msgspec

from aldis.apps.experiments.recorder.container import (
    HEAD,
    Broken,
    Channel,
    Op,
    message_head,
    read_channel,
    read_chunk,
    records_in,
)
from aldis.apps.experiments.recorder.scan import Cut, Scan
from aldis.apps.experiments.recorder.seal import CONTEXT, LINK, Opening, Seal, key_text, read_key
from aldis.kernel.encoding import unb64
from aldis.kernel.errors import AldisError
from aldis.kernel.signatures import Key

__all__ = ["Bad", "Findings", "verify"]

_BLOCK = 1024 * 1024


class Bad(msgspec.Struct, frozen=True):
    """The first record that is not what was recorded: its number in the file, and where it is a message, which."""

    record: int
    topic: str = ""
    sequence: int = 0
    log_ns: int = 0


class Findings(msgspec.Struct, frozen=True, kw_only=True):
    """What can be said of a file.

    `intact`: every byte is as it was closed. `incomplete`: it was never closed, or was cut; its first `covered` bytes
    with `messages` messages are as they were sealed, and of `beyond` bytes nothing is known. `altered`: it is not what
    was sealed, for the reason `wrong`; what came before is as it was sealed. `foreign`: as it was sealed, but with
    another key than the one expected. `vouched` says whether `signer` is the key that was expected of it; where none
    was, it is only what the file says.
    """

    state: Literal["intact", "incomplete", "altered", "foreign"]
    signer: str = ""
    vouched: bool = False
    opening: Opening | None = None
    messages: int = 0
    covered: int = 0
    beyond: int = 0
    head: str = ""
    wrong: str = ""
    bad: Bad | None = None


class _Altered(Exception):
    def __init__(self, wrong: str, bad: Bad | None = None) -> None:
        super().__init__(wrong)
        self.bad = bad


def verify(path: Path, key: Key | None = None) -> Findings:
    """What can be said of the file at `path`, where `key` is expected to have sealed it.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        check = _Check(Scan.of(path, file), key)
        try:
            check.run(file)
        except Cut:
            return check.found("incomplete")
        except Broken as error:
            return check.found("altered", f"{error} at byte {check.scan.at}")
        except _Altered as error:
            return check.found("altered", str(error), error.bad)
        return check.found("intact")


class _Check:
    def __init__(self, scan: Scan, expected: Key | None) -> None:
        self.scan = scan
        self._expected = expected
        self._key: Key | None = expected
        self._opening: Opening | None = None
        self._hash = hashlib.sha256()
        self._head = b""
        self._seals = 0
        self._records = 0
        self._messages = 0
        self._sealed = (0, 0, b"")
        self._channels: dict[int, Channel] = {}

    def found(
        self, state: Literal["intact", "incomplete", "altered"], wrong: str = "", bad: Bad | None = None
    ) -> Findings:
        messages, covered, head = self._sealed
        opening = self._opening if covered else None
        signer = opening.key if opening else ""
        vouched = bool(signer and self._expected and signer == key_text(self._expected))
        foreign = self._expected is not None and opening is not None and not vouched and state != "altered"
        return Findings(
            state="foreign" if foreign else state,
            signer=signer,
            vouched=vouched,
            opening=opening,
            messages=messages,
            covered=covered,
            beyond=self.scan.size - covered,
            head=head.hex(),
            wrong="it was sealed with another key than the one expected" if foreign else wrong,
            bad=bad,
        )

    def run(self, file: BinaryIO) -> None:
        scan = self.scan
        self._hash.update(scan.magic())
        for wanted in (Op.HEADER, Op.METADATA):
            op, record = scan.record()
            if op is not wanted:
                raise Broken("no opening")
            self._hash.update(record)
        self._open(record)
        while not self._group(file):
            pass

    def _open(self, record: bytes) -> None:
        self._opening = Opening.read(record[HEAD.size :])
        self._head = self._opening.head
        try:
            self._key = read_key(self._opening.key)
        except AldisError as error:
            raise Broken("an opening without a key") from error

    def _group(self, file: BinaryIO) -> bool:
        """Read up to and with the next seal; whether it was the closing one."""
        chunk = b""
        while True:
            op, record = self.scan.record()
            if op is Op.METADATA:
                return self._seal(file, record, chunk)
            if (op is Op.CHUNK) == bool(chunk) or op is Op.HEADER or not self._seals:
                raise Broken("records in another order than a recording's")
            chunk = chunk or record
            self._hash.update(record)

    def _seal(self, file: BinaryIO, record: bytes, chunk: bytes) -> bool:
        start = self.scan.at - len(record)
        seal = Seal.read(record[HEAD.size :])
        if not record.endswith(seal.signature.encode()):
            raise Broken("a seal that does not end with its signature")
        digest = self._hash.copy()
        digest.update(record[: len(record) - len(seal.signature)] + b"A" * len(seal.signature))
        if seal.closing:
            self._rest(file, seal, digest)
        head, links, records, count = self._followed(chunk)
        try:
            self._checked_key().verify(CONTEXT, digest.digest(), unb64(seal.signature))
        except AldisError:
            self._blame(seal, head, links, start)
        said = (seal.number, seal.messages, seal.head, seal.links)
        if said != (self._seals + 1, self._messages + count, head, b"".join(links)):
            self._blame(seal, head, links, start)
        self._hash.update(record)
        self._head, self._seals = head, self._seals + 1
        self._records, self._messages = self._records + records, self._messages + count
        self._sealed = (self._messages, self.scan.size if seal.closing else self.scan.at, head)
        return seal.closing

    def _checked_key(self) -> Key:
        if self._key is None:
            raise Broken("no key")
        return self._key

    def _rest(self, file: BinaryIO, seal: Seal, digest: hashlib._Hash) -> None:
        if seal.size != self.scan.size:
            if seal.size > self.scan.size and not self.scan.whole:
                raise Cut
            raise _Altered(f"the file has {self.scan.size} bytes, and {seal.size} when it was closed")
        while block := file.read(_BLOCK):
            digest.update(block)

    def _followed(self, chunk: bytes) -> tuple[bytes, list[bytes], int, int]:
        """The chain after a chunk: its head, its links, and how many records and messages they are."""
        head, links, count, self._chunk = self._head, [], 0, b""
        if chunk:
            try:
                self._chunk = read_chunk(chunk[HEAD.size :])[2]
            except Broken:
                self._chunk = chunk[HEAD.size + 40 :]
        message, channel, made, records = int(Op.MESSAGE), int(Op.CHANNEL), hashlib.sha256, self._chunk
        try:
            for op, start, end in records_in(records):
                head = made(head + records[start:end]).digest()
                links.append(head[:LINK])
                if op == message:
                    count += 1
                elif op == channel:
                    found = read_channel(records[start + HEAD.size : end])
                    self._channels[found.id] = found
        except Broken:
            pass
        return head, links, len(links), count

    def _blame(self, seal: Seal, head: bytes, links: list[bytes], start: int) -> NoReturn:
        """Say what a seal that does not hold is to be blamed on."""
        said = [seal.links[at : at + LINK] for at in range(0, len(seal.links), LINK)]
        where = "the closing seal" if seal.closing else f"seal {self._seals + 1}"
        if seal.head != head and links != said:
            wrong = next((n for n, pair in enumerate(zip(links, said, strict=False)) if pair[0] != pair[1]), len(links))
            bad = self._bad(wrong)
            what = f"message {bad.sequence} of {bad.topic}" if bad.topic else f"record {bad.record}"
            raise _Altered(f"{what} is not what was recorded", bad)
        what = "the summary or the seal" if seal.closing else "the frame of its chunk, an index or the seal"
        raise _Altered(f"{where} at byte {start} does not hold: {what} is not what was recorded")

    def _bad(self, wrong: int) -> Bad:
        number = self._records + wrong + 1
        try:
            for at, (op, start, _) in enumerate(records_in(self._chunk)):
                if at == wrong and op == Op.MESSAGE:
                    channel_id, sequence, log_ns, _ = message_head(self._chunk, start)
                    made = self._channels.get(channel_id)
                    return Bad(number, made.topic if made else "", sequence, log_ns)
        except Broken:
            pass
        return Bad(number)
