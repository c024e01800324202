"""Two nations' recordings of what crossed between them: what they agree on, and what gives them away."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st
from recorded import LEDGER, MARKING, START_US, other_key, signer

from aldis.app import Crossed, Live
from aldis.apps.experiments.crossing import Crossing, things
from aldis.apps.experiments.entity import Decoded, Identity, Motion, Position, Track
from aldis.apps.experiments.recorder import Recorder, Taps, key_text, messages, read_told, verify
from aldis.apps.experiments.scoring import Passed, Report, agree, passed, spans
from aldis.interfaces.cli.main import cli
from aldis.kernel.frames import Update
from aldis.kernel.labels import Label

LABEL = Label("AUS", "OFFICIAL")
TRUTH = [
    Report(f"trk-{one}", START_US + 100_000 * n, START_US + 100_000 * n, (59.9 + n / 1000, 24.5, None))
    for one in range(4)
    for n in range(30)
]


def thing(record: int, number: int, **more: object) -> Passed:
    at = START_US // 1000 + 100 * number
    track = Track(
        key=f"trk-{record}",
        position=Position(lat_deg=59.9 + number / 1000, lon_deg=24.5 + record, at=at),
        motion=Motion(speed_mps=3.5),
        identity=Identity(name=f"SHIP {record}"),
    )
    return Passed(track.key, (7, at), msgspec.structs.replace(track, **more))


@st.composite
def crossings(draw: st.DrawFn) -> tuple[list[Passed], list[Passed]]:
    """What left, and what of it arrived: frames are lost, and groups that the other may not hold."""
    chance = random.Random(draw(st.integers(0, 2**32)))
    left = [thing(one, number) for number in range(30) for one in range(4) if chance.random() < 0.7]
    lost = {one.frame for one in left if chance.random() < 0.05}
    arrived = [
        one
        if chance.random() < 0.8
        else Passed(one.record, one.frame, msgspec.structs.replace(one.entity, identity=None))
        for one in left
        if one.frame not in lost
    ]
    return left, arrived


@settings(max_examples=25)
@given(crossings(), st.randoms(use_true_random=False))
def test_whatever_is_lost_on_the_way_two_nations_agree_on_what_both_saw(
    made: tuple[list[Passed], list[Passed]], chance: random.Random
) -> None:
    left, arrived = made
    found = agree(left, arrived, TRUTH)
    assert found.agrees
    assert not found.odd
    assert found.alike + found.in_part == found.arrived == len(arrived)
    assert found.alike + found.in_part + found.lost + found.unknown == found.left
    chance.shuffle(left)
    chance.shuffle(arrived)
    assert agree(left, arrived, TRUTH, left_spans=spans([(left, True)])) == found, "no order matters"


@settings(max_examples=25)
@given(crossings(), st.data())
def test_what_changed_on_its_way_or_never_left_is_always_named(
    made: tuple[list[Passed], list[Passed]], data: st.DataObject
) -> None:
    left, arrived = made
    at = data.draw(st.integers(0, len(arrived) - 1))
    one = arrived[at]
    assert isinstance(one.entity, Track) and one.entity.position is not None
    moved = msgspec.structs.replace(one.entity.position, lat_deg=one.entity.position.lat_deg + 1e-9)
    forged = Passed(one.record, one.frame, msgspec.structs.replace(one.entity, position=moved))
    found = agree(left, [*arrived[:at], forged, *arrived[at + 1 :]], TRUTH)
    assert (found.altered, found.agrees) == (1, False)
    assert found.odd[0].wrong == "position is not what left"
    unsent = [other for other in left if (other.record, other.frame) != (one.record, one.frame)]
    found = agree(unsent, arrived, TRUTH, left_spans=spans([(left, True)]))
    assert (found.never_left, found.agrees) == (1, False)
    assert (found.odd[0].record, found.odd[0].wrong) == (one.record, "it never left")


def test_a_group_that_arrived_and_never_left_is_named() -> None:
    sent = thing(1, 1, identity=None)
    found = agree([sent], [thing(1, 1)])
    assert [(one.record, one.wrong) for one in found.odd] == [("trk-1", "identity is not what left")]


def test_of_a_recording_that_was_cut_nothing_is_said_from_its_last_frame_on() -> None:
    left = [thing(1, number) for number in range(10)]
    parts = [(left[:4], False), (left[6:], True)]
    assert spans(parts) == [(left[0].frame, left[2].frame), (left[6].frame, left[9].frame)]
    found = agree([*left[:4], *left[6:]], left, left_spans=spans(parts))
    assert (found.never_left, found.unknown, found.alike) == (0, 2, 8)
    assert spans([(left[:4], True), ([], False), (left[6:], True)])[0] == (left[0].frame, left[3].frame)


def live(record: str, kind: str, portion: str, value: object, source: str = "") -> Live:
    return Live(source, LABEL, Update(record, kind, portion, 1, value))


def test_portions_of_one_frame_are_one_thing_and_what_says_too_little_is_left_out() -> None:
    values = [
        live("trk-1", "track", "position", {"lat_deg": 1.0, "lon_deg": 2.0}),
        live("area-1", "area", "purpose", {"name": "no shape was released"}),
        live("doc-1", "document", "title", "of another app"),
        live("trk-1", "track", "motion", {"speed_mps": 3.0}),
        live("trk-1", "track", "motion", {"speed_mps": 4.0}, "usa"),
    ]
    (one, labels), (two, _) = things(values)
    track = Track(key="trk-1", position=Position(lat_deg=1.0, lon_deg=2.0), motion=Motion(speed_mps=3.0))
    assert msgspec.convert(one, Track) == track
    assert labels == [LABEL, LABEL]
    assert two == {"key": "trk-1", "motion": {"speed_mps": 4.0}}


class _Tape:
    """A tape that keeps what it is given."""

    runs = True

    def __init__(self) -> None:
        self.kept: list[tuple[str, str, bool, str]] = []
        self.told: Callable[[Crossed], None] | None = None

    def crossed(
        self, node: str, _labels: Sequence[Label], entity: dict[str, str], _at: int, *, left: bool, frame: str
    ) -> None:
        self.kept.append((node, entity["key"], left, frame))

    def follow_frames(self, told: Callable[[Crossed], None]) -> Callable[[], None]:
        self.told = told
        return lambda: None


def test_nothing_that_crossed_is_left_out_when_a_node_ends() -> None:
    async def run() -> None:
        tape = _Tape()
        crossing = Crossing(tape, tape)  # type: ignore[arg-type]
        task = asyncio.create_task(crossing.run())
        position = {"lat_deg": 1.0, "lon_deg": 2.0}
        for number in range(3):
            values = [live(f"trk-{one}", "track", "position", position) for one in range(100)]
            assert tape.told is not None
            tape.told(Crossed("gbr", number % 2 == 0, f"1/{number}", 1, values))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert 0 < len(tape.kept) < 300, "it is amid a frame"
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        crossing.close()
        assert tape.kept == [("gbr", f"trk-{one}", n % 2 == 0, f"1/{n}") for n in range(3) for one in range(100)]

    asyncio.run(run())


def nation(folder: Path, node: str, partner: str, made: Sequence[Passed], *, left: bool) -> tuple[Path, str]:
    folder.mkdir()
    by = signer()
    with Recorder(folder, "run", by, node=node, run="raft", marking=MARKING, began_ms=START_US // 1000) as kept:
        taps = Taps(kept)
        for one in made:
            at_us = one.frame[1] * 1000 + (0 if left else 30_000)
            if left:
                assert isinstance(one.entity, Track)
                said = msgspec.structs.replace(one.entity, key=f"mmsi:{one.record}")
                taps.entity("radar", MARKING, Decoded(said, LEDGER), at_us, record=one.record)
            taps.crossed(partner, MARKING, one.entity, at_us, left=left, frame=f"{one.frame[0]}/{one.frame[1]}")
    return kept.segments[0], key_text(by.public)


def typed(*words: str | Path) -> Result:
    return CliRunner(env={"ALDIS_HOME": "/nowhere"}).invoke(cli, ["experiment", *map(str, words)])


def test_two_recordings_are_held_against_one_another_as_they_are_typed(tmp_path: Path) -> None:
    left = [thing(one, number) for number in range(20) for one in range(3)]
    aus, by_aus = nation(tmp_path / "a", "aus", "gbr", left, left=True)
    gbr, by_gbr = nation(tmp_path / "g", "gbr", "aus", left[:30] + left[33:], left=False)
    keys = ("--sealed-by", f"aus={by_aus}", "--sealed-by", f"gbr={by_gbr}")
    result = typed("agree", aus, "--with", gbr, *keys, "--json")
    assert result.exit_code == 0, result.output
    way = next(one for one in json.loads(result.stdout)["ways"] if one["from"] == "aus")
    assert (way["left"], way["alike"], way["lost"], way["never_left"]) == (60, 57, 3, 0)
    assert way["digests"][0] == way["digests"][1]
    assert way["scores"][0]["objects"] > 0, "there was something to score"
    forged, _ = nation(tmp_path / "f", "gbr", "aus", [*left, thing(9, 10)], left=False)
    result = typed("agree", aus, forged)
    assert result.exit_code == 4
    assert "it never left" in result.stderr
    assert "they do not agree" in result.stderr
    assert typed("agree", aus, gbr, *keys[:3], f"gbr={key_text(other_key())}").exit_code == 4
    assert typed("agree", aus).exit_code == 2
    both = typed("replay", aus, gbr, *keys, "--json")
    assert both.exit_code == 4, "what was recorded here follows from no bytes"
    raw = gbr.read_bytes()
    gbr.write_bytes(raw[: raw.index(b"aldis.close") - 13])
    assert typed("agree", aus, gbr, *keys).exit_code == 1


def test_what_was_recorded_of_a_crossing_is_read_again(tmp_path: Path) -> None:
    path, _ = nation(tmp_path / "a", "aus", "gbr", [thing(1, 1)], left=True)
    some = list(messages(path, verify(path).covered))
    (one,) = passed(some)["egress", "gbr"]
    assert (one.record, one.frame, one.entity) == ("trk-1", thing(1, 1).frame, thing(1, 1).entity)
    (message,) = [one for one in some if one.topic == "/egress/node:gbr/track"]
    assert read_told(message).protocol == "aldis-frame/1"
    assert read_told(message).record == "trk-1"
