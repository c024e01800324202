"""GeoJSON and comma-separated values: the whole model, exactly; foreign files; damage."""

from __future__ import annotations

import base64
import csv
import io
import json
import random
import resource
from collections.abc import Callable, Sequence
from itertools import pairwise

import msgspec
import pytest
from entities import entities
from hypothesis import given, settings
from hypothesis import strategies as st

from aldis.apps.experiments.entity import Area, Entity, Environment, Point, Report, Residue, Task, Track
from aldis.apps.experiments.gateways import csv as csv_gateway
from aldis.apps.experiments.gateways import geojson as geojson_gateway
from aldis.apps.experiments.gateways.csv import records
from aldis.apps.experiments.gateways.exemplars import EXEMPLARS
from aldis.apps.experiments.gateways.gateway import Gateway, Offered
from aldis.apps.experiments.gateways.geojson import documents
from aldis.apps.experiments.gateways.layout import FIELDS, flat, kind_of

AT = 1_790_000_000_000_000
CSV, GEOJSON = csv_gateway.OFFERED, geojson_gateway.OFFERED
BOTH = pytest.mark.parametrize("offered", [CSV, GEOJSON], ids=lambda one: one.protocol)


def timed(entity: Entity) -> Entity:
    """The entity with the instant that a gateway gives to groups that have none: the source's, else its own."""
    assert entity.timing is not None
    at = entity.timing.source_us if entity.timing.source_us is not None else AT
    changed: dict[str, object] = {}
    names = ("position", "motion", "identity", "status", "voyage") if isinstance(entity, Track) else ("position",)
    for name in names:
        group = getattr(entity, name, None)
        if group is not None and group.at is None:
            changed[name] = msgspec.structs.replace(group, at=at // 1000)
    if isinstance(entity, Environment) and entity.at is None:
        changed["at"] = at // 1000
    return msgspec.structs.replace(entity, **changed)


def read(gateway: Gateway, *pieces: bytes) -> list[Entity]:
    return [one.entity for piece in pieces for one in gateway.feed(piece, AT)]


def test_the_exemplars_have_every_field_of_the_model() -> None:
    assert {path for fields in FIELDS.values() for path in fields} == {path for one in EXEMPLARS for path in flat(one)}


@BOTH
@given(several=st.lists(entities(), min_size=1, max_size=3))
@settings(max_examples=60)
def test_what_is_written_is_read_again_whole_and_both_ledgers_name_every_field_once(
    offered: Offered, several: Sequence[Entity]
) -> None:
    writer, reader = offered.open(), offered.open()
    for entity in several:
        encoded = writer.encode(entity, AT)
        named = [entry.field for entry in encoded.ledger.entries]
        assert sorted(named) == sorted(flat(entity))
        assert not encoded.ledger.dropped
        decoded = [one for message in encoded.messages for one in reader.feed(message, AT)]
        assert [one.entity for one in decoded] == [timed(entity)]
        said = [entry.field for entry in decoded[0].ledger.entries]
        assert len(set(said)) == len(said)
        assert {entry.field for entry in encoded.ledger.carried} == {entry.to for entry in decoded[0].ledger.carried}
    assert not reader.tally.dropped
    assert reader.tally.waiting == 0


@BOTH
def test_a_stream_may_come_in_pieces_of_any_size(offered: Offered) -> None:
    writer = offered.open()
    stream = b"".join(message for one in EXEMPLARS for message in writer.encode(one, AT).messages)
    for size in (1, 7, 1000):
        reader = offered.open()
        assert read(reader, *(stream[at : at + size] for at in range(0, len(stream), size))) == list(EXEMPLARS)


@BOTH
def test_the_ledger_of_a_specimen_names_exactly_its_fields(offered: Offered) -> None:
    for specimen in offered.specimens():
        assert offered.familiar(specimen.messages[0])
        gateway = offered.open()
        decoded = [one for message in specimen.messages for one in gateway.feed(message, AT)]
        assert {entry.field for one in decoded for entry in one.ledger.entries} == set(
            offered.fields(specimen.messages)
        )


@BOTH
@pytest.mark.parametrize("odd", [float("nan"), float("inf"), "\ud800"])
def test_a_value_that_no_text_can_say_is_dropped_with_its_reason(offered: Offered, odd: float | str) -> None:
    entity = Task(key="t", verb="hold", assignee="a", **{"remarks" if isinstance(odd, str) else "speed_mps": odd})  # type: ignore[arg-type]
    encoded = offered.open().encode(entity, AT)
    assert [entry.reason for entry in encoded.ledger.dropped] == ["out of range"]
    assert [flat(one).get("task.speed_mps") for one in read(offered.open(), *encoded.messages)] == [None]
    area = Area(key="a", shape="point", points=[Point(lat_deg=float("nan"), lon_deg=1.0)])
    encoded = offered.open().encode(area, AT)
    assert encoded.messages == ()
    assert encoded.ledger.named() == {"key", "area.shape", "area.points"}


def test_a_spreadsheet_finds_no_formula_in_any_cell() -> None:
    for text in ("=1+1", "+1", "-1", "@A1", "\t=1", "\r=1", "＝1"):
        messages = CSV.open().encode(Report(key=text, text=text, author=text), AT).messages
        header, row = list(csv.reader(io.StringIO(b"".join(messages).decode(), newline="")))
        cells = dict(zip(header, row, strict=True))
        assert {cells["key"], cells["report.text"], cells["report.author"]} == {f"'{text}"}
        (back,) = read(CSV.open(), *messages)
        assert (back.key, flat(back)["report.text"]) == (text, text)


def test_columns_that_nobody_knows_are_kept_as_residue() -> None:
    gateway = CSV.open()
    (one,) = gateway.feed(b"key,position.lat_deg,position.lon_deg,colour,,\nT1,1.5,2,red,,x\n", AT)
    assert [(part.field, base64.b64decode(part.data)) for part in _residue(one.entity).parts] == [
        ("colour", b"red"),
        ("column 6", b"x"),
    ]
    assert [(entry.field, entry.reason) for entry in one.ledger.dropped] == [
        ("colour", "not decoded"),
        ("column 6", "not decoded"),
    ]
    assert isinstance(one.entity, Track)
    assert one.entity.sensor is not None
    assert (one.entity.sensor.protocol, one.entity.sensor.received_ms) == ("csv", AT // 1000)


def _residue(entity: Entity) -> Residue:
    assert entity.residue is not None
    return entity.residue


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"key,key\n", "two columns of one name"),
        (b"key,position.lat_deg\nT1\n", "more or fewer cells than columns"),
        (b"key,position.lat_deg,position.lon_deg\nT1,91,0\n", "a value cannot be"),
        (b"key,position.lat_deg,position.lon_deg\nT1,1_0,0\n", "a value cannot be"),
        (b"key,position.lat_deg\nT1,1\n", "a field is missing"),
        (b"position.lat_deg,position.lon_deg\n1,1\n", "a field is missing"),
        (b"entity,key\nship,T1\n", "unknown kind of entity"),
        (b"key\n\xff\n", "not comma-separated values"),
        (b'key\n"a"b\n', "not comma-separated values"),
        (b"," * 2000 + b"\n", "too many cells"),
        (b"x" * (records.LIMIT + 9) + b"\n", "too long"),
    ],
)
def test_a_damaged_row_is_counted_with_its_reason(data: bytes, reason: str) -> None:
    gateway = CSV.open()
    assert read(gateway, data) == []
    gateway.close()
    assert gateway.tally.dropped == {reason: 1}
    assert gateway.tally.waiting == 0


