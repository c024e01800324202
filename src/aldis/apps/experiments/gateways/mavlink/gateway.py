"""The MAVLink 2 gateway: frames in, entities out, and back."""

from __future__ import annotations

from base64 import b64encode
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from aldis.apps.experiments.entity import Decoded, Encoded, Entity, Ledger, Remainder, Residue, Track
from aldis.apps.experiments.gateways.gateway import Tally
from aldis.apps.experiments.gateways.mavlink.clock import Clock
from aldis.apps.experiments.gateways.mavlink.contacts import CONTACT_READERS
from aldis.apps.experiments.gateways.mavlink.fates import listed
from aldis.apps.experiments.gateways.mavlink.frames import Frame, Parser
from aldis.apps.experiments.gateways.mavlink.messages import BY_ID, OPAQUE
from aldis.apps.experiments.gateways.mavlink.missions import Missions, Uploading
from aldis.apps.experiments.gateways.mavlink.outbox import ONLOOKER, Outbox, Source
from aldis.apps.experiments.gateways.mavlink.places import Undulation, place_readers
from aldis.apps.experiments.gateways.mavlink.plan import Cmd, Target
from aldis.apps.experiments.gateways.mavlink.requests import Assignee, Requests
from aldis.apps.experiments.gateways.mavlink.sender import PROTOCOL, Sender
from aldis.apps.experiments.gateways.mavlink.signing import Signer
from aldis.apps.experiments.gateways.mavlink.surroundings import surroundings_readers
from aldis.apps.experiments.gateways.mavlink.vehicles import VEHICLE_READERS, Read
from aldis.apps.experiments.gateways.mavlink.words import Words
from aldis.apps.experiments.gateways.mavlink.writer import Style, Writer

__all__ = ["MavlinkGateway"]

_CHATTER = frozenset({40, 43, 45, 47, 51})
"""Steps of the mission protocol that say nothing of a thing."""

_SENDERS = 4_096
_BEAT_US = 1_000_000


