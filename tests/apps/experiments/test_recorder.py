"""What is recorded is read back, by us and by the format's own library, and says what it is."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import random
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from hypothesis import given, settings
from hypothesis import strategies as st
from mcap.data_stream import RecordBuilder
from mcap.reader import NonSeekingReader, make_reader
from mcap.records import Channel, DataEnd, McapRecord, Message, Metadata, Schema
from mcap.stream_reader import StreamReader
from recorded import LEDGER, MARKING, START_US, fill, recorder, signer, track, whole

from aldis.apps.experiments.entity import Decoded, Report
from aldis.apps.experiments.recorder import Taps, gaps, messages, read_native, read_told, segments_of, verify
from aldis.apps.experiments.recorder.schemas import ENTITIES, egress_schema, entity_schema
from aldis.kernel.errors import InvalidInput, TooLarge, Unavailable, VerificationFailed
from aldis.kernel.signatures import Algorithm

SIMPLE = ("test", b'{"type":"object","properties":{}}')
PLAIN_TYPES = {"boolean", "string", "number", "integer", "object", "array"}


@pytest.mark.parametrize("algorithm", list(Algorithm))
def test_a_closed_recording_is_intact_in_every_algorithm(tmp_path: Path, algorithm: Algorithm) -> None:
    by = signer(algorithm)
    findings = verify(whole(tmp_path, by, count=5), by.public)
    assert (findings.state, findings.vouched, findings.beyond, findings.wrong) == ("intact", True, 0, "")
    assert findings.opening is not None
    assert (findings.opening.node, findings.opening.run, findings.opening.marking) == ("aus-low", "raft", MARKING)


def test_without_a_key_the_signer_is_only_what_the_file_says(tmp_path: Path) -> None:
    by = signer()
    findings = verify(whole(tmp_path, by, count=3))
    assert (findings.state, findings.vouched) == ("intact", False)


def test_every_message_comes_back_as_it_was_recorded(tmp_path: Path) -> None:
    by = signer()
    with recorder(tmp_path, by) as made:
        taps = Taps(made)
        said = track("cot:X", height_m=12.0, at=START_US // 1000)
        taps.native("usv-1", MARKING, "cot", b"\x00\xffbytes", START_US, "127.0.0.1:1")
        taps.entity("usv-1", MARKING, Decoded(said, LEDGER), START_US + 1)
        taps.egress("gbr-low", MARKING, said, START_US + 2, protocol="frame", messages=(b"one", b"two"))
    findings = verify(made.segments[0], by.public)
    found = [one for one in messages(made.segments[0], findings.covered) if one.about["kind"] != "fix"]
    assert [one.about["tap"] for one in found] == ["native", "entity", "egress"]
    assert [one.log_ns for one in found] == [(START_US + n) * 1000 for n in range(3)]
    assert {one.about["marking"] for one in found} == {MARKING}
    assert read_native(found[0]).data == b"\x00\xffbytes"
    told = read_told(found[1])
    assert told.entity == said
    assert (told.carried, told.approximated, told.dropped) == (1, 1, {"no field": 1})
    left = read_told(found[2])
    assert left.entity == said
    assert [base64.b64decode(text) for text in left.messages] == [b"one", b"two"]
    with pytest.raises(InvalidInput):
        read_told(found[0])


def test_the_formats_own_library_reads_every_message_with_its_schema(tmp_path: Path) -> None:
    path = whole(tmp_path, signer(), count=60)
    with path.open("rb") as file:
        reader = make_reader(file, validate_crcs=True)
        count = 0
        for schema, channel, message in reader.iter_messages():
            assert schema is not None
            assert schema.encoding == "jsonschema"
            assert channel.message_encoding == "json"
            assert channel.metadata["marking"] == MARKING
            jsonschema_rs.validate(json.loads(schema.data), json.loads(message.data))
            count += 1
        summary = reader.get_summary()
        assert summary is not None
        assert summary.statistics is not None
        assert summary.statistics.message_count == count == verify(path).messages
        assert summary.statistics.chunk_count == len(summary.chunk_indexes)
        names = [one.name for one in reader.iter_metadata()]
        assert names == ["aldis.opening", "aldis.close"]
    with path.open("rb") as file:
        assert sum(1 for _ in NonSeekingReader(file, validate_crcs=True).iter_messages()) == count
    with path.open("rb") as file:
        kinds = [type(record).__name__ for record in StreamReader(file, validate_crcs=True).records]
        assert kinds[0] == "Header"
        assert kinds[-1] == "Footer"


def test_positions_are_given_to_maps_in_foxgloves_own_schema(tmp_path: Path) -> None:
    path = whole(tmp_path, signer(), count=30)
    with path.open("rb") as file:
        fixes = [json.loads(m.data) for s, c, m in make_reader(file).iter_messages(topics=["/entity/usv-1/fix"]) if s]
    assert len(fixes) == 16, "seven tracks, each every 0.7 s for three seconds: of each, every second report"
    assert all(59.9 <= fix["latitude"] <= 60 and fix["altitude"] == 17.5 for fix in fixes)
    assert all(fix["position_covariance"][0] == 25.0 for fix in fixes)


@pytest.mark.parametrize("kind", ENTITIES)
def test_schemas_are_of_the_plain_form_that_viewers_read(kind: str) -> None:
    for _, text in (entity_schema(kind), egress_schema(kind)):
        _walk(json.loads(text))
        assert b"$ref" not in text
        assert b"anyOf" not in text


def _walk(schema: dict[str, Any]) -> None:
    assert schema["type"] in PLAIN_TYPES
    if schema["type"] == "object":
        for field in schema["properties"].values():
            _walk(field)
    if schema["type"] == "array":
        _walk(schema["items"])


@settings(max_examples=30)
@given(st.lists(st.integers(0, 40), max_size=60), st.integers(1, 20))
def test_messages_come_in_the_order_of_time_whatever_order_they_were_recorded_in(
    tmp_path_factory: pytest.TempPathFactory, times: list[int], every: int
) -> None:
    folder = tmp_path_factory.mktemp("order")
    with recorder(folder, SIGNER) as made:
        channels = [made.channel(f"/t/{n}", SIMPLE, {"n": str(n)}) for n in range(2)]
        for number, time in enumerate(times):
            made.write(channels[number % 2], time, b'{"number":%d}' % number)
            if number % every == 0:
                made.flush()
    path = made.segments[0]
    found = [(one.log_ns, json.loads(one.data)["number"]) for one in messages(path, verify(path).covered)]
    assert found == sorted((time, number) for number, time in enumerate(times))
    with path.open("rb") as file:
        assert [m.log_time for _, _, m in make_reader(file).iter_messages()] == sorted(times)


SIGNER = signer()


def test_a_recording_goes_on_in_new_files_and_none_can_be_taken_out(tmp_path: Path) -> None:
    by = signer()
    with recorder(tmp_path, by, segment_bytes=30_000, sync_ms=5) as made:
        for part in range(8):
            fill(made, 20, seed=part)
            made.flush()
    assert len(made.segments) >= 4
    found = [verify(path, by.public) for path in segments_of(tmp_path, "run")]
    assert {one.state for one in found} == {"intact"}
    assert gaps(found) == []
    assert gaps(found[::-1]) == []
    assert gaps([found[0], *found[2:]]) == ["file 3 does not follow upon file 1"]
    assert gaps(found[1:]) == ["what came before file 2"]
    for path in made.segments:
        with path.open("rb") as file:
            assert all(schema is not None for schema, _, _ in make_reader(file, validate_crcs=True).iter_messages())
    # 2 messages of each tap in every step but for fixes, which are thinned
    natives = sum(
        1
        for path, one in zip(made.segments, found, strict=True)
        for message in messages(path, one.covered)
        if message.about["tap"] == "native"
    )
    assert natives == 8 * 20


def test_a_recording_that_reached_its_limit_is_closed_and_says_so(tmp_path: Path) -> None:
    by = signer()
    made = recorder(tmp_path, by, segment_bytes=30_000, most_bytes=60_000, sync_ms=5)
    with pytest.raises(TooLarge, match="its limit"):
        for _ in range(100):
            fill(made, 20)
            made.flush()
    with pytest.raises(TooLarge):
        made.close()
    assert {verify(path, by.public).state for path in made.segments} == {"intact"}


def test_what_cannot_be_recorded_is_refused_and_nothing_else_is_lost(tmp_path: Path) -> None:
    by = signer()
    with recorder(tmp_path, by) as made:
        channel = made.channel("/x", SIMPLE, {})
        with pytest.raises(TooLarge):
            made.write(channel, 1, bytes(1024 * 1024 + 1))
        with pytest.raises(InvalidInput):
            made.channel("/with space", SIMPLE, {})
        with pytest.raises(TooLarge):
            made.channel("/y", SIMPLE, {"about": "x" * 600_000})
        for number, at_ns in ((99, 1), (channel, -1), (channel, 2**63)):
            with pytest.raises(InvalidInput):
                made.write(number, at_ns, b"{}")
        with pytest.raises(InvalidInput):
            Taps(made).native("../up", MARKING, "ais", b"", START_US)
        made.write(channel, 1, b"{}")
    assert verify(made.segments[0], by.public).messages == 1
    with pytest.raises(Unavailable):
        made.write(channel, 2, b"{}")
    made.close()
    with pytest.raises(InvalidInput):
        recorder(tmp_path, by, name="../x")


def test_two_recorders_never_go_on_from_one_file(tmp_path: Path) -> None:
    by = signer()
    with recorder(tmp_path, by) as made:
        with pytest.raises(Unavailable, match="another recorder"):
            recorder(tmp_path, by)
        made.flush()
    with recorder(tmp_path, by) as other:
        other.flush()
    assert gaps([verify(path, by.public) for path in segments_of(tmp_path, "run")]) == []


def test_several_threads_may_record_at_once(tmp_path: Path) -> None:
    from threading import Thread

    by = signer()
    with recorder(tmp_path, by, sync_ms=1) as made:
        channels = [made.channel(f"/t/{n}", SIMPLE, {}) for n in range(4)]

        def work(channel: int) -> None:
            for number in range(2_000):
                made.write(channel, number, b"{}")

        threads = [Thread(target=work, args=(channel,)) for channel in channels]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    findings = verify(made.segments[0], by.public)
    assert (findings.state, findings.messages) == ("intact", 8_000)
    sequences: dict[str, list[int]] = {}
    for one in messages(made.segments[0], findings.covered):
        sequences.setdefault(one.topic, []).append(one.sequence)
    assert all(found == list(range(1, 2_001)) for found in sequences.values())


def test_a_file_that_changed_after_it_was_verified_is_not_read(tmp_path: Path) -> None:
    path = whole(tmp_path, signer(), count=5)
    findings = verify(path)
    data = bytearray(path.read_bytes())
    data[data.index(b"pseudonym")] ^= 1
    path.write_bytes(data)
    with pytest.raises(VerificationFailed):
        list(messages(path, findings.covered))


def test_large_messages_make_large_chunks_and_come_back(tmp_path: Path) -> None:
    by, chance = signer(), random.Random(5)
    bodies = [json.dumps({"x": chance.randbytes(chance.randrange(200_000)).hex()}).encode() for _ in range(30)]
    with recorder(tmp_path, by) as made:
        channel = made.channel("/large", SIMPLE, {})
        for number, body in enumerate(bodies):
            made.write(channel, number, body)
    findings = verify(made.segments[0], by.public)
    assert [one.data for one in messages(made.segments[0], findings.covered)] == bodies


def test_reports_and_tracks_have_topics_of_their_own(tmp_path: Path) -> None:
    with recorder(tmp_path, signer()) as made:
        taps = Taps(made)
        taps.entity("x", MARKING, Decoded(Report(key="r", text="hello"), LEDGER), START_US)
        taps.entity("x", MARKING, Decoded(track("a"), LEDGER), START_US)
        taps.entity("x", "TOP SECRET", Decoded(track("a"), LEDGER), START_US)
    found = [(one.topic, one.about["marking"]) for one in messages(made.segments[0], verify(made.segments[0]).covered)]
    assert ("/entity/x/report", MARKING) in found
    assert ("/entity/x/track", "TOP SECRET") in found


def test_a_stranger_verifies_it_with_the_formats_library_and_a_public_key(tmp_path: Path) -> None:
    by = signer()
    with recorder(tmp_path, by) as made:
        for part in range(3):
            fill(made, 10, seed=part)
            made.flush()
    (path,) = made.segments
    raw = path.read_bytes()
    records = list(StreamReader(io.BytesIO(raw)).records)
    kept = {record.name: record.metadata for record in records if isinstance(record, Metadata)}
    opening, closing = kept["aldis.opening"], kept["aldis.close"]
    signature = closing["signature"]
    assert raw.count(signature.encode()) == 1
    blanked = raw.replace(signature.encode(), b"A" * len(signature))
    algorithm, _, key = opening["key"].partition(":")
    assert algorithm == "ed25519"
    public = Ed25519PublicKey.from_public_bytes(base64.urlsafe_b64decode(key + "="))
    public.verify(base64.urlsafe_b64decode(signature + "=="), b"aldis/recording/1\0" + hashlib.sha256(blanked).digest())
    head = hashlib.sha256(bytes(32) + written(Metadata(name="aldis.opening", metadata=opening))).digest()
    for record in records[: [isinstance(one, DataEnd) for one in records].index(True)]:
        if isinstance(record, Schema | Channel | Message):
            head = hashlib.sha256(head + written(record)).digest()
    assert head.hex() == closing["head"]


def written(record: McapRecord) -> bytes:
    builder = RecordBuilder()
    record.write(builder)
    made: bytes = builder.end()  # type: ignore[no-untyped-call]
    return made
