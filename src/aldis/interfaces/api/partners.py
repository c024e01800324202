"""Operations on partners, on what came from them and was set aside, and on recalls."""

from __future__ import annotations

from typing import Annotated

import msgspec

from aldis.interfaces.api.operations import Call, Nothing, Operation, said
from aldis.kernel.authority import Act
from aldis.kernel.epoch import PartnerStatus
from aldis.kernel.errors import AldisError, InvalidInput
from aldis.node.partners import Known
from aldis.node.store import Quarantined

__all__ = ["OPERATIONS"]


class PartnerId(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A partner (a node), and the reason, which the ledger keeps."""

    partner: str
    because: str


class PartnerShown(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A partner: `status` is `active`, `suspended` or `departed`."""

    node: str
    party: str
    status: str


class PartnerList(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The partners of this node."""

    partners: list[PartnerShown]


class Entries(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which entries: those after a number."""

    after: Annotated[int, msgspec.Meta(ge=0, lt=2**53)] = 0
    limit: Annotated[int, msgspec.Meta(ge=1, le=200)] = 50


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An entry in quarantine by its number."""

    number: Annotated[int, msgspec.Meta(ge=1, lt=2**53)]


class EntryBecause(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An entry in quarantine, and the reason, which the ledger keeps."""

    number: Annotated[int, msgspec.Meta(ge=1, lt=2**53)]
    because: str


class EntryShown(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What was set aside: from whom, when, how large; `why` is empty below this node's ceiling, for it may quote."""

    number: int
    source: str
    code: str
    why: str
    size: int
    at: int
    digest: str


class EntryList(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Entries by number."""

    entries: list[EntryShown]


class Admitted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The record that was admitted, by its digest."""

    digest: str


def partners(call: Call, _asked: Nothing) -> PartnerList:
    """Every partner."""
    return PartnerList([_partner(known) for known in call.node.partners.all()])


def suspend(call: Call, asked: PartnerId) -> PartnerShown:
    """Nothing goes to a partner, and nothing is taken from it."""
    return _set(call, asked, PartnerStatus.SUSPENDED)


def resume(call: Call, asked: PartnerId) -> PartnerShown:
    """A suspended partner is active again."""
    return _set(call, asked, PartnerStatus.ACTIVE)


def _set(call: Call, asked: PartnerId, status: PartnerStatus) -> PartnerShown:
    because = said(asked.because)
    before = call.node.partners.get(asked.partner).status
    if before is PartnerStatus.DEPARTED:
        raise InvalidInput(f"{asked.partner} has departed", fix="Pair again, at the machine: `aldis invite PARTY`")
    return _partner(call.node.partners.set_status(asked.partner, status, because, call.person))


def _partner(known: Known) -> PartnerShown:
    return PartnerShown(known.node, known.party, known.status.value)


def quarantine(call: Call, asked: Entries) -> EntryList:
    """What was set aside."""
    found = call.node.core.store.quarantine.all(asked.after, asked.limit)
    whole = call.node.sights.whole(call.person)
    return EntryList([_entry(one, whole) for one in found])


def retry(call: Call, asked: Entry) -> Admitted:
    """An entry judged again."""
    try:
        return Admitted(call.node.inbound.retry(asked.number, call.person).digest.hex())
    except AldisError as error:
        if error.code in ("unknown-term", "unavailable", "refused") or call.node.sights.whole(call.person):
            raise
        raise InvalidInput("it still cannot be admitted", fix="At this node's ceiling the list says why") from error


def drop(call: Call, asked: EntryBecause) -> None:
    """An entry thrown away."""
    call.node.inbound.drop(asked.number, said(asked.because), call.person)


def _entry(one: Quarantined, whole: bool) -> EntryShown:
    return EntryShown(one.id, one.source, one.code, one.text if whole else "", one.size, one.at, one.digest.hex())


_P, _Q = "/api/v1/partners", "/api/v1/quarantine"
OPERATIONS = (
    Operation("GET", _P, "List the partners of this node", Nothing, PartnerList, partners,
              act=(Act.PARTNERS, Act.OFFER)),
    Operation("POST", _P + "/{partner}/suspend", "Let nothing go to a partner nor come from it, at once", PartnerId,
              PartnerShown, suspend, act=Act.PARTNERS),
    Operation("POST", _P + "/{partner}/resume", "Go on with a partner that was suspended", PartnerId, PartnerShown,
              resume, act=Act.PARTNERS),
    Operation("GET", _Q, "List what was set aside instead of admitted", Entries, EntryList, quarantine,
              act=Act.QUARANTINE),
    Operation("POST", _Q + "/{number}/retry", "Judge an entry again, and admit it if nothing stands against it", Entry,
              Admitted, retry, act=Act.QUARANTINE),
    Operation("POST", _Q + "/{number}/drop", "Throw an entry away; the ledger keeps its digest", EntryBecause, None,
              drop, act=Act.QUARANTINE),
)  # fmt: skip
"""What security officers do."""
