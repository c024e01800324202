"""The first page: what waits for whoever signed in, the newest that they may see, and what a new node needs next."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from aldis.interfaces.web.door import View
from aldis.interfaces.web.frame import Frame
from aldis.interfaces.web.pages.items import AGREEING, item, labels_of, levels
from aldis.interfaces.web.pages.waiting import waiting
from aldis.interfaces.web.visit import Sheet, Visit
from aldis.kernel.authority import Act

__all__ = ["views"]

_NEWEST = 8


@dataclass(frozen=True, slots=True)
class _Step:
    """What to do next, where or with which command, and what for."""

    text: str
    path: str
    command: str
    why: str


def views(frame: Frame) -> Sequence[View]:
    """The first page."""

    def page(visit: Visit) -> Sheet:
        return _page(visit, frame)

    return [View("/", page)]


def _page(visit: Visit, frame: Frame) -> Sheet:
    node = visit.node
    waits = waiting(visit, frame)
    untitled = {name for name, kind in node.core.kinds.items() if not kind.title}  # what systems say, mostly
    newest = node.records.page(limit=_NEWEST, viewer=visit.who, without=AGREEING | untitled).rows
    parties, inside = node.partners.parties(), levels(visit)
    rungs = frame.rungs(visit)
    values = {
        "waits": waits,
        "newest": [item(visit, frame, row, parties, inside) for row in newest],
        "levels": bool(inside),
        "steps": list(_steps(visit, empty=not newest)),
        "higher": bool(rungs) and not rungs[-1].held,
    }
    labels = [*(label for one in waits for label in one.labels), *(label for row in newest for label in labels_of(row))]
    return Sheet("home.html", f"{node.name}, node of {node.core.party}", values, labels)


def _steps(visit: Visit, *, empty: bool) -> Iterator[_Step]:
    """What a node lacks before people can share, and what each may do about it."""
    node = visit.node
    if visit.may(Act.PEOPLE) and len(node.people.all(visit.who)) == 1:
        yield _Step("Add the people who work here", "/people", "", "Each has roles, a clearance and projects.")
    if visit.resident and not node.partners.all():
        yield _Step("Pair with a partner", "/partners", "aldis invite PARTY", "Nothing leaves before you are paired.")
    elif visit.resident and not node.epochs.current().instruments.ids():
        yield _Step(
            "Agree what may be shared", "", "aldis instrument draft FILE", "Nothing leaves without an instrument."
        )
    if empty and visit.may(Act.PUT):
        yield _Step("Write a record", "/records/new", "", "Each of its portions has a marking of its own.")
