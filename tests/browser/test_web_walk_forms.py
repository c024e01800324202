"""Every form as whoever may not send it, or not so: refused, and of the node's tables none has changed.

The forms are those met on a walk on which each role looks at everything; each is sent with its fields filled in, so
that nothing but who sends it, and how, is wrong with it. Of a route whose form is not met, one with a reason stands in.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import apsw
import pytest
from port_world import World
from reading_pages import Form
from walk_places import Place, places
from walked_worlds import Worlds, alone
from walkers import Walker, walk

LOOKING = ("originator", "officer", "security", "auditor", "administrator")
"""Who looks at everything, and between them is given every form."""
NO_ROLE = ("bystander", "guest", "visitor")
SENDERS = (*LOOKING, *NO_ROLE)
OWN = frozenset({"saved", "saved_read", "kept"})
"""What belongs to whoever is signed in, whatever their role: their searches, and how far they have read."""
OF_SESSION = ("/level", "/sign-out")
BY_SCRIPT = {
    "/marking": Form("/marking?of=marking", True, [("marking", "SECRET")]),
    "/drafts/reading": Form("/drafts/reading", True, [("text", "id = 1")]),
}
"""What a script sends, and no form on a page."""
ELSEWHERE = "/uploads"
"""Pieces of files: see `test_uploads`."""


class Tables:
    """Whether anything of a node's store changed; when a session was last used does not count."""

    def __init__(self, home: Path) -> None:
        self._wire = apsw.Connection(str(home / "store.db"), flags=apsw.SQLITE_OPEN_READONLY)
        self._version, self._held = self._now(), self._read()

    def changed(self) -> set[str]:
        """The tables that have other rows than when this was asked before."""
        if (version := self._now()) == self._version:
            return set()
        before, self._held, self._version = self._held, self._read(), version
        return {name for name in before if before[name] != self._held[name]}

    def close(self) -> None:
        self._wire.close()

    def _now(self) -> int:
        return int(str(self._wire.execute("PRAGMA data_version").fetchall()[0][0]))

    def _read(self) -> dict[str, list[str]]:
        said = "SELECT name FROM sqlite_schema WHERE type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL%'"
        found = dict[str, list[str]]()
        for name in (str(row[0]) for row in self._wire.execute(said).fetchall()):
            what = "token, person, level, until" if name == "session" else "*"
            found[name] = sorted(map(repr, self._wire.execute(f'SELECT {what} FROM "{name}"')))
        return found


@dataclass
class Offered:
    """A form, and who was given it."""

    form: Form
    to: list[str] = field(default_factory=list)


def offered(world: World, found: list[Place], worlds: Worlds) -> dict[str, Offered]:
    """Every form that is met, by what it would do."""
    met: dict[str, Offered] = {}
    for who in ("", *LOOKING):
        walker = Walker(world, who)
        for key, form in walk(walker, None, found, worlds.scope("originator"), most=0).forms.items():
            met.setdefault(key, Offered(form)).to.append(who)
        walker.close()
    for key, form in BY_SCRIPT.items():
        met[key] = Offered(form, ["originator"])
    return {key: one for key, one in met.items() if not one.form.action.startswith(ELSEWHERE)}


def some(met: dict[str, Offered], found: list[Place], most: int) -> Iterator[tuple[str, Offered]]:
    """The forms, of each route and button so many."""
    seen: dict[tuple[str, str], int] = defaultdict(int)
    for key, one in met.items():
        path = one.form.action.partition("?")[0]
        place = next(place.path for place in found if "POST" in place.methods and place.route.path_regex.match(path))
        seen[place, key.partition(" ")[2]] += 1
        if seen[place, key.partition(" ")[2]] <= most:
            yield place, one


@pytest.mark.slow
def test_a_form_that_is_not_ones_own_changes_nothing(worlds: Worlds, tmp_path: Path) -> None:
    with alone(worlds, "hide", tmp_path) as world, ExitStack() as ends:
        found = places(world.node)
        met = offered(world, found, worlds)
        sent = [one.form.action.partition("?")[0] for one in met.values()]
        for lone in found:
            post = "POST" in lone.methods and not lone.path.startswith(ELSEWHERE)
            if post and not any(map(lone.route.path_regex.match, sent)):
                path = next(lone.asks(worlds.scope("originator")))[0]
                met[path] = Offered(Form(path, True, [("because", "for the walk")]), [*LOOKING])
        people = {who: Walker(world, who) for who in ("", *SENDERS)}
        for walker in people.values():
            ends.callback(walker.close)
        tables = Tables(tmp_path / "hide")
        ends.callback(tables.close)
        for place, one in some(met, found, 1):
            for said in _refused(people, place, one):
                assert tables.changed() == set(), (place, said, one)
        for place, one in some(met, found, 2):
            for who in SENDERS:
                if (who in one.to and who not in NO_ROLE) or place in OF_SESSION or "" in one.to:
                    continue
                answer = people[who].post(one.form.action, one.form.fields)
                assert answer.status < 500, (place, who, answer.status)
                may = OWN if who in NO_ROLE else frozenset[str]()
                assert tables.changed() <= may, (place, who, one)
        did = defaultdict[str, int](int)
        for place, one in some(met, found, 1):
            if place not in OF_SESSION and "" not in one.to:
                answer = people[one.to[0]].post(one.form.action, one.form.fields)
                assert answer.status < 500, (place, answer.body)
                did[place] += bool(tables.changed())
    assert sum(map(bool, did.values())) >= 15, did


def _refused(people: dict[str, Walker], place: str, one: Offered) -> Iterator[str]:
    """Send a form in each way that is refused, and say which it was."""
    sender = people[one.to[0]]
    other = people["bystander" if sender.who != "bystander" else "guest"]
    action, fields = one.form.action, one.form.fields
    elsewhere = {"Sec_Fetch_Site": "cross-site", "Origin": "https://elsewhere.example"}
    assert sender.post(action, fields, **elsewhere).status == 403
    yield "from elsewhere"
    assert sender.post(action, fields, Sec_Fetch_Site="same-site").status == 403
    yield "from another origin of this site"
    if "" in one.to:
        return
    for token, what in (("", "no token"), (other.csrf, "another's token"), ("0" * 64, "a made-up token")):
        assert sender.post(action, fields, token).status in (404, 409), (place, what)
        yield what
    assert people[""].post(action, fields).status == 401
    yield "nobody"
