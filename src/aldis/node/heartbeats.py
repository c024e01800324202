"""Heartbeats of one-way feeds: how far a stream was written, said at times, so that a lost last file is missed too.

A file holds one signed message and stands for all earlier ones; it is written anew under a later name. The reader keeps
the newest: what it says was written and never came is missing, and when the next one is overdue the feed is silent.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Annotated

import msgspec

from aldis.kernel.admission import CLOCK_TOLERANCE
from aldis.kernel.encoding import MOST
from aldis.kernel.errors import NotAuthentic, Stale
from aldis.kernel.messages import open_message, read_unverified, sign_message
from aldis.node.core import Core
from aldis.node.exchange import exported_to
from aldis.node.files import active, write
from aldis.node.inbound import Inbound
from aldis.node.partners import Partners

__all__ = ["HEARTBEAT_SUFFIX", "Heartbeat", "Heartbeats"]

HEARTBEAT_SUFFIX = ".heartbeat"
_Whole = Annotated[int, msgspec.Meta(ge=0, le=MOST)]


class Heartbeat(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """At `at`, the stream from `origin` to `audience` was written up to item `seq` of `epoch`.

    The next is written within `every`, or as soon as there is more; times in ms.
    """

    CONTEXT = b"aldis/heartbeat/1"
    origin: str
    audience: str
    at: _Whole
    every: Annotated[int, msgspec.Meta(ge=1_000, le=7 * 86_400_000)]
    epoch: _Whole
    seq: _Whole


class Heartbeats:
    """Writes and reads them."""

    def __init__(self, core: Core, partners: Partners, inbound: Inbound) -> None:
        self._core = core
        self._partners = partners
        self._inbound = inbound

    def write(self, node: str, folder: Path, every_ms: int, epoch: int) -> Path | None:
        """Write one for a partner, if there is more since the last or it is time; where it is.

        Raises:
            InvalidInput: the partner is not active.
            Unavailable: the folder cannot be written to.
        """
        core, name = self._core, active(self._partners, node).node
        now, seq, key = core.clock.now(), core.store.meta.number(exported_to(name)), f"heartbeat to {name}"
        last = msgspec.json.decode(core.store.meta.get(key) or b"[0, 0, 0]", type=tuple[int, int, int])
        if last[1:] == (epoch, seq) and 0 <= now - last[0] < every_ms:
            return None
        path = folder / f"{core.node}-{name}-{now:013d}{HEARTBEAT_SUFFIX}"
        write(path, sign_message(Heartbeat(core.node, name, now, every_ms, epoch, seq), core.signer))
        with core.store.transaction():
            core.store.meta.set(key, msgspec.json.encode((now, epoch, seq)))
        with suppress(OSError):
            (folder / f"{core.node}-{name}-{last[0]:013d}{HEARTBEAT_SUFFIX}").unlink()
        return path

    def take(self, data: bytes) -> Heartbeat:
        """Keep one that arrived, unless a newer is known; the newest.

        Raises:
            NotAuthentic, InvalidInput, UnknownTerm: it is not from a partner that is active, or not for this node.
            Stale: it is from the future.
        """
        core = self._core
        origin = read_unverified(data, Heartbeat).origin
        found = open_message(data, Heartbeat, active(self._partners, origin).sheet.pinned)
        if (found.origin, found.audience) != (origin, core.node):
            raise NotAuthentic(
                f"a heartbeat of {found.origin} for {found.audience}", fix="Take it to that node's folder"
            )
        if found.at > core.clock.now() + CLOCK_TOLERANCE:
            raise Stale(f"a heartbeat of {origin} is from the future", fix="Set the clock that is wrong")
        before = self.heard(origin)
        if before is not None and before.at >= found.at:
            return before
        with core.store.transaction():
            core.store.meta.set(_heard(origin), msgspec.json.encode(found))
        return found

    def heard(self, node: str) -> Heartbeat | None:
        """The newest from a partner, or None."""
        data = self._core.store.meta.get(_heard(node))
        return msgspec.json.decode(data, type=Heartbeat) if data else None

    def missing(self, node: str) -> tuple[int, int] | None:
        """The first and last of the items that a partner wrote and that have not come, or None."""
        heard, cursor = self.heard(node), self._inbound.cursor(node)
        if heard is None or (heard.epoch, heard.seq) <= (cursor.epoch, cursor.seq) or not heard.seq:
            return None
        return (cursor.seq + 1 if heard.epoch == cursor.epoch else 1), heard.seq


def _heard(node: str) -> str:
    return f"heartbeat of {node}"
