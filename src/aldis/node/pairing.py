"""Pairing by file: an invitation out, a reply back, and both sides compare a short fingerprint.

An invitation holds only public things: names, address, keys, ceiling, and the pairing agreement already signed by
its maker. The reply is the other side's invitation, with its signature under the same agreement.
"""

from __future__ import annotations

import ssl
from typing import Annotated

import msgspec

from aldis.kernel.encoding import sha256, unb64
from aldis.kernel.errors import InvalidInput, NotAuthentic, RefusedByPolicy, Stale
from aldis.kernel.instruments import COSIGN_CONTEXT, Form, cosign_message, parse_instrument
from aldis.kernel.messages import open_message, read_unverified, sign_message
from aldis.kernel.records import Record, read_record
from aldis.kernel.signatures import Key, Signer, algorithm_named
from aldis.node.instruments import COSIGNATURE, INSTRUMENT, KINDS, PAIRING_PREFIX, instrument_text
from aldis.node.recall_records import ANSWER, RECALL
from aldis.node.tls import check_certificate

__all__ = ["Invitation", "Sheet", "check_invitation", "fingerprint", "read_aloud", "seal_invitation"]

LIFETIME = 7 * 86_400_000
"""How long an invitation may be answered, in milliseconds."""

_LEDGER_KEY = 32
_COSIGNATURE = 2
_KINDS = {kind.name: kind for kind in KINDS}
_Slug = Annotated[str, msgspec.Meta(pattern="^[a-z0-9][a-z0-9-]{0,31}\\Z")]
_Party = Annotated[str, msgspec.Meta(pattern="^[A-Z][A-Z0-9]{1,11}\\Z")]


class Sheet(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a node says of itself: all that a partner pins."""

    node: _Slug
    party: _Party
    url: str
    algorithm: str
    key: str
    ledger_key: str
    certificate: str
    ceiling: dict[str, str]
    categories: dict[str, list[str]] = {}

    @property
    def pinned(self) -> Key:
        """The key that signs this node's bundles."""
        return Key(algorithm_named(self.algorithm), unb64(self.key))

    @property
    def certificate_der(self) -> bytes:
        """The TLS certificate, DER."""
        return ssl.PEM_cert_to_DER_cert(self.certificate)


class Invitation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A node's sheet, the agreement it proposes, and its own signature under that agreement.

    `header` and `text` are the exact bytes of the agreement's record and its one portion; `cosignature` those of the
    record of the sender's signature; all three are empty between two nodes of one party, which agree nothing. A reply
    carries the digest of the invitation that it answers.
    """

    CONTEXT = b"aldis/invitation/1"
    sheet: Sheet
    header: str
    text: str
    cosignature: Annotated[list[str], msgspec.Meta(max_length=2)]
    created: int
    answers: str = ""


def seal_invitation(invitation: Invitation, signer: Signer) -> bytes:
    """The file's bytes."""
    return sign_message(invitation, signer)


def fingerprint(data: bytes) -> str:
    """Thirty digits in six groups, for two people to compare by voice (about 99 bits of SHA-256)."""
    number = int.from_bytes(sha256(data), "big") % 10**30
    digits = f"{number:030d}"
    return " ".join(digits[i : i + 5] for i in range(0, 30, 5))


def read_aloud(sheet: Sheet) -> dict[str, str]:
    """What two people compare by voice of a sheet that is pinned already: a fingerprint of each key, by what it does.

    Raises:
        NotAuthentic, InvalidInput, UnknownTerm: the sheet holds something else than keys.
    """
    return {
        "Signs bundles": fingerprint(sheet.pinned.raw),
        "Signs its ledger": fingerprint(unb64(sheet.ledger_key)),
        "Answers connections": fingerprint(sheet.certificate_der),
    }


def check_invitation(data: bytes, *, node: str, party: str, at: int) -> tuple[Invitation, tuple[Record, Record] | None]:
    """The invitation, and the records of the agreement and of the sender's signature, all consistent with each other.

    Between two nodes of one party there are no such records.
    Whether the sheet is the partner's, only the comparison of fingerprints tells.

    Raises:
        InvalidInput: not an invitation.
        NotAuthentic: not signed by the key inside it, or the agreement is not.
        Stale: older than a week.
        RefusedByPolicy: it is this node's own, not meant for this party, or proposes more than a pairing.
    """
    claimed = read_unverified(data, Invitation)
    invitation = open_message(data, Invitation, claimed.sheet.pinned)
    sheet = invitation.sheet
    if sheet.node == node:
        raise RefusedByPolicy("this invitation is from a node of the same name", fix="Give each node its own name")
    if not invitation.created - 600_000 <= at <= invitation.created + LIFETIME:
        raise Stale(
            "the invitation is older than a week, or from the future", fix="Ask for a new one; check the clocks"
        )
    unb64(sheet.ledger_key, _LEDGER_KEY)
    try:
        certificate = sheet.certificate_der
    except ValueError as error:
        raise InvalidInput(f"the certificate of {sheet.node} is not PEM: {error}", fix="Ask for a new one") from error
    check_certificate(certificate)
    if sheet.party == party:
        if invitation.header or invitation.text or invitation.cosignature:
            raise RefusedByPolicy(
                f"the invitation is of {party} itself, and holds an agreement", fix="Ask for a new one"
            )
        return invitation, None
    agreement = _read(invitation.header, invitation.text, INSTRUMENT)
    _check_agreement(agreement, {party, sheet.party}, party)
    if len(invitation.cosignature) != _COSIGNATURE:
        raise InvalidInput("the invitation holds no signature under its agreement", fix="Ask for a new one")
    header, portion = invitation.cosignature
    cosignature = _read(header, portion, COSIGNATURE)
    _check_cosignature(cosignature, agreement, sheet)
    return invitation, (agreement, cosignature)


def _read(header: str, portion: str, kind: str) -> Record:
    record = read_record(header.encode(), [portion.encode()])
    if record.header.kind != kind:
        raise InvalidInput(f"the invitation holds a {record.header.kind[:64]!r} in the place of its {kind}")
    _KINDS[kind].check(record.portions[0])
    return record


def _check_agreement(agreement: Record, parties: set[str], party: str) -> None:
    """Joining signs the agreement unread: it may let instruments, signatures, notices and recalls pass and no more."""
    instrument = parse_instrument(instrument_text(agreement))
    if instrument.parties != parties:
        named = ", ".join(sorted(instrument.parties))
        raise RefusedByPolicy(
            f"the invitation is for {named}, this is a node of {party}", fix="Ask for one of your own"
        )
    if (
        instrument.form is not Form.AGREEMENT
        or agreement.header.id != instrument.id
        or not instrument.id.startswith(PAIRING_PREFIX)
        or any(not clause.kinds <= {*_KINDS, RECALL, ANSWER} for clause in instrument.clauses)
    ):
        raise RefusedByPolicy(
            f"the agreement {instrument.id!r} in this invitation covers more than pairing",
            fix="Pair first; then let its maker draft it, and sign it once you have read it",
        )


def _check_cosignature(cosignature: Record, agreement: Record, sheet: Sheet) -> None:
    value = cosignature.portions[0].value
    signed = value["digest"] == agreement.digest.hex() and value["party"] == sheet.party
    if not signed or cosignature.header.originator != sheet.node:
        raise NotAuthentic("the invitation is not signed under the agreement it proposes", fix="Ask for a new one")
    if cosignature.label != agreement.label:
        raise NotAuthentic("the signature in the invitation is not labelled as its agreement is")
    sheet.pinned.verify(COSIGN_CONTEXT, cosign_message(agreement.digest, sheet.party), unb64(value["signature"]))
