"""Live data: the newest values that one may see, each with its marking; an open page is told of newer ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import msgspec

from aldis.interfaces.cli.text import one_line, words
from aldis.interfaces.web.door import View
from aldis.interfaces.web.forms import Fields
from aldis.interfaces.web.frame import Frame
from aldis.interfaces.web.stream import Feed
from aldis.interfaces.web.visit import Sheet, Visit
from aldis.kernel.instruments import covers
from aldis.kernel.labels import Label
from aldis.node.people import Person

__all__ = ["views"]

_MOST = 200
_LONGEST = 300
_AGAIN = 10
"""Looks after which it is looked whether who asks may still see what they see, though nothing came."""
_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"))


@dataclass(frozen=True, slots=True)
class _Line:
    """One value: `age` in seconds by this node's clock."""

    label: Label
    id: str
    kind: str
    portion: str
    text: str
    node: str
    party: str
    at: int
    age: int
    said: str


def views(frame: Frame) -> Sequence[View]:
    """The page, and what tells it of newer values."""

    def feed(visit: Visit) -> Feed:
        return _feed(visit, frame)

    return [View("/live", _page), View("/live/events", feed, streams=True)]


def _page(visit: Visit) -> Sheet:
    kinds = [name for name in sorted(visit.node.core.kinds) if covers(frozenset(visit.who.account.kinds), name)]
    sheet = _rows(visit)
    kind, project = _asked(visit)
    values = {
        **sheet.values,
        "kinds": kinds,
        "kind": kind,
        "project": project,
        "feed": Fields.address("/live/events", kind=kind, project=project),
        "again": Fields.address("/live", kind=kind, project=project),
        "now": visit.at,
    }
    return Sheet("live.html", "Live", values, sheet.labels)


def _rows(visit: Visit) -> Sheet:
    kind, project = _asked(visit)
    found = visit.context.latest(kind, project, _MOST)
    parties, now = visit.node.partners.parties(), visit.at
    lines, labels = list[_Line](), list[Label]()
    for live in found:
        update, node = live.update, live.source or visit.node.name
        text, age = one_line(words(update.value)), max(0, now - update.at) // 1000
        text = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
        party = parties.get(node, "")
        lines.append(
            _Line(live.label, update.id, update.kind, update.portion, text, node, party, update.at, age, _said(age))
        )
        labels += [live.label, *([live.header] if live.header else [])]
    return Sheet("live_rows.html", "Live", {"lines": lines, "most": _MOST}, list(dict.fromkeys(labels)))


def _feed(visit: Visit, frame: Frame) -> Feed:
    seen, looks = (-1, 0), 0

    def look(person: Person) -> bytes | None:
        nonlocal seen, looks
        looks += 1
        state = (visit.node.context.moves, looks // _AGAIN)
        if state == seen:
            return None
        seen = state
        now = replace(visit, person=person)
        banner, html = frame.part(now, _rows(now))
        return msgspec.json.encode({"banner": banner.text, "colour": banner.colour, "html": html})

    return Feed("live", look)


def _asked(visit: Visit) -> tuple[str, str]:
    return visit.query.get("kind"), visit.query.get("project").strip()


def _said(seconds: int) -> str:
    return next((f"{seconds // size} {unit}" for size, unit in _UNITS if seconds >= size), f"{seconds} s")
