"""Protocols from mapping files: the two examples, every framing and checksum, errors that help, damage."""

from __future__ import annotations

import random
import re
import struct
from pathlib import Path
from typing import Any

import msgspec
import pytest
from entities import entities
from hypothesis import given, settings
from hypothesis import strategies as st
from test_tables import mutated, survives

from aldis.apps.experiments.entity import Entity, Identity, Motion, Position, Timing, Track
from aldis.apps.experiments.gateways.gateway import Offered
from aldis.apps.experiments.gateways.layout import flat
from aldis.apps.experiments.gateways.mapping import offered_from, spec
from aldis.apps.experiments.gateways.mapping.checksums import SIZES, sum_of
from aldis.apps.experiments.gateways.mapping.spec import Checksum
from aldis.apps.experiments.gateways.mapping.times import clock_of, clock_text
from aldis.apps.experiments.gateways.mapping.units import UNITS, conversion, unit_of
from aldis.kernel.errors import InvalidInput, UnknownTerm

AT = 1_790_000_000_000_000
EXAMPLES = Path(__file__).parents[3] / "src" / "aldis" / "apps" / "experiments" / "examples"
HARBOUR = offered_from(EXAMPLES / "harbour-tracker.toml")
UBX = offered_from(EXAMPLES / "ubx-nav-pvt.toml")
BOTH = pytest.mark.parametrize("offered", [HARBOUR, UBX], ids=lambda one: one.protocol)
POS = b"@POS;T-0815;141320.25;3351.4071;S;15112.9178;E;14.1;211.5;R*%s\r\n"


def fletcher(data: bytes) -> bytes:
    a = b = 0
    for byte in data:
        a = (a + byte) % 256
        b = (b + a) % 256
    return bytes([a, b])


def nav_pvt(**said: int) -> bytes:
    """A UBX-NAV-PVT by hand, from the table in u-blox' interface description."""
    names = [
        "iTOW",
        "year",
        "month",
        "day",
        "hour",
        "min",
        "sec",
        "valid",
        "tAcc",
        "nano",
        "fixType",
        "flags",
        "flags2",
        "numSV",
        "lon",
        "lat",
        "height",
        "hMSL",
        "hAcc",
        "vAcc",
        "velN",
        "velE",
        "velD",
        "gSpeed",
        "headMot",
        "sAcc",
        "headAcc",
        "pDOP",
        "flags3",
        "reserved",
        "headVeh",
        "magDec",
        "magAcc",
    ]
    payload = struct.pack("<IHBBBBBBIiBBBBiiiiIIiiiiiIIHHIihH", *(said.get(name, 0) for name in names))
    assert len(payload) == 92
    body = struct.pack("<BBH", 1, 7, 92) + payload
    return b"\xb5\x62" + body + fletcher(body)


FIX = {
    "year": 2026, "month": 9, "day": 21, "hour": 14, "min": 13, "sec": 20, "valid": 7, "nano": -250_000_000,
    "fixType": 3, "flags": 1, "numSV": 11, "lon": 1_512_152_967, "lat": -338_567_844, "height": 22_500, "hMSL": 250,
    "hAcc": 1500, "vAcc": 2500, "velN": 3000, "velE": -4000, "velD": 500, "gSpeed": 5000, "headMot": 30_686_990,
    "sAcc": 375, "tAcc": 0xFFFFFFFF,
}  # fmt: skip


def line(text: bytes) -> bytes:
    body = text[1 : text.index(b"*")]
    total = 0
    for byte in body:
        total ^= byte
    return text % f"{total:02X}".encode()


def only(offered: Offered, data: bytes) -> Track:
    gateway = offered.open()
    (found,) = gateway.feed(data, AT)
    gateway.close()
    assert (gateway.tally.seen, gateway.tally.carried) == (1, 1)
    assert isinstance(found.entity, Track)
    return found.entity


def test_a_fix_of_a_ublox_receiver_is_read_by_its_description() -> None:
    track = only(UBX, nav_pvt(**FIX))
    assert track.position is not None
    assert track.motion is not None
    assert track.timing is not None
    assert (track.position.lat_deg, track.position.lon_deg) == pytest.approx((-33.8567844, 151.2152967), abs=1e-12)
    assert (track.position.height_m, track.position.accuracy_m) == (22.5, 1.5)
    assert (track.motion.speed_mps, track.motion.climb_mps) == (5.0, -0.5)
    assert track.motion.course_deg == pytest.approx(306.8699)
    assert track.timing.source_us == 1_789_999_999_750_000
    assert track.timing.source_uncertainty_us is None
    assert track.position.at == 1_789_999_999_750


