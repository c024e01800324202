"""The zenoh layout carries the whole model exactly, and refuses whatever is not it."""

from __future__ import annotations

import json
import math
import random
import tracemalloc

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from zenoh_schemas import FILE, text

from aldis.apps.experiments.entity import GROUPS, Carried, Motion, Position, Report, Status, Track
from aldis.apps.experiments.envelope import MAX_PAYLOAD, opened, sealed
from aldis.apps.experiments.gateways.exemplars import EXEMPLARS
from aldis.apps.experiments.gateways.zenoh import OFFERED, ZenohGateway

AT = 1_700_000_000_000_000
MESSAGES = [message for specimen in OFFERED.specimens() for message in specimen.messages]
REASONS = {"no envelope", "no such key", "no such group", "another key within", "against the schema"}


def test_every_field_of_the_model_comes_back_as_it_was() -> None:
    for thing in EXEMPLARS:
        gateway = ZenohGateway()
        encoded = gateway.encode(thing, AT)
        parts = [gateway.feed(message, AT) for message in encoded.messages]
        entities = [part[0].entity for part in parts]
        if isinstance(thing, Track):
            back = Track(
                key=thing.key, **{name: getattr(e, name) for e in entities for name in GROUPS if getattr(e, name)}
            )
            assert back == thing
        else:
            assert entities == [thing]
        said = {e.field for e in encoded.ledger.entries if isinstance(e, Carried) and e.to == e.field}
        heard = [e for part in parts for e in part[0].ledger.entries]
        names = set(OFFERED.fields(encoded.messages))
        assert said == names == {e.field for e in heard}
        assert len(heard) == len(names)
        assert gateway.tally.seen == gateway.tally.carried == len(encoded.messages)


def test_the_schema_in_the_specification_is_that_of_the_types() -> None:
    assert FILE.read_text("utf-8") == text()
    definitions = json.loads(text())["$defs"]
    assert all(one["additionalProperties"] is False for one in definitions.values() if one.get("properties"))


@pytest.mark.parametrize("key", ["mavlink:1/1", "a b", "ä*$?#%", "%41", ".", "cot:{}"])
def test_any_key_passes_as_one_word_of_a_key_expression(key: str) -> None:
    gateway = ZenohGateway()
    [message] = gateway.encode(Track(key=key, status=Status(armed=True)), AT).messages
    assert len(opened(message).key.split("/")) == 3
    assert not set("*$?#") & set(opened(message).key)
    assert gateway.feed(message, AT)[0].entity.key == key


@pytest.mark.parametrize(
    ("key", "payload", "reason"),
    [
        ("track/a%2fb/status", b"{}", "no such key"),  # not in capitals
        ("track/%41/status", b"{}", "no such key"),  # needs no %
        ("track/%FF/status", b"{}", "no such key"),
        ("track/a/b/status", b"{}", "no such key"),
        ("trick/a/status", b"{}", "no such key"),
        ("track/a/state", b"{}", "no such group"),
        ("area/a/status", b"{}", "no such group"),
        ("track/a/status", b'{"armed":true,"more":1}', "against the schema"),
        ("track/a/status", b'{"armed":1}', "against the schema"),
        ("track/a/position", b'{"lat_deg":91,"lon_deg":0}', "against the schema"),
        ("track/a/position", b'{"lat_deg":NaN,"lon_deg":0}', "against the schema"),
        ("track/a/status", b"[" * 60_000, "against the schema"),
        ("track/a/status", b'{"more":' * 8000, "against the schema"),
        ("track/a/status", b"\xff", "against the schema"),
        ("report/a/whole", b'{"key":"b","text":"x"}', "another key within"),
    ],
)
def test_what_is_not_the_layout_is_counted_by_its_reason(key: str, payload: bytes, reason: str) -> None:
    gateway = ZenohGateway()
    assert gateway.feed(sealed(key, payload), AT) == ()
    assert gateway.tally.dropped == {reason: 1}


def test_what_cannot_be_said_is_dropped_with_its_reason() -> None:
    gateway = ZenohGateway()
    track = Track(
        key="a", position=Position(lat_deg=1, lon_deg=2), motion=Motion(rates_rad_s=(math.nan, 0, 0), speed_mps=1)
    )
    encoded = gateway.encode(track, AT)
    assert [opened(one).key for one in encoded.messages] == ["track/a/position"]
    assert {(e.field, e.reason) for e in encoded.ledger.dropped} == {
        ("motion.rates_rad_s", "out of range"),
        ("motion.speed_mps", "out of range"),
    }
    for report, reason in (
        (Report(key="a", text="x" * MAX_PAYLOAD), "too long"),
        (Report(key="a" * 300, text="x"), "too long"),
        (Report(key="a", text="\ud800"), "not text of this protocol"),
    ):
        encoded = gateway.encode(report, AT)
        assert (encoded.messages, [e.reason for e in encoded.ledger.dropped]) == ((), [reason])
    assert gateway.encode(Report(key="a", text="null"), AT).messages


def test_the_layout_is_told_from_other_bytes() -> None:
    assert all(OFFERED.familiar(message) for message in MESSAGES)
    assert not any(map(OFFERED.familiar, (b"", b"!AIVDM,1,1,,A,x*00", b"<event/>", sealed("a/b", b""), b"\xfd" * 40)))


@given(st.binary(max_size=200))
def test_random_bytes_are_refused(data: bytes) -> None:
    gateway = ZenohGateway()
    assert gateway.feed(data, AT) == ()
    assert gateway.feed(sealed("track/a/motion", data), AT) == () or msgspec.json.decode(data) is not None


@given(st.integers(0, 2**32))
def test_mutated_specimens_are_counted_and_never_raised(seed: int) -> None:
    fuzz(random.Random(seed), 3)


@pytest.mark.slow
def test_a_hundred_thousand_mutations_leave_nothing_behind() -> None:
    fuzz(random.Random(1), 1000)
    tracemalloc.start()
    fuzz(random.Random(2), 99_000)
    grown, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert grown < 20_000_000  # the ledgers of 4,096 shapes and as many keys


def fuzz(chance: random.Random, times: int) -> None:
    gateway = ZenohGateway()
    for _ in range(times):
        gateway.feed(mutated(chance.choice(MESSAGES), chance), AT)
    tally = gateway.tally
    assert tally.seen == tally.carried + tally.dropped.total() == times
    assert set(tally.dropped) <= REASONS


def mutated(message: bytes, chance: random.Random) -> bytes:
    data = bytearray(message)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(data))
        kind = chance.randrange(4)
        if kind == 0:
            data[at] = chance.randrange(256)
        elif kind == 1:
            del data[at : at + chance.randint(1, 20)]
        elif kind == 2:
            data[at:at] = chance.randbytes(chance.randint(1, 8))
        else:
            data[at:at] = data[at : at + 30]
        if not data:
            return b""
    return bytes(data)
