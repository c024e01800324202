"""Pairing by file: an invitation made and taken away, one taken in, and the digits typed that the other side reads out.

The files hold nothing secret. What is typed is compared with what the file comes to, which no page shows: whoever
types it has heard it. Nothing is changed unless the two are the same.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from aldis.app import Go, Handed
from aldis.interfaces.cli.pairing import accredited, digits_of
from aldis.interfaces.cli.parties import known_party
from aldis.interfaces.web.door import View
from aldis.interfaces.web.forms import Fields
from aldis.interfaces.web.frame import Frame
from aldis.interfaces.web.visit import Sheet, Visit
from aldis.kernel.attachments import Attachment
from aldis.kernel.authority import Act
from aldis.kernel.errors import InvalidInput, UnknownTerm
from aldis.kernel.labels import rung_text
from aldis.kernel.messages import read_unverified
from aldis.node.pairing import LIFETIME, Invitation, check_invitation, fingerprint

__all__ = ["views"]

_LARGEST = 256 * 1024
_TYPE = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class _Open:
    """An invitation that waits for its answer."""

    party: str
    digits: str
    until: int


@dataclass(frozen=True, slots=True)
class _Read:
    """A file that was taken in and not yet believed: what it says of its maker, and the form's own word for it."""

    came: str
    node: str
    party: str
    url: str
    ceiling: str
    accredited: str
    algorithm: str
    answers: bool
    own: bool
    known: bool
    until: int


def views(_frame: Frame) -> Sequence[View]:
    """The page, what it makes and takes in, and the files to take away."""
    need = Act.PARTNERS
    return [
        View("/pairing", _page, need=need),
        View("/pairing/invite", _page, _invite, need=need, reads=False),
        View("/pairing/read", _page, _read, need=need, reads=False, files=True, limit=_LARGEST),
        View("/pairing/join", _again, _join, need=need, reads=False, limit=_LARGEST),
        View("/pairing/invitations/{party}", _invitation, need=need),
        View("/pairing/replies/{partner}", _reply, need=need),
    ]


def _resident(visit: Visit) -> None:
    if not visit.resident:
        raise UnknownTerm("no such page")


def _page(visit: Visit) -> Sheet:
    _resident(visit)
    found = [
        _Open(party, fingerprint(data), read_unverified(data, Invitation).created + LIFETIME)
        for party, data in visit.node.partners.invitations().items()
    ]
    made = visit.query.get("made")
    values = {"found": found, "made": made if made in [one.party for one in found] else ""}
    return Sheet("pairing.html", "Pair with a node", values, [visit.routine])


def _invite(visit: Visit) -> Go:
    _resident(visit)
    party = known_party(visit.node.core.policies, visit.form.get("party").strip())
    visit.node.partners.invite(party, visit.who)
    return Go(Fields.address("/pairing", made=party))


def _read(visit: Visit) -> Sheet:
    _resident(visit)
    return _compare(visit, _look(visit))


def _again(visit: Visit) -> Sheet:
    """The second step once more; the first where the file itself is what failed."""
    _resident(visit)
    try:
        read = _look(visit)
    except InvalidInput:
        return _page(visit)
    return _compare(visit, read)


def _compare(visit: Visit, read: _Read) -> Sheet:
    return Sheet("pairing_compare.html", f"Pair with {read.node}", {"one": read}, [visit.routine])


def _join(visit: Visit) -> Go:
    _resident(visit)
    data, said = _brought(visit), digits_of(visit.form.get("digits"))
    known, _ = visit.node.partners.join(
        data,
        lambda _sheet, found: hmac.compare_digest(said or "", found.replace(" ", "")),
        own=visit.form.get("own") == "yes",
        by=visit.who,
    )
    return Go(Fields.address(f"/partners/{known.node}", done="paired"))


def _look(visit: Visit) -> _Read:
    """What the file says, as far as it can be checked before the digits are compared.

    Raises:
        InvalidInput, NotAuthentic, Stale, RefusedByPolicy, TooLarge: see `check_invitation`.
    """
    node, data = visit.node, _brought(visit)
    invitation, _ = check_invitation(data, node=node.name, party=node.core.party, at=visit.at)
    sheet = invitation.sheet
    return _Read(
        came=visit.form.all("file")[-1],
        node=sheet.node,
        party=sheet.party,
        url=sheet.url,
        ceiling=", ".join(rung_text(policy, rung) for policy, rung in sheet.ceiling.items()),
        accredited=accredited(sheet.categories),
        algorithm=sheet.algorithm,
        answers=bool(invitation.answers),
        own=sheet.party == node.core.party,
        known=any(known.node == sheet.node for known in node.partners.all()),
        until=invitation.created + LIFETIME,
    )


def _brought(visit: Visit) -> bytes:
    """The bytes of the file that came with this form, or with the step before."""
    given = [one for one in visit.form.all("file") if one]
    if not given:
        raise InvalidInput("no file was chosen", fix="Choose the invitation, or the reply to yours")
    try:
        file = msgspec.json.decode(given[-1], type=Attachment)
    except msgspec.MsgspecError as error:
        raise InvalidInput("the file is not one that came with this form", fix="Choose it again") from error
    try:
        return visit.node.attachments.uploads.content(file.digest, visit.who.id, _LARGEST)
    except UnknownTerm as error:
        raise InvalidInput("the file is not here any more", fix="Choose it again") from error


def _invitation(visit: Visit) -> Handed:
    _resident(visit)
    party = visit.segments["party"]
    data = visit.node.partners.invitations().get(party)
    if data is None:
        raise UnknownTerm("no such invitation")
    return Handed(f"{visit.node.name}-{party.lower()}.invite", _TYPE, len(data), iter([data]))


def _reply(visit: Visit) -> Handed:
    _resident(visit)
    known = visit.node.partners.get(visit.segments["partner"])
    data = visit.node.partners.reply(known.node)
    if not data:
        raise UnknownTerm("no such reply")
    return Handed(f"{visit.node.name}-{known.node}.reply", _TYPE, len(data), iter([data]))
