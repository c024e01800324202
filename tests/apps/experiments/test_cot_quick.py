"""What writes a usual CoT event at once says what writing it value by value says."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from aldis.apps.experiments.entity import Encoded, Track
from aldis.apps.experiments.gateways.cot.event import flatten
from aldis.apps.experiments.gateways.cot.gateway import CotGateway
from aldis.apps.experiments.gateways.cot.rendering import render
from aldis.apps.experiments.gateways.cot.residue import Room
from aldis.apps.experiments.gateways.cot.scanner import scan
from aldis.apps.experiments.gateways.cot.writing import Writer

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
