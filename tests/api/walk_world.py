"""A node with partners, for the walk of its API: what is in sight, what nobody who walks may know of, what came later.

Everything of one sort is made by one function, once in sight and once hidden: released, referred, ruled on, refused, on
hold, recalled, due by retention, with files, in a project, from partners, recalled by them, set aside. What every node
draws at random follows from a seed, so that two worlds made alike are alike to the byte.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
from nations import Coalition
from port_world import CANARY, LOW, PASSWORD, PEOPLE, START, make_node, put, seeded

from aldis.app import find_apps
from aldis.apps.experiments.orders.acting import ask, lend
from aldis.apps.workspace.kinds import Charter, Member, Plan, Ref, Time
from aldis.apps.workspace.project import Project
from aldis.kernel.authority import Role
from aldis.kernel.labels import Label, Releasability
from aldis.kernel.records import Draft, DraftPortion
from aldis.node.config import Rule
from aldis.node.node import Node
from aldis.node.saved import Wanted
from aldis.node.store import Upload

DAY = 86_400_000
NOW = START + 20 * DAY
"""When the worlds are walked: what is of the beginning is due by retention, and overdue at the desk."""
STAFF = [Role.ORIGINATOR, Role.RELEASE_OFFICER, Role.SECURITY_OFFICER, Role.ADMINISTRATOR]
WALKING = PEOPLE | {
    "low-staff": {"roles": STAFF},
    "low-auditor": {"roles": [Role.AUDITOR]},
    "foreign-staff": {"roles": STAFF, "nationality": "GBR"},
}
INSIDER = {"insider": {"roles": STAFF, "projects": ["WATCH", "BLACK"]}}
"""Somebody to whom what is hidden from the others does show."""
ABOVE = Label("AUS", "SECRET", Releasability.to("USA"))
"""Above those who work low, and of nobody's but AUS and USA."""
NOBODY = Releasability.to()
THEIRS = {
    "gbr": Label("UK", "OFFICIAL", Releasability.to("AUS")),
    "usa": Label("US", "SECRET", Releasability.to("AUS")),
}
RULES = [
    Rule(kind="document", days=10, action="delete"),
    Rule(kind="document", days=10, action="erase"),
]
_SIGNED = """\
instrument = "arrangement"
id = "pa-watch"
title = "Watch"
parties = ["AUS", "GBR", "USA"]
from = 2026-01-01
until = 2035-12-31
"""
_CLAUSE = """
[[clause]]
id = "{id}"
kinds = [{kinds}]
projects = ["WATCH", "BLACK"]
purposes = ["surveillance"]
ceiling = {{ AUS = "SECRET", UK = "SECRET", US = "SECRET" }}
"""
INSTRUMENT = (
    _SIGNED
    + _CLAUSE.format(
        id="1",
        kinds='"document", "charter", "task", "post", "progress", "event", "membership", "track",'
        ' "tasking", "answer", "lease"',
    )
    + _CLAUSE.format(id="2", kinds='"decision"')
    + "review = true\ndecide_within_days = 3\n"
)
LATER = _SIGNED.replace("pa-watch", "pa-later") + _CLAUSE.format(id="1", kinds='"survey"')
"""An instrument that nobody has signed yet."""
PACT = _SIGNED.replace("pa-watch", f"{CANARY}-pact").replace('"AUS", "GBR", "USA"', '"AUS", "USA"') + _CLAUSE.format(
    id="9", kinds='"milestone"'
).replace('"WATCH", "BLACK"', '"BLACK"').replace('UK = "SECRET", ', "")
"""An instrument between AUS and USA, on what nobody who walks is in."""


class Known(msgspec.Struct, frozen=True):
    """Ids and numbers of one batch: the cases that wait, the one ruled on, a partner's recall, what was set aside."""

    cases: list[int]
    ruled: int
    recall: int
    aside: int
    task: str
    wanted: str
    """A tasking of the partner's."""
    asked: str
    """A tasking of this node's."""


@contextmanager
def nations(folder: Path, seed: str, at: int) -> Iterator[Coalition]:
    """AUS, GBR and USA in a folder, whatever they draw following from a seed."""
    made = Coalition(folder, dict(find_apps()), lambda name: seeded(f"{seed} {name}"))
    made.clock.at = at
    try:
        for name in ("aus", "gbr", "usa"):
            if (folder / name).exists():
                made.open(name)
        yield made
    finally:
        made.close()


