from collections import Counter
from functools import reduce
from operator import xor
from pathlib import Path
from typing import Any

import pyais
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aldis.apps.experiments.gateways.ais import AisGateway
from aldis.apps.experiments.gateways.fields import KNOT, ship_type_text
from aldis.apps.experiments.gateways.observation import Observation
from aldis.apps.experiments.gateways.sentences import MAX_LINE

ARRIVED = 1_700_000_000_000
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


def heard(*lines: bytes, gateway: AisGateway | None = None) -> list[Observation]:
    gateway = gateway or AisGateway()
    return [o for line in lines if (o := gateway.feed(line, ARRIVED))]


def closed(gateway: AisGateway) -> Counter[str]:
    """What was dropped, once it is checked that every line is accounted for."""
    gateway.close()
    assert gateway.tally.waiting == 0
    return gateway.tally.dropped


def said(**fields: Any) -> Observation:
    """The observation of one message that pyais encodes."""
    [observation] = heard(*(line.encode() for line in pyais.encode_dict(fields, sentence_type="VDM")))
    return observation


def sentence(body: bytes) -> bytes:
    return b"!%s*%02X" % (body, reduce(xor, body))


@pytest.mark.parametrize("lines", KNOWN.values(), ids=KNOWN.keys())
def test_known_sentences_say_what_the_decoder_says(lines: tuple[bytes, ...]) -> None:
    [observation] = heard(*lines)
    raw: dict[str, Any] = pyais.decode(*lines).asdict(enum_as_int=True)
    assert observation.mmsi == raw["mmsi"]
    if observation.position:
        assert (observation.position.lat_deg, observation.position.lon_deg) == (raw["lat"], raw["lon"])
        assert observation.position.accurate is raw["accuracy"]
        assert observation.position.course_deg == raw.get("course")
        if observation.position.speed_mps is not None:
            assert observation.position.speed_mps == pytest.approx(raw["speed"] * KNOT, abs=0.001)
    if observation.identity:
        assert observation.identity.name == raw.get("full_name", raw.get("shipname"))
        assert observation.identity.callsign == raw.get("callsign")
        assert observation.identity.ship_type == raw.get("ship_type")


def test_a_static_report_fills_identity_and_voyage() -> None:
    [observation] = heard(*STATIC)
    assert observation.identity is not None
    assert observation.voyage is not None
    assert (observation.identity.name, observation.identity.callsign) == ("EVER DIADEM", "3FOF8")
    assert (observation.identity.imo, observation.identity.ship_type) == (9134270, 70)
    assert (observation.identity.length_m, observation.identity.beam_m) == (295, 32)
    assert (observation.identity.bow_m, observation.identity.starboard_m) == (225, 31)
    assert (observation.voyage.destination, observation.voyage.eta) == ("NEW YORK", "05-15T14:00")
    assert observation.voyage.draught_m == 12.2
    assert observation.position is None


def test_a_class_b_static_report_comes_in_two_parts() -> None:
    common = {"msg_type": 24, "mmsi": 230000001}
    name = said(**common, partno=0, shipname="ADELANTE")
    hull = said(**common, partno=1, ship_type=36, callsign="OJ1", to_bow=8, to_stern=2, to_port=2, to_starboard=1)
    assert name.identity is not None
    assert hull.identity is not None
    assert name.identity.name == "ADELANTE"
    assert (hull.identity.callsign, hull.identity.ship_type, hull.identity.length_m) == ("OJ1", 36, 10)


def test_a_search_and_rescue_aircraft_has_a_height_and_whole_knots() -> None:
    seen = said(msg_type=9, mmsi=111230001, alt=300, speed=120, lat=59.9, lon=24.5, course=90.0).position
    assert seen is not None
    assert (seen.altitude_m, seen.speed_mps) == (300, round(120 * KNOT, 3))


UNKNOWN = {"speed": 102.3, "course": 360.0, "heading": 511, "turn": -128.0, "status": 15}


@pytest.mark.parametrize("turn", [-128.0, -127.0, 127.0])
def test_sentinels_become_none(turn: float) -> None:
    seen = said(msg_type=1, mmsi=230000001, lat=59.9, lon=24.5, **UNKNOWN | {"turn": turn}).position
    assert seen is not None
    assert (seen.speed_mps, seen.course_deg, seen.heading_deg, seen.turn_deg_per_min, seen.nav_status) == (None,) * 5


@pytest.mark.parametrize(("lat", "lon"), [(91.0, 181.0), (91.0, 24.5), (59.9, 181.0)])
def test_an_unknown_place_is_no_position(lat: float, lon: float) -> None:
    assert said(msg_type=1, mmsi=230000001, lat=lat, lon=lon).position is None


def test_unknown_static_fields_become_none() -> None:
    seen = said(msg_type=5, mmsi=230000001, shipname="@@@", imo=0, month=0, day=0, hour=24, minute=60, draught=0)
    assert (seen.identity, seen.voyage) == (None, None)


