"""What every vector is made of: a request of conformance/NODE-CLI.md, and what must come of it."""

from __future__ import annotations

from typing import Any

from sealing import (
    AT,
    BOTH,
    ONLY_GBR,
    document,
    salts,
)

from aldis.kernel.encoding import b64
from aldis.kernel.records import Draft, DraftPortion, Record, make_record, next_version
from aldis.kernel.signatures import Key

Vectors = list[dict[str, Any]]


def small(name: str = "doc-1", label: Any = BOTH, **fields: Any) -> Record:
    """A document with a title and an annex for GBR alone."""
    portions = [DraftPortion("title", label, "Northern plan"), DraftPortion("annex", ONLY_GBR, "Where we saw it")]
    return document(name, label=label, **{"portions": portions, **fields})


DOC = small()
SECOND = make_record(
    next_version(DOC, Draft("document", "doc-1", "aus", "officer", AT, BOTH, [], project="NORTHERN-WATCH")), salts(3)
)


def key(of: Key) -> dict[str, str]:
    return {"algorithm": of.algorithm.value, "key": b64(of.raw)}


def passes(why: str, request: dict[str, Any], **ok: Any) -> dict[str, Any]:
    return {"why": why, "request": request, "ok": ok}


def fails(why: str, code: str, request: dict[str, Any]) -> dict[str, Any]:
    return {"why": why, "request": request, "code": code}


def hexed(parts: Any) -> list[str]:
    return [part.hex() for part in parts]