def test_without_a_fix_a_ublox_receiver_is_nowhere() -> None:
    track = only(UBX, nav_pvt(**FIX | {"flags": 0, "valid": 0}))
    assert track.position is None
    assert track.motion is not None
    assert (track.motion.speed_mps, track.motion.course_deg) == (None, None)
    assert track.timing is not None
    assert track.timing.source_us is None


def test_what_a_ublox_receiver_said_is_written_again_bit_by_bit() -> None:
    message = nav_pvt(
        **FIX | {"flags2": 0xA8, "reserved": 7, "magDec": -12, "iTOW": 99, "flags": 0x83, "nano": 250_000_000}
    )
    gateway = UBX.open()
    (found,) = gateway.feed(message, AT)
    encoded = gateway.encode(found.entity, AT)
    assert UBX.fields(encoded.messages) == UBX.fields([message])


def test_pyubx2_reads_what_is_written() -> None:
    pyubx2: Any = pytest.importorskip("pyubx2")
    (message,) = UBX.open().encode(only(UBX, nav_pvt(**FIX)), AT).messages
    parsed = pyubx2.UBXReader.parse(message)
    assert parsed.identity == "NAV-PVT"
    assert (parsed.lat, parsed.lon, parsed.height, parsed.gSpeed) == (-33.8567844, 151.2152967, 22500, 5000)
    assert (parsed.year, parsed.second, parsed.nano, parsed.gnssFixOk) == (2026, 19, 750_000_000, 1)
    theirs = pyubx2.UBXMessage("NAV", "NAV-PVT", 0, lat=1.5, lon=-2.5, gSpeed=1000, gnssFixOk=1, fixType=3).serialize()
    track = only(UBX, theirs)
    assert track.position is not None
    assert (track.position.lat_deg, track.position.lon_deg) == pytest.approx((1.5, -2.5))


def test_a_line_of_the_tracker_is_read_and_written_again() -> None:
    track = only(HARBOUR, line(POS))
    assert track.key == "harbour:T-0815"
    assert track.position is not None
    assert track.position.lat_deg == pytest.approx(-(33 + 51.4071 / 60))
    assert track.motion is not None
    assert track.motion.speed_mps == pytest.approx(14.1 * 1852 / 3600)
    assert track.timing is not None
    assert track.timing.source_us == AT + 250_000
    encoded = HARBOUR.open().encode(track, AT)
    assert encoded.messages == (line(POS),)


def test_what_is_not_known_is_left_blank_or_said_to_be_unknown() -> None:
    track = Track(key="harbour:7", position=Position(lat_deg=1.0, lon_deg=2.0))
    (message,) = HARBOUR.open().encode(track, AT).messages
    assert message.startswith(b"@POS;7;;0100.0000;N;00200.0000;E;99.9;;*")
    assert only(HARBOUR, message).motion is None


def test_what_cannot_be_said_has_its_reason() -> None:
    gateway = HARBOUR.open()
    track = Track(
        key="mmsi:1", identity=Identity(name="A;B", callsign="X"), motion=Motion(speed_mps=99.9 * 1852 / 3600)
    )
    encoded = gateway.encode(track, AT)
    assert {entry.field: entry.reason for entry in encoded.ledger.dropped} == {
        "key": "no code",
        "identity.name": "not text of this protocol",
        "identity.callsign": "no field",
        "motion.speed_mps": "no code",
    }
    name = gateway.encode(Track(key="harbour:1", identity=Identity(name="x" * 21)), AT)
    assert [entry.reason for entry in name.ledger.dropped] == ["no field", "too long"]
    whole = Track(
        key="ubx:receiver", position=Position(lat_deg=0.0, lon_deg=0.0, height_m=1e9), timing=Timing(source_us=AT)
    )
    fates = {entry.field: entry.reason for entry in UBX.open().encode(whole, AT).ledger.dropped}
    assert fates == {
        "position.height_m": "out of range",
        "position.lat_deg": "no code",
        "position.lon_deg": "no code",
    }


