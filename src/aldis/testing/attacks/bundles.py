"""Attacks with a whole bundle: forged, re-addressed, replayed, out of order, altered, malformed."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from aldis.kernel.admission import CLOCK_TOLERANCE
from aldis.kernel.bundles import BUNDLE_LIMIT, CONTEXT, FORMAT, ITEM_LIMIT
from aldis.kernel.signatures import Algorithm
from aldis.node.keys import generate, load
from aldis.testing.hostile import Attack, Hostile, NotNow

__all__ = ["ATTACKS"]

_encode = msgspec.msgpack.Encoder().encode
_DEEP = 20_000


def _signed_by_a_stranger(h: Hostile) -> None:
    stranger = load(Algorithm.ED25519, generate(Algorithm.ED25519))
    h.call("deliver", h.bundle([h.item(h.record())], signer=stranger))


def _signature_left_out(h: Hostile) -> None:
    items = [h.item(h.record())]
    h.call("deliver", _encode((FORMAT, msgspec.json.encode(h.manifest(items)), b"", items)))


def _signed_as_another_thing(h: Hostile) -> None:
    h.call("deliver", h.bundle([h.item(h.record())], context=b"aldis/frame/1"))


def _another_algorithm(h: Hostile) -> None:
    h.call("deliver", h.bundle([h.item(h.record())], algorithm=Algorithm.P384.value))


def _in_the_name_of_another(h: Hostile) -> None:
    record = h.record(originator=h.victim)
    h.call("deliver", h.bundle([h.item(record)], origin=h.victim))


def _in_the_name_of_another_by_file(h: Hostile) -> None:
    cursor = h.aim.inbound.cursor(h.victim)
    items = [h.item(h.record(originator=h.victim))]
    epoch, first, previous = cursor.epoch or 1, cursor.seq + 1, cursor.digest
    h.hand_in(h.bundle(items, origin=h.victim, epoch=epoch, first=first, previous=previous))


def _in_the_name_of_nobody(h: Hostile) -> None:
    h.hand_in(h.bundle([h.item(h.record())], origin="atlantis"))


def _delivered_for_another(h: Hostile) -> None:
    h.call("deliver", h.captured(h.victim, h.target).data)


def _replayed_by_file(h: Hostile) -> None:
    sent, cursor = h.captured(h.victim, h.target), h.aim.inbound.cursor(h.victim)
    if (sent.bundle.manifest.epoch, sent.bundle.manifest.last) > (cursor.epoch, cursor.seq):
        raise NotNow("the target has yet to get it")
    h.hand_in(sent.data)


def _readdressed_by_file(h: Hostile) -> None:
    h.hand_in(h.captured(h.victim, h.name).data)


def _readdressed_to_the_target(h: Hostile) -> None:
    """The victim's bundle for the hostile node, with only the audience changed; the signature is the old one."""
    manifest, signature, items = msgspec.msgpack.decode(h.captured(h.victim, h.name).data)[1:]
    changed = msgspec.json.encode({**msgspec.json.decode(manifest), "audience": h.target})
    h.hand_in(_encode((FORMAT, changed, signature, items)))


def _for_somebody_else(h: Hostile) -> None:
    h.call("deliver", h.bundle([h.item(h.record())], audience=h.victim))


def _replayed(h: Hostile) -> None:
    record = h.record()
    bundle = h.bundle([h.item(record)])
    h.rightful |= {record.data, *(portion.data for portion in record.portions)}
    if h.call("deliver", bundle) is None:
        raise NotNow("the target does not take an honest bundle either")
    h.refused.clear()
    h.call("deliver", bundle)


def _two_histories(h: Hostile) -> None:
    """Two bundles for one place in the stream."""
    first, other = h.record(), h.record()
    h.rightful |= {first.data, *(portion.data for portion in first.portions)}
    bundles = [h.bundle([h.item(record)]) for record in (first, other)]
    if h.call("deliver", bundles[0]) is None:
        raise NotNow("the target does not take an honest bundle either")
    h.refused.clear()
    h.call("deliver", bundles[1])


def _out_of_order(h: Hostile) -> None:
    h.call("deliver", h.bundle([h.item(h.record())], first=h.cursor.seq + 7))


def _after_another_bundle(h: Hostile) -> None:
    h.call("deliver", h.bundle([h.item(h.record())], previous="ab" * 32))


def _from_an_abandoned_epoch(h: Hostile) -> None:
    if h.cursor.epoch < 2:
        raise NotNow("its stream has had one epoch only")
    h.call("deliver", h.bundle([h.item(h.record())], epoch=h.cursor.epoch - 1))


def _in_the_middle_of_a_new_epoch(h: Hostile) -> None:
    h.call("deliver", h.bundle([h.item(h.record())], epoch=h.cursor.epoch + 1, first=3))


def _beginning_after_something(h: Hostile) -> None:
    h.call("deliver", h.bundle([h.item(h.record())], epoch=h.cursor.epoch + 1, first=1, previous="ab" * 32))


def _from_the_future(h: Hostile) -> None:
    h.call("deliver", h.bundle([h.item(h.record())], created=h.now + CLOCK_TOLERANCE + 1))


