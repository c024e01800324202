"""No byte of a recording changes unseen, and what was cut is told from what was altered."""

from __future__ import annotations

import random
from itertools import accumulate
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from recorded import recorder, signer, whole

from aldis.apps.experiments.recorder import Findings, gaps, messages, verify
from aldis.apps.experiments.recorder.container import HEAD, MAGIC, Op, message_head, records_in
from aldis.node.keys import NodeSigner

SMALL = ("t", b'{"type":"object","properties":{}}')
BY = signer()


def small(folder: Path, by: NodeSigner = BY, name: str = "small", groups: int = 2, first: int = 0) -> Path:
    """A file of few bytes: two topics, some messages, in as many groups."""
    with recorder(folder, by, name=name) as made:
        topics = [made.channel(f"/{letter}", SMALL, {"marking": "SECRET"}) for letter in "ab"]
        for number in range(2 * groups):
            made.write(topics[number % 2], 1000 + number, b'{"n":%d}' % (first + number))
            if number % 2:
                made.flush()
    (path,) = made.segments
    return path


def changed(path: Path, data: bytes) -> Findings:
    target = path.with_name("changed.mcap")
    target.write_bytes(data)
    return verify(target, BY.public)


def flipped(data: bytes, at: int, mask: int) -> bytes:
    return data[:at] + bytes([data[at] ^ mask]) + data[at + 1 :]


@pytest.mark.parametrize("step", [5, pytest.param(1, marks=pytest.mark.slow)])
def test_every_byte_of_a_closed_recording_is_held(tmp_path: Path, step: int) -> None:
    """Every day each fifth: all of its structures are longer, but for marks of one byte, which every record has."""
    path, chance = small(tmp_path, groups=1), random.Random(1)
    data = path.read_bytes()
    assert changed(path, data).state == "intact"
    for at in range(0, len(data), step):
        findings = changed(path, flipped(data, at, chance.randrange(1, 256)))
        assert findings.state == "altered", (at, findings)
        assert findings.wrong


@pytest.mark.slow
@pytest.mark.parametrize("bit", range(8))
def test_every_bit_of_a_closed_recording_is_held(tmp_path: Path, bit: int) -> None:
    path = small(tmp_path)
    data = path.read_bytes()
    for at in range(len(data)):
        assert changed(path, flipped(data, at, 1 << bit)).state == "altered", at


@pytest.mark.slow
def test_ten_thousand_changes_of_a_larger_recording_are_all_seen(tmp_path: Path) -> None:
    path, chance = whole(tmp_path, BY, count=100), random.Random(2)
    data = path.read_bytes()
    for _ in range(10_000):
        at, mask = chance.randrange(len(data)), chance.randrange(1, 256)
        assert changed(path, flipped(data, at, mask)).state == "altered", (at, mask)


@pytest.mark.slow
def test_every_byte_of_a_recording_that_was_never_closed_is_held_up_to_its_last_seal(tmp_path: Path) -> None:
    path, chance = small(tmp_path), random.Random(3)
    data = sealed_front(path)
    assert changed(path, data).state == "incomplete"
    for at in range(len(data)):
        for mask in (1, 0x80, chance.randrange(1, 256)):
            assert changed(path, flipped(data, at, mask)).state == "altered", (at, mask)


def sealed_front(path: Path) -> bytes:
    """A file as it lies on disk before it is closed: it ends with a seal."""
    data = path.read_bytes()
    close = data.index(b"aldis.close") - 4 - HEAD.size
    return data[:close]


@pytest.mark.parametrize("step", [7, pytest.param(1, marks=pytest.mark.slow)])
def test_a_recording_cut_at_any_byte_is_incomplete_and_what_was_sealed_is_read(tmp_path: Path, step: int) -> None:
    path = small(tmp_path, groups=3)
    data = path.read_bytes()
    every = [one.data for one in messages(path, len(data))]
    read = []
    for size in range(0, len(data), step):
        findings = changed(path, data[:size])
        assert findings.state == "incomplete", (size, findings)
        assert findings.covered + findings.beyond == size
        found = [one.data for one in messages(path.with_name("changed.mcap"), findings.covered)]
        assert found == every[: len(found)]
        assert len(found) == findings.messages
        read.append(len(found))
    assert read == sorted(read), "a longer front never holds less"
    assert set(read) == {0, 2, 4, 6}


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_the_first_wrong_message_is_named(tmp_path: Path, data: st.DataObject) -> None:
    path = tmp_path / "many-0001.mcap"
    if not path.exists():
        small(tmp_path, name="many", groups=12)
    raw = path.read_bytes()
    places = message_places(raw)
    assert len(places) == 24
    start, end, topic, sequence = data.draw(st.sampled_from(places))
    at = data.draw(st.integers(start + HEAD.size, end - 1))
    findings = changed(path, flipped(raw, at, data.draw(st.integers(1, 255))))
    assert findings.state == "altered"
    assert findings.bad is not None
    number = places.index((start, end, topic, sequence))
    assert findings.bad.record == number + 4, "a schema and two channels come before the first"
    if at >= start + HEAD.size + 22:  # in the data: then the message's own head is as it was
        assert (findings.bad.topic, findings.bad.sequence, findings.bad.log_ns) == (topic, sequence, 1000 + number)
    assert findings.messages == number // 2 * 2, "what was sealed before it holds"


