"""Instruments: signed, dated documents that permit sharing, and which of them are in force."""

from __future__ import annotations

from aldis.kernel.instruments.clauses import (
    ANY,
    MOST_APPROVALS,
    MOST_DAYS,
    PAIRING_PREFIX,
    SHARING,
    Action,
    Clause,
    Form,
    Instrument,
    Transform,
    covers,
)
from aldis.kernel.instruments.reader import known_instrument, parse_instrument
from aldis.kernel.instruments.register import (
    COSIGN_CONTEXT,
    Cosignature,
    Effect,
    Entry,
    Instruments,
    Notice,
    Standing,
    State,
    Status,
    cosign_message,
)
from aldis.kernel.instruments.wording import ClauseChange, Comparison, Difference, clause_words, compare, head_words
from aldis.kernel.instruments.writer import write_instrument

__all__ = [
    "ANY",
    "COSIGN_CONTEXT",
    "MOST_APPROVALS",
    "MOST_DAYS",
    "PAIRING_PREFIX",
    "SHARING",
    "Action",
    "Clause",
    "ClauseChange",
    "Comparison",
    "Cosignature",
    "Difference",
    "Effect",
    "Entry",
    "Form",
    "Instrument",
    "Instruments",
    "Notice",
    "Standing",
    "State",
    "Status",
    "Transform",
    "clause_words",
    "compare",
    "cosign_message",
    "covers",
    "head_words",
    "known_instrument",
    "parse_instrument",
    "write_instrument",
]
