"""Bundles: one audience, one signature, every byte of it; and grants that hold alone and for nothing else."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sealing import (
    AT,
    AUS,
    BOTH,
    ONLY_GBR,
    START,
    coarse,
    damaged,
    document,
    epoch,
    item,
    permit,
    sealed,
    signer,
    track,
)

from aldis.kernel.bundles import (
    BUNDLE_LIMIT,
    CONTEXT,
    ITEM_LIMIT,
    Bundle,
    Commitment,
    Grant,
    grant_of,
    make_item,
    open_bundle,
    open_envelope,
    read_commitment,
    read_manifest,
    seal,
    verify_grant,
)
from aldis.kernel.encoding import sha256
from aldis.kernel.errors import (
    AldisError,
    InvalidInput,
    NotAuthentic,
    RefusedByPolicy,
    TooLarge,
    VerificationFailed,
)
from aldis.kernel.ledger import inclusion_proofs, leaf_hash
from aldis.kernel.records import DraftPortion, Record
from aldis.kernel.release import Permit
from aldis.kernel.signatures import Algorithm

KEY = AUS.public
RECORDS = [document("doc-1"), document("doc-2", seed=2), track()]
ITEMS = [item(record) for record in RECORDS]
SEALED, DIGEST = sealed(ITEMS)


def remade(change: Any) -> bytes:
    """The bundle with its four parts as `change` gives them back."""
    form, manifest, signature, items = msgspec.msgpack.decode(SEALED)
    return msgspec.msgpack.encode(change(form, manifest, signature, items))


def restated(**fields: Any) -> bytes:
    """The bundle with other fields in a manifest that AUS signed."""

    def change(form: str, manifest: bytes, _signature: bytes, items: Any) -> Any:
        data = json.dumps({**json.loads(manifest), **fields}).encode()
        return form, data, AUS.sign(CONTEXT, data), items

    return remade(change)


# one bundle


@pytest.mark.parametrize("algorithm", list(Algorithm), ids=lambda a: a.value)
def test_a_bundle_opens_as_it_was_sealed(algorithm: Algorithm) -> None:
    keys = signer("aus", algorithm)
    data, digest = sealed(ITEMS, signer=keys)
    bundle = open_bundle(data, keys.public)
    assert list(bundle.items) == ITEMS
    assert bundle.digest == digest == sha256(bundle.manifest_data)
    manifest = bundle.manifest
    assert (manifest.origin, manifest.audience, manifest.epoch) == ("aus", "gbr", 1)
    assert (manifest.first, manifest.count, manifest.last, manifest.created) == (1, 3, 3, AT)
    assert manifest.policy_epoch == epoch().digest.hex()


def test_every_corrupted_byte_of_a_bundle_is_refused() -> None:
    data, _ = sealed([item(document(portions=[DraftPortion("title", BOTH, "x")]))])
    for place in range(len(data)):
        for flip in (1 << place % 8, 0xFF):
            wrong = bytearray(data)
            wrong[place] ^= flip
            with pytest.raises(AldisError):
                _believed(bytes(wrong))


def _believed(data: bytes) -> Bundle:
    """Steps 3, 4 and 7 of admission: what a bundle needs before any of its bytes is believed."""
    bundle = open_bundle(data, KEY)
    for one in bundle.items:
        commitment = read_commitment(one.commitment)
        replaced = [(sha256(each.portion), each.transform) for each in one.substitutes]
        if (sha256(one.record), replaced) != (commitment.record, commitment.substitutes):
            raise VerificationFailed("not what was committed to")
        if [sha256(p) for p in one.portions] != commitment.portions:
            raise VerificationFailed("not what was committed to")
    return bundle


def test_a_bundle_cut_short_or_lengthened_is_refused() -> None:
    for wrong in [*(SEALED[:size] for size in range(0, len(SEALED), 7)), SEALED + b"\x00", SEALED + SEALED]:
        with pytest.raises(InvalidInput, match=r"cut short|limit"):
            open_bundle(wrong, KEY)


@pytest.mark.parametrize(
    "change",
    [
        lambda items: items[:-1],
        lambda items: [*items, items[0]],
        lambda items: items[::-1],
        lambda items: [items[0], items[0], items[2]],
        lambda items: [],
    ],
    ids=["one dropped", "one more", "reordered", "one in another's place", "none"],
)
def test_other_items_than_those_signed_are_refused(change: Any) -> None:
    with pytest.raises(VerificationFailed, match="does not hold the 3 items"):
        open_bundle(remade(lambda form, manifest, signature, items: (form, manifest, signature, change(items))), KEY)


def test_another_signer_algorithm_or_format_is_refused() -> None:
    with pytest.raises(NotAuthentic):
        open_bundle(SEALED, signer("gbr").public)
    with pytest.raises(NotAuthentic, match="is pinned"):
        open_bundle(SEALED, signer("aus", Algorithm.P384).public)
    with pytest.raises(NotAuthentic, match="is pinned"):
        open_bundle(restated(algorithm="none"), KEY)
    with pytest.raises(InvalidInput, match="is not aldis-bundle/1"):
        open_bundle(remade(lambda _form, *rest: ("aldis-bundle/2", *rest)), KEY)


def test_a_manifest_that_nobody_signed_again_is_refused() -> None:
    def addressed_anew(form: str, manifest: bytes, *rest: Any) -> Any:
        return (form, manifest.replace(b'"gbr"', b'"usa"'), *rest)

    with pytest.raises(NotAuthentic):
        open_bundle(remade(addressed_anew), KEY)


@pytest.mark.parametrize(
    "fields",
    [
        {"surprise": 1},
        {"first": 0},
        {"first": 2**53 - 2},
        {"count": 0},
        {"count": ITEM_LIMIT + 1},
        {"epoch": 0},
        {"epoch": 2**53},
        {"created": -1},
        {"created": 1.5},
        {"root": None},
    ],
)
def test_a_manifest_against_the_rules_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput, match="manifest"):
        open_envelope(restated(**fields))


def test_counts_and_sizes_are_limited() -> None:
    for items in ([], [ITEMS[0]] * (ITEM_LIMIT + 1)):
        with pytest.raises(InvalidInput, match="1 to 8192"):
            seal(items, START, policy_epoch=bytes(32), created=AT, signer=AUS)
    with pytest.raises(TooLarge):
        open_envelope(bytes(BUNDLE_LIMIT + 1))


def test_items_nested_without_end_are_refused() -> None:
    for items in (b"\x91" * 200_000 + b"\xc0", b"\xdd\xff\xff\xff\xff"):
        head = msgspec.msgpack.encode(msgspec.msgpack.decode(SEALED)[:3])
        with pytest.raises(InvalidInput):
            open_bundle(b"\x94" + head[1:] + items, KEY)


@given(st.binary(max_size=200) | damaged(SEALED))
@settings(max_examples=200, deadline=None)
def test_no_bytes_are_taken_for_a_bundle_that_was_not_signed(data: bytes) -> None:
    try:
        bundle = _believed(data)
    except AldisError as error:
        assert str(error)
    else:
        assert list(bundle.items) == ITEMS


# one item and its permit


def other_permit(record: Record) -> dict[str, tuple[Permit, str, bytes]]:
    """Permits that do not fit the record's way to GBR, with recipient and policy epoch."""
    return {
        "record": (permit(document("doc-9", seed=9)), "gbr", epoch().digest),
        "recipient": (permit(record, "usa"), "gbr", epoch().digest),
        "recipient, the other way": (permit(record), "usa", epoch().digest),
        "policy epoch": (permit(record), "gbr", sha256(b"another epoch")),
    }


