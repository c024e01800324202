"""Live frames: signed as a whole, newest first and only once, and empty of what was not put in."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sealing import AT, BOTH, ONLY_GBR, damaged, signer

from aldis.kernel.encoding import sha256
from aldis.kernel.errors import AldisError, InvalidInput, NotAuthentic, Stale, TooLarge, VerificationFailed
from aldis.kernel.frames import CONTEXT, FRAME_LIMIT, MAX_AGE, Frame, Update, open_frame, seal_frame
from aldis.kernel.signatures import Algorithm

AUS = signer("aus")
HERE = Update("track-1", "track", "position", AT, {"lat_deg": 59.9, "lon_deg": 24.4})
NAME = Update("track-1", "track", "identity", AT, "a ship")


def frame(groups: Any = None, **fields: Any) -> bytes:
    given: dict[str, Any] = {"origin": "aus", "audience": "gbr", "epoch": 1, "number": 5, "created": AT}
    given |= {"policy_epoch": bytes(32), "signer": AUS, **fields}
    return seal_frame({BOTH: [HERE], ONLY_GBR: [NAME]} if groups is None else groups, **given)


def opened(data: bytes, **fields: Any) -> Frame:
    given: dict[str, Any] = {"origin": "aus", "audience": "gbr", "after": (1, 4), "at": AT, **fields}
    return open_frame(data, given.pop("key", AUS.public), **given)


def resigned(change: dict[str, Any], body: bytes | None = None, form: str = "aldis-frame/1") -> bytes:
    """A frame whose manifest AUS signed after it was changed."""
    _, manifest, _, was = msgspec.msgpack.decode(frame())
    data = json.dumps({**json.loads(manifest), **change}).encode()
    return msgspec.msgpack.encode([form, data, AUS.sign(CONTEXT, data), was if body is None else body])


@pytest.mark.parametrize("algorithm", list(Algorithm), ids=lambda a: a.value)
def test_a_frame_reads_back_under_its_labels(algorithm: Algorithm) -> None:
    keys = signer("aus", algorithm)
    found = opened(frame(signer=keys), key=keys.public)
    assert [(label, list(updates)) for label, updates in found.groups] == [(BOTH, [HERE]), (ONLY_GBR, [NAME])]
    assert (found.manifest.epoch, found.manifest.number) == (1, 5)


def test_what_is_not_in_the_frame_is_not_in_its_bytes() -> None:
    assert b"a ship" in frame()
    without = frame({BOTH: [HERE]})
    for trace in (b"a ship", b"identity"):
        assert trace not in without


@pytest.mark.parametrize(
    ("expected", "error"),
    [
        ({"key": signer("gbr").public}, NotAuthentic),
        ({"key": signer("aus", Algorithm.P384).public}, NotAuthentic),
        ({"origin": "usa"}, NotAuthentic),
        ({"audience": "usa"}, NotAuthentic),
        ({"after": (1, 5)}, Stale),
        ({"after": (1, 6)}, Stale),
        ({"after": (2, 0)}, Stale),
        ({"at": AT + MAX_AGE + 1}, Stale),
        ({"at": AT - MAX_AGE - 1}, Stale),
    ],
)
def test_a_frame_of_another_key_node_number_or_time_is_refused(expected: Any, error: type[AldisError]) -> None:
    with pytest.raises(error):
        opened(frame(), **expected)


def test_a_frame_counts_within_its_age_and_after_a_new_epoch() -> None:
    opened(frame(), at=AT + MAX_AGE)
    opened(frame(epoch=2, number=1), after=(1, 900))


def test_a_body_that_was_exchanged_is_refused() -> None:
    other = msgspec.msgpack.decode(frame({BOTH: [NAME]}))[3]
    with pytest.raises(VerificationFailed, match="not the one aus signed"):
        opened(resigned({}, other))


@pytest.mark.parametrize(
    "change",
    [{"surprise": 1}, {"number": "5"}, {"epoch": None}, {"body": 7}],
)
def test_a_manifest_against_the_schema_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput, match="not a frame"):
        opened(resigned(change))


def test_another_format_or_algorithm_is_refused() -> None:
    with pytest.raises(NotAuthentic, match="not the pinned one"):
        opened(resigned({}, form="aldis-frame/2"))
    with pytest.raises(NotAuthentic, match="not the pinned one"):
        opened(resigned({"algorithm": "ecdsa-p384-sha384"}))


@pytest.mark.parametrize(
    "groups",
    [
        "x",
        [[b"{}", []]],
        [[b'{"policy":"AUS"}', []]],
        [[b"\xff", []]],
        [[b"{", [["track-1", "track", "position", "now", 1]]]],
        [[b'{"policy":"AUS","classification":"SECRET","releasable":[]}', [["id", "track", "position", 1]]]],
        [[b'{"policy":"AUS","classification":"SECRET","releasable":[]}', [["id", "track", "p", 1, 1, "more"]]]],
    ],
)
def test_a_signed_body_against_the_schema_is_refused(groups: Any) -> None:
    body = msgspec.msgpack.encode(groups)
    with pytest.raises(InvalidInput):
        opened(resigned({"body": sha256(body).hex()}, body))


def test_a_body_nested_without_end_is_refused() -> None:
    body = b"\x91" * 100_000 + b"\xc0"
    with pytest.raises(InvalidInput):
        opened(resigned({"body": sha256(body).hex()}, body))


def test_size_is_limited_both_ways() -> None:
    with pytest.raises(TooLarge, match="Lower the byte budget"):
        frame({BOTH: [Update("track-1", "track", "identity", AT, "x" * FRAME_LIMIT)]})
    with pytest.raises(TooLarge):
        opened(bytes(FRAME_LIMIT + 1))


@given(st.binary(max_size=200) | damaged(frame()))
@settings(max_examples=250, deadline=None)
def test_no_bytes_are_taken_for_a_frame_that_was_not_signed(data: bytes) -> None:
    try:
        found = opened(data)
    except AldisError as error:
        assert str(error)
    else:
        assert found == opened(frame())
