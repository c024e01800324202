"""An event as a flat list of named values, which is what both wire forms of CoT are turned into and made from."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from aldis.apps.experiments.gateways.cot.rows import AREA, TASK, Table, kind_of
from aldis.apps.experiments.gateways.cot.scanner import Node
from aldis.apps.experiments.gateways.cot.values import Native
from aldis.apps.experiments.gateways.gateway import Damaged

__all__ = ["Event", "attributes_of", "bare", "flatten", "inner", "table_of"]

_ALIASES = {"releaseableTo": "releasableTo", "rel_to": "releasableTo"}
"""How TAK Server's own protobuf and PyTAK spell it."""
_MANY = frozenset({"detail/link"})
"""Elements of which there may be many; only those with a point have names."""
_INDEX = re.compile(r"\[\d+\]")


@dataclass(slots=True)
class Event:
    """`values` under `names`, and of what has no name here the whole element (`rest`: its path, and itself as text).

    Text is text, numbers may be either, times text or microseconds. `wire` is what protobuf had that has no name in
    it: message and number, as `cotEvent#25`, and its bytes. `native` tells that numbers and
    times came as such, `usual` that all values are of the types that the model has, `plain` that none needs an escape.
    """

    names: tuple[str, ...]
    values: Sequence[Native]
    rest: Sequence[tuple[str, str]] = ()
    wire: Sequence[tuple[str, bytes]] = ()
    native: bool = False
    usual: bool = False
    plain: bool = False


def bare(name: str) -> str:
    """`name` without what tells apart elements of one name."""
    return _INDEX.sub("", name) if "[" in name else name


def table_of(cot: str, detail: Node | None) -> Table:
    """The table of a CoT type; a place to go to is a task only where its detail says whose.

    Raises:
        Damaged: nothing here is told of it; the reason says what it is.
    """
    kind = kind_of(cot)
    if isinstance(kind, str):
        raise Damaged(kind)
    return AREA if kind is TASK and not _assigned(detail) else kind


def _assigned(detail: Node | None) -> bool:
    marti = [node for node in detail.children if node.name == "marti"] if detail else []
    return any(node.attributes.get("uid") for node in (marti[0].children[:1] if marti else []) if node.name == "dest")


def attributes_of(root: Node) -> dict[str, str]:
    """The attributes of an event, each under one spelling."""
    found = dict(root.attributes)
    for alias, name in _ALIASES.items():
        if alias in found and name not in found:
            found[name] = found.pop(alias)
    return found


def flatten(root: Node, text: str) -> tuple[Event, Table]:
    """The event that is the element `root` of `text`, and the table of its kind.

    Raises:
        Damaged: it is no event, or nothing here is told of its type.
    """
    if root.name != "event":
        raise Damaged("not CoT")
    detail = next((node for node in root.children if node.name == "detail"), None)
    table = table_of(root.attributes.get("type", ""), detail)
    said: dict[str, Native] = {f"event@{name}": value for name, value in attributes_of(root).items()}
    rest = inner(root, "", text, table, said)
    return Event(tuple(said), list(said.values()), rest), table


def inner(parent: Node, path: str, text: str, table: Table, said: dict[str, Native]) -> list[tuple[str, str]]:
    """Add what stands within `parent`, whose path is `path`, to `said`; the elements that have no name, whole."""
    rest: list[tuple[str, str]] = []
    waiting = [(parent, path)]
    for above, prefix in waiting:
        seen: Counter[str] = Counter()
        unnamed: Counter[str] = Counter()
        for node in above.children:
            if not _named(node, prefix + node.name, table, seen[node.name]):
                unnamed[node.name] += 1
                rest.append((prefix + _step(node.name, unnamed[node.name]), text[node.start : node.stop]))
                continue
            seen[node.name] += 1
            place = prefix + _step(node.name, seen[node.name])
            for name, value in node.attributes.items():
                said[f"{place}@{name}"] = value
            if prefix + node.name in table.native and node.text:
                said[place] = node.text
            waiting.append((node, f"{place}/"))
    return rest


def _named(node: Node, path: str, table: Table, before: int) -> bool:
    """Whether all that an element says itself has names."""
    if (
        path not in table.elements
        or (before and path not in _MANY)
        or (path in _MANY and "point" not in node.attributes)
    ):
        return False
    if path not in table.native and node.text.strip():
        return False
    return bool(path == "detail" or node.attributes or node.children or (path in table.native and node.text))


def _step(name: str, number: int) -> str:
    return name if number == 1 else f"{name}[{number}]"
