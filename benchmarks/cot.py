"""CoT events read and written, against PyTAK; TAK protobuf against takproto.

A position report of a vessel, as TAK's clients send it (contact, group, status, track and more), from its bytes to the
model with the ledger of losses, and from the model to bytes with its ledger, times and place new every time.

PyTAK writes an event with `cot_event`, given the detail as elements made with `xml.etree`, and `serialize_cot`; it has
no reader, its users take `xml.etree.ElementTree.fromstring`: here followed by taking the same fields out of the tree,
numbers and times made of their text. It keeps no ledger, and checks nothing. takproto writes with `xml2proto`, of XML
as it asks for, and reads with `parse_proto` into the compiled message, from which the same fields are taken.

    python -m benchmarks.cot [--quick]
"""

from __future__ import annotations

import argparse
import time
import warnings
import xml.etree.ElementTree as ET
from collections.abc import Callable
from datetime import datetime

from aldis.apps.experiments.entity import Track
from aldis.apps.experiments.gateways.cot import OFFERED as COT
from aldis.apps.experiments.gateways.gateway import Offered
from aldis.apps.experiments.gateways.tak import OFFERED as TAK
from benchmarks.report import median_spread, report

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # PyTAK warns of an optional library
    import pytak  # type: ignore[import-untyped]
    import takproto  # type: ignore[import-untyped]

START_US = 1_773_480_413_000_000
DETAIL = {
    "takv": {"device": "Relay board", "platform": "ATAK-CIV", "os": "34", "version": "5.1.0.8"},
    "contact": {"callsign": "PETREL 7", "endpoint": "192.0.2.7:4242:tcp"},
    "uid": {"Droid": "PETREL 7"},
    "precisionlocation": {"geopointsrc": "GPS", "altsrc": "GPS"},
    "__group": {"name": "Cyan", "role": "Team Member"},
    "status": {"battery": "78"},
    "track": {"speed": "4.25", "course": "213.7"},
}
MESSAGES = 500
NUMBERS = {"battery", "speed", "course"}


def pytak_written(number: int) -> bytes:
    detail = [ET.Element(tag, attributes) for tag, attributes in DETAIL.items()]
    event = pytak.cot_event(
        lat=59.85 + number * 1e-6,
        lon=24.45,
        ce=4.5,
        hae=18.31,
        le=9.25,
        uid="TAK-USV-7",
        cot_type="a-f-S-X-M",
        detail=pytak.cot_detail(*detail, flow_tag=False),
    )
    return bytes(pytak.serialize_cot(event))


def pytak_read(data: bytes) -> dict[str, object]:
    event = ET.fromstring(data)
    found: dict[str, object] = dict(event.attrib)
    for name in ("time", "start", "stale"):
        found[name] = datetime.fromisoformat(event.attrib[name])
    point, detail = event.find("point"), event.find("detail")
    assert point is not None
    assert detail is not None
    found |= {name: float(value) for name, value in point.attrib.items()}
    for element in detail:
        for name, value in element.attrib.items():
            found[f"{element.tag}@{name}"] = float(value) if name in NUMBERS else value
    return found


def takproto_read(data: bytes) -> dict[str, object]:
    event = takproto.parse_proto(bytearray(data)).cotEvent
    found: dict[str, object] = {field.name: value for field, value in event.ListFields() if field.name != "detail"}
    for field, value in event.detail.ListFields():
        if field.message_type is None:
            found[field.name] = value
        else:
            found |= {f"{field.name}.{inner.name}": said for inner, said in value.ListFields()}
    return found


def rates(work: Callable[[int], object], rounds: int) -> list[float]:
    """Messages a second of each round."""
    found = []
    for _ in range(rounds):
        start = time.perf_counter()
        for number in range(MESSAGES):
            work(number)
        found.append(MESSAGES / (time.perf_counter() - start))
    return found


def ours(offered: Offered, messages: list[bytes]) -> Callable[[int], object]:
    gateway = offered.open()

    def work(number: int) -> object:
        decoded = gateway.feed(messages[number], START_US + number)[0]
        encoded = gateway.encode(decoded.entity, START_US + number)
        return decoded.ledger, encoded

    return work


def interleaved(one: Callable[[int], object], other: Callable[[int], object], rounds: int) -> list[list[float]]:
    """Both in turn, so that what else the machine does falls on both."""
    pairs = [(rates(one, 1)[0], rates(other, 1)[0]) for _ in range(rounds)]
    return [list(side) for side in zip(*pairs, strict=True)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer passes")
    rounds = 5 if parser.parse_args().quick else 15
    xml = [pytak_written(number) for number in range(MESSAGES)]
    stream = takproto.TAKProtoVer.STREAM
    proto = [bytes(takproto.xml2proto(one, stream)) for one in xml]
    for messages, offered in ((xml, COT), (proto, TAK)):
        entity = offered.open().feed(messages[0], START_US)[0].entity
        assert isinstance(entity, Track)
        assert entity.motion is not None
        assert entity.motion.speed_mps == 4.25

    for name, peer, work, theirs in (
        ("CoT event, enc+dec", "pytak", ours(COT, xml), lambda n: (pytak_written(n), pytak_read(xml[n]))),
        (
            "TAK message, enc+dec",
            "takproto",
            ours(TAK, proto),
            lambda n: (takproto.xml2proto(xml[n], stream), takproto_read(proto[n])),
        ),
    ):
        own, other = interleaved(work, theirs, rounds)
        rate, spread = median_spread(own)
        ratio = rate / median_spread(other)[0]
        report(name, peer, ratio, ">= 5", ratio >= 5, rate, "messages/s", spread)


if __name__ == "__main__":
    main()
