"""PyTAK's own client at the other end of a socket: TCP, TLS and UDP, XML and protobuf, each way."""

import asyncio
import ssl
import warnings
from collections.abc import Awaitable, Callable
from configparser import ConfigParser
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from aldis.apps.experiments.entity import Track
from aldis.apps.experiments.gateways.cot import OFFERED as COT
from aldis.apps.experiments.gateways.cot.specimens import EVENTS
from aldis.apps.experiments.gateways.gateway import Gateway
from aldis.apps.experiments.gateways.tak import OFFERED as TAK

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import pytak  # type: ignore[import-untyped]
    import takproto  # type: ignore[import-untyped]
    from pytak.functions import tak_pong  # type: ignore[import-untyped]

AT_US = 1_773_480_415_000_000
HOST = "127.0.0.1"


def configured(url: str, **more: str) -> Any:
    parser = ConfigParser({"COT_URL": url, **more})
    parser.add_section("peer")
    return parser["peer"]


def ours() -> Track:
    (decoded,) = COT.open().feed(EVENTS["track"].encode(), AT_US)
    assert isinstance(decoded.entity, Track)
    return decoded.entity


class Node:
    """Our end of a stream: feeds what comes to a gateway, and answers with an event of ours."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway
        self.heard: list[Track] = []
        self.done = asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while len(self.heard) < 3 and (data := await reader.read(100)):
            self.heard += [one.entity for one in self.gateway.feed(data, AT_US) if isinstance(one.entity, Track)]
        for message in self.gateway.encode(ours(), AT_US).messages:
            writer.write(message)
        await writer.drain()
        writer.close()
        self.done.set()


async def spoken(node: Node, scheme: str, context: ssl.SSLContext | None, **more: str) -> Any:
    """Three events of PyTAK's transmitter to `node`; what its receiver makes of the answer."""
    server = await asyncio.start_server(node.serve, HOST, 0, ssl=context)
    async with server:
        port = server.sockets[0].getsockname()[1]
        config = configured(f"{scheme}://{HOST}:{port}", **more)
        reader, writer = await pytak.protocol_factory(config)
        queue: asyncio.Queue[bytes] = asyncio.Queue()
        transmitter = pytak.TXWorker(queue, config, writer)
        for number in range(3):
            await transmitter.send_data(
                pytak.gen_cot(59.85, 24.45, 4.5, 18.3, 9.0, f"PEER-{number}", 120, "a-f-S", f"TERN {number}")
            )
        if more.get("TAK_PROTO"):
            answer = takproto.parse_proto(bytearray(await reader.read(1 << 16)))
        else:
            answer = await pytak.RXWorker(queue, config, reader).readcot()
        await node.done.wait()
        writer.close()
    return answer


def heard(node: Node) -> None:
    assert [track.key for track in node.heard] == ["cot:PEER-0", "cot:PEER-1", "cot:PEER-2"]
    for number, track in enumerate(node.heard):
        assert track.identity is not None
        assert track.identity.callsign == f"TERN {number}"
        assert track.position is not None
        assert (track.position.lat_deg, track.position.height_m) == (59.85, 18.3)
    assert node.gateway.tally.waiting == 0
    assert node.gateway.tally.dropped.total() == 0


def test_pytak_over_tcp() -> None:
    async def run() -> Any:
        node = Node(COT.open())
        answer = await spoken(node, "tcp", None)
        heard(node)
        return answer

    answer = ElementTree.fromstring(asyncio.run(run()))
    assert (answer.get("uid"), answer.get("caveat")) == ("TAK-USV-7", "FVEY")
    track = answer.find("detail/track")
    assert track is not None
    assert track.get("slope") == "2.5"


def test_pytak_with_protobuf_over_tcp() -> None:
    async def run() -> Any:
        node = Node(TAK.open())
        answer = await spoken(node, "tcp", None, TAK_PROTO="1")
        heard(node)
        return answer

    event = asyncio.run(run()).cotEvent
    assert (event.uid, event.lat, event.detail.group.role) == ("TAK-USV-7", 59.8512345, "Team Lead")


