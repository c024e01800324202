"""What holds for every protocol: its ledger names each field once, and nothing that arrives breaks or swells it."""

from __future__ import annotations

import os
import random
import tracemalloc
from collections import Counter
from collections.abc import Iterator

import pytest

from aldis.apps.experiments.entity import GROUPS, Decoded, Track
from aldis.apps.experiments.gateways.gateway import Gateway, Offered, Specimen
from aldis.apps.experiments.gateways.registry import PROTOCOLS, offered, recognise

AT_US = 1_790_000_000_000_000  # 2026-09-21
MILLION = int(os.environ.get("ALDIS_FUZZ", "1000000"))
PLENTY = 64 * 1024 * 1024
"""Bytes that no gateway may hold on to, whatever it was fed."""


@pytest.fixture(params=sorted(PROTOCOLS))
def protocol(request: pytest.FixtureRequest) -> Offered:
    return offered(request.param)


def heard(gateway: Gateway, specimen: Specimen) -> list[Decoded]:
    return [one for message in specimen.messages for one in gateway.feed(message, AT_US)]


def test_every_field_of_a_message_is_named_when_it_is_decoded_and_once(protocol: Offered) -> None:
    for specimen in protocol.specimens():
        there, found = set(protocol.fields(specimen.messages)), set[str]()
        for decoded in heard(protocol.open(), specimen):
            named = Counter(entry.field for entry in decoded.ledger.entries)
            twice = sorted(name for name, count in named.items() if count > 1)
            assert not twice, f"{specimen.name}: named twice: {twice}"
            found |= set(named)
        assert found == there, f"{specimen.name}: not named {sorted(there - found)}, not there {sorted(found - there)}"


def test_every_field_of_an_entity_is_named_once_when_it_is_encoded(protocol: Offered) -> None:
    for specimen in protocol.specimens():
        for decoded in heard(protocol.open(), specimen):
            entity = decoded.entity
            encoded = protocol.open().encode(entity, AT_US)
            named = Counter(entry.field for entry in encoded.ledger.entries)
            twice = sorted(name for name, count in named.items() if count > 1)
            assert not twice, f"{specimen.name}: named twice: {twice}"
            if isinstance(entity, Track):
                there = {f"{group}.{name}" for group in GROUPS for name in said(entity, group)}
                missed = sorted(there - set(named) - {name for name in there if name.split(".")[0] in named})
                assert not missed, f"{specimen.name}: without an entry: {missed}"


def said(entity: Track, group: str) -> list[str]:
    value = getattr(entity, group)
    return [name for name in value.__struct_fields__ if getattr(value, name) is not None] if value is not None else []


def test_its_own_first_bytes_are_recognised(protocol: Offered) -> None:
    for specimen in protocol.specimens():
        found = recognise(specimen.messages[0])
        assert found is not None
        assert found.protocol == protocol.protocol, specimen.name


def test_what_one_gateway_says_another_of_it_hears(protocol: Offered) -> None:
    for specimen in protocol.specimens():
        for decoded in heard(protocol.open(), specimen):
            encoded, listener = protocol.open().encode(decoded.entity, AT_US), protocol.open()
            again = [one for message in encoded.messages for one in listener.feed(message, AT_US)]
            assert again or not encoded.messages, specimen.name
            assert listener.tally.dropped.total() == 0, (specimen.name, listener.tally.dropped)


def mutated(chance: random.Random, messages: list[bytes]) -> bytes:
    """A message with bytes changed, cut out, put in or doubled; or two of them run together; or nothing but noise."""
    data = bytearray(chance.choice(messages))
    for _ in range(chance.choice((1, 1, 2, 8))):
        place = chance.randrange(len(data) + 1)
        match chance.randrange(6):
            case 0:
                data[place : place + 1] = bytes([chance.randrange(256)])
            case 1:
                del data[place : place + chance.randrange(1, 16)]
            case 2:
                data[place:place] = chance.randbytes(chance.randrange(1, 8))
            case 3:
                data[place:place] = data[place : place + chance.randrange(1, 64)]
            case 4:
                data += chance.choice(messages)[chance.randrange(16) :]
            case _:
                if place < len(data):
                    data[place] ^= 1 << chance.randrange(8)
    return bytes(data[:65_536]) if chance.random() < 0.97 else chance.randbytes(chance.randrange(200))


def fuzz(protocol: Offered, count: int, seed: int) -> None:
    chance = random.Random(seed)
    messages = [message for specimen in protocol.specimens() for message in specimen.messages]
    gateway = protocol.open()
    for number in range(count):
        if number % 10_000 == 9_999:
            gateway.close()
            assert gateway.tally.waiting == 0
            gateway = protocol.open()
        gateway.feed(mutated(chance, messages), AT_US + number)
    gateway.close()
    assert gateway.tally.waiting == 0
    assert gateway.tally.seen == gateway.tally.carried + gateway.tally.dropped.total()


def test_nothing_that_arrives_breaks_it(protocol: Offered) -> None:
    fuzz(protocol, 300, 1)


@pytest.mark.slow
def test_a_million_damaged_messages_break_no_gateway_and_swell_none(protocol: Offered) -> None:
    share = MILLION // len(PROTOCOLS)
    fuzz(protocol, share // 2, 2)
    tracemalloc.start()
    try:
        fuzz(protocol, share // 50, 3)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < PLENTY
    fuzz(protocol, share - share // 2 - share // 50, 4)


def pieces(chance: random.Random, data: bytes) -> Iterator[bytes]:
    while data:
        size = chance.randrange(1, 200)
        yield data[:size]
        data = data[size:]


STREAMS = sorted({"cot", "csv", "geojson", "mavlink", "nmea0183", "nmea2000", "tak"} & set(PROTOCOLS))


@pytest.mark.parametrize("name", STREAMS)
def test_a_stream_cut_anywhere_says_the_same(name: str) -> None:
    protocol, chance = offered(name), random.Random(7)
    for specimen in protocol.specimens():
        whole, cut = protocol.open(), protocol.open()
        one = [decoded for message in specimen.messages for decoded in whole.feed(message, AT_US)]
        other = [decoded for piece in pieces(chance, b"".join(specimen.messages)) for decoded in cut.feed(piece, AT_US)]
        assert [decoded.entity for decoded in one] == [decoded.entity for decoded in other], specimen.name
