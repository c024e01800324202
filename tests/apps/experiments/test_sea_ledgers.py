"""On the real stream, what the ledger of sending calls carried comes back, and what it calls approximated nearly so."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from aldis.apps.experiments.entity import GROUPS, Approximated, Dropped, Track
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
