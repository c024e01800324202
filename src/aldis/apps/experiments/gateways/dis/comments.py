"""Comment PDU and report (IEEE 1278.1-2012, 7.5.13): text in a variable datum, from one entity to one or to all."""

from __future__ import annotations

from struct import Struct, unpack_from
from typing import NamedTuple

from aldis.apps.experiments.entity import (
    Approximated,
    Carried,
    Decoded,
    Dropped,
    Encoded,
    Entity,
    Ledger,
    Report,
    Residue,
    Timing,
)
from aldis.apps.experiments.entity.losses import Entry
from aldis.apps.experiments.gateways.dis.encoding import stamped
from aldis.apps.experiments.gateways.dis.names import identifier, packed_id, remainder
from aldis.apps.experiments.gateways.dis.stamps import STAMP_US, past_hour_us, source_us
from aldis.apps.experiments.gateways.dis.wire import COMMENT, EVERYONE, FAMILIES, HEADER, MAX_TEXT
from aldis.apps.experiments.gateways.gateway import Damaged

__all__ = ["Comment", "comment_of", "commented", "uncommented", "unsaid"]

_BODY = Struct(">HHHHHHII")
_DATUM = Struct(">II")
_FIXED = 8  # bytes of a fixed datum, 6.2.38
_MAX_DATUMS = 64
_NOBODY = "0:0:0"
_P = "Comment."
_MADE_ANEW = tuple(
    Dropped(_P + name, "made anew")
    for name in ("protocol_version", "exercise_id", "pdu_type", "protocol_family", "length")
)
_NO_TIMING = Timing()
_COUNTS = _DATUM.pack(0, 1)  # of fixed and variable datums


class Comment(NamedTuple):
    """A Comment PDU: header, ids as site:application:entity, its fixed datums as bytes, and its variable datums."""

    version: int
    exercise: int
    stamp: int
    status: int
    sender: str
    receiver: str
    fixed: bytes
    texts: list[tuple[int, bytes]]


def comment_of(data: bytes, start: int, end: int) -> Comment:
    """The comment from `start` to `end`.

    Raises:
        Damaged: its datums do not fill it, or are too many.
    """
    version, exercise, _, _, stamp, _, status = HEADER.unpack_from(data, start)
    at = start + HEADER.size + _BODY.size
    if at > end:
        raise Damaged("bad length")
    *ids, fixed, variable = _BODY.unpack_from(data, start + HEADER.size)
    if fixed + variable > _MAX_DATUMS:
        raise Damaged("too many datums")
    first, at = at, at + fixed * _FIXED
    texts = []
    for _ in range(variable):
        if at + _DATUM.size > end:
            raise Damaged("bad length")
        number, bits = _DATUM.unpack_from(data, at)
        at += _DATUM.size
        size = (bits + 7) // 8
        texts.append((number, data[at : min(at + size, end)]))
        at += size + -size % 8
    if at > end:
        raise Damaged("bad length")
    sender, receiver = (":".join(map(str, triple)) for triple in (ids[:3], ids[3:]))
    return Comment(version, exercise, stamp, status, sender, receiver, data[first : first + fixed * _FIXED], texts)


def uncommented(data: bytes, start: int, end: int, at_us: int) -> Decoded:
    """The report that the Comment PDU from `start` to `end` is.

    Raises:
        Damaged: it is not whole, or has no text.
    """
    comment = comment_of(data, start, end)
    entries: list[Entry] = [*_MADE_ANEW, Carried(f"{_P}originating_entity_id", "report.author")]
    texts = [text for _, text in comment.texts if _plain(text)]
    if not texts or len(texts[0]) > MAX_TEXT:
        raise Damaged("comment without a text")
    if comment.stamp & 1:
        timing = Timing(
            source_us=source_us(comment.stamp, at_us), source_uncertainty_us=1, received_us=at_us, clock="utc"
        )
    else:
        timing = Timing(
            simulation_us=past_hour_us(comment.stamp), simulation_uncertainty_us=1, received_us=at_us, clock="hour"
        )
    entries.append(Carried(f"{_P}timestamp", "timing.source_us" if comment.stamp & 1 else "timing.simulation_us"))
    nobody = comment.receiver in (_NOBODY, EVERYONE)
    entries.append(
        Dropped(f"{_P}receiving_entity_id", "no code", "nobody named: to all")
        if nobody
        else Carried(f"{_P}receiving_entity_id", "report.to")
    )
    return _report(comment, entries, timing, None if nobody else [f"dis:{comment.receiver}"])


