"""The peers of the DIS tests: PDUs drawn by hypothesis, opendis, and Debian's tshark over a capture that we write."""

from __future__ import annotations

import io
import json
import math
import shutil
import struct
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hypothesis import strategies as st
from opendis.DataOutputStream import DataOutputStream  # type: ignore[import-untyped]
from opendis.dis7 import EntityStatePdu, VariableParameter  # type: ignore[import-untyped]
from opendis.PduFactory import createPdu  # type: ignore[import-untyped]

from aldis.apps.experiments.entity.geodesy import ecef_of

AT_US = 1_760_000_123_456_789
LAYOUT = struct.Struct(">BBBBIHBBHHHBBBBHBBBBBBHBBBB3f3d3fIB15s3f3fB11sI")  # written apart from the codec's own
_NAMES = """version exercise type family stamp length status padding site application entity force count
kind domain country category subcategory specific extra kind2 domain2 country2 category2 subcategory2 specific2 extra2
vx vy vz x y z psi theta phi appearance algorithm parameters ax ay az rx ry rz character_set marking capabilities"""
NAMES = _NAMES.split()
TSHARK = shutil.which("tshark")

byte, short, word = (st.integers(0, 2**bits - 1) for bits in (8, 16, 32))
text = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=11)


FRAMED = st.integers(1, 9)  # the algorithms whose frame is known


def floats(bound: float) -> st.SearchStrategy[float]:
    return st.floats(-bound, bound, width=32)


def nothing() -> dict[str, Any]:
    """A PDU of zeros, but for its header."""
    return dict.fromkeys(NAMES, 0) | {"version": 7, "type": 1, "family": 1, "parameters": bytes(15), "marking": b""}


@st.composite
def states(draw: st.DrawFn, *, algorithms: st.SearchStrategy[int] = FRAMED) -> dict[str, Any]:
    """An Entity State PDU of a thing on or near the earth, by the names of `NAMES`."""
    place = ecef_of(draw(st.floats(-90, 90)), draw(st.floats(-180, 180)), draw(st.floats(-11_000, 40_000)))
    found: dict[str, Any] = nothing() | dict(zip("xyz", place, strict=True))
    found |= {"version": draw(st.sampled_from((6, 7))), "length": 144}
    for name in ("exercise", "kind", "domain", "category", "subcategory", "specific", "extra",
                 "kind2", "domain2", "category2", "subcategory2", "specific2", "extra2"):  # fmt: skip
        found[name] = draw(byte)
    for name in ("site", "application", "entity", "country", "country2"):
        found[name] = draw(short)
    found |= {name: draw(word) for name in ("stamp", "appearance", "capabilities")}
    found |= {"force": draw(st.integers(0, 31)), "algorithm": draw(algorithms)}
    found["status"] = draw(byte) if found["version"] == 7 else 0
    vectors = {"vx vy vz": 3000, "ax ay az": 300, "rx ry rz": 50}
    for names, bound in vectors.items():
        found |= {name: draw(floats(bound)) for name in names.split()}
    found |= {"psi": draw(floats(3.140625)), "theta": draw(floats(1.5625)), "phi": draw(floats(3.140625))}
    found |= {"character_set": draw(st.sampled_from((0, 1))), "marking": draw(text).encode()}
    found["parameters"] = draw(st.sampled_from((bytes(15), bytes(range(1, 16)))))
    return found


