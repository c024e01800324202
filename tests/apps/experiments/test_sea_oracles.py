"""What other software reads in our sentences and messages, and what it reads in real recordings."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pyais
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nmea2000 import NMEA2000Decoder  # type: ignore[import-untyped]
from nmea2000.input_formats import N2KFormat  # type: ignore[import-untyped]

from aldis.apps.experiments.entity import Motion, Position, Track, Type
from aldis.apps.experiments.gateways.gateway import Damaged, Tally
from aldis.apps.experiments.gateways.nmea import OFFERED as NMEA
from aldis.apps.experiments.gateways.nmea import NmeaGateway
from aldis.apps.experiments.gateways.nmea.layouts import LAYOUTS, layout_of
from aldis.apps.experiments.gateways.nmea.sending import Sender
from aldis.apps.experiments.gateways.nmea.sentences import Assembler, Message
from aldis.apps.experiments.gateways.nmea2000 import OFFERED as N2K
from aldis.apps.experiments.gateways.nmea2000 import N2kGateway
from aldis.apps.experiments.gateways.nmea2000.frames import LOG_LINE
from aldis.apps.experiments.gateways.nmea2000.pgns import PGNS

AT = 1_718_106_372_500_000
GPSDECODE = shutil.which("gpsdecode")
THEIR_NAMES = {
    "type": "msg_type",
    "manoeuvre": "maneuver",
    "altitude": "alt",
    "version": "ais_version",
    "part": "partno",
    "destination_mmsi": "dest_mmsi",
    "off_position": "off_position",
    "virtual": "virtual_aid",
    "name": "shipname",
}
SCALES = {"lat": 600_000, "lon": 600_000, "course": 10, "speed": 10, "draught": 10}


def bits_of(*lines: bytes) -> tuple[int, int]:
    assembler = Assembler(Tally())
    found = [heard for line in lines if (heard := assembler.push(line.strip(), AT))]
    assert isinstance(found[-1], Message)
    return found[-1].bits, found[-1].size


def agrees(bits: int, size: int, theirs: dict[str, Any]) -> int:
    """How many fields pyais and our layout both name; each must be the same."""
    layout = layout_of(bits, size)
    assert layout is not None
    same = 0
    for name, value in layout.unpack(bits, size).items():
        other = theirs.get(THEIR_NAMES.get(name, name))
        if name == "name" and layout.name == "aid":
            other = theirs.get("name")
        if other is None or name in ("epfd", "ship_type", "aid_type", "name_extension") or "spare" in name:
            continue  # enumerations fold what is reserved
        if layout.name == "weather" and name in ("pressure", "salinity", "visibility"):
            continue  # scaled there; see the test of weather
        if isinstance(value, str):
            assert value.split("@")[0].strip() == str(other).split("@")[0].strip(), name
        elif name == "turn":
            assert abs(value) > 126 or (value / 4.733) ** 2 == pytest.approx(abs(float(other)), abs=0.51)
        elif name in ("lat", "lon", "course", "speed", "draught"):
            scale = SCALES[name]
            if layout.name == "weather":
                scale = 60_000
            elif layout.name == "long range":
                scale = {"lat": 600, "lon": 600}.get(name, 1)
            elif (layout.name, name) == ("aircraft", "speed"):
                scale = 1
            assert value / scale == pytest.approx(float(other), abs=6e-7), name
        else:
            assert value == int(other), name
        same += 1
    return same


def test_every_sentence_of_the_live_stream_is_read_as_pyais_reads_it(dma_stream: Path) -> None:
    lines = [line.split(b",127625")[0] for line in dma_stream.read_bytes().splitlines() if line.startswith(b"!")]
    assembler = Assembler(Tally())
    ours = [heard for line in lines if isinstance(heard := assembler.push(line, AT), Message)]
    theirs = list(pyais.IterMessages(lines))
    assert len(ours) == len(theirs)
    compared = 0
    for mine, their in zip(ours, theirs, strict=True):
        if layout_of(mine.bits, mine.size) is not None:
            compared += agrees(mine.bits, mine.size, their.decode().asdict(enum_as_int=True))
    assert compared > 50_000


@pytest.mark.parametrize("specimen", [s for s in NMEA.specimens() if s.messages[0][:1] == b"!"], ids=lambda s: s.name)
def test_pyais_reads_what_we_write(specimen: Any) -> None:
    gateway = NmeaGateway()
    for message in specimen.messages:
        lines = message.splitlines()
        assert agrees(*bits_of(*lines), pyais.decode(*lines).asdict(enum_as_int=True)) > 3
        [decoded] = gateway.feed(message, AT)
        for again in gateway.encode(decoded.entity, AT).messages:
            lines = again.splitlines()
            assert agrees(*bits_of(*lines), pyais.decode(*lines).asdict(enum_as_int=True)) > 3


@given(
    lat=st.floats(-90, 90),
    lon=st.floats(-180, 180),
    speed=st.none() | st.floats(0, 52),
    course=st.none() | st.floats(0, 359.9),
    turn=st.none() | st.floats(-700, 700),
)
def test_pyais_reads_any_position_as_we_meant_it(
    lat: float, lon: float, speed: float | None, course: float | None, turn: float | None
) -> None:
    motion = Motion(speed_mps=speed, course_deg=course, turn_deg_per_min=turn)
    kind = Type(station="class A")
    track = Track(key="mmsi:230000001", position=Position(lat_deg=lat, lon_deg=lon), motion=motion, type=kind)
    [message] = NmeaGateway().encode(track, AT).messages
    raw: dict[str, Any] = pyais.decode(message.strip()).asdict()
    assert (raw["lat"], raw["lon"]) == pytest.approx((lat, lon), abs=1.4e-6)
    assert raw["speed"] == (102.3 if speed is None else pytest.approx(speed * 3600 / 1852, abs=0.051))
    assert raw["course"] % 360 == (0 if course is None else pytest.approx(course, abs=0.051))
    if turn is not None:
        assert float(raw["turn"]) == pytest.approx(turn, abs=5.7)


@pytest.mark.skipif(GPSDECODE is None, reason="no gpsdecode: install Debian's gpsd-clients")
def test_gpsdecode_reads_what_we_write() -> None:
    specimens = [s for s in NMEA.specimens() if s.messages[0][:1] == b"!"]
    text = b"".join(m for s in specimens for m in s.messages)
    assert GPSDECODE is not None
    done = subprocess.run([GPSDECODE, "-u"], input=text, capture_output=True, timeout=30, check=True)
    theirs = [json.loads(line) for line in done.stdout.splitlines() if b'"class":"AIS"' in line]
    ours = []
    for specimen in specimens:
        for message in specimen.messages:
            bits, size = bits_of(*message.splitlines())
            layout = layout_of(bits, size)
            assert layout is not None
            ours.append(layout.unpack(bits, size))
    by_type = {(t["type"], t.get("part", "")): t for t in theirs}
    assert {t["type"] for t in theirs} >= {3, 4, 5, 8, 9, 12, 14, 18, 19, 21, 27}
    names = {"manoeuvre": "maneuver", "altitude": "alt", "ship_type": "shiptype", "name": "shipname"}
    compared = 0
    for said in ours:
        kind = int(said["type"])
        if kind == 24:
            continue  # gpsdecode says both parts together
        their = by_type[(kind, "")]
        for name, value in said.items():
            other = their.get("name" if name == "name" and kind == 21 else names.get(name, name))
            if isinstance(other, int) and not isinstance(other, bool) and isinstance(value, int) and name != "turn":
                scaled = kind == 27 and name in ("lat", "lon", "speed", "course")
                assert value == other or scaled, (kind, name)
                compared += 1
            elif isinstance(other, str) and isinstance(value, str):
                assert value.rstrip("@") == other or kind == 21, (kind, name)
                compared += 1
    assert compared > 100


def theirs_of(decoder: Any, pgn: int, data: bytes) -> dict[str, Any]:
    line = f"2000-01-01T00:00:00.0Z,4,{pgn},43,255,{len(data)},{data.hex(',')}"
    message = decoder.decode(line)
    return {} if message is None else {field.id: field for field in message.fields}


def same_message(decoder: Any, pgn: int, data: bytes) -> int:
    """How many fields the library and our table both read; each must be the same."""
    theirs, compared = theirs_of(decoder, pgn, data), 0
    kinds = {item.name: item.kind for item in PGNS[pgn].fields}
    ours = PGNS[pgn].unpack(data)
    for name, value in ours.items():
        field = theirs.get(name)
        if field is None or kinds[name] in "dx":
            continue
        if kinds[name] == "c":
            assert field.raw_value in (None, value), (pgn, name)
        elif kinds[name] == "h":
            if field.value is not None and float(value) < 86_400:  # beyond, it starts the day anew
                clock = field.value
                seconds = clock.hour * 3600 + clock.minute * 60 + clock.second
                assert seconds == int(value)  # it cuts fractions off
        elif isinstance(value, str):
            assert str(field.value).split("@")[0].strip() == value, (pgn, name)
        elif field.value is not None:
            assert float(field.value) == pytest.approx(value, rel=1e-9, abs=1e-9), (pgn, name)
        compared += 1
    for name, field in theirs.items():
        if kinds.get(name, "r") in "us" and isinstance(field.value, float):
            assert name in ours, (pgn, name)
    return compared


def library() -> Any:
    return NMEA2000Decoder(bound_format=N2KFormat.BASIC_STRING, units="si")


@pytest.mark.parametrize("specimen", N2K.specimens(), ids=lambda s: s.name)
def test_the_nmea2000_library_reads_what_we_write(specimen: Any) -> None:
    decoder, gateway = library(), N2kGateway()
    for message in specimen.messages:
        [decoded] = gateway.feed(message, AT)
        for line in (message, *gateway.encode(decoded.entity, AT).messages):
            found = LOG_LINE.fullmatch(line.strip())
            assert found
            data = bytes.fromhex(found["data"].decode().replace(",", ""))
            assert same_message(decoder, int(found["pgn"]), data) >= 1


@pytest.mark.slow
def test_every_message_of_the_recording_is_read_as_the_nmea2000_library_reads_it(porkkala: Path) -> None:
    decoder, compared = library(), 0
    for line in porkkala.read_bytes().splitlines():
        found = LOG_LINE.fullmatch(line)
        if found and int(found["pgn"]) in PGNS:
            compared += same_message(decoder, int(found["pgn"]), bytes.fromhex(found["data"].decode().replace(",", "")))
    assert compared > 50_000


def test_a_layout_holds_as_many_bits_as_the_recommendation_says() -> None:
    sizes = {"class A": 168, "base": 168, "static": 424, "aircraft": 168, "class B": 168, "class B extended": 312,
             "aid": 272, "name": 160, "static B": 168, "long range": 96, "weather": 360}  # fmt: skip
    assert {name: LAYOUTS[name].size for name in sizes} == sizes
    assert re.fullmatch(rb"!AIVDM,1,1,,A,.{28},0\*..\r\n", Sender().bits(1 << 162, 168))
    with pytest.raises(Damaged):
        Assembler(Tally()).push(b"!AIVDM,1,1,,A,1,0*00", AT)