def begin(folder: Path) -> Known:
    """What everybody who walks may see, or as much of it as their account lets them."""
    make_node(folder / "aus", WALKING | INSIDER, retention=RULES)
    with nations(folder, "begin", START) as found:
        for name in ("gbr", "usa"):
            found.add(name)
        for one, other in (("aus", "gbr"), ("aus", "usa"), ("gbr", "usa")):
            found.pair(one, other)
        found.settle()
        found.arrange(INSTRUMENT)
        aus = found["aus"]
        aus.register.draft(LATER, "operator")
        for number in range(3):
            put(aus, f"doc-{number}", f"Patrol {number}")
        put(aus, "lowered", "Patrol, to be lowered", ABOVE)
        aus.desk.hold("lowered", "until it is decided")
        for who in WALKING:
            if who not in ("suspended", "guest"):
                aus.saved.add(aus.people.sessions.who(_token(aus, who)), "patrols", Wanted(text="patrol"))
        return fill(found, "seen", "WATCH", LOW, "gbr")


def hide(folder: Path) -> Known:
    """What nobody who walks may know of: another project, at a level that all of them have."""
    with nations(folder, "hide", START + DAY) as found:
        known = fill(found, CANARY, "BLACK", LOW, "gbr")
        aus = found["aus"]
        put(aus, f"{CANARY}-other", f"patrol {CANARY}", ABOVE, project="BLACK")
        found.put("gbr", "seen-mixed", {"title": (f"patrol {CANARY}", THEIRS["gbr"])}, project="BLACK")
        found.settle()
        aus.core.store.attachments.add_upload(Upload(UPLOAD, "nobody", f"{CANARY}.txt", "text/plain", START))
        aus.saved.add("", f"{CANARY}-saved", Wanted(text=CANARY))
        return known


def hide_above(folder: Path) -> Known:
    """What those who work low may not know of, in the project that they are in."""
    with nations(folder, "above", START + DAY) as found:
        found["aus"].desk.lift("lowered", "USA is to have it as it is")
        found.settle()
        found["aus"].desk.hold("lowered", "until it is decided")
        return fill(found, f"{CANARY}-above", "WATCH", ABOVE, "usa")


