"""Tasks of one MAVLink system, seen through: asked for, acknowledged, and watched until they are done or have failed.

No sockets and no clock: bytes and times go in, frames to send and states of tasks come out. A task is `issued`;
`accepted` once every step is acknowledged; `executing` only when the vehicle is seen to move as it should; `completed`
when it is seen there; else `failed`, with the reason. A vehicle under way whose mode somebody else changes is its
operator's again: its task has failed, and it is told nothing.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import msgspec

from aldis.apps.experiments.entity import Point, Task
from aldis.apps.experiments.gateways.mavlink.exchanges import Asking, Exchange, LayingUp, Said
from aldis.apps.experiments.gateways.mavlink.frames import Frame, Parser
from aldis.apps.experiments.gateways.mavlink.messages import BY_ID, OPAQUE
from aldis.apps.experiments.gateways.mavlink.outbox import STATION, Outbox, Source, named
from aldis.apps.experiments.gateways.mavlink.places import Undulation, place
from aldis.apps.experiments.gateways.mavlink.plan import Cmd, Command, Mission, Step, Target, Unplannable, steps_of
from aldis.apps.experiments.gateways.mavlink.signing import Signer
from aldis.apps.experiments.gateways.mavlink.watch import Limits, Seen, Still, Watch, Way

__all__ = ["Progress", "Tasking"]

_QUEUED = 16
_HOME_EVERY_US = 5_000_000
_HOME_MESSAGE = Command(Cmd.REQUEST_MESSAGE, (242.0, 0.0, 0.0, 0.0))


@dataclass(frozen=True, slots=True)
class Progress:
    """Frames to send now, and tasks whose state has changed."""

    send: tuple[bytes, ...] = ()
    tasks: tuple[Task, ...] = ()


@dataclass(slots=True)
class _Job:
    task: Task
    steps: deque[Step]
    way: list[Point]
    skipped: int
    exchange: Exchange | None = None
    watch: Watch | None = None
    mode: int | None = None
    left_us: int | None = None


@dataclass(slots=True)
class _Out:
    send: list[bytes] = field(default_factory=list)
    tasks: list[Task] = field(default_factory=list)

    def progress(self) -> Progress:
        return Progress(tuple(self.send), tuple(self.tasks))


class Tasking:
    """The tasks of the system `assignee` (`mavlink:1/1`), one after the other.

    `feed` it whatever comes from that system, and call `tick` at least every half second. A task issued while
    another is under way replaces it, which is then `cancelled`; one issued while another is still being asked for
    waits its turn, since acknowledgements say no more than a command's number. A `signer` has a link of its own,
    since the stamps of a link rise.

    Raises:
        ValueError: `assignee` is no key of a MAVLink system.
    """

    def __init__(
        self,
        assignee: str,
        *,
        limits: Limits | None = None,
        sender: Source = STATION,
        signer: Signer | None = None,
        undulation: Undulation | None = None,
    ) -> None:
        target = named(assignee.removeprefix("mavlink:"))
        if target is None:
            raise ValueError(f"{assignee} is no MAVLink system: give a key such as mavlink:1/1")
        self.assignee = assignee
        self._target, self._sender = target, sender
        self._limits = limits or Limits()
        self._signer, self._undulation = signer, undulation
        self._outbox = Outbox(signer)
        self._parser = Parser()
        self._kind: tuple[int, int] | None = None
        self._above_home_m: float | None = None
        self._home: Point | None = None
        self._home_due_us = 0
        self._job: _Job | None = None
        self._queue: deque[Task] = deque()
        self._quiet_until_us: dict[int, int] = {}

    def issue(self, task: Task, at_us: int) -> Progress:
        """Take on a task: it is `issued`, or `failed` at once where it cannot be said in MAVLink."""
        out = _Out()
        if task.assignee != self.assignee or len(self._queue) >= _QUEUED:
            wrong = "for another system" if task.assignee != self.assignee else "too many tasks wait"
            return Progress((), (_with(task, "failed", wrong),))
        self._queue.append(_with(task, "issued"))
        out.tasks.append(self._queue[-1])
        self._go_on(out, at_us)
        return out.progress()

    def cancel(self, at_us: int, reason: str) -> Progress:
        """Stop watching the task under way, and drop those that wait; the vehicle is told nothing."""
        out = _Out()
        self._end(out, "cancelled", reason, at_us)
        out.tasks += [_with(task, "cancelled", reason) for task in self._queue]
        self._queue.clear()
        return out.progress()

    def override(self, task: Task, at_us: int) -> Progress:
        """Take on a task at once: what is under way or waits is `cancelled`, asked for or not."""
        before = self.cancel(at_us, "overridden")
        now = self.issue(task, at_us)
        return Progress(before.send + now.send, before.tasks + now.tasks)

    def resume(self, task: Task, at_us: int) -> Progress:
        """Watch a task on that the vehicle was given before, without telling it anything.

        Of a way of several points nobody knows any more which are behind it: that task has `failed`.
        """
        out = _Out()
        self._end(out, "cancelled", "replaced by a later task", at_us)
        try:
            way, skipped = _way(task, deque(steps_of(task, Target(self._kind, self._above_home_m, self._undulation))))
        except Unplannable as error:
            way, skipped, wrong = [], 0, str(error)
        else:
            wrong = "which part of its way is behind it is not known" if len(way) > 1 else ""
        if wrong:
            out.tasks.append(_with(task, "failed", wrong))
            return out.progress()
        job = self._job = _Job(_with(task, "accepted"), deque(), way, skipped)
        job.watch = self._watch(job, at_us)
        return out.progress()

    def feed(self, data: bytes, at_us: int) -> Progress:
        """What came from the other end, a datagram or a piece of a stream."""
        out = _Out()
        for frame in self._parser.feed(data)[0]:
            if (frame.system, frame.component) != self._target or frame.message in OPAQUE:
                continue
            if self._signer is not None and self._signer.fault(frame, at_us) is not None:
                continue
            self._hear(frame, out, at_us)
        self._go_on(out, at_us)
        return out.progress()

    def tick(self, at_us: int) -> Progress:
        """Time goes by."""
        out = _Out()
        job = self._job
        if job is not None and job.watch is not None:
            self._take(job.watch.tick(at_us), out, at_us)
            self._look_who_steers(out, at_us)
        self._go_on(out, at_us)
        return out.progress()

    def _hear(self, frame: Frame, out: _Out, at_us: int) -> None:
        row, _ = BY_ID[frame.message].row(frame.payload)
        job = self._job
        match frame.message:
            case 0:
                self._kind = row[2], row[1]
                if job is not None and job.task.state == "executing":
                    job.mode = row[0] if job.mode is None else job.mode
                    job.left_us = None if row[0] == job.mode else job.left_us or at_us
                    self._look_who_steers(out, at_us)
            case 33 if place(row[1], row[2]):
                self._above_home_m = row[4] / 1000
                if job is not None and job.watch is not None:
                    self._take(job.watch.place(row[1] / 1e7, row[2] / 1e7, at_us), out, at_us)
            case 242 if place(row[0], row[1]):
                self._home = Point(lat_deg=row[0] / 1e7, lon_deg=row[1] / 1e7)
                if job is not None and job.watch is not None and job.task.verb == "come home":
                    job.watch.towards([self._home])
            case 46 if job is not None and job.watch is not None:
                job.watch.reached(row[0] + 1 - job.skipped)
            case 40 | 47 | 51 | 77 if job is not None and job.exchange is not None:
                self._say(out, job.exchange.hear(frame.message, row, at_us), at_us)

    def _look_who_steers(self, out: _Out, at_us: int) -> None:
        """Whether somebody else changed the mode; a while is left for a task that was just done to be seen as done."""
        job = self._job
        if job is not None and job.left_us is not None and at_us - job.left_us >= self._limits.left_us:
            self._end(out, "failed", "operator took over", at_us)

    def _go_on(self, out: _Out, at_us: int) -> None:
        """Begin, send and end whatever is due."""
        for _ in range(_QUEUED):
            if self._queue and (self._job is None or self._job.exchange is None):
                self._end(out, "cancelled", "replaced by a later task", at_us)
                self._begin(self._queue.popleft(), out, at_us)
            job = self._job
            if job is None or job.exchange is None:
                break
            self._say(out, job.exchange.tick(at_us), at_us)
            if job.exchange.outcome is None:
                break
            self._finish_step(job, out, at_us)
        self._ask_for_home(out, at_us)

    def _begin(self, task: Task, out: _Out, at_us: int) -> None:
        try:
            steps = deque(steps_of(task, Target(self._kind, self._above_home_m, self._undulation)))
        except Unplannable as error:
            out.tasks.append(_with(task, "failed", str(error)))
            return
        way, skipped = _way(task, steps)
        self._job = _Job(task, steps, way, skipped)
        self._next_step(self._job, at_us)

    def _next_step(self, job: _Job, at_us: int) -> None:
        step = job.steps.popleft()
        if isinstance(step, Mission):
            job.exchange = LayingUp(step, self._target, self._sender, self._limits, at_us)
        else:
            quiet = max(at_us, self._quiet_until_us.get(step.command, 0))
            job.exchange = Asking(step, self._target, self._sender, self._limits, quiet)

    def _finish_step(self, job: _Job, out: _Out, at_us: int) -> None:
        exchange = job.exchange
        if exchange is None:
            return
        if isinstance(exchange, Asking) and exchange.unanswered:
            self._quiet_until_us[exchange.command.command] = at_us + self._limits.answer_us
        job.exchange = None
        if exchange.outcome != "accepted":
            self._end(out, "failed", exchange.outcome, at_us)
        elif job.steps:
            self._next_step(job, at_us)
        else:
            job.task = _with(job.task, "accepted")
            out.tasks.append(job.task)
            job.watch = self._watch(job, at_us)

    def _watch(self, job: _Job, at_us: int) -> Watch:
        task = job.task
        if task.verb == "hold":
            return Still(self._limits, at_us, task.until_us)
        way = job.way
        if task.verb == "come home" and self._home is not None:
            way = [self._home]
        limits = self._limits
        if task.verb == "go to" and task.radius_m:
            limits = replace(limits, acceptance_m=task.radius_m)
        return Way(way, limits, at_us, task.until_us)

    def _take(self, seen: Seen | None, out: _Out, at_us: int) -> None:
        job = self._job
        if seen is None or job is None:
            return
        if seen.state == "executing":
            job.task = msgspec.structs.replace(
                job.task, state="executing", reason=None, progress_percent=seen.progress_percent
            )
            out.tasks.append(job.task)
            return
        if seen.state == "completed":
            if job.task.state == "accepted" and seen.reason is None:  # it came there between two positions
                out.tasks.append(_with(job.task, "executing"))
            job.task = msgspec.structs.replace(job.task, progress_percent=100.0)
        self._end(out, seen.state, seen.reason, at_us)

    def _end(
        self, out: _Out, state: Literal["completed", "failed", "cancelled"], reason: str | None, at_us: int
    ) -> None:
        job = self._job
        if job is None:
            return
        if isinstance(job.exchange, Asking) and job.exchange.unanswered:
            self._quiet_until_us[job.exchange.command.command] = at_us + self._limits.answer_us
        out.tasks.append(_with(job.task, state, reason))
        self._job = None

    def _ask_for_home(self, out: _Out, at_us: int) -> None:
        job = self._job
        if (
            job is None
            or job.task.verb != "come home"
            or self._home is not None
            or job.way
            or at_us < self._home_due_us
        ):
            return
        self._home_due_us = at_us + _HOME_EVERY_US
        self._say(out, (_HOME_MESSAGE.message(self._target, 0),), at_us)

    def _say(self, out: _Out, said: Sequence[Said], at_us: int) -> None:
        for name, payload in said:
            out.send.append(self._outbox.named(name, payload, self._sender, at_us))


def _with(
    task: Task,
    state: Literal["issued", "accepted", "executing", "completed", "failed", "cancelled"],
    reason: str | None = None,
) -> Task:
    return msgspec.structs.replace(task, state=state, reason=reason)


def _way(task: Task, steps: deque[Step]) -> tuple[list[Point], int]:
    """The points by which a task is watched, and how many items of its mission come before the first of them."""
    first = steps[0]
    if isinstance(first, Mission):
        return first.way(), first.lead
    return list(task.points or []) if task.verb in ("go to", "come home") else [], 0
