"""MAVLink's bytes against pymavlink, both ways; damage, signatures, and a million small accidents."""

import math
import random
import struct
import tracemalloc
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymavlink.dialects.v10 import common as v1  # type: ignore[import-untyped]
from pymavlink.dialects.v20 import common as v2  # type: ignore[import-untyped]

from aldis.apps.experiments.gateways.mavlink import OFFERED, MavlinkGateway
from aldis.apps.experiments.gateways.mavlink.frames import LONGEST, Frame, Parser, checksum
from aldis.apps.experiments.gateways.mavlink.messages import BY_ID, OPAQUE, Layout
from aldis.apps.experiments.gateways.mavlink.modes import mode_text
from aldis.apps.experiments.gateways.mavlink.outbox import Outbox
from aldis.apps.experiments.gateways.mavlink.signing import Signer

LAYOUTS = [layout for number, layout in BY_ID.items() if number not in OPAQUE]
AT = 1_700_000_000_000_000
KEY = bytes(range(32))
_RANGES = {
    "B": (0, 255), "b": (-128, 127), "H": (0, 65_535), "h": (-32_768, 32_767), "I": (0, 2**32 - 1),
    "i": (-(2**31), 2**31 - 1), "Q": (0, 2**64 - 1), "q": (-(2**63), 2**63 - 1),
}  # fmt: skip


def test_the_table_is_that_of_the_definitions() -> None:
    for number, layout in BY_ID.items():
        peer = v2.mavlink_map[number]
        assert (peer.msgname, peer.crc_extra) == (layout.name, layout.crc_extra)
        if number in OPAQUE:
            assert layout.base <= peer.unpacker.size
        else:
            assert (tuple(peer.ordered_fieldnames), peer.unpacker.format) == (layout.names, layout.struct.format)
            if number in v1.mavlink_map:
                assert v1.mavlink_map[number].unpacker.size == layout.base


def value_of(kind: str, count: int) -> st.SearchStrategy[Any]:
    if kind == "s":
        letters = st.characters(min_codepoint=32, max_codepoint=126)
        return st.text(letters, max_size=count)
    one: st.SearchStrategy[Any] = (
        st.floats(width=32, allow_nan=False, allow_infinity=False) if kind == "f" else st.integers(*_RANGES[kind])
    )
    return one if count == 1 else st.lists(one, min_size=count, max_size=count)


@st.composite
def messages(draw: st.DrawFn) -> tuple[Layout, dict[str, Any]]:
    layout = draw(st.sampled_from(LAYOUTS))
    pairs = zip(layout.names, layout.spans, strict=True)
    return layout, {name: draw(value_of(kind, count)) for name, (_, count, kind) in pairs}


def peer_parser() -> Any:
    parser = v2.MAVLink(None)
    parser.robust_parsing = True
    return parser


@given(messages(), st.integers(1, 255), st.integers(1, 255))
def test_what_we_send_pymavlink_reads(message: tuple[Layout, dict[str, Any]], system: int, component: int) -> None:
    layout, values = message
    (found,) = peer_parser().parse_buffer(Outbox().frame(layout.name, (system, component), AT, **values))
    assert (found.get_type(), found.get_srcSystem(), found.get_srcComponent()) == (layout.name, system, component)
    for name, value in values.items():
        assert getattr(found, name) == value


@given(messages(), st.booleans())
def test_what_pymavlink_sends_we_read(message: tuple[Layout, dict[str, Any]], older: bool) -> None:
    layout, values = message
    dialect: Any = v1 if older and layout.id in v1.mavlink_map else v2
    peer = dialect.mavlink_map[layout.id]
    given_values = {name: value.encode() if isinstance(value, str) else value for name, value in values.items()}
    sender = dialect.MAVLink(None, srcSystem=9, srcComponent=8)
    data = peer(**{name: given_values[name] for name in peer.fieldnames}).pack(sender)
    frames, faults = Parser().feed(data)
    assert not faults
    (frame,) = frames
    assert (frame.message, frame.system, frame.component) == (layout.id, 9, 8)
    row, mask = layout.row(frame.payload)
    for place, name in enumerate(layout.names):
        if name in peer.fieldnames and not mask >> place & 1:
            value = values[name]
            assert row[place] == (tuple(value) if isinstance(value, list) else value)


