"""NMEA 2000 messages to the model and back."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nmea2000 import backend  # type: ignore[import-untyped]
from nmea2000._canboat import can_id_compose, fast_packet_fragment  # type: ignore[import-untyped]

from aldis.apps.experiments.entity import Decoded, Entity, Environment, Identity, Position, Track, Type
from aldis.apps.experiments.entity.geodesy import euler_of
from aldis.apps.experiments.gateways.nmea2000 import OFFERED, N2kGateway
from aldis.apps.experiments.gateways.nmea2000.frames import frames_of
from aldis.apps.experiments.gateways.nmea2000.pgns import PGNS

AT = 1_700_000_000_000_000
HEARD_MS = 1408129200443
NAMES = {
    129038: "aisClassAPositionReport",
    129039: "aisClassBPositionReport",
    129040: "aisClassBExtendedPositionReport",
    129041: "aisAidsToNavigationAtonReport",
    129793: "aisUtcAndDateReport",
    129794: "aisClassAStaticAndVoyageRelatedData",
    129798: "aisSarAircraftPositionReport",
    129809: "aisClassBStaticDataMsg24PartA",
    129810: "aisClassBStaticDataMsg24PartB",
    127250: "vesselHeading",
    130306: "windData",
    130312: "temperature",
    129029: "gnssPositionData",
    127257: "attitude",
    128267: "waterDepth",
}
SHIP = {"userId": 230000001, "latitude": 59.9, "longitude": 24.5, "sog": 5.0, "cog": 1.5, "heading": 1.6}


def logged(pgn: int, payload: bytes, time: str = "2014-08-15T19:00:00.443Z") -> bytes:
    return f"{time},4,{pgn},43,255,{len(payload)},{payload.hex(',')}".encode()


def encoded(pgn: int, **fields: Any) -> bytes:
    """A payload that the library encodes; binary fields must be given, as it closes the gap they leave."""
    binary = {"communicationState": bytes(3), "reservedForRegionalApplications": bytes(1)}
    present = {field.id for field in backend.DATABASE.pgn_info(NAMES[pgn]).fields}
    return bytes(backend.DATABASE.encode(NAMES[pgn], {k: v for k, v in (binary | fields).items() if k in present}))


def off_the_globe() -> bytes:
    """A position report whose latitude, bytes 9 to 12, is 93 degrees."""
    payload = encoded(129038, **SHIP)
    return payload[:9] + round(93e7).to_bytes(4, "little") + payload[13:]


def heard(*lines: bytes, gateway: N2kGateway | None = None) -> list[Entity]:
    gateway = gateway or N2kGateway()
    return [d.entity for line in lines for d in gateway.feed(line + b"\n", AT)]


def track(*lines: bytes, gateway: N2kGateway | None = None) -> Track:
    [*_, entity] = heard(*lines, gateway=gateway)
    assert isinstance(entity, Track)
    return entity


def closed(gateway: N2kGateway) -> Counter[str]:
    gateway.close()
    assert gateway.tally.waiting == 0
    return gateway.tally.dropped


def test_a_position_report_is_read_with_its_time_channel_and_device() -> None:
    seen = track(logged(129038, encoded(129038, **SHIP, navStatus=1, aisTransceiverInformation=1, timeStamp=59)))
    assert seen.key == "mmsi:230000001"
    assert seen.type == Type(station="class A")
    assert seen.sensor is not None
    assert (seen.sensor.received_ms, seen.sensor.station) == (HEARD_MS, "device 43")
    assert (seen.sensor.channel, seen.sensor.own) == ("B", None)
    assert seen.position is not None
    assert seen.motion is not None
    assert (seen.position.lat_deg, seen.position.lon_deg, seen.motion.speed_mps) == (59.9, 24.5, 5.0)
    assert seen.motion.course_deg == pytest.approx(85.94, abs=0.01)
    assert seen.status is not None
    assert seen.status.nav_status == "at anchor"
    assert seen.timing is not None
    assert (seen.timing.source_us, seen.timing.received_us) == (1408129199000000, AT)


@pytest.mark.parametrize("time", ["2014-08-15-19:00:00.443", "2014-08-15T19:00:00.443"])
def test_the_other_ways_of_writing_the_time_are_read_too(time: str) -> None:
    seen = track(logged(129038, encoded(129038, **SHIP), time))
    assert seen.sensor is not None
    assert seen.sensor.received_ms == HEARD_MS


def test_what_is_not_available_is_none() -> None:
    fields = {"userId": 230000001, "latitude": 59.9, "longitude": 24.5, "navStatus": 15, "timeStamp": 60}
    seen = track(logged(129038, encoded(129038, **fields)))
    assert seen.position is not None
    assert (seen.motion, seen.status, seen.voyage) == (None, None, None)
    assert track(logged(129038, encoded(129038, userId=230000001))).position is None


@pytest.mark.parametrize(("rate", "turn"), [(0.0003125, 1.074), (0.2055, None), (-0.2055, None)])
def test_a_turn_without_a_rate_is_not_a_rate(rate: float, turn: float | None) -> None:
    motion = track(logged(129038, encoded(129038, **SHIP, rateOfTurn=rate))).motion
    assert motion is not None
    assert motion.turn_deg_per_min == turn


def test_static_reports_fill_identity_type_and_voyage() -> None:
    hull = {"length": 161.0, "beam": 25.0, "positionReferenceFromStarboard": 8.0, "positionReferenceFromBow": 138.0}
    static = {"name": "HOOGE", "callsign": "ZDHM4", "typeOfShip": 71, "imoNumber": 9301122}
    voyage = {"destination": "ST.PETERSBURG", "draft": 10.2, "etaDate": 16298, "etaTime": 25200.0}
    seen = track(logged(129794, encoded(129794, userId=236333000, **hull, **static, **voyage)))
    assert seen.identity is not None
    assert seen.type is not None
    assert seen.voyage is not None
    assert (seen.identity.name, seen.identity.callsign, seen.identity.imo) == ("HOOGE", "ZDHM4", 9301122)
    assert (seen.type.ship_type, seen.type.length_m, seen.type.beam_m) == (71, 161, 25)
    assert (seen.type.bow_m, seen.type.starboard_m) == (138, 8)
    assert (seen.voyage.destination, seen.voyage.draught_m, seen.voyage.eta) == ("ST.PETERSBURG", 10.2, "08-16T07:00")


def test_an_eta_that_was_not_available_is_none() -> None:
    voyage = track(logged(129794, encoded(129794, userId=236333000, draft=1.5, etaDate=16404, etaTime=0.0))).voyage
    assert voyage is not None
    assert voyage.eta is None


@pytest.mark.parametrize(
    ("pgn", "kind", "fields"),
    [
        (129039, "class B", {"heading": 1.0}),
        (129040, "class B", {"name": "ADELANTE", "trueHeading": 1.0}),
        (129041, "aid to navigation", {"atonName": "BUOY-295", "lengthDiameter": 2.0}),
        (129793, "base station", {}),
        (129798, "aircraft", {"altitude": 300.0}),
    ],
)
def test_every_kind_of_station_is_told_apart(pgn: int, kind: str, fields: dict[str, Any]) -> None:
    seen = track(logged(pgn, encoded(pgn, userId=230000001, latitude=59.9, longitude=24.5, **fields)))
    assert seen.type is not None
    assert seen.type.station == kind
    assert seen.position is not None
    height = seen.position.original.values[2] if seen.position.original else None
    assert height == fields.get("altitude")
    assert seen.identity is not None
    assert seen.identity.name == fields.get("name", fields.get("atonName"))


def test_frames_are_put_together_whoever_sends_between_and_lost_ones_are_counted() -> None:
    payload = encoded(129038, **SHIP)
    frames = [logged(129038, frame) for frame in fast_packet_fragment(1, payload)]
    others = [frame.replace(b",43,255", b",44,255") for frame in frames]
    gateway = N2kGateway()
    mixed = [line for pair in zip(frames, reversed(others), strict=True) for line in pair]
    seen = heard(*mixed, gateway=gateway)
    assert seen[0] == track(logged(129038, payload))
    assert len(seen) == 2
    assert gateway.tally.carried == 2 * len(frames)
    heard(frames[0], frames[0], gateway=gateway)
    assert closed(gateway) == {"incomplete": 2}


def test_frames_as_candump_prints_them_are_read_and_written() -> None:
    payload = encoded(129038, **SHIP)
    identifier = can_id_compose(4, 129038, 43, 255)
    lines = [
        b"(1408129200.443000) can0 %08X#%s" % (identifier, frame.hex().upper().encode())
        for frame in fast_packet_fragment(1, payload)
    ]
    assert track(*lines) == track(logged(129038, payload))
    ours = frames_of(129038, 43, payload, 1408129200443000, 1)
    assert [line.strip() for line in ours] == lines
    gateway = N2kGateway(frames=True)
    sent = gateway.encode(track(*lines), HEARD_MS * 1000)
    assert track(*sent.messages[0].splitlines()).position == track(*lines).position


def test_frames_that_never_complete_are_bounded() -> None:
    gateway = N2kGateway()
    for n in range(5000):
        frame = bytes((n % 8 << 5 | n % 3 + 1, *bytes(7)))
        heard(logged(129038, frame).replace(b",43,255", b",%d,255" % (n % 250)), gateway=gateway)
        assert len(gateway._assembler._pending) <= 256
    assert closed(gateway).keys() == {"incomplete"}


def test_own_instruments_speak_of_the_own_vessel() -> None:
    place = {"latitude": 59.9, "longitude": 24.5, "altitude": 29.845, "method": 4, "numberOfSvs": 9, "hdop": 0.87}
    seen = track(logged(129029, encoded(129029, date=19885, time=42372.25, **place)))
    assert seen.key == "n2k:own"
    assert seen.position is not None
    assert (seen.position.height_m, seen.position.at) == (29.845, 1718106372250)
    assert seen.sensor is not None
    assert (seen.sensor.fix, seen.sensor.satellites, seen.sensor.hdop) == ("RTK", 9, 0.87)
    turned = track(logged(127257, encoded(127257, yaw=1.6, pitch=0.05, roll=-0.12))).motion
    assert turned is not None
    assert turned.attitude is not None
    assert euler_of(turned.attitude) == pytest.approx((-0.12, 0.05, 1.6))


def test_a_magnetic_heading_counts_only_with_its_variation() -> None:
    motion = track(logged(127250, encoded(127250, heading=1.6, variation=0.1, reference=1))).motion
    assert motion is not None
    assert motion.heading_deg == pytest.approx(97.4, abs=0.01)
    gateway = N2kGateway()
    assert heard(logged(127250, encoded(127250, heading=1.6, reference=1)), gateway=gateway) == []
    assert closed(gateway) == {"nothing said": 1}


def test_wind_depth_and_temperature_are_the_environment() -> None:
    gateway = N2kGateway()
    [wind] = heard(logged(130306, encoded(130306, windSpeed=8.0, windAngle=3.93, reference=0)), gateway=gateway)
    [depth] = heard(logged(128267, encoded(128267, depth=41.5, offset=0.5)), gateway=gateway)
    [water] = heard(logged(130312, encoded(130312, source=0, actualTemperature=285.25)), gateway=gateway)
    assert heard(logged(130306, encoded(130306, windSpeed=8.0, windAngle=3.93, reference=2)), gateway=gateway) == []
    assert isinstance(wind, Environment)
    assert isinstance(depth, Environment)
    assert isinstance(water, Environment)
    assert wind.wind_mps == 8.0
    assert wind.wind_from_deg == pytest.approx(225.17, abs=0.01)
    assert (depth.water_depth_m, water.water_temperature_c) == (42.0, 12.1)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (logged(126993, bytes(8)), "unsupported PGN"),
        (logged(129038, encoded(129038, **SHIP | {"userId": 0})), "invalid mmsi"),
        (logged(129038, off_the_globe()), "out of range"),
        (logged(129038, encoded(129038, **SHIP), "2014-13-15T19:00:00.443Z"), "undecodable"),
        (logged(129025, b"\xff\xff\xff\x7f" * 2), "nothing said"),
        (b"2014-08-15T19:00:00.443Z,4,129038,43,255,27,c1,zz", "undecodable"),
        (b"\xff\x00", "undecodable"),
        (b"9" * 2000, "line too long"),
    ],
)
def test_damage_is_counted_with_its_reason(line: bytes, reason: str) -> None:
    gateway = N2kGateway()
    assert heard(line, gateway=gateway) == []
    assert closed(gateway) == {reason: 1}


def test_a_stream_may_be_cut_anywhere_and_a_datagram_may_lack_its_end_of_line() -> None:
    line = logged(129038, encoded(129038, **SHIP))
    stream = line + b"\r\n" + line + b"\n"
    for step in (1, 7, 100):
        gateway = N2kGateway()
        seen = [d for at in range(0, len(stream), step) for d in gateway.feed(stream[at : at + step], AT)]
        assert (len(seen), closed(gateway)) == (2, {})
    assert len(N2kGateway().feed(line, AT)) == 1


def test_what_is_out_of_range_or_no_text_of_the_protocol_is_told() -> None:
    entity = Track(
        key="mmsi:230000001",
        identity=Identity(name="VÄINÖ"),
        type=Type(station="class A", length_m=7000.0),
        position=Position(lat_deg=1, lon_deg=2, height_m=5.0),
    )
    ledger = N2kGateway().encode(entity, AT).ledger
    reasons = {entry.field: entry.reason for entry in ledger.dropped}
    assert reasons == {
        "identity.name": "not text of this protocol",
        "type.length_m": "out of range",
        "position.height_m": "no field",
    }


@given(st.lists(st.tuples(st.sampled_from(sorted(PGNS)), st.binary(min_size=1, max_size=223)), max_size=8))
def test_any_payload_is_in_range_or_counted_and_can_be_sent_again(messages: list[tuple[int, bytes]]) -> None:
    gateway = N2kGateway()
    for entity in heard(*(logged(pgn, payload) for pgn, payload in messages), gateway=gateway):
        gateway.encode(entity, AT)
    closed(gateway)


@pytest.mark.slow
def test_the_recording_holds_95_vessels_in_ten_minutes(porkkala: Path) -> None:
    gateway = N2kGateway()
    seen: list[Decoded] = list(gateway.feed(porkkala.read_bytes(), AT))
    assert closed(gateway) == {"unsupported PGN": 10983, "nothing said": 617}
    assert (gateway.tally.seen, gateway.tally.carried) == (21595, 9995)
    tracks = [d.entity for d in seen if isinstance(d.entity, Track)]
    ais = [t for t in tracks if t.key.startswith("mmsi:")]
    assert len(ais) == 3415
    assert Counter(t.type.station if t.type else None for t in ais) == {
        "class A": 2167,
        "class B": 908,
        "base station": 278,
        "aid to navigation": 43,
        None: 19,
    }
    assert len({t.key for t in ais}) == 121
    vessels = [t for t in ais if t.position and t.type and t.type.station in ("class A", "class B")]
    assert len({t.key for t in vessels}) == 95
    assert len({t.key for t in ais if t.sensor and t.sensor.own}) == 1
    times = [t.sensor.received_ms for t in ais if t.sensor]
    assert (min(times), max(times)) == (1408129200123, 1408129799615)
    assert {d.entity.key for d in seen} - {t.key for t in ais} == {"n2k:own", "n2k:own:environment"}
    own = [t for t in tracks if t.key == "n2k:own" and t.position]
    assert all(t.position and 59 < t.position.lat_deg < 61 and 22 < t.position.lon_deg < 28 for t in own)
    assert OFFERED.protocol == "nmea2000"
