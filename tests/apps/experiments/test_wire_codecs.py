"""The codecs of CoT events and AIS position reports that know no model: what they read is what is written."""

from __future__ import annotations

from typing import Any

import pyais
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aldis.apps.experiments.entity import Encoded, Track
from aldis.apps.experiments.gateways.cot.codec import Codec
from aldis.apps.experiments.gateways.cot.event import flatten
from aldis.apps.experiments.gateways.cot.gateway import CotGateway
from aldis.apps.experiments.gateways.cot.rendering import render
from aldis.apps.experiments.gateways.cot.residue import Room
from aldis.apps.experiments.gateways.cot.scanner import scan
from aldis.apps.experiments.gateways.cot.writing import Writer
from aldis.apps.experiments.gateways.gateway import Damaged
from aldis.apps.experiments.gateways.nmea.position import PositionReport
from aldis.apps.experiments.gateways.nmea.values import AVAILABLE_TURNS

EVENT = (
    '<event version="2.0" uid="{uid}" type="{type}" how="m-g" time="{time}" start="2026-03-14T09:26:53Z" '
    'stale="2026-03-14T09:28:53.5Z"><point lat="{lat}" lon="24.45" hae="{hae}" ce="4.5" le="9999999.0"/><detail>'
    '<contact callsign="{callsign}"/><status battery="{battery}"/><track speed="{speed}" course="213.7"/>'
    "</detail></event>"
)
USUAL = {
    "uid": "TAK-1", "type": "a-f-S-X-M", "time": "2026-03-14T09:26:53.000001Z", "lat": "59.85", "hae": "18.31",
    "callsign": "PETREL 7", "battery": "78", "speed": "4.25",
}  # fmt: skip
NUMBERS = st.one_of(
    st.floats().map(repr), st.integers().map(str), st.sampled_from(["", " 1", "1_0", "1e999", "-0.0", "1e-7", "x", "٣"])
)
TEXTS = st.one_of(st.text(st.characters(codec="utf-8", exclude_characters='<&"\\'), max_size=8), st.just("&amp;&lt;"))
TIMES = st.sampled_from(["2026-03-14T09:26:53Z", "2026-03-14T09:26:53.5+02:00", "now", "", USUAL["time"]])
VALUES = st.fixed_dictionaries(
    {},
    optional={"uid": TEXTS, "callsign": TEXTS, "time": TIMES}
    | dict.fromkeys(("lat", "hae", "battery", "speed"), NUMBERS),
)


def said(codec: Codec, data: bytes) -> dict[str, Any] | str:
    try:
        return dict(codec.read(data))
    except Damaged as reason:
        return str(reason)


@settings(max_examples=25, deadline=None)
@given(VALUES)
def test_a_known_shape_of_event_is_read_as_an_unknown_one_and_written_as_it_was(values: dict[str, str]) -> None:
    codec = Codec()
    usual = codec.read(EVENT.format_map(USUAL).encode())
    assert codec.read(EVENT.format_map(USUAL).encode()) == usual
    data = EVENT.format_map(USUAL | values).encode()
    found = said(codec, data)
    assert found == said(Codec(), data)
    if isinstance(found, dict) and all(found.values()) and not isinstance(found["event@time"], str):
        again = codec.read(codec.written(found))
        assert {name: again[name] for name in found} == found


def test_an_event_of_another_kind_in_a_known_shape_is_read_as_what_it_is() -> None:
    codec = Codec()
    codec.read(EVENT.format_map(USUAL).encode())
    with pytest.raises(Damaged):
        codec.read(EVENT.format_map(USUAL | {"type": "t-x-d-d"}).encode())
    with pytest.raises(Damaged):
        codec.read(b"\xff")


@settings(max_examples=40, deadline=None)
@given(VALUES)
def test_a_track_is_written_at_once_as_it_is_value_by_value(values: dict[str, str]) -> None:
    gateway = CotGateway()
    for decoded in gateway.feed(EVENT.format_map(USUAL | values).encode(), 1_773_480_413_000_000):
        track = decoded.entity
        assert isinstance(track, Track)
        sent: Encoded = gateway.encode(track, 1_773_480_414_000_000)
        event, ledger = Writer(str, Room(text=lambda _n, _t: True, wire=lambda _p, _r: False), ms=False).write(
            track, 1_773_480_414_000_000
        )
        assert event is not None
        text = sent.messages[0].decode().partition("?>\n")[2]
        assert flatten(scan(text), text) == flatten(scan(render(event)), render(event))
        assert sent.ledger == ledger


REPORTS = st.builds(
    PositionReport,
    st.integers(1, 3), st.integers(0, 3), st.integers(1, 999_999_999), st.integers(0, 15),
    st.sampled_from([*AVAILABLE_TURNS, -128.0, 127.0, -127.0]), st.integers(0, 1023).map(lambda tenths: tenths / 10),
    st.booleans(), st.floats(-181, 181), st.floats(-91, 91), st.integers(0, 4095).map(lambda tenths: tenths / 10),
    st.integers(0, 511), st.integers(0, 63), st.integers(0, 3), st.integers(0, 7), st.booleans(),
    st.integers(0, 2**19 - 1),
)  # fmt: skip


@settings(max_examples=40, deadline=None)
@given(REPORTS)
def test_a_position_report_is_what_pyais_reads(report: PositionReport) -> None:
    sentence = report.written()
    read = PositionReport.read(sentence)
    assert read.written() == sentence
    assert read._replace(lon=report.lon, lat=report.lat) == report
    known = pyais.decode(sentence.strip()).asdict()
    assert (read.mmsi, read.second, read.heading, read.radio) == tuple(
        known[name] for name in ("mmsi", "second", "heading", "radio")
    )
    assert (round(read.lon, 6), round(read.lat, 6)) == (known["lon"], known["lat"])
    assert (read.speed, read.course) == (known["speed"], known["course"])


def test_what_is_no_position_report_is_refused() -> None:
    good = PositionReport(1, 0, 1, 0, 0.0, 0.0, False, 0.0, 0.0, 0.0, 0, 0, 0, 0, False, 0)
    for bad in (good.written()[:-4] + b"FF\r\n", b"$GPHDT,1,T*00", b"", good._replace(type=4).written()):
        with pytest.raises(Damaged):
            PositionReport.read(bad)
    for wrong in ({"lon": 230.0}, {"mmsi": -1}, {"turn": 1.0}, {"speed": 103.0}):
        with pytest.raises(ValueError, match="AIS"):
            good._replace(**wrong).written()
