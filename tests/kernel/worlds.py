"""Small worlds for tests of release: seeded, fast, and dense in the corners where rules meet."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from random import Random

from aldis.kernel.encoding import sha256
from aldis.kernel.epoch import Partner, PartnerStatus, PolicyEpoch
from aldis.kernel.instruments import (
    Action,
    Clause,
    Effect,
    Entry,
    Form,
    Instrument,
    Instruments,
    Notice,
    Transform,
)
from aldis.kernel.labels import Access, Label, Releasability
from aldis.kernel.policies import Policies
from aldis.kernel.release import Request

ANY = frozenset({"*"})
DAY = 86_400_000
TABLE = """
[policy]
name = "COA"
owner = ""
authority = "a coalition of these tests"

[[rungs]]
name = "LOW"
portion = "L"
unmarked = "agreement"
source = "test"

[[rungs]]
name = "HIGH"
portion = "H"
unmarked = "person"
source = "test"

[[categories]]
tag = "Community"
type = "permissive"
source = "test"
values = [{ name = "BLUE", source = "test" }, { name = "GREEN", source = "test" }]

[[categories]]
tag = "Compartment"
type = "restrictive"
source = "test"
values = [{ name = "ONE", source = "test" }, { name = "TWO", source = "test" }]

[[categories]]
tag = "Note"
type = "informative"
source = "test"
values = [{ name = "ANYTHING", source = "test" }]
"""

EQUIVALENCES = """
[[rows]]
direction = "protect_as"
from = "AUS"
to = "US"
since = 2002-11-07
source = "test"
levels = { "SECRET" = "SECRET", "TOP SECRET" = "TOP SECRET" }

[[rows]]
direction = "protect_as"
from = "US"
to = "AUS"
since = 2026-01-01
source = "test"
levels = { "CONFIDENTIAL" = "SECRET", "SECRET" = "SECRET", "TOP SECRET" = "TOP SECRET" }

[[rows]]
direction = "protect_as"
from = "US"
to = "UK"
since = 2002-11-07
source = "test"
levels = { "CUI" = "OFFICIAL", "SECRET" = "TOP SECRET" }

[[rows]]
direction = "protect_as"
from = "COA"
to = "US"
since = 2020-01-01
source = "test"
levels = { "LOW" = "CUI", "HIGH" = "TOP SECRET" }

[[rows]]
direction = "protect_as"
from = "COA"
to = "AUS"
since = 2020-01-01
until = 2026-02-01
source = "test"
levels = { "LOW" = "OFFICIAL", "HIGH" = "SECRET" }

[[rows]]
direction = "clearance_counts_as"
from = "US"
to = "AUS"
since = 2002-11-07
source = "test"
levels = { "SECRET" = "SECRET", "TOP SECRET" = "TOP SECRET" }

[[rows]]
direction = "clearance_counts_as"
from = "UK"
to = "AUS"
since = 2018-10-01
source = "test"
levels = { "SECRET" = "SECRET", "TOP SECRET" = "SECRET" }

[[rows]]
direction = "clearance_counts_as"
from = "CAN"
to = "US"
since = 2018-10-01
until = 2026-03-01
source = "test"
levels = { "SECRET" = "SECRET" }

[[rows]]
direction = "clearance_counts_as"
from = "AUS"
to = "COA"
since = 2020-01-01
source = "test"
levels = { "SECRET" = "HIGH", "OFFICIAL" = "LOW" }
"""


def day(text: str) -> int:
    """The first instant of a UTC day, in ms."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1000


@cache
def policies() -> Policies:
    """The policies that come with Aldis and one with a permissive category; few equivalences, some that change."""
    tables = files("aldis.kernel.policies") / "data"
    found = {entry.name.removesuffix(".toml"): entry.read_bytes() for entry in tables.iterdir()}
    return Policies.from_tables({**found, "coa": TABLE.encode(), "equivalences": EQUIVALENCES.encode()})