def test_a_destination_ends_at_its_first_at_sign_and_an_eta_may_lack_the_hour() -> None:
    voyage = said(msg_type=5, mmsi=230000001, destination="TURKU@@X", month=6, day=11, hour=24, minute=60).voyage
    assert voyage is not None
    assert (voyage.destination, voyage.eta) == ("TURKU", "06-11")


def test_ship_type_codes_stay_exact_where_the_decoder_folds_them() -> None:
    identity = said(msg_type=24, mmsi=230000001, partno=1, ship_type=38).identity
    assert identity is not None
    assert identity.ship_type == 38
    assert ship_type_text(38) is None
    assert ship_type_text(71) == "cargo ship, hazard X"
    assert ship_type_text(69) == "passenger ship"
    assert ship_type_text(None) is None


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
        (sentence(b"AIVDM,1,1,,B,85M67FC000G?ufbE`FepT@3n00Sa,0"), "unsupported type 8"),
        (sentence(b"AIVDM,1,1,,B,w5M67FC000G?ufbE`FepT@3n00Sa,0"), "unsupported type 63"),
        (b"$GPRMC,225446,A,4916.45,N,12311.12,W,000.5,054.7,191194,020.3,E*68", "not AIS"),
        (b"\xff\x00hello", "not AIS"),
        (b"!AIVDM," + b"1" * MAX_LINE, "line too long"),
        (b"\\s:1,c:1*00\\" + POSITION, "checksum"),
        (b"$PGHP,1,2010,13,11,11,46,12,386,219,24,992190924,1,12*22", "damaged stamp"),
    ],
)
def test_damage_is_counted_with_its_reason(line: bytes, reason: str) -> None:
    gateway = AisGateway()
    assert heard(line, gateway=gateway) == []
    assert closed(gateway) == {reason: 1}


def test_a_place_off_the_globe_is_damage() -> None:
    gateway = AisGateway()
    [line] = pyais.encode_dict({"msg_type": 1, "mmsi": 230000001, "lat": 97.0, "lon": 24.5}, sentence_type="VDM")
    assert heard(line.encode(), gateway=gateway) == []
    assert closed(gateway) == {"out of range": 1}


def test_parts_may_arrive_in_any_order_and_mixed_with_others() -> None:
    gateway = AisGateway()
    other = tuple(line.replace(b",1,A,", b",2,A,") for line in STATIC)
    other = tuple(sentence(line[1:-3]) for line in other)
    seen = heard(STATIC[1], other[0], POSITION, STATIC[0], other[1], gateway=gateway)
    assert [o.mmsi for o in seen] == [366053209, 351759000, 351759000]
    assert seen[1].identity == seen[2].identity == heard(*STATIC)[0].identity
    assert closed(gateway) == {}
    assert gateway.tally.carried == 5
    assert gateway.tally.observations == 3


def test_a_missing_part_is_counted_when_its_place_is_taken_when_it_is_overdue_and_at_the_end() -> None:
    gateway = AisGateway()
    assert heard(STATIC[0], STATIC[0], *STATIC, gateway=gateway) != []
    assert gateway.tally.dropped == {"incomplete": 2}
    gateway.feed(STATIC[1], ARRIVED)
    gateway.feed(STATIC[0].replace(b",1,A,", b",3,A,").replace(b"*1C", b"*1E"), ARRIVED + 31_000)
    assert gateway.tally.dropped == {"incomplete": 3}
    assert closed(gateway) == {"incomplete": 4}


