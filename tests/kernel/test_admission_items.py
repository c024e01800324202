"""Admission of what is passed on, labelled, versioned or judged again: steps 9 to 11 and quarantine."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from sealing import (
    AT,
    AUS,
    BOTH,
    ONLY_GBR,
    admit,
    damaged,
    document,
    item,
    nothing_held,
    peers,
    raw,
    rel_to,
    salts,
    sealed,
    signer,
    why_not,
)

from aldis.kernel.admission import CLOCK_TOLERANCE, Admitted, Peer, Peers, set_aside
from aldis.kernel.bundles import Commitment, Item, Stream, Substitute, grant_of, open_bundle
from aldis.kernel.errors import (
    AldisError,
    Forked,
    InvalidInput,
    NotAuthentic,
    RefusedByPolicy,
    Stale,
    UnknownTerm,
    VerificationFailed,
)
from aldis.kernel.labels import REFUSED, Label, Releasability
from aldis.kernel.ledger import inclusion_proofs, leaf_hash
from aldis.kernel.messages import Cursor
from aldis.kernel.records import Draft, DraftPortion, Record, make_record, next_version

DOC = document()
GOOD = item(DOC)
DATA, _ = sealed([GOOD])
PEER = Peer("aus", "AUS", AUS.public)
TO_USA = Stream("gbr", "usa", 1, 1, b"")


def passed_on(record: Record = DOC, names: str = "title body", **changes: Any) -> Item:
    """What GBR passes on to USA: some of a record of AUS's, with the grant that AUS gave GBR."""
    bundle = open_bundle(sealed([item(document("doc-0")), item(record)])[0], AUS.public)
    path = inclusion_proofs([leaf_hash(one.commitment) for one in bundle.items])[1]
    return raw(record, names, **{"grant": grant_of(bundle, 1, path), **changes})


def at_usa(one: Item, **known: Peer) -> list[AldisError]:
    """Why USA sets aside what GBR passed on."""
    data, _ = sealed([one], TO_USA)
    return [refused.error for refused in admit(data, peers("usa", **known), sender="gbr").refused]


def test_step_09_a_re_share_comes_with_its_originators_grant() -> None:
    assert not at_usa(passed_on())
    assert not at_usa(passed_on(names="title"))
    [error] = at_usa(passed_on(grant=None))
    assert isinstance(error, RefusedByPolicy)
    assert "without its grant" in str(error)


def test_step_09_a_grant_for_less_for_others_or_by_others_does_not_do() -> None:
    foreign = passed_on(document("doc-7", seed=7)).grant
    assert foreign is not None
    theirs = Stream("aus", "usa", 1, 1, b"")
    to_usa = open_bundle(sealed([item(DOC, "usa")], theirs)[0], AUS.public)
    wide = Commitment(DOC.digest, [p.digest for p in DOC.portions], onward={"USA": [p.digest for p in DOC.portions]})
    to_can = open_bundle(sealed([raw(DOC, commitment=wide)], replace(theirs, audience="can"))[0], AUS.public)
    for one in (
        passed_on(names="title body annex"),
        passed_on(grant=grant_of(to_can, 0, [])),
        passed_on(grant=foreign),
        passed_on(grant=msgspec.structs.replace(foreign, signature=bytes(64))),
        passed_on(grant=grant_of(to_usa, 0, [])),
    ):
        [error] = at_usa(one)
        assert isinstance(error, RefusedByPolicy | VerificationFailed)


def test_step_09_a_grant_of_a_stranger_a_suspended_or_a_distrusted_originator_does_not_do() -> None:
    unknown = replace(peers("usa"), peers={"gbr": peers("usa").peers["gbr"]})
    data, _ = sealed([passed_on()], TO_USA)
    for at_node in (
        unknown,
        peers("usa", aus=replace(PEER, active=False)),
        peers("usa", aus=replace(PEER, distrust_after=1000)),
    ):
        [refused] = admit(data, at_node, sender="gbr").refused
        assert isinstance(refused.error, NotAuthentic)


def test_step_09_nobody_sends_this_node_a_record_of_its_own() -> None:
    own = document("doc-3", originator="gbr", label=rel_to("GBR", policy="UK"))
    [error] = why_not(raw(own))
    assert "claims to be this node's own" in str(error)


@pytest.mark.parametrize(
    ("label", "said"),
    [
        (Label("XXX", "SECRET", Releasability.to("GBR")), "XXX"),
        (rel_to("GBR", classification="HUSH"), "HUSH"),
        (rel_to("GBR").narrowed(categories=(("Gossip", frozenset({"A"})),)), "Gossip"),
        (rel_to("GBR", "ATL"), "ATL"),
        (rel_to("GBR", classification="TOP SECRET"), "ceiling"),
        (rel_to("USA"), "does not let GBR have it"),
        (rel_to(), "does not let GBR have it"),
        (Label("AUS", "SECRET", REFUSED), "does not let GBR have it"),
        (Label("US", "SECRET", Releasability.to("USA", display=["GBR"])), "does not let GBR have it"),
    ],
    ids=[
        "policy",
        "classification",
        "category",
        "party",
        "ceiling",
        "other party",
        "nobody",
        "refused",
        "display only",
    ],
)
def test_step_10_every_label_lets_this_party_have_it_up_to_its_ceiling(label: Label, said: str) -> None:
    spill = [DraftPortion("title", ONLY_GBR, "fine"), DraftPortion("body", label, "a spill")]
    headed = [DraftPortion("title", ONLY_GBR, "fine")]
    for record in (document(label=label, portions=headed), document(label=ONLY_GBR, portions=spill)):
        [error] = why_not(raw(record))
        assert said in str(error)
    assert not why_not(raw(document(label=ONLY_GBR, portions=spill), "title"))
    moved = document("track-1", kind="track", portions=[DraftPortion("identity", label, "a ship")], label=ONLY_GBR)
    stand_in = moved.portions[0]
    signed_for = Commitment(moved.digest, [], [(stand_in.digest, "words")])
    [error] = why_not(raw(moved, commitment=signed_for, substitutes=[Substitute(stand_in.data, "words")]))
    assert said in str(error)


