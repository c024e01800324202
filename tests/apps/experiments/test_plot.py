"""From what gateways decode to records and live values of a real node."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from aldis.app import System
from aldis.apps.experiments.app import ExperimentsApp
from aldis.apps.experiments.entity import (
    Area,
    Decoded,
    Entity,
    Environment,
    Identity,
    Ledger,
    Markings,
    Motion,
    Point,
    Position,
    Remainder,
    Report,
    Residue,
    Sensor,
    Task,
    Timing,
    Track,
    Voyage,
)
from aldis.apps.experiments.gateways.nmea.synthetic import generate
from aldis.apps.experiments.kinds import TRACK, portion_of
from aldis.apps.experiments.plot import Plot, labels_of
from aldis.kernel.errors import InvalidInput, UnknownTerm
from aldis.kernel.records import Record
from aldis.node.checks import run_checks
from aldis.node.config import Config, Marking
from aldis.node.home import make_home
from aldis.node.node import Node
from aldis.testing import START, VirtualClock

MARKINGS = {
    "header": "OFFICIAL//REL AUS/GBR/USA",
    "position": "OFFICIAL: Sensitive//REL AUS/GBR/USA",
    "identity": "PROTECTED//REL AUS/USA",
    "sensor": "SECRET//AGAO",
}
KEY = "mmsi:230123456"
FOREIGN = {"access=UNCLASSIFIED": "OFFICIAL//REL AUS/GBR/USA", "caveat=FOUO": "PROTECTED//REL AUS/USA"}


class Station:
    """A node with a plot, on a clock of our own."""

    def __init__(self, home: Path, labels: dict[str, dict[str, str]], marking: Sequence[Marking] = ()) -> None:
        self.clock = VirtualClock(START)
        config = Config(
            node="aus", party="AUS", policy="AUS", ceiling="SECRET", listen="127.0.0.1:0", project="NORTHERN-WATCH",
            labels=labels, marking=list(marking), foreign=FOREIGN,
        )  # fmt: skip
        make_home(home, config, now=START)
        self.home = home
        self.open()

    def open(self) -> None:
        self.node = Node.open(self.home, clock=self.clock, environment={}, apps={"experiments": ExperimentsApp()})
        self.plot = Plot(self.node.context, "NORTHERN-WATCH")

    def take(self, entity: Entity, reporter: str = "") -> None:
        self.plot.take(Decoded(entity, Ledger()), reporter)

    def hear(self, key: str = KEY, **groups: Any) -> None:
        now = self.clock.now()
        sensor = Sensor(protocol="ais", received_ms=now, station="S1")
        self.take(Track(key=key, sensor=sensor, timing=Timing(received_us=1000 * now), **groups))

    def settle(self, after_ms: int = 0) -> None:
        self.clock.at += after_ms
        self.plot.settle(self.clock.now())

    def record(self, kind: str = "track", key: str = KEY) -> Record:
        return self.node.context.get(self.plot.id_of(kind, key))

    def values(self, kind: str = "track", key: str = KEY) -> dict[str, Any]:
        return {portion.name: portion.value for portion in self.record(kind, key).portions}

    def live(self) -> dict[tuple[str, str], Any]:
        return {(one.update.kind, one.update.portion): one for one in self.node.context.latest()}


@pytest.fixture
def station(tmp_path: Path) -> Iterator[Station]:
    made = Station(tmp_path / "aus", {"track": MARKINGS})
    yield made
    made.node.close()


def here(north_m: float = 0) -> Position:
    return Position(lat_deg=59.9 + north_m / 111_195, lon_deg=24.5)


def test_each_group_is_a_portion_under_its_own_label(station: Station) -> None:
    station.hear(position=here(), identity=Identity(mmsi=230123456, name="HOOGE"), motion=Motion(speed_mps=3.0))
    station.settle()
    record, context = station.record(), station.node.context
    assert {portion.name for portion in record.portions} == {"position", "motion", "identity", "sensor", "timing"}
    for portion in record.portions:
        assert portion.label == context.label(MARKINGS.get(portion.name, MARKINGS["sensor"]))
        TRACK.check(portion)
    assert record.label == context.label(MARKINGS["header"])
    assert record.header.project == "NORTHERN-WATCH"
    assert b"230123456" not in record.data and b"HOOGE" not in record.data
    assert "230123456" not in record.header.id


def test_a_report_is_live_in_the_groups_it_spoke_of_and_in_no_others(station: Station) -> None:
    station.hear(position=here(), voyage=Voyage(destination="KOTKA"))
    before = station.live()
    station.clock.at += 1000
    station.hear(position=here(5))
    after = station.live()
    assert before.keys() == after.keys() == {("track", name) for name in ("position", "voyage", "sensor", "timing")}
    assert {slot for slot in after if after[slot] != before[slot]} == {
        ("track", name) for name in ("position", "sensor", "timing")
    }
    assert after["track", "position"].update.at == station.clock.now()
    assert after["track", "position"].update.value["lat_deg"] == here(5).lat_deg
    assert after["track", "position"].header == station.node.context.label(MARKINGS["header"])


def test_a_late_report_is_not_live(station: Station) -> None:
    station.hear(position=here(5))
    station.take(Track(key=KEY, position=msgspec.structs.replace(here(0), at=station.clock.now() - 5000)))
    assert station.live()["track", "position"].update.value["lat_deg"] == here(5).lat_deg


def test_versions_are_written_at_once_then_every_five_seconds_and_only_where_something_is_new(
    station: Station,
) -> None:
    station.hear(position=here())
    station.settle()
    assert station.record().header.version == 1
    for _ in range(4):
        station.clock.at += 1000
        station.hear(position=here(10))
        station.settle()
    assert station.record().header.version == 1
    station.settle(1000)
    assert station.record().header.version == 2
    station.settle(10_000)
    assert station.record().header.version == 2
    assert station.values()["position"]["lat_deg"] == here(10).lat_deg


def test_who_heard_it_alone_makes_no_version_but_a_doubt_does(station: Station) -> None:
    for _ in range(3):
        station.hear()
        station.settle(6000)
    assert station.record().header.version == 1
    wrong = 1000 * (station.clock.now() - 86_400_000)
    sensor = Sensor(protocol="ais", received_ms=station.clock.now())
    station.take(Track(key=KEY, sensor=sensor, motion=None, timing=Timing(source_us=wrong), identity=Identity()))
    station.settle(6000)
    assert station.record().header.version == 2
    assert station.values()["sensor"]["doubts"] == ["its clock is wrong"]


def test_a_flush_leaves_nothing_that_is_live_only(station: Station) -> None:
    for number in range(1500):
        station.hear(f"mmsi:{number}", position=here(number))
    station.settle()
    station.plot.flush(station.clock.now())
    assert station.plot.recorded == 1500
    assert station.node.records.count(kind="track") == 1500


def test_after_a_restart_a_track_goes_on_in_its_record(station: Station) -> None:
    station.hear(position=here())
    station.settle()
    station.node.close()
    station.open()
    station.clock.at += 1000
    station.hear(position=here(20))
    station.settle()
    assert station.record().header.version == 2


def test_what_cannot_be_recorded_is_counted_and_stops_no_other(station: Station) -> None:
    station.take(Area(key="cot:a", shape="polygon", points=[Point(lat_deg=95.0, lon_deg=0.0)]))
    station.hear(position=here())
    station.settle()
    assert (station.plot.refused, station.plot.recorded) == (1, 1)
    assert station.record().header.version == 1
    with pytest.raises(UnknownTerm):
        station.record("area", "cot:a")


def test_other_entities_are_records_of_their_kinds_under_the_join_of_a_tracks_labels(station: Station) -> None:
    point = Point(lat_deg=59.9, lon_deg=24.5)
    timing = Timing(received_us=1000 * START)
    station.take(Area(key="cot:a", shape="circle", points=[point], radius_m=500.0, name="BOX", timing=timing))
    station.take(Task(key="cot:t", verb="search", assignee=KEY, points=[point], state="issued"))
    station.take(Report(key="cot:r", text="raft seen", about=KEY, position=here()))
    station.take(Environment(key="dds:e", position=here(), wind_mps=7.0))
    station.settle()
    highest = station.node.context.label(MARKINGS["sensor"])
    names = {"area": "cot:a", "tasking": "cot:t", "report": "cot:r", "environment": "dds:e"}
    for kind, key in names.items():
        record = station.record(kind, key)
        assert record.header.kind == kind
        assert {record.label, *(portion.label for portion in record.portions)} == {highest}
    assert station.values("area", "cot:a")["shape"]["radius_m"] == 500.0
    assert station.values("tasking", "cot:t")["state"] == {"state": "issued"}
    assert station.values("environment", "dds:e")["values"] == {"wind_mps": 7.0}
    assert station.values("report", "cot:r")["position"]["lat_deg"] == 59.9


def test_what_speaks_of_a_track_names_its_record_and_not_the_vessel(station: Station) -> None:
    station.hear(position=here())
    station.take(Task(key="cot:t", verb="go to", assignee=KEY, issued_by="mavlink:255/190"))
    station.take(Report(key="cot:r", text="adrift", about=KEY))
    station.settle()
    trk = station.plot.id_of("track", KEY)
    order = station.values("tasking", "cot:t")["order"]
    assert (order["assignee"], order["issued_by"]) == (trk, station.plot.id_of("track", "mavlink:255/190"))
    assert station.values("report", "cot:r")["about"] == {"about": trk}
    for kind, key in (("tasking", "cot:t"), ("report", "cot:r")):
        record = station.record(kind, key)
        assert b"230123456" not in record.data + b"".join(portion.data for portion in record.portions)


def test_residue_is_under_the_join_whatever_the_settings_say_of_it(tmp_path: Path) -> None:
    low = {**MARKINGS, "residue": "OFFICIAL//REL AUS/GBR/USA", "status": "OFFICIAL//REL AUS/GBR/USA"}
    station = Station(tmp_path / "aus", {"track": low, "area": {"header": "OFFICIAL//REL AUS/GBR/USA"}})
    with station.node:
        context = station.node.context
        tracks, areas = (labels_of(context, kind, context.labels(kind)) for kind in ("track", "area"))
        assert tracks["residue"] == context.label("SECRET//AGAO") == tracks["voyage"]
        assert tracks["status"] == context.label("OFFICIAL//REL AUS/GBR/USA")
        assert areas["shape"] == areas["header"] == context.label("OFFICIAL//REL AUS/GBR/USA")
        station.hear(residue=Residue(parts=[Remainder(protocol="x", field="f", data="AAAA")]))
        station.settle()
        portion = station.record().portion("residue")
        assert portion is not None and portion.label == context.label("SECRET//AGAO")


@pytest.mark.parametrize("left_out", ["header", "position"])
def test_without_a_marking_for_existence_and_position_there_is_no_plot(tmp_path: Path, left_out: str) -> None:
    some = {name: marking for name, marking in MARKINGS.items() if name != left_out}
    with pytest.raises(InvalidInput, match=f"no marking for {left_out} of a track"):
        Station(tmp_path / "aus", {"track": some})


def test_a_marking_for_what_is_no_portion_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnknownTerm, match="speed"):
        Station(tmp_path / "aus", {"track": {**MARKINGS, "speed": "OFFICIAL"}})


OWN = Marking(key="mmsi:503*", labels={"header": "SECRET//AGAO", "position": "SECRET//AGAO"})
SONAR = Marking(system="sonar", labels={"position": "PROTECTED//REL AUS/USA"})


def marked(station: Station, key: str, portion: str = "position") -> tuple[str, str]:
    """The markings of a track's existence and of one of its portions."""
    record, context = station.record("track", key), station.node.context
    found = record.portion(portion)
    assert found is not None
    return context.marking(record.label), context.marking(found.label)