def test_memory_is_bounded_whatever_never_completes() -> None:
    gateway = AisGateway()
    for n in range(5000):
        body = b"%02dVDM,9,%d,%d,A,15M67FC0,0" % (n % 100, n % 8 + 1, n // 8 % 10)
        gateway.feed(sentence(body), ARRIVED)
        assert gateway.tally.waiting <= 64 * 8
    assert closed(gateway) == {"incomplete": 5000}


def test_a_gatehouse_line_gives_receive_time_country_and_station() -> None:
    stamp = b"$PGHP,1,2010,6,11,11,46,12,451,219,1,992190917,1,58*14"
    line = b"!AIVDM,1,1,,A,33nr7t001f13KNTOahh2@QpF00vh,0*58"
    gateway = AisGateway()
    [first, second] = heard(stamp, line, POSITION, gateway=gateway)
    assert first.source.received_ms == second.source.received_ms == 1276256772451
    assert (first.source.station, first.source.country, first.source.region) == ("992190917", 219, 1)
    assert (second.source.station, second.source.country) == (None, None)
    assert gateway.tally.seen == 2


def test_a_gatehouse_line_that_speaks_of_another_sentence_gives_the_time_only() -> None:
    [seen] = heard(b"$PGHP,1,2010,6,11,11,46,12,451,219,1,992190917,1,58*14", POSITION)
    assert seen.source.received_ms == 1276256772451
    assert seen.source.station is None


def test_a_tag_block_gives_time_in_seconds_or_milliseconds_and_the_station() -> None:
    for time, received_ms in ((b"1671533231", 1671533231000), (b"1671533231456", 1671533231456)):
        block = b"s:2573535,c:" + time
        [seen] = heard(b"\\%s*%02X\\%s" % (block, reduce(xor, block), POSITION))
        assert (seen.source.received_ms, seen.source.station) == (received_ms, "2573535")


def test_a_time_after_the_checksum_counts_and_without_any_the_arrival_does() -> None:
    assert heard(POSITION)[0].source.received_ms == ARRIVED
    assert heard(POSITION + b",1276256770")[0].source.received_ms == 1276256770000
    assert heard(POSITION + b",s30321,d-103,rMNLPOS,1241544035")[0].source.received_ms == 1241544035000


def test_own_reports_are_marked() -> None:
    [seen] = heard(sentence(b"AIVDO,1,1,,,15M67FC000G?ufbE`FepT@3n00Sa,0"))
    assert seen.source.own
    assert seen.source.channel is None


@given(st.lists(st.binary(max_size=120), max_size=30))
def test_random_bytes_never_raise_and_every_line_is_accounted_for(lines: list[bytes]) -> None:
    gateway = AisGateway()
    heard(*lines, gateway=gateway)
    closed(gateway)


REAL = [line for lines in KNOWN.values() for line in lines] + [
    b"$PGHP,1,2010,6,11,11,46,12,451,219,1,992190917,1,58*14"
]


@given(st.data())
def test_mutated_sentences_never_raise_and_every_line_is_accounted_for(data: st.DataObject) -> None:
    gateway = AisGateway()
    for _ in range(data.draw(st.integers(1, 8))):
        line = bytearray(data.draw(st.sampled_from(REAL)))
        for _ in range(data.draw(st.integers(0, 3))):
            line[data.draw(st.integers(0, len(line) - 1))] = data.draw(st.integers(0, 255))
        body = bytes(line[1:-3])
        gateway.feed(data.draw(st.sampled_from([bytes(line), sentence(body)])), ARRIVED)
    closed(gateway)


ARMOUR = bytes(range(48, 88)) + bytes(range(96, 120))


@given(st.lists(st.sampled_from(ARMOUR), min_size=1, max_size=120), st.integers(0, 5))
def test_any_payload_is_an_observation_in_range_or_counted(payload: list[int], fill: int) -> None:
    gateway = AisGateway()
    seen = heard(sentence(b"AIVDM,1,1,,A,%s,%d" % (bytes(payload), fill)), gateway=gateway)
    assert gateway.tally.carried == len(seen)
    closed(gateway)
    for observation in seen:
        assert 0 < observation.mmsi <= 999_999_999
        if position := observation.position:
            assert -90 <= position.lat_deg <= 90
            assert -180 <= position.lon_deg <= 180
            assert position.course_deg is None or 0 <= position.course_deg < 360
            assert position.heading_deg is None or 0 <= position.heading_deg < 360


def test_the_live_stream_is_decoded_whole_and_every_sentence_is_accounted_for(dma_stream: Path) -> None:
    gateway = AisGateway()
    lines = dma_stream.read_bytes().splitlines()
    seen = heard(*lines, gateway=gateway)
    dropped = closed(gateway)
    assert gateway.tally.seen == sum(line.startswith(b"!") for line in lines) == 4500
    assert (gateway.tally.carried, gateway.tally.observations, dropped.total()) == (4087, 3651, 413)
    assert set(dropped) == {f"unsupported type {n}" for n in (6, 7, 8, 15, 16, 17, 20, 23)} | {"invalid mmsi"}
    assert len({o.mmsi for o in seen}) == 1820
    vessels = {o.mmsi for o in seen if o.kind in ("class A", "class B")}
    assert len(vessels) == 1667
    times = [o.source.received_ms for o in seen]
    assert (min(times), max(times)) == (1276256770000, 1276256798873)
    assert sum(o.source.station is not None for o in seen) == 2773
    assert {o.source.country for o in seen} >= {219, 232, 265, 205, 244, 257}


def test_the_live_stream_reads_as_the_decoder_alone_reads_it(dma_stream: Path) -> None:
    lines = [line.split(b",127625")[0] for line in dma_stream.read_bytes().splitlines() if line.startswith(b"!")]
    supported = {1, 2, 3, 4, 5, 9, 18, 19, 21, 24, 27}
    theirs: list[Any] = [m for s in pyais.IterMessages(lines) if (m := s.decode()).msg_type in supported and m.mmsi]
    ours = heard(*lines)
    assert [o.mmsi for o in ours] == [m.mmsi for m in theirs]
    for mine, raw in zip(ours, theirs, strict=True):
        if mine.position:
            assert (mine.position.lat_deg, mine.position.lon_deg) == (raw.lat, raw.lon)
