"""Links over real sockets: what comes, what goes, what is shed, and that nobody untrusted gets in."""

from __future__ import annotations

import asyncio
import datetime
import socket
import ssl
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from aldis.apps.experiments.links.address import read_address
from aldis.apps.experiments.links.link import Link, Piece
from aldis.apps.experiments.links.mailbox import Mailbox
from aldis.apps.experiments.links.opening import open_link
from aldis.apps.experiments.links.tcp import TcpLink
from aldis.apps.experiments.links.udp import UdpLink
from aldis.kernel.errors import InvalidInput, Unavailable

T = TypeVar("T")


def run(work: Callable[[], Awaitable[T]]) -> T:
    async def bounded() -> T:
        return await asyncio.wait_for(work(), 10)

    return asyncio.run(bounded())


async def opened(text: str) -> Link:
    return await open_link(read_address(text))


async def all_of(link: Link, size: int) -> bytes:
    got = b""
    while len(got) < size:
        got += (await link.receive()).data
    return got


def test_a_datagram_comes_whole_and_the_answer_goes_to_who_was_heard() -> None:
    async def work() -> None:
        link = await opened("udp://127.0.0.1:0")
        assert isinstance(link, UdpLink)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as system:
            system.bind(("127.0.0.1", 0))
            system.settimeout(5)
            await link.send(b"nobody was heard yet")
            system.sendto(b"one", ("127.0.0.1", link.port))
            piece = await link.receive()
            assert piece == Piece(b"one", f"127.0.0.1:{system.getsockname()[1]}")
            await link.send(b"two")
            assert await asyncio.to_thread(system.recv, 100) == b"two"
        await link.send(b"x" * 70_000)
        assert link.shed == 1, "what no datagram holds is counted"
        port = link.port
        await link.close()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as again:
            again.bind(("127.0.0.1", port))

    run(work)


def test_datagrams_go_where_to_says() -> None:
    async def work() -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as system:
            system.bind(("127.0.0.1", 0))
            system.settimeout(5)
            link = await opened(f"udp://127.0.0.1:0?to=127.0.0.1:{system.getsockname()[1]}")
            await link.send(b"unasked")
            assert await asyncio.to_thread(system.recv, 100) == b"unasked"
            await link.close()

    run(work)


def test_a_multicast_group_is_joined_on_the_loopback_interface() -> None:
    async def work() -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        one = await opened(f"udp://239.2.3.1:{port}")
        two = await opened(f"udp://239.2.3.1:{port}")
        await one.send(b"to all of the group")
        assert (await two.receive()).data == b"to all of the group"
        await one.close()
        await two.close()

    run(work)


def test_a_port_in_use_is_an_error_that_says_so() -> None:
    async def work() -> None:
        one = await opened("udp://127.0.0.1:0")
        assert isinstance(one, UdpLink)
        with pytest.raises(Unavailable, match=f"cannot listen at udp://127.0.0.1:{one.port}"):
            await opened(f"udp://127.0.0.1:{one.port}")
        await one.close()

    run(work)


def test_tcp_keeps_connections_apart_tells_their_end_and_connects_again() -> None:
    async def work() -> None:
        server = await opened("tcp-listen://127.0.0.1:0")
        assert isinstance(server, TcpLink)
        one = await opened(f"tcp://127.0.0.1:{server.port}")
        two = await opened(f"tcp://127.0.0.1:{server.port}")
        while not one._writers or not two._writers:  # type: ignore[attr-defined]
            await asyncio.sleep(0.01)
        await one.send(b"from one")
        first = await server.receive()
        await two.send(b"from two")
        second = await server.receive()
        assert (first.data, second.data) == (b"from one", b"from two")
        assert first.peer != second.peer
        await server.send(b"to all")
        assert (await one.receive()).data == b"to all"
        assert (await two.receive()).data == b"to all"
        await one.close()
        assert await server.receive() == Piece(b"", first.peer, ended=True)
        port = server.port
        await server.close()
        assert (await two.receive()).ended
        again = await opened(f"tcp-listen://127.0.0.1:{port}")
        await again.send(b"nobody yet")
        while not again._writers:  # type: ignore[attr-defined]
            await asyncio.sleep(0.01)
        await again.send(b"back")
        assert (await two.receive()).data == b"back"
        await two.close()
        await again.close()

    run(work)


def test_who_sends_faster_than_is_taken_is_made_to_wait_and_nothing_is_lost() -> None:
    async def work() -> None:
        server = await opened("tcp-listen://127.0.0.1:0")
        assert isinstance(server, TcpLink)
        server._mailbox = Mailbox(limit=4, most_bytes=256 * 1024)
        _, writer = await asyncio.open_connection("127.0.0.1", server.port)
        sent = bytes(range(256)) * 4096 * 4
        writer.write(sent)
        await asyncio.sleep(0.1)
        assert server._mailbox._bytes <= 256 * 1024 + 64 * 1024
        assert await all_of(server, len(sent)) == sent
        assert server.shed == 0
        writer.close()
        await server.close()

    run(work)