def test_the_checksum_is_pymavlinks() -> None:
    for size in (0, 1, 9, 255):
        data = random.Random(size).randbytes(size)
        assert checksum(data, 77) == v2.x25crc(data + bytes([77])).crc


def test_frames_are_found_again_after_damage_and_in_pieces() -> None:
    whole = [message for specimen in OFFERED.specimens() for message in specimen.messages]
    chance = random.Random(1)
    stream = b"".join(
        chance.randbytes(chance.randrange(40)).replace(b"\xfd", b"").replace(b"\xfe", b"") + m for m in whole
    )
    for piece in (1, 7, 64, len(stream)):
        parser = Parser()
        found: list[Frame] = []
        for at in range(0, len(stream), piece):
            found += parser.feed(stream[at : at + piece])[0]
            assert len(parser.pending) <= LONGEST
        assert [frame.raw for frame in found] == whole


def test_a_truncated_datagram_does_not_swallow_the_next() -> None:
    one = OFFERED.specimens()[0].messages[0]
    parser = Parser()
    assert parser.feed(one[:-5]) == ([], [])
    frames, faults = parser.feed(one)
    assert [frame.raw for frame in frames] == [one]
    assert faults == ["cut short"]


def test_flags_that_nobody_knows_are_not_guessed() -> None:
    data = bytearray(OFFERED.specimens()[0].messages[0])
    data[2] = 0x02
    assert "flags not known" in Parser().feed(bytes(data))[1]


def test_a_longer_message_of_a_newer_definition_is_read_as_far_as_it_is_known() -> None:
    layout = BY_ID[245]
    payload = layout.payload(vtol_state=1, landed_state=2) + b"\x09\x09"
    outbox = Outbox()
    (frame,), _ = Parser().feed(outbox.packed(layout, payload, (1, 1), AT))
    assert layout.row(frame.payload)[0] == (1, 2)


def test_signatures_are_pymavlinks_both_ways() -> None:
    ours = Outbox(Signer(KEY, link=3))
    peer = peer_parser()
    peer.signing.secret_key = KEY
    peer.signing.timestamp = (AT - 1_420_070_400_000_000) // 10
    data = ours.frame("HEARTBEAT", (1, 1), AT, type=11)
    (found,) = peer.parse_buffer(data)
    assert found.get_type() == "HEARTBEAT"

    theirs = v2.MAVLink(None, srcSystem=5, srcComponent=6)
    theirs.signing.secret_key, theirs.signing.sign_outgoing = KEY, True
    theirs.signing.timestamp = (AT - 1_420_070_400_000_000) // 10 + 10
    heartbeat = v2.MAVLink_heartbeat_message(11, 3, 1, 4, 4, 3).pack(theirs)
    (frame,), _ = Parser().feed(heartbeat)
    signer = Signer(KEY)
    assert signer.fault(frame, AT) is None
    assert signer.fault(frame, AT) == "signed before"
    assert Signer(bytes(32)).fault(frame, AT) == "signature"
    assert Signer(KEY).fault(frame, AT + 120_000_000) == "signed too long ago"


def test_with_a_key_only_what_is_signed_by_it_comes_in() -> None:
    for key, dropped in ((None, {}), (bytes(32), {"signature": 1})):
        gateway = MavlinkGateway(key=key)
        gateway.feed(Outbox(Signer(KEY)).frame("HEARTBEAT", (1, 1), AT, type=11), AT)
        assert dict(gateway.tally.dropped) == dropped
    gateway = MavlinkGateway(key=KEY)
    gateway.feed(Outbox().frame("HEARTBEAT", (1, 1), AT, type=11), AT)
    assert dict(gateway.tally.dropped) == {"not signed": 1}
    signed = Outbox(Signer(KEY)).frame("HEARTBEAT", (1, 1), AT, type=11)
    flipped = signed[:-1] + bytes([signed[-1] ^ 1])
    gateway.feed(flipped, AT)
    gateway.feed(signed, AT)
    assert dict(gateway.tally.dropped) == {"not signed": 1, "signature": 1}
    assert gateway.tally.carried == 1
    with pytest.raises(ValueError, match="32 bytes"):
        Signer(b"short")


