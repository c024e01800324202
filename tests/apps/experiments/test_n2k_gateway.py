from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nmea2000 import backend  # type: ignore[import-untyped]
from nmea2000._canboat import fast_packet_fragment  # type: ignore[import-untyped]

from aldis.apps.experiments.gateways.n2k import N2kGateway
from aldis.apps.experiments.gateways.observation import Observation

NAMES = {
    129038: "aisClassAPositionReport",
    129040: "aisClassBExtendedPositionReport",
    129041: "aisAidsToNavigationAtonReport",
    129793: "aisUtcAndDateReport",
    129794: "aisClassAStaticAndVoyageRelatedData",
    129798: "aisSarAircraftPositionReport",
    129809: "aisClassBStaticDataMsg24PartA",
    129810: "aisClassBStaticDataMsg24PartB",
}
SHIP = {"userId": 230000001, "latitude": 59.9, "longitude": 24.5, "sog": 5.0, "cog": 1.5, "heading": 1.6}


def logged(pgn: int, payload: bytes, time: str = "2014-08-15T19:00:00.443Z") -> bytes:
    return f"{time},4,{pgn},43,255,{len(payload)},{payload.hex(',')}".encode()


def encoded(pgn: int, **fields: Any) -> bytes:
    """A payload with `fields`; binary ones must be given, as the encoder closes the gap they leave."""
    binary = {"communicationState": bytes(3), "reservedForRegionalApplications": bytes(1)}
    present = {field.id for field in backend.DATABASE.pgn_info(NAMES[pgn]).fields}
    return bytes(backend.DATABASE.encode(NAMES[pgn], {k: v for k, v in (binary | fields).items() if k in present}))


def off_the_globe() -> bytes:
    """A position report whose latitude, bytes 9 to 12, is 93 degrees."""
    payload = encoded(129038, **SHIP)
    return payload[:9] + round(93e7).to_bytes(4, "little") + payload[13:]


def heard(*lines: bytes, gateway: N2kGateway | None = None) -> list[Observation]:
    gateway = gateway or N2kGateway()
    return [o for line in lines if (o := gateway.feed(line, 0))]


def closed(gateway: N2kGateway) -> Counter[str]:
    gateway.close()
    assert gateway.tally.waiting == 0
    return gateway.tally.dropped


def test_a_position_report_is_read_with_its_time_channel_and_device() -> None:
    [seen] = heard(logged(129038, encoded(129038, **SHIP, navStatus=1, aisTransceiverInformation=1)))
    assert (seen.mmsi, seen.kind) == (230000001, "class A")
    assert seen.source.received_ms == 1408129200443
    assert (seen.source.station, seen.source.channel, seen.source.own) == ("device 43", "B", False)
    assert seen.position is not None
    assert (seen.position.lat_deg, seen.position.lon_deg, seen.position.speed_mps) == (59.9, 24.5, 5.0)
    assert seen.position.course_deg == pytest.approx(85.94, abs=0.01)
    assert seen.position.nav_status == "at anchor"


@pytest.mark.parametrize("time", ["2014-08-15-19:00:00.443", "2014-08-15T19:00:00.443"])
def test_the_other_ways_of_writing_the_time_are_read_too(time: str) -> None:
    [seen] = heard(logged(129038, encoded(129038, **SHIP), time))
    assert seen.source.received_ms == 1408129200443


def test_what_is_not_available_is_none() -> None:
    [seen] = heard(logged(129038, encoded(129038, userId=230000001, latitude=59.9, longitude=24.5, navStatus=15)))
    assert seen.position is not None
    position = seen.position
    assert (position.speed_mps, position.course_deg, position.heading_deg, position.turn_deg_per_min) == (None,) * 4
    assert position.nav_status is None
    assert heard(logged(129038, encoded(129038, userId=230000001)))[0].position is None


@pytest.mark.parametrize(("rate", "turn"), [(0.0003125, 1.1), (0.2055, None), (-0.2055, None)])
def test_a_turn_without_a_rate_is_not_a_rate(rate: float, turn: float | None) -> None:
    [seen] = heard(logged(129038, encoded(129038, **SHIP, rateOfTurn=rate)))
    assert seen.position is not None
    assert seen.position.turn_deg_per_min == turn


def test_static_reports_fill_identity_and_voyage() -> None:
    hull = {"length": 161.0, "beam": 25.0, "positionReferenceFromStarboard": 8.0, "positionReferenceFromBow": 138.0}
    static = {"name": "HOOGE", "callsign": "ZDHM4", "typeOfShip": 71, "imoNumber": 9301122}
    voyage = {"destination": "ST.PETERSBURG", "draft": 10.2, "etaDate": 16298, "etaTime": 25200.0}
    [seen] = heard(logged(129794, encoded(129794, userId=236333000, **hull, **static, **voyage)))
    assert seen.identity is not None
    assert seen.voyage is not None
    assert (seen.identity.name, seen.identity.callsign, seen.identity.imo) == ("HOOGE", "ZDHM4", 9301122)
    assert (seen.identity.ship_type, seen.identity.length_m, seen.identity.beam_m) == (71, 161, 25)
    assert (seen.identity.bow_m, seen.identity.starboard_m) == (138, 8)
    assert (seen.voyage.destination, seen.voyage.draught_m, seen.voyage.eta) == ("ST.PETERSBURG", 10.2, "08-16T07:00")


