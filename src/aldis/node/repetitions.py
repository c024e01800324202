"""What a partner does again and again: told once in the ledger, and to the operator where it goes on."""

from __future__ import annotations

import msgspec

from aldis.node.store import Store

__all__ = ["note_cosigning", "told_first", "uncosigned"]

_KEPT = 32
_ENOUGH = 8


def told_first(store: Store, source: str, digest: bytes, code: str) -> bool:
    """Whether a refused bundle is new among the last of its source, in the open transaction; from now on it is not."""
    key, mark = f"refused of {source}", f"{digest.hex()} {code}"
    known = msgspec.json.decode(store.meta.get(key) or b"[]", type=list[str])
    if mark in known:
        return False
    store.meta.set(key, msgspec.json.encode([*known, mark][-_KEPT:]))
    return True


def note_cosigning(store: Store, node: str, at: int, *, done: bool) -> None:
    """Count the greetings of a partner in a row whose checkpoint could not be cosigned, beginning `at` (ms)."""
    since, times = uncosigned(store, node)
    if done and times:
        store.meta.set(_key(node), b"")
    elif not done and times < _ENOUGH:
        store.meta.set(_key(node), msgspec.json.encode((since or at, times + 1)))


def uncosigned(store: Store, node: str) -> tuple[int, int]:
    """Since when (ms) a partner's checkpoints were not cosigned, and for how many greetings; 0 and 0 where they are."""
    found = store.meta.get(_key(node))
    return msgspec.json.decode(found, type=tuple[int, int]) if found else (0, 0)


def _key(node: str) -> str:
    return f"uncosigned {node}"
