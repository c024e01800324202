"""What a ledger of UMAA says is true: carried comes back the same, approximated within its error, dropped not."""

from __future__ import annotations

import math
from typing import Any

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from aldis.apps.experiments.entity import (
    GROUPS,
    Approximated,
    Carried,
    Entity,
    Identity,
    Motion,
    Original,
    Point,
    Position,
    Sensor,
    Status,
    Task,
    Timing,
    Track,
    Type,
)
from aldis.apps.experiments.entity.geodesy import quaternion_of
from aldis.apps.experiments.gateways.umaa import UmaaGateway

AT = 1_700_000_001_000_000
EVERY_MESSAGE_SAYS = {"identity.umaa_id", "sensor.protocol", "sensor.received_ms", "timing.received_us", "timing.clock"}
REDUCED = {"position.original", "sensor.fix", "type.nature"}  # something else is said in their place
TIMES = {"position.at", "motion.at", "status.at", "timing.source_us"}  # each sample has one of its own
small = st.floats(-1000, 1000)
fraction = st.floats(0, 1)
bearing = st.floats(0, 360, exclude_max=True)
at = st.sampled_from((None, 1_700_000_000_123, 1_700_000_000_999))
words = st.text(max_size=12)
angle = st.floats(-1.5, 1.5)


def maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | strategy


positions = st.builds(
    Position,
    lat_deg=st.floats(-90, 90),
    lon_deg=st.floats(-180, 180),
    at=at,
    height_m=maybe(st.floats(-20_000, 20_000)),
    depth_m=maybe(small),
    accuracy_m=maybe(st.floats(0.01, 1000)),
    height_accuracy_m=maybe(st.floats(0.01, 1000)),
    suspect=maybe(st.booleans()),
    original=maybe(
        st.builds(
            Original,
            frame=st.sampled_from(("msl", "ecef")),
            datum=st.just("WGS-84"),
            values=st.tuples(small, small, small),
        )
    ),
)
motions = st.builds(
    Motion,
    at=at,
    speed_mps=maybe(st.just(0.0) | st.floats(0.1, 100)),
    course_deg=maybe(bearing),
    climb_mps=maybe(small),
    heading_deg=maybe(bearing),
    water_speed_mps=maybe(small),
    attitude=maybe(st.builds(quaternion_of, angle, angle, angle)),
    rates_rad_s=maybe(st.tuples(small, small, small)),
    frame=st.sampled_from((None, "ned", "ecef")),
    turn_deg_per_min=maybe(small),
)
tracks = st.builds(
    Track,
    key=st.sampled_from(("dis:1:2:3", "umaa:5f0294ef-d546-42e1-a3fe-666ace569336")),
    position=maybe(positions),
    motion=maybe(motions),
    identity=maybe(
        st.builds(
            Identity,
            mmsi=maybe(st.integers(0, 10**10) | words),
            name=maybe(words),
            callsign=maybe(words),
            umaa_id=maybe(st.sampled_from(("5f0294ef-d546-42e1-a3fe-666ace569337", "no id"))),
        )
    ),
    type=maybe(
        st.builds(
            Type,
            nature=st.sampled_from((None, "vehicle", "contact")),
            sidc=maybe(st.just("10033000001401000000")),
            length_m=maybe(small),
            beam_m=maybe(small),
            cot=maybe(words),
        )
    ),
    status=maybe(
        st.builds(
            Status,
            at=at,
            mode=st.sampled_from((None, "MRC", "GUIDED")),
            special_manoeuvre=maybe(st.booleans()),
            battery_percent=maybe(st.floats(-1, 101)),
            battery_v=maybe(small),
            battery_a=maybe(small),
        )
    ),
    sensor=maybe(
        st.builds(
            Sensor,
            protocol=st.just("dis"),
            received_ms=st.just(5),
            fix=st.sampled_from((None, "MEASURED", "ACTUAL", "3D")),
            stations=maybe(st.lists(st.sampled_from(("5f0294ef-d546-42e1-a3fe-666ace569337", "here")), max_size=3)),
        )
    ),
    timing=maybe(
        st.builds(
            Timing,
            source_us=maybe(st.sampled_from((1_700_000_000_123_456, -5, 10**18))),
            start_us=maybe(st.sampled_from((1_600_000_000_000_001, -5))),
            stale_us=maybe(st.just(5)),
        )
    ),
)


@settings(max_examples=60, phases=(Phase.explicit, Phase.reuse, Phase.generate))
@given(tracks)
def test_a_track_that_is_said_comes_back_as_its_ledger_says(track: Track) -> None:
    encoded = UmaaGateway().encode(track, AT)
    gateway, back, times = UmaaGateway(), dict[str, Any](), set[tuple[str, int]]()
    for message in encoded.messages:
        for decoded in gateway.feed(message, AT):
            heard = values(decoded.entity)
            times |= {(name, value) for name, value in heard.items() if name in TIMES}
            back = heard | back  # what was said first: a pose before a velocity
    assert gateway.tally.carried == len(encoded.messages)
    said = values(track)
    assert sorted(entry.field for entry in encoded.ledger.entries) == sorted(said)
    for entry in encoded.ledger.entries:
        if isinstance(entry, Carried) and entry.field in TIMES:
            assert (entry.field, said[entry.field]) in times, entry
        elif isinstance(entry, Carried):
            assert back[entry.field] == said[entry.field], entry
        elif isinstance(entry, Approximated):
            assert near(back[entry.field], said[entry.field], max(entry.error, 1e-9), entry.unit), entry
        elif entry.field not in EVERY_MESSAGE_SAYS and not entry.field.endswith(".at"):
            made = entry.field in ("motion.course_deg", "motion.heading_deg", "timing.source_us", "motion.frame")
            assert back.get(entry.field) is None or made or entry.field in REDUCED, entry


def values(entity: Entity) -> dict[str, Any]:
    groups = {name: getattr(entity, name, None) for name in GROUPS}
    return {
        f"{name}.{field}": value
        for name, group in groups.items()
        if group is not None
        for field in group.__struct_fields__
        if (value := getattr(group, field)) is not None
    }


def near(one: Any, other: Any, error: float, unit: str) -> bool:
    if isinstance(one, tuple):  # a quaternion and its negative are one attitude
        return bool(abs(abs(sum(a * b for a, b in zip(one, other, strict=True))) - 1) < error)
    difference = abs(math.remainder(one - other, 360)) if unit == "deg" else abs(one - other)
    return bool(difference <= error * max(1, abs(other)))


@given(
    st.lists(
        st.builds(Point, lat_deg=st.floats(-90, 90), lon_deg=st.floats(-180, 180), depth_m=st.floats(0, 100)),
        min_size=1,
        max_size=5,
    ),
    maybe(st.floats(0.5, 20)),
    maybe(st.floats(1, 500)),
    words,
)
def test_a_task_that_is_said_comes_back(
    points: list[Point], speed: float | None, radius: float | None, request: str
) -> None:
    task = Task(
        key="t",
        verb="go to",
        assignee="umaa:5f0294ef-d546-42e1-a3fe-666ace569336",
        points=points,
        speed_mps=speed,
        radius_m=radius,
        request=request,
        state="issued",
    )
    gateway = UmaaGateway()
    [back] = [one.entity for message in UmaaGateway().encode(task, AT).messages for one in gateway.feed(message, AT)]
    assert isinstance(back, Task)
    assert (back.points, back.speed_mps, back.assignee, back.state) == (points, speed, task.assignee, "issued")
    assert back.radius_m == (10.0 if radius is None else radius)
