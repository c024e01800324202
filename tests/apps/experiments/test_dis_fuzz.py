"""Whatever bytes arrive: no exception, every PDU is counted once, and nothing grows."""

from __future__ import annotations

import random
import tracemalloc
from collections.abc import Iterator

import pytest
from dis_peers import AT_US
from hypothesis import given, settings
from hypothesis import strategies as st

from aldis.apps.experiments.gateways.dis import OFFERED, DisGateway

SPECIMENS = [message for specimen in OFFERED.specimens() for message in specimen.messages]


def swallow(gateway: DisGateway, data: bytes) -> None:
    OFFERED.familiar(data)
    OFFERED.fields([data])
    for found in gateway.feed(data, AT_US):
        gateway.encode(found.entity, AT_US)
    assert gateway.tally.waiting == 0


@settings(max_examples=200)
@given(st.binary(max_size=400))
def test_noise_is_counted(data: bytes) -> None:
    swallow(DisGateway(), data)


@settings(max_examples=200)
@given(st.sampled_from(SPECIMENS), st.lists(st.tuples(st.integers(0, 143), st.integers(0, 255)), max_size=6),
       st.integers(0, 200))  # fmt: skip
def test_damaged_specimens_are_counted(specimen: bytes, damage: list[tuple[int, int]], size: int) -> None:
    data = bytearray(specimen)
    for at, value in damage:
        data[at % len(data)] = value
    swallow(DisGateway(), bytes(data[:size] if size < 144 else data))


def mutations(count: int) -> Iterator[bytes]:
    chance = random.Random(7)
    for _ in range(count):
        data = bytearray(b"".join(chance.choices(SPECIMENS, k=chance.choice((1, 1, 1, 3)))))
        for _ in range(chance.randrange(1, 8)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        if chance.random() < 0.2:
            del data[chance.randrange(len(data)) :]
        yield bytes(data)


@pytest.mark.slow
def test_a_hundred_thousand_mutations_are_each_counted() -> None:
    gateway = DisGateway()
    for data in mutations(100_000):
        for found in gateway.feed(data, AT_US):
            gateway.encode(found.entity, AT_US)
    assert gateway.tally.seen == gateway.tally.carried + gateway.tally.dropped.total() > 100_000


@pytest.mark.slow
def test_what_is_remembered_does_not_grow_without_bound() -> None:
    gateway = DisGateway()
    pdu = bytearray(SPECIMENS[0])
    held = []
    tracemalloc.start()
    try:
        for number in range(20_000):  # each a new entity with a new name and type, as a flood would have it
            pdu[12:16] = pdu[20:24] = pdu[129:133] = number.to_bytes(4, "big")
            for found in gateway.feed(bytes(pdu), AT_US):
                gateway.encode(found.entity, AT_US)
            if number in (9_000, 19_000):
                held.append(tracemalloc.get_traced_memory()[1])
    finally:
        tracemalloc.stop()
    assert held[1] < 1.5 * held[0] < 200_000_000