def test_a_system_that_does_not_read_loses_messages_and_holds_nobody_up() -> None:
    async def work() -> None:
        server = await opened("tcp-listen://127.0.0.1:0")
        assert isinstance(server, TcpLink)
        with socket.create_connection(("127.0.0.1", server.port)):
            while not server._writers:
                await asyncio.sleep(0.01)
            for _ in range(400):
                await server.send(b"x" * 65_536)
                await asyncio.sleep(0)
            assert server.shed > 0
        await server.close()

    run(work)


def test_of_too_many_datagrams_the_oldest_are_shed_and_counted() -> None:
    async def work() -> None:
        mailbox = Mailbox(limit=3)
        for number in range(5):
            mailbox.put(Piece(b"%d" % number, "a"))
        mailbox.put(Piece(b"", "a", ended=True))
        mailbox.close()
        got = [await mailbox.take() for _ in range(4)]
        assert [one.data for one in got] == [b"2", b"3", b"4", b""]
        assert mailbox.shed == 2
        with pytest.raises(EOFError):
            await mailbox.take()

    run(work)


def test_a_file_is_read_to_its_end(tmp_path: Path) -> None:
    async def work() -> None:
        path = tmp_path / "recording.nmea"
        path.write_bytes(b"line\r\n" * 20_000)
        link = await opened(str(path))
        assert await all_of(link, 120_000) == path.read_bytes()
        assert (await link.receive()).ended
        with pytest.raises(EOFError):
            await link.receive()
        with pytest.raises(Unavailable, match="takes nothing"):
            await link.send(b"")
        await link.close()

    run(work)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("udp://127.0.0.1", "a host and a port"),
        ("udp://127.0.0.1:99999", "not an address"),
        ("udp://127.0.0.1:1/x", "no path"),
        ("udp://a@127.0.0.1:1", "no path"),
        ("smtp://127.0.0.1:25", "no scheme 'smtp'"),
        ("tcp://127.0.0.1:25?to=127.0.0.1:1", "unknown option 'to'"),
        ("tls://127.0.0.1:8089", "whom to trust"),
        ("nothing-here.nmea", "neither an address nor a file"),
    ],
)
def test_an_address_that_cannot_be_says_why(text: str, said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        read_address(text)


def test_an_address_may_name_the_protocol_and_is_loopback_by_itself(tmp_path: Path) -> None:
    address = read_address("mavlink+udp://:14550?to=127.0.0.1:14551")
    assert (address.protocol, address.scheme, address.host, address.port) == ("mavlink", "udp", "127.0.0.1", 14550)
    path = tmp_path / "x.pcap"
    path.touch()
    assert read_address(f"dis+{path}").protocol == "dis"
    assert read_address(str(path)).path == path


class Authority:
    """A throw-away authority and what it signed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "an authority")])
        self.ca = self._write("ca.pem", self._signed(self._name, self._key.public_key(), authority=True))

    def issue(self, name: str) -> str:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        cert = self._write(f"{name}.pem", self._signed(subject, key.public_key(), authority=False))
        path = self._folder / f"{name}.key"
        path.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        return f"ca={self.ca}&cert={cert}&key={path}"

    def _write(self, name: str, certificate: x509.Certificate) -> Path:
        path = self._folder / name
        path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        return path

    def _signed(self, subject: x509.Name, public: ec.EllipticCurvePublicKey, *, authority: bool) -> x509.Certificate:
        now = datetime.datetime.now(datetime.UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(hours=1))
            .not_valid_after(now + datetime.timedelta(hours=1))
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName("tak.example")]), critical=False)
        )
        return builder.sign(self._key, hashes.SHA256())


def test_over_tls_only_who_the_authority_signed_is_heard(tmp_path: Path) -> None:
    (tmp_path / "ours").mkdir()
    (tmp_path / "theirs").mkdir()
    ours, theirs = Authority(tmp_path / "ours"), Authority(tmp_path / "theirs")

    async def work() -> None:
        server = await opened(f"tls-listen://127.0.0.1:0?{ours.issue('server')}")
        assert isinstance(server, TcpLink)
        plain_reader, plain = await asyncio.open_connection("127.0.0.1", server.port)
        plain.write(b"no greeting, just bytes\r\n" * 10)
        assert b"just" not in await plain_reader.read(1000)
        plain.close()
        stranger = await opened(f"tls://127.0.0.1:{server.port}?{theirs.issue('stranger')}&name=tak.example")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(ours.ca)
        with pytest.raises((ssl.SSLError, ConnectionError)):
            reader, nameless = await asyncio.open_connection(
                "127.0.0.1", server.port, ssl=context, server_hostname="tak.example"
            )
            nameless.write(b"no certificate")
            await nameless.drain()
            await reader.read(1)
            raise ConnectionError("closed")
        friend = await opened(f"tls://127.0.0.1:{server.port}?{ours.issue('friend')}&name=tak.example")
        while not friend._writers:  # type: ignore[attr-defined]
            await asyncio.sleep(0.01)
        await friend.send(b"hello")
        piece = await server.receive()
        while piece.ended or not piece.data:
            piece = await server.receive()
        assert piece.data == b"hello"
        for link in (stranger, friend, server):
            await link.close()

    run(work)


def test_a_certificate_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "not.pem").write_text("nothing")
    with pytest.raises(InvalidInput, match="cannot be read"):
        run(lambda: opened(f"tls://127.0.0.1:1?ca={tmp_path}/not.pem&cert=x&key=y"))
