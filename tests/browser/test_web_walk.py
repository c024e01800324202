"""Every page as every role, in two worlds that differ in what whoever asks may not know of: all answers are equal.

The worlds are those of the walk of the API (`walk_world`): with what nobody who walks is in, what is above those who
work low, and a pact between others. The routes are the node's own, so that a new page is walked by itself; from each
page the walk goes on to where it leads. An answer counts with its status, its headers, its size and every byte but
nonce, token and sealed places; of a stream its first event.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest
from port_world import CANARY
from reading_pages import Reading
from walk_places import places
from walk_world import WALKING
from walked_worlds import Worlds, side_by_side
from walkers import Answer, Pair, Walker, walk

from aldis.interfaces.web.markings import Markings
from aldis.kernel.errors import AldisError
from aldis.node.node import Node

OFFICES = {"auditor": ("/ledger",), "administrator": ("/health",)}
"""What tells of all that is here to whoever holds the office, at this node's ceiling."""
EXCHANGE = ("/partners", "/health")
"""What tells how the exchange goes: it differs by how the worlds were made. See `test_partner_pages`."""
WALKERS = ("", *(who for who in WALKING if who != "suspended"), "visitor")
EVERYDAY = ("low-staff",)
DEEP = {"originator": 1, "foreign-staff": 1, "visitor": 1}
"""How many more paths of each route are asked for somebody, where the answers lead on."""


def walked(worlds: Worlds, who: str, to: Path, most: int = 4) -> list[Pair]:
    with side_by_side(worlds, who, to) as (without, more):
        found = places(more.node)
        one, two = Walker(without, who), Walker(more, who)
        pairs = walk(one, two, found, worlds.scope(who), most).pairs
        for place in found:
            for path, absent in place.asks(worlds.scope(who), few=not most) if "GET" in place.methods else ():
                if absent:
                    held, gone = two.get(path), two.get(absent)
                    assert without_typed(held, path) == without_typed(gone, absent), path
        for wire in (one, two):
            wire.close()
        assert above_banner(more.node, pairs) == []
    return pairs


def above_banner(node: Node, pairs: list[Pair]) -> list[str]:
    """Markings on pages that the banner does not cover: rolled up with it, they give another one."""
    markings, found = Markings(node), []

    @cache
    def covered(banner: str, mark: str) -> bool:
        try:
            whole = markings.read(banner)
        except AldisError:
            return True
        return node.context.banner([whole, markings.read(mark)]) == node.context.banner([whole])

    for pair in pairs:
        if pair.two and pair.two.kind == "text/html" and pair.two.status == 200:
            page = Reading(pair.two.body)
            found += [f"{pair.path}: {mark} under {page.banner}" for mark in {*page.marks}
                      if not covered(page.banner, mark)]  # fmt: skip
    return found


def without_typed(answer: Answer, path: str) -> object:
    """An answer without the words of its path, which come back in some; they are as long in both."""
    status, headers, body = answer.plain
    for word in path.split("/")[2:]:
        body = body.replace(word, "_" * len(word))
    return status, [one for one in headers if one[0] != "location"], body


def differs(pair: Pair) -> bool:
    """Whether the answers are not the same in both worlds."""
    assert pair.one is not None and pair.two is not None
    return pair.one.plain != pair.two.plain


@pytest.mark.parametrize(
    "who", [pytest.param(one, marks=() if one in EVERYDAY else pytest.mark.slow) for one in WALKERS]
)
def test_what_one_may_not_know_of_changes_no_page(worlds: Worlds, tmp_path: Path, who: str) -> None:
    pairs = walked(worlds, who, tmp_path, most=DEEP.get(who, 0))
    beside = (*EXCHANGE, *OFFICES.get(who, ()))
    told = {pair.path for pair in pairs if differs(pair) and not pair.place.startswith(beside)}
    assert told == set()
    for pair in pairs:
        assert pair.two is not None
        assert pair.two.status < 500 and pair.two.status != 429, pair.path
        assert CANARY in pair.path or CANARY not in pair.two.body
    if not who:
        told = {pair.place for pair in pairs if pair.two and pair.two.status == 200}
        assert all(place.startswith(("/sign-in", "/enrol", "/static/")) for place in told), told


@pytest.mark.slow
def test_it_does_show_to_whoever_is_in_that_project(worlds: Worlds, tmp_path: Path) -> None:
    """What is hidden from the others could be told by the pages."""
    with side_by_side(worlds, "insider", tmp_path) as (without, more):
        one, two = Walker(without, "insider"), Walker(more, "insider")
        pairs = walk(one, two, places(more.node), worlds.scope("insider"), most=1).pairs
        one.close()
        two.close()
    told = {pair.place for pair in pairs if differs(pair)}
    assert told >= {"/records", "/records/{id}", "/search", "/desk", "/desk/{number}", "/live", "/workspace"}
