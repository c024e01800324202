"""A node with tracks of its own and of a partner, live and recorded, some of them not for everybody."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from web_scene import AUSTRALIAN, OFFICIAL, PEOPLE, PROJECT, SECRET, Scene, _open, _settle, hire

from aldis.app import Live
from aldis.apps.experiments import app as experiments
from aldis.apps.experiments.kinds import TRACK
from aldis.kernel.frames import Update
from aldis.kernel.labels import Label
from aldis.kernel.records import Draft, DraftPortion
from aldis.node.node import Node
from aldis.node.people import Cost, Passwords
from aldis.testing.clock import VirtualClock as Clock

AGREED = f"""\
instrument = "arrangement"
id = "pa-picture"
title = "One picture"
parties = ["AUS", "GBR"]
from = 2026-01-01
until = 2028-12-31

[[clause]]
id = "1"
kinds = ["track"]
projects = ["{PROJECT}"]
purposes = ["surveillance"]
ceiling = {{ AUS = "SECRET", UK = "SECRET" }}
"""
BRITISH = Label("UK", "OFFICIAL")
CANARY = "WITHHELDTRACK"


class Sea(Scene):
    """As a `Scene`, with tracks; `partner` is the node of GBR."""

    partner: Node

    def track(
        self,
        name: str,
        lat: float,
        lon: float,
        groups: dict[str, Any] | None = None,
        *,
        header: Label = OFFICIAL,
        labels: dict[str, Label] | None = None,
        node: Node | None = None,
        age_ms: int = 0,
    ) -> str:
        """A track by its portions, as a record; returns its id."""
        at, id_ = self.clock.at - age_ms, f"trk-{name.lower().replace(' ', '-')}"
        place = {"lat_deg": lat, "lon_deg": lon, "at": at}
        values: dict[str, Any] = {"position": place, "identity": {"name": name}, **(groups or {})}
        portions = [DraftPortion(part, (labels or {}).get(part, header), value) for part, value in values.items()]
        holder = node or self.node
        draft = Draft(kind="track", id=id_, originator=holder.name, author="gateway", created=at, label=header,
                      project=PROJECT, portions=portions)  # fmt: skip
        holder.records.put(draft)
        return id_

    def live(
        self,
        id_: str,
        values: dict[str, Any],
        *,
        header: Label = OFFICIAL,
        labels: dict[str, Label] | None = None,
        source: str = "",
    ) -> None:
        """New values, as a gateway publishes them or a partner's frame brings them."""
        context = self.node.context
        for part, value in values.items():
            update, label = Update(id_, TRACK.name, part, self.clock.at, value), (labels or {}).get(part, header)
            if source:
                context.told([Live(source, label, update)])
            else:
                context.publish(header, label, PROJECT, update)


@contextmanager
def sea(folder: Path) -> Iterator[Sea]:
    """AUS and GBR under an arrangement for tracks; nothing is at sea yet."""
    clock, apps = Clock(), {"experiments": experiments}
    aus, gbr = (_open(folder / name, name, party, policy, clock, apps)
                for name, party, policy in (("aus", "AUS", "AUS"), ("gbr", "GBR", "UK")))  # fmt: skip
    with aus, gbr:
        invitation = aus.partners.invite("GBR")
        _, reply = gbr.partners.join(invitation, lambda _sheet, _digits: True)
        aus.partners.join(reply or b"", lambda _sheet, _digits: True)
        _settle(aus, gbr, clock)
        record = aus.register.draft(AGREED, "officer")
        _settle(aus, gbr, clock)
        for node in (aus, gbr):
            node.register.sign(record.header.id, "officer")
        _settle(aus, gbr, clock)
        aus.people.passwords = Passwords(aus.core.random, Cost(32, 1, 4))
        for who in ("alice", "bob"):
            hire(aus, who, **PEOPLE[who])
        made = Sea(aus, clock)
        made.partner = gbr
        yield made


def populate(made: Sea) -> None:
    """Ships of this nation and of its partner in a gulf, one coarsely known, one reckoned on, one for few."""
    now = made.clock.at
    made.track("TALLINK STAR", 59.72, 24.70, {"type": {"ship_type": 60}, "motion": _moving(8.0, 75.0, now)})
    usv = {"type": {"affiliation": "friend", "siso": "1.3.13.30"}, "motion": _moving(4.0, 310.0, now)}
    made.track("USV ANGLERFISH", 59.83, 24.95, usv)
    made.track(CANARY, 59.90, 25.20, {"type": {"affiliation": "suspect", "ship_type": 70}}, header=SECRET)
    made.track("MIXED", 59.65, 25.05, {"type": {"ship_type": 30}}, labels={"identity": AUSTRALIAN})
    made.track("OLD ANCHOR", 59.58, 24.30, {"type": {"ship_type": 80}}, age_ms=15 * 60_000)
    drifter = {"type": {"ship_type": 70}, "motion": _moving(9.0, 120.0, now - 60_000)}
    made.track("DRIFTER", 59.78, 24.30, drifter, age_ms=60_000)
    friend = {"type": {"affiliation": "friend", "ship_type": 35}}
    made.track("HMS EXAMPLE", 59.95, 24.60, friend, node=made.partner, header=BRITISH)
    coarse = {"position": {"lat_deg": 59.87, "lon_deg": 24.40, "at": now, "grid_m": 5000}}
    made.track("COARSE", 59.87, 24.40, coarse, node=made.partner, header=BRITISH)
    _settle(made.node, made.partner, made.clock)


def _moving(speed: float, course: float, at: int) -> dict[str, Any]:
    return {"speed_mps": speed, "course_deg": course, "at": at}


def circle(made: Sea, count: int, turn: float, *, at: int) -> None:
    """So many tracks of this node's own, live, at their places after so much of a turn."""
    for number in range(count):
        angle, far = turn + number, 0.05 + 0.4 * (number % 50) / 50
        position = {"lat_deg": 59.8 + far * math.sin(angle), "lon_deg": 24.8 + 2 * far * math.cos(angle), "at": at}
        motion = {"speed_mps": 6.0, "course_deg": (-math.degrees(angle)) % 360, "at": at}
        made.live(f"trk-{number:04}", {"position": position, "motion": motion})