def certified(folder: Path) -> dict[str, Path]:
    """A throw-away authority and a server's and a client's certificate of it, as files."""
    now = datetime.now(UTC)

    def signed(
        name: str, issuer: str, key: ec.EllipticCurvePrivateKey, by: ec.EllipticCurvePrivateKey
    ) -> x509.Certificate:
        def named(text: str) -> x509.Name:
            return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])

        builder = x509.CertificateBuilder().subject_name(named(name)).issuer_name(named(issuer))
        builder = builder.public_key(key.public_key()).serial_number(x509.random_serial_number())
        builder = builder.not_valid_before(now - timedelta(minutes=5)).not_valid_after(now + timedelta(hours=1))
        builder = builder.add_extension(x509.BasicConstraints(ca=name == issuer, path_length=None), critical=True)
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(HOST))]), critical=False)
        own, above = (x509.SubjectKeyIdentifier.from_public_key(one.public_key()) for one in (key, by))
        builder = builder.add_extension(own, critical=False)
        authority = x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(above)
        builder = builder.add_extension(authority, critical=False)
        if name == issuer:
            usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
            builder = builder.add_extension(usage, critical=True)
        return builder.sign(by, hashes.SHA256())

    authority = ec.generate_private_key(ec.SECP256R1())
    found = {}
    for name in ("authority", "server", "client"):
        key = authority if name == "authority" else ec.generate_private_key(ec.SECP256R1())
        certificate = signed(name, "authority", key, authority)
        found[name], found[f"{name} key"] = folder / f"{name}.pem", folder / f"{name}.key"
        found[name].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        found[f"{name} key"].write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
    return found


@pytest.mark.filterwarnings("ignore:ssl.OP_NO:DeprecationWarning")
def test_pytak_over_tls(tmp_path: Path) -> None:
    files = certified(tmp_path)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=files["authority"])
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_cert_chain(files["server"], files["server key"])
    client = {
        "PYTAK_TLS_CLIENT_CERT": str(files["client"]),
        "PYTAK_TLS_CLIENT_KEY": str(files["client key"]),
        "PYTAK_TLS_CLIENT_CAFILE": str(files["authority"]),
    }

    async def run() -> Any:
        node = Node(COT.open())
        answer = await spoken(node, "tls", context, **client)
        heard(node)
        return answer

    assert ElementTree.fromstring(asyncio.run(run())).get("uid") == "TAK-USV-7"


class Datagrams(asyncio.DatagramProtocol):
    def __init__(self) -> None:
        self.got: asyncio.Queue[bytes] = asyncio.Queue()

    def datagram_received(self, data: bytes, addr: object) -> None:
        self.got.put_nowait(data)


async def over_udp(proto: bool, send: Callable[[Any], Awaitable[None]]) -> bytes:
    loop = asyncio.get_running_loop()
    transport, end = await loop.create_datagram_endpoint(Datagrams, local_addr=(HOST, 0))
    try:
        port = transport.get_extra_info("sockname")[1]
        config = configured(f"udp+wo://{HOST}:{port}", **({"TAK_PROTO": "1"} if proto else {}))
        _, writer = await pytak.protocol_factory(config)
        await send(pytak.TXWorker(asyncio.Queue(), config, writer))
        data = await asyncio.wait_for(end.got.get(), 5)
        writer.close()
        return data
    finally:
        transport.close()


@pytest.mark.parametrize("proto", [False, True])
def test_pytak_over_udp(proto: bool) -> None:
    async def send(transmitter: Any) -> None:
        await transmitter.send_data(pytak.gen_cot(59.85, 24.45, 4.5, 18.3, 9.0, "PEER-0", 120, "a-f-S", "TERN 0"))

    data = asyncio.run(over_udp(proto, send))
    offered = TAK if proto else COT
    assert offered.familiar(data)
    (decoded,) = offered.open().feed(data, AT_US)
    assert decoded.entity.key == "cot:PEER-0"


def test_pytaks_pong_and_hello_are_counted_not_drawn() -> None:
    gateway = COT.open()
    assert not gateway.feed(tak_pong(), AT_US)
    assert not gateway.feed(pytak.hello_event(), AT_US)
    assert gateway.tally.dropped == {"deletion": 2}  # PyTAK says both with the type t-x-d-d


def test_pytaks_markings_are_read_under_their_name() -> None:
    event = pytak.cot_event(lat=1.5, lon=2.5, uid="M", caveat="FVEY", relto="AUS GBR", access="Restricted", qos="1-r-c")
    (decoded,) = COT.open().feed(pytak.serialize_cot(event), AT_US)
    assert isinstance(decoded.entity, Track)
    markings = decoded.entity.markings
    assert markings is not None
    assert (markings.caveat, markings.releasable_to, markings.access, markings.qos) == (
        "FVEY",
        "AUS GBR",
        "Restricted",
        "1-r-c",
    )
