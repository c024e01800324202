"""The mark of a store that was restored from a backup: until an operator begins a new epoch, nothing leaves."""

from __future__ import annotations

import msgspec

from aldis.kernel.errors import InvalidInput
from aldis.node.store import Store

__all__ = ["Restored", "begin_anew", "check_not_restored", "mark_restored", "restored"]

_KEY = "restored"


class Restored(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When the backup was made and when it was restored, in ms since 1970 UTC."""

    made: int
    at: int


def mark_restored(store: Store, mark: Restored) -> None:
    """Say that this store was restored."""
    store.meta.set(_KEY, msgspec.json.encode(mark))


def restored(store: Store) -> Restored | None:
    """The mark, or None where the store was not restored, or a new epoch has begun since."""
    data = store.meta.get(_KEY)
    return msgspec.json.decode(data, type=Restored) if data else None


def begin_anew(store: Store) -> None:
    """Take the mark away, in the transaction in which the new epoch begins."""
    if restored(store) is not None:
        store.meta.set(_KEY, b"")


def check_not_restored(store: Store) -> None:
    """Return if the store may send.

    Raises:
        InvalidInput: it was restored, and no new epoch has begun.
    """
    if restored(store) is not None:
        raise InvalidInput(
            "this store was restored from a backup, and nothing leaves before a new epoch",
            fix="See that no other copy of this node runs, then `aldis doctor --new-epoch all`",
        )
