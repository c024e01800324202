"""Filters as requests name them: what a list, a search or a saved search is narrowed to."""

from __future__ import annotations

from typing import Annotated

import msgspec

from aldis.interfaces.api.operations import Call
from aldis.node.filters import Filters
from aldis.node.store import PAGE_LIMIT

__all__ = ["MOST", "Narrowed", "NarrowedPage", "filters_of"]

MOST = Annotated[int, msgspec.Meta(ge=1, le=PAGE_LIMIT)]
_TIME = Annotated[int, msgspec.Meta(ge=0, lt=2**53)]


class Narrowed(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What is empty does not restrict. Times are in ms since 1970 UTC, from `_from` up to but without `_until`.

    `at_most` is a rung of this node's policy, or of another as POLICY:RUNG: what is higher, record or portion, is left
    out.
    """

    kind: str = ""
    kinds: list[str] = []
    project: str = ""
    originator: str = ""
    author: str = ""
    created_from: _TIME = 0
    created_until: _TIME = 0
    arrived_from: _TIME = 0
    arrived_until: _TIME = 0
    at_most: str = ""


class NarrowedPage(Narrowed, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What is narrowed so, a page of it: `cursor` is the `next` of the page before."""

    cursor: str = ""
    limit: MOST = 50


def filters_of(call: Call, asked: Narrowed) -> Filters:
    """What these fields ask for."""
    policy, colon, rung = asked.at_most.rpartition(":")
    at_most = (policy if colon else call.node.core.config.policy, rung) if asked.at_most else None
    return Filters(
        kinds=tuple(dict.fromkeys([*([asked.kind] if asked.kind else []), *asked.kinds])),
        project=asked.project,
        originator=asked.originator,
        author=asked.author,
        created_from=asked.created_from,
        created_until=asked.created_until,
        arrived_from=asked.arrived_from,
        arrived_until=asked.arrived_until,
        at_most=at_most,
    )