def _item_left_out(h: Hostile) -> None:
    items = [h.item(h.record()), h.item(h.record())]
    data = msgspec.json.encode(h.manifest(items))
    h.call("deliver", _encode((FORMAT, data, h.signer.sign(CONTEXT, data), items[:1])))


def _item_added(h: Hostile) -> None:
    items = [h.item(h.record()), h.item(h.record())]
    data = msgspec.json.encode(h.manifest(items[:1]))
    h.call("deliver", _encode((FORMAT, data, h.signer.sign(CONTEXT, data), items)))


def _items_swapped(h: Hostile) -> None:
    items = [h.item(h.record()), h.item(h.record())]
    data = msgspec.json.encode(h.manifest(items))
    h.call("deliver", _encode((FORMAT, data, h.signer.sign(CONTEXT, data), items[::-1])))


def _item_exchanged(h: Hostile) -> None:
    items, other = [h.item(h.record())], h.item(h.record())
    data = msgspec.json.encode(h.manifest(items))
    h.call("deliver", _encode((FORMAT, data, h.signer.sign(CONTEXT, data), [other])))


def _malformed(change: Callable[[Hostile, bytes], bytes]) -> Callable[[Hostile], None]:
    def run(h: Hostile) -> None:
        h.call("deliver", change(h, h.bundle([h.item(h.record())])))

    return run


def _field(**changes: object) -> Callable[[Hostile], None]:
    """A manifest, properly signed, with other fields than there are or other values than they take."""

    def run(h: Hostile) -> None:
        items = [h.item(h.record())]
        fields = {**msgspec.to_builtins(h.manifest(items)), **changes}
        h.call("deliver", h.bundle(items, manifest=msgspec.json.encode(fields)))

    return run


def _flipped(h: Hostile, data: bytes) -> bytes:
    """One bit of the signed part, which lies in the first half, is another."""
    changed = bytearray(data)
    changed[h.rng.randrange(20, 200)] ^= 1 << h.rng.randrange(8)
    return bytes(changed)


ATTACKS = (
    Attack("bundle signed by a stranger", "not-authentic", _signed_by_a_stranger),
    Attack("bundle without a signature", "not-authentic", _signature_left_out),
    Attack("bundle signed as another thing", "not-authentic", _signed_as_another_thing),
    Attack("bundle of another algorithm than pinned", "not-authentic", _another_algorithm),
    Attack("bundle in the name of another", "not-authentic", _in_the_name_of_another),
    Attack("bundle file in the name of another", "not-authentic", _in_the_name_of_another_by_file),
    Attack("bundle file in the name of nobody", "not-authentic", _in_the_name_of_nobody),
    Attack("bundle of another delivered as its own", "not-authentic", _delivered_for_another),
    Attack("bundle of another replayed by file", "stale", _replayed_by_file),
    Attack("bundle for itself handed to another", "not-authentic", _readdressed_by_file),
    Attack("bundle for itself with another audience", "not-authentic", _readdressed_to_the_target),
    Attack("bundle for somebody else", "not-authentic", _for_somebody_else),
    Attack("bundle replayed", "stale", _replayed),
    Attack("bundle of a second history", "forked", _two_histories),
    Attack("bundle out of order", "stale", _out_of_order),
    Attack("bundle after another than the last", "forked", _after_another_bundle),
    Attack("bundle of an abandoned epoch", "stale", _from_an_abandoned_epoch),
    Attack("bundle amid a new epoch", "stale", _in_the_middle_of_a_new_epoch),
    Attack("bundle that begins an epoch after something", "stale", _beginning_after_something),
    Attack("bundle from the future", "stale", _from_the_future),
    Attack("bundle with an item left out", "verification-failed", _item_left_out),
    Attack("bundle with an item added", "verification-failed", _item_added),
    Attack("bundle with items swapped", "verification-failed", _items_swapped),
    Attack("bundle with another item", "verification-failed", _item_exchanged),
    Attack("bundle cut short", "invalid-input", _malformed(lambda h, d: d[: h.rng.randrange(len(d))])),
    Attack("bundle with a flipped bit", "", _malformed(_flipped)),
    Attack("bundle with something after it", "invalid-input", _malformed(lambda _, d: d + b"\x00")),
    Attack("bundle of noise", "invalid-input", _malformed(lambda h, _: h.rng.randbytes(500))),
    Attack("bundle nested deeply", "invalid-input", _malformed(lambda _h, _d: b"\x91" * _DEEP)),
    Attack("bundle of nothing", "invalid-input", _malformed(lambda _h, _d: b"")),
    Attack("bundle that is too large", "too-large", _malformed(lambda _, d: d + bytes(BUNDLE_LIMIT))),
    Attack("manifest with an unknown field", "invalid-input", _field(urgent=True)),
    Attack("manifest without items", "invalid-input", _field(count=0)),
    Attack("manifest with too many items", "invalid-input", _field(count=ITEM_LIMIT + 1)),
    Attack("manifest of epoch 0", "invalid-input", _field(epoch=0)),
    Attack("manifest from item 0", "invalid-input", _field(first=0)),
    Attack("manifest with a number as origin", "invalid-input", _field(origin=7)),
)