def test_what_is_heard_of_some_is_marked_otherwise_and_the_first_that_fits_counts(tmp_path: Path) -> None:
    station = Station(tmp_path / "aus", {"track": MARKINGS}, [OWN, SONAR])
    common = (MARKINGS["header"], MARKINGS["position"])
    with station.node:
        for key, system in (("mmsi:503000001", "sonar"), ("mmsi:230000001", "sonar"), ("mmsi:230000002", "radio")):
            station.take(
                Track(key=key, position=here(), sensor=Sensor(protocol="ais", received_ms=START)), f"{system}/a"
            )
        station.settle()
        assert marked(station, "mmsi:503000001") == ("SECRET//AGAO", "SECRET//AGAO")
        assert marked(station, "mmsi:230000001") == (common[0], "PROTECTED//REL AUS/USA")
        assert marked(station, "mmsi:230000002") == common
        live = {
            one.update.id: one for one in station.node.context.latest(kind="track") if one.update.portion == "position"
        }
        own = live[station.plot.id_of("track", "mmsi:503000001")]
        assert station.node.context.marking(own.label) == "SECRET//AGAO"
        assert own.header is not None and station.node.context.marking(own.header) == "SECRET//AGAO"


def test_what_two_systems_speak_of_is_marked_by_the_join_from_then_on(tmp_path: Path) -> None:
    station = Station(tmp_path / "aus", {"track": MARKINGS}, [SONAR])
    with station.node:
        sonar = "PROTECTED//REL AUS/USA"
        for system, wanted in (("radio", MARKINGS["position"]), ("sonar", sonar), ("radio", sonar)):
            seen = Track(key=KEY, position=here(), sensor=Sensor(protocol="ais", received_ms=station.clock.now()))
            station.take(seen, f"{system}/a")
            station.settle(after_ms=6_000)
            assert marked(station, KEY)[1] == wanted


