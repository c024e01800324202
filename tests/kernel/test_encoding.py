"""Digests and base64url: one text for each value, and no other is read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aldis.kernel.encoding import b64, check_digests, digest_from_hex, sha256, unb64
from aldis.kernel.errors import InvalidInput

GOOD = sha256(b"").hex()


@given(st.binary(max_size=100))
def test_base64url_reads_back_what_was_written(data: bytes) -> None:
    assert unb64(b64(data)) == data
    assert unb64(b64(data), len(data)) == data


@given(st.text(max_size=12))
def test_a_text_that_is_read_as_bytes_is_the_only_text_of_those_bytes(text: str) -> None:
    try:
        data = unb64(text)
    except InvalidInput:
        return
    assert b64(data) == text


@pytest.mark.parametrize("text", ["AA==", "AA=", "AB", "A", "A A", "AA\n", "+/8", "Ä", "AAAA=AAA"])
def test_padding_stray_bits_and_foreign_characters_are_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        unb64(text)


def test_another_size_than_expected_is_refused() -> None:
    with pytest.raises(InvalidInput, match="expected 32 bytes, got 31"):
        unb64(b64(bytes(31)), 32)


def test_a_digest_reads_back() -> None:
    assert digest_from_hex(GOOD) == sha256(b"")


@pytest.mark.parametrize("text", ["", GOOD[:-1], GOOD + "0", GOOD.upper(), " " + GOOD[1:], GOOD[:-1] + "g", "٣" * 64])
def test_what_is_not_64_lower_case_digits_is_no_digest(text: str) -> None:
    with pytest.raises(InvalidInput):
        digest_from_hex(text)


def test_two_texts_of_wrong_length_that_add_up_are_no_digests() -> None:
    with pytest.raises(InvalidInput):
        check_digests([GOOD + "00", GOOD[:-2]])
    check_digests([GOOD, GOOD])
    check_digests([])
