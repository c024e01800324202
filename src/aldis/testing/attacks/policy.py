"""Attacks on what is in force: signatures, notices and instruments in the name of others. The records may come in;
they must be without effect.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from aldis.kernel.encoding import b64
from aldis.kernel.instruments import COSIGN_CONTEXT, Effect, cosign_message
from aldis.kernel.labels import Label
from aldis.kernel.records import Draft, DraftPortion, Record
from aldis.node.instruments import PAIRING_PREFIX, cosignature_draft, instrument_draft, notice_draft
from aldis.node.store import Row
from aldis.testing.hostile import Attack, Hostile, NotNow
from aldis.testing.streams import rows

__all__ = ["ATTACKS"]

_TEXT = """\
instrument = "arrangement"
id = "{id}"
title = "Not agreed"
parties = ["{one}", "{other}"]
from = 2026-01-01
until = 2030-12-31

[[clause]]
id = "1"
kinds = ["*"]
projects = ["*"]
purposes = ["surveillance"]
ceiling = {{ AUS = "TOP SECRET", UK = "TOP SECRET", US = "TOP SECRET", NATO = "COSMIC TOP SECRET" }}
"""


def _sends(make: Callable[[Hostile], list[Record]]) -> Callable[[Hostile], None]:
    """Records that it may send; what matters is that nothing follows from them."""

    def run(h: Hostile) -> None:
        records = make(h)
        h.rightful |= {data for record in records for data in (record.data, *(p.data for p in record.portions))}
        h.deliver(*(h.item(record) for record in records))

    return run


def _agreed(h: Hostile) -> Row:
    """An instrument that binds target and victim."""
    want = {h.aim.core.party, h.victim_party}
    instruments = h.aim.epochs.current().instruments
    for standing in instruments.in_force(h.now):
        if want <= standing.parties and not standing.instrument.id.startswith(PAIRING_PREFIX):
            row = h.aim.core.store.records.by_digest(standing.entry.digest)
            if row is not None:
                return row
    raise NotNow("target and victim have agreed nothing")


def _drafted(h: Hostile, one: str, other: str) -> Record:
    text = _TEXT.format(id=f"pa-{h.rng.randbytes(4).hex()}", one=one, other=other)
    draft = instrument_draft(
        text, policies=h.node.core.policies, label=_open(h), node=h.name, author="mallory", at=h.now
    )
    return h.record(**_fields(draft))


def _open(h: Hostile) -> Label:
    return h.label(h.aim.core.party, h.node.core.party, h.victim_party)


def _fields(draft: Draft) -> dict[str, Any]:
    """The fields of a draft as changes to a record of its own; the portions as they are."""
    return msgspec.structs.asdict(draft)


def _signature_of_another(h: Hostile) -> list[Record]:
    """An instrument between target and victim, and a signature in the victim's name, made with its own key."""
    record = _drafted(h, h.victim_party, h.aim.core.party)
    return [record, _signature(h, record, h.victim_party, h.name), _signature(h, record, h.aim.core.party, h.name)]


def _signature(h: Hostile, record: Record, party: str, node: str) -> Record:
    draft = cosignature_draft(record, party=party, node=node, author="mallory", signer=h.signer, at=h.now)
    return h.record(**{**_fields(draft), "label": _open(h), "portions": _relabelled(h, draft.portions)})


def _relabelled(h: Hostile, portions: Sequence[DraftPortion]) -> list[DraftPortion]:
    return [msgspec.structs.replace(portion, label=_open(h)) for portion in portions]


def _unsigned(h: Hostile) -> list[Record]:
    """An instrument with the target, signed by itself alone."""
    record = _drafted(h, h.node.core.party, h.aim.core.party)
    return [record, _signature(h, record, h.node.core.party, h.name)]


def _signature_copied(h: Hostile) -> list[Record]:
    """The target's own signature under another instrument, copied under a new one."""
    agreed = _agreed(h)
    record = _drafted(h, h.node.core.party, h.aim.core.party)
    for row in rows(h.aim):
        found = row.record().portion("signature") if row.kind == "cosignature" and row.originator == h.target else None
        if found is not None and found.value["digest"] == agreed.digest.hex():
            value = {**found.value, "instrument": record.header.id, "digest": record.digest.hex()}
            own = _signature(h, record, h.node.core.party, h.name)
            other = h.record({"signature": value}, kind="cosignature", label=_open(h))
            return [record, own, other]
    raise NotNow("the target has signed nothing")


def _signature_in_another_context(h: Hostile) -> list[Record]:
    """Its own signature, made for something else than an instrument: it must not count as one."""
    record = _drafted(h, h.node.core.party, h.aim.core.party)
    party, core = h.aim.core.party, h.aim.core
    value = {
        "instrument": record.header.id,
        "digest": record.digest.hex(),
        "party": party,
        "key": core.signer.public.id,
        "signature": b64(h.signer.sign(COSIGN_CONTEXT, cosign_message(record.digest, party))),
    }
    forged = h.record({"signature": value}, kind="cosignature", label=_open(h))
    return [record, _signature(h, record, h.node.core.party, h.name), forged]


def _notice_of_another(effect: Effect, *, of_target: bool) -> Callable[[Hostile], list[Record]]:
    def make(h: Hostile) -> list[Record]:
        party = h.aim.core.party if of_target else h.victim_party
        draft = notice_draft(
            _agreed(h).record(), effect=effect, on=0, party=party, node=h.name, author="mallory", at=h.now
        )
        fields = {**_fields(draft), "label": _open(h), "portions": _relabelled(h, draft.portions)}
        return [h.record(**{**fields, "id": f"notice-{h.rng.randbytes(4).hex()}"})]

    return make


def _same_name(h: Hostile) -> list[Record]:
    """An instrument of its own under the name of one that is in force between others, signed by itself."""
    agreed = _agreed(h)
    text = _TEXT.format(id=agreed.id, one=h.node.core.party, other=h.aim.core.party)
    draft = instrument_draft(
        text, policies=h.node.core.policies, label=_open(h), node=h.name, author="mallory", at=h.now
    )
    record = h.record(**_fields(draft))
    if h.aim.core.store.records.get(agreed.id, originator=h.name) is not None:
        raise NotNow("it has done so already")
    return [record, _signature(h, record, h.node.core.party, h.name)]


def _not_an_instrument(h: Hostile) -> None:
    h.deliver(h.item(h.record({"text": "instrument = 7"}, kind="instrument", label=_open(h))))


ATTACKS = (
    Attack("instrument signed for others", "", _sends(_signature_of_another)),
    Attack("instrument that only it signed", "", _sends(_unsigned)),
    Attack("instrument with a copied signature", "", _sends(_signature_copied)),
    Attack("instrument with a signature by its own key for another", "", _sends(_signature_in_another_context)),
    Attack("instrument under the name of another", "", _sends(_same_name)),
    Attack("instrument that is none", "invalid-input", _not_an_instrument),
    Attack("termination in the victim's name", "", _sends(_notice_of_another(Effect.TERMINATE, of_target=False))),
    Attack("departure in the target's name", "", _sends(_notice_of_another(Effect.LEAVE, of_target=True))),
)