def test_a_marking_of_some_is_written_and_read_again(tmp_path: Path) -> None:
    station = Station(tmp_path / "aus", {"track": MARKINGS}, [OWN, SONAR])
    with station.node:
        assert station.node.core.config.marking == [OWN, SONAR]


def test_what_its_source_marked_is_never_marked_less(station: Station) -> None:
    def heard(**words: str) -> tuple[str, str]:
        station.hear(position=here(), markings=Markings(**words))
        station.settle(after_ms=6_000)
        return marked(station, KEY)

    assert heard(access="Undefined") == (MARKINGS["header"], MARKINGS["position"]), "nothing said"
    assert heard(access="UNCLASSIFIED") == (MARKINGS["header"], MARKINGS["position"])
    assert heard(access="UNCLASSIFIED", caveat="FOUO") == ("PROTECTED//REL AUS/USA",) * 2
    assert heard(access="UNCLASSIFIED", caveat="NOFORN") == ("SECRET//AGAO",) * 2, "words that nobody mapped"


def test_the_app_records_all_that_its_systems_said_once_they_have_ended(station: Station, tmp_path: Path) -> None:
    systems = []
    for number in range(2):
        path = tmp_path / f"{number}.nmea"
        path.write_bytes(b"".join(generate(number, vessels=5 + number, seconds=1, start_ms=START)))
        systems.append(System(name=f"s{number}", address=str(path)))
    asyncio.run(ExperimentsApp().run(station.node.context, systems))
    told = {one.update.id for one in station.node.context.latest(kind="track")}
    assert 0 < station.node.records.count(kind="track") == len(told)


