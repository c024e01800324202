"""Messages between nodes: signed as what they are, closed, bounded, and never taken for one another."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sealing import AT, damaged, signer

from aldis.kernel.errors import AldisError, InvalidInput, NotAuthentic, TooLarge
from aldis.kernel.messages import Cursor, Greeting, Receipt, Welcome, open_message, read_unverified, sign_message

DIGEST = "ab" * 32
CURSOR = Cursor(1, 7, DIGEST)
GREETING = Greeting("aus", "gbr", AT, 1, "a checkpoint", 3, [DIGEST])
WELCOME = Welcome("gbr", "aus", AT, CURSOR, 3, "a cosignature")
RECEIPT = Receipt("gbr", "aus", AT, CURSOR, 1)
ALL: list[Any] = [
    GREETING,
    WELCOME,
    RECEIPT,
    Greeting("aus", "gbr", AT, 1),
    Welcome("gbr", "aus", AT, Cursor(0, 0, "")),
]
AUS = signer("aus")


def signed_payload(payload: bytes, context: bytes = Receipt.CONTEXT) -> bytes:
    return msgspec.msgpack.encode([payload, AUS.sign(context, payload)])


@pytest.mark.parametrize("message", ALL)
def test_a_message_reads_back(message: Any) -> None:
    data = sign_message(message, AUS)
    assert open_message(data, type(message), AUS.public) == message
    assert read_unverified(data, type(message)) == message


@pytest.mark.parametrize("message", ALL)
def test_a_message_passes_for_no_other_type(message: Any) -> None:
    data = sign_message(message, AUS)
    others: set[Any] = {Greeting, Welcome, Receipt}
    for other in others - {type(message)}:
        with pytest.raises(NotAuthentic):
            open_message(data, other, AUS.public)


def test_a_welcome_that_reads_as_a_receipt_is_still_no_receipt() -> None:
    same = Welcome("gbr", "aus", AT, CURSOR)
    assert json.loads(msgspec.json.encode(same)) == json.loads(msgspec.json.encode(Receipt("gbr", "aus", AT, CURSOR)))
    with pytest.raises(NotAuthentic):
        open_message(sign_message(same, AUS), Receipt, AUS.public)


def test_another_signer_is_not_believed() -> None:
    with pytest.raises(NotAuthentic):
        open_message(sign_message(RECEIPT, signer("gbr")), Receipt, AUS.public)


def test_nothing_is_parsed_before_the_signature_holds() -> None:
    data = msgspec.msgpack.encode([b"not even JSON", bytes(64)])
    with pytest.raises(NotAuthentic):
        open_message(data, Receipt, AUS.public)


@pytest.mark.parametrize(
    "change",
    [
        {"surprise": 1},
        {"at": "now"},
        {"at": 2**53},
        {"at": -1},
        {"quarantined": -1},
        {"cursor": None},
        {"cursor": {"epoch": 1, "seq": 2**70, "digest": DIGEST}},
        {"cursor": {"epoch": -1, "seq": 1, "digest": DIGEST}},
        {"cursor": {"epoch": 1, "seq": 1, "digest": "AB" * 32}},
        {"cursor": {"epoch": 1, "seq": 1, "digest": DIGEST + "\n"}},
        {"cursor": {"epoch": 1, "seq": 1}},
        {"cursor": {"epoch": 1, "seq": 1, "digest": "", "more": 0}},
    ],
)
def test_a_signed_message_against_the_schema_is_refused(change: dict[str, Any]) -> None:
    fields = {**json.loads(msgspec.json.encode(RECEIPT)), **change}
    with pytest.raises(InvalidInput, match="not a receipt"):
        open_message(signed_payload(json.dumps(fields).encode()), Receipt, AUS.public)


@pytest.mark.parametrize("proof", [["zz" * 32], ["ab"], [1], "ab"])
def test_a_greeting_proves_with_digests_only(proof: Any) -> None:
    fields = {**json.loads(msgspec.json.encode(GREETING)), "proof": proof}
    with pytest.raises(InvalidInput, match="not a greeting"):
        open_message(signed_payload(json.dumps(fields).encode(), Greeting.CONTEXT), Greeting, AUS.public)


def test_size_is_limited_before_decoding() -> None:
    with pytest.raises(TooLarge, match="limit is 262144"):
        open_message(b"\x92" + bytes(262_144), Receipt, AUS.public)


@given(st.binary(max_size=200) | damaged(sign_message(RECEIPT, AUS)))
@settings(max_examples=200, deadline=None)
def test_no_bytes_are_taken_for_a_message_that_was_not_signed(data: bytes) -> None:
    try:
        found = open_message(data, Receipt, AUS.public)
    except AldisError as error:
        assert str(error)
    else:
        assert found == RECEIPT
