"""On the real stream, what the ledger of sending calls carried comes back, and what it calls approximated nearly so."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from aldis.apps.experiments.entity import (
    GROUPS,
    Approximated,
    Dropped,
    Environment,
    Identity,
    Motion,
    Position,
    Sensor,
    Track,
    Type,
)
from aldis.apps.experiments.fusing import fused
from aldis.apps.experiments.gateways.gateway import Offered
from aldis.apps.experiments.gateways.nmea import OFFERED as NMEA
from aldis.apps.experiments.gateways.nmea2000 import OFFERED as N2K

_SCALES = {"m": 111_700.0, "s": 1e-3}


def values_of(track: Track) -> dict[str, Any]:
    return {
        f"{group}.{name}": value
        for group in GROUPS
        if (said := getattr(track, group)) is not None
        for name in said.__struct_fields__
        if (value := getattr(said, name)) is not None
    }


def scale_of(entry: Approximated) -> float:
    """What a difference of the model's unit is in the ledger's."""
    if entry.field == "timing.source_us":
        return 1e-6
    return _SCALES.get(entry.unit, 1.0) if entry.field.endswith(("_deg", ".at")) else 1.0


@pytest.mark.slow
@pytest.mark.parametrize("offered", [NMEA, N2K], ids=["nmea0183", "nmea2000"])
def test_what_the_ledger_says_of_every_real_track_is_so(offered: Offered, dma_stream: Path) -> None:
    wrong: Counter[str] = Counter()
    held = 0
    for decoded in NMEA.open().feed(dma_stream.read_bytes(), 1_700_000_000_000_000):
        track = decoded.entity
        if not isinstance(track, Track) or track.sensor is None:
            continue
        at_us = track.sensor.received_ms * 1000
        encoded = offered.open().encode(track, at_us)
        before = values_of(track)
        after: dict[str, Any] = {}
        for message in encoded.messages:
            for back in offered.open().feed(message, at_us):
                after |= values_of(back.entity) if isinstance(back.entity, Track) else {}
        assert [entry.field for entry in encoded.ledger.entries] == list(before)
        for entry in encoded.ledger.entries:
            if isinstance(entry, Dropped):
                continue
            one, other = before[entry.field], after.get(entry.field)
            if isinstance(entry, Approximated) and isinstance(one, (int, float)) and isinstance(other, (int, float)):
                good = abs(one - other) * scale_of(entry) <= entry.error * 1.01 + 1e-9
            else:
                good = one == other
            held += good
            if not good:
                wrong[entry.field] += 1
    assert not wrong
    assert held > 40_000


SEA = pytest.mark.parametrize("offered", [NMEA, N2K], ids=["nmea0183", "nmea2000"])


@SEA
@pytest.mark.parametrize("name", [None, "HOOGE"])
def test_what_a_report_cannot_say_beside_the_rest_is_dropped(offered: Offered, name: str | None) -> None:
    track = Track(
        key="mmsi:230123456",
        position=Position(lat_deg=60.1, lon_deg=24.9),
        motion=Motion(turn_deg_per_min=20.0, turning="starboard"),
        identity=Identity(mmsi=230123456, name=name),
        type=Type(station="class A"),
        sensor=Sensor(protocol="x", received_ms=1, channel="B", own=False),
    )
    encoded = offered.open().encode(track, 1_700_000_000_000_000)
    assert {"motion.turning", "sensor.own"} <= {entry.field for entry in encoded.ledger.dropped}
    assert encoded.messages


@pytest.mark.parametrize(("speed_mps", "said"), [(52.59, True), (52.596, False), (-0.1, False), (float("nan"), False)])
def test_a_speed_that_a_vessel_does_not_have_is_dropped(speed_mps: float, said: bool) -> None:
    track = Track(
        key="mmsi:230123456",
        position=Position(lat_deg=60.1, lon_deg=24.9),
        motion=Motion(speed_mps=speed_mps, frame="course"),
        identity=Identity(mmsi=230123456),
    )
    encoded = N2K.open().encode(track, 1_700_000_000_000_000)
    lost = {entry.field for entry in encoded.ledger.dropped}
    assert ({"motion.speed_mps", "motion.frame"} & lost == set()) is said
    gateway = N2K.open()
    (back,) = [one for message in encoded.messages for one in gateway.feed(message, 1_700_000_000_000_000)]
    assert isinstance(back.entity, Track)
    assert (back.entity.motion is not None) is said


def test_the_finest_of_several_messages_has_the_last_word() -> None:
    air = Environment(key="environment:x", pressure_hpa=1013.25, air_temperature_c=11.237)
    encoded = N2K.open().encode(air, 1_700_000_000_000_000)
    gateway = N2K.open()
    heard = [one for message in encoded.messages for one in gateway.feed(message, 1_700_000_000_000_000)]
    (back,) = [one for one in fused(heard) if isinstance(one, Environment)]
    assert (back.pressure_hpa, back.air_temperature_c) == (1013.25, 11.237)
    assert {entry.field for entry in encoded.ledger.approximated} == {
        "environment.pressure_hpa",
        "environment.air_temperature_c",
    }