def message_places(raw: bytes) -> list[tuple[int, int, str, int]]:
    """Start, end, topic and sequence of each message in a small file."""
    places, at = [], len(MAGIC)
    while at < len(raw) - len(MAGIC):
        op, length = HEAD.unpack_from(raw, at)
        if op == Op.CHUNK:
            front = at + HEAD.size + 40
            chunk = raw[front : at + HEAD.size + length]
            for inner, start, end in records_in(chunk):
                if inner == Op.MESSAGE:
                    channel, sequence, _, _ = message_head(chunk, start)
                    places.append((front + start, front + end, "/" + " ab"[channel], sequence))
        at += HEAD.size + length
    return places


def test_messages_that_change_places_are_seen(tmp_path: Path) -> None:
    path = small(tmp_path, groups=1)
    raw = path.read_bytes()
    (a, b, *_), (c, d, *_) = message_places(raw)
    assert b == c
    findings = changed(path, raw[:a] + raw[c:d] + raw[a:b] + raw[d:])
    assert findings.state == "altered"
    assert findings.bad is not None


def test_groups_that_are_taken_out_doubled_or_brought_from_elsewhere_are_seen(tmp_path: Path) -> None:
    path, other = small(tmp_path, groups=3), small(tmp_path, name="other", groups=3, first=1)
    raw, strange = path.read_bytes(), other.read_bytes()
    ends = group_ends(raw)
    assert group_ends(strange) == ends
    assert len(ends) >= 4
    for front, back in ((ends[1], ends[2]), (ends[2], ends[1])):
        assert changed(path, raw[:front] + raw[back:]).state == "altered"
        assert changed(path, raw[:front] + strange[front:]).state == "altered"
        assert changed(path, strange[:front] + raw[front:]).state == "altered"
        cut = changed(path, raw[: ends[1]] + strange[ends[1] : ends[2]])
        assert (cut.state, cut.covered) == ("altered", ends[1])
    assert changed(path, raw + b"\x00").state == "altered"
    assert changed(path, raw + MAGIC).state == "altered"
    assert changed(path, raw + raw).state == "altered"


def group_ends(raw: bytes) -> list[int]:
    """The offset after each seal."""
    ends, at = [], len(MAGIC)
    while at < len(raw) - len(MAGIC):
        op, length = HEAD.unpack_from(raw, at)
        at += HEAD.size + length
        if op == Op.METADATA and b"aldis.seal" in raw[at - length : at]:
            ends.append(at)
    return ends


def test_a_recording_made_again_with_another_key_is_foreign(tmp_path: Path) -> None:
    forger = signer()
    path = small(tmp_path, by=forger)
    findings = verify(path, BY.public)
    assert (findings.state, findings.vouched) == ("foreign", False)
    assert verify(path, forger.public).state == "intact"
    assert verify(path).vouched is False
    altered = flipped(path.read_bytes(), 200, 1)
    assert changed(path, altered).state == "altered", "altered says more than foreign"


def test_a_front_that_is_passed_off_as_the_whole_contradicts_what_came_after(tmp_path: Path) -> None:
    first = small(tmp_path, groups=3)
    with recorder(tmp_path, BY, name="small") as made:
        made.flush()
    whole_first, second = verify(first, BY.public), verify(made.segments[0], BY.public)
    assert gaps([whole_first, second]) == []
    raw = first.read_bytes()
    for end in group_ends(raw)[:-1]:
        cut = changed(first, raw[:end])
        assert cut.state == "incomplete"
        assert gaps([cut, second]) == ["file 2 goes on from another end than the one file 1 now has"]
    unclosed = changed(first, sealed_front(first))
    assert unclosed.state == "incomplete"
    assert gaps([unclosed, second]) == [], "never closed, yet nothing is missing"


@given(st.binary(max_size=400))
def test_any_bytes_are_judged_and_never_raise(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "any.mcap"
    for front in (b"", MAGIC):
        path.write_bytes(front + data)
        assert verify(path, BY.public).state in ("altered", "incomplete")


@pytest.mark.slow
def test_twenty_thousand_damaged_files_are_judged_in_bounded_memory(tmp_path: Path) -> None:
    import tracemalloc

    path, chance = small(tmp_path), random.Random(7)
    raw = path.read_bytes()
    cuts = list(accumulate(chance.choices(range(1, 40), k=200)))
    tracemalloc.start()
    for _ in range(20_000):
        data = bytearray(raw)
        for _ in range(chance.randrange(1, 5)):
            at = chance.randrange(len(data))
            match chance.randrange(3):
                case 0:
                    data[at : at + 8] = chance.randbytes(8)
                case 1:
                    del data[at : at + chance.choice(cuts)]
                case _:
                    data[at:at] = raw[chance.randrange(len(raw)) :][: chance.choice(cuts)]
            data = data or bytearray(1)
        if bytes(data) != raw:
            assert changed(path, bytes(data)).state in ("altered", "incomplete")
    assert tracemalloc.get_traced_memory()[1] < 64 * 1024 * 1024
    tracemalloc.stop()
