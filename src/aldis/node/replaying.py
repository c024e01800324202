"""The ledger verified and replayed beside a node's other work: one run at a time, of which the last is kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from threading import Lock, Thread

import structlog

from aldis.kernel.authority import Act
from aldis.kernel.errors import AldisError
from aldis.node.audit import Audit
from aldis.node.core import Core
from aldis.node.logs import fault
from aldis.node.people import Person, name_of
from aldis.node.replay import Difference, Replay

__all__ = ["Replaying", "Run"]

_GRACE_S = 5.0
_log = structlog.get_logger()


@dataclass(slots=True)
class Run:
    """One run: who began it and when it began and ended (ms since 1970 UTC, 0 before), and how far it is.

    `done` of `size` leaves were looked at, after `checkpoints` were verified; `problem` is why it came to no end.
    """

    by: str
    began: int
    ended: int = 0
    done: int = 0
    size: int = 0
    checkpoints: int = 0
    decisions: int = 0
    differences: Sequence[Difference] = ()
    problem: AldisError | None = None


class _StoppedError(Exception):
    """The node closes."""


class Replaying:
    """Runs it in a thread of its own; what is found is kept in memory alone."""

    def __init__(self, core: Core, audit: Audit, replay: Replay) -> None:
        self._core = core
        self._audit = audit
        self._replay = replay
        self._lock = Lock()
        self._thread: Thread | None = None
        self._stopping = False
        self.last: Run | None = None

    def start(self, by: str | Person) -> Run:
        """Begin a run; the one under way where there is one.

        Raises:
            RefusedByPolicy: a person who is no auditor.
        """
        actor = name_of(by, Act.READ_LEDGER)
        with self._lock:
            if self.last is not None and self._thread is not None and self._thread.is_alive():
                return self.last
            run = self.last = Run(actor, self._core.clock.now(), size=self._core.store.ledger.size())
            self._thread = Thread(target=self._run, args=(run,), name="replay", daemon=True)
            self._thread.start()
        return run

    def stop(self) -> None:
        """End the run that is under way."""
        self._stopping = True
        if self._thread is not None:
            self._thread.join(_GRACE_S)

    def _run(self, run: Run) -> None:
        def told(done: int, size: int) -> None:
            run.done, run.size = done, size
            if self._stopping:
                raise _StoppedError

        try:
            _, run.checkpoints = self._audit.verify()
            run.decisions, run.differences = self._replay.run(told)
        except AldisError as error:
            run.problem = error
        except _StoppedError:
            return
        except Exception as error:
            run.problem = AldisError("a fault of the program", fix="The node's log says more")
            _log.error("replay failed", **fault(error))
        run.ended = self._core.clock.now()
