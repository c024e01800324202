"""Where a record has gone: what each partner was sent of each version, when, and whether it said that it has it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from aldis.node.core import Core
from aldis.node.partners import Partners
from aldis.node.store import Held, Row

__all__ = ["Went", "whereabouts"]


class Went(msgspec.Struct, frozen=True):
    """What a partner was sent of a version: the portions by name, each with the words of what was done to it, if any.

    `at` is when the first of it was sealed, in ms since 1970 UTC; 0 where the ledger does not say soon after it came.
    """

    partner: str
    party: str
    version: int
    portions: Mapping[str, str]
    at: int
    acknowledged: bool


def whereabouts(core: Core, partners: Partners, rows: Sequence[Row]) -> list[Went]:
    """Of versions as somebody may see them: of what they may not see it says nothing, not that it went either.

    An item that left later with nothing but portions withheld from them does not count.
    """
    found = []
    for known in partners.all():
        sent: dict[int, list[Held]] = {}
        for one in core.store.releases.sent(known.node, [row.seq for row in rows]):
            sent.setdefault(one.record_seq, []).append(one)
        for row in rows:
            if row.seq in sent:
                found.append(_went(core, known.node, known.party, row, [*_telling(row, sent[row.seq])]))
    return found


def _telling(row: Row, items: Sequence[Held]) -> Iterator[Held]:
    """The first item, which said that the version is there, and those that brought a portion that is seen."""
    seen, told = {part.digest for part in row.record().portions}, set[bytes]()
    for place, one in enumerate(items):
        new = (seen & {*one.portions}) - told
        if place == 0 or new:
            yield one
        told |= new


def _went(core: Core, node: str, party: str, row: Row, items: Sequence[Held]) -> Went:
    sent = {digest for one in items for digest in one.portions}
    words = core.store.releases.altered(node, [row.seq])
    names = {part.name: words.get((row.seq, part.digest), "") for part in row.record().portions if part.digest in sent}
    sure = all(one.acknowledged for one in items)
    return Went(node, party, row.version, names, _sealed_at(core, row, items[0]), sure)


def _sealed_at(core: Core, row: Row, item: Held) -> int:
    sealed = core.store.exchange.sealed_with(item.partner, item.epoch, item.seq)
    return core.store.ledger.moment("release", sealed.digest.hex(), row.arrived) if sealed else 0
