"""Whatever arrives, the sea gateways raise nothing, keep little, and account for every line."""

import random
import tracemalloc
from functools import reduce
from operator import xor
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aldis.apps.experiments.gateways.gateway import Gateway, Offered
from aldis.apps.experiments.gateways.nmea import OFFERED as NMEA
from aldis.apps.experiments.gateways.nmea2000 import OFFERED as N2K

AT = 1_718_106_372_500_000
PROTOCOLS = pytest.mark.parametrize("offered", [NMEA, N2K], ids=["nmea0183", "nmea2000"])


def seeds(offered: Offered) -> list[bytes]:
    made = [message for specimen in offered.specimens() for message in specimen.messages]
    extra = {
        "nmea0183": [
            b"$PGHP,1,2010,6,11,11,46,12,386,219,24,992190924,1,12*2A\r\n",
            b"\\s:2573535,c:1671533231*08\\!AIVDM,1,1,,B,15M67FC000G?ufbE`FepT@3n00Sa,0*5C\r\n",
            b"$WIMWV,45.0,T,10.0,N,A*15\r\n",
            b"$HCHDG,101.1,1.0,E,7.1,W*0C\r\n",
        ],
        "nmea2000": [
            b"2014-08-15T19:00:00.042Z,3,129029,160,255,8,a0,2b,fc,ed,c4,28,00,58\r\n",
            b"(1408129200.443000) can0 11F80E2B#A01B0152010203\n",
        ],
    }
    return made + extra[offered.protocol]


def checked(line: bytes) -> bytes:
    """`line` with a checksum that is right, where it has one."""
    body, star, _ = line.strip().rpartition(b"*")
    return b"%s*%02X\r\n" % (body, reduce(xor, body[1:], 0)) if star else line


def mutated(chance: random.Random, seed: bytes) -> bytes:
    line = bytearray(seed)
    for _ in range(chance.randrange(4)):
        at = chance.randrange(len(line))
        match chance.randrange(4):
            case 0:
                line[at] = chance.randrange(256)
            case 1:
                line[at : at + 1] = bytes((chance.randrange(32, 127),)) * chance.randrange(3)
            case 2:
                line[at] = chance.choice(b"0123456789,-.ABCNSEW")
            case _:
                del line[at : at + chance.randrange(9)]
        if not line:
            line = bytearray(b"\n")
    return checked(bytes(line)) if chance.random() < 0.8 else bytes(line)


def settled(gateway: Gateway) -> None:
    gateway.close()
    assert gateway.tally.waiting == 0


@PROTOCOLS
@given(pieces=st.lists(st.binary(max_size=200), max_size=20))
def test_random_bytes_are_accounted_for(offered: Offered, pieces: list[bytes]) -> None:
    gateway = offered.open()
    for piece in pieces:
        gateway.feed(piece, AT)
        offered.familiar(piece)
    offered.fields(pieces)
    settled(gateway)


@PROTOCOLS
@given(seed=st.integers(0, 2**32), pieces=st.integers(1, 30))
def test_mutated_messages_are_accounted_for_and_what_they_say_can_be_sent(
    offered: Offered, seed: int, pieces: int
) -> None:
    storm(offered, seed, pieces)


def storm(offered: Offered, seed: int, pieces: int) -> Any:
    chance, gateway, known = random.Random(seed), offered.open(), seeds(offered)
    for _ in range(pieces):
        for decoded in gateway.feed(mutated(chance, chance.choice(known)), AT + chance.randrange(10**9)):
            encoded = gateway.encode(decoded.entity, AT)
            assert len(encoded.ledger.named()) == len(encoded.ledger.entries)
    assert len(gateway.tally.dropped) < 100
    settled(gateway)
    return gateway


@PROTOCOLS
@pytest.mark.slow
def test_a_hundred_thousand_mutations_leave_no_trace(offered: Offered) -> None:
    chance, gateway, known = random.Random(4), offered.open(), seeds(offered)
    held = 0
    for number in range(100_000):
        for decoded in gateway.feed(mutated(chance, chance.choice(known)), AT + number * 1000):
            if number % 7 == 0:
                gateway.encode(decoded.entity, AT)
        if number == 80_000:
            tracemalloc.start()
        elif number == 85_000:
            held = tracemalloc.get_traced_memory()[0]
    grown = tracemalloc.get_traced_memory()[0] - held
    tracemalloc.stop()
    assert grown < 4 << 20
    assert gateway.tally.carried > 10_000
    settled(gateway)
