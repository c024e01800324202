"""Signatures: each algorithm, bound to its context, its key and every byte."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sealing import signer

from aldis.kernel.errors import NotAuthentic, UnknownTerm
from aldis.kernel.signatures import Algorithm, Key, algorithm_named, framed

SIZES = {Algorithm.ED25519: 64, Algorithm.P384: 96, Algorithm.HYBRID: 64 + 3309}
KEY_SIZES = {Algorithm.ED25519: 32, Algorithm.P384: 49, Algorithm.HYBRID: 32 + 1952}
every_algorithm = pytest.mark.parametrize("algorithm", list(Algorithm), ids=lambda a: a.value)


@every_algorithm
def test_what_was_signed_verifies_and_sizes_are_fixed(algorithm: Algorithm) -> None:
    keys = signer("aus", algorithm)
    for message in (b"", b"message", bytes(100_000)):
        signature = keys.sign(b"context", message)
        keys.public.verify(b"context", message, signature)
        assert len(signature) == SIZES[algorithm]
    assert len(keys.public.raw) == KEY_SIZES[algorithm]
    assert Key(algorithm, keys.public.raw) == keys.public


@every_algorithm
def test_a_signature_holds_in_its_own_context_only(algorithm: Algorithm) -> None:
    keys = signer("aus", algorithm)
    signature = keys.sign(b"aldis/bundle/1", b"message")
    for context, message in ((b"aldis/frame/1", b"message"), (b"", b"message"), (b"aldis/bundle/1", b"another")):
        with pytest.raises(NotAuthentic):
            keys.public.verify(context, message, signature)


@given(st.binary(max_size=20), st.binary(max_size=20), st.binary(max_size=20))
def test_no_message_of_one_context_reads_as_a_message_of_another(one: bytes, other: bytes, message: bytes) -> None:
    contexts = [context.replace(b"\x00", b"") for context in (one, other)]
    if contexts[0] != contexts[1]:
        assert framed(contexts[0], message) != framed(contexts[1], message)


@every_algorithm
def test_another_key_does_not_verify(algorithm: Algorithm) -> None:
    signature = signer("aus", algorithm).sign(b"context", b"message")
    with pytest.raises(NotAuthentic, match="compare fingerprints"):
        signer("gbr", algorithm).public.verify(b"context", b"message", signature)


@every_algorithm
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_a_damaged_signature_does_not_verify(algorithm: Algorithm, data: st.DataObject) -> None:
    keys = signer("aus", algorithm)
    signature = keys.sign(b"context", b"message")
    place = data.draw(st.integers(0, len(signature) - 1))
    bit = data.draw(st.integers(0, 7))
    flipped = bytearray(signature)
    flipped[place] ^= 1 << bit
    for wrong in (bytes(flipped), signature[:place], signature + b"\x00", b""):
        with pytest.raises(NotAuthentic):
            keys.public.verify(b"context", b"message", wrong)


def test_the_hybrid_needs_both_signatures() -> None:
    ours, theirs = signer("aus", Algorithm.HYBRID), signer("gbr", Algorithm.HYBRID)
    mine, other = ours.sign(b"context", b"message"), theirs.sign(b"context", b"message")
    for mixed in (mine[:64] + other[64:], other[:64] + mine[64:], mine[:64], mine[:64] + bytes(3309)):
        with pytest.raises(NotAuthentic):
            ours.public.verify(b"context", b"message", mixed)


def test_a_signature_of_one_algorithm_is_nothing_to_another() -> None:
    made = {algorithm: signer("aus", algorithm).sign(b"context", b"message") for algorithm in Algorithm}
    for algorithm, signature in made.items():
        for other in set(Algorithm) - {algorithm}:
            with pytest.raises(NotAuthentic):
                signer("aus", other).public.verify(b"context", b"message", signature)


@every_algorithm
def test_bytes_that_are_no_key_are_refused(algorithm: Algorithm) -> None:
    raw = signer("aus", algorithm).public.raw
    for wrong in (b"", raw[:-1], raw + b"\x00", b"\xff" * 7):
        with pytest.raises(NotAuthentic, match=r"not a .* public key"):
            Key(algorithm, wrong)


def test_a_key_id_tells_keys_and_algorithms_apart() -> None:
    ids = {signer(name, algorithm).public.id for name in ("aus", "gbr") for algorithm in Algorithm}
    assert len(ids) == 6
    assert str(signer("aus").public.id) in repr(signer("aus").public)


def test_an_unknown_algorithm_is_named_with_the_known_ones() -> None:
    with pytest.raises(UnknownTerm, match="ed25519, ecdsa-p384-sha384"):
        algorithm_named("rsa")
    assert [algorithm_named(a.value) for a in Algorithm] == list(Algorithm)
