"""The partner port and the link to it, over real sockets on the loopback interface."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from aldis.kernel import errors
from aldis.kernel.errors import (
    AldisError,
    InvalidInput,
    NotAuthentic,
    TooLarge,
    Unavailable,
    VerificationFailed,
)
from aldis.node.partner_link import LARGEST_ANSWER, PartnerLink
from aldis.node.partner_port import OPERATIONS, Limits, Partner, PartnerPort
from aldis.node.tls import client_context, make_certificate, pin, server_context

NOW = 1_750_000_000_000
QUICK = Limits(handshake_s=0.3, head_s=0.3, body_s=0.3, answer_s=0.3, idle_s=0.3, linger_s=0.1)
GREET = b"POST /greet HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi"

Script = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass(frozen=True)
class Node:
    name: str
    certificate: Path
    key: Path
    der: bytes

    def calls(self, other: Node) -> ssl.SSLContext:
        return client_context(self.certificate, self.key, other.der)


@pytest.fixture(scope="module")
def nodes(tmp_path_factory) -> dict[str, Node]:
    folder, made = tmp_path_factory.mktemp("nodes"), {}
    for name in ("aus", "gbr", "usa"):
        certificate, key = make_certificate(f"{name}-low", NOW)
        files = folder / f"{name}.crt", folder / f"{name}.key"
        files[0].write_bytes(certificate)
        files[1].write_bytes(key)
        made[name] = Node(name, *files, ssl.PEM_cert_to_DER_cert(certificate.decode()))
    return made


@pytest.fixture
def aus(nodes: dict[str, Node]) -> Node:
    return nodes["aus"]


@pytest.fixture
def gbr(nodes: dict[str, Node]) -> Node:
    return nodes["gbr"]


@pytest.fixture
def usa(nodes: dict[str, Node]) -> Node:
    return nodes["usa"]


@dataclass
class Desk:
    """Answers what it was told to, and remembers who asked."""

    answer: bytes | Exception = b"welcome"
    asked: list[tuple[str, str, bytes]] = field(default_factory=list)
    hold: asyncio.Event | None = None

    def free(self) -> None:
        """Let those go on whom it holds."""
        assert self.hold is not None
        self.hold.set()

    async def __call__(self, partner: str, operation: str, body: bytes | bytearray) -> bytes:
        self.asked.append((partner, operation, bytes(body)))
        if self.hold is not None:
            await self.hold.wait()
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def active(*partners: Node) -> dict[bytes, Partner]:
    return {pin(one.der): Partner(one.name, one.der) for one in partners}


@contextlib.asynccontextmanager
async def open_port(node: Node, desk: Any, *partners: Node, limits: Limits | None = None):
    port = PartnerPort(desk, node.certificate, node.key, limits=limits or replace(QUICK, idle_s=30))
    port.set_partners(active(*partners))
    number = await port.start()
    try:
        yield port, number
    finally:
        await port.stop()


def link(caller: Node, called: Node, number: int, timeout_s: float = 2) -> PartnerLink:
    return PartnerLink(called.name, f"https://127.0.0.1:{number}", caller.calls(called), timeout_s=timeout_s)


@contextlib.asynccontextmanager
async def dial(
    number: int, context: ssl.SSLContext | None
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", number, ssl=context)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


async def told(number: int, context: ssl.SSLContext | None, *sent: bytes) -> bytes:
    """All that a caller hears before the connection ends, having sent these bytes."""
    heard = b""
    with contextlib.suppress(ConnectionError, ssl.SSLError):
        async with dial(number, context) as (reader, writer), asyncio.timeout(3):
            for one in sent:
                writer.write(one)
                await asyncio.sleep(0)
            while piece := await reader.read(65536):
                heard += piece
    return heard


async def one_answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    async with asyncio.timeout(3):
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        length = int(head.lower().split("content-length: ")[1].split("\r\n")[0])
        return int(head.split()[1]), await reader.readexactly(length)


def status(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


def problem(answer: bytes) -> Any:
    head, body = answer.split(b"\r\n\r\n", 1)
    assert b"content-type: application/problem+json" in head
    return json.loads(body)


# Who may call


def test_two_nodes_call_each_other(aus, gbr):
    async def run():
        at_aus, at_gbr = Desk(b"from AUS"), Desk(b"from GBR")
        async with (
            open_port(aus, at_aus, gbr) as (_, a),
            open_port(gbr, at_gbr, aus) as (_, g),
            link(gbr, aus, a) as to_aus,
            link(aus, gbr, g) as to_gbr,
        ):
            for body in (b"one", b"", b"\0" * 200_000):
                assert await to_aus.greet(body) == b"from AUS"
                assert await to_aus.deliver(body) == b"from AUS"
                assert await to_gbr.live(body) == b"from GBR"
                assert at_aus.asked[-2:] == [("gbr", "greet", body), ("gbr", "deliver", body)]
                assert at_gbr.asked[-1] == ("aus", "live", body)

    asyncio.run(run())


def test_the_largest_body_of_each_operation_passes(aus, gbr):
    async def run():
        desk = Desk()
        async with open_port(aus, desk, gbr, limits=Limits()) as (_, number), link(gbr, aus, number, 20) as to_aus:
            for operation, most in OPERATIONS.items():
                await getattr(to_aus, operation)(bytes(most))
                assert len(desk.asked[-1][2]) == most
                with pytest.raises(TooLarge, match=operation):
                    await getattr(to_aus, operation)(bytes(most + 1))
        assert len(desk.asked) == 3

    asyncio.run(run())


def test_a_stranger_is_refused_in_the_handshake(aus, gbr, usa):
    """Not even a request that nobody could parse gets an HTTP answer."""

    async def run():
        desk = Desk()
        async with open_port(aus, desk, gbr) as (_, number):
            for sent in (GREET, b"rubbish\r\n\r\n"):
                assert status(await told(number, gbr.calls(aus), sent + b"rubbish\r\n\r\n"))
                assert await told(number, usa.calls(aus), sent) == b""
            bare = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            bare.check_hostname = False
            bare.load_verify_locations(cadata=aus.der)
            assert await told(number, bare, GREET) == b""
            async with link(usa, aus, number) as to_aus:
                with pytest.raises((Unavailable, NotAuthentic), match="aus"):
                    await to_aus.greet(b"let me in")
        assert [partner for partner, _, _ in desk.asked] == ["gbr"]

    with capture_logs() as logs:
        asyncio.run(run())
    assert {"handshake refused"} <= {line["event"] for line in logs}
    assert "usa" not in {line.get("partner") for line in logs}


def test_without_partners_nobody_gets_in(aus, gbr):
    async def run():
        desk = Desk()
        async with open_port(aus, desk) as (_, number):
            assert await told(number, gbr.calls(aus), GREET) == b""
        assert desk.asked == []

    asyncio.run(run())


def test_plain_text_gets_no_http_answer(aus, gbr):
    async def run():
        desk = Desk()
        async with open_port(aus, desk, gbr) as (_, number):
            assert b"HTTP" not in await told(number, None, GREET)
        assert desk.asked == []

    asyncio.run(run())


def test_tls_1_2_is_refused(aus, gbr):
    async def run():
        desk, old = Desk(), gbr.calls(aus)
        old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_2
        async with open_port(aus, desk, gbr) as (_, number):
            assert await told(number, old, GREET) == b""
        assert desk.asked == []

    asyncio.run(run())


def test_a_silent_caller_is_dropped_before_the_handshake_ends(aus, gbr):
    async def run():
        async with open_port(aus, Desk(), gbr) as (_, number):
            assert await told(number, None) == b""

    asyncio.run(run())


def test_a_partner_added_while_running_works_at_once(aus, gbr, usa):
    async def run():
        desk = Desk()
        async with (
            open_port(aus, desk, gbr) as (port, number),
            link(gbr, aus, number) as from_gbr,
            link(usa, aus, number) as from_usa,
        ):
            await from_gbr.greet(b"1")
            with pytest.raises(AldisError):
                await from_usa.greet(b"too early")
            async with dial(number, gbr.calls(aus)) as (reader, writer):
                port.set_partners(active(gbr, usa))
                await from_usa.greet(b"2")
                writer.write(GREET)
                assert await one_answer(reader) == (200, b"welcome")
        assert [body for _, _, body in desk.asked] == [b"1", b"2", b"hi"]

    asyncio.run(run())


def test_a_suspended_partner_is_cut_off_at_once(aus, gbr, usa):
    async def run():
        desk = Desk()
        async with open_port(aus, desk, gbr, usa) as (port, number), dial(number, usa.calls(aus)) as (kept, alive):
            alive.write(GREET)
            assert await one_answer(kept) == (200, b"welcome")
            async with dial(number, gbr.calls(aus)) as (reader, writer):
                writer.write(GREET)
                assert await one_answer(reader) == (200, b"welcome")
                session = writer.get_extra_info("ssl_object").session
                assert session is None or not session.has_ticket
                port.set_partners(active(usa))
                writer.write(GREET)
                with contextlib.suppress(ConnectionError):
                    async with asyncio.timeout(1):
                        assert await reader.read() == b""
            assert await told(number, gbr.calls(aus), GREET) == b""
            alive.write(GREET)
            assert await one_answer(kept) == (200, b"welcome")
        assert [partner for partner, _, _ in desk.asked] == ["usa", "gbr", "usa"]

    asyncio.run(run())


def test_what_had_arrived_when_a_partner_was_suspended_is_not_parsed(aus, gbr):
    """Both the request that waits to be read and the body that waits to be handed over."""

    async def run():
        desk = Desk(hold=asyncio.Event())
        async with open_port(aus, desk, gbr) as (port, number), dial(number, gbr.calls(aus)) as (reader, writer):
            writer.write(GREET + GREET)
            while not desk.asked:
                await asyncio.sleep(0.01)
            port.set_partners({})
            desk.free()
            with contextlib.suppress(ConnectionError):
                assert await reader.read() == b""
        assert len(desk.asked) == 1

    asyncio.run(run())


def test_a_body_that_is_complete_only_when_its_sender_is_suspended_is_not_handed_over(aus, gbr):
    async def run():
        desk = Desk()
        async with open_port(aus, desk, gbr) as (port, number), dial(number, gbr.calls(aus)) as (reader, writer):
            writer.write(GREET[:-1])
            await asyncio.sleep(0.1)
            [connection] = port._connections
            writer.write(GREET[-1:])
            async with asyncio.timeout(2):
                while not (connection.channel._waiting and connection.channel._waiting.done()):
                    await asyncio.sleep(0)
            port.set_partners({})
            with contextlib.suppress(ConnectionError):
                assert await reader.read() == b""
        assert desk.asked == []

    asyncio.run(run())


def test_a_renamed_partner_calls_under_its_new_name_only(aus, gbr):
    async def run():
        desk = Desk()
        async with open_port(aus, desk, gbr) as (port, number), dial(number, gbr.calls(aus)) as (reader, writer):
            writer.write(GREET)
            assert await one_answer(reader) == (200, b"welcome")
            port.set_partners({pin(gbr.der): Partner("gbr-high", gbr.der)})
            writer.write(GREET)
            with contextlib.suppress(ConnectionError):
                assert await reader.read() == b""
            async with link(gbr, aus, number) as to_aus:
                await to_aus.greet(b"hi")
        assert [partner for partner, _, _ in desk.asked] == ["gbr", "gbr-high"]

    asyncio.run(run())


def test_suspension_during_the_handshake_counts(aus, gbr):
    async def run():
        desk = Desk()
        async with open_port(aus, desk, gbr) as (port, number):
            with socket.create_connection(("127.0.0.1", number)) as plain:
                await asyncio.sleep(0.05)  # the port has chosen its context, which trusts GBR
                port.set_partners({})

                def call() -> bytes:
                    with gbr.calls(aus).wrap_socket(plain) as tls:
                        tls.sendall(GREET)
                        return bytes(tls.recv(100))

                heard = b""
                with contextlib.suppress(ConnectionError, ssl.SSLError):
                    heard = await asyncio.to_thread(call)
                assert heard == b""
        assert desk.asked == []

    asyncio.run(run())


@pytest.mark.parametrize("flaw", ["false pin", "no certificate", "files gone"])
def test_partners_that_cannot_be_set_let_nobody_in_and_keep_nobody_in(aus, gbr, usa, tmp_path, flaw):
    async def run():
        desk, files = Desk(), (tmp_path / "crt", tmp_path / "key")
        for file, source in zip(files, (aus.certificate, aus.key), strict=True):
            file.write_bytes(source.read_bytes())
        async with open_port(replace(aus, certificate=files[0], key=files[1]), desk, gbr) as (port, number):
            wanted = {
                "false pin": {pin(gbr.der): Partner("usa", usa.der)},
                "no certificate": {pin(b"junk"): Partner("usa", b"junk")},
                "files gone": active(usa),
            }[flaw]
            if flaw == "files gone":
                files[1].unlink()
            async with dial(number, gbr.calls(aus)) as (reader, writer):
                writer.write(GREET)
                assert await one_answer(reader) == (200, b"welcome")
                with pytest.raises(InvalidInput, match=r"usa|invitation|aldis doctor"):
                    port.set_partners(wanted)
                with contextlib.suppress(ConnectionError):
                    assert await reader.read() == b""
            for node in (gbr, usa):
                assert await told(number, node.calls(aus), GREET) == b""
        assert [partner for partner, _, _ in desk.asked] == ["gbr"]

    asyncio.run(run())


# What may be asked


@pytest.mark.parametrize(
    ("sent", "expected", "code"),
    [
        (b"POST /secret-path HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", 404, "invalid-input"),
        (b"POST //greet HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", 404, "invalid-input"),
        (b"POST /greet?secret-path HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", 404, "invalid-input"),
        (b"GET /greet HTTP/1.1\r\nHost: a\r\n\r\n", 405, "invalid-input"),
        (b"CONNECT /greet HTTP/1.1\r\nHost: a\r\n\r\n", 405, "invalid-input"),
        (b"POST /greet HTTP/1.1\r\nHost: a\r\n\r\n", 411, "invalid-input"),
        (b"POST /live HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 411, "invalid-input"),
        (
            b"POST /greet HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            411,
            "invalid-input",
        ),
        (b"POST /greet HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nhi!", 400, "invalid-input"),
        (b"POST /greet HTTP/1.1\r\nHost: a\r\nContent-Length: -2\r\n\r\n", 400, "invalid-input"),
        (b"POST /greet HTTP/1.1\r\nContent-Length: 2\r\n\r\nhi", 400, "invalid-input"),
        (b"POST /greet HTTP/1.1\r\nHost: a\r\nContent-Length: 262145\r\n\r\n", 413, "too-large"),
        (b"POST /live HTTP/1.1\r\nHost: a\r\nContent-Length: 1048577\r\n\r\n", 413, "too-large"),
        (b"POST /deliver HTTP/1.1\r\nHost: a\r\nContent-Length: 67108865\r\n\r\n", 413, "too-large"),
        (b"\x16\x03\x01 secret-path \r\n\r\n", 400, "invalid-input"),
        (b"POST /greet HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 8192, 431, "invalid-input"),
        (b"POST /greet HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 8192 + b"\r\n\r\n", 431, "invalid-input"),
    ],
)  # fmt: skip
def test_a_bad_request_is_refused_without_its_body(aus, gbr, sent, expected, code):
    async def run():
        desk = Desk()
        async with open_port(aus, desk, gbr) as (_, number):
            heard = await told(number, gbr.calls(aus), sent)
        assert status(heard) == expected
        answer = problem(heard)
        assert answer["type"] == f"urn:aldis:problem:{code}"
        assert answer["status"] == expected
        assert b"connection: close" in heard
        assert b"secret-path" not in heard
        assert (b"allow: POST" in heard) == (expected == 405)
        assert desk.asked == []

    asyncio.run(run())


def test_the_refusal_reaches_a_caller_that_is_still_sending(aus, gbr):
    async def run():
        head = b"POST /deliver HTTP/1.1\r\nHost: a\r\nContent-Length: 67108865\r\n\r\n"
        async with (
            open_port(aus, Desk(), gbr, limits=Limits()) as (_, number),
            dial(number, gbr.calls(aus)) as (reader, writer),
        ):
            for piece in [head] + [bytes(2**18)] * 64:
                writer.write(piece)
                await writer.drain()
            assert (await one_answer(reader))[0] == 413

    asyncio.run(run())


def test_bytes_outside_tls_end_the_connection(aus, gbr):
    async def run():
        desk = Desk()

        def call(number: int) -> None:
            with (
                socket.create_connection(("127.0.0.1", number)) as plain,
                plain.dup() as beneath,
                gbr.calls(aus).wrap_socket(plain) as tls,
            ):
                tls.sendall(GREET)
                assert tls.recv(12) == b"HTTP/1.1 200"
                beneath.sendall(GREET)
                with contextlib.suppress(ConnectionError, ssl.SSLError):
                    while heard := tls.recv(65536):
                        assert b"HTTP" not in heard

        async with open_port(aus, desk, gbr) as (_, number):
            await asyncio.to_thread(call, number)
            async with link(gbr, aus, number) as to_aus:
                assert await to_aus.greet(b"hi") == b"welcome"
        assert len(desk.asked) == 2

    asyncio.run(run())


def test_head_gets_an_answer_without_a_body(aus, gbr):
    async def run():
        async with open_port(aus, Desk(), gbr) as (_, number):
            heard = await told(number, gbr.calls(aus), b"HEAD /greet HTTP/1.1\r\nHost: a\r\n\r\n")
        assert status(heard) == 405
        assert heard.endswith(b"\r\n\r\n")

    asyncio.run(run())


@pytest.mark.parametrize("size", [8192, 8193])
@pytest.mark.parametrize("piped", [False, True], ids=["first", "pipelined"])
def test_the_limit_of_the_head_is_exact(aus, gbr, size, piped):
    async def run():
        desk = Desk()
        start = b"POST /greet HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 0\r\nX: "
        head = start + b"x" * (size - len(start) - 4) + b"\r\n\r\n"
        assert len(head) == size
        async with open_port(aus, desk, gbr) as (_, number):
            heard = await told(number, gbr.calls(aus), (GREET if piped else b"") + head)
        assert (b"431" in heard) == (size > 8192), heard
        assert len(desk.asked) == piped + (size <= 8192)

    asyncio.run(run())


def test_a_body_that_is_too_large_is_refused_before_it_is_sent(aus, gbr):
    async def run():
        async with open_port(aus, Desk(), gbr) as (_, number), dial(number, gbr.calls(aus)) as (reader, writer):
            writer.write(b"POST /greet HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 999999\r\n\r\n")
            assert (await one_answer(reader))[0] == 413

    asyncio.run(run())


def test_a_caller_that_waits_for_100_continue_gets_it(aus, gbr):
    async def run():
        async with open_port(aus, Desk(), gbr) as (_, number), dial(number, gbr.calls(aus)) as (reader, writer):
            writer.write(b"POST /greet HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 100")
            writer.write(b"hi")
            assert await one_answer(reader) == (200, b"welcome")

    asyncio.run(run())


def test_pipelined_requests_are_answered_one_after_another(aus, gbr):
    async def run():
        desk = Desk(hold=asyncio.Event())
        async with open_port(aus, desk, gbr) as (_, number), dial(number, gbr.calls(aus)) as (reader, writer):
            writer.write(GREET * 3)
            await asyncio.sleep(0.1)
            assert len(desk.asked) == 1
            desk.free()
            assert [await one_answer(reader) for _ in range(3)] == [(200, b"welcome")] * 3

    asyncio.run(run())


def test_the_caller_may_close_after_one_request(aus, gbr):
    async def run():
        async with open_port(aus, Desk(), gbr) as (_, number):
            heard = await told(number, gbr.calls(aus), GREET.replace(b"Host", b"Connection: close\r\nHost") + GREET)
        assert heard.count(b"HTTP/1.1 200") == 1

    asyncio.run(run())


# Time and number


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (b"POST /gre", b"408"),
        (b"POST /greet HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nh", b"408"),
        (b"", b""),
        (GREET, b"200"),
    ],
    ids=["head", "body", "idle", "idle after a request"],
)
def test_a_slow_caller_is_cut_off(aus, gbr, sent, expected):
    async def run():
        async with open_port(aus, Desk(), gbr, limits=QUICK) as (_, number):
            clock = asyncio.get_running_loop().time
            start = clock()
            heard = await told(number, gbr.calls(aus), sent)
            assert 0.3 < clock() - start < 1.5
        assert heard[9:12] == expected

    asyncio.run(run())


def test_dripping_bytes_wins_no_time(aus, gbr):
    async def run():
        desk = Desk()
        async with open_port(aus, desk, gbr, limits=QUICK) as (_, number):
            for sent in (GREET[:-10], GREET[:-2] + b"h"):
                async with dial(number, gbr.calls(aus)) as (reader, writer):
                    answer = asyncio.create_task(reader.read(12))
                    for byte in sent.ljust(1000, b"x"):
                        writer.write(bytes([byte]))
                        await asyncio.sleep(0.02)
                        if answer.done():
                            break
                    assert await answer == b"HTTP/1.1 408"
        assert desk.asked == []

    asyncio.run(run())


def test_a_long_body_has_time_by_its_size(aus, gbr):
    async def run():
        limits = replace(QUICK, body_s=0.1, body_rate=1000)
        async with (
            open_port(aus, Desk(), gbr, limits=limits) as (_, number),
            dial(number, gbr.calls(aus)) as (reader, writer),
        ):
            writer.write(b"POST /greet HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n")
            await asyncio.sleep(0.4)
            writer.write(bytes(1000))
            assert await one_answer(reader) == (200, b"welcome")

    asyncio.run(run())


def test_a_caller_that_does_not_read_its_answer_is_cut_off(aus, gbr):
    async def run():
        async with (
            open_port(aus, Desk(bytes(16 * 1024 * 1024)), gbr) as (port, number),
            dial(number, gbr.calls(aus)) as (_, writer),
        ):
            writer.write(GREET * 3)
            async with asyncio.timeout(2):
                await asyncio.sleep(0.1)
                while port._connections:
                    await asyncio.sleep(0.05)

    asyncio.run(run())


def test_a_partner_has_a_few_connections_and_leaves_room_for_others(aus, gbr, usa):
    async def run():
        desk = Desk(hold=asyncio.Event())
        limits = replace(QUICK, idle_s=30, connections_per_partner=2, connections=3)
        async with open_port(aus, desk, gbr, usa, limits=limits) as (_, number), contextlib.AsyncExitStack() as stack:
            for busy in (1, 2):
                _, writer = await stack.enter_async_context(dial(number, gbr.calls(aus)))
                writer.write(GREET)
                while len(desk.asked) < busy:
                    await asyncio.sleep(0.01)
            async with link(gbr, aus, number) as third:
                with pytest.raises(Unavailable, match="too many"):
                    await third.greet(b"3")
            _, writer = await stack.enter_async_context(dial(number, usa.calls(aus)))
            writer.write(GREET)
            while len(desk.asked) < 3:
                await asyncio.sleep(0.01)
            assert status(await told(number, usa.calls(aus), GREET)) == 503
        assert [partner for partner, _, _ in desk.asked] == ["gbr", "gbr", "usa"]

    asyncio.run(run())


def test_an_idle_connection_gives_way_to_a_new_one(aus, gbr):
    async def run():
        limits = replace(QUICK, idle_s=30, connections_per_partner=2)
        async with open_port(aus, Desk(), gbr, limits=limits) as (_, number), contextlib.AsyncExitStack() as stack:
            opened = []
            for _ in range(5):
                opened.append(await stack.enter_async_context(dial(number, gbr.calls(aus))))
                opened[-1][1].write(GREET)
                assert await one_answer(opened[-1][0]) == (200, b"welcome")
            for reader, writer in opened[3:]:
                writer.write(GREET)
                assert await one_answer(reader) == (200, b"welcome")
            for reader, _ in opened[:3]:
                with contextlib.suppress(ConnectionError):
                    assert await reader.read() == b""

    asyncio.run(run())


def test_a_refused_caller_that_does_not_hang_up_keeps_no_place(aus, gbr):
    async def run():
        limits = replace(QUICK, answer_s=30, idle_s=30, connections_per_partner=1)
        async with open_port(aus, Desk(), gbr, limits=limits) as (_, number):
            with socket.create_connection(("127.0.0.1", number)) as plain:
                tls = await asyncio.to_thread(gbr.calls(aus).wrap_socket, plain)
                tls.sendall(b"rubbish\r\n\r\n")
                await asyncio.sleep(0.4)
                async with link(gbr, aus, number) as to_aus:
                    assert await to_aus.greet(b"hi") == b"welcome"
                tls.close()

    asyncio.run(run())


def test_strangers_who_never_finish_keep_no_partner_out(aus, gbr):
    async def run():
        limits = replace(QUICK, handshake_s=30, idle_s=30, handshakes=4)
        async with open_port(aus, Desk(), gbr, limits=limits) as (_, number), contextlib.AsyncExitStack() as stack:
            strangers = [await stack.enter_async_context(dial(number, None)) for _ in range(12)]
            async with link(gbr, aus, number) as to_aus:
                assert await to_aus.greet(b"hi") == b"welcome"
            with contextlib.suppress(ConnectionError):
                async with asyncio.timeout(1):
                    assert await strangers[0][0].read() == b""

    asyncio.run(run())


# What goes wrong behind the port


KINDS = [getattr(errors, name) for name in errors.__all__ if name != "AldisError"]


@pytest.mark.parametrize("kind", KINDS)
def test_an_error_comes_back_as_the_same_error(aus, gbr, kind):
    own = kind is Unavailable
    said = "send it again later" if own else "bundle 7 is no good. Send bundle 6"

    async def run():
        desk = Desk(kind("bundle 7 is no good", fix="Send bundle 6"))
        async with open_port(aus, desk, gbr) as (_, number):
            async with link(gbr, aus, number) as to_aus:
                for _ in range(2):
                    with pytest.raises(AldisError, match=f"aus .* {said}") as caught:
                        await to_aus.deliver(b"x")
                    assert type(caught.value) is kind
                    assert ("bundle" in str(caught.value)) is not own
            heard = await told(number, gbr.calls(aus), GREET.replace(b"Host", b"Connection: close\r\nHost"))
        expected = {
            "invalid": 400,
            "unknown": 400,
            "changed": 400,
            "too": 413,
            "refused": 403,
            "needs": 403,
            "unavailable": 503,
        }
        assert status(heard) == expected.get(kind.code.split("-")[0], 422)
        assert problem(heard)["type"] == f"urn:aldis:problem:{kind.code}"

    asyncio.run(run())


def test_what_ails_this_node_is_for_its_own_log_alone(aus, gbr):
    async def run():
        desk = Desk(Unavailable("the disk of /srv/aus is full at 512 MiB", fix="Free space, `aldis doctor` says where"))
        async with open_port(aus, desk, gbr) as (_, number):
            heard = await told(number, gbr.calls(aus), GREET.replace(b"Host", b"Connection: close\r\nHost"))
        assert status(heard) == 503
        assert problem(heard)["type"] == "urn:aldis:problem:unavailable"
        assert not any(word in heard for word in (b"/srv", b"512", b"disk", b"doctor"))

    with capture_logs() as logs:
        asyncio.run(run())
    [failed] = [line for line in logs if line["event"] == "request failed"]
    assert (failed["partner"], failed["operation"], failed["code"]) == ("gbr", "greet", "unavailable")
    assert "/srv/aus is full at 512 MiB" in failed["cause"]


@pytest.mark.parametrize("broken", [RuntimeError, OSError, TimeoutError, ConnectionError, ssl.SSLError])
def test_a_fault_of_ours_tells_nothing(aus, gbr, broken):
    async def run():
        desk = Desk(broken("/home/aus/SECRET codeword"))
        async with open_port(aus, desk, gbr) as (_, number), link(gbr, aus, number) as to_aus:
            for _ in range(2):
                with pytest.raises(Unavailable, match="500") as caught:
                    await to_aus.deliver(b"SECRET body")
        assert "SECRET" not in str(caught.value)

    with capture_logs() as logs:
        asyncio.run(run())
    failed = [line for line in logs if line["event"] == "request failed"]
    assert len(failed) == 2
    assert failed[0]["partner"] == "gbr"
    assert failed[0]["operation"] == "deliver"
    assert failed[0]["error"] == broken.__name__
    assert "test_partner_port.py:" in failed[0]["place"]
    assert "SECRET" not in str(logs)


def test_an_address_in_use_is_named(aus):
    async def run():
        async with open_port(aus, Desk()) as (_, number):
            second = PartnerPort(Desk(), aus.certificate, aus.key)
            with pytest.raises(Unavailable, match=f"127.0.0.1 port {number}.*in use"):
                await second.start("127.0.0.1", number)

    asyncio.run(run())


def test_stop_ends_every_connection(aus, gbr):
    async def run():
        desk = Desk(hold=asyncio.Event())
        async with open_port(aus, desk, gbr) as (port, number):
            async with dial(number, gbr.calls(aus)) as (reader, writer), dial(number, None) as (stranger, _):
                writer.write(GREET)
                while not desk.asked:
                    await asyncio.sleep(0.01)
                await port.stop()
                for one in (reader, stranger):
                    with contextlib.suppress(ConnectionError):
                        assert await one.read() == b""
            with pytest.raises(ConnectionError):
                await asyncio.open_connection("127.0.0.1", number)

    asyncio.run(run())


def test_stop_lets_what_is_under_way_be_answered_and_takes_nothing_more(aus, gbr):
    async def run():
        desk = Desk(hold=asyncio.Event())
        async with open_port(aus, desk, gbr) as (port, number):
            caller, idle = link(gbr, aus, number), link(gbr, aus, number)
            async with caller, idle:
                call = asyncio.create_task(caller.greet(b"x"))
                while not desk.asked:
                    await asyncio.sleep(0.01)
                stopping = asyncio.create_task(port.stop(5))
                await asyncio.sleep(0.1)
                with pytest.raises(Unavailable):
                    await idle.greet(b"late")
                assert not call.done() and not stopping.done()
                desk.free()
                assert await call == b"welcome"
                await asyncio.wait_for(stopping, 2)
        assert len(desk.asked) == 1

    asyncio.run(run())


# The link, against servers that misbehave


@contextlib.asynccontextmanager
async def scripted(node: Node, partner: Node, script: Script) -> AsyncIterator[int]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, ssl.SSLError, asyncio.CancelledError):
            await reader.readuntil(b"\r\n\r\n")
            await script(reader, writer)
        writer.transport.abort()

    context = server_context(node.certificate, node.key, [partner.der])
    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    async with server:
        yield server.sockets[0].getsockname()[1]


def says(answer: bytes) -> Script:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(answer)
        await writer.drain()
        await asyncio.sleep(0.05)

    return script


async def piece(to_aus: PartnerLink, body: bytes) -> bytes:
    """The answer to one piece of an attachment."""
    assert await to_aus.content(body) is None
    return await to_aus.heard()


def refusal(aus: Node, gbr: Node, script: Script, timeout_s: float = 2, way: str = "greet") -> AldisError:
    """What GBR's link makes of an AUS that follows this script."""

    async def run() -> AldisError:
        async with scripted(aus, gbr, script) as number, link(gbr, aus, number, timeout_s) as to_aus:
            with pytest.raises(AldisError) as caught:
                await (piece(to_aus, b"hi") if way == "content" else getattr(to_aus, way)(b"hi"))
            assert "aus" in str(caught.value)
            return caught.value

    return asyncio.run(run())


