"""Three nations, one of them hostile, and everything that may happen to them: what a schedule of faults draws from."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any, Literal

from aldis.kernel.errors import AldisError
from aldis.kernel.frames import Update
from aldis.kernel.instruments import Effect
from aldis.kernel.labels import UNMARKED, Label, Releasability
from aldis.kernel.records import Draft, DraftPortion
from aldis.node.node import Node
from aldis.testing import ATTACKS, FAIR, STORM, Coalition, Hostile, NotNow, Snapshot, Weather

NATIONS = {"aus": "AUS", "gbr": "GBR", "usa": "USA"}
POLICIES = {"aus": "AUS", "gbr": "UK", "usa": "US"}
RUNGS = {"aus": ("OFFICIAL", "SECRET"), "gbr": ("OFFICIAL", "SECRET"), "usa": ("CONFIDENTIAL", "SECRET")}
PROJECTS = ("NORTHERN-WATCH", "DEEP-CURRENT")
PORTIONS = ("title", "summary", "body", "annex")
HOUR = 3_600_000
SKEWS = (0, 0, 0, -3 * HOUR, -60_000, 60_000, 9 * 60_000, 11 * 60_000, 3 * HOUR)
WEATHERS = (FAIR, FAIR, STORM, STORM, Weather(delay=0.5, repeat=0.5), Weather(lose_answer=0.6))

TEXT = """\
instrument = "arrangement"
id = "{id}"
title = "A watch kept together"
parties = [{parties}]
from = 2026-01-01
until = 2028-12-31

[[clause]]
id = "1"
kinds = ["document"]
projects = [{projects}]
purposes = ["surveillance"]
ceiling = {{ AUS = "{rung}", UK = "{rung}", US = "{rung}" }}
{onward}
transforms = [
    {{ portion = "annex", action = "pseudonymise" }},
    {{ portion = "summary", action = "delay", seconds = 2 }},
]

