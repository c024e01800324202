"""Scenes for tests of whole nodes: three nations with an arrangement, and documents that not all of them may have."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from aldis.kernel.labels import Label, Releasability
from aldis.kernel.records import Draft, DraftPortion
from aldis.testing import Coalition
from aldis.testing.hostile import Hostile

PROJECT = "NORTHERN-WATCH"
NATIONS = {"aus": "AUS", "gbr": "GBR", "usa": "USA"}
POLICIES = {"aus": "AUS", "gbr": "UK", "usa": "US"}
PARTIES = {"aus": "AUS", "gbr": "GBR", "usa": "USA"}

ARRANGEMENT = """\
instrument = "arrangement"
id = "pa-northern-watch"
title = "Northern Watch"
parties = ["AUS", "GBR", "USA"]
from = 2026-01-01
until = 2028-12-31

[[clause]]
id = "4.1"
kinds = ["document"]
projects = ["NORTHERN-WATCH"]
purposes = ["surveillance"]
ceiling = { AUS = "SECRET", UK = "SECRET", US = "SECRET" }
onward = ["AUS", "GBR", "USA"]
"""


def label(node: str, *to: str, rung: str = "SECRET") -> Label:
    return Label(POLICIES[node], rung, Releasability.to(*to))


def document(
    coalition: Coalition, node: str, name: str, header: Label, portions: dict[str, tuple[Label, object]]
) -> Draft:
    return Draft(
        kind="document",
        id=name,
        originator=node,
        author="officer",
        created=coalition[node].core.clock.now(),
        label=header,
        portions=[DraftPortion(key, marked, value) for key, (marked, value) in portions.items()],
        project=PROJECT,
    )


@cache
def _prepared() -> TemporaryDirectory[str]:
    """Three nations, paired and with the arrangement in force, saved once for all tests of a process."""
    folder = TemporaryDirectory(prefix="aldis-scene-")
    with Coalition.of(NATIONS, memory=True) as coalition:
        coalition.pair_all()
        coalition.arrange(ARRANGEMENT)
        coalition.save(Path(folder.name))
    return folder


def allied(*, memory: bool = True, seed: int = 1) -> Coalition:
    """Three nations, paired and with the arrangement in force."""
    return Coalition.load(Path(_prepared().name), seed=seed, memory=memory)


def put_documents(coalition: Coalition) -> None:
    """Of each node three documents: for both partners, for both with a portion for one, and for one alone."""
    for node in NATIONS:
        one, other = (PARTIES[name] for name in NATIONS if name != node)
        both, single = label(node, one, other), label(node, other)
        for name, header, body in (("all", both, both), ("part", both, single), ("one", single, single)):
            text = f"{name} of {node}"
            portions: dict[str, tuple[Label, object]] = {
                "title": (header, text),
                "body": (body, f"{text}: for {','.join(body.releasable.parties)}"),
            }
            coalition[node].records.put(document(coalition, node, f"{node}-{name}", header, portions))


def besieged(seed: int = 1) -> Hostile:
    """The three nations with documents exchanged, USA hostile: at GBR, in the name of AUS."""
    coalition = allied(seed=seed)
    put_documents(coalition)
    coalition.settle()
    coalition["usa"].exchange.new_epoch("begin with an epoch behind")
    coalition.settle()
    coalition.clock.advance(60_000)
    coalition.settle()
    wide = label("gbr", "AUS", "USA")
    draft = document(coalition, "gbr", "gbr-waiting", wide, {"title": (wide, "sealed, and still to be delivered")})
    coalition["gbr"].records.put(draft)
    coalition["gbr"].exchange.next_bundle("usa")
    return Hostile(coalition, "usa", "gbr", "aus", Random(seed))
