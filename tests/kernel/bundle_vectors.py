"""Makes the vectors of bundles, grants and admission; see `protocol_vectors`."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import msgspec
from sealing import (
    AT,
    AUS,
    BOTH,
    ONLY_GBR,
    START,
    after,
    document,
    item,
    raw,
    rel_to,
    sealed,
    signer,
    track,
)
from vector_parts import DOC, SECOND, Vectors, fails, key, passes, small

from aldis.kernel.admission import CLOCK_TOLERANCE
from aldis.kernel.bundles import CONTEXT, Commitment, Grant, Item, Stream, grant_of, open_bundle, read_commitment
from aldis.kernel.encoding import sha256
from aldis.kernel.frames import CONTEXT as FRAME
from aldis.kernel.ledger import inclusion_proofs, leaf_hash
from aldis.kernel.records import DraftPortion
from aldis.kernel.signatures import Algorithm, Key

# bundles and grants


def bundles() -> Vectors:
    ones = [item(DOC), item(small("doc-2", seed=2)), item(track())]
    data, digest = sealed(ones)
    form, manifest, signature, items = msgspec.msgpack.decode(data)

    def asked(wrong: bytes = data, of: Key = AUS.public) -> dict[str, Any]:
        return {"do": "open-bundle", **key(of), "bundle": wrong.hex()}

    def packed(*parts: Any) -> dict[str, Any]:
        return asked(msgspec.msgpack.encode(parts))

    def stated(**changes: Any) -> dict[str, Any]:
        text = json.dumps({**json.loads(manifest), **changes}).encode()
        return packed(form, text, AUS.sign(CONTEXT, text), items)

    held = [read_commitment(one.commitment).record.hex() for one in ones]
    ok = {"digest": digest.hex(), "origin": "aus", "audience": "gbr", "epoch": 1, "first": 1, "records": held}
    foreign = AUS.sign(FRAME, manifest)
    return [
        passes("a bundle of three", asked(), **ok),
        fails("cut short", "invalid-input", asked(data[:-1])),
        fails("lengthened", "invalid-input", asked(data + b"\x00")),
        fails("another format", "invalid-input", packed("aldis-bundle/2", manifest, signature, items)),
        fails("another key", "not-authentic", asked(of=signer("gbr").public)),
        fails("another algorithm pinned", "not-authentic", asked(of=signer("aus", Algorithm.P384).public)),
        fails("another algorithm named", "not-authentic", stated(algorithm="none")),
        fails("signed in another context", "not-authentic", packed(form, manifest, foreign, items)),
        fails("addressed anew", "not-authentic", packed(form, manifest.replace(b'"gbr"', b'"usa"'), signature, items)),
        fails("an item dropped", "verification-failed", packed(form, manifest, signature, items[:-1])),
        fails("an item twice", "verification-failed", packed(form, manifest, signature, [*items, items[0]])),
        fails("items reordered", "verification-failed", packed(form, manifest, signature, items[::-1])),
        fails("an unknown member", "invalid-input", stated(urgent=True)),
        fails("no items", "invalid-input", stated(count=0)),
        fails("too many items", "invalid-input", stated(count=8193)),
        fails("before the first item", "invalid-input", stated(first=0)),
        fails("beyond 2^53", "invalid-input", stated(epoch=2**53)),
        *grants(data),
    ]


def the_grant(data: bytes, index: int) -> tuple[Grant, Commitment]:
    """The grant for an item of a bundle, and its commitment, read."""
    bundle = open_bundle(data, AUS.public)
    path = inclusion_proofs([leaf_hash(one.commitment) for one in bundle.items])[index]
    return grant_of(bundle, index, path), read_commitment(bundle.items[index].commitment)


def grants(data: bytes) -> Vectors:
    pack = msgspec.msgpack.encode
    grant, given = the_grant(data, 0)
    carried = Commitment(given.record, given.onward["USA"])
    moved, spot = the_grant(data, 2)
    [(stand_in, words)] = spot.substitutes
    coarse = Commitment(spot.record, spot.portions, [(stand_in, words)])

    def asked(one: Grant = grant, what: Commitment = carried, party: str = "USA") -> dict[str, Any]:
        return {
            "do": "verify-grant",
            **key(AUS.public),
            "grant": pack(one).hex(),
            "party": party,
            "carried": pack(what).hex(),
        }

    change = msgspec.structs.replace
    wide = pack(Commitment(given.record, given.portions, [], {"USA": given.portions}))
    return [
        passes("a grant, whole", asked(), origin="aus", audience="gbr"),
        passes("a grant, used for the header alone", asked(what=Commitment(given.record, [])), origin="aus"),
        passes("a grant of a transformed portion", asked(moved, coarse), origin="aus"),
        fails("a party not named", "refused", asked(party="CAN")),
        fails("a portion not granted", "refused", asked(what=Commitment(given.record, given.portions))),
        fails("another record", "verification-failed", asked(what=Commitment(sha256(b"other"), []))),
        fails("another place", "verification-failed", asked(change(grant, index=1))),
        fails("no path", "verification-failed", asked(change(grant, path=[]))),
        fails("a wider commitment", "verification-failed", asked(change(grant, commitment=wide))),
        fails("nobody's signature", "not-authentic", asked(change(grant, signature=bytes(64)))),
        fails(
            "other words for the transform", "verification-failed",
            asked(moved, change(coarse, substitutes=[(stand_in, "coarsen 1 m")])),
        ),
        fails("a finer substitute", "refused", asked(moved, change(coarse, substitutes=[(sha256(b"finer"), words)]))),
    ]  # fmt: skip


# admission


def partner(name: str, **changes: Any) -> dict[str, Any]:
    cursor = {"epoch": 0, "seq": 0, "digest": ""}
    party = {"aus": "AUS", "gbr": "GBR", "usa": "USA"}[name]
    known = {"node": name, "party": party, **key(signer(name).public), "active": True, "cursor": cursor}
    return {**known, "distrust_after": None, **changes}


def asked_of(node: str, data: bytes, *peers: dict[str, Any], **changes: Any) -> dict[str, Any]:
    party, ceiling = {"gbr": ("GBR", {"UK": "SECRET"}), "usa": ("USA", {"US": "SECRET"})}[node]
    kinds = {"document": {"title": "text", "annex": "text"}, "track": {"position": "numbers", "identity": "text"}}
    others = [one for one in ("aus", "gbr", "usa") if one != node]
    sender = "aus" if node == "gbr" else "gbr"
    fixed = {"do": "admit", "node": node, "party": party, "ceiling": ceiling, "kinds": kinds, "held": []}
    known = {one: partner(one) for one in others} | {one["node"]: one for one in peers}
    return {**fixed, "peers": list(known.values()), "bundle": data.hex(), "sender": sender, "at": AT, **changes}


def admission() -> Vectors:
    data, digest = sealed([item(DOC)])
    cursor = {"epoch": 1, "seq": 1, "digest": digest.hex()}
    ok = {"admitted": [DOC.digest.hex()], "refused": [], "cursor": cursor}
    there = partner("aus", cursor=cursor)
    second = after(START, digest)
    anew = replace(START, epoch=2)
    parts = [portion.data for portion in DOC.portions]

    def of(stream: Stream, *peers: dict[str, Any], **changes: Any) -> dict[str, Any]:
        return asked_of("gbr", sealed([item(DOC)], stream)[0], *peers, **changes)

    def altered(**changes: Any) -> dict[str, Any]:
        return asked_of("gbr", sealed([raw(DOC, **changes)])[0])

    return [
        passes("a bundle, from its sender", asked_of("gbr", data), **ok),
        passes("a bundle, from a file", asked_of("gbr", data, sender=None), **ok),
        fails("1 an unknown origin", "not-authentic", asked_of("gbr", data, peers=[])),
        fails("1 a suspended origin", "not-authentic", asked_of("gbr", data, partner("aus", active=False))),
        fails("1 another sender", "not-authentic", asked_of("gbr", data, sender="usa")),
        fails("2 another audience", "not-authentic", of(replace(START, audience="gbr-high"))),
        fails("3 another key", "not-authentic", asked_of("gbr", sealed([item(DOC)], name="usa")[0])),
        fails(
            "3 another algorithm pinned", "not-authentic",
            asked_of("gbr", data, partner("aus", **key(signer("aus", Algorithm.P384).public))),
        ),
        fails("4 a portion stripped", "verification-failed", altered(portions=parts[:1])),
        fails("4 a portion added", "verification-failed", altered(names="title", portions=parts)),
        fails("4 portions reordered", "verification-failed", altered(portions=parts[::-1])),
        fails("4 a header exchanged", "verification-failed", altered(record=SECOND.data)),
        fails("5 the same again", "stale", asked_of("gbr", data, there)),
        fails("5 a gap", "stale", of(replace(second, first=3), there)),
        fails("5 another at the same place", "forked", asked_of("gbr", sealed([raw(SECOND)])[0], there)),
        fails("5 after another", "forked", of(replace(second, previous=sha256(b"x")), there)),
        fails("5 an abandoned epoch", "stale", of(second, partner("aus", cursor={**cursor, "epoch": 2}))),
        fails("5 a new epoch without its first", "stale", of(replace(anew, first=2), there)),
        passes("5 a new epoch", of(anew, there), admitted=[DOC.digest.hex()], refused=[]),
        fails("5 after its key was distrusted", "not-authentic", of(second, {**there, "distrust_after": 1})),
        passes("5 before its key was distrusted", of(second, {**there, "distrust_after": 2}), refused=[]),
        fails("5 a new epoch of a distrusted key", "not-authentic", of(anew, {**there, "distrust_after": 1})),
        fails("6 a clock ahead", "stale", asked_of("gbr", data, at=AT - CLOCK_TOLERANCE - 1)),
        passes("6 a clock as far ahead as may be", asked_of("gbr", data, at=AT - CLOCK_TOLERANCE), **ok),
        *admission_of_items(),
    ]  # fmt: skip


def admission_of_items() -> Vectors:
    def aside(why: str, code: str, one: Item, **changes: Any) -> dict[str, Any]:
        good = raw(small("doc-9", seed=9))
        request = asked_of("gbr", sealed([one, good])[0], **changes)
        return passes(why, request, admitted=[sha256(good.record).hex()], refused=[[0, code]])

    def labelled(label: Any) -> Item:
        return raw(document(label=ONLY_GBR, portions=[DraftPortion("title", label, "x")]))

    other = small("doc-2", seed=5)
    foreign = Commitment(DOC.digest, [other.portions[0].digest])
    noise = Commitment(sha256(b"noise"), [])
    held = {"originator": "aus", "id": "doc-1", "version": 1, "digest": "ab" * 32, "previous": ""}
    ours = small(originator="gbr", label=rel_to("GBR", policy="UK"))
    return [
        aside("7 a portion of another record, signed for", "verification-failed",
              raw(DOC, commitment=foreign, portions=[other.portions[0].data])),
        aside("7 a header of noise, signed for", "invalid-input",
              raw(DOC, commitment=noise, record=b"noise", portions=[])),
        aside("7 a commitment of noise", "invalid-input", _noise()),
        aside("8 an unknown kind", "unknown-term", raw(small(kind="drawing"))),
        aside("8 an unknown portion", "unknown-term", raw(document(portions=[DraftPortion("body", BOTH, "x")]))),
        aside("8 a value of another type", "invalid-input", raw(document(portions=[DraftPortion("title", BOTH, 5)]))),
        aside("9 this node's own", "not-authentic", raw(ours)),
        aside("9 another's, without a grant", "refused", raw(small(originator="usa"))),
        aside("10 created in the future", "stale", raw(small(created=AT + CLOCK_TOLERANCE + 1))),
        aside("10 an unknown policy", "unknown-term", labelled(rel_to("GBR", policy="XXX"))),
        aside("10 an unknown classification", "unknown-term", labelled(rel_to("GBR", classification="HUSH"))),
        aside("10 another party's", "refused", labelled(rel_to("USA"))),
        aside("10 nobody's", "refused", labelled(rel_to())),
        aside("10 above the ceiling", "refused", labelled(rel_to("GBR", classification="TOP SECRET"))),
        aside("11 another first version is held", "forked", raw(DOC), held=[held]),
        aside("11 it follows another than the one held", "forked", raw(SECOND), held=[held]),
        passes(
            "11 both versions in one bundle", asked_of("gbr", sealed([raw(DOC), raw(SECOND)])[0]),
            admitted=[DOC.digest.hex(), SECOND.digest.hex()], refused=[],
        ),
        *re_shares(),
    ]  # fmt: skip


def _noise() -> Item:
    return msgspec.structs.replace(raw(DOC), commitment=b"\xc1")


def re_shares() -> Vectors:
    grant, _ = the_grant(sealed([item(DOC)])[0], 0)
    stream = Stream("gbr", "usa", 1, 1, b"")
    wide = Commitment(DOC.digest, [p.digest for p in DOC.portions], onward={"USA": [p.digest for p in DOC.portions]})
    to_can, _ = the_grant(sealed([raw(DOC, commitment=wide)], replace(START, audience="can"))[0], 0)

    def at_usa(why: str, code: str, names: str, given: Grant | None, *peers: dict[str, Any]) -> dict[str, Any]:
        request = asked_of("usa", sealed([raw(DOC, names, grant=given)], stream)[0], *peers)
        admitted, refused = ([], [[0, code]]) if code else ([DOC.digest.hex()], [])
        return passes(f"9 {why}", request, admitted=admitted, refused=refused)

    return [
        at_usa("a re-share with its grant", "", "title", grant),
        at_usa("a re-share without", "refused", "title", None),
        at_usa("a re-share of more than was granted", "refused", "title annex", grant),
        at_usa("a grant that was given to another", "not-authentic", "title", to_can),
        at_usa("a grant of a suspended originator", "not-authentic", "title", grant, partner("aus", active=False)),
        at_usa("a grant of a distrusted key", "not-authentic", "title", grant, partner("aus", distrust_after=9)),
    ]
