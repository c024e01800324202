"""Attacks with a re-share: without the originator's grant, or with one that was stolen, stretched or made up."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from aldis.kernel.bundles import CONTEXT, Commitment, Grant, Item, Manifest, grant_of, read_commitment, read_manifest
from aldis.kernel.ledger import inclusion_proofs, leaf_hash, merkle_root
from aldis.kernel.records import Record, read_header, read_record
from aldis.testing.archive import Sent
from aldis.testing.hostile import Attack, Hostile, NotNow

__all__ = ["ATTACKS"]

_encode = msgspec.msgpack.Encoder().encode


def _delivers(make: Callable[[Hostile], Item]) -> Callable[[Hostile], None]:
    def run(h: Hostile) -> None:
        h.deliver(make(h))

    return run


def _held(h: Hostile) -> tuple[Record, Grant, Commitment]:
    """A record of the victim's that may go on to the target, which does not hold it yet or might not."""
    return h.granted(h.aim.core.party)


def _without(h: Hostile) -> Item:
    return h.item(_held(h)[0])


def _for_another_record(h: Hostile) -> Item:
    """The grant of one record with another that its originator granted to nobody: made up, under the same name."""
    record, grant, _ = _held(h)
    return h.item(h.record(originator=h.victim, id=record.header.id), grant=grant)


def _next_version(h: Hostile) -> Item:
    """A new version of the victim's record, with the grant of the version before."""
    record, grant, _ = _held(h)
    header = record.header
    made = h.record(originator=h.victim, id=header.id, version=header.version + 1, previous=record.digest)
    return h.item(made, grant=grant)


def _tombstone(h: Hostile) -> Item:
    """The deletion of the victim's record."""
    record, grant, _ = _held(h)
    header = record.header
    made = h.record(
        originator=h.victim, id=header.id, version=header.version + 1, previous=record.digest, portions=(), deleted=True
    )
    return h.item(made, grant=grant)


def _stolen(h: Hostile) -> Item:
    """The grant that the victim gave the target itself, used by another."""
    sent = h.captured(h.victim, h.target)
    onward = [bool(read_commitment(item.commitment).onward) for item in sent.bundle.items]
    index = onward.index(True) if True in onward else 0
    return _passed_on(h, sent, index)


def _passed_on(h: Hostile, sent: Sent, index: int) -> Item:
    """An item of a bundle as a re-share, with the grant that the bundle makes for it."""
    item = sent.bundle.items[index]
    paths = inclusion_proofs([leaf_hash(one.commitment) for one in sent.bundle.items])
    return h.item(read_record(item.record, item.portions), grant=grant_of(sent.bundle, index, paths[index]))


def _beyond(h: Hostile) -> Item:
    """A portion that the hostile node may read, and may not pass on."""
    record, grant, commitment = _held(h)
    allowed = set(commitment.onward[h.aim.core.party])
    if all(portion.digest in allowed for portion in record.portions):
        raise NotNow("it may pass on all that it has")
    return h.item(record, grant=grant)


def _no_word_of_the_target(h: Hostile) -> Item:
    """A record that may go on to nobody."""
    for sent in reversed(h.coalition.archive.bundles.values()):
        if (sent.sender, sent.receiver) != (h.victim, h.name):
            continue
        for index, item in enumerate(sent.bundle.items):
            if not read_commitment(item.commitment).onward and read_header(item.record).kind == "document":
                return _passed_on(h, sent, index)
    raise NotNow(f"{h.victim} lets all that it gave {h.name} go on")


def _stretched(h: Hostile) -> Item:
    """A real grant whose commitment was changed to let more go on."""
    record, grant, commitment = _held(h)
    wide = msgspec.structs.replace(commitment, onward={h.aim.core.party: [p.digest for p in record.portions]})
    stretched = _encode(wide)
    if stretched == grant.commitment:
        raise NotNow("it may pass on all that it has")
    return h.item(record, grant=msgspec.structs.replace(grant, commitment=stretched))


def _made_up(h: Hostile, **changes: object) -> tuple[Record, Grant]:
    """A grant in the victim's name, signed with the hostile node's own key."""
    record = h.record(originator=h.victim)
    digests = [portion.digest for portion in record.portions]
    commitment = _encode(Commitment(record.digest, digests, onward={h.aim.core.party: digests}))
    root = merkle_root([leaf_hash(commitment)]).hex()
    fields = Manifest(
        origin=h.victim, audience=h.name, epoch=1, first=1, count=1, previous="", policy_epoch="", root=root,
        algorithm="ed25519", created=h.now,
    )  # fmt: skip
    manifest = msgspec.json.encode(msgspec.structs.replace(fields, **changes))
    return record, Grant(manifest, h.signer.sign(CONTEXT, manifest), 0, [], commitment)


def _own_key(h: Hostile) -> Item:
    record, grant = _made_up(h)
    return h.item(record, grant=grant)


def _own_name(h: Hostile) -> Item:
    """A grant in its own name, for a record in the victim's."""
    record, grant = _made_up(h, origin=h.name)
    return h.item(record, grant=grant)


def _another_place(h: Hostile) -> Item:
    record, grant, _ = _held(h)
    if read_manifest(grant.manifest).count < 2:
        raise NotNow("the grant's bundle had one item")
    return h.item(record, grant=msgspec.structs.replace(grant, index=grant.index ^ 1))


def _another_path(h: Hostile) -> Item:
    record, grant, _ = _held(h)
    return h.item(record, grant=msgspec.structs.replace(grant, path=[*grant.path, bytes(32)]))


def _place_far_out(h: Hostile) -> Item:
    record, grant, _ = _held(h)
    return h.item(record, grant=msgspec.structs.replace(grant, index=-(1 << 62)))


ATTACKS = (
    Attack("re-share without a grant", "refused", _delivers(_without)),
    Attack("re-share with the grant of another record", "verification-failed", _delivers(_for_another_record)),
    Attack("re-share of a next version made up", "verification-failed", _delivers(_next_version)),
    Attack("re-share of a deletion made up", "verification-failed", _delivers(_tombstone)),
    Attack("re-share with a stolen grant", "", _delivers(_stolen)),
    Attack("re-share beyond the grant", "refused", _delivers(_beyond)),
    Attack("re-share of what may go on to nobody", "refused", _delivers(_no_word_of_the_target)),
    Attack("re-share with a stretched grant", "verification-failed", _delivers(_stretched)),
    Attack("re-share with a grant made up", "not-authentic", _delivers(_own_key)),
    Attack("re-share with a grant in its own name", "not-authentic", _delivers(_own_name)),
    Attack("re-share with a grant of another place", "verification-failed", _delivers(_another_place)),
    Attack("re-share with a grant of another path", "verification-failed", _delivers(_another_path)),
    Attack("re-share with a grant of no place", "verification-failed", _delivers(_place_far_out)),
)
