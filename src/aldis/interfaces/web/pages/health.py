"""How the node does: the checks of `aldis doctor`, each with its cause and what to do.

Most of them tell of records, partners or the ledger, by counts or by name: below the node's ceiling only those that
tell of the machine are shown. Those that read the whole store are the command's alone.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from threading import Lock

from aldis.interfaces.web.door import View
from aldis.interfaces.web.frame import Frame
from aldis.interfaces.web.visit import Sheet, Visit
from aldis.kernel.authority import Act
from aldis.kernel.errors import UnknownTerm
from aldis.node.checks import Check, run_checks
from aldis.node.node import Node

__all__ = ["Looks", "views"]

FRESH_S = 10.0
LONGEST_S = 5.0
_MACHINE = frozenset(
    {"keys", "settings", "permissions", "certificate", "schema", "last backup", "policies", "backup", "disk", "clock"}
)
"""What tells of no record, partner or leaf."""


class Looks:
    """Looks at a node's checks, once for all who ask within some seconds, and for so long and no longer."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = Lock()
        self._until = 0.0
        self._found: Sequence[Check] = ()
        self._at = 0
        self._all = True

    def at(self, node: Node) -> tuple[Sequence[Check], bool, int]:
        """The checks, whether time was enough for all of them, and when they were made (ms since 1970 UTC)."""
        with self._lock:
            if self._clock() >= self._until:
                began, found, whole = self._clock(), list[Check](), True
                for check in run_checks(node, quick=True):
                    found.append(check)
                    whole = self._clock() - began < LONGEST_S
                    if not whole:
                        break
                self._found, self._all, self._at = found, whole, node.core.clock.now()
                self._until = self._clock() + FRESH_S
            return self._found, self._all, self._at


def views(_frame: Frame) -> Sequence[View]:
    """The one page."""
    looks = Looks()

    def page(visit: Visit) -> Sheet:
        return _health(visit, looks)

    return [View("/health", page, need=Act.CONFIGURE)]


def _health(visit: Visit, looks: Looks) -> Sheet:
    if not visit.resident:
        raise UnknownTerm("no such page")
    whole = visit.node.sights.whole(visit.who)
    found, complete, at = looks.at(visit.node)
    shown = [check for check in found if whole or check.name in _MACHINE]
    values = {
        "wrong": [check for check in shown if check.ok is False],
        "others": [check for check in shown if check.ok is not False],
        "whole": whole,
        "complete": complete or not whole,
        "at": at,
        "fresh": int(FRESH_S),
        "ceiling": visit.node.core.config.ceiling,
    }
    return Sheet("health.html", "Node health", values, [visit.level if whole else visit.routine])
