"""Recognising a protocol by its first bytes, and the conformance probe: what passes, what is found."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aldis.apps.experiments.cases.findings import Mark
from aldis.apps.experiments.gateways.registry import PROTOCOLS, offered
from aldis.apps.experiments.links.address import exposed, read_address
from aldis.apps.experiments.links.link import Piece
from aldis.apps.experiments.participants.conformance import Check, Probed, probed
from aldis.apps.experiments.participants.exchange import exchanged, first_cell, sayable_kinds
from aldis.apps.experiments.participants.probe import Probe
from aldis.apps.experiments.participants.recognising import guesses, looks_like, sure
from aldis.apps.experiments.translation import AT_US, losses

SECOND = 1_000_000


def event(number: int, ahead_us: int = 0, uid: str = "boat-1") -> bytes:

    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=AT_US + number * SECOND + ahead_us)
    stale = at + timedelta(seconds=60)
    times = (
        f'time="{at:%Y-%m-%dT%H:%M:%S.%f}Z" start="{at:%Y-%m-%dT%H:%M:%S.%f}Z" stale="{stale:%Y-%m-%dT%H:%M:%S.%f}Z"'
    )
    place = f'<point lat="{-36.8 + number / 1e4}" lon="174.8" hae="3" ce="5" le="5"/>'
    return f'<event version="2.0" uid="{uid}" type="a-f-S" how="m-g" {times}>{place}</event>'.encode()


def heard(messages: list[bytes], protocol: str = "cot", peers: int = 1) -> Probed:
    probe = Probe(offered(protocol), AT_US)
    for number, message in enumerate(messages):
        probe.hear(Piece(message, f"peer-{number % peers}"), AT_US + number * SECOND + 20_000)
    return probed(probe, AT_US + len(messages) * SECOND)


def check(found: Probed, name: str) -> Check:
    return next(one for one in found.checks if one.name == name)


@pytest.mark.parametrize("name", PROTOCOLS)
def test_every_protocol_is_recognised_by_its_own_messages(name: str) -> None:
    said = [message for one in offered(name).specimens() for message in one.messages]
    found = guesses([Piece(message, "peer") for message in said], AT_US)
    best = sure(found)
    assert best is not None and best.protocol == name and best.confidence > 0.7


def test_what_may_be_of_two_protocols_is_not_guessed() -> None:
    nmea = offered("nmea0183").specimens()[0].messages[0]
    pieces = [Piece(event(0), "one"), Piece(nmea, "two")]
    found = guesses(pieces, AT_US)
    assert {one.protocol for one in found if one.confidence} == {"cot", "nmea0183"}
    assert sure(found) is None


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"GET / HTTP/1.1\r\n", "HTTP"), (b"\x16\x03\x01\x02\x00", "TLS"), (b"RTPS\x02\x03", "dds://"),
        (b'{"lat": 1}', "JSON"), (b"<xml/>", "XML"), (b"POS 1 2 3\r\n", "text, beginning 'POS 1 2 3'"),
        (b"\xfe\x09\x00\x01\x01\x00", "MAVLink 1"), (bytes([1, 200, 7]), "bytes, beginning 01 c8 07"), (b"", "nothing"),
    ],
)  # fmt: skip
def test_what_is_of_no_protocol_known_here_is_told_by_its_looks(data: bytes, words: str) -> None:
    assert words in looks_like(data)
    assert sure(guesses([Piece(data, "peer")], AT_US)) is None


def test_a_system_in_order_passes_every_check() -> None:
    found = heard([event(number) for number in range(12)])
    assert found.outcome == "pass", found.checks
    assert (found.messages, found.decoded, found.damaged, found.things) == (12, 12, 0, 1)
    assert found.clock is not None and -20_500 <= found.clock.low_us <= -20_000
    assert check(found, "same again").clause == "ADR 29"


def test_damaged_messages_are_counted_and_fail_where_they_are_many() -> None:
    found = heard([event(number) if number % 3 else event(number)[:60] for number in range(30)])
    assert check(found, "decoded").outcome == "fail" and found.damaged >= 10
    assert "damaged" in check(found, "decoded").text


def test_a_wrong_clock_is_found_with_what_to_do() -> None:
    ahead = check(heard([event(number, 3600 * SECOND) for number in range(12)]), "clock")
    assert ahead.outcome == "fail" and "+3599.980 s" in ahead.text and "Set its clock" in ahead.fix
    slightly = check(heard([event(number, 2 * SECOND) for number in range(12)]), "clock")
    assert slightly.outcome == "warn"


def test_one_id_of_several_senders_is_found() -> None:
    found = check(heard([event(number) for number in range(12)], peers=2), "ids")
    assert found.outcome == "warn" and "cot:boat-1" in found.text


def test_numbers_that_are_missing_are_counted() -> None:
    from pymavlink.dialects.v20 import common  # type: ignore[import-untyped]

    mav = common.MAVLink(None, srcSystem=1, srcComponent=1)
    said = []
    for number in range(40):
        place = common.MAVLink_global_position_int_message(
            number * 100, -368000000, 1748000000, 1500, 0, 0, 0, 0, 65535
        )
        for one in (common.MAVLink_heartbeat_message(11, 3, 1, 4, 4, 3), place):
            packed = bytes(one.pack(mav))
            mav.seq = (mav.seq + 1) % 256
            if number % 4:
                said.append(packed)
    found = heard(said, "mavlink")
    assert check(found, "ids").outcome == "warn"
    assert check(found, "ids").text == "18 of 78 numbered messages are missing"
    assert check(found, "same again").outcome == "pass"


def test_silence_and_messages_without_a_track_fail_with_what_to_do() -> None:
    nothing = heard([])
    assert nothing.outcome == "fail" and check(nothing, "recognised").fix
    assert (
        first_cell(nothing, losses(offered("cot"), offered("cot")), "nzl/x", "aus").verdict == "interoperability issue"
    )


def test_the_first_cell_says_what_the_probe_found() -> None:
    probe = Probe(offered("cot"), AT_US)
    for number in range(12):
        probe.hear(Piece(event(number), "peer"), AT_US + number * SECOND)
    said = probed(probe, AT_US + 12 * SECOND)
    through = {
        name: first_cell(said, losses(probe.heard(), offered(name)), "nzl/pilot", "aus") for name in ("cot", "dis")
    }
    assert through["cot"].verdict == "success"
    assert [mark.outcome for mark in through["cot"].marks] == ["met", "met", "met"]
    assert through["dis"].verdict == "limited success" and through["dis"].protocols == ("cot", "dis")
    fidelity: Mark = through["dis"].marks[2]
    assert fidelity.rung == "fidelity" and fidelity.reasons == ("field dropped",)


def test_what_a_protocol_has_no_message_for_is_named() -> None:
    assert "area" in sayable_kinds(offered("cot")) and "area" not in sayable_kinds(offered("dis"))
    found = exchanged(offered("cot"), offered("dis"))
    assert "area" in found.unsayable and found.passages


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("udp://127.0.0.1:1", ""), ("udp://0.0.0.0:1", "0.0.0.0"), ("udp://239.2.3.1:1", ""), ("udp://HOST:1", "host"),
        ("udp://239.2.3.1:1?via=10.0.0.1", "239.2.3.1"), ("tcp://10.0.0.1:1", ""), ("tcp-listen://[::]:1", "::"),
        ("dds://3", ""), ("dds://3?on=10.0.0.1", "10.0.0.1"), ("zenoh-listen://10.0.0.1:7447/x", "10.0.0.1"),
        ("zenoh://10.0.0.1:7447/x", ""),
    ],
)  # fmt: skip
def test_where_others_reach_what_listens_is_told(address: str, host: str) -> None:
    assert exposed(read_address(address)) == host


@settings(max_examples=30)
@given(st.integers(0, 2**32), st.sampled_from(sorted(PROTOCOLS)))
def test_no_bytes_break_the_probe_or_make_it_grow(seed: int, name: str) -> None:
    chance, speaks = random.Random(seed), offered(name)
    said = [message for one in speaks.specimens() for message in one.messages]
    probe = Probe(speaks, AT_US)
    pieces = []
    for number in range(40):
        data = bytearray(chance.choice(said)[:2000])
        for _ in range(chance.randrange(4)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        pieces.append(Piece(bytes(data), f"peer-{number % 3}", ended=chance.random() < 0.05))
        probe.hear(pieces[-1], AT_US + number)
    guesses(pieces, AT_US)
    found = probed(probe, AT_US + SECOND)
    assert found.pieces == 40 and len(found.checks) == 7
