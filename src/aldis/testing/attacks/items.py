"""Attacks with one item of a bundle that is in order itself: altered, relabelled, not for the target, malformed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from aldis.kernel.admission import CLOCK_TOLERANCE
from aldis.kernel.bundles import Commitment, Item, Substitute
from aldis.kernel.encoding import sha256
from aldis.kernel.labels import Label, Releasability
from aldis.kernel.records import MAX_DEPTH, MAX_HEADER, MAX_PORTION, DraftPortion, make_portion
from aldis.testing.hostile import Attack, Hostile, NotNow

__all__ = ["ATTACKS"]

_encode = msgspec.msgpack.Encoder().encode


def _delivers(make: Callable[[Hostile], Item]) -> Callable[[Hostile], None]:
    def run(h: Hostile) -> None:
        h.deliver(make(h))

    return run


def _record(values: Callable[[Hostile], Any] | None = None, **changes: Any) -> Callable[[Hostile], None]:
    """A record with these fields, properly committed to and sealed; callables are asked for their value."""

    def run(h: Hostile) -> None:
        fields = {name: value(h) if callable(value) else value for name, value in changes.items()}
        h.deliver(h.item(h.record(values(h) if values else None, **fields)))

    return run


def _label(**changes: Any) -> Callable[[Hostile], Label]:
    def make(h: Hostile) -> Label:
        return h.label().narrowed(**changes)

    return make


# altered on the way: the header commits to each portion


def _altered(h: Hostile) -> Item:
    record = h.record()
    return h.item(record, portions=[record.portions[0].data.replace(b"a title", b"a tItle")])


def _relabelled(h: Hostile) -> Item:
    """A portion that is for the victim alone, given a label that lets the target have it."""
    secret = h.label(h.victim_party)
    record = h.record(labels={"body": secret})
    hidden = next(portion for portion in record.portions if portion.name == "body")
    wide = hidden.data.replace(f'["{h.victim_party}"]'.encode(), f'["{h.aim.core.party}"]'.encode())
    if wide == hidden.data:
        raise AssertionError("the label was not found in the portion")
    return h.item(record, portions=[wide])


def _of_another_record(h: Hostile) -> Item:
    return h.item(h.record(), portions=[portion.data for portion in h.record().portions])


def _twice(h: Hostile) -> Item:
    """The same portion two times, both committed to."""
    record = h.record({"title": "a title"})
    return h.item(record, portions=[record.portions[0].data] * 2)


def _committed_to_another_record(h: Hostile) -> Item:
    record = h.record()
    other = Commitment(h.record().digest, [portion.digest for portion in record.portions])
    return h.item(record, commitment=_encode(other))


def _more_than_committed(h: Hostile) -> Item:
    record = h.record()
    return h.item(record, portions=[p.data for p in record.portions], commitment=_none_of(record.digest))


def _less_than_committed(h: Hostile) -> Item:
    record = h.record()
    whole = _encode(Commitment(record.digest, [portion.digest for portion in record.portions]))
    return h.item(record, portions=[record.portions[0].data], commitment=whole)


def _none_of(digest: bytes) -> bytes:
    return _encode(Commitment(digest, []))


def _substitute(h: Hostile, label: Label, name: str = "body") -> Substitute:
    return Substitute(make_portion(DraftPortion(name, label, "coarse"), h.rng.randbytes(16)).data, "coarsen 1000 m")


def _other_substitute(h: Hostile) -> Item:
    record, other = h.record({"title": "a title"}), _substitute(h, h.label())
    promised = Commitment(record.digest, [p.digest for p in record.portions], [(sha256(b"another"), other.transform)])
    return h.item(record, substitutes=[other], commitment=_encode(promised))


def _other_words(h: Hostile) -> Item:
    """A transformed portion with other words for what was done to it than were signed."""
    record, other = h.record({"title": "a title"}), _substitute(h, h.label())
    promised = Commitment(record.digest, [p.digest for p in record.portions], [(sha256(other.portion), "coarsen 1 m")])
    return h.item(record, substitutes=[other], commitment=_encode(promised))


def _substitute_for_others(h: Hostile) -> Item:
    return h.item(h.record({"title": "a title"}), substitutes=[_substitute(h, h.label(h.victim_party))])


def _substitute_of_no_portion(h: Hostile) -> Item:
    return h.item(h.record({"title": "a title"}), substitutes=[_substitute(h, h.label(), "gossip")])


# against the target's history


def _second_version_one(h: Hostile) -> None:
    """Two first versions of one record, in one bundle; the first one stands."""
    first, other = (h.record(id="h-fork") for _ in range(2))
    if h.aim.core.store.records.get("h-fork", originator=h.name) is not None:
        raise NotNow("it has done so already")
    h.rightful |= {first.data, *(portion.data for portion in first.portions)}
    h.deliver(h.item(first), h.item(other))


def _version_after_nothing_held(h: Hostile) -> None:
    """A second version that names another predecessor than the one held."""
    name = f"h-chain-{h.rng.randbytes(4).hex()}"
    first = h.record(id=name)
    h.rightful |= {first.data, *(portion.data for portion in first.portions)}
    if h.deliver(h.item(first)) is None:
        raise NotNow("the target does not take an honest bundle either")
    h.deliver(h.item(h.record(id=name, version=2, previous=h.record().digest)))


# malformed


def _raw(header: bytes, portions: list[bytes] | None = None) -> Callable[[Hostile], Item]:
    def make(_: Hostile) -> Item:
        given = portions or []
        commitment = Commitment(sha256(header), [sha256(portion) for portion in given])
        return Item(_encode(commitment), header, given)

    return make


def _header_with(**changes: Any) -> Callable[[Hostile], Item]:
    """A header with other fields than there are, or other values than they take."""

    def make(h: Hostile) -> Item:
        fields = {**msgspec.json.decode(h.record().data), **changes}
        return _raw(msgspec.json.encode(fields))(h)

    return make


def _portion_of(value: bytes) -> Callable[[Hostile], Item]:
    """A record that commits to these bytes as a portion."""

    def make(h: Hostile) -> Item:
        fields = {**msgspec.json.decode(h.record().data), "portions": [sha256(value).hex()]}
        return _raw(msgspec.json.encode(fields), [value])(h)

    return make


_DEEP = b'["%b","title",{},%b]' % (b"00" * 16, b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1))
_OPEN = b'{"policy":"NATO","classification":"UNCLASSIFIED","releasable":"unmarked"}'

ATTACKS = (
    Attack("portion altered", "verification-failed", _delivers(_altered)),
    Attack("portion relabelled", "verification-failed", _delivers(_relabelled)),
    Attack("portion of another record", "verification-failed", _delivers(_of_another_record)),
    Attack("portion twice", "verification-failed", _delivers(_twice)),
    Attack("commitment to another record", "verification-failed", _delivers(_committed_to_another_record)),
    Attack("more portions than committed to", "verification-failed", _delivers(_more_than_committed)),
    Attack("fewer portions than committed to", "verification-failed", _delivers(_less_than_committed)),
    Attack("transformed portion exchanged", "verification-failed", _delivers(_other_substitute)),
    Attack("transformed portion with other words", "verification-failed", _delivers(_other_words)),
    Attack("transformed portion for others", "refused", _delivers(_substitute_for_others)),
    Attack("transformed portion of no known name", "unknown-term", _delivers(_substitute_of_no_portion)),
    Attack("unknown kind", "unknown-term", _record(kind="gossip")),
    Attack("unknown portion", "unknown-term", _record(lambda _: {"gossip": "word"})),
    Attack("value of another shape", "invalid-input", _record(lambda _: {"title": {"words": 3}})),
    Attack("unknown policy", "unknown-term", _record(label=_label(policy="ATLANTIS"))),
    Attack("unknown classification", "unknown-term", _record(label=_label(classification="VERY SECRET"))),
    Attack("unknown category", "unknown-term", _record(label=_label(categories=(("Gossip", frozenset({"A"})),)))),
    Attack("unknown party", "unknown-term", _record(label=lambda h: h.label(h.aim.core.party, "ATL"))),
    Attack("record for others", "refused", _record(label=lambda h: h.label(h.victim_party))),
    Attack("record for nobody", "refused", _record(label=_label(releasable=Releasability.to()))),
    Attack("portion for others", "refused", _record(labels=lambda h: {"body": h.label(h.victim_party)})),
    Attack("record above the ceiling", "refused", _record(label=_label(classification="TOP SECRET"))),
    Attack(
        "portion above the ceiling",
        "refused",
        _record(labels=lambda h: {"body": h.label(rung="TOP SECRET")}),
    ),
    Attack("record as the target's own", "not-authentic", _record(originator=lambda h: h.target)),
    Attack("record of the victim without a grant", "refused", _record(originator=lambda h: h.victim)),
    Attack("record of nobody", "refused", _record(originator="atlantis")),
    Attack("record from the future", "stale", _record(created=lambda h: h.now + CLOCK_TOLERANCE + 60_000)),
    Attack("second first version", "forked", _second_version_one),
    Attack("version after another", "forked", _version_after_nothing_held),
    Attack("value nested deeply", "too-large", _delivers(_portion_of(_DEEP))),
    Attack("header that is too large", "too-large", _delivers(_header_with(author="m" * MAX_HEADER))),
    Attack("portion that is too large", "too-large", _delivers(_portion_of(b"x" * (MAX_PORTION + 1)))),
    Attack("header of noise", "invalid-input", _delivers(_raw(b"\x00\xff{"))),
    Attack("header nested deeply", "invalid-input", _delivers(_raw(b"[" * 50_000))),
    Attack("header with an unknown field", "invalid-input", _delivers(_header_with(urgent=True))),
    Attack("header of version 0", "invalid-input", _delivers(_header_with(version=0))),
    Attack("header with a path as id", "invalid-input", _delivers(_header_with(id="../../etc/passwd"))),
    Attack("header with a label of noise", "invalid-input", _delivers(_header_with(label="secret", portions=[]))),
    Attack("portion of noise", "invalid-input", _delivers(_portion_of(b"\x00\xff"))),
    Attack("portion nested deeply", "invalid-input", _delivers(_portion_of(b"[" * 50_000))),
    Attack("portion of three fields", "invalid-input", _delivers(_portion_of(b'["aa","title",%b]' % _OPEN))),
    Attack("portion with a short salt", "invalid-input", _delivers(_portion_of(b'["aa","title",%b,"x"]' % _OPEN))),
    Attack("commitment of noise", "invalid-input", _delivers(lambda h: h.item(h.record(), commitment=b"\xc1\x00"))),
    Attack(
        "commitment with a short digest",
        "invalid-input",
        _delivers(lambda h: h.item(h.record(), commitment=_none_of(b"short"))),
    ),
)
