"""What is signed of a report: a manifest of its files, and beside it each party's statement.

A signature is over the canonical JSON of the manifest, a line end, and the canonical JSON of the statement, so that one
signature of a node is good for one statement on one folder. `signatures.json` is canonical too: read strictly, written
again and compared, so that no byte of it can be another.
"""

from __future__ import annotations

import re
from typing import Literal

import msgspec

from aldis.apps.experiments.recorder import key_text, read_key
from aldis.kernel.encoding import b64, check_digests, unb64
from aldis.kernel.errors import InvalidInput
from aldis.kernel.signatures import Key, Signer

__all__ = [
    "CONTEXT",
    "MOST_FILES",
    "MOST_SHEET",
    "MOST_SIZE",
    "Listed",
    "Manifest",
    "Said",
    "Sheet",
    "Signed",
    "Statement",
]

CONTEXT = b"aldis/report/1"
MOST_FILES, MOST_SIZE, MOST_SHEET = 1_000, 64 * 1024 * 1024, 1024 * 1024
_MOST_PARTIES = 64
_PARTY, _NODE = re.compile(r"[A-Z][A-Z0-9]{1,11}"), re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
_PATH = re.compile(r"(?:findings\.json|report\.html|report\.pdf|cases/[a-z0-9-]{1,60}\.toml)")

Said = Literal["made", "recomputed", "agreed", "received"]
"""What a party says of a report. `made`: its node made it. `recomputed`: it came to the same findings from the same
recordings. `agreed`: from recordings of its own it came to no other verdict. `received`: it signs what it got."""


class Listed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file of the folder: its size in bytes and its SHA-256 in hex."""

    path: str
    size: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Every file of the folder but `signatures.json`, by path; nothing else lies in it. `parties` are all to sign."""

    format: Literal["aldis-report/1"] = "aldis-report/1"
    experiment: str
    marking: str
    findings: str
    parties: tuple[str, ...]
    files: tuple[Listed, ...]

    @property
    def canonical(self) -> bytes:
        """JSON with sorted names."""
        return msgspec.json.encode(self, order="sorted")

    def check(self) -> None:
        """Return if it is one that could be of a report.

        Raises:
            InvalidInput: it is not.
        """
        paths = [one.path for one in self.files]
        if paths != sorted(set(paths)) or len(paths) > MOST_FILES or "findings.json" not in paths:
            raise InvalidInput("the manifest does not list each file once, by path")
        strange = [path for path in paths if not _PATH.fullmatch(path)]
        if strange:
            raise InvalidInput(f"the manifest lists {strange[0][:80]!r}, which is no file of a report")
        if any(not 0 <= one.size <= MOST_SIZE for one in self.files):
            raise InvalidInput(f"the manifest lists a file of more than {MOST_SIZE} bytes")
        check_digests([self.findings, *(one.sha256 for one in self.files)])
        parties = list(self.parties)
        named = all(_PARTY.fullmatch(party) for party in parties)
        if not parties or parties != sorted(set(parties)) or not named or len(parties) > _MOST_PARTIES:
            raise InvalidInput("the manifest does not name each party that is to sign once, in order")


class Statement(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Who signs, with which key, when (ms since 1970 UTC), and what they say.

    `recordings` are the heads of what they came to their findings from, in hex; of `received` there are none.
    """

    party: str
    node: str
    key: str
    at_ms: int
    said: Said
    recordings: tuple[str, ...] = ()


class Signed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A statement, and the signature over it and the manifest in base64url."""

    statement: Statement
    signature: str

    @classmethod
    def of(cls, manifest: Manifest, statement: Statement, signer: Signer) -> Signed:
        """The statement, signed."""
        return cls(statement, b64(signer.sign(CONTEXT, _bytes(manifest, statement))))

    def check(self, manifest: Manifest) -> Key:
        """The key that the statement names, with which its signature holds.

        Raises:
            AldisError: it does not hold.
        """
        key = read_key(self.statement.key)
        if key_text(key) != self.statement.key:
            raise InvalidInput("its key is not written as keys are")
        key.verify(CONTEXT, _bytes(manifest, self.statement), unb64(self.signature))
        return key


class Sheet(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`signatures.json`: the manifest, and at most one signature of each party, by party."""

    manifest: Manifest
    signatures: tuple[Signed, ...] = ()

    @property
    def canonical(self) -> bytes:
        """JSON with sorted names."""
        return msgspec.json.encode(self, order="sorted")

    @classmethod
    def read(cls, data: bytes) -> Sheet:
        """The sheet in these bytes.

        Raises:
            InvalidInput: they are not exactly what a sheet is written as.
        """
        if len(data) > MOST_SHEET:
            raise InvalidInput(f"signatures.json has over {MOST_SHEET} bytes")
        try:
            sheet = msgspec.json.decode(data, type=cls)
        except (msgspec.MsgspecError, ValueError) as error:
            raise InvalidInput(f"signatures.json cannot be read: {error}") from error
        if sheet.canonical != data:
            raise InvalidInput("signatures.json is not written as it is signed")
        sheet.manifest.check()
        parties = [one.statement.party for one in sheet.signatures]
        if parties != sorted(set(parties)):
            raise InvalidInput("signatures.json does not have each party's signature once, in order")
        for one in sheet.signatures:
            check_digests(one.statement.recordings)
            if not _NODE.fullmatch(one.statement.node):
                raise InvalidInput(f"{one.statement.node[:80]!r} signed, and is no name of a node")
        others = set(parties) - set(sheet.manifest.parties)
        if others:
            raise InvalidInput(f"{sorted(others)[0][:80]!r} signed, and is not among the parties that are to sign")
        return sheet

    def with_(self, signed: Signed) -> Sheet:
        """The sheet with one more signature, in order.

        Raises:
            InvalidInput: that party is not to sign, or has signed.
        """
        party = signed.statement.party
        if party not in self.manifest.parties:
            to_sign = ", ".join(self.manifest.parties)
            raise InvalidInput(
                f"{party} is not among the parties that are to sign: {to_sign}",
                fix="Make a report that names it: `aldis experiment report CASE... --signers PARTY,PARTY --out FOLDER`",
            )
        if any(one.statement.party == party for one in self.signatures):
            raise InvalidInput(
                f"{party} has signed this report already", fix="`aldis experiment verify FOLDER` shows who signed"
            )
        every = sorted((*self.signatures, signed), key=lambda one: one.statement.party)
        return msgspec.structs.replace(self, signatures=tuple(every))


def _bytes(manifest: Manifest, statement: Statement) -> bytes:
    return manifest.canonical + b"\n" + msgspec.json.encode(statement, order="sorted")