PARTIES = ("AUS", "GBR", "USA", "CAN")
KINDS = ("track", "document")
PROJECTS = ("", "NORTHERN-WATCH", "SEA-TRIAL")
PURPOSES = ("surveillance", "search-and-rescue", "survey")
PORTIONS = ("", "position", "identity")
TAGS = ("USML:XI(c)", "DSGL:6A001", "UKML:9")
RUNGS = {
    "AUS": ("OFFICIAL", "PROTECTED", "SECRET", "TOP SECRET"),
    "UK": ("OFFICIAL", "SECRET", "TOP SECRET"),
    "US": ("UNCLASSIFIED", "CUI", "SECRET", "TOP SECRET"),
    "CAN": ("UNCLASSIFIED", "CONFIDENTIAL", "SECRET"),
    "COA": ("LOW", "HIGH"),
    "TLP": ("GREEN", "AMBER"),
}
CATEGORIES = {
    "AUS": (("Special Handling", ("CABINET", "ORCON")), ("Information Management", ("Legal-Privilege",))),
    "UK": (("Handling", ("RECIPIENTS ONLY",)),),
    "US": (("SCI", ("SI", "TK")), ("Dissemination", ("ORCON", "PROPIN")), ("Administrative", ("FOUO",))),
    "COA": (("Community", ("BLUE", "GREEN")), ("Compartment", ("ONE", "TWO")), ("Note", ("ANYTHING",))),
}
VALUES = {tag: values for rows in CATEGORIES.values() for tag, values in rows}
EVIDENCE = (
    "activity_covered",
    "within_territory",
    "eligible_parties",
    "not_excluded_technology",
    "within_value_limits",
    "no_sme_manufacture_abroad",
)
DATES = ("2025-09-20", "2025-12-30", "2026-01-01", "2026-02-01", "2026-03-01")
START = day("2025-06-01")
NODES = ("gbr-low", "gbr-high", "usa-low", "can-low", "aus-high", "usa-officer", "nobody-low")


@dataclass(frozen=True)
class World:
    """One epoch and the instants at which something in it changes."""

    epoch: PolicyEpoch
    instants: tuple[int, ...]


def make_world(rng: Random) -> World:
    """An epoch of AUS with a handful of instruments, some of them not in force."""
    entries: list[Entry] = []
    for number in range(rng.randint(1, 5)):
        entries += _versions(rng, f"pa-{number}", rng.choice((Form.AGREEMENT, Form.ARRANGEMENT)), entries)
    if rng.random() < 0.3:
        entries += _versions(rng, "pairing-gbr", Form.AGREEMENT, entries)
    for number in range(rng.randint(0, 2)):
        entries += _versions(rng, f"licence-{number}", rng.choice((Form.LICENCE, Form.EXEMPTION)), entries)
    notices = tuple(
        Notice(
            instrument=entry.instrument.id,
            party=rng.choice(PARTIES),
            effect=rng.choice(tuple(Effect)),
            on=START + DAY * rng.randint(0, 400),
            version=entry.version,
        )
        for entry in entries
        if rng.random() < 0.15
    )
    instruments = Instruments(tuple(entries), notices)
    epoch = PolicyEpoch(
        party="AUS",
        node="aus-low",
        ceiling=(("AUS", "SECRET"),),
        policies=policies(),
        instruments=instruments,
        partners=tuple(_partner(rng, node) for node in NODES if node != "nobody-low" and rng.random() < 0.97),
        holds=frozenset({"held"}),
    )
    bounds = {bound + step for bound in instruments.boundaries() for step in (-1, 0, 1)}
    middle = [day(text) + step for text in DATES for step in (-1, 0)]
    return World(epoch, (*sorted(bounds), *middle * 4))


def _partner(rng: Random, node: str) -> Partner:
    party = {"aus": "AUS", "gbr": "GBR", "usa": "USA", "can": "CAN"}[node[:3]]
    rows = {"AUS": "AUS", "GBR": "UK", "USA": "US", "CAN": "CAN"}
    names = {rows[party], *(rng.choice(("AUS", "US", "COA", "TLP", "COA")) for _ in range(rng.randint(0, 3)))}
    return Partner(
        node=node,
        party=party,
        ceiling=tuple((name, rng.choice(RUNGS[name][-2:])) for name in sorted(names)),
        categories=_category_rows(rng, 0.6) if rng.random() < 0.8 else (("*", ANY),),
        projects=ANY if rng.random() < 0.8 else frozenset(rng.sample(PROJECTS, 2)),
        status=rng.choices(tuple(PartnerStatus), (30, 1, 1))[0],
        below=rng.random() < 0.3,
    )


def _category_rows(rng: Random, share: float) -> tuple[tuple[str, frozenset[str]], ...]:
    rows = []
    for tag, values in VALUES.items():
        if rng.random() < share:
            some = frozenset(rng.sample(values, rng.randint(1, len(values))))
            rows.append((tag, ANY if rng.random() < 0.3 else some))
    return tuple(sorted(rows))


