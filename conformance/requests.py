"""Every vector as a request of NODE-CLI.md and the answer it must have."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["FILES", "Vector", "read_vectors"]

VECTORS = Path(__file__).parents[1] / "spec" / "vectors"


@dataclass(frozen=True)
class Vector:
    """What to ask, and either what must be answered (`ok`) or the code of the refusal."""

    file: str
    why: str
    request: Mapping[str, Any]
    ok: Mapping[str, Any] | None
    code: str = ""


def read_vectors(file: str) -> list[Vector]:
    """The vectors of one file, in its order."""
    content = json.loads((VECTORS / f"{file}.json").read_text("utf-8"))
    return [Vector(file, *parts) for parts in FILES[file](content)]


_Parts = Iterator[tuple[str, Mapping[str, Any], Mapping[str, Any] | None, str]]


def _stated(content: Mapping[str, Any]) -> _Parts:
    """Files whose vectors are requests already: `why`, `request`, and `ok` or `code`."""
    for one in content["vectors"]:
        yield one["why"], one["request"], one.get("ok"), one.get("code", "")


def _ledger(content: Mapping[str, Any]) -> _Parts:
    leaves, roots = content["leaves"], content["roots"]
    for size, root in enumerate(roots):
        yield f"the root of {size} leaves", {"do": "merkle-root", "leaves": leaves[:size]}, {"root": root}, ""
    for one in content["inclusion"]:
        index, size = one["index"], one["size"]
        asked = {"do": "verify-inclusion", "leaf": leaves[index], "root": roots[size], **one}
        yield f"leaf {index} of {size}", asked, {}, ""
    for one in content["inclusion_refused"]:
        asked = {name: one[name] for name in ("leaf", "index", "size", "proof", "root")}
        yield one["why"], {"do": "verify-inclusion", **asked}, None, "verification-failed"
    for one in content["consistency"]:
        old, new = one["old_size"], one["new_size"]
        asked = {"do": "verify-consistency", "old_root": roots[old], "new_root": roots[new], **one}
        yield f"from {old} leaves to {new}", asked, {}, ""
    for one in content["consistency_refused"]:
        asked = {name: value for name, value in one.items() if name not in ("why", "code")}
        yield one["why"], {"do": "verify-consistency", **asked}, None, one["code"]
    yield from _checkpoints(content)


def _checkpoints(content: Mapping[str, Any]) -> _Parts:
    one = content["checkpoint"]
    asked = {"do": "verify-checkpoint", "name": one["log"]["name"], "key": one["log"]["public_key"]}
    yield "a checkpoint", {**asked, "note": one["note"]}, {"size": one["size"], "root": one["root"]}, ""
    for other in content["checkpoint_refused"]:
        yield other["why"], {**asked, "note": other["note"]}, None, other["code"]


FILES: dict[str, Callable[[Mapping[str, Any]], _Parts]] = {
    "records": _stated,
    "bundles": _stated,
    "admission": _stated,
    "messages": _stated,
    "ledger": _ledger,
}
"""How each file's vectors read as requests."""
