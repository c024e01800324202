"""Sees taskings and leases through beside the connections of a running node.

Other processes of the node write records too, so what stands is looked at again and again; it is read anew only where
something arrived.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from traceback import extract_tb
from typing import TYPE_CHECKING

import msgspec
import structlog

from aldis.app import Context, Query, System
from aldis.apps.experiments.entity import Decoded, Ledger, Task
from aldis.apps.experiments.kinds import TRACK
from aldis.apps.experiments.orders.drafts import answer_draft, answer_id, banner_of, lease_draft, marks, marks_after
from aldis.apps.experiments.orders.kinds import ANSWER, LEASE, Answer
from aldis.apps.experiments.orders.papers import KINDS_READ, Papers, read
from aldis.apps.experiments.orders.pilot import Pilot, why_of
from aldis.apps.experiments.orders.rules import (
    LOST_MS,
    Begin,
    Close,
    Effect,
    Fit,
    Hold,
    Ref,
    Resume,
    Say,
    due,
    moved,
)
from aldis.apps.experiments.participants.heartbeats import heartbeat_of
from aldis.apps.experiments.recorder import PARTNER
from aldis.apps.experiments.tape import Tape
from aldis.kernel.errors import AldisError
from aldis.kernel.frames import Update
from aldis.kernel.records import Record

if TYPE_CHECKING:
    from aldis.apps.experiments.gateways.mavlink.watch import Limits

__all__ = ["Orders"]

LOOK_S = 0.25
_ANEW_MS = 5_000
_PROGRESS_MS = 5_000
_PASSES = 8
_AUTHOR = "orders"
_SEEN = 20_000
_MANY, _REST_MS = 1_000, 2
"""With more taskings than this, all of them are read so many times their number in ms apart, at less than a tenth of a
processor; what is under way, and an override, are seen to as ever."""
_NOTHING_LOST = Ledger()
_log = structlog.get_logger()


class Orders:
    """The tasks of all systems of a node that may be tasked; see `rules` for what becomes of them."""

    def __init__(
        self, context: Context, project: str, tape: Tape, systems: Sequence[System], limits: Limits | None = None
    ) -> None:
        self._context = context
        self._project = project
        self._tape = tape
        self._pilots = {system.name: Pilot(system.name, limits) for system in systems if system.tasking}
        self._began = context.now()
        self._papers = Papers(context.node)
        self._newest = b""
        self._read_at: int | None = None
        self._whole_at = self._rest_ms = 0
        self._under_way: dict[str, Ref] = {}
        self._spoken: dict[str, Ref] = {}
        """The task for which each system was told something last."""
        self._told: deque[tuple[str, Task]] = deque(maxlen=_SEEN)
        self._percent: dict[str, tuple[Ref, float, int]] = {}
        self._seen: dict[bytes, None] = {}
        self._owned: dict[str, bool] = {}

    def pilot(self, system: System) -> Pilot | None:
        """What carries tasks to a system; None where the settings do not let it be tasked."""
        return self._pilots.get(system.name)

    async def run(self) -> None:
        """Until cancelled. A fault of one look is logged, and the next one comes."""
        while True:
            await asyncio.sleep(LOOK_S)
            self._done(self.step)

    def step(self) -> None:
        """Look at what is asked and what was seen, once, and do what is due; what cannot be done stops nothing else."""
        now = self._context.now()
        for pilot in self._pilots.values():
            pilot.tick(now * 1000)
            self._told += pilot.told()
            self._record_sent(pilot)
        self._look(now)
        self._tell(now)
        for _ in range(_PASSES):
            effects = due(self._papers.book(self._fits(now), self._under_way), now)
            failed: set[object] = set()
            for effect in effects:
                about = effect.lease.id if isinstance(effect, Close) else effect.ref
                if about not in failed and not self._done(partial(self._do, effect, now)):
                    failed.add(about)
            if effects:
                self._read(now)
            if failed:
                self._read_at = None
            if failed or not effects:
                return

    def _done(self, act: Callable[[], None]) -> bool:
        """Whether it could be done; else it is logged, and what stands is read anew before it is tried again."""
        try:
            act()
        except AldisError as error:
            _log.error("tasks were not seen to", code=error.code, cause=str(error))
        except Exception as error:
            where = " < ".join(f"{one.filename}:{one.lineno}" for one in extract_tb(error.__traceback__)[::-1][:8])
            _log.error("tasks were not seen to", error=type(error).__name__, place=where)
        else:
            return True
        self._read_at = None
        return False

    def _tell(self, now: int) -> None:
        """Write what was seen of tasks; what could not be written waits, and what was seen of the same system later."""
        seen, stuck = list(self._told), set[str]()
        self._told.clear()
        for track, task in seen:
            if track in stuck or not self._done(partial(self._progress, track, task, now)):
                stuck.add(track)
                self._told.append((track, task))

    def _look(self, now: int) -> None:
        """Read what stands, where something of it is new, and every few seconds in any case."""
        found = self._context.find(Query(kinds=KINDS_READ, project=self._project, limit=1)).records
        newest = found[0].digest if found else b""
        if newest != self._newest or self._read_at is None or not 0 <= now - self._read_at < _ANEW_MS:
            self._newest = newest
            self._read(now)

    def _read(self, now: int) -> None:
        whole = not 0 <= now - self._whole_at < self._rest_ms
        self._papers = read(self._context, self._project, whole=whole)
        if whole:
            many = len(self._papers.taskings)
            self._whole_at, self._rest_ms = now, many * _REST_MS if many > _MANY else 0
        self._read_at = now
        self._owned.clear()
        for ref, record in self._papers.taskings.items():
            if not self._news(record):
                continue
            if ref[0] == self._context.node:
                self._publish(record)
            elif ref in self._papers.asked:
                self._to_tape(PARTNER + ref[0], self._papers.asked[ref].task, [record], ref[1])
        for record_id, (answer, record) in self._papers.told.items():
            if self._news(record):
                task = _in_state(self._papers.mine[record_id], answer, self._percent_of(record))
                self._to_tape(PARTNER + record.header.originator, task, [record], record_id)

    def _news(self, record: Record) -> bool:
        """Whether a record is looked at for the first time."""
        if record.digest in self._seen:
            return False
        self._seen[record.digest] = None
        while len(self._seen) > _SEEN:
            del self._seen[next(iter(self._seen))]
        return True

    def _fits(self, now: int) -> Mapping[str, Fit]:
        """How each system stands that somebody asks something of."""
        fits = dict[str, Fit]()
        for asked in self._papers.asked.values():
            track = asked.task.assignee
            if track in fits or not track:
                continue
            pilot = self._pilot_of(track)
            if pilot is not None:
                fits[track] = _fit(pilot, track, now)
            elif self._ours(track):
                lost = not 0 <= now - self._began < LOST_MS
                fits[track] = "cannot" if not self._pilots else "gone" if lost else "unheard"
        return fits

    def _pilot_of(self, track: str) -> Pilot | None:
        return next((pilot for pilot in self._pilots.values() if pilot.can(track) is not None), None)

    def _ours(self, track: str) -> bool:
        if track not in self._owned:
            record = self._context.newest(track)
            self._owned[track] = record is not None and record.header.kind == TRACK.name
        return self._owned[track]

    def _do(self, effect: Effect, now: int) -> None:
        match effect:
            case Say(ref, answer, remarks):
                self._say(ref, answer, remarks)
            case Begin(track, ref) | Resume(track, ref):
                self._give(track, ref, now, anew=isinstance(effect, Begin))
            case Hold(track, ref):
                pilot = self._pilot_of(track)
                self._under_way.pop(track, None)
                if pilot is not None:
                    self._spoken[track] = ref
                    pilot.hold(track, now * 1000)
                    _log.warning("told to hold", system=pilot.system, track=track)
            case Close(lease, why):
                _, before = self._papers.leases[lease.id]
                ended = msgspec.structs.replace(lease.terms, ended_ms=now, why=why)
                labels = marks_after(self._context, LEASE, before)
                self._context.put(
                    lease_draft(
                        self._context, ended, self._project, _AUTHOR, labels, record_id=lease.id, before=before,
                        area=lease.area,
                    )
                )  # fmt: skip

    def _give(self, track: str, ref: Ref, now: int, *, anew: bool) -> None:
        asked, pilot = self._papers.asked[ref], self._pilot_of(track)
        if pilot is None:
            return
        self._under_way[track] = self._spoken[track] = ref
        task = msgspec.structs.replace(asked.task, key=_key(ref))
        if anew:
            pilot.begin(track, task, now * 1000)
        else:
            pilot.resume(track, task, now * 1000)
        _log.info("task begun" if anew else "task watched on", system=pilot.system, task=ref[1], asker=ref[0])

    def _progress(self, track: str, seen: Task, now: int) -> None:
        """What was seen of a task that is under way."""
        ref = self._under_way.get(track)
        if ref is None or seen.key != _key(ref) or seen.state in ("issued", "cancelled", None):
            return
        held = self._papers.answers.get(ref)
        if held is None:
            return
        answer, percent = held[0], seen.progress_percent
        if seen.state == "accepted":
            if answer.acknowledged_ms is None:
                self._say(ref, msgspec.structs.replace(answer, acknowledged_ms=now))
        elif seen.state == "executing":
            if answer.state == "executing" and not self._worth(track, ref, percent, now):
                return
            after = moved(answer, "executing", now)
            if after is not None:
                self._say(ref, after, percent=percent)
                self._percent[track] = (ref, percent or 0.0, now)
        elif seen.state in ("completed", "failed"):
            why = why_of(seen, acknowledged=answer.acknowledged_ms is not None)
            after = moved(answer, "completed" if seen.state == "completed" else "failed", now, why)
            if after is not None:
                self._say(ref, after, seen.reason or "", percent=percent)
            self._under_way.pop(track, None)
            self._percent.pop(track, None)

    def _worth(self, track: str, ref: Ref, percent: float | None, now: int) -> bool:
        """Whether progress is new, and was not written lately."""
        about, last, at = self._percent.get(track, (ref, -1.0, 0))
        if about != ref:
            last, at = -1.0, 0
        return percent is not None and percent > last and now - at >= _PROGRESS_MS

    def _say(self, ref: Ref, answer: Answer, remarks: str = "", percent: float | None = None) -> None:
        """Write an answer, tell of it live, and record it."""
        held = self._papers.answers.get(ref)
        before = held[1] if held is not None else None
        labels = marks_after(self._context, ANSWER, before) if before is not None else marks(self._context, ANSWER)
        record_id = before.header.id if before is not None else answer_id(self._context, ref)
        project = self._papers.taskings[ref].header.project
        draft = answer_draft(
            self._context, answer, project, _AUTHOR, labels, record_id=record_id, before=before, percent=percent,
            remarks=remarks,
        )  # fmt: skip
        record = self._context.put(draft)
        self._papers.answers[ref] = (answer, record)
        self._publish(record)
        asked = self._papers.asked.get(ref)
        pilot = self._pilot_of(asked.task.assignee) if asked is not None else None
        if asked is not None and pilot is not None:
            task = _in_state(asked.task, answer, percent)
            self._to_tape(pilot.system, task, [record, self._papers.taskings[ref]], ref[1])
        _log.info("task", state=answer.state, why=answer.why or "", task=ref[1], asker=ref[0])

    def _publish(self, record: Record) -> None:
        """Tell of a record live, to whom it may go; the record itself follows."""
        header = record.header
        for portion in record.portions:
            update = Update(header.id, header.kind, portion.name, self._context.now(), portion.value)
            self._context.publish(record.label, portion.label, header.project, update)

    def _record_sent(self, pilot: Pilot) -> None:
        """What went out for tasks, at the tap of what a system is sent."""
        sent = dict[str, list[bytes]]()
        for track, frame in pilot.sent():
            sent.setdefault(track, []).append(frame)
        for track, frames in sent.items():
            ref = self._spoken.get(track)
            if ref is not None and ref in self._papers.asked and self._tape.runs:
                record = self._papers.taskings[ref]
                labels = [record.label, *(portion.label for portion in record.portions)]
                task = self._papers.asked[ref].task
                self._tape.egress(pilot.system, labels, task, pilot.protocol(track), frames, ref[1])

    def _to_tape(self, tap: str, task: Task, records: Sequence[Record], record_id: str) -> None:
        if not self._tape.runs:
            return
        at_us = self._context.now() * 1000 if tap.startswith(PARTNER) else None  # else it is this node's own conclusion
        self._tape.entity(tap, banner_of(self._context, records), Decoded(task, _NOTHING_LOST), record_id, at_us)

    @staticmethod
    def _percent_of(record: Record) -> float | None:
        portion = record.portion("progress")
        return float(portion.value["percent"]) if portion is not None else None


def _fit(pilot: Pilot, track: str, now: int) -> Fit:
    """How a system stands that was heard; what is sent to one that is not there is lost."""
    if not pilot.can(track):
        return "cannot"
    silent = pilot.silent_ms(track, now)
    if silent < heartbeat_of(pilot.protocol(track)).silent_ms:
        return "ready"
    return "gone" if silent >= LOST_MS else "unheard"


def _key(ref: Ref) -> str:
    return f"{ref[0]}/{ref[1]}"


def _in_state(task: Task, answer: Answer, percent: float | None) -> Task:
    """A task as far as its answer says it is; the model has no word for refused but that it failed."""
    state = "failed" if answer.state == "refused" else answer.state
    return msgspec.structs.replace(task, state=state, reason=answer.why, progress_percent=percent)
