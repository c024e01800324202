"""Every operation as every role, in two worlds that differ in what whoever asks may not know of: all answers are equal.

The worlds are those of `walk_world`; each begins alike, holds one of everything hidden or nothing, and ends alike. What
is hidden is of a project that nobody walking is in, and for those who work low and those of another nation also above
them in their own. An answer counts with its status, its headers, its size, and every byte but these:

- `date` and `x-request-id`, and that id in the body of a problem: new for each request;
- a cursor, and the `upto` of a notice, which are sealed places in what is held: their length stays.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlencode, urlsplit

import msgspec
import pytest
from port_world import CANARY, World, served
from walk_rows import Row, rows
from walk_world import NOW, WALKING, Known, begin, hide, hide_above, hide_pact, later

from aldis.app import find_apps
from aldis.interfaces.api.operations import Operation
from aldis.interfaces.api.table import operations
from aldis.kernel.authority import Act, may

TABLE = {one.name: one for one in operations(find_apps())}
LEDGER = {"get_ledger_leaves", "get_ledger_leaves_index_proof", "get_ledger_checkpoint"}
ASIDE = {"get_quarantine", "post_quarantine_number_retry", "post_quarantine_number_drop"}
RECALLS = {"get_recalls", "post_recalls_number_comply", "post_recalls_number_refuse"}
BY_OFFICE = {
    "auditor": LEDGER, "officer": RECALLS, "security": ASIDE, "low-staff": ASIDE, "foreign-staff": ASIDE,
}  # fmt: skip
"""What tells of all that is here to whoever holds the office: the ledger and recalls, at the node's ceiling and to its
own nationals; and what was set aside, of which nobody has said yet what it is. Low, that has no words."""
HIDES = dict.fromkeys(("low", "low-staff", "low-auditor", "guest"), "above") | dict.fromkeys(
    ("foreign", "foreign-staff"), "pact"
)
"""From whom more is hidden than another project: what is above them in their own, and from GBR's a pact with USA."""
OWN = ("originator", "officer", "security", "auditor", "administrator")
OUT = ("suspended", "signed-out")
LESS = ("low", "foreign")
"""Who may ask less than `low-staff` and `foreign-staff`, and sees what they see."""
MUTE = {
    "get_search_meaning", "get_live", "get_changes", "get_instruments", "get_instruments_name", "get_saved",
    "post_saved", "get_saved_name", "delete_saved_name", "post_saved_name_read", "post_quarantine_number_drop",
    "post_workspace_projects_name_read", "post_workspace_projects_name_import",
}  # fmt: skip
"""What says the same to whoever is in the project that is hidden from the others, asked as it is here."""
ALIKE = ("sign_in", "enrol", "session", "uploads", "kinds", "policies", "markings", "people", "partners", "ledger")
"""What is about none of the records, or about the whole of the ledger, for which there is another office."""
BY_APPS = ("/api/v1/workspace", "/api/v1/experiments")
AGAIN = (
    "get_records", "get_notices", "get_desk_cases", "get_workspace_projects_name_activity", "get_experiments_tasks",
    "get_experiments_leases",
)  # fmt: skip
"""What is asked once more when all has been written."""


class Worlds(NamedTuple):
    """The folders of the worlds by name, what is in sight in all of them, and what is hidden in those that hide."""

    folder: Path
    seen: Known
    hidden: dict[str, Known]


