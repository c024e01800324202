"""Admission: each of its eleven steps stops what the others would let in, and stops no more than it must."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest
from hypothesis import given, settings
from sealing import (
    AT,
    AUS,
    BOTH,
    START,
    admit,
    after,
    damaged,
    document,
    item,
    peers,
    raw,
    sealed,
    signer,
    track,
    why_not,
)

from aldis.kernel.admission import CLOCK_TOLERANCE, Peer
from aldis.kernel.bundles import Commitment, Substitute
from aldis.kernel.encoding import sha256
from aldis.kernel.errors import (
    AldisError,
    Forked,
    InvalidInput,
    NotAuthentic,
    Stale,
    UnknownTerm,
    VerificationFailed,
)
from aldis.kernel.messages import Cursor
from aldis.kernel.records import DraftPortion
from aldis.kernel.signatures import Algorithm

DOC = document()
GOOD = item(DOC)
DATA, DIGEST = sealed([GOOD])
PEER = Peer("aus", "AUS", AUS.public)
SECOND = after(START, DIGEST)
AT_SECOND = peers(aus=replace(PEER, cursor=Cursor(1, 1, DIGEST.hex())))


def test_a_sound_bundle_is_admitted_whole() -> None:
    outcome = admit(DATA)
    assert [one.record for one in outcome.admitted] == [DOC]
    assert not outcome.refused
    assert outcome.cursor == Cursor(1, 1, DIGEST.hex())


# the bundle as a whole


def test_step_01_the_origin_is_a_known_active_partner_and_the_sender() -> None:
    strangers = replace(peers(), peers={})
    suspended = peers(aus=replace(PEER, active=False))
    for at_node, sender, said in (
        (strangers, "aus", "not paired"),
        (strangers, None, "not paired"),
        (suspended, "aus", "suspended"),
        (suspended, None, "suspended"),
        (None, "usa", "'usa' sent what 'aus' signed"),
    ):
        with pytest.raises(NotAuthentic, match=said):
            admit(DATA, at_node, sender=sender)
    assert admit(DATA, sender=None).admitted


def test_step_02_it_is_addressed_to_this_node() -> None:
    for audience in ("usa", "gbr-high", "GBR", ""):
        data, _ = sealed([GOOD], replace(START, audience=audience))
        with pytest.raises(NotAuthentic, match="addressed to"):
            admit(data)


def test_step_03_the_pinned_key_signed_with_the_pinned_algorithm() -> None:
    for keys in (signer("usa"), signer("aus", Algorithm.P384), signer("aus", Algorithm.HYBRID)):
        with pytest.raises(NotAuthentic):
            admit(sealed([GOOD], signer=keys)[0])
    stronger = peers(aus=replace(PEER, key=signer("aus", Algorithm.HYBRID).public))
    with pytest.raises(NotAuthentic, match="is pinned"):
        admit(DATA, stronger)


def test_step_04_the_items_are_those_the_manifest_commits_to() -> None:
    form, manifest, signature, _ = msgspec.msgpack.decode(DATA)
    for items in ([item(document("doc-2"))], [GOOD, GOOD], []):
        with pytest.raises(VerificationFailed, match="does not hold"):
            admit(msgspec.msgpack.encode([form, manifest, signature, items]))


def test_step_05_a_replayed_bundle_is_stale() -> None:
    with pytest.raises(Stale, match="here already"):
        admit(DATA, AT_SECOND)
    far = peers(aus=replace(PEER, cursor=Cursor(1, 9, "ab" * 32)))
    with pytest.raises(Stale, match="here already"):
        admit(DATA, far)


def test_step_05_a_bundle_before_its_turn_is_stale() -> None:
    third = after(SECOND, b"\x01" * 32)
    with pytest.raises(Stale, match=r"items 2 to 2 of aus are missing"):
        admit(sealed([GOOD], third)[0], AT_SECOND)
    with pytest.raises(Stale, match="missing"):
        admit(sealed([GOOD], SECOND)[0])


def test_step_05_two_histories_of_one_stream_are_a_fork() -> None:
    other, _ = sealed([item(document("doc-2"))])
    follows_other = sealed([GOOD], replace(SECOND, previous=b"\x01" * 32))[0]
    longer, _ = sealed([item(document("doc-2")), item(document("doc-3"))])
    for data in (other, follows_other, longer):
        with pytest.raises(Forked, match="two histories"):
            admit(data, AT_SECOND)


def test_step_05_an_epoch_begins_with_its_first_bundle_and_ends_the_one_before() -> None:
    new = replace(START, epoch=2)
    outcome = admit(sealed([GOOD], new)[0], AT_SECOND)
    assert outcome.cursor.epoch == 2
    for stream in (replace(new, first=2), replace(new, previous=DIGEST)):
        with pytest.raises(Stale, match="its first bundle is missing"):
            admit(sealed([GOOD], stream)[0], AT_SECOND)
    later = peers(aus=replace(PEER, cursor=Cursor(3, 1, "ab" * 32)))
    for stream in (START, SECOND, new):
        with pytest.raises(Stale, match="abandoned"):
            admit(sealed([GOOD], stream)[0], later)


def test_step_05_nothing_signed_after_a_key_was_distrusted_is_believed() -> None:
    data, _ = sealed([GOOD], SECOND)
    known = AT_SECOND.peers["aus"]
    assert admit(data, peers(aus=replace(known, distrust_after=2))).admitted
    with pytest.raises(NotAuthentic, match="distrusted after item 1"):
        admit(data, peers(aus=replace(known, distrust_after=1)))


def test_step_05_a_distrusted_key_cannot_begin_to_count_anew() -> None:
    distrusted = peers(aus=replace(AT_SECOND.peers["aus"], distrust_after=1))
    data, _ = sealed([GOOD], replace(START, epoch=2))
    with pytest.raises(NotAuthentic, match="this is item 1 of epoch 2"):
        admit(data, distrusted)
    with pytest.raises(NotAuthentic):
        admit(DATA, peers(aus=replace(PEER, distrust_after=5)))


def test_step_06_a_clock_that_is_ahead_is_not_believed() -> None:
    for ahead, believed in ((CLOCK_TOLERANCE, True), (CLOCK_TOLERANCE + 1, False)):
        data, _ = sealed([GOOD], created=AT + ahead)
        if believed:
            assert admit(data).admitted
        else:
            with pytest.raises(Stale, match="in the future by this node's clock"):
                admit(data)
    assert admit(DATA, at=AT + 10**11).admitted


# each item


def test_step_04_other_bytes_than_the_items_commit_to_refuse_the_bundle_and_may_come_again_whole() -> None:
    parts = [p.data for p in DOC.portions]
    stranger = document("doc-2", seed=5)
    title = parts[0].replace(b"Northern", b"Southern")
    for name, one in {
        "another record": raw(DOC, record=stranger.data),
        "a portion stripped": raw(DOC, portions=parts[:2]),
        "every portion stripped": raw(DOC, portions=[]),
        "a portion more": raw(DOC, "title body", portions=parts),
        "a portion twice": raw(DOC, portions=[*parts, parts[0]]),
        "a portion altered": raw(DOC, portions=[title, *parts[1:]]),
        "portions reordered": raw(DOC, portions=parts[::-1]),
        "a portion of another record": raw(DOC, portions=[stranger.portions[0].data, *parts[1:]]),
        "a portion that is noise": raw(DOC, portions=[b"\xff", *parts[1:]]),
        "the header spaced out": raw(DOC, record=DOC.data + b" "),
        "the header cut": raw(DOC, record=DOC.data[:-1]),
    }.items():
        with pytest.raises(VerificationFailed, match="not what its sender signed for"):
            why_not(one)
        assert name
    assert not why_not(raw(DOC))


def test_step_07_a_portion_that_the_header_does_not_commit_to_is_set_aside_though_signed_for() -> None:
    foreign = document("doc-2", seed=5).portions[0]
    signed_for = Commitment(DOC.digest, [foreign.digest])
    [error] = why_not(raw(DOC, commitment=signed_for, portions=[foreign.data]))
    assert isinstance(error, VerificationFailed)
    assert "originator committed to" in str(error)


def test_step_04_a_substitute_is_the_one_its_sender_signed_for() -> None:
    good = item(track())
    assert not why_not(good)
    [stand_in] = good.substitutes
    finer = stand_in.portion.replace(b"60.0", b"59.9")
    for others in (
        [],
        [stand_in, stand_in],
        [Substitute(finer, stand_in.transform)],
        [Substitute(stand_in.portion, "coarsen 1 m")],
    ):
        with pytest.raises(VerificationFailed, match="not what its sender signed for"):
            why_not(msgspec.structs.replace(good, substitutes=others))


def test_step_07_a_record_against_the_rules_is_set_aside_though_signed_for() -> None:
    twice = Commitment(DOC.digest, [DOC.portions[0].digest] * 2)
    noise = Commitment(sha256(b"noise"), [])
    for one in (
        raw(DOC, commitment=twice, portions=[DOC.portions[0].data] * 2),
        raw(DOC, commitment=noise, record=b"noise", portions=[]),
    ):
        [error] = why_not(one)
        assert isinstance(error, VerificationFailed | InvalidInput)


def test_step_08_kind_portions_and_values_are_ones_that_an_app_declares() -> None:
    odd = document(portions=[DraftPortion("appendix", BOTH, "x")])
    shape = document(portions=[DraftPortion("title", BOTH, {"not": "text"})])
    for one, error in ((document(kind="drawing"), UnknownTerm), (odd, UnknownTerm), (shape, InvalidInput)):
        [found] = why_not(raw(one, "title body annex appendix"))
        assert type(found) is error
    moved = track()
    renamed = moved.portions[1].data.replace(b'"identity"', b'"tonnage"')
    signed_for = Commitment(moved.digest, [], [(sha256(renamed), "words")])
    [found] = why_not(raw(moved, commitment=signed_for, substitutes=[Substitute(renamed, "words")]))
    assert isinstance(found, UnknownTerm)


@given(damaged(DATA))
@settings(max_examples=200, deadline=None)
def test_no_damage_gets_a_byte_admitted_that_was_not_sent(data: bytes) -> None:
    try:
        outcome = admit(data)
    except AldisError as error:
        assert str(error)
    else:
        assert [one.record for one in outcome.admitted] == [DOC]
