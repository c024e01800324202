"""TAK messages in a stream, `0xbf length message`, and one in a datagram, `0xbf 0x01 0xbf message`.

As commoncommo has it (protocol.txt, "TAK Protocol - Streaming Connections" and "Mesh Networks"). The first byte of a
message in a datagram's header could be the length 1 in a stream; no message is one byte long, so they are told apart.
"""

from __future__ import annotations

from aldis.apps.experiments.gateways.cot.scanner import MAX_EVENT
from aldis.apps.experiments.gateways.gateway import Damaged, Tally
from aldis.apps.experiments.gateways.tak.wire import put_varint, varint

__all__ = ["MESH", "Framing", "framed"]

MAGIC = 0xBF
MESH = b"\xbf\x01\xbf"
_LONGEST_HEADER = 11


def framed(message: bytes, *, mesh: bool) -> bytes:
    """`message` behind the header of a datagram or of a stream."""
    return MESH + message if mesh else b"\xbf" + put_varint(len(message)) + message


class Framing:
    """Keeps the beginning of a message until it is whole; skips what cannot begin one."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self._kept = bytearray()
        self._skipping = False
        self.mesh = False

    def push(self, data: bytes) -> list[bytes]:
        """The messages that `data` completes."""
        if not self._kept and data.startswith(MESH):
            self.mesh = True
            return [data[len(MESH) :]]
        self._kept += data
        messages: list[bytes] = []
        while self._kept:
            if self._kept[0] != MAGIC:
                self._skip()
                continue
            try:
                size, start = varint(bytes(self._kept[:_LONGEST_HEADER]), 1, min(len(self._kept), _LONGEST_HEADER))
            except Damaged:
                if len(self._kept) < _LONGEST_HEADER:
                    break
                self._skip(1)
                continue
            if size > MAX_EVENT:
                self._skip(1)
                continue
            if len(self._kept) < start + size:
                break
            self._skipping, self.mesh = False, False
            messages.append(bytes(self._kept[start : start + size]))
            del self._kept[: start + size]
        return messages

    def close(self) -> None:
        """Count what was begun."""
        if self._kept:
            self._tally.seen += 1
            self._tally.drop("incomplete")
            self._kept.clear()

    def _skip(self, least: int = 0) -> None:
        """Past what is no beginning; one run of it counts once."""
        if not self._skipping:
            self._skipping = True
            self._tally.seen += 1
            self._tally.drop("not TAK")
        found = self._kept.find(MAGIC, least)
        del self._kept[: found if found >= 0 else len(self._kept)]