[[clause]]
id = "2"
kinds = ["technical-data"]
projects = ["*"]
purposes = ["surveillance"]
ceiling = {{ AUS = "SECRET", UK = "SECRET", US = "SECRET" }}
review = true
"""


def arrangement(
    name: str,
    parties: list[str],
    *,
    rung: str = "SECRET",
    projects: tuple[str, ...] = PROJECTS[:1],
    onward: bool = True,
) -> str:
    return TEXT.format(
        id=name,
        parties=", ".join(f'"{party}"' for party in parties),
        projects=", ".join(f'"{project}"' for project in projects),
        rung=rung,
        onward='onward = ["AUS", "GBR", "USA"]' if onward else "",
    )


def prepare(folder: Path) -> None:
    """Three nations paired, with an arrangement in force, saved for every schedule to begin from."""
    with Coalition.of(NATIONS, seed=0, memory=True) as coalition:
        coalition.pair_all()
        coalition.arrange(arrangement("pa-northern-watch", sorted(NATIONS.values())))
        coalition.save(folder)


class World:
    """A coalition and what may happen in it; each method is one event, and what it does is drawn from `rng`."""

    def __init__(self, coalition: Coalition, rng: Random) -> None:
        self.coalition, self.rng = coalition, rng
        self.hostile = rng.choice(sorted(NATIONS))
        self.honest = sorted(NATIONS.keys() - {self.hostile})
        self.restored: set[str] = set()
        self.log: list[str] = []
        self._count = 0
        self._snapshots: list[Snapshot] = []

    @property
    def events(self) -> dict[Callable[[], str], int]:
        """Every event with its weight."""
        return {
            self.put: 30, self.revise: 12, self.delete: 3, self.pass_time: 14, self.show_live: 6, self.offer: 2,
            self.amend: 4, self.sign: 5, self.draft: 3, self.end: 2, self.suspend: 3, self.resume: 5, self.hold: 3,
            self.lift: 3, self.rule: 5, self.retry: 3, self.by_file: 4, self.change_weather: 6, self.cut: 5,
            self.mend: 4, self.skew: 4, self.crash: 5, self.crash_later: 6, self.cut_power: 3, self.fill_disk: 5,
            self.back_up: 4, self.restore: 2, self.second_thoughts: 6, self.begin_epoch: 1, self.attack: 16,
        }  # fmt: skip

    def happen(self) -> None:
        """Let one event happen, and a moment pass."""
        events = self.events
        event = self.rng.choices(list(events), list(events.values()))[0]
        said = "nothing came of it"
        try:
            said = event()
        except NotNow as why:
            said = str(why)
        except AldisError as error:
            said = re.sub(r"/\S+/", "", f"{error.code}: {error}")[:160]
        self.log.append(f"{event.__name__}: {said}")
        self.step(self.rng.choice((0, 100, 100, 1_000)))

    def step(self, ms: int) -> None:
        for name, site in self.coalition.sites.items():
            if site.dead:
                self.log.append(f"{name} starts again")
        self.coalition.step(ms, share=0.35)

    def _node(self) -> tuple[str, Node]:
        name = self.rng.choice(sorted(NATIONS))
        return name, self.coalition[name]

    def _other(self, name: str) -> str:
        return self.rng.choice(sorted(NATIONS.keys() - {name}))

    # records

    def _label(self, name: str) -> Label:
        others = [party for node, party in sorted(NATIONS.items()) if node != name]
        given = self.rng.choice((others, others, others, others[:1], others[1:], []))
        releasable = UNMARKED if self.rng.random() < 0.1 else Releasability.to(*given)
        return Label(POLICIES[name], self.rng.choice(RUNGS[name]), releasable)

    def _draft(self, name: str, record: str) -> Draft:
        header = self._label(name)
        kind = "document" if self.rng.random() < 0.85 else "technical-data"
        names = PORTIONS if kind == "document" else ("title", "description")
        chosen = sorted(self.rng.sample(names, self.rng.randint(1, len(names))))
        self._count += 1
        portions = [
            DraftPortion(one, self._label(name), f"{one} {self._count} of {name}, for its readers") for one in chosen
        ]
        return Draft(
            kind=kind, id=record, originator=name, author="officer", created=self.coalition[name].core.clock.now(),
            label=header, portions=portions, project=self.rng.choice((*PROJECTS, PROJECTS[0], "")),
        )  # fmt: skip

    def _own(self, name: str) -> Any:
        held = [row for row in self.coalition[name].records.page(limit=200).rows if row.originator == name]
        held = [row for row in held if row.kind in ("document", "technical-data")]
        if not held:
            raise NotNow(f"{name} has written nothing")
        return self.rng.choice(held)

    def put(self) -> str:
        name, node = self._node()
        drafts = []
        for _ in range(self.rng.choice((1, 1, 2, 5))):
            self._count += 1
            drafts.append(self._draft(name, f"{name}-{self._count}"))
        node.records.put_all(drafts)
        return f"{name} writes {', '.join(draft.id for draft in drafts)}"

    def revise(self) -> str:
        name, node = self._node()
        row = self._own(name)
        draft = self._draft(name, row.id)
        if draft.kind != row.kind:
            raise NotNow("it has another kind")
        record = node.records.revise(row.id, draft)
        return f"{name} writes version {record.header.version} of {row.id}"

    def delete(self) -> str:
        name, node = self._node()
        return f"{name} deletes {node.records.delete(self._own(name).id, 'officer').header.id}"

    def offer(self) -> str:
        name, node = self._node()
        row, other = self._own(name), self._other(name)
        node.desk.offer(row.id, other)
        return f"{name} offers {row.id} to {other}"

    def show_live(self) -> str:
        name, node = self._node()
        for number in range(self.rng.randint(1, 6)):
            label = self._label(name)
            update = Update(f"live-{name}-{number}", "document", "title", node.core.clock.now(), f"at {self._count}")
            node.context.publish(self._label(name), label, PROJECTS[0], update)
        return f"{name} shows live values"

    # instruments and people

    def draft(self) -> str:
        name, node = self._node()
        parties = sorted({NATIONS[name], NATIONS[self._other(name)]})
        self._count += 1
        text = arrangement(f"pa-{name}-{self._count}", parties, projects=("DEEP-CURRENT",), onward=False)
        return f"{name} drafts {node.register.draft(text, 'officer').header.id}"

    def amend(self) -> str:
        rung, onward = self.rng.choice(("SECRET", "OFFICIAL", "SECRET")), self.rng.random() < 0.5
        rung = "SECRET" if rung == "SECRET" else rung
        text = arrangement("pa-northern-watch", sorted(NATIONS.values()), onward=onward)
        if rung == "OFFICIAL":
            text = text.replace('AUS = "SECRET", UK = "SECRET", US = "SECRET"', 'AUS = "OFFICIAL", UK = "OFFICIAL"', 1)
        return f"aus amends {self.coalition['aus'].register.amend(text, 'officer').header.id}, {rung}, {onward}"

    def _instrument(self, node: Node) -> str:
        ids = [name for name in node.epochs.current().instruments.ids() if not name.startswith("pairing-")]
        if not ids:
            raise NotNow("no instrument")
        return self.rng.choice(ids)

    def sign(self) -> str:
        for name in self.rng.sample(sorted(NATIONS), self.rng.randint(1, 3)):
            node = self.coalition[name]
            for instrument in [one for one in node.epochs.current().instruments.ids() if "pairing" not in one]:
                with suppress(AldisError):
                    node.register.sign(instrument, "officer")
        return "those who read it sign"

    def end(self) -> str:
        name, node = self._node()
        instrument, effect = self._instrument(node), self.rng.choice(list(Effect))
        if instrument == "pa-northern-watch" and self.rng.random() < 0.7:
            raise NotNow("it is still needed")
        node.register.end(instrument, effect, node.core.clock.now() + self.rng.choice((0, 500)), "officer")
        return f"{name} gives notice: {effect.value} {instrument}"

    def suspend(self) -> str:
        name, _ = self._node()
        other = self._other(name)
        self.coalition.suspend(name, other)
        return f"{name} suspends {other}"

    def resume(self) -> str:
        for name in self.coalition:
            for known in self.coalition[name].partners.all():
                if not known.active:
                    self.coalition.resume(name, known.node)
                    return f"{name} resumes {known.node}"
        raise NotNow("nobody is suspended")

    def hold(self) -> str:
        name, node = self._node()
        row = self._own(name)
        node.desk.hold(row.id, "look again")
        return f"{name} holds {row.id}"

    def lift(self) -> str:
        name, node = self._node()
        held = sorted(node.core.store.referrals.holds())
        if not held:
            raise NotNow("nothing is on hold")
        node.desk.lift(self.rng.choice(held), "looked")
        return f"{name} lifts a hold"

    def rule(self) -> str:
        name, node = self._node()
        found = node.core.store.referrals.all()
        if not found:
            raise NotNow("nothing was referred")
        states: tuple[Literal["approved", "denied"], ...] = ("approved", "approved", "denied")
        one, state = self.rng.choice(found), self.rng.choice(states)
        node.desk.rule(one.number, state, "looked at it", "officer")
        return f"{name}: {state} for {one.partner}"

    def retry(self) -> str:
        name, node = self._node()
        entries = node.core.store.quarantine.all()
        if not entries:
            raise NotNow("quarantine is empty")
        node.inbound.retry(self.rng.choice(entries).id)
        return f"{name} admits one from quarantine"

    def second_thoughts(self) -> str:
        """A record is sealed and goes out, no answer comes, and then it may not go any more."""
        name, node = self._node()
        other = self._other(name)
        self._count += 1
        wide = Label(POLICIES[name], RUNGS[name][0], Releasability.to(*(set(NATIONS.values()) - {NATIONS[name]})))
        draft = Draft(
            kind="document", id=f"{name}-{self._count}", originator=name, author="officer", project=PROJECTS[0],
            created=node.core.clock.now(), label=wide, portions=[DraftPortion("title", wide, "regretted")],
        )  # fmt: skip
        node.records.put(draft)
        link = self.coalition.links[name, other]
        link.turn()
        late = Weather(delay=1.0, longest_ms=3_000)
        link.weather = self.rng.choice((Weather(lose_answer=1.0), Weather(lose_request=1.0), late, late))
        for _ in range(self.rng.randint(1, 2)):
            link.turn()
        link.weather = FAIR
        said = self.rng.choice((self.amend, self.sign, lambda: node.desk.hold(draft.id, "regretted")))() or "held"
        return f"{name} writes {draft.id} and hears nothing of {other}; {said}"

    def by_file(self) -> str:
        name, _ = self._node()
        other = self._other(name)
        return f"{self.coalition.by_file(name, other)} bundles from {name} to {other} on a stick"

    # accidents

    def pass_time(self) -> str:
        for _ in range(self.rng.randint(1, 6)):
            self.step(self.rng.choice((100, 1_000)))
        return "a while passes"

    def change_weather(self) -> str:
        weather = self.rng.choice(WEATHERS)
        for link in self.rng.sample(list(self.coalition.links.values()), self.rng.randint(1, 6)):
            link.weather = weather
        return str(weather)

    def cut(self) -> str:
        name, _ = self._node()
        other = self._other(name)
        self.coalition.cut(name, other)
        return f"cut between {name} and {other}"

    def mend(self) -> str:
        self.coalition.mend()
        return "fair weather"

    def skew(self) -> str:
        name, _ = self._node()
        ms = self.rng.choice(SKEWS)
        self.coalition.skew(name, ms)
        return f"{name} is {ms} ms ahead"

    def crash(self) -> str:
        name, _ = self._node()
        self.coalition.crash(name)
        return f"{name} is killed"

    def crash_later(self) -> str:
        name, _ = self._node()
        writes = self.rng.randrange(200)
        self.coalition.crash(name, writes)
        return f"{name} is killed {writes} writes from now"

    def cut_power(self) -> str:
        name, _ = self._node()
        self.coalition.cut_power(name)
        return f"{name} loses power"

    def fill_disk(self) -> str:
        name, _ = self._node()
        writes = self.rng.randrange(120)
        self.coalition.fill_disk(name, writes)
        return f"the disk of {name} is full {writes} writes from now"

    def back_up(self) -> str:
        name, _ = self._node()
        self._snapshots.append(self.coalition.snapshot(name))
        return f"{name} is backed up"

    def restore(self) -> str:
        if not self._snapshots:
            raise NotNow("there is no backup")
        snapshot = self._snapshots.pop(self.rng.randrange(len(self._snapshots)))
        self.coalition.restore(snapshot)
        self.restored.add(snapshot.node)
        if self.rng.random() < 0.7:
            self.coalition[snapshot.node].exchange.new_epoch("restored from a backup")
        return f"{snapshot.node} is restored from a backup"

    def begin_epoch(self) -> str:
        name, node = self._node()
        node.exchange.new_epoch("on second thoughts")
        return f"{name} begins its streams anew"

    def attack(self) -> str:
        target, victim = self.rng.sample(self.honest, 2)
        attack = self.rng.choice(ATTACKS)
        if "too large" in attack.name and self.rng.random() < 0.9:
            raise NotNow("that takes long")
        hostile = Hostile(self.coalition, self.hostile, target, victim, self.rng)
        outcome = hostile.attempt(attack)
        if outcome.gained:
            raise AssertionError(f"{attack.name}, against {target}: {'; '.join(outcome.gained)}")
        if self.rng.random() < 0.3:
            self.coalition[self.hostile].exchange.new_epoch("on with it")
        met = ", ".join((*outcome.refused, *outcome.set_aside)) or "no error"
        return f"{self.hostile} tries '{attack.name}' on {target}, and meets {met}"
