"""Whatever bytes arrive: no exception, every PDU is counted once, and nothing grows."""

from __future__ import annotations

import random
import tracemalloc

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


@pytest.mark.slow
def test_a_hundred_thousand_mutations_neither_raise_nor_grow() -> None:
    chance = random.Random(7)
    gateway = DisGateway()
    tracemalloc.start()
    try:
        early = 0
        for number in range(100_000):
            data = bytearray(b"".join(chance.choices(SPECIMENS, k=chance.choice((1, 1, 1, 3)))))
            for _ in range(chance.randrange(1, 8)):
                data[chance.randrange(len(data))] = chance.randrange(256)
            if chance.random() < 0.2:
                del data[chance.randrange(len(data)) :]
            swallow(gateway, bytes(data))
            if number == 40_000:
                early = tracemalloc.get_traced_memory()[0]
        assert tracemalloc.get_traced_memory()[0] < 2 * early + 1_000_000
    finally:
        tracemalloc.stop()
    assert gateway.tally.seen == gateway.tally.carried + gateway.tally.dropped.total() > 100_000