class Answer(NamedTuple):
    """An answer without what differs from one request to the next."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: str
    size: int


@pytest.fixture(scope="module")
def worlds(tmp_path_factory: pytest.TempPathFactory) -> Worlds:
    folder = tmp_path_factory.mktemp("walk")
    seen = begin(folder / "without")
    hidden = {}
    for name, base, fill in (("hide", "without", hide), ("above", "hide", hide_above)):
        shutil.copytree(folder / base, folder / name)
        hidden[name] = fill(folder / name)
    shutil.copytree(folder / "above", folder / "pact")
    hide_pact(folder / "pact")
    hidden["pact"] = hidden["above"]
    for name in ("without", *hidden):
        later(folder / name)
    return Worlds(folder, seen, hidden)


def walk(worlds: Worlds, name: str, hides: str, walker: str, to: Path) -> dict[str, list[tuple[Row, list[Answer]]]]:
    """Every answer to a walker in the world of a name, asked also for what another one hides; pages to their end."""
    shutil.copytree(worlds.folder / name / "aus", to / name)
    stem = CANARY if hides == "hide" else f"{CANARY}-above"
    with served(to / name, seed=4, at=NOW) as world:
        asked = rows(TABLE, world.node, worlds.seen, worlds.hidden[hides], stem)
        found: dict[str, list[tuple[Row, list[Answer]]]] = {}
        with _Walker(world, walker) as person:
            for one in (*(one for one in TABLE if one != "delete_session"), *AGAIN, "delete_session"):
                some = asked[one][:1] if walker in OUT else asked[one]
                found.setdefault(one, []).extend((row, [*person.ask(TABLE[one], row)]) for row in some)
    return found


class _Walker:
    """Somebody who asks over one connection."""

    def __init__(self, world: World, who: str) -> None:
        token = {"suspended": "x" * 43, "signed-out": ""}.get(who)
        token = world.token(who) if token is None else token
        self._headers = {"authorization": f"Bearer {token}"} if token else {}
        self._wire = HTTPConnection(urlsplit(world.url).netloc, timeout=20)

    def __enter__(self) -> _Walker:
        return self

    def __exit__(self, *_: object) -> None:
        self._wire.close()

    def ask(self, operation: Operation, row: Row) -> Iterator[Answer]:
        """The answer, and the pages that follow it."""
        body, headers = None, {**self._headers, **row.headers}
        if operation.has_body:
            body = row.body if operation.raw else msgspec.json.encode(row.body)
            headers.setdefault("content-type", "application/json")
        query, cursor = dict(row.query), ""
        while True:
            at = f"{row.path}?{urlencode(query)}" if query else row.path
            self._wire.request(operation.method, at, body, headers)
            answer = self._wire.getresponse()
            data, given = answer.read(), [(name.lower(), value) for name, value in answer.getheaders()]
            yield _plain(answer.status, given, data.decode())
            if answer.status != 200 or not operation.paged or not (cursor := msgspec.json.decode(data)["next"]):
                return
            query["cursor"] = cursor


def _plain(status: int, headers: list[tuple[str, str]], text: str) -> Answer:
    request = dict(headers)["x-request-id"]
    kept = [(name, value) for name, value in headers if name not in ("date", "x-request-id")]
    kept = [(name, re.sub(r"cursor=([\w-]+)", _length, value) if name == "link" else value) for name, value in kept]
    body = re.sub(r'"(?:next|upto)":"([^"]+)"', _length, text).replace(request, "ID")
    return Answer(status, tuple(kept), body, len(text))


def _length(found: re.Match[str]) -> str:
    return f"{found[0].replace(found[1], '')}{len(found[1])}"


def may_ask(operation: Operation, walker: str) -> bool:
    """Whether a role of the walker's allows it."""
    acts = operation.act if isinstance(operation.act, tuple) else (operation.act,)
    return operation.act is None or any(may(WALKING[walker]["roles"], Act(act)) for act in acts if act)


def test_every_operation_has_a_row(worlds: Worlds, tmp_path: Path) -> None:
    """A new one is walked, or this fails."""
    found = walk(worlds, "without", "hide", "signed-out", tmp_path)
    assert found.keys() == TABLE.keys() and len(TABLE) == len(operations(find_apps()))


@pytest.mark.parametrize(
    "walker", [pytest.param(one, marks=pytest.mark.slow if one in LESS else ()) for one in (*WALKING, "signed-out")]
)
def test_what_one_may_not_know_of_changes_no_answer(worlds: Worlds, tmp_path: Path, walker: str) -> None:
    hides = HIDES.get(walker, "hide")
    without, more = (walk(worlds, name, hides, walker, tmp_path) for name in ("without", hides))
    for name, operation in TABLE.items():
        for (row, one), (_, other) in zip(without[name], more[name], strict=True):
            if name not in BY_OFFICE.get(walker, set()):
                assert other == one, (name, row)
            if walker not in OUT and may_ask(operation, walker):
                told = operation.path.startswith(BY_APPS) and walker != "originator"
                if walker in OWN and not told:
                    assert one[0].status == row.status, (name, row, one)
                assert other[0].status < 500, (name, row, other)
            elif not operation.open_:
                assert other[0].status == (401 if walker in OUT else 403), (name, row)
    if walker.startswith(("low", "foreign")):
        assert CANARY not in str([answers for _, answers in more["get_quarantine"]])


def test_it_does_show_to_whoever_is_in_that_project(worlds: Worlds, tmp_path: Path) -> None:
    """What is hidden from the others could be told by every operation that is about records."""
    without, more = (walk(worlds, name, "hide", "insider", tmp_path) for name in ("without", "hide"))
    same = {name for name in TABLE if [one for _, one in without[name]] == [one for _, one in more[name]]}
    assert {name for name in same - MUTE if name.split("_", 1)[1].split("_")[0] not in " ".join(ALIKE)} == set()