def test_an_eta_that_was_not_available_is_none() -> None:
    [seen] = heard(logged(129794, encoded(129794, userId=236333000, draft=1.5, etaDate=16404, etaTime=0.0)))
    assert seen.voyage is not None
    assert seen.voyage.eta is None


@pytest.mark.parametrize(
    ("pgn", "kind", "fields"),
    [
        (129040, "class B", {"name": "ADELANTE", "trueHeading": 1.0}),
        (129041, "aid to navigation", {"atonName": "BUOY-295", "lengthDiameter": 2.0}),
        (129793, "base station", {}),
        (129798, "aircraft", {"altitude": 300.0}),
    ],
)
def test_every_kind_of_station_is_told_apart(pgn: int, kind: str, fields: dict[str, Any]) -> None:
    [seen] = heard(logged(pgn, encoded(pgn, userId=230000001, latitude=59.9, longitude=24.5, **fields)))
    assert seen.kind == kind
    assert seen.position is not None
    assert seen.position.altitude_m == fields.get("altitude")
    name = fields.get("name", fields.get("atonName"))
    assert (seen.identity.name if seen.identity else None) == name


def test_class_b_static_data_comes_in_two_parts() -> None:
    [name] = heard(logged(129809, encoded(129809, userId=230000001, name="FINNFUN")))
    [more] = heard(logged(129810, encoded(129810, userId=230000001, callsign="OJ1", typeOfShip=36)))
    assert name.identity is not None
    assert more.identity is not None
    assert (name.identity.name, more.identity.callsign, more.identity.ship_type) == ("FINNFUN", "OJ1", 36)


def test_single_frames_are_put_together_and_lost_ones_are_counted() -> None:
    payload = encoded(129038, **SHIP)
    frames = [logged(129038, frame) for frame in fast_packet_fragment(1, payload)]
    gateway = N2kGateway()
    [seen] = heard(*frames, gateway=gateway)
    assert seen == heard(logged(129038, payload))[0]
    assert gateway.tally.carried == len(frames)
    heard(frames[0], frames[0], gateway=gateway)
    assert closed(gateway) == {"incomplete": 2}


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (logged(129025, bytes(8)), "not AIS"),
        (logged(129038, encoded(129038, **SHIP | {"userId": 0})), "invalid mmsi"),
        (logged(129038, off_the_globe()), "out of range"),
        (logged(129038, encoded(129038, **SHIP), "2014-13-15T19:00:00.443Z"), "undecodable"),
        (b"2014-08-15T19:00:00.443Z,4,129038,43,255,27,c1,zz", "undecodable"),
        (b"\xff\x00", "undecodable"),
    ],
)
def test_damage_is_counted_with_its_reason(line: bytes, reason: str) -> None:
    gateway = N2kGateway()
    assert heard(line, gateway=gateway) == []
    assert closed(gateway) == {reason: 1}


@given(st.lists(st.tuples(st.sampled_from(sorted(NAMES)), st.binary(min_size=1, max_size=223)), max_size=8))
def test_any_payload_is_an_observation_in_range_or_counted(messages: list[tuple[int, bytes]]) -> None:
    gateway = N2kGateway()
    for seen in heard(*(logged(pgn, payload) for pgn, payload in messages), gateway=gateway):
        assert 0 < seen.mmsi <= 999_999_999
        if seen.position:
            assert -90 <= seen.position.lat_deg <= 90
            assert -180 <= seen.position.lon_deg <= 180
    closed(gateway)


@given(st.lists(st.binary(max_size=80), max_size=20))
def test_random_bytes_never_raise_and_every_line_is_accounted_for(lines: list[bytes]) -> None:
    gateway = N2kGateway()
    heard(*lines, gateway=gateway)
    closed(gateway)


def test_the_recording_holds_95_vessels_in_ten_minutes(porkkala: Path) -> None:
    gateway = N2kGateway()
    seen = heard(*porkkala.read_bytes().splitlines(), gateway=gateway)
    assert closed(gateway) == {"not AIS": 18180}
    assert (gateway.tally.seen, gateway.tally.carried) == (21595, 3415)
    assert Counter(o.kind for o in seen) == {
        "class A": 2167,
        "class B": 908,
        "base station": 278,
        "aid to navigation": 43,
        None: 19,
    }
    assert len({o.mmsi for o in seen}) == 121
    assert len({o.mmsi for o in seen if o.position and o.kind in ("class A", "class B")}) == 95
    assert len({o.mmsi for o in seen if o.source.own}) == 1
    assert sum(not o.source.own for o in seen) == 2803
    times = [o.source.received_ms for o in seen]
    assert (min(times), max(times)) == (1408129200123, 1408129799615)
    assert all(59 < o.position.lat_deg < 61 and 22 < o.position.lon_deg < 28 for o in seen if o.position)