def test_rows_after_one_that_is_too_long_are_read() -> None:
    gateway = CSV.open()
    pieces = [b'key\n"', *[b"x" * 20_000] * 10, b"\n", b"T2\n"]
    assert [one.key for one in read(gateway, *pieces)] == ["T2"]
    assert gateway.tally.dropped["too long"] == 1


FOREIGN = {
    "type": "FeatureCollection",
    "features": [
        {"type": "Feature", "id": 7, "geometry": {"type": "Point", "coordinates": [10, 54.5]}, "properties": {"id": 3}},
        {"type": "Feature", "geometry": {"type": "LineString", "coordinates": [[1, 2], [3, 4]]}, "properties": None},
        {
            "type": "Feature",
            "bbox": [0, 0, 4, 4],
            "geometry": {
                "type": "Polygon",
                "coordinates": [[[0, 0], [4, 0], [4, 4], [0, 0]], [[1, 1], [2, 1], [2, 2], [1, 1]]],
            },
            "properties": {"name": "x"},
        },
        {"type": "Feature", "geometry": {"type": "MultiPoint", "coordinates": []}, "properties": {}},
        {"type": "Feature", "geometry": None, "properties": {"entity": "track"}},
    ],
}


@pytest.mark.parametrize("indent", [None, 0, 2])
def test_a_foreign_collection_is_read_as_tracks_and_areas(indent: int | None) -> None:
    gateway = GEOJSON.open()
    data = json.dumps(FOREIGN, indent=indent).encode()
    found = [one for at in range(0, len(data), 50) for one in gateway.feed(data[at : at + 50], AT)]
    assert [(kind_of(one.entity), one.entity.key.partition(":")[0]) for one in found] == [
        ("track", "geojson"),
        ("area", "geojson"),
        ("area", "geojson"),
    ]
    assert found[0].entity.key == "geojson:7"
    assert [part.field for part in _residue(found[0].entity).parts] == ["properties.id"]
    assert isinstance(found[2].entity, Area)
    assert (found[2].entity.shape, len(found[2].entity.points)) == ("polygon", 3)
    assert {part.field for part in _residue(found[2].entity).parts} == {"name", "geometry.holes"}
    assert {(entry.field, entry.reason) for entry in found[2].ledger.dropped} == {
        ("bbox", "made anew"),
        ("name", "not decoded"),
        ("geometry.holes", "not decoded"),
    }
    assert gateway.tally.dropped == {"a geometry of another kind": 1, "no id": 1}


