"""AIS sentences to the model and back."""

from collections import Counter
from collections.abc import Sequence
from functools import reduce
from operator import xor
from pathlib import Path
from typing import Any

import pyais
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aldis.apps.experiments.entity import Approximated, Decoded, Environment, Position, Report, Track, Type
from aldis.apps.experiments.entity.geodesy import distance_m, ecef_of
from aldis.apps.experiments.gateways.nmea import MAX_LINE, OFFERED, NmeaGateway
from aldis.apps.experiments.gateways.nmea.synthetic import generate
from aldis.apps.experiments.gateways.nmea.values import KNOT, ship_type_text

AT = 1_700_000_000_000_000
POSITION = b"!AIVDM,1,1,,B,15M67FC000G?ufbE`FepT@3n00Sa,0*5C"
STATIC = (
    b"!AIVDM,2,1,1,A,55?MbV02;H;s<HtKR20EHE:0@T4@Dn2222222216L961O5Gf0NSQEp6ClRp8,0*1C",
    b"!AIVDM,2,2,1,A,88888888880,2*25",
)
KNOWN = {
    "1": (POSITION,),
    "4": (b"!AIVDM,1,1,,A,403OviQuMGCqWrRO9>E6fE700@GO,0*4D",),
    "5": STATIC,
    "18": (b"!AIVDM,1,1,,A,B5NJ;PP005l4ot5Isbl03wsUkP06,0*76",),
    "19": (b"!AIVDM,1,1,,B,C5N3SRgPEnJGEBT>NhWAwwo862PaLELTBJ:V00000000S0D:R220,0*0B",),
    "21": (
        b"!AIVDM,2,1,5,B,E1mg=5J1T4W0h97aRh6ba84<h2d;W:Te=eLvH50```q,0*46",
        b"!AIVDM,2,2,5,B,:D44QDlp0C1DU00,2*36",
    ),
    "24": (b"!AIVDM,1,1,,A,H42O55i18tMET00000000000000,2*6D",),
    "27": (b"!AIVDM,1,1,,A,KCQ9r=hrFUnH7P00,0*41",),
}


def heard(*lines: bytes, gateway: NmeaGateway | None = None, at: int = AT) -> list[Decoded]:
    gateway = gateway or NmeaGateway()
    return [decoded for line in lines for decoded in gateway.feed(line + b"\r\n", at)]


def tracks(*lines: bytes, gateway: NmeaGateway | None = None) -> list[Track]:
    found = [decoded.entity for decoded in heard(*lines, gateway=gateway)]
    return [entity for entity in found if isinstance(entity, Track)]


def closed(gateway: NmeaGateway) -> Counter[str]:
    """What was dropped, once it is checked that every line is accounted for."""
    gateway.close()
    assert gateway.tally.waiting == 0
    return gateway.tally.dropped


def said(**fields: Any) -> Track:
    """The track of one message that pyais encodes."""
    [track] = tracks(*(line.encode() for line in pyais.encode_dict(fields, sentence_type="VDM")))
    return track


def sentence(body: bytes) -> bytes:
    return b"!%s*%02X" % (body, reduce(xor, body))


def received_ms(track: Track) -> int:
    assert track.sensor is not None
    return track.sensor.received_ms


@pytest.mark.parametrize("lines", KNOWN.values(), ids=KNOWN.keys())
def test_known_sentences_say_what_the_decoder_says(lines: tuple[bytes, ...]) -> None:
    [track] = tracks(*lines)
    raw: dict[str, Any] = pyais.decode(*lines).asdict(enum_as_int=True)
    assert track.key == f"mmsi:{raw['mmsi']}"
    if track.position:
        place = (track.position.lat_deg, track.position.lon_deg)
        assert place == pytest.approx((raw["lat"], raw["lon"]), abs=6e-7)
        assert track.position.accurate is raw["accuracy"]
    if track.motion:
        assert track.motion.course_deg == raw.get("course")
        if track.motion.speed_mps is not None:
            assert track.motion.speed_mps == pytest.approx(raw["speed"] * KNOT, abs=0.001)
    if track.identity and track.identity.name:
        assert track.identity.name == raw.get("full_name", raw.get("shipname"))
        assert track.identity.callsign == raw.get("callsign")
        assert track.type is None or track.type.ship_type == raw.get("ship_type")