class MavlinkGateway:
    """One connection to MAVLink systems: vehicles, or a ground station.

    `key` is a signing key of 32 bytes: with one, frames that do not bear a valid signature are dropped, and what is
    sent is signed; without one, signatures are not looked at. `undulation` makes heights above the ellipsoid of those
    above mean sea level where the vehicle's GPS does not tell. `style` chooses how tracks are said.
    """

    protocol = PROTOCOL

    def __init__(
        self, *, key: bytes | None = None, undulation: Undulation | None = None, style: Style = "by type"
    ) -> None:
        self.tally = Tally()
        self._signer = None if key is None else Signer(key)
        self._parser = Parser()
        self._clocks: dict[int, Clock] = {}
        self._senders: dict[tuple[int, int], Sender] = {}
        self._words = Words()
        self._missions = Missions()
        self._requests = Requests()
        self._outbox = Outbox(self._signer)
        self._writer = Writer(self._outbox, self._requests, self._target, undulation, style)
        self._undulation = undulation
        self._answers: deque[bytes] = deque(maxlen=256)
        self._beaten_us: int | None = None
        self._readers: dict[int, Read] = (
            VEHICLE_READERS | CONTACT_READERS | place_readers(undulation) | surroundings_readers(undulation)
        )
        self._special: dict[int, Callable[[Frame, Sender, int], Sequence[Decoded]]] = {
            42: self._progress, 44: self._counted, 46: self._progress, 73: self._item, 75: self._command,
            76: self._command, 77: self._acknowledged, 86: self._command, 111: self._synced, 253: self._text,
        }  # fmt: skip

    def feed(self, data: bytes, at_us: int) -> Sequence[Decoded]:
        """What a datagram, or the next piece of a stream, completes."""
        tally = self.tally
        if self._parser.pending:
            tally.seen -= 1
        frames, faults = self._parser.feed(data)
        tally.seen += len(frames) + len(faults) + bool(self._parser.pending)
        for fault in faults:
            tally.drop(fault)
        found: list[Decoded] = []
        for frame in frames:
            if self._signer is not None:
                unsigned = self._signer.fault(frame, at_us)
                if unsigned is not None:
                    tally.drop(unsigned)
                    continue
            sender = self._sender(frame)
            if sender is None:
                tally.drop("too many components")
                continue
            reader = self._readers.get(frame.message)
            special = self._special.get(frame.message)
            if special is not None:
                found += special(frame, sender, at_us)
            elif reader is not None:
                row, mask = BY_ID[frame.message].row(frame.payload)
                entity, ledger = reader(row, mask, sender, at_us)
                self._count(entity, ledger, found)
            elif frame.message in OPAQUE:
                found.append(_opaque(frame, sender, at_us))
                tally.carried += 1
            else:
                tally.drop("step of the mission protocol" if frame.message in _CHATTER else "message not known")
        return found

    def encode(self, entity: Entity, at_us: int) -> Encoded:
        """The messages that say `entity`, sent at `at_us`."""
        return self._writer.encode(entity, at_us)

    def idle(self, at_us: int) -> Sequence[bytes]:
        """What this end has to say unasked, to be sent now: answers that are due, and once a second its HEARTBEAT.

        With every tenth heartbeat it asks for the systems' clocks.
        """
        frames = list(self._answers)
        self._answers.clear()
        if self._beaten_us is None or at_us - self._beaten_us >= _BEAT_US:
            first = self._beaten_us is None
            self._beaten_us = at_us
            frames.append(self._outbox.frame("HEARTBEAT", ONLOOKER, at_us, type=18, autopilot=8, system_status=4))
            if first or at_us // _BEAT_US % 10 == 0:
                frames.append(self._outbox.frame("TIMESYNC", ONLOOKER, at_us, tc1=0, ts1=at_us * 1000))
        return frames

    def close(self) -> None:
        """Count what still waits as dropped."""
        self.tally.drop("cut short", self.tally.waiting)
        self._parser = Parser()
        self._words, self._missions = Words(), Missions()

    def _sender(self, frame: Frame) -> Sender | None:
        key = (frame.system, frame.component)
        sender = self._senders.get(key)
        if sender is None:
            if len(self._senders) >= _SENDERS:
                return None
            clock = self._clocks.setdefault(frame.system, Clock())
            sender = self._senders[key] = Sender(frame.system, frame.component, clock)
            self._writer.heard(frame.system)
        return sender

    def _count(self, entity: Entity | None, ledger: Ledger, found: list[Decoded]) -> None:
        if entity is None:
            self.tally.drop("says nothing usable")
        else:
            found.append(Decoded(entity, ledger))
            self.tally.carried += 1

    def _read(self, frame: Frame) -> tuple[tuple[Any, ...], int]:
        return BY_ID[frame.message].row(frame.payload)

    def _progress(self, frame: Frame, sender: Sender, at_us: int) -> Sequence[Decoded]:
        found: list[Decoded] = []
        row, mask = self._read(frame)
        self._count(*self._missions.progress(frame.message, row, mask, sender, at_us), found)
        return found

    def _command(self, frame: Frame, sender: Sender, at_us: int) -> Sequence[Decoded]:
        found: list[Decoded] = []
        row, mask = self._read(frame)
        names = BY_ID[frame.message].places
        if frame.message != 86 and row[names["command"]] == Cmd.START:
            if self._missions.started(row[names["target_system"]], sender):
                self.tally.carried += 1  # the end of what its mission asks
            else:
                self.tally.drop("starts a mission not heard")
            return ()
        assignee = self._assignee(row[names["target_system"]], row[names["target_component"]])
        self._count(*self._requests.heard(frame.message, row, mask, sender, assignee, at_us), found)
        return found

    def _acknowledged(self, frame: Frame, sender: Sender, at_us: int) -> Sequence[Decoded]:
        row, mask = self._read(frame)
        task, ledger = self._requests.acknowledged(row, mask, sender, at_us)
        if task is None:
            self.tally.drop("acknowledges nothing asked here")
            return ()
        self.tally.carried += 1
        return (Decoded(task, ledger),)

    def _synced(self, frame: Frame, sender: Sender, at_us: int) -> Sequence[Decoded]:
        found: list[Decoded] = []
        row, mask = self._read(frame)
        if row[0] == 0:
            self.tally.drop("asks for the time")
            self._answers.append(self._outbox.frame("TIMESYNC", ONLOOKER, at_us, tc1=at_us * 1000, ts1=row[1]))
        else:
            self._count(*self._readers[111](row, mask, sender, at_us), found)
        return found

    def _text(self, frame: Frame, sender: Sender, at_us: int) -> Sequence[Decoded]:
        report, ledger, count, lost = self._words.take(frame.payload, sender, at_us)
        self.tally.drop("chunk of a text that never ended", lost)
        self.tally.carried += count
        return () if report is None else (Decoded(report, ledger),)

    def _counted(self, frame: Frame, sender: Sender, at_us: int) -> Sequence[Decoded]:
        upload, lost = self._missions.counted(self._read(frame)[0], sender)
        self.tally.drop("mission not finished", lost)
        if upload is not None:
            return self._go_on(upload, at_us)
        return ()

    def _item(self, frame: Frame, sender: Sender, at_us: int) -> Sequence[Decoded]:
        row, mask = self._read(frame)
        upload = self._missions.item(row, mask, sender)
        if upload is None:
            self.tally.drop("item of no mission")
            return ()
        return self._go_on(upload, at_us)

    def _go_on(self, upload: Uploading, at_us: int) -> Sequence[Decoded]:
        """Ask for the next item of a mission laid up in a vehicle that is shown here, or take it as complete."""
        ours = not self._writer.is_heard(upload.system)
        me = (upload.system, upload.component or 1)
        to = {"target_system": upload.sender.system, "target_component": upload.sender.component}
        wanted = upload.wanted()
        if wanted is not None:
            if ours:
                self._answers.append(
                    self._outbox.frame("MISSION_REQUEST_INT", me, at_us, seq=wanted, mission_type=upload.kind, **to)
                )
            return ()
        found = self._missions.finish(upload, self._assignee(upload.system, upload.component).key, at_us)
        if ours:
            self._answers.append(
                self._outbox.frame("MISSION_ACK", me, at_us, type=0 if found else 3, mission_type=upload.kind, **to)
            )
        if found:
            self.tally.carried += 1 + upload.count
        else:
            self.tally.drop("mission without a way", 1 + upload.count)
        return found

    def _target(self, source: Source) -> Target:
        sender = self._senders.get(source)
        if sender is None or sender.autopilot is None or sender.mav_type is None:
            return Target(undulation=self._undulation)
        return Target((sender.autopilot, sender.mav_type), sender.above_home_m, self._undulation)

    def _assignee(self, system: int, component: int) -> Assignee:
        shown = self._writer.shown(system)
        if shown is not None:
            return shown
        sender = self._senders.get((system, component or 1))
        kind = None
        if sender is not None and sender.autopilot is not None and sender.mav_type is not None:
            kind = sender.autopilot, sender.mav_type
        return Assignee(f"{PROTOCOL}:{system}/{component or 1}", kind)


def _opaque(frame: Frame, sender: Sender, at_us: int) -> Decoded:
    """A message that is verified, but says what the model has no place for: kept as it came."""
    name = BY_ID[frame.message].name
    part = Remainder(protocol=PROTOCOL, field=f"{name}.data", data=b64encode(frame.payload).decode())
    track = Track(
        key=sender.key,
        identity=sender.identity,
        sensor=sender.sensor(at_us),
        timing=sender.timing(None, at_us),
        residue=Residue(parts=[part]),
    )
    return Decoded(
        track,
        listed(
            {
                "header.system": "identity.mavlink_id", "header.component": "identity.mavlink_id",
                "header.sequence": "-made anew", f"{name}.data": "-not decoded",
            }
        ),
    )  # fmt: skip
