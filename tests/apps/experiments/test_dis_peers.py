"""DIS against others: opendis and tshark read what is sent, opendis's PDUs are read, over real sockets too."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path
from typing import Any

import msgspec
import pytest
from dis_peers import (
    AT_US,
    TSHARK,
    capture,
    near,
    opendis_bytes,
    opendis_read,
    packed,
    states,
    tshark_reads,
    unpacked,
)
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from opendis.PduFactory import createPdu  # type: ignore[import-untyped]

from aldis.apps.experiments.entity import Report, Track
from aldis.apps.experiments.gateways.dis import OFFERED, DisGateway

needs_tshark = pytest.mark.skipif(TSHARK is None, reason="tshark is not installed (apt install tshark)")
articulated = st.sampled_from((b"", bytes.fromhex("00 01 0002 00000fa1 3f000000 00000000") * 2))
TSHARK_NAMES = {
    "dis.proto_ver": "version", "dis.exer_id": "exercise", "dis.entity_id_site": "site",
    "dis.entity_id_application": "application", "dis.entity_id_entity": "entity", "dis.force_id": "force",
    "dis.num_articulation_params": "count", "dis.pdu_length": "length", "dis.capabilities": "capabilities",
    "dis.entity_linear_velocity.x": "vx", "dis.entity_linear_velocity.y": "vy", "dis.entity_linear_velocity.z": "vz",
    "dis.entity_location.x": "x", "dis.entity_location.y": "y", "dis.entity_location.z": "z",
    "dis.entity_orientation.psi": "psi", "dis.entity_orientation.theta": "theta", "dis.entity_orientation.phi": "phi",
    "dis.entity_linear_acceleration.x": "ax", "dis.entity_linear_acceleration.y": "ay",
    "dis.entity_linear_acceleration.z": "az", "dis.entity_angular_velocity.x": "rx",
    "dis.entity_angular_velocity.y": "ry", "dis.entity_angular_velocity.z": "rz",
}  # fmt: skip


def sent_again(pdu: bytes) -> bytes:
    """Through the model and out again."""
    gateway = DisGateway()
    (found,) = gateway.feed(pdu, AT_US)
    (message,) = gateway.encode(found.entity, AT_US).messages
    return message


@given(states(), articulated)
def test_opendis_writes_what_we_read(state: dict[str, Any], parts: bytes) -> None:
    theirs = opendis_bytes(state, parts)
    assert theirs == packed(state, parts)
    gateway = DisGateway()
    (found,) = gateway.feed(theirs, AT_US)
    assert isinstance(found.entity, Track)
    assert found.entity.identity is not None
    assert found.entity.identity.dis_id == f"{state['site']}:{state['application']}:{state['entity']}"


@given(states(), articulated)
def test_opendis_reads_what_we_write(state: dict[str, Any], parts: bytes) -> None:
    ours = sent_again(packed(state, parts))
    read = opendis_read(ours)
    assert read == unpacked(ours)
    exact = set(state) - {"version", "exercise", "status", "character_set", "length", "count", "padding"}
    turned = {"psi", "theta", "phi", "vx", "vy", "vz", "ax", "ay", "az"}
    for name in exact - turned:
        assert read[name] == unpacked(packed(state, parts))[name], name
    for name in turned:
        assert abs(read[name] - state[name]) < 1e-6, name


def agree(values: dict[str, list[str]], pdu: bytes) -> None:
    """Whether tshark saw in a PDU what stands there."""
    said = unpacked(pdu)
    for theirs, ours in TSHARK_NAMES.items():
        assert near(float(values[theirs][0]), said[ours]), (theirs, values[theirs], said[ours])
    assert int(values["dis.appearance"][0], 16) == said["appearance"]
    assert [int(number) for number in values["dis.country"]] == [said["country"], said["country2"]]
    for name in ("entityKind", "entityDomain", "subcategory", "specific", "extra"):
        ours = {"entityKind": "kind", "entityDomain": "domain"}.get(name, name)
        assert [int(number, 0) for number in values[f"dis.{name}"]] == [said[ours], said[f"{ours}2"]]
    # tshark calls the algorithm and the character set by one name
    assert [int(n) for n in values["dis.entity_marking_character_set"]] == [said["algorithm"], said["character_set"]]
    assert bytes.fromhex(values["dis.dead_reckoning_other_parameters"][0].replace(":", "")) == said["parameters"]
    if said["character_set"] == 1:
        assert values.get("dis.entity_marking", [""])[0].encode() == said["marking"]
    assert near(float(values["dis.timestamp"][0]), (said["stamp"] >> 1) * 3600 / 2**31)


@needs_tshark
@settings(
    max_examples=2,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # shrinking forty PDUs by running tshark takes minutes
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(drawn=st.lists(states(), min_size=8, max_size=16))
def test_tshark_sees_what_we_write_and_what_we_read(drawn: list[dict[str, Any]], tmp_path: Path) -> None:
    theirs = [opendis_bytes(state) for state in drawn]
    ours = [sent_again(pdu) for pdu in theirs]
    capture(tmp_path / "dis.pcap", theirs + ours)
    seen = tshark_reads(tmp_path / "dis.pcap")
    assert len(seen) == len(theirs + ours)
    for values, pdu in zip(seen, theirs + ours, strict=True):
        agree(values, pdu)


@needs_tshark
def test_tshark_reads_our_comment(tmp_path: Path) -> None:
    report = Report(key="r", text="Raft sighted at 12:00", author="dis:1:2:3", to=["dis:4:5:6"])
    capture(tmp_path / "dis.pcap", DisGateway().encode(report, AT_US).messages)
    (values,) = tshark_reads(tmp_path / "dis.pcap")
    assert values["dis.hf_dis_variable_datum_value_as_text"] == [report.text]
    assert values["dis.entity_id_site"] == ["1", "4"]
    assert values["dis.entity_id_entity"] == ["3", "6"]


def test_opendis_reads_our_comment() -> None:
    report = Report(key="r", text="Raft sighted", author="dis:1:2:3")
    read: Any = createPdu(DisGateway().encode(report, AT_US).messages[0])
    assert bytes(read.variableDatumRecords[0].variableData) == b"Raft sighted"
    assert (read.originatingEntityID.siteID, read.receivingEntityID.siteID) == (1, 65535)


class _Port(asyncio.DatagramProtocol):
    def __init__(self) -> None:
        self.arrived: asyncio.Queue[bytes] = asyncio.Queue()

    def datagram_received(self, data: bytes, addr: object) -> None:
        self.arrived.put_nowait(data)


async def _exchange(state: dict[str, Any]) -> tuple[Track, dict[str, Any]]:
    """opendis sends over UDP, we read; we answer, opendis reads."""
    loop = asyncio.get_running_loop()
    transport, port = await loop.create_datagram_endpoint(_Port, local_addr=("127.0.0.1", 0))
    peer = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        peer.bind(("127.0.0.1", 0))
        peer.setblocking(False)
        peer.sendto(opendis_bytes(state), transport.get_extra_info("sockname"))
        gateway = DisGateway(site=9, application=8)
        (found,) = gateway.feed(await asyncio.wait_for(port.arrived.get(), 5), AT_US)
        assert isinstance(found.entity, Track)
        assert found.entity.identity is not None
        unnamed = msgspec.structs.replace(found.entity, key="cot:boat", identity=None, type=None)
        for message in gateway.encode(unnamed, AT_US).messages:
            transport.sendto(message, peer.getsockname())
        return found.entity, opendis_read(await asyncio.wait_for(loop.sock_recv(peer, 2048), 5))
    finally:
        peer.close()
        transport.close()


def test_opendis_and_we_talk_over_udp() -> None:
    state = unpacked(OFFERED.specimens()[0].messages[0])
    track, read = asyncio.run(_exchange(state))
    assert track.key == "dis:7:33:301"
    assert (read["site"], read["application"], read["marking"]) == (9, 8, b"")
    assert (read["x"], read["y"], read["z"]) == (state["x"], state["y"], state["z"])
    assert (read["psi"], read["vx"], read["algorithm"]) == (state["psi"], state["vx"], 4)
