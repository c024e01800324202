"""STATUSTEXT: a system's words, of one chunk or several, as a report.

Source: STATUSTEXT of common.xml: chunks of 50 bytes share an id that is not 0; a zero byte ends the last one.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Literal, get_args

from aldis.apps.experiments.entity import Ledger, Report
from aldis.apps.experiments.gateways.mavlink.fates import Changes, reading
from aldis.apps.experiments.gateways.mavlink.messages import BY_ID
from aldis.apps.experiments.gateways.mavlink.sender import Sender

__all__ = ["SEVERITIES", "Words"]

Severity = Literal["emergency", "alert", "critical", "error", "warning", "notice", "info", "debug"]
SEVERITIES: tuple[Severity, ...] = get_args(Severity)
"""MAV_SEVERITY, after RFC 5424."""

_LAYOUT = BY_ID[253]
_LEDGERS = reading(
    253,
    {"severity": "report.severity", "text": "report.text", "id": "-made anew", "chunk_seq": "-made anew"},
    {"header.system": "report.author", "header.component": "report.author"},
)
_NO_SEVERITY: Changes = (("severity", "-no code"),)
_AT_ONCE = 64
_CHUNKS = 20


@dataclass(slots=True)
class _Text:
    chunks: dict[int, bytes] = field(default_factory=dict)
    last: int | None = None

    def whole(self) -> bool:
        return self.last is not None and len(self.chunks) == self.last + 1


class Words:
    """The texts of which not all chunks have come; the oldest give way beyond 64."""

    def __init__(self) -> None:
        self._begun: OrderedDict[tuple[str, int], _Text] = OrderedDict()

    @property
    def waiting(self) -> int:
        """Chunks whose text is not complete yet."""
        return sum(len(text.chunks) for text in self._begun.values())

    def take(self, payload: bytes, sender: Sender, at_us: int) -> tuple[Report | None, Ledger, int, int]:
        """The report that a chunk completes, its ledger, how many chunks it is of, and how many were given up."""
        size = _LAYOUT.struct.size
        severity, text, number, place = _LAYOUT.struct.unpack(payload.ljust(size, b"\0")[:size])
        last = b"\0" in text
        text = text.split(b"\0", 1)[0]
        count, lost = 1, 0
        if number:
            if place >= _CHUNKS:
                return None, Ledger(), 0, 1
            begun, lost = self._text((sender.key, number))
            if place in begun.chunks or (begun.last is not None and (last or place > begun.last)):
                return None, Ledger(), 0, lost + 1
            begun.chunks[place] = text
            if last or place == _CHUNKS - 1:
                begun.last = place
                beyond = [other for other in begun.chunks if other > place]
                for other in beyond:
                    del begun.chunks[other]
                lost += len(beyond)
            if not begun.whole():
                return None, Ledger(), 0, lost
            del self._begun[sender.key, number]
            count = len(begun.chunks)
            text = b"".join(begun.chunks[part] for part in range(count))
        known = severity < len(SEVERITIES)
        report = Report(
            key=f"{sender.key}/text/{at_us}/{number}",
            text=text.decode("utf-8", "replace"),
            author=sender.key,
            about=sender.key,
            severity=SEVERITIES[severity] if known else None,
            timing=sender.timing(None, at_us),
        )
        return report, _LEDGERS.ledger(0, () if known else _NO_SEVERITY), count, lost

    def _text(self, key: tuple[str, int]) -> tuple[_Text, int]:
        """What has come of a text, and how many chunks of others gave way to it."""
        lost = 0
        if key not in self._begun and len(self._begun) >= _AT_ONCE:
            lost = len(self._begun.popitem(last=False)[1].chunks)
        return self._begun.setdefault(key, _Text()), lost