def test_a_static_report_fills_identity_type_and_voyage() -> None:
    [track] = tracks(*STATIC)
    assert track.identity is not None
    assert track.type is not None
    assert track.voyage is not None
    assert (track.identity.name, track.identity.callsign, track.identity.imo) == ("EVER DIADEM", "3FOF8", 9134270)
    assert (track.type.ship_type, track.type.ship_type_text, track.type.station) == (70, "cargo ship", "class A")
    assert (track.type.length_m, track.type.beam_m, track.type.bow_m, track.type.starboard_m) == (295, 32, 225, 31)
    assert (track.voyage.destination, track.voyage.eta) == ("NEW YORK", "05-15T14:00")
    assert track.voyage.draught_m == 12.2
    assert (track.position, track.motion) == (None, None)


def test_a_search_and_rescue_aircraft_has_a_height_above_the_sea_and_whole_knots() -> None:
    track = said(msg_type=9, mmsi=111230001, alt=300, speed=120, lat=59.9, lon=24.5, course=90.0)
    assert track.position is not None
    assert track.position.original is not None
    assert track.motion is not None
    assert track.position.height_m is None  # which takes a geoid
    assert (track.position.original.frame, track.position.original.values[2]) == ("msl", 300)
    assert track.motion.speed_mps == round(120 * KNOT, 3)


UNKNOWN = {"speed": 102.3, "course": 360.0, "heading": 511, "turn": -128.0, "status": 15, "second": 60}


@pytest.mark.parametrize(("turn", "turning"), [(-128.0, None), (-127.0, "port"), (127.0, "starboard"), (0.0, None)])
def test_sentinels_become_none_and_a_turn_without_a_rate_keeps_its_side(turn: float, turning: str | None) -> None:
    track = said(msg_type=1, mmsi=230000001, lat=59.9, lon=24.5, **UNKNOWN | {"turn": turn})
    assert track.status is None
    assert track.timing is not None
    assert track.timing.source_us is None
    if turn == -128.0:
        assert track.motion is None
        return
    assert track.motion is not None
    motion = track.motion
    assert (motion.speed_mps, motion.course_deg, motion.heading_deg) == (None,) * 3
    assert motion.turning == turning
    assert motion.turn_deg_per_min == (0 if turn == 0 else None)


@pytest.mark.parametrize(("lat", "lon"), [(91.0, 181.0), (91.0, 24.5), (59.9, 181.0)])
def test_an_unknown_place_is_no_position_but_the_speed_still_counts(lat: float, lon: float) -> None:
    track = said(msg_type=1, mmsi=230000001, lat=lat, lon=lon, speed=10.0)
    assert track.position is None
    assert track.motion is not None
    assert track.motion.speed_mps == pytest.approx(10 * KNOT, abs=0.001)


def test_unknown_static_fields_become_none() -> None:
    track = said(msg_type=5, mmsi=230000001, shipname="@@@", imo=0, month=0, day=0, hour=24, minute=60, draught=0)
    assert track.voyage is None
    assert track.identity is not None
    assert (track.identity.name, track.identity.imo, track.identity.mmsi) == (None, None, 230000001)


def test_a_destination_ends_at_its_first_at_sign_and_an_eta_may_lack_the_hour() -> None:
    voyage = said(msg_type=5, mmsi=230000001, destination="TURKU@@X", month=6, day=11, hour=24, minute=60).voyage
    assert voyage is not None
    assert (voyage.destination, voyage.eta) == ("TURKU", "06-11")


def test_ship_type_codes_stay_exact_where_the_decoder_folds_them() -> None:
    kind = said(msg_type=24, mmsi=230000001, partno=1, ship_type=38).type
    assert kind is not None
    assert kind.ship_type == 38
    assert ship_type_text(38) is None
    assert ship_type_text(71) == "cargo ship, hazard X"
    assert ship_type_text(None) is None


