"""The roll of a running node: every system that its settings name, published live and recorded as it changes."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
import structlog

from aldis.app import Context, System
from aldis.apps.experiments.entity import Decoded
from aldis.apps.experiments.gateways.gateway import Gateway, Tally
from aldis.apps.experiments.kinds import GATEWAY
from aldis.apps.experiments.links.link import Piece
from aldis.apps.experiments.participants.clock import ClockFilter
from aldis.apps.experiments.participants.kind import PARTICIPANT, participant_labels
from aldis.apps.experiments.participants.mavlink import Asked
from aldis.apps.experiments.participants.state import Participant
from aldis.kernel.errors import AldisError, InvalidInput, Unavailable, UnknownTerm
from aldis.kernel.frames import Update
from aldis.kernel.records import Draft, DraftPortion, Record, next_version

__all__ = ["Attendance", "Roll", "damage_of", "participant_id"]

_LOOK_S = 0.25
_SAY_MS = 5_000
"""Between two live values while nothing changes."""
_RECORD_MS = 15_000
"""Between two versions of a record while its state stays."""
_PEERS = 256
_WHOLE = (
    "asks for",
    "blank",
    "message not known",
    "not decoded",
    "nothing said",
    "said again",
    "step of",
    "unsupported",
)
"""How the reasons begin for which a message is passed over that is as its sender meant it."""
_FAULT = "a fault of its node"
_WHY: Mapping[type[Exception], str] = {
    Unavailable: "its address cannot be used, or its link has failed",
    InvalidInput: "what it says, or how it is set up, cannot be read",
    UnknownTerm: "what it says, or how it is set up, cannot be read",
}
_log = structlog.get_logger()


def participant_id(context: Context, system: str) -> str:
    """The opaque id of the record of one of this node's systems."""
    return f"ptc-{context.opaque(f'participant {system}')}"


def damage_of(tally: Tally) -> int:
    """How many messages were dropped that are not as anybody can have meant them."""
    return sum(count for reason, count in tally.dropped.items() if not reason.startswith(_WHOLE))


