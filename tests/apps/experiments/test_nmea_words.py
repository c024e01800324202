"""Sentences of a vessel's own instruments and radar, and the ledger of every specimen."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import pynmea2  # type: ignore[import-untyped]
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aldis.apps.experiments.entity import (
    GROUPS,
    Approximated,
    Area,
    Decoded,
    Dropped,
    Entity,
    Environment,
    Identity,
    Motion,
    Original,
    Point,
    Position,
    Report,
    Task,
    Timing,
    Track,
    Type,
)
from aldis.apps.experiments.gateways.gateway import Offered, Specimen
from aldis.apps.experiments.gateways.nmea import OFFERED, NmeaGateway
from aldis.apps.experiments.gateways.nmea.armour import sentence
from aldis.apps.experiments.gateways.nmea.shape import paths, shape_of
from aldis.apps.experiments.gateways.nmea.values import KNOT
from aldis.apps.experiments.gateways.nmea2000 import OFFERED as N2K

AT = 1_718_106_372_500_000  # 11 June 2024, 11:46:12.5 UTC
BOTH = [(offered, specimen) for offered in (OFFERED, N2K) for specimen in offered.specimens()]
NAMES = [f"{offered.protocol}, {specimen.name}" for offered, specimen in BOTH]


def heard(*words: str, gateway: NmeaGateway | None = None, at: int = AT) -> list[Entity]:
    gateway = gateway or NmeaGateway()
    return [d.entity for w in words for d in gateway.feed(sentence(w.encode()), at)]


def own(*words: str, gateway: NmeaGateway | None = None, at: int = AT) -> Track:
    [*_, track] = heard(*words, gateway=gateway, at=at)
    assert isinstance(track, Track)
    return track


def surroundings(*words: str, gateway: NmeaGateway | None = None) -> Environment:
    [*_, environment] = heard(*words, gateway=gateway)
    assert isinstance(environment, Environment)
    return environment


def dropped(*words: str) -> dict[str, int]:
    gateway = NmeaGateway()
    assert heard(*words, gateway=gateway) == []
    return dict(gateway.tally.dropped)


def fused(decoded: list[Decoded]) -> Entity:
    """All that was said of one thing."""
    whole: dict[str, Any] = {}
    for part in decoded:
        for name, value in msgspec.to_builtins(part.entity).items():
            whole[name] = whole.get(name, {}) | value if isinstance(value, dict) else value
    entity: Entity = msgspec.convert(whole, type(decoded[0].entity), strict=False)
    return entity


@pytest.mark.parametrize(("offered", "specimen"), BOTH, ids=NAMES)
def test_every_field_of_a_specimen_is_named_once_and_comes_back_or_is_accounted_for(
    offered: Offered, specimen: Specimen
) -> None:
    gateway = offered.open()
    decoded = []
    for message in specimen.messages:
        [part] = gateway.feed(message, AT)
        named = [entry.field for entry in part.ledger.entries]
        assert sorted(named) == sorted(set(named))
        assert set(named) == set(offered.fields([message]))
        for entry in part.ledger.carried:
            group, _, name = entry.to.partition(".")
            whole = part.entity if group in ("report", "area", "environment") else getattr(part.entity, group)
            assert getattr(whole, name) is not None, entry
        decoded.append(part)
    entity = fused(decoded)
    encoded = gateway.encode(entity, AT)
    assert [entry.field for entry in encoded.ledger.entries] == paths(entity)
    before, after = offered.fields(specimen.messages), offered.fields(encoded.messages)
    lost = {entry.field for part in decoded for entry in part.ledger.dropped}
    assert [name for name, value in before.items() if name not in lost and after.get(name) != value] == []


@pytest.mark.parametrize(("offered", "specimen"), BOTH, ids=NAMES)
def test_what_the_ledger_of_sending_calls_carried_or_nearly_so_comes_back(offered: Offered, specimen: Specimen) -> None:
    gateway = offered.open()
    entity = fused([part for message in specimen.messages for part in gateway.feed(message, AT)])
    encoded = gateway.encode(entity, AT)
    back = fused([part for message in encoded.messages for part in offered.open().feed(message, AT)])
    for entry in encoded.ledger.entries:
        group, _, name = entry.field.partition(".")
        one = getattr(entity if group in ("report", "area", "environment") else getattr(entity, group), name)
        if isinstance(entry, Dropped) or (group, name) == ("area", "points"):
            continue
        other = getattr(back if group in ("report", "area", "environment") else getattr(back, group), name)
        if not isinstance(entry, Approximated):
            assert one == other, entry
        elif isinstance(one, (int, float)) and not isinstance(one, bool):
            scale = {"source_us": 1e-6, "at": 1e-3}.get(name, 1.0)
            if entry.unit == "m" and name.endswith("_deg"):
                scale = 111_700.0
            assert abs(one - other) * scale <= entry.error * 1.001 + 1e-9, entry


def test_a_height_is_above_the_ellipsoid_where_both_altitude_and_separation_are_said() -> None:
    track = own("GPGGA,123519.25,4807.038,S,01131.000,W,2,08,0.9,545.4,M,46.9,M,3.2,0101")
    assert track.position is not None
    position = track.position
    assert (position.lat_deg, position.lon_deg) == pytest.approx((-48.1173, -11.516667), abs=1e-6)
    assert position.height_m == 592.3
    assert position.original == Original(
        frame="msl", datum="WGS-84, geoid of the receiver", values=(position.lat_deg, position.lon_deg, 545.4)
    )
    assert track.sensor is not None
    assert (track.sensor.fix, track.sensor.satellites, track.sensor.hdop) == ("DGPS", 8, 0.9)
    without = own("GPGGA,123519,4807.038,N,01131.000,E,1,08,0.9,545.4,M,,,,").position
    assert without is not None
    assert without.height_m is None
    assert without.original is not None


def test_without_a_fix_there_is_no_position() -> None:
    assert own("GPGGA,123519,4807.038,N,01131.000,E,0,00,,,M,,M,,").position is None
    assert own("GPRMC,123519,V,4807.038,N,01131.000,E,,,230394,,,N").position is None
    assert own("GPGLL,4807.038,N,01131.000,E,123519,V").position is None


def test_the_day_is_the_one_said_or_the_nearest() -> None:
    def source(*words: str, at: int = AT) -> str:
        timing = own(*words, at=at).timing
        assert timing is not None
        assert timing.source_us is not None
        return datetime.fromtimestamp(timing.source_us / 1e6, UTC).isoformat(timespec="milliseconds")[:-6]

    place = "4807.038,N,01131.000,E"
    midnight = 1_718_150_400_000_000  # 12 June 2024
    assert source(f"GPGLL,{place},114600.50,A") == "2024-06-11T11:46:00.500"
    assert source(f"GPGLL,{place},235959,A", at=midnight + 1) == "2024-06-11T23:59:59.000"
    assert source(f"GPGLL,{place},000001,A", at=midnight - 1) == "2024-06-12T00:00:01.000"
    assert source(f"GPRMC,114600,A,{place},1,2,230394,,") == "1994-03-23T11:46:00.000"
    assert source(f"GPRMC,235959,A,{place},1,2,230394,,", f"GPGLL,{place},000001,A") == "1994-03-24T00:00:01.000"
    assert source("GPZDA,114612.25,11,06,2019,00,00") == "2019-06-11T11:46:12.250"


def test_a_magnetic_heading_counts_only_with_its_variation() -> None:
    motion = own("HCHDG,101.1,1.0,E,7.1,W").motion
    assert motion is not None
    assert motion.heading_deg == pytest.approx(95.0)
    assert dropped("HCHDG,101.1,,,,") == {"nothing said": 1}


def test_wind_from_the_bow_has_a_bearing_once_the_heading_is_known() -> None:
    gateway = NmeaGateway()
    assert surroundings("WIMWV,45.0,T,10.0,N,A", gateway=gateway).wind_from_deg is None
    wind = surroundings("HEHDT,350.0,T", "WIMWV,45.0,T,10.0,N,A", gateway=gateway)
    assert (wind.wind_from_deg, wind.wind_mps) == (35.0, round(10 * KNOT, 5))
    assert dropped("WIMWV,45.0,R,10.0,N,A") == {"nothing said": 1}


def test_transducers_are_told_by_their_names() -> None:
    seen = surroundings("YXXDR,C,19.5,C,TempAir,P,1.02481,B,Barometer,C,12.0,C,WaterTemp,G,5.0,,Fuel")
    assert (seen.air_temperature_c, seen.water_temperature_c, seen.pressure_hpa) == (19.5, 12.0, 1024.81)


def test_depth_is_from_the_surface_where_the_transducer_says_how_deep_it_is() -> None:
    assert surroundings("SDDPT,76.1,0.5").water_depth_m == 76.6
    assert surroundings("SDDPT,76.1,-1.5").water_depth_m == 76.1
    assert surroundings("SDDBT,249.7,f,76.1,M,41.6,F").water_depth_m == 76.1


def test_a_radar_contact_has_a_place_once_the_vessel_has_one() -> None:
    gateway = NmeaGateway()
    ttm = "RATTM,11,10.0,90.0,T,7.5,85.6,T,0.4,12.5,N,TGT11,T,,114612.25,A"
    contact = own(ttm, gateway=gateway)
    assert contact.position is None
    assert contact.sensor is not None
    assert (contact.sensor.range_m, contact.sensor.azimuth_deg) == (18520.0, 90.0)
    contact = own("GPGLL,0000.000,N,02430.000,E,114612,A", ttm, gateway=gateway)
    assert contact.position is not None
    assert contact.position.lon_deg == pytest.approx(24.5 + 10 / 60, abs=3e-4)
    assert contact.key == "nmea:own:target:11"
    assert contact.type == Type(nature="contact")
    assert contact.motion is not None
    assert contact.motion.speed_mps == pytest.approx(7.5 * KNOT, abs=1e-4)


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("GPGGA,126019,4807.038,N,01131.000,E,1,08,0.9,545.4,M,46.9,M,,", "undecodable"),
        ("GPGGA,123519,9107.038,N,01131.000,E,1,08,0.9,545.4,M,46.9,M,,", "out of range"),
        ("GPGLL,4867.038,N,01131.000,E,123519,A", "out of range"),
        ("GPGLL,4807.038,X,01131.000,E,123519,A", "undecodable"),
        ("GPRMC,123519,A,4807.038,N,01131.000,E,abc,,230394,,", "undecodable"),
        ("GPRMC,123519,A,4807.038,N,01131.000,E,1,1,320394,,", "undecodable"),
        ("HEHDT,361.0,T", "out of range"),
        ("GPGSV,1,1,00", "unsupported sentence"),
        ("PSTX,1", "unsupported sentence"),
        ("HEHDT,,T", "nothing said"),
        ("IITXT,01,01,01,", "no words"),
        ("RATTM,x,1,1,T", "undecodable"),
    ],
)
def test_damage_in_words_is_counted_with_its_reason(words: str, reason: str) -> None:
    assert dropped(words) == {reason: 1}


def test_a_track_without_an_mmsi_goes_out_as_a_radar_target_with_its_place() -> None:
    gateway = NmeaGateway()
    track = Track(
        key="dis:1:2:3",
        position=Position(lat_deg=59.9, lon_deg=-24.5),
        identity=Identity(name="BOAT, 1"),
        motion=Motion(speed_mps=3.0),
    )
    encoded = gateway.encode(track, AT)
    [message] = encoded.messages
    assert message.startswith(b"$IITLL,00,5954.000000,N,02430.000000,W,BOAT^2C 1,,T,*")
    assert [entry.field for entry in encoded.ledger.dropped] == ["motion.speed_mps"]
    assert gateway.encode(msgspec.structs.replace(track, key="dis:1:2:4"), AT).messages[0].startswith(b"$IITLL,01,")
    assert gateway.encode(track, AT).messages == encoded.messages
    for number in range(300):
        gateway.encode(msgspec.structs.replace(track, key=f"dis:{number}"), AT)
    assert len(gateway._speaker._numbers) <= 100


def test_words_are_cut_into_sentences_and_lose_no_reserved_character() -> None:
    text = "RAFT *12* sighted, 2 persons\\lights ^ " * 5
    encoded = NmeaGateway().encode(Report(key="r", text=text), AT)
    parts = [d.entity for m in encoded.messages for d in NmeaGateway().feed(m, AT)]
    assert "".join(part.text for part in parts if isinstance(part, Report)) == text
    assert all(len(message) <= 82 for message in encoded.messages)
    lossy = NmeaGateway().encode(Report(key="r", text="Räft"), AT)
    assert [(e.field, e.reason) for e in lossy.ledger.dropped] == [("report.text", "not text of this protocol")]


def test_what_has_no_sentence_gives_no_message_and_says_so() -> None:
    gateway = NmeaGateway()
    area = Area(key="a", shape="circle", points=[Point(lat_deg=1, lon_deg=2)], radius_m=5.0)
    task = Task(key="t", verb="go to", assignee="x")
    for entity in (area, task, Track(key="dis:1:1:1", timing=Timing(source_us=1))):
        encoded = gateway.encode(entity, AT)
        assert encoded.messages == ()
        assert [entry.field for entry in encoded.ledger.dropped] == paths(entity)


def test_sentences_are_read_alike_by_pynmea2() -> None:
    spoken = [m for s in OFFERED.specimens() for m in s.messages if m.startswith(b"$")]
    for message in spoken:
        [decoded] = NmeaGateway().feed(message, AT)
        again = NmeaGateway().encode(decoded.entity, AT)
        for line in (message, *again.messages):
            theirs = pynmea2.parse(line.decode().strip(), check=True)
            ours = OFFERED.fields([line])
            kind = theirs.sentence_type
            if hasattr(theirs, "latitude") and f"{kind}.lat" in ours and isinstance(decoded.entity, Track):
                assert decoded.entity.position is not None
                assert theirs.latitude == pytest.approx(decoded.entity.position.lat_deg, abs=1e-7)
                assert theirs.longitude == pytest.approx(decoded.entity.position.lon_deg, abs=1e-7)
            for name in ("spd_over_grnd", "true_course", "heading", "temperature", "depth", "true_track"):
                if getattr(theirs, name, None) not in (None, ""):
                    assert float(getattr(theirs, name)) in [v for v in ours.values() if isinstance(v, float)]


USUAL = next(OFFERED.open().feed(m, AT)[0].entity for s in OFFERED.specimens() for m in s.messages)


@settings(max_examples=60)
@given(st.data())
def test_tracks_have_the_same_shape_only_if_they_say_the_same_kinds_of_things(data: st.DataObject) -> None:
    assert isinstance(USUAL, Track)
    pair = []
    for _ in range(2):
        groups: dict[str, Any] = {}
        for name, kind in GROUPS.items():
            said = getattr(USUAL, name)
            if data.draw(st.integers(0, 5)) == 0:
                continue
            fields = {f: v for f in kind.__struct_fields__ if (v := getattr(said, f, None)) is not None}
            for field in data.draw(st.lists(st.sampled_from(kind.__struct_fields__), max_size=2)):
                if fields.pop(field, None) is None and field not in ("lat_deg", "lon_deg", "protocol", "received_ms"):
                    fields[field] = 1
            if said is not None or fields:
                required: dict[str, dict[str, Any]] = {
                    "position": {"lat_deg": 1.0, "lon_deg": 2.0},
                    "residue": {"parts": []},
                }
                required["sensor"] = {"protocol": "x", "received_ms": 1}
                groups[name] = kind(**required.get(name, {}) | fields)
        pair.append(Track(key="k", **groups))
    one, other = pair
    assert (shape_of(one) == shape_of(other)) == (paths(one) == paths(other)) or not all(paths(track) for track in pair)