@BOTH
def test_the_ledger_of_a_mapped_specimen_names_exactly_its_fields(offered: Offered) -> None:
    for specimen in offered.specimens():
        gateway = offered.open()
        decoded = [one for message in specimen.messages for one in gateway.feed(message, AT)]
        named = [entry.field for one in decoded for entry in one.ledger.entries]
        assert sorted(named) == sorted(offered.fields(specimen.messages))
        assert offered.familiar(specimen.messages[0])


@BOTH
@given(at=st.integers(1, 50))
@settings(max_examples=20)
def test_messages_may_come_in_pieces_between_noise(offered: Offered, at: int) -> None:
    message = offered.specimens()[0].messages[0]
    stream = b"\xb5junk\r\n" + message + message[:9] + b"\r\n" + message
    gateway = offered.open()
    found = [one for i in range(0, len(stream), at) for one in gateway.feed(stream[i : i + at], AT)]
    gateway.close()
    tally = gateway.tally
    assert tally.carried == len(found)
    assert tally.carried >= 1
    assert tally.waiting == 0
    assert tally.dropped


@BOTH
@given(entity=entities())
@settings(max_examples=100)
def test_any_entity_has_a_whole_ledger_and_what_is_written_is_read_again(offered: Offered, entity: Entity) -> None:
    encoded = offered.open().encode(entity, AT)
    assert sorted(entry.field for entry in encoded.ledger.entries) == sorted(flat(entity))
    gateway = offered.open()
    found = [one for message in encoded.messages for one in gateway.feed(message, AT)]
    gateway.close()
    assert len(found) == len(encoded.messages) == gateway.tally.seen
    if not encoded.messages:
        assert len(encoded.ledger.dropped) == len(encoded.ledger.entries)


def write(folder: Path, **changes: str) -> Path:
    """A small mapping file, with parts of it replaced."""
    parts = {
        "top": 'protocol = "small"\ntitle = "Small"\nform = "text"\ndelimiter = ","\n',
        "framing": '[framing]\nkind = "lines"\n',
        "message": '[[message]]\nname = "M"\nkey = "small:{id}"\n',
        "field": '[[message.field]]\nname = "id"\nat = 0\n[[message.field]]\nname = "speed"\nat = 1\n'
        'to = "motion.speed_mps"\n',
    } | changes
    path = folder / "small.toml"
    path.write_text("".join(parts.values()), "utf-8")
    return path


TWO = '[[message]]\nname = "N"\nkey = "n"\nfield = []\n[[message]]\nname = "M"\nkey = "{id}"\n'
FIELD = '[[message.field]]\nname = "id"\nat = 0\n[[message.field]]\nname = "x"\n'


