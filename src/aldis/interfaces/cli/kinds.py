"""Kinds of record as people meet them: the order of their portions, and what a record is known by."""

from __future__ import annotations

from collections.abc import Iterable

from aldis.interfaces.cli.text import one_line, words
from aldis.kernel.explain import RecordExplanation
from aldis.kernel.instruments import parse_instrument
from aldis.kernel.records import Record
from aldis.node.instruments import INSTRUMENT
from aldis.node.node import Node

__all__ = ["in_order", "ordered", "title"]

_TITLE = 80


def in_order(node: Node, kind: str, names: Iterable[str]) -> list[str]:
    """Portion names in the order in which the kind declares them; a record's own order says nothing."""
    known = node.core.kinds.get(kind)
    places = {name: place for place, name in enumerate(known.portions if known else ())}
    return sorted(names, key=lambda name: (places.get(name, len(places)), name))


def ordered(node: Node, kind: str, explanation: RecordExplanation) -> RecordExplanation:
    """The same explanation, its portions in order."""
    names = in_order(node, kind, explanation.portions)
    return RecordExplanation(explanation.header, {name: explanation.portions[name] for name in names})


def title(node: Node, record: Record) -> str:
    """What people know a record by, on one line; empty where the portion that says it is not here."""
    kind = node.core.kinds.get(record.header.kind)
    part = record.portion(kind.title) if kind and kind.title else None
    value = part.value if part else ""
    if record.header.kind == INSTRUMENT and isinstance(value, str):
        value = parse_instrument(value).title
    if isinstance(value, dict):
        value = next((value[key] for key in ("name", "title", "mmsi") if value.get(key)), value)
    text = one_line(words(value))
    return text if len(text) <= _TITLE else f"{text[: _TITLE - 1]}…"
