"""Instruments as records: an instrument, each party's signature over it, and notices, in the node's own kinds.

They travel like every other record, under the pairing agreement of two nodes, whose text `pairing_text` writes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Annotated, Literal, TypeVar

import msgspec

from aldis.kernel.encoding import b64, digest_from_hex, unb64
from aldis.kernel.errors import AldisError, InvalidInput, NotAuthentic
from aldis.kernel.instruments import (
    COSIGN_CONTEXT,
    PAIRING_PREFIX,
    Effect,
    Entry,
    Instruments,
    Notice,
    cosign_message,
    known_instrument,
    parse_instrument,
)
from aldis.kernel.labels import Label
from aldis.kernel.policies import Policies
from aldis.kernel.records import Draft, DraftPortion, Kind, Portion, Record
from aldis.kernel.signatures import Key, Signer
from aldis.node.recall_records import ANSWER, RECALL

__all__ = [
    "COSIGNATURE",
    "INSTRUMENT",
    "KINDS",
    "NOTICE",
    "PAIRING_PREFIX",
    "cosignature_draft",
    "gather",
    "instrument_draft",
    "instrument_text",
    "notice_draft",
    "notices_among",
    "pairing_text",
]

INSTRUMENT = "instrument"
COSIGNATURE = "cosignature"
NOTICE = "notice"

_T = TypeVar("_T")
_Digest = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}\\Z")]
_Party = Annotated[str, msgspec.Meta(pattern="^[A-Z][A-Z0-9]{1,11}\\Z")]


class _Signature(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One party's signature over an instrument's record digest."""

    instrument: str
    digest: _Digest
    party: _Party
    key: str
    signature: str


class _Notice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A party's notice about an instrument, up to and including a version; `on` in ms since 1970 UTC."""

    instrument: str
    party: _Party
    effect: Literal["terminate", "leave"]
    on: int
    version: int


def _parses(portion: Portion) -> None:
    parse_instrument(portion.value)


KINDS = (
    Kind(INSTRUMENT, {"text": str}, text=("text",), title="text", rule=_parses),
    Kind(COSIGNATURE, {"signature": _Signature}),
    Kind(NOTICE, {"notice": _Notice}),
)


def instrument_text(record: Record) -> str:
    """The TOML of an instrument record.

    Raises:
        InvalidInput: its text is not held here.
    """
    portion = record.portion("text")
    if portion is None:
        raise InvalidInput(
            f"the text of instrument {record.header.id!r} is not held here", fix="Ask its drafter for it"
        )
    return str(portion.value)


def instrument_draft(text: str, *, policies: Policies, label: Label, node: str, author: str, at: int) -> Draft:
    """The draft of a record for an instrument that people wrote as TOML.

    Raises:
        InvalidInput, UnknownTerm: the text breaks the schema of instruments.
    """
    instrument = parse_instrument(text, policies)
    return Draft(
        kind=INSTRUMENT,
        id=instrument.id,
        originator=node,
        author=author,
        created=at,
        label=label,
        portions=[DraftPortion("text", label, text)],
    )


def cosignature_draft(record: Record, *, party: str, node: str, author: str, signer: Signer, at: int) -> Draft:
    """The draft of this party's signature over an instrument record, under the instrument's own label."""
    value = _Signature(
        instrument=record.header.id,
        digest=record.digest.hex(),
        party=party,
        key=signer.public.id,
        signature=b64(signer.sign(COSIGN_CONTEXT, cosign_message(record.digest, party))),
    )
    return Draft(
        kind=COSIGNATURE,
        id=f"sig-{record.digest.hex()[:24]}-{node}-{signer.public.id[:8]}",
        originator=node,
        author=author,
        created=at,
        label=record.label,
        portions=[DraftPortion("signature", record.label, msgspec.to_builtins(value))],
        sources=[record.digest],
    )


def notice_draft(record: Record, *, effect: Effect, on: int, party: str, node: str, author: str, at: int) -> Draft:
    """The draft of this party's notice about an instrument record, under the instrument's own label."""
    value = _Notice(record.header.id, party, effect.value, on, record.header.version)
    return Draft(
        kind=NOTICE,
        id=f"notice-{record.digest.hex()[:24]}-{node}-{effect.value}",
        originator=node,
        author=author,
        created=at,
        label=record.label,
        portions=[DraftPortion("notice", record.label, msgspec.to_builtins(value))],
        sources=[record.digest],
    )