@pytest.mark.parametrize("way", ["greet", "content"])
def test_an_impostor_never_sees_the_body(aus, gbr, usa, way):
    seen = []

    async def script(reader, writer):
        seen.append(await reader.read())

    async def run():
        async with scripted(usa, gbr, script) as number, link(gbr, aus, number) as to_aus:
            with pytest.raises(NotAuthentic, match=r"aus at https://127.0.0.1.*self-signed"):
                await getattr(to_aus, way)(b"for AUS only")

    asyncio.run(run())
    assert seen == []


def test_a_plain_text_server_is_not_believed(aus, gbr):
    async def run():
        async def serve(_, writer):
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")
            writer.close()

        async with (
            await asyncio.start_server(serve, "127.0.0.1", 0) as server,
            link(gbr, aus, server.sockets[0].getsockname()[1]) as to_aus,
        ):
            with pytest.raises(NotAuthentic, match="TLS"):
                await to_aus.greet(b"hi")

    asyncio.run(run())


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (b"", Unavailable),
        (b"HTTP/1.1 2", Unavailable),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", Unavailable),
        (b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nall or half?", VerificationFailed),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n", VerificationFailed),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1048577\r\n\r\n" + bytes(1048577), VerificationFailed),
        (b"HTTP/1.1 302 Found\r\nLocation: https://127.0.0.1:1/steal\r\nContent-Length: 0\r\n\r\n", Unavailable),
        (b"rubbish", Unavailable),
        (b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 20_000 + b"\r\n", Unavailable),
    ],
)
def test_the_way_of_attachments_is_no_more_trusting(aus, gbr, answer, error):
    assert type(refusal(aus, gbr, says(answer), way="content")) is error


