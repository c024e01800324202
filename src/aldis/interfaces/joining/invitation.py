"""An invitation to an experiment: a pairing invitation, and what the inviting node can take and would have signed.

It is signed with the key that the pairing invitation inside it states, so that whoever compares that one's fingerprint
believes the whole. It holds nothing secret.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

from aldis.kernel.encoding import b64, unb64
from aldis.kernel.errors import InvalidInput
from aldis.kernel.instruments import parse_instrument
from aldis.kernel.messages import open_message, read_unverified, sign_message
from aldis.kernel.signatures import Signer
from aldis.node.pairing import Invitation, Sheet

__all__ = ["ExperimentInvitation", "Offering", "open_invitation", "seal_experiment"]

_Line = Annotated[str, msgspec.Meta(max_length=200, pattern="^[^\\x00-\\x1f\\x7f]*\\Z")]
_Text = Annotated[str, msgspec.Meta(max_length=16 * 1024)]
_Pairing = Annotated[str, msgspec.Meta(max_length=128 * 1024)]
_Party = Annotated[str, msgspec.Meta(pattern="^[A-Z][A-Z0-9]{1,11}\\Z")]


class Offering(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A protocol that a system of the inviting nation speaks, and the kinds of entity that it has messages for."""

    protocol: _Line
    title: _Line
    takes: Annotated[tuple[_Line, ...], msgspec.Meta(max_length=16)]


class ExperimentInvitation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """For a node of `party`: to what, with whom to pair, which protocols are there, what would be signed."""

    CONTEXT = b"aldis/experiment-invitation/1"
    project: _Line
    party: _Party
    pairing: _Pairing
    protocols: Annotated[tuple[Offering, ...], msgspec.Meta(max_length=32)]
    instruments: Annotated[tuple[_Text, ...], msgspec.Meta(max_length=4)]
    created: int


def seal_experiment(
    project: str, party: str, pairing: bytes, protocols: tuple[Offering, ...], instruments: tuple[str, ...], *,
    created: int, signer: Signer,
) -> bytes:  # fmt: skip
    """The file's bytes."""
    return sign_message(ExperimentInvitation(project, party, b64(pairing), protocols, instruments, created), signer)


def open_invitation(data: bytes) -> tuple[ExperimentInvitation, bytes, Sheet]:
    """The invitation, that to pair inside it, and whose it claims to be: its fingerprint is yet to be compared.

    Raises:
        InvalidInput, TooLarge: not such an invitation, or an instrument inside it cannot be.
        NotAuthentic: not signed by the key inside it.
    """
    claimed = read_unverified(data, ExperimentInvitation)
    pairing = unb64(claimed.pairing)
    sheet = read_unverified(pairing, Invitation).sheet
    invitation = open_message(data, ExperimentInvitation, sheet.pinned)
    for text in invitation.instruments:
        if parse_instrument(text).parties != {sheet.party, invitation.party}:
            raise InvalidInput("an instrument in the invitation is not between its two parties", fix="Ask for another")
    return invitation, pairing, sheet
