"""Canaries: unique values in whatever a partner may not have, looked for in every byte that is for that partner.

`python -m tests.canaries --events 1000000` plays any number. A world has markings and instruments drawn by its seed;
who may have what is worked out here anew, from what was drawn and not by the kernel. Tracks, areas, reports and
surroundings pass through the real plot, release, frames, bundles, admission, gateways, dead reckoning and tape of three
real nodes.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import logging
import math
import struct
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count, takewhile
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import structlog

sys.path.append(str(Path(__file__).parent / "node"))

from nations import PROJECT, Coalition

from aldis.app import System
from aldis.apps.experiments.app import ExperimentsApp
from aldis.apps.experiments.crossing import Crossing
from aldis.apps.experiments.entity import (
    Area,
    Decoded,
    Entity,
    Environment,
    Identity,
    Ledger,
    Motion,
    Original,
    Point,
    Position,
    Remainder,
    Report,
    Residue,
    Sensor,
    Status,
    Timing,
    Track,
    Type,
    Voyage,
)
from aldis.apps.experiments.entity.geodesy import distance_m
from aldis.apps.experiments.gateways.registry import PROTOCOLS, offered
from aldis.apps.experiments.plot import Plot
from aldis.apps.experiments.recorder import messages, verify
from aldis.apps.experiments.systems import Connection
from aldis.apps.experiments.tape import Tape
from aldis.kernel.instruments import Action, Transform
from aldis.kernel.transforms import Transformed, apply_transforms
from aldis.node.people import Account

__all__ = ["Leak", "Outcome", "play"]

PER_WORLD = 15_000
_BATCH = 150
_TURNS = len(PROTOCOLS)
"""In how many worlds each protocol is spoken once."""
_TO = {
    "OFFICIAL//REL AUS/GBR/USA": {"gbr", "usa", "low"},
    "OFFICIAL//REL AUS/GBR": {"gbr", "low"},
    "OFFICIAL//REL AUS/USA": {"usa", "low"},
    "PROTECTED//REL AUS/GBR/USA": {"gbr", "usa"},
    "PROTECTED//REL AUS/USA": {"usa"},
    "SECRET//AGAO": set[str](),
}
"""Markings, and whom each lets have it: the partners, and a system of our own that is cleared for OFFICIAL, `low`."""
_OPEN = "OFFICIAL//REL AUS/GBR/USA"
_PORTIONS = {
    "track": ("position", "motion", "identity", "type", "status", "voyage", "sensor"),
    "area": ("shape", "purpose"),
    "report": ("text", "about", "position"),
    "environment": ("values", "position"),
}
_TEXTS = {"purpose", "identity", "type", "status", "voyage", "sensor", "text", "about", "position"}
_LETTERS = "BCDFGHJKMNPQRSTVWXYZ"
_ARMOUR = bytes([*range(48, 88), *range(96, 120)])


class Leak(AssertionError):
    """A canary was found where it may not be."""


@dataclass
class Outcome:
    """How many events there were, and bytes by where they went; `found` is what a world with a planted leak let out."""

    events: int = 0
    looked_at: Counter[str] = field(default_factory=Counter)
    found: Counter[str] = field(default_factory=Counter)


class Canary:
    """The values that stand for one portion of a kind: text with a mark, and numbers whose first digits are a mark."""

    def __init__(self, chance: Random, kind: str, portion: str) -> None:
        self.kind, self.portion = kind, portion
        self.mark = "ZQ" + "".join(chance.choices(_LETTERS, k=9))
        self.numbers = {name: _number(chance, *bounds) for name, bounds in _BOUNDS.items()}

    def text(self, number: int) -> str:
        """A text that was never used before."""
        return f"{self.mark}{number}"

    def value(self, name: str, number: int) -> float:
        """A number that was never used before: its first nine digits are those of the canary."""
        return self.numbers[name] * (1 + number * 1e-13)

    def patterns(self) -> Iterator[bytes]:
        """What its values look like in bytes."""
        mark = self.mark
        if self.portion in _TEXTS:
            plain = mark.encode()
            yield from (plain, plain.lower(), mark.encode("utf-16-le"), mark.encode("utf-16-be"))
            yield from (plain.hex().encode(), plain.hex().upper().encode())
            yield from _base64(plain)
            yield from _armoured(plain)
        for name, number in self.numbers.items():
            if name in _USED[self.kind, self.portion]:
                yield _digits(number).encode()
                double = struct.pack(">d", number)[:5]
                yield from (double, double[::-1])


_BOUNDS = {
    "lat": (20.0, 60.0),
    "lon": (20.0, 60.0),
    "high": (300.0, 900.0),
    "speed": (8.0, 30.0),
    "angle": (20.0, 350.0),
}
_USED = {
    ("track", "position"): {"lat", "lon", "high"},
    ("track", "motion"): {"speed", "angle"},
    ("track", "identity"): set[str](),
    ("track", "type"): {"high"},
    ("track", "status"): {"angle"},
    ("track", "voyage"): {"speed"},
    ("track", "sensor"): {"angle", "high"},
    ("area", "shape"): {"lat", "lon", "high"},
    ("area", "purpose"): set[str](),
    ("report", "text"): set[str](),
    ("report", "about"): set[str](),
    ("report", "position"): {"lat", "lon"},
    ("environment", "values"): {"speed", "angle", "high"},
    ("environment", "position"): {"lat", "lon"},
}


def _number(chance: Random, least: float, most: float) -> float:
    """One whose first digits and bits stay the same under the change that makes each value unique."""
    while True:
        mantissa, exponent = math.frexp(chance.uniform(least, most))
        number = math.ldexp((math.floor(mantissa * 2**26) + 0.5) / 2**26, exponent)
        if len(_digits(number)) >= 10 and struct.pack(">d", number)[:5] == struct.pack(">d", number * _MOST)[:5]:
            return number


_MOST = 1 + 2e-9


def _digits(number: float) -> str:
    pairs = zip(f"{number:.15f}", f"{number * _MOST:.15f}", strict=True)
    return "".join(one for one, _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


def _base64(plain: bytes) -> Iterator[bytes]:
    """Base64 of a text wherever it begins, without the symbols that its neighbours have a part in."""
    for lead in range(3):
        whole = base64.b64encode(b"\x00" * lead + plain + b"\x00" * 3)
        yield whole[-(-lead // 3) * 4 : (lead + len(plain)) // 3 * 4]


def _armoured(plain: bytes) -> Iterator[bytes]:
    """A text in AIS's letters of six bits, in its armour (ITU-R M.1371-5, table 47; IEC 61162-1), at any bit."""
    bits = "".join(f"{byte & 63:06b}" for byte in plain)
    for lead in range(6):
        inner = bits[-lead % 6 :]
        yield bytes(_ARMOUR[int(inner[at : at + 6], 2)] for at in range(0, len(inner) - 5, 6))