def gather(records: Iterable[Record], signers: Mapping[str, tuple[str, Key | None]]) -> Instruments:
    """The instruments that these records make up, newest arrival first; `signers` maps each known node to its party
    and pinned key, to no key where its signatures count for nothing here.

    A signature or notice counts only if the node that wrote its record belongs to the party it speaks for, and a
    signature only if that node's key verifies it. An id belongs to the party to it whose draft was here first:
    another's draft of the same id counts for nothing.
    """
    held = list(records)
    signed: dict[bytes, set[str]] = {}
    notices: list[Notice] = []
    for record in held:
        party, key = signers.get(record.header.originator, ("", None))
        if record.header.kind == COSIGNATURE and key is not None:
            digest = _signed_by(record, party, key)
            if digest:
                signed.setdefault(digest, set()).add(party)
        elif record.header.kind == NOTICE:
            notices += [notice for notice in notices_among([record]) if notice.party == party]
    entries: list[tuple[str, Entry]] = []
    owners: dict[str, str] = {}
    for record in held:
        if record.header.kind != INSTRUMENT or record.portion("text") is None:
            continue
        instrument = known_instrument(instrument_text(record))
        drafter = record.header.originator
        if signers.get(drafter, ("", None))[0] in instrument.parties and instrument.id == record.header.id:
            signatures = frozenset(signed.get(record.digest, ())) & instrument.parties
            entries.append((drafter, Entry(instrument, record.digest, record.header.version, signatures)))
            owners[instrument.id] = drafter
    kept = tuple(entry for drafter, entry in entries if owners[entry.instrument.id] == drafter)
    return Instruments(kept, tuple(notices))


def notices_among(records: Iterable[Record]) -> list[Notice]:
    """The notices that records state, whoever wrote them."""
    values = [_value(record, "notice", _Notice) for record in records if record.header.kind == NOTICE]
    return [Notice(one.instrument, one.party, Effect(one.effect), one.on, one.version) for one in values if one]


def _signed_by(record: Record, party: str, key: Key) -> bytes:
    """The digest that this cosignature record verifiably signs for `party`, or nothing."""
    value = _value(record, "signature", _Signature)
    if value is None or value.party != party:
        return b""
    digest = digest_from_hex(value.digest)
    return digest if _verifies(key, digest, party, value.signature) else b""


_KNOWN = 8192
"""Texts and signatures remembered, so that a change of policy does not read and verify all of them again."""


@lru_cache(_KNOWN)
def _verifies(key: Key, digest: bytes, party: str, signature: str) -> bool:
    try:
        key.verify(COSIGN_CONTEXT, cosign_message(digest, party), unb64(signature))
    except (NotAuthentic, InvalidInput):
        return False
    return True


def _value(record: Record, name: str, value_type: type[_T]) -> _T | None:
    portion = record.portion(name)
    try:
        return msgspec.json.decode(portion.raw_value, type=value_type) if portion else None
    except (msgspec.MsgspecError, AldisError):
        return None


def pairing_text(name: str, parties: tuple[str, str], *, at: int, ceilings: Mapping[str, str]) -> str:
    """The agreement two nodes make when they pair: it lets instruments, signatures, notices and recalls pass."""
    start = datetime.fromtimestamp(at / 1000, UTC).date() - timedelta(days=1)
    end = date(start.year + 20, 12, 31)
    one, other = sorted(parties)
    ceiling = ", ".join(f'{policy} = "{rung}"' for policy, rung in sorted(ceilings.items()))
    return f"""\
instrument = "agreement"
id = "{name}"
title = "Pairing of {one} and {other}"
parties = ["{one}", "{other}"]
from = {start}
until = {end}

[[clause]]
id = "1"
kinds = ["{INSTRUMENT}", "{COSIGNATURE}", "{NOTICE}", "{RECALL}", "{ANSWER}"]
projects = [""]
purposes = ["administration"]
ceiling = {{ {ceiling} }}
"""
