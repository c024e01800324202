"""Signed notes (c2sp.org/signed-note): text that people can read, a blank line, and lines of signatures."""

from __future__ import annotations

import base64
from dataclasses import dataclass

from aldis.kernel.encoding import sha256
from aldis.kernel.errors import InvalidInput, TooLarge

__all__ = ["NOTE_LIMIT", "SIGNATURE_LIMIT", "Note", "Signature", "add_signature", "key_id", "parse_note"]

NOTE_LIMIT = 65_536
"""The greatest size of a note in bytes."""

SIGNATURE_LIMIT = 32
"""The greatest number of signatures on a note."""

_NAME_LIMIT = 255
_KEY_ID_SIZE = 4
_DASH = "\N{EM DASH} "


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature line. `value` is what its algorithm makes of it, without the 4-byte key id."""

    name: str
    key_id: bytes
    value: bytes

    def line(self) -> bytes:
        """The line as it stands in a note, with its newline."""
        encoded = base64.b64encode(self.key_id + self.value).decode("ascii")
        return f"{_DASH}{self.name} {encoded}\n".encode()


@dataclass(frozen=True, slots=True)
class Note:
    """A parsed note; nothing about it has been verified. `text` is what the signatures sign."""

    text: bytes
    signatures: tuple[Signature, ...]

    def encode(self) -> bytes:
        """The bytes of the note."""
        return self.text + b"\n" + b"".join(signature.line() for signature in self.signatures)


def key_id(name: str, kind: int, public_key: bytes) -> bytes:
    """The 4 bytes that tell a verifier which key, and of which signature kind, signed.

    Raises:
        InvalidInput: `name` is empty, too long, or has a space, a control character or a plus sign.
    """
    if not _is_name(name):
        raise InvalidInput(f"not a key name: {name[:64]!r}", fix="Use one word without spaces or plus signs")
    return sha256(name.encode() + b"\n" + bytes([kind]) + public_key)[:_KEY_ID_SIZE]


def parse_note(note: bytes) -> Note:
    """The text and the signatures of a note.

    Raises:
        TooLarge: more than NOTE_LIMIT bytes or SIGNATURE_LIMIT signatures.
        InvalidInput: not a signed note.
    """
    text, blank, lines = _decode(note).rpartition("\n\n")
    if not blank:
        raise InvalidInput("note has no signatures after a blank line", fix=_SEND_AGAIN)
    return Note(f"{text}\n".encode(), _parse_lines(lines))


def add_signature(note: bytes, line: bytes) -> bytes:
    """The note with one more signature line (or several), which takes the place of an earlier one by the same key.

    The line is not verified: do that first, or a forgery may displace a good one.

    Raises:
        TooLarge: the note would be too large.
        InvalidInput: `note` or `line` is malformed.
    """
    parsed, added = parse_note(note), _parse_lines(_decode(line))
    keys = {(signature.name, signature.key_id) for signature in added}
    kept = tuple(s for s in parsed.signatures if (s.name, s.key_id) not in keys)
    signed = Note(parsed.text, kept + added).encode()
    parse_note(signed)
    return signed


_SEND_AGAIN = "Ask for the note again, byte for byte as it was signed"


def _is_name(name: str) -> bool:
    return 0 < len(name) <= _NAME_LIMIT and not any(c.isspace() or c < " " or c == "+" for c in name)


def _decode(data: bytes) -> str:
    if len(data) > NOTE_LIMIT:
        raise TooLarge(f"note of {len(data)} bytes, limit {NOTE_LIMIT}", fix="Remove signatures")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidInput("note is not UTF-8", fix=_SEND_AGAIN) from error
    if any(char < " " and char != "\n" for char in text):
        raise InvalidInput("note has a control character", fix=_SEND_AGAIN)
    return text


def _parse_lines(lines: str) -> tuple[Signature, ...]:
    if lines.count("\n") > SIGNATURE_LIMIT:
        raise TooLarge(f"note has over {SIGNATURE_LIMIT} signatures", fix="Remove some")
    *complete, rest = lines.split("\n")
    if rest or not complete:
        raise InvalidInput("note does not end with a whole signature line", fix=_SEND_AGAIN)
    return tuple(_parse_line(line) for line in complete)


def _parse_line(line: str) -> Signature:
    name, _, encoded = line.removeprefix(_DASH).partition(" ")
    try:
        blob = base64.b64decode(encoded, validate=True)
    except ValueError:
        blob = b""
    signature = Signature(name, blob[:_KEY_ID_SIZE], blob[_KEY_ID_SIZE:])
    if not (signature.value and _is_name(name) and signature.line() == f"{line}\n".encode()):
        raise InvalidInput(f"not a signature line: {line[:64]!r}", fix=_SEND_AGAIN)
    return signature
