"""The pages and the HTTP API of projects: what they show bears its labels, and nothing else is there."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import msgspec
import pytest
from jinja2 import ChoiceLoader, DictLoader, Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from nations import Coalition
from personnel import GUEST, OFFICER, ORIGINATOR
from test_project_files import CANARY, full
from worksites import ALL, NAME, OWN, charter, project, ref, worker

import aldis.apps.workspace
from aldis.app import Context, Go, Page, Route, Shown
from aldis.apps.workspace import app
from aldis.apps.workspace.project import Project
from aldis.interfaces.api.table import operations
from aldis.kernel.errors import InvalidInput, RefusedByPolicy, Stale, UnknownTerm
from aldis.kernel.labels import Label

FRAME = """<!doctype html><html lang="en"><head><title>{% block title %}{{ title }}{% endblock %}</title></head>
<body><main>{% block main %}{% endblock %}</main></body></html>"""
TEMPLATES = Path(aldis.apps.workspace.__file__).parent / "templates"
PAGES: dict[tuple[str, str], Page] = {(page.method, page.path): page for page in app.pages()}
ROUTES: dict[tuple[str, str], Route] = {(route.method, route.path): route for route in app.routes()}


MARKED: set[Label] = set()
"""The labels whose marks are on the page that was rendered last."""


@cache
def environment() -> Environment:
    made = Environment(
        loader=ChoiceLoader([DictLoader({"frame.html": FRAME}), FileSystemLoader(TEMPLATES)]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )

    def mark(label: Label) -> str:
        MARKED.add(label)
        return label.classification

    def path(place: str, **named: Any) -> str:
        rest = {name: value for name, value in named.items() if f"{{{name}}}" not in place}
        for name, value in named.items():
            place = place.replace(f"{{{name}}}", quote(str(value), safe=":"))
        return f"/workspace{place}" + (f"?{urlencode(rest)}" if rest else "")

    made.filters |= {"mark": mark, "banner": mark, "when": lambda ms: f"at {ms}"}
    made.globals |= {"path": path, "csrf": lambda: Markup('<input type="hidden" name="csrf" value="x">'), "typed": {}}
    return made


def ask(context: Context, method: str, path: str, **fields: Any) -> Shown | Go:
    page = PAGES[method, path]
    answer = page.handler(context, msgspec.convert(fields, page.asks, strict=False))
    assert isinstance(answer, Shown | Go)
    return answer


def look(context: Context, path: str, method: str = "GET", **fields: Any) -> str:
    """The page as its template has it; every mark on it is among the labels that its banner is made of."""
    page = PAGES[method, path]
    shown = ask(context, method, path, **fields)
    assert isinstance(shown, Shown)
    MARKED.clear()
    html = environment().get_template(page.template).render({**shown.values, "title": page.title})
    assert set(shown.labels) >= MARKED, (path, MARKED - set(shown.labels))
    check_accessible(html)
    return html


def check_accessible(html: str) -> None:
    assert html.count("<h1") == 1 and not re.search(r"<script|<style|\son\w+=|\sstyle=", html)
    ids = re.findall(r'\sid="([^"]+)"', html)
    assert len(ids) == len(set(ids)), [one for one in ids if ids.count(one) > 1]
    for name in re.findall(r'(?:aria-labelledby|for|aria-describedby)="([^"]+)"', html):
        assert name in ids, name
    for field in re.findall(r"<(?:input|select|textarea)[^>]*>", html):
        hidden = 'type="hidden"' in field or "aria-label" in field
        found = re.search(r'\sid="([^"]+)"', field)
        assert hidden or (found and f'for="{found[1]}"' in html), field
    assert all("scope=" in head for head in re.findall(r"<th\b[^>]*>", html))
    assert html.count("<form") - html.count('method="get"') == html.count('name="csrf"')


def everything(context: Context) -> dict[str, str]:
    """Every page of a project that somebody can reach."""
    seen = Project(context, NAME)
    found = {"/": look(context, "/")}
    if not seen.board.cards:
        return found
    plain: tuple[str, ...] = (
        "board",
        "members",
        "documents",
        "discussions",
        "files",
        "activity",
        "calendar",
        "import",
        "extend",
    )
    if "put" in (context.person.acts if context.person else ()):
        plain = (*plain, "members/add")
    for place in ("/{name}", *(f"/{{name}}/{one}" for one in plain)):
        found[place] = look(context, place, name=NAME)
    for kind in ("task", "milestone", "decision"):
        found[f"board {kind}"] = look(context, "/{name}/board", name=NAME, kind=kind)
        found[f"all {kind}"] = look(context, "/{name}/board", name=NAME, kind=kind, state="open")
    for kind in ("task", "milestone", "decision", "event", "document", "file", "post"):
        found[f"add {kind}"] = look(context, "/{name}/add/{kind}", name=NAME, kind=kind)
    found["month"] = look(context, "/{name}/calendar", name=NAME, month="2026-09")
    for item in seen.board.items:
        found[str(item.ref)] = look(context, "/{name}/items/{node}/{id}", name=NAME, node=item.ref.node, id=item.ref.id)
    return found


def answers(context: Context) -> bytes:
    """Every answer of the API to somebody who only reads."""
    found = b""
    items = Project(context, NAME).board.items
    for (method, path), route in ROUTES.items():
        if method != "GET":
            continue
        at = [{"node": item.ref.node, "id": item.ref.id} for item in items] if "{id}" in path else [{}]
        for more in at:
            named = {"name": NAME} if "{name}" in path else {}
            try:
                answer = route.handler(context, msgspec.convert(named | more, route.asks))
            except UnknownTerm:
                continue
            found += msgspec.json.encode(msgspec.convert(msgspec.to_builtins(answer), route.answers))
    return found


def test_no_page_and_no_answer_shows_what_its_reader_may_not_see(coalition: Coalition) -> None:
    aus = full(coalition)
    secret = aus.add("task", {"title": f"{CANARY} hidden"}, {"": OWN})
    shared = next(card.item for card in aus.board.of("task") if CANARY not in card.item.title)
    aus.post(shared.ref, f"{CANARY} reply", {"": OWN})
    aus.post(ref(secret), f"{CANARY} inside", {})
    coalition.settle()
    hidden = {str(item.ref.id) for item in aus.board.items if any(CANARY in item.text(p.name) for p in item.parts)}
    hidden -= {card.item.ref.id for card in aus.board.of("document")}
    readers = {
        name: worker(coalition, name, "reader", clearance={"AUS": "SECRET", "UK": "SECRET", "US": "SECRET"})
        for name in ("gbr", "usa")
    }
    readers["foreign"] = worker(coalition, "aus", "bob", nationality="GBR")
    readers["guest"] = worker(coalition, "aus", "acme", roles=[GUEST], kinds=["document"])
    readers["low"] = worker(coalition, "aus", "alice", level="OFFICIAL")
    for name, reader in readers.items():
        pages = everything(reader)
        whole = "\n".join(pages.values()) + answers(reader).decode()
        assert CANARY not in whole.replace(f"{CANARY} annex" if name == "guest" else "\0", ""), name
        assert not [one for one in hidden if one in whole], name
        with pytest.raises(UnknownTerm):
            ask(reader, "GET", "/{name}/items/{node}/{id}", name=NAME, node="aus", id=secret.header.id)
    owner = worker(coalition, "aus", "owner")
    assert CANARY in "".join(everything(owner).values()) and CANARY.encode() in answers(owner)
    assert "No project here" in look(readers["low"], "/")


def test_forms_write_what_they_say_and_lead_to_it(coalition: Coalition) -> None:
    charter(coalition)
    alice = worker(coalition, "aus", "alice")
    at: dict[str, str] = {"name": NAME}
    add = "/{name}/add/{kind}"
    ready = ask(alice, "POST", add, **at, kind="milestone", title="Ready", due="2026-12-01")
    assert isinstance(ready, Go)
    made = ask(
        alice, "POST", add, **at, kind="task", title="Ship", text="30 m", due="2026-10-31", owner="AUS",
        milestone="/".join(ready.path.split("/")[-2:]), text_marking=OWN,
    )  # fmt: skip
    assert isinstance(made, Go)
    node, id_ = made.path.split("/")[-2:]
    item = {**at, "node": node, "id": id_}
    assert ask(alice, "POST", "/{name}/items/{node}/{id}/word", **item, state="done", note="at last") == made
    ask(alice, "POST", "/{name}/items/{node}/{id}/reply", **item, text="Well done")
    page = look(alice, "/{name}/items/{node}/{id}", **item)
    assert "at last" in page and "Well done" in page and "2026-10-31" in page and ">Ready</a>" in page
    ask(alice, "POST", add, **at, kind="event", title="Meet", start="2026-10-05T09:00", place="Perth")
    ask(alice, "POST", add, **at, kind="decision", title="Go?", by="Board", due="2026-10-06")
    ask(alice, "POST", add, **at, kind="document", title="Plan", text="First")
    with pytest.raises(InvalidInput, match="no file came"):
        ask(alice, "POST", add, **at, kind="file", title="a.txt", text="plain")
    ask(alice, "POST", add, **at, kind="post", title="Weather", text="When?")
    assert "Perth" not in look(alice, "/{name}/calendar", **at, month="2026-10")
    assert "Meet" in look(alice, "/{name}/calendar", **at, month="2026-10")
    assert "nothing since" not in look(alice, "/{name}", **at).lower()
    ask(alice, "POST", "/{name}/read", **at)
    assert "Nothing since you last read" in look(alice, "/{name}", **at)
    preview = look(alice, "/{name}/import", "POST", **at, form="csv", text="title\nOne\nTwo\n")
    assert "text.csv, line 2" in preview and len(Project(alice, NAME).board.of("task")) == 1
    ask(alice, "POST", "/{name}/import", **at, form="csv", text="title\nOne\nTwo\n", sure="yes")
    assert len(Project(alice, NAME).board.of("task")) == 3
    for bad in ({"kind": "progress"}, {"kind": "event", "start": "noon"}, {"kind": "task", "milestone": "aus/none"}):
        with pytest.raises(InvalidInput):
            ask(alice, "POST", add, **at, title="x", **bad)


def test_start_and_extend_show_first_and_write_when_one_is_sure(coalition: Coalition) -> None:
    boss = worker(coalition, "aus", "boss", projects=["*"], roles=[ORIGINATOR, OFFICER])
    look(boss, "/start")
    given = {"project": "REEF", "template": "bilateral", "partners": "GBR", "title": "Reef", "marking": ALL}
    assert "pa-reef" in look(boss, "/start", "POST", **given)
    assert Project(boss, "REEF").board.cards == ()
    assert ask(boss, "POST", "/start", **given, sure="yes") == Go("/REEF")
    charter(coalition)
    aus = project(coalition, "aus")
    aus.add("task", {"title": "For four"}, {"": "SECRET//REL AUS/GBR/NZL/USA"})
    aus.add("task", {"title": "For three"}, {"": ALL})
    page = look(boss, "/{name}/extend", "POST", name=NAME, party="NZL", marking="SECRET//REL AUS/GBR/NZL/USA")
    rows = re.findall(r'</span> (yes|no)</td>.*?scope="row">([^<]+)<', page)
    assert {(title, goes) for goes, title in rows} == {("For four", "yes"), ("Sea watch", "yes"), ("For three", "no")}
    assert Project(boss, NAME).board.charter.version == 1  # type: ignore[union-attr]
    ask(boss, "POST", "/{name}/extend", name=NAME, party="NZL", marking="SECRET//REL AUS/GBR/NZL/USA", sure="yes")
    assert Project(boss, NAME).board.charter.version == 2  # type: ignore[union-attr]


def test_a_member_is_listed_once_it_was_shown_what_they_would_see(coalition: Coalition) -> None:
    charter(coalition)
    aus = project(coalition, "aus")
    secret = aus.add("task", {"title": f"{CANARY} task"}, {"": OWN})
    parts = {"title": "Half open", "body": f"{CANARY} body"}
    aus.add("document", parts, {"": ALL, "body": OWN})
    aus.say(ref(secret), "doing", f"{CANARY} word", {"": OWN})
    alice = worker(coalition, "aus", "alice")
    add, at = "/{name}/members/add", {"name": NAME, "who": "Ann Lee", "role": "lead", "organisation": "Reef Trust"}

    def seen(context: Context, cleared: str) -> dict[str, str]:
        page = look(context, add, "POST", **at, cleared=cleared)
        return dict(re.findall(r'scope="row">([^<]+)<.*?class="outcome">([^<]+)<', page))

    assert seen(alice, "SECRET") == {
        "Half open": "all that you see", f"{CANARY} task": "all that you see", "Sea watch": "all that you see"
    }  # fmt: skip
    assert seen(alice, "UNOFFICIAL") == dict.fromkeys((f"{CANARY} task", "Half open", "Sea watch"), "nothing")
    assert not seen(alice, "OFFICIAL").keys() - seen(alice, "SECRET").keys()
    assert Project(alice, NAME).board.of("membership") == ()
    made = ask(alice, "POST", add, **at, cleared="SECRET", sure="yes")
    assert made == Go(f"/{NAME}/members") and "Ann Lee" in look(alice, "/{name}/members", name=NAME)
    ask(alice, "POST", add, name=NAME, role="liaison", cleared="SECRET", marking=OWN, reserved="yes", sure="yes")
    page = look(alice, "/{name}/members", name=NAME)
    assert "reserved, as that nation lists them" in page and page.count("Take off") == 2
    for bad in ({**at, "cleared": "SECRET"}, {"name": NAME, "cleared": "SECRET"}, {**at, "cleared": "COSMIC"}):
        with pytest.raises((InvalidInput, UnknownTerm)):
            ask(alice, "POST", add, **bad, sure="yes")
    coalition.settle()
    gbr = worker(coalition, "gbr", "gareth", clearance={"AUS": "SECRET", "UK": "SECRET"}, nationality="GBR")
    theirs = look(gbr, "/{name}/members", name=NAME)
    assert "Ann Lee" in theirs and "liaison" not in theirs and "Take off" not in theirs
    gone = {"name": NAME, "part": "members", **{key: at[key] for key in ("who", "role", "organisation")}}
    ask(alice, "POST", "/{name}/members/remove", **gone)
    assert "Ann Lee" not in look(alice, "/{name}/members", name=NAME)
    with pytest.raises(Stale):
        ask(alice, "POST", "/{name}/members/remove", **gone)


def test_a_newcomer_of_a_lower_level_is_said_to_see_less(coalition: Coalition) -> None:
    aus = project(coalition, "aus")
    parts = {"title": "Half open", "summary": f"{CANARY} summary"}
    charter(coalition)
    aus.refresh()
    aus.add("document", parts, {"": "OFFICIAL//REL AUS/GBR/USA", "summary": OWN})
    alice = worker(coalition, "aus", "alice")
    page = look(alice, "/{name}/members/add", "POST", name=NAME, who="Ann", cleared="OFFICIAL")
    assert "only title" in page and 'class="outcome">nothing' in page
    low = worker(coalition, "aus", "bob", level="OFFICIAL")
    theirs = look(low, "/{name}/members/add", "POST", name=NAME, who="Ann", cleared="SECRET")
    assert "Half open" in theirs and "all that you see" in theirs, "of what the asker sees, and no more"
    assert not any(word in theirs for word in (CANARY, "Sea watch", "summary", "nothing<"))


def test_an_import_over_http_may_be_larger_than_other_bodies() -> None:
    sizes = {one.path: one.size for one in operations({app.name: app}) if one.method == "POST"}
    assert sizes["/api/v1/workspace/projects/{name}/import"] == 8 * 1024 * 1024
    assert sizes["/api/v1/workspace/projects/{name}/topics"] == 256 * 1024


def test_the_api_does_what_the_pages_do(coalition: Coalition) -> None:
    charter(coalition)
    alice = worker(coalition, "aus", "alice", roles=[ORIGINATOR, OFFICER], projects=["*"])

    def call(method: str, path: str, **fields: Any) -> Any:
        route = ROUTES[method, path]
        answer = route.handler(alice, msgspec.json.decode(msgspec.json.encode(fields), type=route.asks))
        return msgspec.json.decode(msgspec.json.encode(msgspec.convert(msgspec.to_builtins(answer), route.answers)))

    one, item = "/projects/{name}", "/projects/{name}/items/{node}/{id}"
    assert [found["name"] for found in call("GET", "/projects")] == [NAME]
    made = call(
        "POST", f"{one}/items", name=NAME, kind="task", portions={"title": "Ship", "plan": {"due": "2026-10-31"}}
    )
    at = {"name": NAME, "node": made["node"], "id": made["id"]}
    revised = call("PUT", item, **at, portions={"title": "Ship it", "plan": None}, markings={"title": OWN})
    assert revised["version"] == 2 and [*revised["portions"]] == ["title"]
    assert call("POST", f"{item}/word", **at, state="doing")["portions"]["progress"]["value"]["state"] == "doing"
    reply = call("POST", f"{item}/replies", **at, text="Go")
    call("POST", f"{one}/topics", name=NAME, title="Weather", text="When?")
    card = call("GET", item, **at)
    assert (card["state"], len(card["replies"])) == ("doing", 1)
    assert call("GET", item, **at | {"id": reply["id"]})["item"]["id"] == made["id"]
    assert len(call("GET", f"{one}/board", name=NAME, kind="task", state="doing")) == 1
    assert call("GET", one, name=NAME)["new"] == 5
    call("POST", f"{one}/read", name=NAME)
    assert call("GET", f"{one}/activity", name=NAME, which="new") == []
    files = call("GET", f"{one}/export", name=NAME)["files"]
    assert call("POST", f"{one}/import", name="FRESH", files=files)["written"] is False
    call("POST", f"{one}/import", name="FRESH", files=files, write=True)
    assert len(call("GET", f"{one}/board", name="FRESH")) == len(call("GET", f"{one}/board", name=NAME))
    start = {"name": "REEF", "template": "bilateral", "partners": ["GBR"], "title": "Reef", "marking": ALL}
    assert call("POST", "/projects", **start)["charter"] is None
    assert call("POST", "/projects", **start, write=True)["charter"]["kind"] == "charter"
    plan = call("POST", f"{one}/extension", name=NAME, party="NZL")
    assert plan["charter"] is None and not any(found["goes"] for found in plan["items"])
    assert call("GET", f"{one}/calendar", name=NAME) == []
    with pytest.raises(InvalidInput, match="is not revised"):
        call("PUT", item, **at | {"id": reply["id"]}, portions={"text": "x"})
    with pytest.raises(InvalidInput, match="no 'colour'"):
        call("POST", f"{one}/items", name=NAME, kind="task", portions={"colour": "red"})


def test_whoever_may_not_write_writes_nothing_by_any_route_or_form(coalition: Coalition) -> None:
    charter(coalition)
    aus = project(coalition, "aus")
    made = aus.add("task", {"title": "Ship"}, {"": ALL})
    before = len(aus.board.items)
    at = {"name": NAME, "node": "aus", "id": made.header.id}
    fields: dict[str, Any] = {
        "name": NAME, "node": "aus", "id": made.header.id, "kind": "task", "portions": {"title": "x"}, "state": "done",
        "text": "x", "title": "x", "files": {"a.md": "# x"}, "write": True, "template": "bilateral",
        "partners": ["GBR"], "party": "NZL", "sure": "yes", "form": "md", "project": "REEF",
        "who": "Ann", "cleared": "OFFICIAL", "part": "members",
    }  # fmt: skip
    for roles in ([], [GUEST]):
        reader = worker(coalition, "aus", "guest" if roles else "reader", roles=roles, kinds=["task", "charter"])
        for table in (ROUTES, PAGES):
            for (method, path), one in table.items():
                if method == "GET" or path.endswith("/read"):
                    continue
                wanted = {field.name for field in msgspec.structs.fields(one.asks)}
                given = {name: value for name, value in fields.items() if name in wanted}
                if table is PAGES and "files" in given:
                    given["files"] = []
                if path == "/start":
                    given["partners"] = "GBR"
                if path == "/projects":
                    given["name"] = "REEF"
                with pytest.raises((RefusedByPolicy, UnknownTerm)):  # a guest is told of no arrangement either
                    one.handler(reader, msgspec.convert(given, one.asks, strict=False))
        assert "<button" not in look(reader, "/{name}/items/{node}/{id}", **at)
    assert len(project(coalition, "aus").board.items) == before