def test_a_server_that_says_nothing_to_a_piece_is_unavailable_in_time(aus, gbr):
    async def script(reader, writer):
        await asyncio.sleep(5)

    assert isinstance(refusal(aus, gbr, script, timeout_s=0.3, way="content"), Unavailable)


def test_pieces_of_attachments_share_a_connection_and_survive_its_end(aus, gbr):
    async def run():
        desk = Desk()
        async with open_port(aus, desk, gbr) as (port, number), link(gbr, aus, number) as to_aus:
            for size in (0, 5, 4 * 2**20):
                assert await piece(to_aus, bytes(size)) == b"welcome"
            [connection] = port._connections
            assert [len(body) for _, _, body in desk.asked] == [0, 5, 4 * 2**20]
            port._drop(connection)
            with pytest.raises(Unavailable):
                await piece(to_aus, b"lost")
            assert await piece(to_aus, b"again") == b"welcome"

    asyncio.run(run())


def test_who_floods_a_port_that_refused_it_is_cut_off_and_keeps_nobody_waiting(aus, gbr, usa):
    async def run():
        async with open_port(aus, Desk(), gbr, usa) as (_, number), link(usa, aus, number) as from_usa:

            def flood() -> float:
                with (
                    socket.create_connection(("127.0.0.1", number)) as plain,
                    gbr.calls(aus).wrap_socket(plain) as tls,
                    contextlib.suppress(OSError),
                ):
                    began = time.monotonic()
                    tls.sendall(b"POST /greet HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999\r\n\r\n")
                    while time.monotonic() - began < 5:
                        tls.sendall(bytes(2**20))
                return time.monotonic() - began

            flooding = asyncio.create_task(asyncio.to_thread(flood))
            while not flooding.done():
                assert await from_usa.greet(b"hi") == b"welcome"
            assert await flooding < 4

    asyncio.run(run())


