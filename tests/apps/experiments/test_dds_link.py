"""A link over DDS and another process's participant with types of its own, both ways, on the loopback address."""

from __future__ import annotations

import asyncio
import json
import math
import subprocess
import sys
import threading
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from bus_places import free_domain

from aldis.apps.experiments.entity import Position, Task, Track, Type
from aldis.apps.experiments.envelope import opened, sealed
from aldis.apps.experiments.gateways.umaa import OFFERED, UmaaGateway, topics
from aldis.apps.experiments.links.dds import DdsLink, place_of
from aldis.kernel.errors import InvalidInput, Unavailable

PEER = Path(__file__).with_name("umaa_peer.py")
POSE = "UMAA::SA::GlobalPoseStatus::GlobalPoseReport"
AT = 1_700_000_001_000_000


def run(case: Callable[[], Awaitable[None]]) -> None:
    async def whole() -> None:
        await asyncio.wait_for(asyncio.ensure_future(case()), 60)

    asyncio.run(whole())


@asynccontextmanager
async def peer(domain: int) -> AsyncGenerator[asyncio.subprocess.Process, None]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(PEER), str(domain), stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        assert process.stdout
        assert await asyncio.wait_for(process.stdout.readline(), 20) == b"ready\n"
        yield process
    finally:
        process.kill()
        await process.wait()


async def heard(process: asyncio.subprocess.Process) -> Any:
    assert process.stdout
    return json.loads(await asyncio.wait_for(process.stdout.readline(), 20))


def test_a_pose_comes_from_another_process_and_ours_and_a_status_go_there() -> None:
    async def case() -> None:
        domain = free_domain()
        before = threading.active_count()
        link = await DdsLink.open(f"dds://{domain}", topics())
        try:
            async with peer(domain) as process:
                assert process.stdin
                receiving = asyncio.ensure_future(link.receive())
                while not receiving.done():  # until both have found each other
                    process.stdin.write(b'{"lat": 59.5, "lon": 24.5}\n')
                    await asyncio.wait([receiving], timeout=0.1)
                piece = receiving.result()
                assert piece.peer.startswith(f"dds:{domain}/")
                [decoded] = UmaaGateway().feed(piece.data, AT)
                track = decoded.entity
                assert isinstance(track, Track)
                assert track.key == "umaa:00010203-0405-0607-0809-0a0b0c0d0e0f"
                assert track.position == Position(
                    lat_deg=59.5, lon_deg=24.5, at=1_700_000_000_250, height_m=17.5, depth_m=0.5, accuracy_m=2.0
                )
                assert track.motion
                assert track.motion.course_deg == pytest.approx(math.degrees(1.25))
                ours = Track(key="dis:1:2:3", position=Position(lat_deg=1.5, lon_deg=2.5), type=Type(nature="vehicle"))
                for message in UmaaGateway().encode(ours, AT).messages:
                    await link.send(message)
                name, said = await heard(process)
                assert (name, said["position"]) == (
                    "GlobalPoseReport",
                    "GeoPosition2D(geodeticLatitude=1.5, geodeticLongitude=2.5)",
                )
                assert (said["depth"], said["course"]) == ("None", "nan")
                told = Task(
                    key="t", verb="go to", assignee=track.key, request="17", state="executing", remarks="on my way"
                )
                for message in UmaaGateway().encode(told, AT).messages:
                    await link.send(message)
                name, said = await heard(process)
                assert (name, said["logMessage"]) == ("GlobalWaypointCommandStatus", "on my way")
                assert said["commandStatus"] == "CommandStatus.EXECUTING"
        finally:
            await link.close()
        with pytest.raises(EOFError):
            while True:
                await link.receive()
        with pytest.raises(Unavailable, match="closed"):
            await link.send(message)
        assert threading.active_count() <= before + 1  # of asyncio

    run(case)