def test_one_system_that_cannot_be_ends_no_other_and_is_told_of(station: Station, tmp_path: Path) -> None:
    path = tmp_path / "sentences.nmea"
    path.write_bytes(b"".join(generate(0, vessels=9, seconds=1, start_ms=START)))
    systems = [System(name="bad", address=str(tmp_path / "none.nmea")), System(name="good", address=str(path))]
    with pytest.raises(InvalidInput, match=r"system bad: .*none\.nmea"):
        asyncio.run(asyncio.wait_for(ExperimentsApp().run(station.node.context, systems), 20))
    told = {one.update.id for one in station.node.context.latest(kind="track")}
    assert station.node.records.count(kind="track") == len(told) > 0
    (found,) = [check for check in run_checks(station.node, quick=True) if check.name == "app experiments"]
    assert found.ok is False and "none.nmea" in found.cause


def test_an_app_without_systems_needs_no_markings(tmp_path: Path) -> None:
    config = Config(node="aus", party="AUS", policy="AUS", ceiling="SECRET", listen="127.0.0.1:0")
    make_home(tmp_path / "aus", config, now=START)
    with Node.open(tmp_path / "aus", environment={}, apps={"experiments": ExperimentsApp()}) as node:
        asyncio.run(ExperimentsApp().run(node.context, []))


def test_bytes_of_which_nobody_knows_what_they_say_are_marked_as_high_as_anything_may_be(tmp_path: Path) -> None:
    low = dict.fromkeys(("header", "position"), "OFFICIAL//REL AUS/GBR/USA")
    station = Station(tmp_path / "aus", {"track": low}, [Marking(key="mmsi:503*", labels={"position": "SECRET//AGAO"})])
    with station.node:
        assert station.plot.highest() == "SECRET//AGAO"


def test_the_banner_of_an_entity_is_that_of_what_is_known_of_it(station: Station) -> None:
    context = station.node.context
    said: list[dict[str, Any]] = [
        {"position": here()},
        {"motion": Motion()},
        {"motion": Motion(speed_mps=2.0)},
        {"identity": Identity(name="HOOGE")},
        {"residue": Residue(parts=[Remainder(protocol="ais", field="x", data="AA==")])},
    ]
    for groups in said:
        now = station.clock.now()
        station.take(Track(key=KEY, timing=Timing(received_us=1000 * now), **groups))
        track = station.plot.picture.get(KEY)
        assert track is not None
        labels = station.plot._kept["track", KEY].labels
        there = [labels[name] for name in TRACK.portions if portion_of(track, name) is not None]
        banner = context.marking(context.banner([labels["header"], *there]))
        assert station.plot.marking("track", KEY) == banner
        station.clock.at += 1000


def test_what_is_written_beside_is_recorded_once_whoever_stops_waiting(station: Station) -> None:
    async def act() -> None:
        station.hear(position=here())
        await station.plot.settle_beside(station.clock.now())
        assert (station.plot.recorded, station.record().header.version) == (1, 1)
        station.clock.at += 6_000
        station.hear(position=here(100))
        settling = asyncio.create_task(station.plot.settle_beside(station.clock.now()))
        await asyncio.sleep(0)
        settling.cancel()
        await asyncio.gather(settling, return_exceptions=True)

    asyncio.run(act())
    station.hear(position=here(200))
    station.plot.flush(station.clock.now())
    assert station.record().header.version == station.plot.recorded
    assert station.values()["position"]["lat_deg"] == here(200).lat_deg