@pytest.mark.parametrize(
    ("changes", "message", "fix"),
    [
        ({"top": 'protocl = "x"\n'}, "the top has the unknown key 'protocl'", "Did you mean 'protocol'?"),
        ({"field": FIELD + "at = 1\nunits = 3\n"}, "message 'M', field 'x' has the unknown key 'units'", "'unit'"),
        ({"field": FIELD + 'at = "1"\n'}, "message 'M', field 'x', 'at': Expected `int", "Mend that value"),
        ({"field": FIELD + 'at = 1\nto = "motion.sped_mps"\n'}, "field 'x': the model's field", "'motion.speed_mps'"),
        ({"field": FIELD + 'at = 1\nunit = "knots"\nto = "motion.speed_mps"\n'}, "the unit 'knots' is not known", "kn"),
        ({"field": FIELD + 'at = 1\nunit = "ft"\nto = "motion.speed_mps"\n'}, "a unit of length", "Leave the unit out"),
        ({"field": FIELD}, "it is nowhere", "Give `at`"),
        ({"field": FIELD + 'at = 1\ntype = "u8"\n'}, "text has no u8", "Write text"),
        ({"field": FIELD + 'at = 1\nscale = 0\nto = "motion.speed_mps"\n'}, "`scale` is 0", "Write another"),
        ({"field": FIELD + 'at = 1\nto = "type.affiliation"\nvalues = { F = "a" }\n'}, "cannot be 'a'", "friend"),
        ({"field": FIELD + 'at = 1\nto = "motion.speed_mps"\nunknown = ["x"]\n'}, "what is no number", "decimal"),
        ({"field": FIELD + 'at = 1\nto = "sensor.chain"\n'}, "is no single value", "Map another"),
        ({"field": FIELD + "at = 1\n" + FIELD + "at = 2\n"}, "two fields have one name", "Give each its own"),
        ({"message": '[[message]]\nname = "M"\nkey = "{no}"\n'}, "the field in `key` 'no' is not known", "id"),
        ({"message": '[[message]]\nname = "M"\nkey = "{id.__class__}"\n'}, "is not known", "id"),
        ({"framing": '[framing]\nkind = "lines"\n[framing.checksum]\nkind = "xor"\n'}, "`mark` is missing", "mark"),
        ({"framing": '[framing]\nkind = "length"\n'}, "`length` is missing", "[framing.length]"),
        ({"framing": '[framing]\nkind = "between"\nstart = "zz"\n'}, "`start` cannot be 'zz'", "Write bytes"),
        ({"top": "x = [\n"}, "is not TOML", "Mend that line"),
        ({"message": TWO}, "nothing tells message 'N'", "`is`"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_its_place_and_what_to_do(
    tmp_path: Path, changes: dict[str, str], message: str, fix: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        offered_from(write(tmp_path, **changes))
    assert message in str(caught.value.args[0])
    assert "small.toml" in str(caught.value.args[0])
    assert fix in caught.value.fix
    assert isinstance(caught.value, UnknownTerm) is ("not known" in str(caught.value) or "unknown key" in message)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"no\.toml cannot be read"):
        offered_from(tmp_path / "no.toml")


BINARY = """
protocol = "small"
title = "Small"
form = "binary"
endian = "big"
{framing}
[[message]]
name = "M"
key = "small:{{id}}"
size = {size}
field = [
    {{ name = "id", at = {at}, type = "u16" }},
    {{ name = "temperature", at = {after}, type = "f32", unit = "degF", to = "environment.air_temperature_c" }},
    {{ name = "gust", at = {last}, type = "u8", unit = "kn", unknown = [255], to = "environment.gust_mps" }},
]
entity = "environment"
"""


@pytest.mark.parametrize("checksum", ["", "xor", "sum8", "fletcher8", "crc16-ccitt", "crc32"])
@pytest.mark.parametrize("kind", ["fixed", "length", "between"])
def test_every_framing_and_checksum_goes_there_and_back(tmp_path: Path, kind: str, checksum: str) -> None:
    size, at = 20, 4
    framing = {
        "fixed": f'[framing]\nkind = "fixed"\nstart = "aa55"\nsize = {size}\n',
        "length": '[framing]\nkind = "length"\nstart = "aa55"\nlength = { at = 2, type = "u16", endian = "big" }\n',
        "between": '[framing]\nkind = "between"\nstart = "02"\nend = "030d"\n',
    }[kind]
    place = -6 if kind == "between" else -4
    if checksum:
        framing += f'[framing.checksum]\nkind = "{checksum}"\nfirst = 1\nlast = {place}\nat = {place}\nendian = "big"\n'
        if kind == "length":
            framing = framing.replace(', endian = "big" }', ', endian = "big", adds = 4 }')
    path = tmp_path / "small.toml"
    path.write_text(BINARY.format(framing=framing, size=size, at=at, after=at + 2, last=at + 6), "utf-8")
    offered = offered_from(path)
    (specimen,) = offered.specimens()
    gateway = offered.open()
    stream = b"\x01noise" + specimen.messages[0] * 3
    found = [one for byte in stream for one in gateway.feed(bytes([byte]), AT)]
    assert len(found) == 3
    again = gateway.encode(found[0].entity, AT)
    assert again.messages == specimen.messages
    broken = bytearray(specimen.messages[0])
    broken[7] ^= 1
    assert bool(gateway.feed(bytes(broken), AT)) is not bool(checksum)


def test_fixed_columns_are_read_and_written(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        top='protocol = "small"\ntitle = "Small"\nform = "text"\n',
        field='[[message.field]]\nname = "id"\ncolumns = [0, 6]\n[[message.field]]\nname = "when"\ncolumns = [6, 33]\n'
        'time = "iso8601"\nto = "timing.source_us"\n[[message.field]]\nname = "speed"\ncolumns = [33, 39]\ndigits = 2\n'
        'unit = "km/h"\nto = "motion.speed_mps"\n',
    )
    offered = offered_from(path)
    text = b"T1    2026-09-21T14:13:20.250000Z 12.60\n"
    gateway = offered.open()
    (found,) = gateway.feed(text, AT)
    assert isinstance(found.entity, Track)
    assert found.entity.motion is not None
    assert found.entity.motion.speed_mps == pytest.approx(3.5)
    assert gateway.encode(found.entity, AT).messages == (text,)
    fast = gateway.encode(Track(key="small:T1", motion=Motion(speed_mps=1e9)), AT)
    assert [entry.reason for entry in fast.ledger.dropped] == ["no field", "out of range"]


def test_published_check_values_of_the_checksums() -> None:
    text = b"123456789"
    assert sum_of(Checksum(kind="crc16-ccitt", endian="big"), text).hex() == "29b1"
    assert sum_of(Checksum(kind="crc32", endian="big"), text).hex() == "cbf43926"
    assert sum_of(Checksum(kind="sum8"), text).hex() == "dd"
    assert sum_of(Checksum(kind="fletcher8"), text) == fletcher(text)


def test_a_time_of_day_belongs_to_the_nearest_day() -> None:
    day = 86_400_000_000
    midnight = AT - AT % day
    assert clock_of("235959.5", midnight + 1) == midnight - 500_000
    assert clock_of("00:00:01", midnight - 1) == midnight + 1_000_000
    assert clock_text(midnight - 1, 2) == "000000.00"
    assert clock_text(midnight + 3_661_250_000, 2) == "010101.25"


def test_units_come_to_those_of_the_model() -> None:
    for unit, (_, factor, offset) in UNITS.items():
        assert factor > 0, unit
        assert isinstance(offset, int | float)
    factor, offset = conversion("degF", "environment.air_temperature_c")
    assert 212 * factor + offset == pytest.approx(100)
    factor, offset = conversion("K", "environment.air_temperature_c")
    assert 300 * factor + offset == pytest.approx(26.85)
    assert conversion("s", "position.at")[0] == 1000
    assert unit_of("motion.turn_deg_per_min") == "deg/min"


@BOTH
@given(data=st.lists(st.binary(max_size=300), max_size=5))
@settings(max_examples=100)
def test_no_bytes_raise_in_a_mapped_protocol(offered: Offered, data: list[bytes]) -> None:
    gateway = offered.open()
    for piece in data:
        gateway.feed(piece, AT)
    gateway.close()
    assert gateway.tally.waiting == 0


@BOTH
def test_a_few_hundred_damaged_messages_of_a_mapped_protocol_do_no_harm(offered: Offered) -> None:
    survives(offered.open, [m for one in offered.specimens() for m in one.messages], 400, 3)


@BOTH
def test_values_of_every_kind_in_sound_frames_do_no_harm(offered: Offered) -> None:
    rng = random.Random(4)
    gateway = offered.open()
    messages = [m for one in offered.specimens() for m in one.messages]
    for _ in range(300):
        body = mutated(rng, rng.choice(messages))
        if offered is UBX:
            frame = bytearray(body[:98].ljust(98, b"\0"))
            frame[:6] = b"\xb5\x62\x01\x07\x5c\x00"
            body = bytes(frame) + fletcher(bytes(frame[2:]))
        else:
            text = body.split(b"*")[0].replace(b"\r", b"").replace(b"\n", b"").replace(b"%", b"")
            body = line(b"@" + text[1:] + b"*%s\r\n")
        for one in gateway.feed(body, AT):
            gateway.encode(one.entity, AT)
    gateway.close()
    assert gateway.tally.carried > 50
    assert gateway.tally.waiting == 0


@BOTH
@pytest.mark.slow
def test_a_hundred_thousand_damaged_messages_of_a_mapped_protocol_do_no_harm(offered: Offered) -> None:
    survives(offered.open, [m for one in offered.specimens() for m in one.messages], 100_000, 5)


def test_every_key_and_unit_of_a_mapping_file_is_documented() -> None:
    page = (EXAMPLES.parents[4] / "docs" / "how-to" / "connect-a-legacy-system.md").read_text("utf-8")
    tables = (spec.Mapping, spec.Framing, spec.Length, spec.Checksum, spec.MessageSpec, spec.FieldSpec)
    keys = {field.encode_name for table in tables for field in msgspec.structs.fields(table)}
    words = set(re.findall(r"`\[*([^`\s\]]+)\]*`", page))
    assert keys | set(UNITS) | set(SIZES) <= words
