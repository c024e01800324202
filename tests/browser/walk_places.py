"""Every route of a node's pages, found at the node itself, and paths for it: in sight, hidden, and not there.

A new page needs nothing here while its segments are among `SEGMENTS`; else `Lacking` says what to add.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from port_world import CANARY, OPEN
from starlette.routing import Route
from walk_world import UPLOAD, Known

from aldis.interfaces.web import site
from aldis.node.node import Node

__all__ = ["Lacking", "Place", "Scope", "like", "places"]

_SEGMENT = re.compile(r"\{([a-z_]+)(?::[a-z]+)?\}")
_SORTS = ("released", "mixed", "held", "theirs", "filed", "asked-0")


class Lacking(LookupError):
    """A segment for which nothing is known that could stand there."""


@dataclass(frozen=True)
class Scope:
    """What is in sight and what is hidden on one walk; ids of what is hidden begin with `stem`."""

    seen: Known
    hidden: Known
    hides: str

    @property
    def stem(self) -> str:
        return CANARY if self.hides == "hide" else f"{CANARY}-above"


@dataclass(frozen=True)
class Choice:
    """What may stand in a segment: things in sight, and things hidden of which there are some."""

    seen: Sequence[str]
    hidden: Sequence[str] = ()


def segments(scope: Scope) -> Mapping[str, Choice]:
    """By a route as far as the end of the segment, or by the segment's name alone, for wherever else it stands."""
    seen, hidden, stem = scope.seen, scope.hidden, scope.stem
    black = ["BLACK"] if scope.hides == "hide" else []
    pact = [f"{CANARY}-pact"] if scope.hides == "pact" else []
    numbers = Choice([f"{seen.cases[0]}", f"{seen.ruled}"], [f"{hidden.cases[0]}", f"{hidden.ruled}"])
    return {
        "/records/{id}": Choice(
            ["doc-0", *(f"seen-{sort}" for sort in (*_SORTS, "recalled")), "lowered", "late"],
            [f"{stem}-{sort}" for sort in _SORTS],
        ),
        "/records/{id}/files/{portion}": Choice(["attachments"]),
        "/records/{id}/files/{portion}/{name}": Choice(["seen.txt"], [f"{stem}.txt"]),
        "/workspace/{name}": Choice(["WATCH"], black),
        "/workspace/{name}/items/{node}/{id}": Choice([seen.task], [hidden.task]),
        "/workspace/{name}/add/{kind}": Choice(["task", "decision", "event", "file"]),
        "/desk/{number}": numbers,
        "/people/{person}": Choice(["guest", "suspended"]),
        "/ledger/{index}": Choice(["0", "9"]),
        "/experiments/picture/{node}": Choice(["aus"]),
        "/experiments/picture/{node}/{id}": Choice(["seen-ship", "seen-track"], [f"{stem}-ship", f"{stem}-track"]),
        "/experiments/runs/findings/{node}/{id}": Choice(["none"]),
        "/experiments/runs/losses/{a}": Choice(["cot"]),
        "/experiments/runs/losses/{a}/{b}": Choice(["ais"]),
        "/uploads/{id}": Choice(["ab" * 16], [UPLOAD]),
        "/static/{name}": Choice(["aldis.css", "live.js", "upload.js", "aldis.svg"]),
        "{partner}": Choice(["gbr", "usa"]),
        "{node}": Choice(["aus", "gbr"]),
        "{party}": Choice(["GBR", "USA"]),
        "{project}": Choice(["WATCH"], black),
        "{person}": Choice(["guest"]),
        "{instrument}": Choice(["pa-watch", "pa-later"], pact),
        "{number}": numbers,
        "{record}": Choice(["doc-0", "seen-mixed"], [f"{stem}-released"]),
        "{kind}": Choice(["document", "track"]),
        "{portion}": Choice(["title"]),
        "{version}": Choice(["1"]),
        "{recording}": Choice(["none"]),
        "{run}": Choice(["none"]),
        "{file}": Choice(["none"]),
        "{recall}": Choice([f"{seen.recall}"], [f"{hidden.recall}"]),
        "{task}": Choice([seen.asked, seen.wanted], [hidden.asked, hidden.wanted]),
    }


@dataclass(frozen=True)
class Place:
    """One route."""

    path: str
    methods: frozenset[str]
    route: Route

    def asks(self, scope: Scope, *, few: bool = False) -> Iterator[tuple[str, str]]:
        """Paths in sight, each with ""; then each hidden one, with one as long that is not there.

        With `few`, one in sight and one hidden.

        Raises:
            Lacking: nothing is known that could stand in a segment.
        """
        choices = [self._choice(scope, found) for found in _SEGMENT.finditer(self.path)]
        first = [one.seen[0] for one in choices]
        yield self._filled(first), ""
        for at, one in enumerate(choices):
            for value in one.seen[1:] if not few else ():
                yield self._filled([*first[:at], value, *first[at + 1 :]]), ""
        if not few and choices and not any(one.hidden for one in choices):
            yield self._filled([*first[:-1], like(first[-1])]), ""
        every = [one.hidden[0] if one.hidden else one.seen[0] for one in choices]
        rows = [(at, value) for at, one in enumerate(choices) for value in one.hidden]
        for at, value in rows[:1] if few else rows:
            hidden, absent = ([*first[:at], text, *first[at + 1 :]] for text in (value, like(value)))
            yield self._filled(hidden), self._filled(absent)
        if not few and sum(bool(one.hidden) for one in choices) > 1:
            absent = [like(value) if value not in choices[at].seen else value for at, value in enumerate(every)]
            yield self._filled(every), self._filled(absent)

    def _choice(self, scope: Scope, found: re.Match[str]) -> Choice:
        known, until = segments(scope), _SEGMENT.sub(r"{\1}", self.path[: found.end()])
        choice = known.get(until) or known.get(f"{{{found[1]}}}")
        if choice is None:
            raise Lacking(f"{self.path}: say in `segments` of walk_places.py what may stand in {until!r}")
        return choice

    def _filled(self, values: Sequence[str]) -> str:
        rest = iter(values)
        return _SEGMENT.sub(lambda _found: next(rest), self.path)


def places(node: Node) -> list[Place]:
    """Every route of the pages of a node, its apps' among them; those there that are no routes fail."""
    found = []
    for route in site(node, OPEN):
        assert isinstance(route, Route), f"{route} is not walked: it is no route"
        found.append(Place(route.path, frozenset(route.methods or ()), route))
    return found


def like(text: str) -> str:
    """Another text as long, of the same sorts of characters."""
    turned = "".join(
        chr((ord(c) - ord(low) + 7) % size + ord(low)) if low else c
        for c in text
        for low, size in [next((pair for pair in (("0", 10), ("a", 26), ("A", 26))
                                if pair[0] <= c < chr(ord(pair[0]) + pair[1])), ("", 0))]
    )  # fmt: skip
    return turned if turned[:1] != "0" else f"1{turned[1:]}"