def _versions(rng: Random, name: str, form: Form, before: list[Entry]) -> list[Entry]:
    found = []
    for version in range(1, rng.choice((1, 1, 1, 2, 3)) + 1):
        parties = frozenset({"AUS", *rng.sample(PARTIES[1:], rng.choice((1, 2, 3, 3)))})
        missing = rng.sample(sorted(parties), 1) if rng.random() < 0.15 else ()
        start = START + DAY * rng.choice((0, 0, 100, 250))
        instrument = Instrument(
            form=form,
            id=name,
            title=name,
            parties=parties,
            start=start,
            end=start + DAY * rng.choice((30, 300, 900, 900)),
            clauses=tuple(_clause(rng, f"{n}", parties, form) for n in range(1, rng.randint(1, 4) + 1)),
            under=rng.choice(before).instrument.id if before and rng.random() < 0.15 else "",
            rule="22 CFR 126.7" if form is Form.EXEMPTION else "",
            evidence=frozenset(rng.sample(EVIDENCE, rng.choice((6, 6, 6, 5))))
            if form is Form.EXEMPTION
            else frozenset(),
        )
        digest = sha256(f"{name} {version} {rng.random()}".encode())
        found.append(Entry(instrument, digest, version, parties - frozenset(missing)))
    return found


def _some(rng: Random, values: tuple[str, ...], wild: float) -> frozenset[str]:
    if rng.random() < wild:
        return ANY
    return frozenset(rng.sample(values, rng.randint(1, len(values))))


def _clause(rng: Random, name: str, parties: frozenset[str], form: Form) -> Clause:
    order = tuple(sorted(parties))
    wide = rng.random() < 0.8
    givers = parties if wide else _some(rng, order, 0)
    takers = parties if wide else _some(rng, order, 0)
    kinds, projects = _some(rng, KINDS, 0.5), _some(rng, PROJECTS, 0.6)
    if form in (Form.LICENCE, Form.EXEMPTION):
        return Clause(name, givers, takers, kinds, projects, tags=frozenset(rng.sample(TAGS, rng.randint(1, 3))))
    transforms = (
        Transform("position", Action.COARSEN, grid_m=1000),
        Transform("position", Action.DELAY, seconds=3600),
        Transform("identity", Action.PSEUDONYMISE),
    )
    return Clause(
        id=name,
        givers=givers,
        takers=takers,
        kinds=kinds,
        projects=projects,
        purposes=_some(rng, PURPOSES, 0),
        portions=_some(rng, PORTIONS[1:], 0.6),
        ceiling=tuple(
            (policy, rng.choice(RUNGS[policy][-2:])) for policy in sorted({"AUS", *rng.sample(sorted(RUNGS), 2)})
        ),
        categories=_category_rows(rng, 0.6),
        onward=_some(rng, order, 0) if rng.random() < 0.5 else frozenset(),
        approvals=rng.choice((1, 1, 2, 3)) if rng.random() < 0.15 else 0,
        transforms=tuple(t for t in transforms if rng.random() < 0.2),
    )


def make_label(rng: Random) -> Label:
    """A label of any policy; now and then one that nobody defined."""
    policy = rng.choices(tuple(RUNGS), (6, 2, 4, 1, 3, 1))[0]
    said = rng.random()
    if said < 0.1:
        releasable = Releasability(Access.REFUSED)
    elif said < 0.25:
        releasable = Releasability()
    else:
        display = rng.sample(PARTIES, 1) if rng.random() < 0.1 else ()
        releasable = Releasability.to(*rng.sample(PARTIES, rng.choice((0, 1, 2, 3, 4, 4, 4))), display=display)
    categories = []
    for tag, values in CATEGORIES.get(policy, ()):
        if rng.random() < 0.15:
            least = 0 if tag == "Community" else 1
            categories.append((tag, frozenset(rng.sample(values, rng.randint(least, len(values))))))
    if rng.random() < 0.01:
        categories.append(("Unheard-of", frozenset({"X"})))
    return Label(
        policy=policy if rng.random() < 0.99 else "KLINGON",
        classification=rng.choice(RUNGS[policy]) if rng.random() < 0.99 else "VERY SECRET",
        releasable=releasable,
        categories=tuple(categories),
        control=frozenset(rng.sample(TAGS, rng.choice((1, 1, 2)))) if rng.random() < 0.2 else frozenset(),
        origins=frozenset(rng.sample((*PARTIES, "FGI"), rng.choice((1, 1, 2)))) if rng.random() < 0.2 else frozenset(),
    )


def make_request(rng: Random) -> Request:
    """A request toward any node of `NODES`, one of them unknown."""
    return Request(
        label=make_label(rng),
        kind=rng.choice(KINDS) if rng.random() < 0.97 else "rumour",
        recipient=rng.choices(NODES, (12, 8, 12, 4, 2, 4, 1))[0],
        originator=rng.choices(PARTIES, (12, 1, 1, 1))[0],
        project=rng.choice(PROJECTS),
        portion=rng.choice(PORTIONS),
        purpose=rng.choice((None, *PURPOSES)),
        origin_grants=frozenset(rng.sample(PARTIES, 2)) if rng.random() < 0.3 else frozenset(),
        approved=rng.choice((1, 1, 2, 3)) if rng.random() < 0.2 else 0,
        record="held" if rng.random() < 0.05 else "r1",
        created=START,
    )