def test_what_nobody_takes_in_time_is_shed() -> None:
    async def case() -> None:
        domain = free_domain()
        link = await DdsLink.open(f"dds://{domain}", topics(), limit=5)
        try:
            async with peer(domain) as process:
                assert process.stdin
                receiving = asyncio.ensure_future(link.receive())
                while not receiving.done():
                    process.stdin.write(b'{"lat": 1, "lon": 2}\n')
                    await asyncio.wait([receiving], timeout=0.1)
                while not link.shed:
                    process.stdin.write(b'{"lat": 3, "lon": 4, "times": 100}\n')
                    await asyncio.sleep(0.05)
                assert opened((await link.receive()).data).key == POSE
        finally:
            await link.close()

    run(case)


def test_two_links_of_one_domain_hear_each_other_and_not_themselves() -> None:
    async def case() -> None:
        domain = free_domain()
        one = await DdsLink.open(f"dds://{domain}", topics())
        other = await DdsLink.open(f"dds://{domain}", topics())
        try:
            messages = [message for specimen in OFFERED.specimens() for message in specimen.messages]
            receiving = asyncio.ensure_future(other.receive())
            while not receiving.done():
                await one.send(messages[0])
                await asyncio.wait([receiving], timeout=0.05)
            for message in messages[1:]:
                await one.send(message)
            waited = {opened(message).key for message in messages} - {POSE}
            while waited:
                piece = await asyncio.wait_for(other.receive(), 5)
                waited -= {opened(piece.data).key}
                assert UmaaGateway().feed(piece.data, AT) or "Waypoint" in opened(piece.data).key
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(one.receive(), 0.1)
        finally:
            await one.close()
            await other.close()

    run(case)


def test_bytes_that_are_no_sample_are_not_written() -> None:
    async def case() -> None:
        link = await DdsLink.open(f"dds://{free_domain()}", topics())
        try:
            with pytest.raises(InvalidInput, match="no envelope"):
                await link.send(b"hello")
            with pytest.raises(InvalidInput, match="no such topic"):
                await link.send(sealed("rt/chatter", b"\x00\x01\x00\x00"))
            for payload in (
                b"",
                b"\x00",
                b"\x00\x01\x00\x00",
                b"\x00\x01\x00\x00" + b"\xff" * 100,
                b"\x00\x09\x00\x00" * 9,
            ):
                with pytest.raises(InvalidInput, match="no sample"):
                    await link.send(sealed(POSE, payload))
        finally:
            await link.close()

    run(case)


@pytest.mark.parametrize(
    "url",
    [
        "dds://233",
        "dds://-1",
        "dds://x",
        "dds://",
        "dds://1/x",
        "udp://1",
        "dds://1?on=localhost",
        'dds://1?on="/><x',
        "dds://1?on=127.0.0.1&on=10.0.0.1",
        "dds://1?peer=x",
        "dds://1?config=x",
        "dds://1?" + "&".join(["peer=10.0.0.1"] * 9),
    ],
)
def test_a_url_that_says_something_else_is_refused(url: str) -> None:
    with pytest.raises(InvalidInput):
        place_of(url)


def test_the_loopback_address_without_multicast_is_the_default() -> None:
    told = place_of("dds://7").configuration
    assert 'NetworkInterface address="127.0.0.1"' in told
    assert "<AllowMulticast>false</AllowMulticast>" in told
    wider = place_of("dds://7?on=10.1.2.3&peer=10.1.2.4&multicast").configuration
    assert '<Peer address="10.1.2.3"/><Peer address="10.1.2.4"/>' in wider
    assert "<AllowMulticast>spdp</AllowMulticast>" in wider


def test_a_domain_is_freed_by_the_last_one_out_and_can_then_be_had_in_another_way() -> None:
    async def case() -> None:
        domain = free_domain()
        first = await DdsLink.open(f"dds://{domain}", {})
        second = await DdsLink.open(f"dds://{domain}", {})
        await first.close()
        await first.close()
        with pytest.raises(Unavailable, match="another way"):
            await DdsLink.open(f"dds://{domain}?peer=127.0.0.2", {})
        await second.close()
        third = await DdsLink.open(f"dds://{domain}?peer=127.0.0.2", {})
        await third.close()

    run(case)


def test_an_interface_that_is_not_there_is_unavailable() -> None:
    async def case() -> None:
        with pytest.raises(Unavailable, match="DDS domain"):
            await DdsLink.open(f"dds://{free_domain()}?on=203.0.113.9", topics())

    run(case)