def test_step_10_a_party_may_hold_what_protects_its_own_information() -> None:
    returned = Label("AUS", "SECRET", REFUSED, origins=frozenset({"GBR"}))
    assert not why_not(raw(document(label=returned), "title body"))


def version(record: Record, seed: int = 3) -> Record:
    """The version after a record."""
    header = record.header
    draft = Draft(header.kind, header.id, header.originator, f"officer {seed}", AT, BOTH, [], project=header.project)
    return make_record(next_version(record, draft), salts(seed))


def holding(*records: Record) -> Callable[[Any], Mapping[Any, Any]]:
    """The history of a node that holds these."""
    held: dict[tuple[str, str], dict[int, tuple[str, str]]] = {}
    for record in records:
        header = record.header
        held.setdefault((header.originator, header.id), {})[header.version] = (record.digest.hex(), header.previous)
    return lambda wanted: {(o, i): held[o, i] for o, i, _ in wanted if (o, i) in held}


def test_step_11_one_writer_one_chain() -> None:
    second = version(DOC)
    rival, other_second = document(seed=8), version(DOC, seed=4)
    for held, come in (([DOC], rival), ([DOC, second], other_second), ([rival], second), ([second], rival)):
        [error] = why_not(raw(come), history=holding(*held))
        assert isinstance(error, Forked)
        assert "two versions" in str(error)
    for held, come in (([DOC], second), ([second], DOC), ([DOC, second], second), ([], second)):
        assert not why_not(raw(come), history=holding(*held))


def test_step_11_versions_within_one_bundle_are_judged_together() -> None:
    second = version(DOC)
    assert not why_not(raw(DOC), raw(second), raw(version(second)))
    assert len(why_not(raw(DOC), raw(second), raw(version(DOC, seed=4)))) == 1
    assert len(why_not(raw(DOC), raw(document(seed=8)))) == 1


def test_an_item_created_in_the_future_is_set_aside() -> None:
    [error] = why_not(raw(document(created=AT + CLOCK_TOLERANCE + 1)))
    assert isinstance(error, Stale)


def test_one_bad_item_is_set_aside_alone_and_the_cursor_moves() -> None:
    items = [raw(document(f"doc-{n}", seed=n)) for n in range(5)]
    items[1] = raw(document("doc-1", label=rel_to("USA")))
    items[3] = raw(document("doc-3", kind="drawing"))
    items[4] = msgspec.structs.replace(items[4], commitment=b"\x00")
    outcome = admit(sealed(items)[0])
    assert [one.index for one in outcome.admitted] == [0, 2]
    assert [one.index for one in outcome.refused] == [1, 3, 4]
    assert outcome.cursor.seq == 5


# what was set aside, judged again

KINDLESS = replace(peers(), kinds={})


def aside(one: Item = GOOD) -> bytes:
    """What quarantine keeps of an item that came in a bundle of two."""
    bundle = open_bundle(sealed([item(document("doc-0")), one])[0], AUS.public)
    path = inclusion_proofs([leaf_hash(each.commitment) for each in bundle.items])[1]
    return set_aside(one, grant_of(bundle, 1, path))


def again(data: bytes, at_node: Peers | None = None, history: Any = nothing_held) -> Admitted:
    return (at_node or peers()).readmit(data, history=history, at=AT)


def test_an_item_set_aside_is_admitted_once_nothing_stands_against_it() -> None:
    with pytest.raises(UnknownTerm):
        again(aside(), KINDLESS)
    assert again(aside()).record == DOC


def test_an_item_set_aside_is_judged_by_the_same_steps() -> None:
    kept = msgspec.msgpack.decode(aside())
    for at_node, error in (
        (peers(aus=replace(PEER, active=False)), NotAuthentic),
        (peers(aus=replace(PEER, key=signer("usa").public)), NotAuthentic),
        (peers(aus=replace(PEER, cursor=Cursor(1, 9, "ab" * 32), distrust_after=1)), NotAuthentic),
        (peers(aus=replace(PEER, cursor=Cursor(2, 9, "ab" * 32), distrust_after=9)), NotAuthentic),
        (replace(peers(), node="gbr-high"), NotAuthentic),
        (replace(peers(), party="CAN"), RefusedByPolicy),
    ):
        with pytest.raises(error):
            again(aside(), at_node)
    with pytest.raises(Forked):
        again(aside(), history=holding(document(seed=8)))
    record = document("doc-9").data
    other = msgspec.msgpack.decode(aside(item(document("doc-9"))))
    for wrong in (
        [[kept[0][0], record, *kept[0][2:]], kept[1]],
        [[other[0][0], *kept[0][1:]], kept[1]],
        [other[0], [*kept[1][:4], other[0][0]]],
    ):
        with pytest.raises(VerificationFailed):
            again(msgspec.msgpack.encode(wrong))
    with pytest.raises(InvalidInput, match="not an item that was set aside"):
        again(DATA)


@given(damaged(aside()))
@settings(max_examples=150, deadline=None)
def test_no_damage_in_quarantine_gets_a_byte_admitted_that_was_not_sent(data: bytes) -> None:
    try:
        assert again(data).record == DOC
    except AldisError as error:
        assert str(error)