def test_lines_sequences_and_datagrams_are_read_and_a_document_cut_short_harms_no_other() -> None:
    feature = b'{"type":"Feature","id":"a","geometry":{"type":"Point","coordinates":[1,2]},"properties":{"x":"\\"}"}}'
    cut = feature[:60]
    for pieces in (
        [feature + b"\n" + cut + b"\n" + feature + b"\n"],
        [b"\x1e" + feature + b"\n\x1e" + cut + b"\n\x1e" + feature + b"\n"],
        [feature, cut, feature],
        [feature + feature + b"junk" + feature[:-30], feature],
    ):
        gateway = GEOJSON.open()
        found = read(gateway, *pieces)
        gateway.close()
        assert len(found) >= 2, pieces
        assert {one.key for one in found} == {"geojson:a"}
        assert gateway.tally.dropped.total() >= 1
        assert gateway.tally.waiting == 0


def test_a_ring_runs_counterclockwise_and_comes_back_as_it_was() -> None:
    corners = [(0.0, 0.0), (0.0, 4.0), (4.0, 4.0)]
    for points in (corners, corners[::-1]):
        area = Area(key="a", shape="polygon", points=[Point(lat_deg=lat, lon_deg=lon) for lat, lon in points])
        (line,) = GEOJSON.open().encode(area, AT).messages
        (ring,) = json.loads(line)["geometry"]["coordinates"]
        assert sum((b[0] - a[0]) * (b[1] + a[1]) for a, b in pairwise(ring)) < 0
        (back,) = read(GEOJSON.open(), line)
        assert isinstance(back, Area)
        assert back.points == area.points


@pytest.mark.parametrize(
    "data",
    [b"{" * 200_000, b"[" * 200_000, b'{"a":' * 30_000, b'{"type":"Feature","properties":' + b"[" * 5000 + b"\n"],
)
def test_nesting_without_end_is_dropped(data: bytes) -> None:
    gateway = GEOJSON.open()
    assert read(gateway, data) == []
    gateway.close()
    assert gateway.tally.dropped
    assert gateway.tally.waiting == 0


def mutated(rng: random.Random, data: bytes) -> bytes:
    """`data` with a few bytes changed, cut out or doubled."""
    changed = bytearray(data)
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(changed) + 1)
        match rng.randrange(4):
            case 0:
                changed[at : at + 1] = bytes([rng.randrange(256)])
            case 1:
                del changed[at : at + rng.randrange(1, 20)]
            case 2:
                changed[at:at] = changed[at : at + rng.randrange(1, 40)]
            case _:
                changed[at:at] = rng.choice((b'"', b"\n", b"{", b"}", b",", b"]", b"'", b"1e999", b"\x1e", b"null"))
    return bytes(changed)


def survives(open_: Callable[[], Gateway], messages: Sequence[bytes], rounds: int, seed: int) -> None:
    """Feed mutations to one gateway after the other and hold its books."""
    rng = random.Random(seed)
    gateway = open_()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for count in range(rounds):
        gateway.feed(mutated(rng, rng.choice(messages)), AT)
        tally = gateway.tally
        assert 0 <= tally.waiting <= 1
        if count % 100 == 99:
            gateway.close()
            assert tally.waiting == 0
            gateway = open_()
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 64 * 1024  # KiB


@BOTH
@given(data=st.lists(st.binary(max_size=200), max_size=5))
@settings(max_examples=200)
def test_no_bytes_raise(offered: Offered, data: list[bytes]) -> None:
    gateway = offered.open()
    for piece in data:
        gateway.feed(piece, AT)
    gateway.close()
    assert gateway.tally.waiting == 0


@BOTH
def test_a_few_hundred_damaged_messages_do_no_harm(offered: Offered) -> None:
    survives(offered.open, [m for one in offered.specimens() for m in one.messages], 400, 1)


@BOTH
@pytest.mark.slow
def test_a_hundred_thousand_damaged_messages_do_no_harm(offered: Offered) -> None:
    survives(offered.open, [m for one in offered.specimens() for m in one.messages], 100_000, 2)


def test_a_document_that_is_too_long_is_dropped_in_time() -> None:
    gateway = GEOJSON.open()
    gateway.feed(b'{"', AT)
    for _ in range(documents.LIMIT // 65_536 + 1):
        gateway.feed(b"x" * 65_536, AT)
    gateway.close()
    assert gateway.tally.dropped["too long"] == 1