@pytest.mark.parametrize(
    ("mmsi", "station"),
    [(970230001, "AIS-SART"), (972230001, "man overboard"), (974230001, "EPIRB"), (111230001, "aircraft")],
)
def test_locating_devices_are_told_by_their_numbers(mmsi: int, station: str) -> None:
    track = said(msg_type=1, mmsi=mmsi, lat=59.9, lon=24.5, status=14)
    assert track.type is not None
    assert track.type.station == station


@pytest.mark.parametrize(("second", "fix"), [(61, "manual"), (62, "dead reckoning"), (63, "inoperative")])
def test_a_second_above_sixty_says_how_the_position_was_found(second: int, fix: str) -> None:
    for kind in (1, 18):
        track = said(msg_type=kind, mmsi=230000001, lat=59.9, lon=24.5, second=second)
        assert track.sensor is not None
        assert track.sensor.fix == fix
        [message] = OFFERED.open().encode(track, AT).messages
        assert OFFERED.fields([message])["ais.second"] == second


def test_the_second_gives_the_time_at_the_source() -> None:
    track = said(msg_type=1, mmsi=230000001, lat=59.9, lon=24.5, second=AT // 1_000_000 % 60)
    assert track.timing is not None
    assert track.timing.source_us == AT
    track = said(msg_type=1, mmsi=230000001, lat=59.9, lon=24.5, second=(AT // 1_000_000 - 7) % 60)
    assert track.timing is not None
    assert track.timing.source_us == AT - 7_000_000
    assert track.position is not None
    assert track.position.at == AT // 1000 - 7_000


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (POSITION.replace(b"15M", b"15N"), "checksum"),
        (POSITION[:-3], "undecodable"),
        (sentence(b"AIVDM,1,1,,B,15M67FC000G?ufbE`F,0"), "undecodable"),
        (sentence(b"AIVDM,1,1,,B,15M67FC000G?ufbE`F xy,0"), "undecodable"),
        (sentence(b"AIVDM,1,2,,B,15M67FC000G?ufbE`FepT@3n00Sa,0"), "undecodable"),
        (sentence(b"AIVDM,1,1,,B,1000000000G?ufbE`FepT@3n00Sa,0"), "invalid mmsi"),
        (sentence(b"AIVDM,1,1,,B,1wwwwwwP00G?ufbE`FepT@3n00Sa,0"), "invalid mmsi"),
        (sentence(b"AIVDM,1,1,,B,75M67FC000G?ufbE`FepT@3n00Sa,0"), "unsupported type 7"),
        (sentence(b"AIVDM,1,1,,B,w5M67FC000G?ufbE`FepT@3n00Sa,0"), "unsupported type 63"),
        (b"$GPRMC,225446,A,4916.45,N,12311.12,W,000.5,054.7,191194,020.3,E*69", "checksum"),
        (b"\xff\x00hello", "not NMEA 0183"),
        (b"!AIVDM," + b"1" * MAX_LINE, "line too long"),
        (b"\\s:1,c:1*00\\" + POSITION, "checksum"),
        (b"$PGHP,1,2010,13,11,11,46,12,386,219,24,992190924,1,12*22", "damaged stamp"),
    ],
)
def test_damage_is_counted_with_its_reason(line: bytes, reason: str) -> None:
    gateway = NmeaGateway()
    assert heard(line, gateway=gateway) == []
    assert closed(gateway) == {reason: 1}


def test_a_place_off_the_globe_is_damage() -> None:
    for kind in (1, 18):
        gateway = NmeaGateway()
        fields: dict[str, Any] = {"msg_type": kind, "mmsi": 230000001, "lat": 97.0, "lon": 24.5}
        [line] = pyais.encode_dict(fields, sentence_type="VDM")
        assert heard(line.encode(), gateway=gateway) == []
        assert closed(gateway) == {"out of range": 1}


def test_binary_messages_are_kept_as_they_came() -> None:
    gateway = NmeaGateway()
    [decoded] = heard(sentence(b"AIVDM,1,1,,B,85M67FC000G?ufbE`FepT@3n00Sa,0"), gateway=gateway)
    assert isinstance(decoded.entity, Track)
    assert decoded.entity.residue is not None
    [part] = decoded.entity.residue.parts
    assert part.field == "ais.8:130"
    assert [entry.reason for entry in decoded.ledger.dropped if entry.field == "ais.data"] == ["not decoded"]
    assert closed(gateway) == {}


def test_weather_is_an_environment() -> None:
    weather = next(s for s in OFFERED.specimens() if s.name == "weather")
    [decoded] = OFFERED.open().feed(weather.messages[0], AT)
    environment = decoded.entity
    assert isinstance(environment, Environment)
    raw: dict[str, Any] = pyais.decode(*weather.messages[0].splitlines()).asdict()
    assert environment.air_temperature_c == raw["airtemp"] == 17.3
    assert environment.pressure_hpa == raw["pressure"] == 1013
    assert environment.visibility_m == pytest.approx(raw["visibility"] * 1852)
    assert environment.wind_mps == pytest.approx(raw["wspeed"] * KNOT, abs=0.001)
    assert environment.wave_height_m == raw["waveheight"] == 1.4


def test_safety_text_is_a_report() -> None:
    [line] = pyais.encode_dict({"type": 14, "mmsi": 230000001, "text": "MAYDAY RELAY"}, sentence_type="VDM")
    [decoded] = heard(line.encode())
    assert isinstance(decoded.entity, Report)
    assert (decoded.entity.text, decoded.entity.author) == ("MAYDAY RELAY", "mmsi:230000001")


def test_parts_may_arrive_in_any_order_and_mixed_with_others() -> None:
    gateway = NmeaGateway()
    other = tuple(line.replace(b",1,A,", b",2,A,") for line in STATIC)
    other = tuple(sentence(line[1:-3]) for line in other)
    seen = tracks(STATIC[1], other[0], POSITION, STATIC[0], other[1], gateway=gateway)
    assert [track.key for track in seen] == ["mmsi:366053209", "mmsi:351759000", "mmsi:351759000"]
    assert seen[1].identity == seen[2].identity == tracks(*STATIC)[0].identity
    assert closed(gateway) == {}
    assert gateway.tally.carried == 5


def test_a_missing_part_is_counted_when_its_place_is_taken_when_it_is_overdue_and_at_the_end() -> None:
    gateway = NmeaGateway()
    assert heard(STATIC[0], STATIC[0], *STATIC, gateway=gateway) != []
    assert gateway.tally.dropped == {"incomplete": 2}
    heard(STATIC[1], gateway=gateway)
    heard(STATIC[0].replace(b",1,A,", b",3,A,").replace(b"*1C", b"*1E"), gateway=gateway, at=AT + 31_000_000)
    assert gateway.tally.dropped == {"incomplete": 3}
    assert closed(gateway) == {"incomplete": 4}


def test_memory_is_bounded_whatever_never_completes() -> None:
    gateway = NmeaGateway()
    for n in range(5000):
        body = b"%02dVDM,9,%d,%d,A,15M67FC0,0" % (n % 100, n % 8 + 1, n // 8 % 10)
        heard(sentence(body), gateway=gateway)
        assert gateway.tally.waiting <= 64 * 8
    assert closed(gateway) == {"incomplete": 5000}


def test_a_gatehouse_line_gives_receive_time_country_and_station() -> None:
    stamp = b"$PGHP,1,2010,6,11,11,46,12,451,219,1,992190917,1,58*14"
    line = b"!AIVDM,1,1,,A,33nr7t001f13KNTOahh2@QpF00vh,0*58"
    gateway = NmeaGateway()
    [first, second] = tracks(stamp, line, POSITION, gateway=gateway)
    assert received_ms(first) == received_ms(second) == 1276256772451
    assert first.sensor is not None
    assert second.sensor is not None
    assert (first.sensor.station, first.sensor.country, first.sensor.region) == ("992190917", 219, 1)
    assert (second.sensor.station, second.sensor.country) == (None, None)
    assert first.timing is not None
    assert first.timing.received_us == AT
    assert gateway.tally.seen == 2


def test_a_gatehouse_line_that_speaks_of_another_sentence_gives_the_time_only() -> None:
    [seen] = tracks(b"$PGHP,1,2010,6,11,11,46,12,451,219,1,992190917,1,58*14", POSITION)
    assert received_ms(seen) == 1276256772451
    assert seen.sensor is not None
    assert seen.sensor.station is None


def test_a_tag_block_gives_time_in_seconds_or_milliseconds_and_the_station() -> None:
    for time, expected in ((b"1671533231", 1671533231000), (b"1671533231456", 1671533231456)):
        block = b"s:2573535,c:" + time
        [seen] = tracks(b"\\%s*%02X\\%s" % (block, reduce(xor, block), POSITION))
        assert received_ms(seen) == expected
        assert seen.sensor is not None
        assert seen.sensor.station == "2573535"


def test_a_time_after_the_checksum_counts_and_without_any_the_arrival_does() -> None:
    assert received_ms(tracks(POSITION)[0]) == AT // 1000
    assert received_ms(tracks(POSITION + b",1276256770")[0]) == 1276256770000
    assert received_ms(tracks(POSITION + b",s30321,d-103,rMNLPOS,1241544035")[0]) == 1241544035000


def test_own_reports_are_marked_and_sent_as_such() -> None:
    [seen] = tracks(sentence(b"AIVDO,1,1,,,15M67FC000G?ufbE`FepT@3n00Sa,0"))
    assert seen.sensor is not None
    assert seen.sensor.own
    assert seen.sensor.channel is None
    assert NmeaGateway().encode(seen, AT).messages[0].startswith(b"!AIVDO,")


def test_a_stream_may_be_cut_anywhere_and_a_datagram_may_lack_its_end_of_line() -> None:
    stream = b"\r\n".join([POSITION, *STATIC, POSITION + b",1276256770", POSITION]) + b"\r\n"
    for step in (1, 2, 7, 50, 113):
        gateway = NmeaGateway()
        seen = [d for at in range(0, len(stream), step) for d in gateway.feed(stream[at : at + step], AT)]
        assert len(seen) == 4
        assert (closed(gateway), gateway.tally.carried) == ({}, 5)
    gateway = NmeaGateway()
    assert len(gateway.feed(POSITION, AT)) == len(gateway.feed(POSITION, AT)) == 1
    assert gateway.feed(b"\\s:1,c:1*", AT) == gateway.feed(POSITION[:20], AT) == []
    assert closed(gateway) == {"incomplete": 1}


def test_an_endless_line_is_counted_once_and_not_kept() -> None:
    gateway = NmeaGateway()
    for _ in range(1000):
        gateway.feed(b"!" * 1000, AT)
        assert len(gateway._tail) <= MAX_LINE
    assert len(gateway.feed(b"\n" + POSITION + b"\n", AT)) == 1
    assert closed(gateway) == {"line too long": 1}


@given(
    lat=st.floats(-90, 90),
    lon=st.floats(-180, 180),
    kind=st.sampled_from(["class A", "class B", "aircraft", "base station", "aid to navigation"]),
)
def test_a_position_anywhere_on_the_globe_comes_back_within_0_131_m_and_within_what_the_ledger_says(
    lat: float, lon: float, kind: Any
) -> None:
    track = Track(key="mmsi:230000001", position=Position(lat_deg=lat, lon_deg=lon), type=Type(station=kind))
    encoded = NmeaGateway().encode(track, AT)
    [message] = encoded.messages
    [decoded] = NmeaGateway().feed(message, AT)
    assert isinstance(decoded.entity, Track)
    back = decoded.entity.position
    assert back is not None
    here, there = ecef_of(lat, lon, 0), ecef_of(back.lat_deg, back.lon_deg, 0)
    assert sum((a - b) ** 2 for a, b in zip(here, there, strict=True)) ** 0.5 <= 0.131
    said = {entry.field: entry.error for entry in encoded.ledger.entries if isinstance(entry, Approximated)}
    assert distance_m(lat, lon, back.lat_deg, lon) <= said["position.lat_deg"] * 1.006  # of a sphere
    assert distance_m(lat, lon, lat, back.lon_deg) <= said["position.lon_deg"] * 1.006


ARMOUR = bytes(range(48, 88)) + bytes(range(96, 120))


@given(st.lists(st.sampled_from(ARMOUR), min_size=1, max_size=120), st.integers(0, 5))
def test_any_payload_is_in_range_or_counted_and_can_be_sent_again(payload: list[int], fill: int) -> None:
    gateway = NmeaGateway()
    seen: Sequence[Decoded] = heard(sentence(b"AIVDM,1,1,,A,%s,%d" % (bytes(payload), fill)), gateway=gateway)
    assert gateway.tally.carried == len(seen)
    closed(gateway)
    for decoded in seen:
        gateway.encode(decoded.entity, AT)
        if not isinstance(decoded.entity, Track):
            continue
        if motion := decoded.entity.motion:
            assert motion.course_deg is None or 0 <= motion.course_deg < 360
            assert motion.heading_deg is None or 0 <= motion.heading_deg < 360


def test_the_live_stream_is_decoded_whole_and_every_sentence_is_accounted_for(dma_stream: Path) -> None:
    gateway = NmeaGateway()
    lines = dma_stream.read_bytes().splitlines()
    seen = tracks(*lines, gateway=gateway)
    dropped = closed(gateway)
    assert gateway.tally.seen == sum(line.startswith(b"!") for line in lines) == 4500
    assert (gateway.tally.carried, len(seen), dropped.total()) == (4194, 3751, 306)
    assert set(dropped) == {f"unsupported type {n}" for n in (7, 15, 16, 17, 20, 23)} | {"invalid mmsi"}
    binary = [track for track in seen if track.residue]
    assert len(seen) - len(binary) == 3651
    assert len({t.key for t in seen if not t.residue}) == 1820
    vessels = {t.key for t in seen if t.type and t.type.station in ("class A", "class B")}
    assert len(vessels) == 1666
    times = [received_ms(track) for track in seen]
    assert (min(times), max(times)) == (1276256770000, 1276256798873)
    assert {t.sensor.country for t in seen if t.sensor} >= {219, 232, 265, 205, 244, 257}


def test_generated_sentences_are_the_same_for_the_same_seed_and_all_decode() -> None:
    start = 1_700_000_000_000
    lines = list(generate(7, vessels=20, seconds=30, start_ms=start))
    assert lines == list(generate(7, vessels=20, seconds=30, start_ms=start))
    assert lines != list(generate(8, vessels=20, seconds=30, start_ms=start))
    gateway = NmeaGateway()
    seen = tracks(*(line.strip() for line in lines), gateway=gateway)
    assert closed(gateway) == {}
    named = {t.key for t in seen if t.identity and (t.identity.name or t.identity.callsign)}
    assert len({t.key for t in seen if t.position}) == len(named) == 20
    assert {t.type.station for t in seen if t.type and t.position} == {"class A", "class B"}
    times = [received_ms(t) for t in seen]
    assert times == sorted(times)
    assert start < times[0] < times[-1] < start + 30_000


PLAIN = b"!AIVDM,1,1,,B,15M67FC000G?ufbE`FepT@3n00Sa,0*5C"


@given(st.lists(st.tuples(st.integers(0, len(PLAIN) - 1), st.integers(0, 255)), max_size=2))
def test_a_sentence_of_a_known_head_is_read_as_any_other(changes: list[tuple[int, int]]) -> None:
    line = bytearray(PLAIN)
    for place, byte in changes:
        line[place] = byte
    body = bytes(line[1:44])
    for data in (bytes(line), b"!%s*%02X" % (body, reduce(xor, body))):
        fresh, warm = NmeaGateway(), NmeaGateway()
        assert warm.feed(PLAIN + b"\r\n", 1_700_000_040_000_000)
        assert list(warm.feed(data + b"\r\n", 1_700_000_041_000_000)) == list(
            fresh.feed(data + b"\r\n", 1_700_000_041_000_000)
        )
        assert fresh.tally.dropped == warm.tally.dropped