@pytest.mark.parametrize("what", list(other_permit(RECORDS[0])))
def test_a_permit_for_another_record_recipient_or_epoch_seals_nothing(what: str) -> None:
    record = RECORDS[0]
    allowed, recipient, policy = other_permit(record)[what]
    with pytest.raises(RefusedByPolicy, match="is for another"):
        make_item(record.data, record.portions, allowed, recipient=recipient, policy_epoch=policy)


def test_a_permit_is_for_all_its_portions_or_none() -> None:
    record = RECORDS[0]
    with pytest.raises(RefusedByPolicy, match="another set of portions"):
        make_item(record.data, record.portions[:1], permit(record), recipient="gbr", policy_epoch=epoch().digest)


def test_a_portion_that_must_be_transformed_never_leaves_as_it_is() -> None:
    record = RECORDS[2]
    for substitutes in ({}, {sha256(b"other"): next(iter(coarse(record).values()))}):
        with pytest.raises(RefusedByPolicy, match="another set of portions"):
            make_item(
                record.data, record.portions, permit(record),
                recipient="gbr", policy_epoch=epoch().digest, substitutes=substitutes,
            )  # fmt: skip
    assert b"59.9" not in SEALED
    assert b"coarsen 1000 m" in SEALED


def test_only_release_makes_a_permit() -> None:
    honest = permit(RECORDS[0])
    fields = [getattr(honest, name) for name in Permit.__dataclass_fields__ if name != "maker"]
    with pytest.raises(TypeError, match="by nothing else"):
        Permit(*fields, object())  # type: ignore[call-arg]
    with pytest.raises(ValueError, match="maker"):
        replace(honest, digest=bytes(32))  # type: ignore[call-arg]


def test_what_is_withheld_leaves_neither_bytes_nor_size_in_the_bundle() -> None:
    sizes = set()
    for annex in ("short", "CANARY" * 5000):
        record = document(portions=[DraftPortion("title", BOTH, "plan"), DraftPortion("annex", ONLY_GBR, annex)])
        stream = replace(START, audience="usa")
        data, _ = sealed([item(record, "usa")], stream)
        assert b"CANARY" not in data
        assert b"annex" not in data
        sizes.add(len(data))
    assert len(sizes) == 1


