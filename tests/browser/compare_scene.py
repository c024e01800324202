"""A node whose tracks go to two partners in part: to GBR coarsened and under a pseudonym, to USA hardly."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from web_scene import PEOPLE, Scene, _open, _settle, hire

from aldis.app import App
from aldis.apps.experiments.app import ExperimentsApp
from aldis.apps.experiments.entity import Decoded, Identity, Ledger, Position, Track
from aldis.apps.experiments.recorder import Recorder, Taps
from aldis.kernel.frames import Update
from aldis.kernel.labels import Label, Releasability
from aldis.kernel.records import Draft, DraftPortion, Record
from aldis.node.config import Config
from aldis.node.home import make_home
from aldis.node.node import Node
from aldis.node.people import Cost, Passwords
from aldis.testing.clock import VirtualClock as Clock

INSTRUMENT = """\
instrument = "arrangement"
id = "pa-{name}"
title = "Tracks to {party}"
parties = ["AUS", "{party}"]
from = 2026-01-01
until = 2028-12-31

[[clause]]
id = "2.1"
kinds = ["track"]
projects = ["NORTHERN-WATCH"]
purposes = ["surveillance"]
ceiling = {{ AUS = "SECRET", {policy} = "{ceiling}" }}
transforms = [{transforms}]

[[clause]]
id = "2.2"
kinds = ["track"]
projects = ["HARBOUR"]
purposes = ["surveillance"]
ceiling = {{ AUS = "SECRET", {policy} = "{ceiling}" }}
transforms = [{{ portion = "position", action = "delay", seconds = 3600 }}]

