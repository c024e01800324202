"""The ledger: its leaves, narrowed to what somebody asks about, one leaf decided again, and who has cosigned how far.

It tells of every record here, and of why, in words that people wrote at every level: it is shown to this node's own
nationals at its ceiling, and to nobody below.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import get_args

import msgspec

from aldis.interfaces.cli.cosigning import Cosigned, cosigned
from aldis.interfaces.cli.text import DAY_MS, midnight
from aldis.interfaces.web.door import View
from aldis.interfaces.web.forms import Fields
from aldis.interfaces.web.frame import Frame
from aldis.interfaces.web.visit import Sheet, Visit
from aldis.kernel.authority import Act
from aldis.kernel.encoding import unb64
from aldis.kernel.errors import AldisError, Forked, InvalidInput, UnknownTerm
from aldis.kernel.ledger import LeafType, decode_leaf
from aldis.node.audit import cosigners
from aldis.node.core import ledger_name
from aldis.node.leaves import LeafFilter
from aldis.node.partners import Known

__all__ = ["check_whole", "number_of", "views", "whole"]

_PAGE = 50
_CHECKPOINTS = 10
_LONGEST = 15
_ASKED = ("type", "record", "partner", "person", "since", "until")


@dataclass(frozen=True, slots=True)
class _Partner:
    """How far a partner and this node have cosigned each other, or why not."""

    node: str
    cosigned: Cosigned | None
    refused: Forked | None
    problem: str


def views(_frame: Frame) -> Sequence[View]:
    """The list of leaves and one leaf."""
    return [
        View("/ledger", _leaves, need=Act.READ_LEDGER),
        View("/ledger/{index}", _leaf, need=Act.READ_LEDGER),
    ]


def whole(visit: Visit) -> bool:
    """Whether the ledger is shown to who asks, at the level at which they work."""
    return visit.node.sights.whole(visit.who)


def check_whole(visit: Visit) -> None:
    """Return if it is; UnknownTerm, as for a page that is not there, where not."""
    if not whole(visit):
        raise UnknownTerm("no such page")


def number_of(text: str) -> int:
    """An index or a size as a path or query names it; UnknownTerm for what cannot be one."""
    if not text.isascii() or not text.isdigit() or len(text) > _LONGEST:
        raise UnknownTerm(f"no leaf {text[:20]!r}")
    return int(text)


def _leaves(visit: Visit) -> Sheet:
    node, query = visit.node, visit.query
    if not whole(visit):
        return Sheet("ledger_closed.html", "Ledger", {"ceiling": node.core.config.ceiling}, [visit.routine])
    before = number_of(query.get("before")) if query.get("before") else 0
    typed, problem = {name: query.get(name).strip() for name in _ASKED}, None
    try:
        page = node.leaves.newest(_asked(typed), visit.who, before, _PAGE)
    except InvalidInput as error:
        page, problem = node.leaves.newest(LeafFilter(), visit.who, before, _PAGE), error
    ledger = node.core.store.ledger
    notes = sorted(ledger.checkpoints(), reverse=True)[:_CHECKPOINTS]
    own = ledger_name("")
    names = [(count, [one.removeprefix(own) for one in cosigners(note, node.core.ledger)]) for count, note in notes]
    values = {
        "size": ledger.size(),
        "lines": page.leaves,
        "older": Fields.address("/ledger", **typed, before=str(page.before)) if page.before else "",
        "all_looked": not page.before,
        "looked": page.looked,
        "asked": typed,
        "narrowed": any(typed.values()),
        "problem": problem,
        "types": get_args(LeafType),
        "nodes": [known.node for known in node.partners.all()],
        "checkpoints": names,
        "partners": [_partner(visit, known) for known in node.partners.all()],
        "run": node.replaying.last,
    }
    return Sheet("ledger.html", "Ledger", values, [visit.level])


def _asked(typed: dict[str, str]) -> LeafFilter:
    """What the form asks for; the days are UTC, both of them counted.

    Raises:
        InvalidInput: no such day, or no such type.
    """
    try:
        return LeafFilter(
            type=msgspec.convert(typed["type"] or None, LeafType | None),
            record=typed["record"],
            partner=typed["partner"],
            person=typed["person"],
            since=midnight(typed["since"]) if typed["since"] else 0,
            until=midnight(typed["until"]) + DAY_MS if typed["until"] else 0,
        )
    except msgspec.ValidationError as error:
        raise InvalidInput(f"no leaf is of the type {typed['type'][:40]!r}", fix="Choose among those listed") from error


def _partner(visit: Visit, known: Known) -> _Partner:
    refused = visit.node.audit.refused(known.node, unb64(known.sheet.ledger_key))
    try:
        return _Partner(known.node, cosigned(visit.node, known), refused, "")
    except AldisError as error:
        return _Partner(known.node, None, refused, str(error.args[0]))


def _leaf(visit: Visit) -> Sheet:
    node, index = visit.node, number_of(visit.segments["index"])
    check_whole(visit)
    size = node.core.store.ledger.size()
    if index >= size:
        raise UnknownTerm(f"no leaf {index}")
    leaf = decode_leaf(node.core.store.ledger.leaf(index).data)
    again = node.replay.one(index, leaf)
    values = {
        "index": index,
        "leaf": leaf,
        "last": index + 1 == size,
        "same": again is True,
        "other": "" if isinstance(again, bool) else again.now,
    }
    return Sheet("leaf.html", f"Leaf {index}", values, [visit.level])