def packed(state: dict[str, Any], articulated: bytes = b"") -> bytes:
    """Its bytes, with variable parameters behind."""
    whole = state | {"length": 144 + len(articulated), "count": len(articulated) // 16}
    return LAYOUT.pack(*(whole[name] for name in NAMES)) + articulated


def unpacked(pdu: bytes) -> dict[str, Any]:
    found = dict(zip(NAMES, LAYOUT.unpack_from(pdu), strict=True))
    return found | {"marking": found["marking"].rstrip(b"\0")}


def opendis_bytes(state: dict[str, Any], articulated: bytes = b"") -> bytes:
    """What opendis writes; its PDUs have no type, length and status until they are set."""
    pdu = opendis_pdu(state, articulated)
    out = io.BytesIO()
    pdu.serialize(DataOutputStream(out))
    return out.getvalue()


def opendis_pdu(state: dict[str, Any], articulated: bytes = b"") -> EntityStatePdu:
    pdu: Any = EntityStatePdu()
    pdu.protocolVersion, pdu.exerciseID, pdu.pduType, pdu.protocolFamily = state["version"], state["exercise"], 1, 1
    pdu.timestamp, pdu.length, pdu.pduStatus = state["stamp"], 144 + len(articulated), state["status"]
    pdu.entityID.siteID, pdu.entityID.applicationID = state["site"], state["application"]
    pdu.entityID.entityID, pdu.forceId = state["entity"], state["force"]
    for record, suffix in ((pdu.entityType, ""), (pdu.alternativeEntityType, "2")):
        record.entityKind, record.domain, record.country = (
            state[f"{n}{suffix}"] for n in ("kind", "domain", "country")
        )
        record.category, record.subcategory = state[f"category{suffix}"], state[f"subcategory{suffix}"]
        record.specific, record.extra = state[f"specific{suffix}"], state[f"extra{suffix}"]
    for vector, names in (
        (pdu.entityLinearVelocity, "vx vy vz"),
        (pdu.entityLocation, "x y z"),
        (pdu.deadReckoningParameters.entityLinearAcceleration, "ax ay az"),
        (pdu.deadReckoningParameters.entityAngularVelocity, "rx ry rz"),
    ):
        vector.x, vector.y, vector.z = (state[name] for name in names.split())
    turned = pdu.entityOrientation
    turned.psi, turned.theta, turned.phi = state["psi"], state["theta"], state["phi"]
    pdu.entityAppearance, pdu.capabilities = state["appearance"], state["capabilities"]
    pdu.deadReckoningParameters.deadReckoningAlgorithm = state["algorithm"]
    pdu.deadReckoningParameters.parameters = list(state["parameters"])
    pdu.marking.characterSet = state["character_set"]
    pdu.marking.characters = list(state["marking"].ljust(11, b"\0"))
    for at in range(0, len(articulated), 16):
        pdu.variableParameters.append(VariableParameter(*struct.unpack(">BdIHB", articulated[at : at + 16])))
    return pdu


def opendis_read(pdu: bytes) -> dict[str, Any]:
    """What opendis reads in it, by our names."""
    read: Any = createPdu(pdu)
    reckoning = read.deadReckoningParameters
    found: dict[str, Any] = {
        "version": read.protocolVersion, "exercise": read.exerciseID, "type": read.pduType,
        "family": read.protocolFamily, "stamp": read.timestamp, "length": read.length, "status": read.pduStatus,
        "site": read.entityID.siteID, "application": read.entityID.applicationID, "entity": read.entityID.entityID,
        "force": read.forceId, "count": len(read.variableParameters), "appearance": read.entityAppearance,
        "algorithm": reckoning.deadReckoningAlgorithm, "parameters": bytes(reckoning.parameters),
        "character_set": read.marking.characterSet, "marking": bytes(read.marking.characters).rstrip(b"\0"),
        "capabilities": read.capabilities, "padding": read.padding,
    }  # fmt: skip
    for record, suffix in ((read.entityType, ""), (read.alternativeEntityType, "2")):
        found |= {"kind" + suffix: record.entityKind, "domain" + suffix: record.domain}
        found |= {"country" + suffix: record.country, "category" + suffix: record.category}
        found |= {"subcategory" + suffix: record.subcategory, "specific" + suffix: record.specific}
        found["extra" + suffix] = record.extra
    for vector, names in (
        (read.entityLinearVelocity, "vx vy vz"),
        (read.entityLocation, "x y z"),
        (reckoning.entityLinearAcceleration, "ax ay az"),
        (reckoning.entityAngularVelocity, "rx ry rz"),
    ):
        found |= dict(zip(names.split(), (vector.x, vector.y, vector.z), strict=True))
    turned = read.entityOrientation
    return found | {"psi": turned.psi, "theta": turned.theta, "phi": turned.phi}


def capture(path: Path, datagrams: Sequence[bytes]) -> None:
    """A pcap file of UDP datagrams to port 3000 (Ethernet, IPv4; checksums left 0)."""
    with path.open("wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
        for data in datagrams:
            udp = struct.pack(">HHHH", 3000, 3000, 8 + len(data), 0) + data
            ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0, b"\x7f\0\0\1", b"\x7f\0\0\1")
            frame = bytes(12) + b"\x08\0" + ip + udp
            file.write(struct.pack("<IIII", 1_760_000_123, 0, len(frame), len(frame)) + frame)


def tshark_reads(path: Path) -> list[dict[str, list[str]]]:
    """For each datagram of a capture the values that tshark's dissector finds, by its names, in their order."""
    assert TSHARK is not None
    run = subprocess.run(
        [TSHARK, "-r", str(path), "-d", "udp.port==3000,dis", "-T", "json", "--no-duplicate-keys", "-J", "dis"],
        capture_output=True, check=True, timeout=60,
    )  # fmt: skip
    found = []
    for packet in json.loads(run.stdout):
        values: dict[str, list[str]] = {}
        _collect(packet["_source"]["layers"]["dis"], values)
        found.append(values)
    return found


def _collect(node: Any, values: dict[str, list[str]]) -> None:
    for name, value in node.items() if isinstance(node, dict) else ():
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, dict):
                _collect(one, values)
            else:
                values.setdefault(name, []).append(one)


def near(a: float, b: float) -> bool:
    """Equal as decimals of six digits, which is how tshark prints floats."""
    return math.isclose(a, b, rel_tol=1e-5, abs_tol=1e-6)
