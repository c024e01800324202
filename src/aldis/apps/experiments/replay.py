"""A recording decoded again: the bytes it holds, through fresh gateways, must come to the entities it holds.

Each piece is heard as the running node heard it (`hearing.Hearing`), at the moment that was recorded with it, by the
peer that was, in the protocol that was; nothing else has a part in it. So whoever has the recording can do it.
"""

from __future__ import annotations

import tempfile
from collections import deque
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec

from aldis.apps.experiments.entity import Decoded, Ledger
from aldis.apps.experiments.gateways.gateway import Offered
from aldis.apps.experiments.gateways.registry import PROTOCOLS, offered
from aldis.apps.experiments.hearing import Hearing
from aldis.apps.experiments.links.link import Piece
from aldis.apps.experiments.recorder import PARTNER, Message, counted, read_native, said_body
from aldis.kernel.errors import UnknownTerm, VerificationFailed

__all__ = ["Replay", "offered_as_recorded"]

_SHOWN = 80
_LEDGERS = 1_024
_ABSENT = "nothing"


class _Named(msgspec.Struct):
    record: str = ""
    protocol: str = ""


_named = msgspec.json.Decoder(_Named)


@dataclass(slots=True)
class _System:
    """A system as it is heard again, and what it said and of which the recording has not come yet."""

    hearing: Hearing
    waiting: deque[Decoded] = field(default_factory=deque)
    heard: Message | None = None


class Replay:
    """Takes the messages of a recording in the order in which they were recorded, file by file."""

    def __init__(self) -> None:
        self.pieces = 0
        self.entities = 0
        self.unfinished = 0
        """Entities that bytes said at the very end of what is there, and that were not recorded any more."""
        self._span: tuple[int, int] | None = None
        self._systems: dict[str, _System] = {}
        self._records: dict[tuple[str, str], str] = {}
        self._counts: dict[int, tuple[Ledger, tuple[int, int, dict[str, int]]]] = {}

    @property
    def span_s(self) -> float:
        """Seconds from the earliest message to the latest."""
        return (self._span[1] - self._span[0]) / 1e9 if self._span else 0.0

    def take(self, message: Message) -> Message:
        """The message as it is when decoded again; one that does not come of a system's bytes as it stands.

        Raises:
            VerificationFailed: it is not what was recorded; the message says where.
            UnknownTerm, Unavailable, InvalidInput: its protocol is not here, or not as it was.
        """
        first, last = self._span or (message.log_ns, message.log_ns)
        self._span = min(first, message.log_ns), max(last, message.log_ns)
        about = message.about
        tap, name = about["tap"], about["name"]
        if tap == "native":
            self._hear(name, message)
        elif tap == "entity" and about["kind"] != "fix" and not name.startswith(PARTNER):
            return self._said(name, about["kind"], message)
        return message

    def end(self, *, closed: bool) -> None:
        """A file has ended, as its recorder closed it or not; so has all that it was hearing, if not.

        Raises:
            VerificationFailed: of what the last bytes of a live system said, not everything is there.
        """
        for name, system in self._systems.items():
            if closed and system.waiting and system.heard and "played" not in system.heard.about:
                raise _more(name, system)
            if not closed or system.waiting:
                self.unfinished += len(system.waiting)
                system.waiting.clear()

    def _hear(self, name: str, message: Message) -> None:
        native = read_native(message)
        system = self._systems.get(name)
        if system is None:
            played = "played" in message.about
            system = self._systems[name] = _System(Hearing(name, played=played))
        if system.waiting:
            raise _more(name, system)
        if native.begins:
            system.hearing.forget(native.peer)
        speaks = offered_as_recorded(native.protocol, message.about.get("mapping", "")) if native.protocol else None
        piece = Piece(native.data, native.peer, native.ended)
        _, said = system.hearing.hear(piece, message.log_ns // 1000, lambda _said, _last: speaks)
        system.waiting.extend(said)
        system.heard = message
        self.pieces += 1

    def _said(self, name: str, kind: str, message: Message) -> Message:
        system = self._systems.get(name)
        said = system.waiting[0] if system is not None and system.waiting else None
        data = self._body(kind, said, message) if said is not None else b""
        if system is None or said is None or data != message.data:
            if _named.decode(message.data).protocol:
                return message  # what a node concludes of a system follows from no bytes
            if system is None or said is None:
                raise VerificationFailed(
                    f"message {message.sequence} of {message.topic} follows from no bytes of the recording",
                    fix="It was not decoded from what is recorded: ask its node",
                )
            _compare(message, data)
        system.waiting.popleft()
        self.entities += 1
        return msgspec.structs.replace(message, data=data)

    def _body(self, kind: str, said: Decoded, message: Message) -> bytes:
        """What would be recorded of it; a thing has one record, that under which it was first recorded."""
        slot = (kind, said.entity.key)
        known = self._records.get(slot)
        if known is None:
            named = _named.decode(message.data)
            known = named.record if named.protocol else self._records.setdefault(slot, named.record)
        counts = self._counts.get(id(said.ledger))
        if counts is None or counts[0] is not said.ledger:
            if len(self._counts) >= _LEDGERS:
                self._counts.clear()
            counts = self._counts[id(said.ledger)] = (said.ledger, counted(said.ledger))
        return said_body(said.entity, known, *counts[1])


def _more(name: str, system: _System) -> VerificationFailed:
    heard = system.heard
    where = f"message {heard.sequence} of {heard.topic}" if heard else f"what {name} said"
    key = system.waiting[0].entity.key
    return VerificationFailed(
        f"{where} says {len(system.waiting)} more than was recorded of it, first {key!r}",
        fix="The recording lacks what follows from its own bytes: ask its node",
    )


def _compare(message: Message, data: bytes) -> None:
    """Name the first field in which two messages differ, if they do in more than their form."""
    then, now = (_flat("", msgspec.json.decode(one)) for one in (message.data, data))
    for name in sorted(then.keys() | now.keys()):
        was, is_ = then.get(name, _ABSENT), now.get(name, _ABSENT)
        if was != is_:
            raise VerificationFailed(
                f"message {message.sequence} of {message.topic}, at {message.log_ns} ns: {name} was recorded as"
                f" {str(was)[:_SHOWN]!r} and decodes to {str(is_)[:_SHOWN]!r}",
                fix="Replay it with the version that recorded it; if it differs there too, ask its node",
            )


def _flat(name: str, value: Any) -> dict[str, Any]:
    """The leaves of a JSON value by their paths; 59 and 59.0 are one number."""
    if isinstance(value, dict):
        return {path: leaf for key, one in value.items() for path, leaf in _flat(f"{name}.{key}", one).items()}
    if isinstance(value, list):
        return {path: leaf for at, one in enumerate(value) for path, leaf in _flat(f"{name}[{at}]", one).items()}
    return {name.removeprefix(".entity").removeprefix("."): value}


@lru_cache(maxsize=64)
def offered_as_recorded(protocol: str, mapping: str) -> Offered:
    """The protocol of that name, or the one that the text of a mapping file describes; no file is ever named by it.

    Raises:
        UnknownTerm, InvalidInput: there is none, or the text describes none.
        Unavailable: it needs a library that is not installed.
    """
    if not mapping:
        if protocol not in PROTOCOLS:
            raise UnknownTerm(
                f"the recording speaks {protocol[:_SHOWN]!r}, which is not known here", fix="Update Aldis"
            )
        return offered(protocol)
    with tempfile.TemporaryDirectory(prefix="aldis-") as folder:
        path = Path(folder) / "mapping.toml"
        path.write_text(mapping, "utf-8")
        return offered(str(path))