def hide_pact(folder: Path) -> None:
    """What nationals of GBR may not know of: an agreement with another nation."""
    with nations(folder, "pact", START + DAY + DAY // 2) as found:
        found["aus"].register.draft(PACT, "officer", Label("AUS", "OFFICIAL", Releasability.to("USA")))
        found.settle()
        for name in ("aus", "usa"):
            found[name].register.sign(f"{CANARY}-pact", "officer")
        found.settle()


def later(folder: Path) -> None:
    """More that is in sight, written once the rest is there: its ids, numbers and places must not tell of that."""
    with nations(folder, "later", START + 2 * DAY) as found:
        aus = found["aus"]
        put(aus, "late", "Patrol at last", LOW)
        low = [DraftPortion("title", LOW, "Patrol, lowered")]
        draft = Draft("document", "lowered", "aus", "originator", found.clock.at, LOW, low, project="WATCH")
        aus.records.revise("lowered", draft)
        put(aus, "late-asked", "Patrol, asked late", LOW, kind="decision")
        aus.desk.lift("lowered", "it is low now")
        found.put("gbr", "late-theirs", {"title": ("Patrol of theirs", THEIRS["gbr"])}, project="WATCH")
        found.settle()


UPLOAD = "cd" * 16


def fill(found: Coalition, name: str, project: str, label: Label, partner: str) -> Known:
    """One of everything, in a project, at a label that lets `partner` have it; ids begin with `name`."""
    aus, other, words = found["aus"], found[partner], f"patrol {name}"
    mine: dict[str, Any] = {"project": project}
    put(aus, f"{name}-released", words, label, **mine)
    put(aus, f"{name}-refused", words, _kept(label), **mine)
    put(aus, f"{name}-mixed", words, label, body=(name, _kept(ABOVE)), **mine)
    put(aus, f"{name}-recalled", words, label, **mine)
    put(aus, f"{name}-held", words, label, **mine)
    aus.desk.hold(f"{name}-held", f"because of {name}")
    ship = [DraftPortion("identity", label, {"name": words})]
    aus.records.put(Draft("track", f"{name}-ship", "aus", "originator", found.clock.at, label, ship, project=project))
    put(aus, f"{name}-filed", words, label, files=(attached(aus, name), label), **mine)
    for number in range(5):
        put(aus, f"{name}-asked-{number}", words, label, kind="decision", **mine)
    for one in ("theirs", "taken-back"):
        found.put(partner, f"{name}-{one}", {"title": (words, THEIRS[partner])}, project=project)
    task = _project(found, name, project, label, partner)
    wanted, asked = _orders(found, name, project, label, partner)
    found.settle()

    cases = {case.row.id: case.number for case in aus.desk.cases(limit=200).cases}
    ruled = cases[f"{name}-asked-4"]
    aus.desk.rule(ruled, "approved", f"because of {name}", "operator")
    aus.recalls.ask(f"{name}-recalled", f"because of {name}", "operator")
    other.recalls.ask(f"{name}-taken-back", f"because of {name}", "operator")
    found.settle()
    refused = other.core.store.recalls.all()[-1]
    other.recalls.refuse(refused.id, f"a court of {name}", "operator")
    found.settle()
    recall = aus.core.store.recalls.all()[-1].id

    found.open("aus", apps={})
    found.put(partner, f"{name}-aside", {"title": (words, THEIRS[partner])}, project=project)
    found.settle()
    aside = found["aus"].core.store.quarantine.all()[-1].id
    found.open("aus")
    waiting = [cases[f"{name}-asked-{number}"] for number in range(4)]
    return Known(waiting, ruled, recall, aside, task, wanted, asked)


def _project(found: Coalition, name: str, project: str, label: Label, partner: str) -> str:
    """A project's charter and items, with a reply and a word from both nations; the id of a task."""
    aus, mark = Project(found["aus"].context, project), {"": label}
    aus.add(
        "charter",
        {"title": f"Charter {name}", "purpose": name, "charter": Charter(["AUS", "GBR"], None, None, "pa-watch")},
        mark,
    )
    aus.add("membership", {"members": [Member(name=f"Kit {name}")]}, mark)
    task = aus.add("task", {"title": f"Task {name}", "details": name, "plan": Plan(person="Originator")}, mark)
    aus.add("event", {"title": f"Event {name}", "time": Time(START, START + DAY)}, mark)
    ref = Ref("aus", task.header.id)
    aus.post(ref, f"Reply {name}", mark)
    aus.say(ref, "doing", f"note {name}", mark)
    aus.post(None, f"Text {name}", mark, f"Topic {name}")
    found.settle()
    theirs = Project(found[partner].context, project)
    theirs.post(ref, f"Answer {name}", {"": THEIRS[partner]})
    theirs.say(ref, "blocked", f"theirs {name}", {"": THEIRS[partner]})
    return task.header.id


def _orders(found: Coalition, name: str, project: str, label: Label, partner: str) -> tuple[str, str]:
    """A track that is lent, and who takes part; the ids of what the partner asks of it, and of what this node does."""
    aus, other = found["aus"].context, found[partner].context
    position = [DraftPortion("position", label, {"lat_deg": 1.0, "lon_deg": 2.0})]
    track = f"{name}-track"
    aus.put(Draft("track", track, "aus", "gateway", found.clock.at, label, position, project=project))
    state = DraftPortion("state", label, {"system": f"{name}-boat", "state": "joined", "since": found.clock.at})
    aus.put(Draft("participant", f"{name}-ptc", "aus", "gateway", found.clock.at, label, [state], project=project))
    lend(aus, track, partner, found.clock.at + 25 * DAY, marking=aus.marking(label), remarks=f"lent to {name}")
    found.settle()
    wanted = ask(other, track, "hold", marking=other.marking(THEIRS[partner]), remarks=f"please {name}")
    asked = ask(aus, track, "hold", marking=aus.marking(label), remarks=f"do {name}")
    return wanted.header.id, asked.header.id


def attached(node: Node, name: str) -> list[Any]:
    """A file that the node holds, as a portion describes it."""
    made = node.attachments.uploads.whole(io.BytesIO(f"content of {name}".encode()), f"{name}.txt")
    return [msgspec.to_builtins(made)]


def _kept(label: Label) -> Label:
    return Label(label.policy, label.classification, NOBODY)


def _token(node: Node, who: str) -> str:
    return node.people.sign_in(who, PASSWORD, {"AUS": "OFFICIAL"} if who.startswith("low") else {})
