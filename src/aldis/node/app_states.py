"""How each app that works beside the node fares, kept in the store for other processes (`aldis doctor`) to read."""

from __future__ import annotations

from typing import Literal

import msgspec

from aldis.kernel.errors import AldisError
from aldis.node.store import Store

__all__ = ["AppState", "app_state", "keep_app_state"]


class AppState(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whether an app runs, has ended or has failed; of one that failed, or works in part, why and what to do."""

    state: Literal["running", "ended", "failed"]
    cause: str = ""
    fix: str = ""

    @classmethod
    def failed(cls, error: Exception) -> AppState:
        """An error made on purpose speaks for itself; of any other nothing is kept, for it may quote what it read."""
        if isinstance(error, AldisError):
            return cls("failed", str(error.args[0]), error.fix)
        return cls("failed", f"a fault of the program ({type(error).__name__})", "See the log of `aldis up`")


def app_state(store: Store, name: str) -> AppState | None:
    """How the app fared when it last ran; None where it never did."""
    kept = store.meta.get(_key(name))
    return msgspec.json.decode(kept, type=AppState) if kept else None


def keep_app_state(store: Store, name: str, state: AppState) -> None:
    """Say how an app fares."""
    store.meta.set(_key(name), msgspec.json.encode(state))


def _key(name: str) -> str:
    return f"how app {name} fares"