def _report(comment: Comment, entries: list[Entry], timing: Timing, to: list[str] | None) -> Decoded:
    text, kept = None, []
    for index, (_, data) in enumerate(comment.texts):
        names = (f"{_P}datum[{index}].id", f"{_P}datum[{index}].text")
        if text is None and _plain(data):
            text = data.rstrip(b"\0").decode()
            entries += [Dropped(names[0], "no field"), Carried(names[1], "report.text")]
        else:
            kept.append(remainder(names[1], data))
            entries += [Dropped(names[0], "no field"), Dropped(names[1], "not decoded")]
    if comment.status and comment.version > 6:
        entries.append(Dropped(f"{_P}pdu_status", "not decoded"))
    if comment.fixed:
        kept.append(remainder(f"{_P}fixed_datums", comment.fixed))
        entries.append(Dropped(f"{_P}fixed_datums", "not decoded"))
    report = Report(
        key=f"dis:{comment.sender}@{comment.stamp >> 1}",
        timing=timing,
        residue=Residue(parts=kept) if kept else None,
        text=text or "",
        author=f"dis:{comment.sender}",
        to=to,
    )
    return Decoded(report, Ledger(tuple(entries)))


def commented(report: Report, at_us: int, site: int, application: int, exercise: int) -> Encoded:
    """The Comment PDU that says `report`; an author who has no DIS id is the gateway itself, entity 0."""
    text = report.text.encode("ascii", "replace")
    if not text or len(text) > MAX_TEXT:
        return Encoded((), Ledger(tuple(Dropped(name, "too long" if text else "no code") for name in _named(report))))
    timing = report.timing or _NO_TIMING
    stamp, _, timed = stamped(timing, None, at_us)
    author, to = _id_of(report.author), _id_of(report.to[0]) if report.to and len(report.to) == 1 else None
    told: dict[str, Entry] = {
        "report.text": Carried("report.text", f"{_P}datum[0].text")
        if report.text.isascii()
        else Dropped("report.text", "not text of this protocol", "what is not ASCII is sent as question marks"),
        "report.author": Carried("report.author", f"{_P}originating_entity_id")
        if author
        else Dropped("report.author", "no code", "no DIS id"),
        "report.to": Carried("report.to", f"{_P}receiving_entity_id")
        if to
        else Dropped("report.to", "no code", "not one DIS id: sent to all"),
    }
    if timed.startswith("source"):
        told["timing.source_us"] = Approximated("timing.source_us", f"{_P}timestamp", STAMP_US, "us")
    elif timed == "hour":
        told["timing.simulation_us"] = Carried("timing.simulation_us", f"{_P}timestamp")
    if timed in ("source in utc", "hour"):
        told["timing.clock"] = Carried("timing.clock", f"{_P}timestamp")
    ledger = Ledger(tuple(told.get(name) or Dropped(name, "no field") for name in _named(report)))
    body = (author or packed_id(site, application, 0)) + (to or packed_id(*unpack_from(">HHH", b"\xff" * 6)))
    body += _COUNTS + _DATUM.pack(0, 8 * len(text)) + text + bytes(-len(text) % 8)
    size = HEADER.size + len(body)
    return Encoded((HEADER.pack(7, exercise, COMMENT, FAMILIES[COMMENT], stamp, size, 0) + body,), ledger)


def unsaid(entity: Entity) -> Ledger:
    """The ledger of something for which DIS has no PDU here."""
    return Ledger(tuple(Dropped(name, "no code", "no PDU for such a thing") for name in _named(entity)))


def _named(entity: Entity) -> list[str]:
    """Every field that is there, by its path; those of the groups by the group's."""
    names = []
    thing = type(entity).__name__.lower()
    for name in entity.__struct_fields__:
        value = getattr(entity, name)
        if name == "key" or value is None:
            continue
        if name in ("timing", "markings", "residue"):
            names += [f"{name}.{inner}" for inner in value.__struct_fields__ if getattr(value, inner) is not None]
        else:
            names.append(f"{thing}.{name}")
    return names


def _id_of(key: str | None) -> bytes | None:
    return identifier(key.removeprefix("dis:")) if key and key.startswith("dis:") else None


def _plain(data: bytes) -> bool:
    """Whether it is printable ASCII, with line ends and tabs, and perhaps zeros behind."""
    text = data.rstrip(b"\0")
    return bool(text) and text.isascii() and all(byte >= 32 or byte in b"\t\r\n" for byte in text) and 127 not in text