# a grant, alone


def granted(record: Record) -> tuple[Grant, Commitment]:
    """The grant that came with a record among others, and what GBR passes on of it."""
    bundle = open_bundle(SEALED, KEY)
    index = RECORDS.index(record)
    path = inclusion_proofs([leaf_hash(one.commitment) for one in bundle.items])[index]
    given = read_commitment(bundle.items[index].commitment)
    return grant_of(bundle, index, path), Commitment(record.digest, given.onward["USA"])


def test_a_grant_holds_without_the_rest_of_its_bundle() -> None:
    for record in RECORDS[:2]:
        grant, carried = granted(record)
        manifest = verify_grant(grant, KEY, party="USA", carried=carried)
        assert (manifest.origin, manifest.audience) == ("aus", "gbr")
        names = {p.digest: p.name for p in record.portions}
        assert {names[digest] for digest in carried.portions} == {"title", "body"}


def test_fewer_portions_than_granted_may_be_passed_on() -> None:
    grant, carried = granted(RECORDS[0])
    for portions in ([], carried.portions[:1]):
        verify_grant(grant, KEY, party="USA", carried=Commitment(carried.record, portions))


@pytest.mark.parametrize("party", ["CAN", "GBR", "AUS", ""])
def test_a_grant_names_its_parties(party: str) -> None:
    grant, carried = granted(RECORDS[0])
    with pytest.raises(RefusedByPolicy, match="did not grant"):
        verify_grant(grant, KEY, party=party, carried=carried)
    with pytest.raises(RefusedByPolicy, match="did not grant"):
        verify_grant(grant, KEY, party=party, carried=Commitment(carried.record, []))


def test_a_grant_covers_its_record_and_its_portions_only() -> None:
    grant, carried = granted(RECORDS[0])
    annex = RECORDS[0].portions[2].digest
    with pytest.raises(RefusedByPolicy):
        verify_grant(grant, KEY, party="USA", carried=Commitment(carried.record, [*carried.portions, annex]))
    with pytest.raises(VerificationFailed, match="another record"):
        verify_grant(grant, KEY, party="USA", carried=Commitment(RECORDS[1].digest, []))


def test_a_substitute_travels_on_as_its_originator_made_it_or_not_at_all() -> None:
    grant, _ = granted(RECORDS[2])
    given = read_commitment(grant.commitment)
    [(stand_in, words)] = given.substitutes
    assert stand_in in given.onward["USA"]
    carried = Commitment(RECORDS[2].digest, given.portions, [(stand_in, words)])
    verify_grant(grant, KEY, party="USA", carried=carried)
    exact = RECORDS[2].portions[0].digest
    for substitutes in ([(exact, words)], [(sha256(b"finer"), words)]):
        with pytest.raises(RefusedByPolicy):
            verify_grant(grant, KEY, party="USA", carried=Commitment(carried.record, [], substitutes))
    with pytest.raises(VerificationFailed, match="not the one that its originator signed"):
        verify_grant(grant, KEY, party="USA", carried=Commitment(carried.record, [], [(stand_in, "coarsen 1 m")]))
    with pytest.raises(RefusedByPolicy):
        verify_grant(grant, KEY, party="USA", carried=Commitment(carried.record, [exact]))


def test_a_grant_with_another_key_place_path_or_commitment_is_refused() -> None:
    grant, carried = granted(RECORDS[0])
    wide = msgspec.msgpack.encode(Commitment(carried.record, carried.portions, [], {"CAN": carried.portions}))
    for wrong in (
        msgspec.structs.replace(grant, index=1),
        msgspec.structs.replace(grant, index=99),
        msgspec.structs.replace(grant, path=[]),
        msgspec.structs.replace(grant, path=[*grant.path, bytes(32)]),
        msgspec.structs.replace(grant, commitment=wide),
        msgspec.structs.replace(grant, signature=bytes(64)),
        msgspec.structs.replace(grant, manifest=grant.manifest.replace(b'"gbr"', b'"nzl"')),
    ):
        with pytest.raises(VerificationFailed):
            verify_grant(wrong, KEY, party="USA", carried=carried)
    with pytest.raises(NotAuthentic):
        verify_grant(grant, signer("gbr").public, party="USA", carried=carried)


@pytest.mark.parametrize(
    "fields",
    [
        [b"short", []],
        [bytes(32), [b"short"]],
        [bytes(32), [], [[b"short", "words"]]],
        [bytes(32), [], [], {"USA": ["text"]}],
        [bytes(32), [], [], {}, [], "more"],
        "text",
        [],
    ],
)
def test_a_commitment_against_the_schema_is_refused(fields: Any) -> None:
    with pytest.raises(InvalidInput, match="commitment"):
        read_commitment(msgspec.msgpack.encode(fields))


@pytest.mark.parametrize("data", [b"", b"null", b"{}", b"\xff", b"[" * 100_000])
def test_what_is_no_manifest_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidInput, match="manifest"):
        read_manifest(data)
