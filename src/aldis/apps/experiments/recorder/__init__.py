"""Recordings of a run: MCAP files that any viewer opens, chained and sealed so that no byte changes unseen."""

from __future__ import annotations

from aldis.apps.experiments.recorder.continuity import gaps
from aldis.apps.experiments.recorder.files import segments_of
from aldis.apps.experiments.recorder.reader import Message, messages
from aldis.apps.experiments.recorder.seal import Opening, key_text, read_key
from aldis.apps.experiments.recorder.taps import Native, Taps, Told, read_native, read_told
from aldis.apps.experiments.recorder.verify import Bad, Findings, verify
from aldis.apps.experiments.recorder.writer import Recorder

__all__ = [
    "Bad",
    "Findings",
    "Message",
    "Native",
    "Opening",
    "Recorder",
    "Taps",
    "Told",
    "gaps",
    "key_text",
    "messages",
    "read_key",
    "read_native",
    "read_told",
    "segments_of",
    "verify",
]
