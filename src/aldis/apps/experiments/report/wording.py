"""Words, numbers and times as a report shows them.

Names and texts come from foreign systems. What would steer a page or a terminal, or make a text read as what it is not,
is shown as its code point; what is very long is cut. The whole of it stands in `findings.json`.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType

from aldis.apps.experiments.cases.findings import Rung, Verdict

__all__ = ["ORDER", "OUTCOMES", "REASONS", "RUNG_WORDS", "SYMBOLS", "VERDICT_WORDS", "instant", "number", "shown"]

_MOST = 160
_COMBINED = 2
_UNSAFE = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
_FIRST_US, _AFTER_US = -30_610_224_000_000_000, 253_402_300_800_000_000
"""The years 1000 to 9999, in µs since 1970 UTC."""

ORDER: tuple[Verdict, ...] = ("interoperability issue", "limited success", "pending", "not tested", "success")
"""What falls short first."""
SYMBOLS: Mapping[str, str] = MappingProxyType(
    {"success": "✓", "limited success": "◐", "interoperability issue": "✕", "not tested": "–", "pending": "…"}
)
VERDICT_WORDS: Mapping[Verdict, str] = MappingProxyType(
    {
        "success": "everything that was measured was met",
        "limited success": "it works, with a limit that is named",
        "interoperability issue": "it does not work between these systems",
        "not tested": "nobody tried",
        "pending": "what would tell is not here yet, such as the recording of another nation",
    }
)
RUNG_WORDS: Mapping[Rung, str] = MappingProxyType(
    {
        "bytes": "something arrived",
        "decoded": "it was understood",
        "fidelity": "every permitted field kept its value",
        "executed": "what was asked was done, seen by its motion",
        "state": "it stayed so over the run",
    }
)
OUTCOMES: Mapping[str, str] = MappingProxyType(
    {"met": "✓ met", "partly": "◐ partly", "failed": "✕ failed", "unknown": "… not known"}
)
REASONS: Mapping[str, str] = MappingProxyType(
    {
        "nothing sent": "the source sent nothing of this kind",
        "nothing arrived": "it was sent, and nothing arrived",
        "not recognised": "bytes arrived that were not recognised",
        "messages damaged": "messages arrived damaged",
        "not sayable": "the protocol of the target has no way to say it",
        "withheld by label": "its label keeps it from this partner",
        "coarsened by instrument": "an agreement makes it coarser on its way",
        "delayed by instrument": "an agreement delays it",
        "field dropped": "a permitted field was lost on its way",
        "field changed": "a permitted field arrived with another value",
        "field not permitted": "a field arrived that was not permitted to",
        "too late": "it took longer than allowed",
        "too old": "what was shown was older than allowed",
        "incomplete": "fewer updates arrived than required",
        "wrong place": "positions differ by more than allowed",
        "identity switched": "a track was taken for another",
        "not acknowledged": "nobody acknowledged the request",
        "refused": "the request was refused",
        "no lease": "whoever asked did not hold the lease of the vehicle",
        "accepted but did not move": "the request was accepted, and the vehicle did not move accordingly",
        "failed": "it was begun and not completed",
        "lost and not back": "the connection was lost and did not come back",
        "clock wrong": "a clock was wrong by more than can be corrected",
        "recording incomplete": "a recording was cut or never closed",
        "recording missing": "a recording is not here",
    }
)


def shown(text: str, most: int = _MOST) -> str:
    """A foreign text on one line: harmless, and at most `most` of its characters."""
    made, marks = [], 0
    for char in text[:most]:
        category = unicodedata.category(char)
        marks = marks + 1 if category in ("Mn", "Me") else 0
        if char in "\n\t\r":
            made.append(" ")
        elif category in _UNSAFE or marks > _COMBINED:
            made.append(f"<U+{ord(char):04X}>")
        else:
            made.append(char)
    return "".join(made) + (f"… ({len(text):,} characters)" if len(text) > most else "")


def number(value: float | None, unit: str = "") -> str:
    """A number to four digits, with its unit, a share in percent; the whole of it stands in `findings.json`."""
    if value is None:
        return "not measured"
    if unit == "share":
        value, unit = value * 100, "%"
    if not math.isfinite(value):
        text = "not a number"
    elif isinstance(value, int) or (value == int(value) and abs(value) < 1e12):
        text = f"{int(value):,}"
    else:
        text = f"{value:,.4g}" if 1e-4 <= abs(value) < 1e6 else f"{value:.3e}"
    return f"{text} {shown(unit, 20)}" if unit else text


def instant(at_us: int) -> str:
    """An instant (µs since 1970 UTC); what no calendar here has, as its number."""
    if not _FIRST_US <= at_us < _AFTER_US:
        return f"{at_us} µs"
    seconds, rest = divmod(at_us, 1_000_000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S}.{rest:06d} UTC"