@dataclass
class Terms:
    """What was drawn for one partner: what a clause covers, and what it does to it."""

    kinds: list[str]
    portions: list[str] | None
    grid_m: int
    pseudonym: bool

    def toml(self, party: str) -> str:
        steps = [f'{{ portion = "position", action = "coarsen", grid_m = {self.grid_m} }}'] * bool(self.grid_m)
        steps += ['{ portion = "identity", action = "pseudonymise" }'] * self.pseudonym
        rank = {"GBR": "UK", "USA": "US"}[party]
        portions = f"portions = {msgspec.json.encode(self.portions).decode()}\n" if self.portions else ""
        return (
            f'instrument = "arrangement"\nid = "pa-{party.lower()}"\ntitle = "Watch"\nparties = ["AUS", "{party}"]\n'
            f'from = 2026-01-01\nuntil = 2028-12-31\n[[clause]]\nid = "1"\n'
            f"kinds = {msgspec.json.encode(self.kinds).decode()}\n"
            f'projects = ["{PROJECT}"]\npurposes = ["surveillance"]\n'
            f'{portions}ceiling = {{ AUS = "SECRET", {rank} = "SECRET" }}\ntransforms = [{", ".join(steps)}]\n'
        )


class World:
    """Three nations whose markings and instruments follow from a seed; with `leak`, everything may go to everybody."""

    def __init__(self, seed: int, folder: Path, *, leak: bool = False) -> None:
        self.chance, self.leak, self.outcome = Random(seed), leak, Outcome()
        self.canaries = {
            (kind, name): Canary(self.chance, kind, name) for kind, names in _PORTIONS.items() for name in names
        }
        draw = self.chance
        self.labels = {key: draw.choice(list(_TO)) for key in self.canaries}
        self.labels["track", "sensor"] = "SECRET//AGAO"
        self.terms = {party: self._terms() for party in ("gbr", "usa")}
        self.forbidden = {who: [*self._forbidden(who)] for who in ("gbr", "usa", "low")}
        self.nations = Coalition(folder, {"experiments": ExperimentsApp()})
        said = {key: _OPEN if leak else marking for key, marking in self.labels.items()}
        closed = _OPEN if leak else "SECRET//AGAO"
        labels = {
            kind: {"header": _OPEN, "timing": closed, **{name: said[kind, name] for name in names}}
            for kind, names in _PORTIONS.items()
        }
        self.nations.add("aus", project=PROJECT, labels=labels, record=True)
        for name in ("gbr", "usa"):
            self.nations.add(name, project=PROJECT)
            self.nations.pair("aus", name)
        self.nations.settle()
        for party, terms in self.terms.items():
            every = Terms([*_PORTIONS], None, 0, False)
            self.nations.arrange((every if leak else terms).toml(party.upper()))
        for node, clearance in (("aus", {"AUS": "OFFICIAL"}), ("gbr", {"UK": "SECRET"})):
            account = Account(
                id="low", name="low", nationality=node.upper(), clearance=clearance, projects=[PROJECT],
            )  # fmt: skip
            self.nations[node].people.add(account)
        aus = self.nations["aus"]
        self.plot = Plot(aus.context, PROJECT, record_every_ms=20_000)
        self.tape = Tape(aus.context, self.plot.highest())
        self.crossing = Crossing(aus.context, self.tape)
        spoken = [name for place, name in enumerate(sorted(PROTOCOLS)) if (place + seed) % _TURNS == 0]
        self.systems = {(node, name): self._system(node, name) for node in ("aus", "gbr") for name in spoken}
        self.numbers = count(1)

    def _terms(self) -> Terms:
        draw = self.chance
        kinds = ["track", *(kind for kind in ("area", "report", "environment") if draw.random() < 0.7)]
        names = sorted({name for kind in kinds for name in _PORTIONS[kind]})
        portions = None if draw.random() < 0.6 else sorted({"position", *draw.sample(names, len(names) // 2)})
        return Terms(kinds, portions, draw.choice((0, 0, 500, 2_000, 10_000)), draw.random() < 0.5)

    def _forbidden(self, who: str) -> Iterator[tuple[Canary, Sequence[bytes]]]:
        """The canaries that must not be in what is for a partner, or for a system of our own that is cleared low."""
        for (kind, name), canary in self.canaries.items():
            terms = self.terms.get(who)
            goes = who in _TO[self.labels[kind, name]]
            if terms is not None:
                goes &= kind in terms.kinds and (terms.portions is None or name in terms.portions)
                goes &= not (name == "position" and terms.grid_m) and not (name == "identity" and terms.pseudonym)
            if not goes:
                yield canary, [*canary.patterns(), *self._finer(canary, terms)]

    @staticmethod
    def _finer(canary: Canary, terms: Terms | None) -> Iterator[bytes]:
        """What coarsening on finer grids than agreed would have made of a place."""
        if terms is None or not terms.grid_m or canary.portion != "position":
            return
        place = {"lat_deg": canary.numbers["lat"], "lon_deg": canary.numbers["lon"]}
        agreed = _cell(place, terms.grid_m)
        for share in (2, 3, 4, 10):
            finer = _cell(place, terms.grid_m // share)
            yield from (
                str(finer[n]).encode() for n in (0, 1) if abs(finer[n] - agreed[n]) > 1e-6 and len(str(finer[n])) > 9
            )

    def _system(self, node: str, protocol: str) -> Connection:
        scheme = {"zenoh": "zenoh", "umaa": "dds"}.get(protocol, "udp")
        address = f"{protocol}+{scheme}://127.0.0.1:1"
        if scheme != "udp":
            address = "geojson+udp://127.0.0.1:1"
        system = System(name=f"{node}-{protocol}", address=address, person="low", reckon=True)
        tape = self.tape if node == "aus" else Tape(self.nations[node].context, "UK SECRET")
        made = Connection(self.nations[node].context, self.plot, tape, system)
        made._offered = offered(protocol)
        return made

    async def run(self, events: int) -> Outcome:
        """Play that many events."""
        watching = [
            asyncio.create_task(one._watch(kind)) for one in self.systems.values() for kind in _PORTIONS
        ]  # fmt: skip
        await asyncio.sleep(0)
        gateways = {key: offered(key[1]).open() for key in self.systems}
        try:
            for begin in range(0, events, _BATCH):
                for _ in range(min(_BATCH, events - begin)):
                    self.plot.take(Decoded(self._event(), Ledger()), "sensor/1")
                self.nations.clock.at += 700
                for node in ("gbr", "usa"):
                    while frame := self.nations["aus"].live_out.frame(node, 1):
                        self._look(f"frame to {node}", node, [frame])
                        if node == "gbr":
                            self.nations[node].answer("aus", "live", frame)
                for _ in range(4):
                    await asyncio.sleep(0)
                self._show(gateways)
                if begin // _BATCH % 20 == 1:
                    self._record()
                self.outcome.events += min(_BATCH, events - begin)
            self._record()
        finally:
            for task in watching:
                task.cancel()
            await asyncio.gather(*watching, return_exceptions=True)
        self.crossing.close()
        self.tape.close()
        self._recorded()
        self.nations.close()
        return self.outcome

    def _show(self, gateways: Mapping[tuple[str, str], Any]) -> None:
        """What systems are sent of it, and where it will be."""
        now = self.nations.clock
        for key, one in self.systems.items():
            changed = one._cadence.due(now.at / 1000)
            who = "low" if key[0] == "aus" else "gbr"
            sent = [message for slot in changed for message in one._said(gateways[key], slot, ahead=False)]
            self._look(f"system of {key[0]}", who, sent, key[1])
            before, now.at = now.at, now.at + 2_000
            ahead = [
                message for slot in one._ahead.due(now.at) for message in one._said(gateways[key], slot, ahead=True)
            ]
            now.at = before
            self._look(f"reckoned at {key[0]}", who, ahead, key[1])

    def _record(self) -> None:
        """Durable versions, and the bundles that carry them."""
        self.plot.settle(self.nations.clock.at)
        self.nations.wire.clear()
        self.nations.settle()
        for node in ("gbr", "usa"):
            self._look(f"bundle to {node}", node, [self.nations.seen_by(node)])

    def _recorded(self) -> None:
        """What the tape says left for each partner, and was sent to each system."""
        for file in sorted((self.nations.folder / "aus" / "recordings").glob("*.mcap")):
            findings = verify(file, self.nations["aus"].core.signer.public)
            assert findings.state == "intact", findings
            sent: dict[str, list[bytes]] = {}
            for message in messages(file, findings.covered):
                _, tap, name, *_ = message.topic.split("/")
                if tap == "egress":
                    who = name.removeprefix("node:") if name.startswith("node:") else "low"
                    sent.setdefault(who, []).append(message.data)
            for who, data in sent.items():
                self._look(f"tape of {who}", who, data)

    def _look(self, where: str, who: str, sent: Iterable[bytes], protocol: str = "") -> None:
        """Raise, or count where a leak was planted, if there is a canary in what is for who may not have it."""
        blob = b"\n".join(sent)
        self.outcome.looked_at[where] += len(blob)
        for canary, patterns in self.forbidden[who] if blob else ():
            for pattern in patterns:
                if pattern in blob:
                    self._tell(where, who, canary, pattern)
        if protocol and blob:
            self._listen(where, who, sent, protocol)

    def _listen(self, where: str, who: str, sent: Iterable[bytes], protocol: str) -> None:
        """What their own gateway reads in it, for numbers that a protocol writes in its own way."""
        places = [one for one, _ in self.forbidden[who] if "lat" in _USED[one.kind, one.portion]]
        moving = [one for one, _ in self.forbidden[who] if (one.kind, one.portion) == ("track", "motion")]
        gateway, at_us = offered(protocol).open(), 1000 * self.nations.clock.at
        for message in sent:
            for decoded in gateway.feed(message, at_us):
                place: Position | None = getattr(decoded.entity, "position", None)
                motion: Motion | None = getattr(decoded.entity, "motion", None)
                for canary in places:
                    lat, lon = canary.numbers["lat"], canary.numbers["lon"]
                    if place is not None and distance_m(place.lat_deg, place.lon_deg, lat, lon) < 5:
                        self._tell(where, who, canary, repr(place).encode())
                for canary in moving:
                    course = motion.course_deg if motion is not None else None
                    if course is not None and abs(course - canary.numbers["angle"]) < 0.1:
                        self._tell(where, who, canary, repr(motion).encode())

    def _tell(self, where: str, who: str, canary: Canary, pattern: bytes) -> None:
        if not self.leak:
            raise Leak(f"{canary.kind}.{canary.portion} in what is for {who} ({where}): {pattern!r}")
        self.outcome.found[where] += 1

    # what happens

    def _event(self) -> Entity:
        """Something that a gateway made out, with canaries in whatever it says."""
        number, draw = next(self.numbers), self.chance
        kind = draw.choices(("track", "area", "report", "environment"), (20, 1, 1, 1))[0]
        now = self.nations.clock.at
        timing = Timing(received_us=1000 * now)
        if kind == "track":
            return self._track(f"cot:ship-{draw.randrange(40)}", number, now, timing)
        if kind == "area":
            shape, purpose = self.canaries[kind, "shape"], self.canaries[kind, "purpose"]
            point = Point(lat_deg=shape.value("lat", number), lon_deg=shape.value("lon", number))
            return Area(
                key=f"area:{draw.randrange(9)}", shape="circle", points=[point], radius_m=shape.value("high", number),
                name=purpose.text(number), purpose=purpose.text(number), timing=timing,
            )  # fmt: skip
        place = self._place(kind, number, now)
        if kind == "report":
            text, about = self.canaries[kind, "text"].text(number), self.canaries[kind, "about"].text(number)
            return Report(
                key=f"report:{draw.randrange(9)}", text=f'"{text}" \u00e9', author=about, position=place, timing=timing
            )
        values = self.canaries[kind, "values"]
        return Environment(
            key=f"environment:{draw.randrange(9)}", position=place, wind_mps=values.value("speed", number),
            wind_from_deg=values.value("angle", number), pressure_hpa=values.value("high", number), timing=timing,
        )  # fmt: skip

    def _place(self, kind: str, number: int, now: int) -> Position:
        canary = self.canaries[kind, "position"]
        lat, lon = canary.value("lat", number), canary.value("lon", number)
        high = canary.value("high", number) if kind == "track" else None
        original = None if kind != "track" else Original(
            frame="geodetic", datum=canary.text(number), values=(lat, lon)
        )  # fmt: skip
        return Position(lat_deg=lat, lon_deg=lon, at=now, height_m=high, original=original)

    def _track(self, key: str, number: int, now: int, timing: Timing) -> Track:
        draw, found = self.chance, {name: self.canaries["track", name] for name in _PORTIONS["track"]}
        motion, sensor, kind = found["motion"], found["sensor"], found["type"]
        groups: dict[str, Any] = {
            "position": self._place("track", number, now),
            "motion": Motion(
                at=now, speed_mps=motion.value("speed", number), course_deg=motion.value("angle", number),
                turn_deg_per_min=draw.choice((None, 3.0)),
            ),
            "identity": Identity(
                name=found["identity"].text(number), callsign=found["identity"].text(number),
                team=found["identity"].mark, mmsi=draw.choice((None, 230_000_000 + number)),
            ),
            "type": Type(
                ship_type=70, ship_type_text=kind.text(number), length_m=kind.value("high", number), umaa=kind.mark
            ),
            "status": Status(
                mode=found["status"].text(number), remarks=f"<{found['status'].text(number)}>",
                battery_percent=found["status"].value("angle", number) / 4,
            ),
            "voyage": Voyage(
                destination=found["voyage"].text(number), draught_m=found["voyage"].value("speed", number)
            ),
        }  # fmt: skip
        said = {name: group for name, group in groups.items() if draw.random() < 0.45}
        heard = Sensor(
            protocol="cot", received_ms=now, station=sensor.text(number), software=sensor.text(number),
            azimuth_deg=sensor.value("angle", number), range_m=sensor.value("high", number),
        )  # fmt: skip
        if draw.random() < 0.1:
            data = base64.b64encode(sensor.text(number).encode()).decode()
            said["residue"] = Residue(parts=[Remainder(protocol="cot", field="detail/x", data=data)])
        return Track(key=key, sensor=heard, timing=timing, **said)


def _cell(place: dict[str, float], grid_m: int) -> tuple[float, float]:
    made = apply_transforms(
        [Transform(portion="position", action=Action.COARSEN, grid_m=grid_m)], place, secret=bytes(16), partner="x"
    )
    assert isinstance(made, Transformed)
    return made.value["lat_deg"], made.value["lon_deg"]


def play(seed: int, events: int, *, leak: bool = False) -> Outcome:
    """One world, and what came of it.

    Raises:
        Leak: a canary where it may not be, and no leak was planted.
    """
    with tempfile.TemporaryDirectory(prefix="aldis-canaries-") as folder:
        return asyncio.run(World(seed, Path(folder), leak=leak).run(events))


def main() -> int:
    """Play as many events as were asked for, world by world, and tell how fast."""
    parser = argparse.ArgumentParser(prog="python -m tests.canaries", description=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    began, done, size = time.monotonic(), 0, Counter[str]()
    for seed in count(given.seed):
        outcome = play(seed, min(PER_WORLD, given.events - done))
        done += outcome.events
        size += outcome.looked_at
        rate = done / (time.monotonic() - began)
        print(
            f"\r{done:,} of {given.events:,} events in {seed - given.seed + 1} worlds, {rate:,.0f}/s ",
            end="",
            flush=True,
        )
        if done >= given.events:
            break
    print(f"\nno canary in {sum(size.values()):,} bytes: {', '.join(f'{n} {b:,}' for n, b in sorted(size.items()))}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
