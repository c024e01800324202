"""Records and portions: what was signed is what is stored and sent, byte for byte.

A header is JSON bytes and its SHA-256 is the record's digest. It commits to each portion by the digest of that
portion's own bytes, `[salt, name, label, value]`, so a portion can be left out while the rest still verifies
(the salted-digest idea of SD-JWT, RFC 9901). Decoy digests pad the list, so its length tells nothing either.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from aldis.kernel.attachments import Attachment, check_attachments, holds_attachments
from aldis.kernel.encoding import DIGEST_SIZE, MOST, check_digests, sha256
from aldis.kernel.errors import InvalidInput, TooLarge, UnknownTerm, VerificationFailed
from aldis.kernel.labels import Label, decode_label, encode_label

__all__ = [
    "Draft",
    "DraftPortion",
    "Header",
    "Kind",
    "Portion",
    "Record",
    "make_portion",
    "make_record",
    "next_version",
    "read_header",
    "read_portion",
    "read_record",
    "tombstone",
]

MAX_HEADER = 64 * 1024
MAX_PORTION = 1024 * 1024
MAX_PORTIONS = 64
MAX_RECORD = 16 * 1024 * 1024
MAX_DEPTH = 32
SALT_SIZE = 16
_DECOY_STEP = 4
_NAME = re.compile(r"[a-z][a-z0-9-]{0,31}")
_ID = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._:-]{0,95}")


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of record that an app declares.

    `portions` maps each portion name to the type its value must decode to (closed: unknown fields are refused);
    one of type `Attachment`, or a list of it, has the files' content beside it.
    `text` names the portions whose strings are searched; `title` one that people recognise the record by; `rule`
    raises on a portion that has the right type and yet cannot be; of one that is `national`, by which systems of a
    nation act, no foreign national writes any.
    """

    name: str
    portions: Mapping[str, Any]
    text: tuple[str, ...] = ()
    title: str = ""
    rule: Callable[[Portion], None] | None = None
    national: bool = False
    _decoders: dict[str, msgspec.json.Decoder[Any]] = field(init=False, repr=False, compare=False, default_factory=dict)
    _files: frozenset[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        files = frozenset(name for name, expected in self.portions.items() if holds_attachments(expected))
        object.__setattr__(self, "_files", files)

    def check(self, portion: Portion) -> None:
        """Return if the portion is one of this kind's and its value has the right shape.

        Raises:
            UnknownTerm: the kind has no portion of that name.
            InvalidInput: the value is not of the portion's type.
        """
        value = self._value(portion)
        if portion.name in self._files:
            check_attachments(value if isinstance(value, list) else [value])
        if self.rule is not None:
            self.rule(portion)

    @property
    def files(self) -> frozenset[str]:
        """The names of the portions that describe attachments."""
        return self._files

    def attachments(self, portion: Portion) -> list[Attachment]:
        """The attachments that a portion of this kind describes; none where it is no portion for them.

        Raises:
            InvalidInput: as `check`.
        """
        if portion.name not in self._files:
            return []
        value = self._value(portion)
        return value if isinstance(value, list) else [value]

    def _value(self, portion: Portion) -> Any:
        decoder = self._decoders.get(portion.name) or self._decoder(portion.name)
        try:
            return decoder.decode(portion.raw_value)
        except (msgspec.MsgspecError, RecursionError, ValueError) as error:
            raise InvalidInput(f"portion {portion.name!r} of kind {self.name!r}: {error}") from error

    def _decoder(self, name: str) -> msgspec.json.Decoder[Any]:
        expected = self.portions.get(name)
        if expected is None:
            raise UnknownTerm(f"kind {self.name!r} has no portion {name!r}", fix=f"It has: {', '.join(self.portions)}")
        return self._decoders.setdefault(name, msgspec.json.Decoder(expected))


class Header(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True, omit_defaults=True):
    """The signed description of one version of a record; `created` is in milliseconds since 1970 UTC.

    `originator` is the node that writes every version of this id; `previous` is the digest of the version before.
    `label` protects the record's existence and everything in this header.
    """

    kind: str
    id: str
    version: int
    originator: str
    author: str
    created: int
    label: msgspec.Raw
    portions: list[str]
    previous: str = ""
    project: str = ""
    sources: list[str] = []
    deleted: bool = False


class DraftPortion(msgspec.Struct, frozen=True, gc=False):
    """A portion to be: any JSON value under a name and a label."""

    name: str
    label: Label
    value: Any


class Draft(msgspec.Struct, frozen=True, gc=False):
    """A record to be; `make_record` gives it salts, bytes and a digest."""

    kind: str
    id: str
    originator: str
    author: str
    created: int
    label: Label
    portions: Sequence[DraftPortion]
    version: int = 1
    previous: bytes = b""
    project: str = ""
    sources: Sequence[bytes] = ()
    deleted: bool = False


class Portion(msgspec.Struct, frozen=True, gc=False):
    """The smallest part with a label of its own: its exact bytes and what they say."""

    data: bytes
    digest: bytes
    name: str
    raw_label: bytes
    raw_value: bytes

    @property
    def label(self) -> Label:
        """The label, parsed."""
        return decode_label(self.raw_label)

    @property
    def value(self) -> Any:
        """The value, decoded from JSON."""
        return msgspec.json.decode(self.raw_value)


class Record(msgspec.Struct, frozen=True, gc=False):
    """One immutable version; `portions` are those held here, which may be fewer than the header commits to."""

    data: bytes
    digest: bytes
    header: Header
    portions: tuple[Portion, ...] = ()

    @property
    def label(self) -> Label:
        """The label of existence and metadata."""
        return decode_label(self.header.label)

    def portion(self, name: str) -> Portion | None:
        """The portion of that name, or None where it is not held here."""
        return next((portion for portion in self.portions if portion.name == name), None)

    def only(self, digests: Iterable[bytes]) -> Record:
        """The same record with just these portions."""
        kept = set(digests)
        return Record(self.data, self.digest, self.header, tuple(p for p in self.portions if p.digest in kept))


class _Portion(msgspec.Struct, frozen=True, gc=False, array_like=True, forbid_unknown_fields=True):
    salt: str
    name: str
    label: msgspec.Raw
    value: msgspec.Raw


_encoder = msgspec.json.Encoder()
_header_decoder = msgspec.json.Decoder(Header)
_portion_decoder = msgspec.json.Decoder(_Portion)


def make_portion(draft: DraftPortion, salt: bytes) -> Portion:
    """The bytes of a portion, salted with 16 bytes that nobody can guess.

    Raises:
        InvalidInput: a name that is not lower-case words with hyphens, a value that JSON cannot say.
        TooLarge: over 1 MiB or nested deeper than 32.
    """
    if not _NAME.fullmatch(draft.name):
        raise InvalidInput(f"portion name {draft.name!r} is not lower-case letters, digits and hyphens")
    if len(salt) != SALT_SIZE:
        raise InvalidInput(f"a salt of {len(salt)} bytes; it takes {SALT_SIZE}")
    raw_label = encode_label(draft.label)
    try:
        raw_value = _encoder.encode(draft.value)
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidInput(f"portion {draft.name!r} is not JSON: {error}") from error
    data = b'["%s","%s",%s,%s]' % (salt.hex().encode(), draft.name.encode(), raw_label, raw_value)
    if len(data) > MAX_PORTION:
        raise _too_large(data, MAX_PORTION, f"portion {draft.name!r}")
    return _shallow(Portion(data, sha256(data), draft.name, raw_label, raw_value))


def make_record(draft: Draft, random: Callable[[int], bytes]) -> Record:
    """The record of a draft; `random(n)` gives n unguessable bytes for salts and decoys.

    Raises:
        InvalidInput: an id, version or portion that breaks the rules of records.
        TooLarge: a limit on size or count was exceeded.
    """
    count = len(draft.portions)
    decoys = -count % _DECOY_STEP
    drawn = random(SALT_SIZE * count + DIGEST_SIZE * decoys)
    salts = [drawn[i : i + SALT_SIZE] for i in range(0, SALT_SIZE * count, SALT_SIZE)]
    hidden = [drawn[i : i + DIGEST_SIZE] for i in range(SALT_SIZE * count, len(drawn), DIGEST_SIZE)]
    portions = tuple(make_portion(portion, salt) for portion, salt in zip(draft.portions, salts, strict=True))
    if len({portion.name for portion in portions}) != len(portions):
        raise InvalidInput(f"record {draft.id!r} names a portion twice", fix="Give each portion its own name")
    commitments = sorted(digest.hex() for digest in [*(p.digest for p in portions), *hidden])
    header = Header(
        kind=draft.kind,
        id=draft.id,
        version=draft.version,
        originator=draft.originator,
        author=draft.author,
        created=draft.created,
        label=msgspec.Raw(encode_label(draft.label)),
        portions=commitments,
        previous=draft.previous.hex(),
        project=draft.project,
        sources=[source.hex() for source in draft.sources],
        deleted=draft.deleted,
    )
    _check_header(header)
    data = _encoder.encode(header)
    if len(data) > MAX_HEADER:
        raise _too_large(data, MAX_HEADER, f"the header of {header.id!r}")
    _check_size(header, len(data), portions)
    return Record(data, sha256(data), header, portions)


def next_version(record: Record, draft: Draft) -> Draft:
    """`draft` as the version after `record`.

    Raises:
        InvalidInput: another id, kind or originator: only its originator writes a record's next version.
    """
    before = record.header
    if (before.id, before.kind, before.originator) != (draft.id, draft.kind, draft.originator):
        raise InvalidInput(
            f"{draft.originator} cannot write the next version of {before.id!r}, which is {before.originator}'s",
            fix="Put a record of your own that names it among its sources",
        )
    return msgspec.structs.replace(draft, version=before.version + 1, previous=record.digest)


def tombstone(record: Record, author: str, created: int) -> Draft:
    """The version that says the record was deleted, under the label the record had."""
    before = record.header
    return Draft(
        kind=before.kind, id=before.id, originator=before.originator, author=author, created=created,
        label=record.label, portions=(), version=before.version + 1, previous=record.digest,
        project=before.project, deleted=True,
    )  # fmt: skip


def read_header(data: bytes) -> Header:
    """The header that these exact bytes state.

    Raises:
        InvalidInput: not the closed schema of a header, or against its rules.
        TooLarge: over 64 KiB or 64 portions.
    """
    if len(data) > MAX_HEADER:
        raise _too_large(data, MAX_HEADER, "header")
    try:
        header = _header_decoder.decode(data)
    except (msgspec.MsgspecError, RecursionError, ValueError) as error:
        raise InvalidInput(f"not a record header: {error}") from error
    _check_header(header)
    return header


def read_portion(data: bytes) -> Portion:
    """The portion that these exact bytes state; its value is not yet checked against a kind.

    Raises:
        InvalidInput: not `[salt, name, label, value]`.
        TooLarge: over 1 MiB or nested deeper than 32.
    """
    if len(data) > MAX_PORTION:
        raise _too_large(data, MAX_PORTION, "portion")
    try:
        parts = _portion_decoder.decode(data)
        salt = parts.salt
        portion = Portion(data, sha256(data), parts.name, bytes(parts.label), bytes(parts.value))
        if bytes.fromhex(salt).hex() != salt or len(salt) != 2 * SALT_SIZE:
            raise InvalidInput(f"not a salt: {salt[:64]!r}", fix="A salt is 32 lower-case hexadecimal digits")
        if data.count(b"[") + data.count(b"{") > MAX_DEPTH:
            _shallow(portion)
    except (msgspec.MsgspecError, RecursionError, ValueError) as error:
        raise InvalidInput(f"not a portion: {error}") from error
    if not _NAME.fullmatch(portion.name):
        raise InvalidInput(f"portion name {portion.name[:64]!r} is not lower-case letters, digits and hyphens")
    return portion


def read_record(data: bytes, portions: Iterable[bytes]) -> Record:
    """The record of a header and those of its portions that came with it.

    Raises:
        VerificationFailed: a portion that the header does not commit to, or one that came twice.
        InvalidInput: as `read_header` and `read_portion`.
        TooLarge: over 16 MiB in all.
    """
    header = read_header(data)
    held = tuple([read_portion(portion) for portion in portions])
    if len(held) >= MAX_RECORD // MAX_PORTION:
        _check_size(header, len(data), held)
    for portion in held:
        if portion.digest.hex() not in header.portions:
            raise VerificationFailed(
                f"portion {portion.name!r} of record {header.id!r} is not the one its originator committed to",
                fix="The copy was altered on the way: ask the sender to send again",
            )
    if len(held) > 1 and len({portion.name for portion in held}) != len(held):
        raise VerificationFailed(f"record {header.id!r} came with a portion twice")
    return Record(data, sha256(data), header, held)


def _check_header(header: Header) -> None:
    if not _ID.fullmatch(header.id):
        raise InvalidInput(f"record id {header.id[:96]!r} is not letters, digits and ._:- (at most 96)")
    if len(header.portions) > MAX_PORTIONS:
        raise TooLarge(f"record {header.id!r} has {len(header.portions)} portions; the limit is {MAX_PORTIONS}")
    if not 1 <= header.version <= MOST or (header.version == 1) is bool(header.previous):
        raise InvalidInput(f"record {header.id!r}: version {header.version} and its predecessor do not fit")
    if not 0 <= header.created <= MOST:
        raise InvalidInput(f"record {header.id!r}: created {header.created} is no time in ms since 1970")
    if not (header.kind + header.originator + header.author + header.project).isprintable():
        raise InvalidInput(f"record {header.id!r} has unprintable characters in its header")
    if header.deleted and header.portions:
        raise InvalidInput(f"record {header.id!r} is deleted and yet has content")
    digests = header.portions + header.sources
    if header.previous:
        digests.append(header.previous)
    check_digests(digests)


def _check_size(header: Header, size: int, portions: Sequence[Portion]) -> None:
    total = size + sum([len(portion.data) for portion in portions])
    if total > MAX_RECORD:
        raise TooLarge(
            f"record {header.id!r} has {total} bytes; the limit is {MAX_RECORD}", fix="Put large content in attachments"
        )


def _too_large(data: bytes, most: int, what: str) -> TooLarge:
    return TooLarge(f"{what} has {len(data)} bytes; the limit is {most}", fix="Put large content in an attachment")


def _shallow(portion: Portion) -> Portion:
    """The portion, unless it is nested too deep; the parser itself stops long before the stack does."""
    level, depth = [portion.value], 0
    while level:
        depth += 1
        if depth > MAX_DEPTH:
            raise TooLarge(f"portion {portion.name!r} is nested deeper than {MAX_DEPTH}", fix="Flatten the value")
        level = [
            child
            for value in level
            if isinstance(value, dict | list)
            for child in (value.values() if isinstance(value, dict) else value)
        ]
    return portion
