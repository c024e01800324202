"""The layout of this package's docstring: envelopes to entities and back."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any
from urllib.parse import quote, unquote

import msgspec

from aldis.apps.experiments.entity import (
    GROUPS,
    Area,
    Carried,
    Decoded,
    Dropped,
    Encoded,
    Entity,
    Environment,
    Ledger,
    Reason,
    Report,
    Task,
    Track,
)
from aldis.apps.experiments.entity.losses import Entry
from aldis.apps.experiments.envelope import MAX_PAYLOAD, opened, sealed
from aldis.apps.experiments.gateways.gateway import Damaged, Native, Tally

__all__ = ["KINDS", "MAX_CHUNK", "ZenohGateway", "familiar", "fields"]

KINDS: dict[str, type[Area | Task | Report | Environment]] = {
    "area": Area,
    "task": Task,
    "report": Report,
    "environment": Environment,
}
"""What is said whole."""
MAX_CHUNK = 256
_WHOLE = "whole"
_SAFE = "-._~:"
_PATH = re.compile(r"(track|area|task|report|environment)/([A-Za-z0-9._~:%-]{1,256})/([a-z]{1,16})")
_DECODERS: dict[str, msgspec.json.Decoder[Any]] = {
    name: msgspec.json.Decoder(kind) for name, kind in (*GROUPS.items(), *KINDS.items())
}
_NAMES = {Area: "area", Task: "task", Report: "report", Environment: "environment"}
_NAMES_IN: dict[str, tuple[str, ...]] = {
    name: tuple(field for field in kind.__struct_fields__ if field != "key")
    for name, kind in (*GROUPS.items(), *KINDS.items())
}
_ENCODER = msgspec.json.Encoder()


class ZenohGateway:
    """One subscription; it keeps nothing. See `Gateway`."""

    protocol = "zenoh"

    def __init__(self) -> None:
        self.tally = Tally()

    def feed(self, data: bytes, at_us: int) -> Sequence[Decoded]:  # noqa: ARG002  what arrives is left as it was said
        """The group or thing in an envelope."""
        self.tally.seen += 1
        try:
            decoded = _decoded(data)
        except Damaged as reason:
            self.tally.drop(str(reason))
            return ()
        self.tally.carried += 1
        return (decoded,)

    def encode(self, entity: Entity, at_us: int) -> Encoded:  # noqa: ARG002  nothing is stamped
        """An envelope for each group."""
        if not isinstance(entity, Track):
            return _said(entity.key, [(_NAMES[type(entity)], entity)])
        return _said(entity.key, [(name, group) for name in GROUPS if (group := getattr(entity, name)) is not None])

    def close(self) -> None:
        """Nothing waits here."""


def familiar(data: bytes) -> bool:
    """Whether these bytes are an envelope of this layout."""
    try:
        return _PATH.fullmatch(opened(data).key) is not None
    except (ValueError, RecursionError):
        return False


def fields(messages: Sequence[bytes]) -> Mapping[str, Native]:
    """Every field by the model's own name; what is not a plain value as JSON."""
    found: dict[str, Native] = {}
    for message in messages:
        entity = _decoded(message).entity
        if isinstance(entity, Track):
            groups = [(name, group) for name in GROUPS if (group := getattr(entity, name)) is not None]
        else:
            groups = [(_NAMES[type(entity)], entity)]
        found |= {path: _native(value) for name, group in groups for path, value in _values(name, group)}
    return found


def _decoded(data: bytes) -> Decoded:
    try:
        envelope = opened(data)
    except (ValueError, RecursionError) as error:
        raise Damaged("no envelope") from error
    if (path := _PATH.fullmatch(envelope.key)) is None:
        raise Damaged("no such key")
    kind, chunk, name = path.groups()
    key = _key(chunk)
    if kind == "track":
        if name not in GROUPS:
            raise Damaged("no such group")
        group = _parsed(name, envelope.payload)
        return Decoded(Track(key=key, **{name: group}), _ledger(name, group))
    if name != _WHOLE:
        raise Damaged("no such group")
    thing = _parsed(kind, envelope.payload)
    if thing.key != key:
        raise Damaged("another key within")
    return Decoded(thing, _ledger(kind, thing))


def _parsed(name: str, payload: bytes) -> Any:
    """The types end at a fixed depth and are closed, so nothing deeper than they are is ever entered."""
    try:
        return _DECODERS[name].decode(payload)
    except (ValueError, RecursionError) as error:
        raise Damaged("against the schema") from error


def _said(key: str, groups: Sequence[tuple[str, Any]]) -> Encoded:
    messages: list[bytes] = []
    entries: list[Entry] = []
    for name, group in groups:
        ledger, refusal = _ledger(name, group), None
        whole = name in KINDS
        try:
            path = f"{name}/{_chunk(key)}/{_WHOLE}" if whole else f"track/{_chunk(key)}/{name}"
            messages.append(sealed(path, _payload(name, group)))
        except _Unsayable as reason:
            refusal = reason.reason
        entries += ledger.entries if refusal is None else [Dropped(entry.field, refusal) for entry in ledger.entries]
    return Encoded(tuple(messages), Ledger(tuple(entries)))


class _Unsayable(Exception):
    """A group that JSON or the limits of the layout do not admit."""

    def __init__(self, reason: Reason) -> None:
        self.reason = reason


def _payload(name: str, value: Any) -> bytes:
    try:
        payload = _ENCODER.encode(value)
    except UnicodeEncodeError as error:
        raise _Unsayable("not text of this protocol") from error
    if len(payload) > MAX_PAYLOAD:
        raise _Unsayable("too long")
    if b"null" in payload:  # what is not finite is written so
        try:
            same = _DECODERS[name].decode(payload) == value
        except ValueError:
            same = False
        if not same:
            raise _Unsayable("out of range")
    return payload


@lru_cache(4096)
def _chunk(key: str) -> str:
    try:
        chunk = quote(key, safe=_SAFE)
    except UnicodeEncodeError as error:
        raise _Unsayable("not text of this protocol") from error
    if not 0 < len(chunk) <= MAX_CHUNK:
        raise _Unsayable("too long")
    return chunk


@lru_cache(4096)
def _key(chunk: str) -> str:
    """The key that `chunk` says; there is one way to write it."""
    try:
        key = unquote(chunk, errors="strict")
    except UnicodeDecodeError as error:
        raise Damaged("no such key") from error
    if quote(key, safe=_SAFE) != chunk:
        raise Damaged("no such key")
    return key


def _ledger(name: str, group: Any) -> Ledger:
    return _shape(tuple(path for path, _ in _values(name, group)))


def _values(name: str, group: Any) -> list[tuple[str, Any]]:
    """What is there, by path: `area.points`, `timing.source_us`."""
    found: list[tuple[str, Any]] = []
    for field in _NAMES_IN[name]:
        value = getattr(group, field)
        if field in GROUPS and value is not None:
            found += _values(field, value)
        elif value is not None:
            found.append((f"{name}.{field}", value))
    return found


@lru_cache(4096)
def _shape(paths: tuple[str, ...]) -> Ledger:
    """One ledger for all groups in which the same fields are present."""
    return Ledger(tuple(Carried(path, path) for path in paths))


def _native(value: Any) -> Native:
    """Numbers, words and truth values as they are."""
    return value if isinstance(value, bool | int | float | str) else _ENCODER.encode(value).decode()