def test_modes_are_called_what_pymavlink_calls_them() -> None:
    from pymavlink import mavutil  # type: ignore[import-untyped]

    for mav_type in (1, 2, 10, 11, 12, 13):
        for code, name in mavutil.mode_mapping_bynumber(mav_type).items():
            assert mode_text(3, mav_type, code) == name
    for main, sub, name in ((1, 0, "MANUAL"), (4, 4, "MISSION"), (4, 5, "RTL"), (4, 3, "LOITER"), (6, 0, "OFFBOARD")):
        base = 1 if main == 1 else 29
        peer = mavutil.interpret_px4_mode(base | 64 if main == 1 else base, main << 16 | sub << 24)
        ours = mode_text(12, 2, main << 16 | sub << 24)
        assert ours is not None
        assert name in ours
        assert name in peer or main == 1


def check(gateway: MavlinkGateway) -> None:
    tally = gateway.tally
    assert tally.seen == tally.carried + tally.dropped.total() + tally.waiting
    assert tally.waiting >= 0


@given(st.lists(st.binary(max_size=400), max_size=6))
def test_random_bytes_are_counted_and_nothing_else(pieces: list[bytes]) -> None:
    gateway = MavlinkGateway()
    for data in pieces:
        gateway.feed(data, AT)
        check(gateway)
    gateway.close()
    assert gateway.tally.waiting == 0


def mutated(chance: random.Random, whole: list[Frame]) -> bytes:
    """A specimen with some bytes of its payload changed, under a checksum that is right half the time."""
    frame = chance.choice(whole)
    data = bytearray(frame.raw)
    for _ in range(chance.randrange(1, 6)):
        data[chance.randrange(len(data))] = chance.choice((0, 255, 127, 128, chance.randrange(256)))
    if chance.random() < 0.5:
        payload = bytearray(frame.payload)
        for _ in range(chance.randrange(1, 6)):
            payload[chance.randrange(len(payload))] = chance.choice((0, 255, 127, 128, chance.randrange(256)))
        source = (chance.choice((1, 7, 252, chance.randrange(256))), chance.choice((1, 190)))
        return Outbox().packed(BY_ID[frame.message], bytes(payload), source, AT)
    if chance.random() < 0.2:
        return bytes(data[: chance.randrange(len(data))])
    return bytes(data)


def assault(count: int) -> None:
    whole = Parser().feed(b"".join(m for specimen in OFFERED.specimens() for m in specimen.messages))[0]
    chance = random.Random(4)
    gateway, other = MavlinkGateway(), MavlinkGateway()
    for turn in range(count):
        for decoded in gateway.feed(mutated(chance, whole), AT + turn * 1000):
            names = [entry.field for entry in decoded.ledger.entries]
            assert len(names) == len(set(names))
            if turn % 4 == 0:
                for message in other.encode(decoded.entity, AT + turn * 1000).messages:
                    assert not Parser().feed(message)[1]
        if turn % 64 == 0:
            check(gateway)
            gateway.idle(AT + turn * 1000)
    gateway.close()
    check(gateway)
    assert gateway.tally.waiting == 0


def test_mutated_messages_are_counted_and_what_is_read_can_be_said() -> None:
    assault(3_000)


@pytest.mark.slow
def test_a_hundred_thousand_mutations_neither_raise_nor_grow() -> None:
    assault(100_000)
    tracemalloc.start()
    assault(5_000)
    current, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert current < 16 << 20


def test_floats_that_are_no_numbers_are_unknown() -> None:
    layout = BY_ID[30]
    for bad in (math.nan, math.inf, -math.inf):
        payload = struct.pack("<Iffffff", 1, bad, 0, 0, 0, 0, 0)
        assert layout.row(payload)[0][1] is None