@pytest.mark.parametrize("size", [512 * 1024 - 1, 512 * 1024 + 1, 2**20 + 3, 3 * 2**20])
def test_a_body_that_comes_in_drips_is_taken_with_its_last_byte(aus, gbr, size):
    async def run():
        desk, body = Desk(), os.urandom(size)
        async with open_port(aus, desk, gbr) as (_, number), dial(number, gbr.calls(aus)) as (reader, writer):
            for _ in range(2):
                writer.write(b"POST /deliver HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % size)
                for start in range(0, size, 200_001):
                    writer.write(body[start : start + 200_001])
                    await writer.drain()
                    await asyncio.sleep(0.002)
                assert await one_answer(reader) == (200, b"welcome")
        assert [asked for _, _, asked in desk.asked] == [body, body]

    asyncio.run(run())


def test_a_piece_goes_before_the_last_is_answered_and_answers_come_in_order(aus, gbr):
    async def run():
        async def handle(partner: str, operation: str, body: bytes) -> bytes:
            await asyncio.sleep(0.02)
            return b"%d" % len(body)

        async with open_port(aus, handle, gbr) as (_, number), link(gbr, aus, number, 5) as to_aus:
            sizes = [3, 2**20, 5, 3 * 2**20, 1, 2]
            heard = [await to_aus.content(bytes(size)) for size in sizes]
            assert [*heard, await to_aus.heard()] == [None, *(b"%d" % size for size in sizes)]
            with pytest.raises(Unavailable):
                await to_aus.heard()
            assert await piece(to_aus, b"afresh") == b"6"

    asyncio.run(run())


def test_an_answer_that_is_due_is_never_taken_for_another_after_hanging_up(aus, gbr):
    async def run():
        desk = Desk()
        async with open_port(aus, desk, gbr) as (_, number), link(gbr, aus, number) as to_aus:
            assert await to_aus.content(b"one") is None
            to_aus.hang_up()
            assert await piece(to_aus, b"two") == b"welcome"
        assert [body for _, _, body in desk.asked][-1] == b"two"

    asyncio.run(run())


def test_a_piece_that_is_cancelled_lets_go_of_its_socket(aus, gbr):
    async def run():
        desk = Desk(hold=asyncio.Event())
        async with open_port(aus, desk, gbr) as (_, number), link(gbr, aus, number, 60) as to_aus:
            call = asyncio.create_task(piece(to_aus, b"hi"))
            await asyncio.sleep(0.2)
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call
            desk.free()

    began = time.monotonic()
    asyncio.run(run())
    assert time.monotonic() - began < 5


def test_nobody_there(aus, gbr):
    async def run():
        async with link(gbr, aus, 1) as to_aus:
            with pytest.raises(Unavailable, match=r"aus at https://127.0.0.1:1 did not answer greet.*aldis doctor"):
                await to_aus.greet(b"hi")

    asyncio.run(run())


def test_a_server_killed_in_its_answer_is_unavailable(aus, gbr):
    half = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"
    for answer in (b"", b"HTTP/1.1 2", half, half.replace(b"Content-Length: 10", b"Transfer-Encoding: chunked")):
        assert isinstance(refusal(aus, gbr, says(answer)), Unavailable | VerificationFailed)
    assert isinstance(refusal(aus, gbr, says(half)), Unavailable)


def test_an_answer_that_ends_with_the_connection_could_be_cut_and_is_refused(aus, gbr):
    error = refusal(aus, gbr, says(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nall or half?"))
    assert isinstance(error, VerificationFailed)


@pytest.mark.parametrize("head", [b"Content-Length: 99999999999", b"Content-Length: 1\r\nTransfer-Encoding: chunked"])
def test_a_huge_answer_is_not_read_to_its_end(aus, gbr, head):
    sent = 0

    async def flood(reader, writer):
        nonlocal sent
        writer.write(b"HTTP/1.1 200 OK\r\n" + head + b"\r\n\r\n")
        piece = bytes(65536)
        if b"chunked" in head:
            piece = b"10000\r\n" + piece + b"\r\n"
        while sent < 2**28:
            writer.write(piece)
            await writer.drain()
            sent += 65536

    error = refusal(aus, gbr, flood)
    assert isinstance(error, VerificationFailed)
    assert str(LARGEST_ANSWER) in str(error)
    assert sent < 2**25


def test_the_largest_answer_is_read(aus, gbr):
    async def run():
        answer = os.urandom(LARGEST_ANSWER)
        async with open_port(aus, Desk(answer), gbr) as (_, number), link(gbr, aus, number) as to_aus:
            assert await to_aus.greet(b"hi") == answer

    asyncio.run(run())


def test_a_compressed_answer_is_not_unpacked(aus, gbr):
    packed = bytes.fromhex("1f8b0800000000000003cbc804005f9e8bd802000000")

    async def run():
        head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(packed)
        async with scripted(aus, gbr, says(head + packed)) as number, link(gbr, aus, number) as to_aus:
            assert await to_aus.greet(b"hi") == packed

    asyncio.run(run())


@pytest.mark.parametrize("tempo", ["silent", "dripping", "endless 1xx"])
def test_a_server_that_takes_its_time_is_unavailable(aus, gbr, tempo):
    async def script(reader, writer):
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" if tempo == "dripping" else b"")
        while True:
            await asyncio.sleep(0.05)
            writer.write({"silent": b"", "dripping": b"x"}.get(tempo, b"HTTP/1.1 103 Early Hints\r\n\r\n"))
            await writer.drain()

    assert isinstance(refusal(aus, gbr, script, timeout_s=0.3), Unavailable)


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 302 Found\r\nLocation: https://127.0.0.1:1/steal\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 6\r\n\r\n<html>",
        b'HTTP/1.1 503 x\r\nContent-Length: 58\r\n\r\n{"type":"urn:aldis:problem:nonsense","title":"","status":1}',
        b"HTTP/0.9 what\r\n\r\n",
        b"rubbish",
    ],
)
def test_an_answer_of_no_partner_port_is_unavailable(aus, gbr, answer):
    error = refusal(aus, gbr, says(answer))
    assert type(error) is Unavailable


def test_what_a_partner_says_cannot_command_the_terminal(aus, gbr):
    body = json.dumps(
        {"type": "urn:aldis:problem:stale", "title": "Stale", "status": 422, "detail": "\x1b[2J\n" + "z" * 9999}
    ).encode()
    error = refusal(aus, gbr, says(b"HTTP/1.1 422 x\r\nContent-Length: %d\r\n\r\n" % len(body) + body))
    assert type(error) is errors.Stale
    assert str(error).isprintable()
    assert len(str(error)) < 600


def test_a_lost_keep_alive_connection_is_opened_again(aus, gbr):
    async def run():
        async with open_port(aus, Desk(), gbr, limits=QUICK) as (_, number), link(gbr, aus, number) as to_aus:
            for _ in range(2):
                assert await to_aus.greet(b"hi") == b"welcome"
                await asyncio.sleep(0.5)

    asyncio.run(run())


def test_one_connection_serves_many_calls(aus, gbr):
    async def run():
        desk = Desk()
        async with open_port(aus, desk, gbr) as (port, number), link(gbr, aus, number) as to_aus:
            for _ in range(20):
                await to_aus.live(b"frame")
            assert len(port._connections) == 1

    asyncio.run(run())


@pytest.mark.parametrize("url", ["http://a:1", "https://", "a:1", "https://u:p@a", "https://a/b", "https://a:b", ""])
def test_only_a_plain_https_address_will_do(aus, gbr, url):
    with pytest.raises(InvalidInput, match=r"aus .*https://host:port"):
        PartnerLink("aus", url, gbr.calls(aus))


def test_the_environment_cannot_put_a_proxy_between(aus, gbr, monkeypatch):
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)

    async def run():
        async with open_port(aus, Desk(), gbr) as (_, number), link(gbr, aus, number) as to_aus:
            assert await to_aus.greet(b"hi") == b"welcome"

    asyncio.run(run())