[[clause]]
id = "2.3"
kinds = ["track"]
projects = ["QUAY"]
purposes = ["surveillance"]
ceiling = {{ AUS = "SECRET", {policy} = "{ceiling}" }}
review = true
"""
COARSE = (
    '{ portion = "position", action = "coarsen", grid_m = 2000 }, { portion = "identity", action = "pseudonymise" }'
)
ALL = Label("AUS", "OFFICIAL", Releasability.to("AUS", "GBR", "USA"))
BRITISH = Label("AUS", "OFFICIAL", Releasability.to("AUS", "GBR"))
OURS = Label("AUS", "OFFICIAL", Releasability.to("AUS"))
HIGH = Label("AUS", "SECRET", Releasability.to("AUS", "GBR", "USA"))
PROJECT = "NORTHERN-WATCH"
START_MS = 1_790_000_000_000
PLACE = {"lat_deg": -12.345678, "lon_deg": 130.987654}
TRACKS: dict[str, dict[str, tuple[Any, Label]]] = {
    "t-shared": {
        "": (None, ALL),
        "position": (PLACE, ALL),
        "identity": ({"name": "SOUTHERN STAR"}, BRITISH),
        "sensor": ({"protocol": "ais", "received_ms": 1, "station": "WITHHELDSTATION"}, OURS),
    },
    "t-british": {"": (None, BRITISH), "position": ({"lat_deg": -12.5, "lon_deg": 131.5}, BRITISH)},
    "t-ours": {"": (None, OURS), "position": ({"lat_deg": -13.111, "lon_deg": 132.222}, OURS)},
    "t-lost": {"": (None, OURS)},
    "t-later": {"": (None, ALL), "position": ({"lat_deg": -14.5, "lon_deg": 133.5}, ALL)},
    "t-waits": {"": (None, ALL), "position": ({"lat_deg": -14.5, "lon_deg": 133.5}, ALL)},
    "t-high": {"": (None, HIGH), "identity": ({"name": "HIDDENHULL"}, HIGH)},
}


class Sea(Scene):
    """The node `aus`, its partners beside it."""

    def track(self, name: str, project: str = PROJECT) -> Record:
        parts = dict(TRACKS[name])
        _, header = parts.pop("")
        portions = [DraftPortion(part, label, value) for part, (value, label) in parts.items()]
        self.clock.at += 60_000
        return self.node.records.put(
            Draft(id=name, kind="track", originator=self.node.name, author="gateway", created=self.clock.now(),
                  project=project, label=header, portions=portions)
        )  # fmt: skip

    def record(self, run: str = "20261001-120000", seconds: int = 40, *, closed: bool = True) -> Path:
        """A recording of two tracks that move, one of them SECRET, of what left for GBR, and of what is nobody's."""
        place = self.node.context.recordings
        assert place is not None
        folder = Path(place.folder)
        folder.mkdir(exist_ok=True)
        low, high, none = "OFFICIAL//REL AUS/GBR/USA", "SECRET//REL AUS/GBR/USA", "SECRET//XYZZY"
        made = Recorder(folder, run, place.signer, node="aus", run=run, marking=high, began_ms=START_MS)
        taps, at = Taps(made), START_MS * 1000
        for second in range(seconds):
            now = at + second * 1_000_000
            moved = Position(lat_deg=-12.0 - second / 1000, lon_deg=131.0, at=now // 1000)
            star = Track(key="a", position=moved, identity=Identity(name="SOUTHERN STAR") if second % 10 == 0 else None)
            taps.entity("radar", low, Decoded(star, Ledger()), now, record="t-shared")
            hull = Track(key="b", position=Position(lat_deg=-20.0, lon_deg=140.0), identity=Identity(name="HIDDENHULL"))
            taps.entity("radar", high, Decoded(hull, Ledger()), now, record="t-high")
            taps.entity("radar", low, Decoded(Track(key="c", identity=Identity(name="NORECORD")), Ledger()), now)
            lost = Track(key="e", identity=Identity(name="LATERDELETED"))
            taps.entity("radar", low, Decoded(lost, Ledger()), now, record="t-lost")
            for marking, record in ((none, "t-shared"), (low, "t-gone")):
                ghost = Track(key="d", identity=Identity(name="UNDECIDABLE"))
                taps.entity("radar", marking, Decoded(ghost, Ledger()), now, record=record)
            sent = {"key": "t-shared", "position": {"lat_deg": -12.05, "lon_deg": 131.01, "grid_m": 2000}}
            taps.crossed("gbr", low, sent, now, left=True, frame=f"1/{second}")
            if second % 5 == 0:
                made.flush()
        made.flush()
        (path,) = made.segments
        if closed:
            made.close()
            return path
        data = path.read_bytes()
        made.close()
        path.write_bytes(data)
        return path

    def publish(self, name: str, portion: str, value: Any, label: Label) -> None:
        update = Update(name, "track", portion, self.clock.now(), value)
        self.node.context.publish(TRACKS[name][""][1], label, PROJECT, update)


@contextmanager
def sea(folder: Path, *, tracks: bool = True, partners: tuple[str, ...] = ("GBR", "USA")) -> Iterator[Sea]:
    clock, apps = Clock(), dict[str, App](experiments=ExperimentsApp())
    policies = {"GBR": ("UK", "SECRET", COARSE), "USA": ("US", "UNCLASSIFIED", "")}
    make_home(folder / "aus", Config(node="aus", party="AUS", policy="AUS", ceiling="SECRET"), now=clock.now())
    settings = {"record": True, "project": PROJECT}
    with Node.open(folder / "aus", clock=clock, environment={}, flags=settings, apps=apps) as aus:
        for party in partners:
            policy, ceiling, transforms = policies[party]
            with _open(folder / party.lower(), party.lower(), party, policy, clock, apps) as other:
                invitation = aus.partners.invite(party)
                _, reply = other.partners.join(invitation, lambda _sheet, _digits: True)
                aus.partners.join(reply or b"", lambda _sheet, _digits: True)
                _settle(aus, other, clock)
                text = INSTRUMENT.format(
                    party=party, name=party.lower(), policy=policy, ceiling=ceiling, transforms=transforms
                )
                record = aus.register.draft(text, "officer")
                _settle(aus, other, clock)
                for node in (aus, other):
                    node.register.sign(record.header.id, "officer")
                _settle(aus, other, clock)
                if party == "GBR":
                    theirs = Label("UK", "OFFICIAL", Releasability.to("AUS", "GBR"))
                    named = DraftPortion("identity", theirs, {"name": "ALBION"})
                    other.records.put(
                        Draft(id="t-gbr", kind="track", originator="gbr", author="gateway", created=clock.now(),
                              project=PROJECT, label=theirs, portions=[named])
                    )  # fmt: skip
                    _settle(aus, other, clock)
        aus.people.passwords = Passwords(aus.core.random, Cost(32, 1, 4))
        for who, fields in PEOPLE.items():
            hire(aus, who, **fields)
        made = Sea(aus, clock)
        for name in TRACKS if tracks else ():
            if name not in ("t-later", "t-waits"):
                made.track(name)
        yield made