class Attendance:
    """What the connection to one system tells of it."""

    def __init__(self, context: Context, system: System) -> None:
        self.system = system
        self.clock = ClockFilter()
        self._context = context
        self._asked = Asked(self.clock)
        self._live = "://" in system.address  # the stamps of a recording tell nothing of a clock
        self._counted: dict[str, tuple[int, int]] = {}
        self._held = context.newest(participant_id(context, system.name))
        self.participant = Participant(context.now(), before=_had_joined(self._held))
        self._failed: int | None = None
        """When its record could last not be written; it is read anew and tried again a while later."""
        self._said: tuple[str, int] = ("", 0)
        self._recorded: tuple[str, int] = ("", 0)

    def hear(self, piece: Piece, protocol: str, gateway: Gateway | None, found: Sequence[Decoded]) -> None:
        """A peer said something; its gateway, which has counted it, is gone once the peer is."""
        if not protocol or not piece.data:
            return
        seen, damaged = len(found), 0
        before = self._counted.pop(piece.peer, (0, 0))
        if gateway is not None:
            tally = gateway.tally
            seen, damaged = tally.seen, damage_of(tally) if tally.dropped else 0
            if len(self._counted) >= _PEERS:
                del self._counted[next(iter(self._counted))]
            self._counted[piece.peer] = (seen, damaged)
        if gateway is None or seen < before[0]:  # it was let go, or began anew
            before = (0, 0)
        stale = None
        for one in found:
            timing = one.entity.timing
            if timing is not None:
                if self._live:
                    self._clocked(one)
                if timing.stale_us is not None:
                    stale = max(stale or 0, timing.stale_us // 1000)
        new = max(seen - before[0], 0), max(damaged - before[1], 0)
        self.participant.hear(self._context.now(), protocol, *new, stale=stale)

    def _clocked(self, one: Decoded) -> None:
        timing = one.entity.timing
        assert timing is not None
        if timing.clock == "boot":
            self._asked.hear(one)
        elif timing.source_us is not None and timing.received_us is not None:
            self.clock.one_way(timing.source_us, timing.received_us, timing.source_uncertainty_us or 0)

    def puzzled(self) -> None:
        """Something came in which no protocol was recognised."""
        self.participant.puzzle(self._context.now())

    def ended(self) -> None:
        """There will be no more."""
        self.participant.end(self._context.now())

    def failed(self, error: Exception) -> None:
        """It cannot be connected to. Partners may be told: an address, a path or what was read stays here."""
        self.participant.fail(self._context.now(), _WHY.get(type(error), _FAULT))

    def said(self) -> dict[str, Any]:
        """The portions, as they are now."""
        now, one = self._context.now(), self.participant
        state = {"system": self.system.name, "state": one.state, "since": one.since}
        state |= {name: value for name, value in (("protocol", one.protocol), ("reason", one.reason)) if value}
        heard, damaged, unfamiliar = (round(rate, 2) for rate in one.rates(now))
        traffic = {
            "heard": one.heard, "damaged": one.damaged, "unfamiliar": one.unfamiliar,
            "heard_per_s": heard, "damaged_per_s": damaged, "unfamiliar_per_s": unfamiliar,
        }  # fmt: skip
        if one.last is not None:
            traffic["last"] = one.last
        offset = self.clock.bounds(now * 1000)
        clock = {"clock": msgspec.to_builtins(offset)} if offset is not None else {}
        return {"state": state, **clock, "traffic": traffic}

    def publish(self, project: str) -> None:
        """Say live and record what has changed, and the rest now and then."""
        now = self._context.now()
        if self._failed is not None:
            if 0 <= now - self._failed < _SAY_MS:
                return
            self._held = self._context.newest(participant_id(self._context, self.system.name))
            self._failed, self._said, self._recorded = None, ("", 0), ("", 0)
        self.participant.tick(now)
        state = f"{self.participant.state} {self.participant.since} {self.participant.protocol}"
        fresh = self.participant.state in ("joined", "returned")
        if self._said[0] == state and not (fresh and now - self._said[1] >= _SAY_MS):
            return
        self._said = (state, now)
        labels, said = participant_labels(self._context), self.said()
        name = participant_id(self._context, self.system.name)
        kind = PARTICIPANT.name
        values = [(labels[portion], Update(name, kind, portion, now, value)) for portion, value in said.items()]
        self._context.publish_all(labels["header"], project, values)
        if self._recorded[0] == state and now - self._recorded[1] < _RECORD_MS:
            return
        if self._recorded[0] != state:
            _log.info("participant", **said["state"])
        self._recorded = (state, now)
        draft = Draft(
            kind=PARTICIPANT.name,
            id=name,
            originator=self._context.node,
            author=GATEWAY,
            created=now,
            label=labels["header"],
            project=project,
            portions=[DraftPortion(portion, labels[portion], value) for portion, value in said.items()],
        )
        try:
            self._held = self._context.put(next_version(self._held, draft) if self._held else draft)
        except AldisError:
            self._failed = now
            raise


class Roll:
    """Everybody who is expected at one node."""

    def __init__(self, context: Context, project: str, systems: Iterable[System]) -> None:
        self._context = context
        self._project = project
        self._all = {system.name: Attendance(context, system) for system in systems}
        self._refused = False

    def of(self, system: str) -> Attendance:
        """That of one system."""
        return self._all[system]

    async def run(self) -> None:
        """Look again and again."""
        while True:
            self.look()
            await asyncio.sleep(_LOOK_S)

    def look(self) -> None:
        """Publish and record what is due; what cannot be recorded stops nothing else."""
        for one in self._all.values():
            try:
                one.publish(self._project)
            except AldisError as error:
                if not self._refused:
                    _log.warning("participant not recorded", system=one.system.name, code=error.code, cause=str(error))
                self._refused = True

    def close(self) -> None:
        """This node leaves: whoever was there is silent for all who look."""
        for one in self._all.values():
            if one.participant.state in ("joined", "returned"):
                one.participant.end(self._context.now())
        self.look()


def _had_joined(record: Record | None) -> bool:
    portion = record.portion("state") if record is not None else None
    return portion is not None and portion.value.get("state") not in (None, "waiting", "failed")
