"""Recordings of a run: MCAP files that any viewer opens, chained and sealed so that no byte changes unseen."""

from __future__ import annotations

from aldis.apps.experiments.recorder.continuity import gaps
from aldis.apps.experiments.recorder.files import segments_of, unfinished
from aldis.apps.experiments.recorder.reader import Message, messages, recorded
from aldis.apps.experiments.recorder.seal import Opening, key_text, read_key
from aldis.apps.experiments.recorder.taps import (
    OWN,
    PARTNER,
    Native,
    Source,
    Taps,
    Told,
    counted,
    read_native,
    read_told,
    said_body,
)
from aldis.apps.experiments.recorder.verify import Bad, Findings, verify
from aldis.apps.experiments.recorder.writer import Recorder

__all__ = [
    "OWN",
    "PARTNER",
    "Bad",
    "Findings",
    "Message",
    "Native",
    "Opening",
    "Recorder",
    "Source",
    "Taps",
    "Told",
    "counted",
    "gaps",
    "key_text",
    "messages",
    "read_key",
    "read_native",
    "read_told",
    "recorded",
    "said_body",
    "segments_of",
    "unfinished",
    "verify",
]
