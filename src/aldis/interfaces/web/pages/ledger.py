"""The ledger: its leaves, the proof of one, and who has cosigned how far.

It tells of every record here, and of why, in words that people wrote at every level: it is shown to this node's own
nationals at its ceiling, and to nobody below.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from aldis.interfaces.cli.cosigning import cosigned
from aldis.interfaces.web.door import View
from aldis.interfaces.web.forms import Fields
from aldis.interfaces.web.frame import Frame
from aldis.interfaces.web.visit import Sheet, Visit
from aldis.kernel.authority import Act
from aldis.kernel.errors import UnknownTerm
from aldis.kernel.ledger import Leaf, decode_leaf
from aldis.node.audit import cosigners
from aldis.node.core import ledger_name

__all__ = ["views"]

_PAGE = 50
_CHECKPOINTS = 10
_LONGEST = 15


@dataclass(frozen=True, slots=True)
class _Line:
    index: int
    leaf: Leaf


def views(_frame: Frame) -> Sequence[View]:
    """The list of leaves and one leaf."""
    return [
        View("/ledger", _leaves, need=Act.READ_LEDGER),
        View("/ledger/{index}", _leaf, need=Act.READ_LEDGER),
    ]


def _whole(visit: Visit) -> bool:
    return visit.node.sights.whole(visit.who)


def _leaves(visit: Visit) -> Sheet:
    node = visit.node
    if not _whole(visit):
        return Sheet("ledger_closed.html", "Ledger", {"ceiling": node.core.config.ceiling}, [visit.routine])
    ledger = node.core.store.ledger
    size = ledger.size()
    end = min(_number(visit.query.get("before")) if visit.query.get("before") else size, size)
    start = max(0, end - _PAGE)
    lines = [_Line(row.index, decode_leaf(row.data)) for row in ledger.leaves(start, end - start)] if end else []
    notes = sorted(ledger.checkpoints(), reverse=True)[:_CHECKPOINTS]
    own = ledger_name("")
    names = [(count, [one.removeprefix(own) for one in cosigners(note, node.core.ledger)]) for count, note in notes]
    values = {
        "size": size,
        "lines": lines[::-1],
        "older": Fields.address("/ledger", before=str(start)) if start else "",
        "checkpoints": names,
        "partners": [cosigned(node, known) for known in node.partners.all()],
    }
    return Sheet("ledger.html", "Ledger", values, [visit.level])


def _leaf(visit: Visit) -> Sheet:
    node, index = visit.node, _number(visit.segments["index"])
    if not _whole(visit) or index >= node.core.store.ledger.size():
        raise UnknownTerm(f"no leaf {index}")
    leaf = decode_leaf(node.core.store.ledger.leaf(index).data)
    values = {"index": index, "leaf": leaf}
    return Sheet("leaf.html", f"Leaf {index}", values, [visit.level])


def _number(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > _LONGEST:
        raise UnknownTerm(f"no leaf {text[:20]!r}")
    return int(text)
