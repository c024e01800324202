import asyncio
import socket
from contextlib import aclosing
from pathlib import Path

import pytest

from aldis.apps.experiments.gateways.observation import Observation, Tally
from aldis.apps.experiments.gateways.sentences import MAX_LINE
from aldis.apps.experiments.gateways.stream import MAX_FILE, datagrams, endpoint, read_file
from aldis.apps.experiments.gateways.synthetic import generate
from aldis.kernel.errors import InvalidInput, TooLarge, Unavailable

START = 1_700_000_000_000
POSITION = b"!AIVDM,1,1,,B,15M67FC000G?ufbE`FepT@3n00Sa,0*5C"
LOGGED = (
    b"2014-08-15T19:00:00.443Z,4,129038,43,255,27,01,f8,8a,6e,0f,90,ce,63,0e,c0,08,9d,23,ec,a6,ad,83,02,0c,80,00,"
    b"01,88,ae,0a,00,00,06,ff"
)


def read(path: Path, tally: Tally | None = None) -> list[Observation]:
    return list(read_file(path, arrived_ms=START, tally=tally))


def test_a_file_of_sentences_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.nmea"
    path.write_bytes(b"garbled\n\n" + POSITION + b"\r\n" + POSITION)
    tally = Tally()
    assert [o.mmsi for o in read(path, tally)] == [366053209] * 2
    assert (tally.seen, tally.dropped) == (3, {"not AIS": 1})


def test_a_log_of_nmea_2000_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.data"
    path.write_bytes(LOGGED + b"\n")
    [seen] = read(path)
    assert (seen.mmsi, seen.source.protocol) == (258902776, "nmea2000")


@pytest.mark.parametrize(("content", "shown"), [(b"name,mmsi\n1,2\n", "name,mmsi"), (b"", "with nothing")])
def test_another_file_is_named_with_its_first_line_and_the_formats(tmp_path: Path, content: bytes, shown: str) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    with pytest.raises(InvalidInput, match=r"a\.csv") as caught:
        read(path)
    assert shown in str(caught.value)
    assert "!AIVDM" in str(caught.value)
    assert "129038" in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="No such file"):
        read(tmp_path / "none.nmea")


def test_a_huge_file_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "huge.nmea"
    with path.open("wb") as file:
        file.truncate(MAX_FILE + 1)
    with pytest.raises(TooLarge, match="Split it"):
        read(path)


def test_a_long_line_is_dropped_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.nmea"
    path.write_bytes(POSITION + b"\n" + b"!" * (MAX_LINE + 1) + POSITION * 100 + b"\n" + POSITION + b"\n")
    tally = Tally()
    assert len(read(path, tally)) == 2
    assert tally.dropped == {"line too long": 1}


def test_the_live_stream_is_a_file_like_any_other(dma_stream: Path) -> None:
    assert len(read(dma_stream)) == 3651


def test_generated_sentences_are_the_same_for_the_same_seed_and_all_decode(tmp_path: Path) -> None:
    lines = list(generate(7, vessels=20, seconds=30, start_ms=START))
    assert lines == list(generate(7, vessels=20, seconds=30, start_ms=START))
    assert lines != list(generate(8, vessels=20, seconds=30, start_ms=START))
    path = tmp_path / "generated.nmea"
    path.write_bytes(b"".join(lines))
    tally = Tally()
    seen = read(path, tally)
    assert not tally.dropped
    assert len({o.mmsi for o in seen if o.position}) == len({o.mmsi for o in seen if o.identity}) == 20
    assert {o.kind for o in seen if o.position} == {"class A", "class B"}
    times = [o.source.received_ms for o in seen]
    assert times == sorted(times)
    assert START < times[0] < times[-1] < START + 30_000


@pytest.mark.parametrize(
    ("url", "place"),
    [("udp://127.0.0.1:10110", ("127.0.0.1", 10110)), ("udp://:7", ("127.0.0.1", 7)), ("udp://[::1]:7", ("::1", 7))],
)
def test_an_address_without_a_host_is_the_loopback(url: str, place: tuple[str, int]) -> None:
    assert endpoint(url) == place


@pytest.mark.parametrize("url", ["udp://", "tcp://:1", "udp://h", "udp://h:99999", "udp://h:1/x", "udp://[:1", ""])
def test_another_address_is_refused_with_an_example(url: str) -> None:
    with pytest.raises(InvalidInput, match=r"udp://127\.0\.0\.1:10110"):
        endpoint(url)


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_datagrams_are_decoded_and_the_oldest_are_dropped_and_counted() -> None:
    url = f"udp://127.0.0.1:{free_port()}"
    tally = Tally()

    async def listen() -> list[int]:
        found: list[int] = []
        async with aclosing(datagrams(url, clock=lambda: START, tally=tally, limit=3)) as observations:
            first = asyncio.ensure_future(anext(observations))
            await asyncio.sleep(0.05)
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
                place = endpoint(url)
                sender.sendto(POSITION + b"\r\n" + POSITION, place)
                found.append((await first).source.received_ms)
                for _ in range(6):
                    sender.sendto(LOGGED, place)
            await asyncio.sleep(0.05)
            while len(found) < 5:
                found.append((await asyncio.wait_for(anext(observations), 5)).source.received_ms)
        return found

    assert asyncio.run(listen()) == [START, START, *[1408129200443] * 3]
    assert tally.dropped == {"overrun": 3}
    assert tally.seen == 8


def test_a_port_in_use_is_named() -> None:
    async def listen(url: str) -> None:
        await anext(datagrams(url, clock=lambda: START))

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"udp://127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(Unavailable, match="cannot listen at udp"):
            asyncio.run(listen(url))
