"""Plain files: what goes out comes in again, marked as it was; what is withheld is in none of them."""

from __future__ import annotations

import csv
import io
import re
import warnings
from collections.abc import Mapping
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from nations import Coalition
from personnel import ORIGINATOR
from worksites import ALL, NAME, OWN, PAIR, charter, project, ref, worker

from aldis.apps.workspace.agenda import agenda, month, month_named
from aldis.apps.workspace.export import export
from aldis.apps.workspace.importing import plan_import, put_import, read_papers
from aldis.apps.workspace.kinds import Member, Plan, Ruling, Time
from aldis.apps.workspace.markdown import read_markdown, write_markdown
from aldis.apps.workspace.papers import Paper
from aldis.apps.workspace.project import Project
from aldis.apps.workspace.tables import read_tasks, write_tasks
from aldis.kernel.errors import InvalidInput, RefusedByPolicy, UnknownTerm

DAY = 86_400_000
CANARY = "canary"

_text = st.text(max_size=60) | st.sampled_from(
    [
        "<!-- portion body -->",
        "\\<!-- end -->",
        "+++\nkind",
        "a\n\nb\n",
        "# head",
        "**b**",
        "x\r\ny",
        "\n",
        "<!-- end -->\r",
        "=1+1",
        "'=1",
    ]
)
_marks = st.dictionaries(st.sampled_from(["header", "title", "details", "note", "state"]), _text.filter(bool))


@given(st.dictionaries(st.sampled_from(["title", "summary", "body", "annex"]), _text.filter(bool), min_size=1), _marks)
def test_markdown_reads_back_as_it_was_written(texts: dict[str, str], marks: dict[str, str]) -> None:
    paper = Paper("document", texts, {}, marks, "aus/1", "kit", "2026-10-01T00:00:00Z", banner="OFFICIAL")
    again = read_markdown(write_markdown(paper, {}), "x.md")
    assert (again.kind, dict(again.texts), dict(again.marks), again.id, again.at) == (
        "document", texts, marks, "aus/1", "2026-10-01T00:00:00Z",
    )  # fmt: skip


@given(st.lists(st.tuples(_text.filter(bool), _text, _text, _marks), max_size=4))
def test_a_table_of_tasks_reads_back_as_it_was_written(rows: list[tuple[str, str, str, dict[str, str]]]) -> None:
    papers = [
        Paper("task", {"title": title, **({"details": details} if details else {})},
              {"plan": {"person": person}} if person else {}, {"header": "OFFICIAL", **marks}, f"aus/{n}", note=details)
        for n, (title, details, person, marks) in enumerate(rows)
    ]  # fmt: skip
    again = read_tasks(write_tasks(papers, "OFFICIAL"), "tasks.csv")
    assert [(dict(p.texts), dict(p.values), dict(p.marks), p.note) for p in again] == [
        (dict(p.texts), dict(p.values), dict(p.marks), p.note) for p in papers
    ]


@given(_text.filter(bool))
def test_no_cell_is_a_formula(title: str) -> None:
    table = write_tasks([Paper("task", {"title": title}, {}, {"header": "OFFICIAL"})], "OFFICIAL")
    for row in csv.reader(io.StringIO(table, newline="")):
        assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for cell in row)


def full(coalition: Coalition) -> Project:
    """A project with something of everything, said by two nations."""
    charter(coalition)
    aus = project(coalition, "aus")
    people = [Member("Kit Example", "Naval staff", "lead")]
    aus.add("membership", {"members": people, "reserved": people}, {"": ALL, "reserved": PAIR})
    ready = aus.add("milestone", {"title": "Ready", "plan": Plan(due=None)}, {"": ALL})
    made = aus.add(
        "task",
        {
            "title": "=cmd|' /C calc'!A0",
            "details": 'One, "two"\nthree\n',
            "plan": Plan(owner="AUS", milestone=ref(ready)),
        },
        {"": ALL, "details": PAIR},
    )
    aus.add("task", {"title": f"{CANARY} own task", "plan": Plan(person="Alice")}, {"": OWN})
    texts = {"title": "Plan", "body": "# Not the title\n<!-- portion annex -->\n", "annex": f"{CANARY} annex"}
    aus.add("document", texts, {"": ALL, "annex": OWN})
    aus.add(
        "technical-data",
        {"title": "Winch", "parts": [{"part": "w", "drawing": "1", "parameters": {"load kN": "18"}}]},
        {"": ALL},
    )
    aus.add("decision", {"title": "Go?", "outcome": "Yes", "ruling": Ruling("Board", None)}, {"": ALL})
    aus.add("file", {"title": "notes.txt", "details": "plain"}, {"": ALL})
    aus.add("event", {"title": "Meet", "place": "Perth", "time": Time(1_790_000_000_000, 1_790_003_600_000)}, {"": ALL})
    aus.add("event", {"title": f"{CANARY} own event", "time": Time(0, DAY, all_day=True)}, {"": OWN})
    coalition.settle()
    gbr = project(coalition, "gbr")
    gbr.say(ref(made), "blocked", "no ship", {"": "SECRET"})
    topic = gbr.post(None, "Who comes?", {"": "SECRET"}, title="Meeting")
    coalition.settle()
    coalition.clock.at += 1000
    aus.refresh()
    first = aus.post(ref(topic), "We do", {})
    coalition.clock.at += 1000
    aus.post(ref(first), "With two", {})
    coalition.clock.at += 1000
    aus.post(ref(topic), "At noon", {})
    aus.say(ref(made), "done", "", {})
    return aus


def plain(files: Mapping[str, str]) -> dict[str, str]:
    """Files without ids and whose they were: what an import makes anew."""
    ids = sorted({found for text in files.values() for found in re.findall(r"\b[a-z]+/[0-9a-f]{16}\b", text)})
    order: dict[str, str] = {}
    for name in sorted(files):
        for found in re.findall(r"\b[a-z]+/[0-9a-f]{16}\b", files[name]):
            order.setdefault(found, f"REF-{len(order)}")
    assert len(order) == len(ids)
    kept = {}
    for name, text in files.items():
        for found, place in order.items():
            text = text.replace(found, place)
        text = re.sub(r'^(by|at) = ".*"$', r"\1", text, flags=re.MULTILINE)
        kept[name] = re.sub(r",[^,\r]*,\d{4}-\d\d-\d\dT[\d:]+Z,", ",by,at,", text)
    kept.pop("words.csv")
    kept.pop("calendar.ics")
    return kept


def test_export_import_export_is_equal_but_for_ids_and_whose_it_was(coalition: Coalition) -> None:
    full(coalition)
    context = worker(coalition, "aus", "alice", projects=["*"])
    out = export(Project(context, NAME))
    fresh = Project(context, "FRESH")
    plan = plan_import(fresh, read_papers(out))
    assert fresh.board.cards == () and not context.standing("FRESH", ["task"])
    put_import(fresh, plan)
    again = export(Project(context, "FRESH"))
    assert set(again) == set(out)
    before, after = plain(out), plain({name: text.replace("FRESH", NAME) for name, text in again.items()})
    for name in before:
        assert after[name] == before[name], name


def test_what_is_imported_of_a_partner_s_goes_on_being_theirs(coalition: Coalition) -> None:
    full(coalition)
    context = worker(coalition, "aus", "alice", projects=["*"])
    fresh = Project(context, "FRESH")
    put_import(fresh, plan_import(fresh, read_papers(export(Project(context, NAME)))))
    topic = next(card.item for card in fresh.board.of("post"))
    assert topic.ref.node == "aus" and all(label.origins == {"GBR"} for label in topic.labels)


def test_an_export_holds_nothing_that_is_withheld(coalition: Coalition) -> None:
    full(coalition)
    for name, expected in (("gbr", True), ("usa", False)):
        files = export(project(coalition, name))
        whole = "\n".join(files.values()) + "\n".join(files)
        assert CANARY not in whole
        assert ("One, " in whole) is expected
        assert re.findall(r"\n(?:BEGIN:VTODO)", files["calendar.ics"].replace("\r", "")) == ["\nBEGIN:VTODO"]
        assert sorted(path for path in files if path.startswith("event")) == ["event/00001.md"]
    assert CANARY in "".join(export(project(coalition, "aus")).values())


def test_every_file_bears_its_banner(coalition: Coalition) -> None:
    full(coalition)
    for path, text in export(project(coalition, "aus")).items():
        if path.endswith(".md"):
            banner = re.search(r'^banner = "(.*)"$', text, re.MULTILINE)
            assert banner and text.count(f"**{banner[1]}**") == 2, path
        elif path.endswith(".csv"):
            rows = list(csv.DictReader(io.StringIO(text, newline="")))
            assert rows and len({row["banner"] for row in rows}) == 1 and rows[0]["banner"].startswith("SECRET")
        else:
            assert "X-ALDIS-BANNER:SECRET" in text


def test_the_calendar_is_icalendar_with_stable_names_and_a_mark_on_everything(coalition: Coalition) -> None:
    from icalendar import Calendar

    full(coalition)
    files = [export(project(coalition, name))["calendar.ics"] for name in ("aus", "aus", "gbr")]
    uids = []
    for text in files:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            read = Calendar.from_ical(text)
        parts = [part for part in read.walk() if part.name in ("VEVENT", "VTODO")]
        assert all("X-ALDIS-MARKING" in part and str(part["CLASS"]) == "CONFIDENTIAL" for part in parts)
        assert all("(S" in str(part["SUMMARY"])[:8] for part in parts)
        assert all(len(line) <= 75 for line in text.encode().split(b"\r\n"))
        uids.append({str(part["UID"]) for part in parts})
    assert uids[0] == uids[1] and uids[2] < uids[0]


def test_a_month_shows_what_reaches_into_it(coalition: Coalition) -> None:
    full(coalition)
    slots = agenda(project(coalition, "aus").board)
    weeks = month(slots, *month_named("2026-09", 0))
    shown = {(day.isoformat(), slot.card.item.title) for week in weeks for day, here in week for slot in here}
    assert ("2026-09-21", "Meet") in shown and all(len(week) == 7 for week in weeks)
    assert month_named("", 1_790_000_000_000) == (2026, 9)
    for bad in ("2026", "2026-13", "1066-01", "x-y", "2026-1"):
        with pytest.raises(InvalidInput, match="month"):
            month_named(bad, 0)


def test_plain_files_of_other_programs_come_in(coalition: Coalition) -> None:
    charter(coalition)
    aus = project(coalition, "aus")
    files = {
        "notes/plan.md": "\n# The plan\n\nFirst this.\n",
        "todo.csv": "\ufefftitle,due,state\nPaint it,2026-11-01,doing\n",
    }
    put_import(aus, plan_import(aus, read_papers(files)))
    [document], [task] = aus.board.of("document"), aus.board.of("task")
    assert (document.item.text("title"), document.item.text("body")) == ("The plan", "First this.")
    assert (task.item.title, task.state, str(task.item.plan.due)) == ("Paint it", "doing", "2026-11-01")
    assert document.item.label == aus.board.charter.label  # type: ignore[union-attr]


HEAD = '+++\nkind = "{}"\n{}\n+++\n'


@pytest.mark.parametrize(
    ("path", "text", "said"),
    [
        ("a.txt", "x", "a.txt is neither"),
        ("a.md", "", "a.md, line 1: nothing"),
        ("a.md", "+++\nkind = 1\n", "line 1: the head that begins here never ends"),
        ("a.md", "+++\nkind = 'task'\nid =\n+++\n", "a.md, line 3: the head is not TOML"),
        ("a.md", HEAD.format("taks", ""), "a.md, line 2: 'taks' is no kind"),
        ("a.md", HEAD.format("task", "colour = 1"), "a.md, line 3: no field 'colour'"),
        ("a.md", HEAD.format("task", "id = 7"), "a.md, line 3: id is not text"),
        ("a.md", HEAD.format("task", "") + "loose\n", "a.md, line 5: this text belongs to no portion"),
        (
            "a.md",
            HEAD.format("document", "") + "<!-- portion body -->\na\n<!-- portion body -->\n",
            "line 7: a second 'body'",
        ),
        ("a.md", HEAD.format("task", "[values]\nplan = { due = 'soon' }"), "a.md, line 4: plan"),
        ("a.md", HEAD.format("task", "[values]\nwhen = 1"), "a.md, line 4: task has no 'when'"),
        ("a.md", HEAD.format("document", "[marks]\ntitle = 'SECRRET'") + "# T\n", "a.md, line .: .*SECRRET"),
        ("a.md", HEAD.format("task", "state = 'agreed'") + "# T\n", "a.md, line 3: a task is never 'agreed'"),
        (
            "a.md",
            HEAD.format("post", "about = 'aus/x'") + "# T\n<!-- portion text -->\nx\n",
            "line 3: 'aus/x' is neither",
        ),
        ("a.md", HEAD.format("progress", "") + "<!-- portion note -->\nx\n", "a.md, line 2: a word by itself"),
        ("a.md", HEAD.format("task", ""), "a.md, line 1: a task without content"),
        ("t.csv", "name\nx\n", "t.csv, line 1: no column 'name'"),
        ("t.csv", "due\n2026-01-01\n", "t.csv, line 1: no column 'title'"),
        ("t.csv", "title,due\nA,2026-01-01\n,2026-01-02\n", "t.csv, line 3: a task without a title"),
        ("t.csv", "title,due\nA,tomorrow\n", "t.csv, line 2: plan"),
        ("t.csv", "title\nA,B\n", "t.csv, line 2: 2 cells under 1"),
        ("t.csv", 'title\n"A', "t.csv, line 2: not CSV"),
        ("t.csv", "title,milestone\nA,x\n", "t.csv, line 2: milestone 'x' is not NODE/ID"),
        ("t.csv", "title,state\nA,lost\n", "t.csv, line 2: a task is never 'lost'"),
    ],
)
def test_a_file_that_cannot_be_is_refused_with_its_line_and_nothing_is_written(
    coalition: Coalition, path: str, text: str, said: str
) -> None:
    charter(coalition)
    aus = project(coalition, "aus")
    with pytest.raises(InvalidInput, match=said):
        put_import(aus, plan_import(aus, read_papers({"0.md": "# Fine\n\nyes", path: text})))
    assert len(project(coalition, "aus").board.items) == 1


def test_days_beyond_all_calendars_stop_nobody(coalition: Coalition) -> None:
    charter(coalition)
    gbr = project(coalition, "gbr")
    end = 253_402_300_799_000
    gbr.add("event", {"title": "Late", "time": Time(0, end, all_day=True)}, {"": "SECRET"})
    gbr.add("milestone", {"title": "Last", "plan": Plan(due=date.max)}, {"": "SECRET"})
    gbr.add("milestone", {"title": "First", "plan": Plan(due=date.min)}, {"": "SECRET"})
    far = gbr.drafts.draft("task", {"title": "Far"}, {"": "SECRET"})
    gbr.ctx.put(replace(far, created=2**53 - 1))
    coalition.settle()
    assert "9999-12-31T23:59:59Z" in export(project(coalition, "gbr"))["tasks.csv"]
    aus = project(coalition, "aus")
    assert "Late" in export(aus)["calendar.ics"]
    assert len(agenda(aus.board)) == 3 and aus.feed()
    assert [slot.card.item.title for week in month(agenda(aus.board), 2999, 12) for _, here in week for slot in here]


def test_posts_in_a_ring_are_refused(coalition: Coalition) -> None:
    charter(coalition)
    aus = project(coalition, "aus")
    ring = [
        HEAD.format("post", f"id = 'aus/{a}'\nabout = 'aus/{b}'") + "<!-- portion text -->\nx\n"
        for a, b in ("12", "21")
    ]
    with pytest.raises(InvalidInput, match="in a ring"):
        plan_import(aus, read_papers({"1.md": ring[0], "2.md": ring[1]}))


def test_an_import_is_all_or_nothing_and_only_what_one_may_write(coalition: Coalition) -> None:
    charter(coalition, mark="OFFICIAL//REL AUS/GBR/USA")
    low = Project(worker(coalition, "aus", "alice", level="OFFICIAL"), NAME)
    files = {"a.md": "# Fine\n\nyes", "b.md": HEAD.format("document", "[marks]\nheader = 'SECRET'") + "# High\n"}
    with pytest.raises(RefusedByPolicy, match="could not read"):
        put_import(low, plan_import(low, read_papers(files)))
    assert len(project(coalition, "aus").board.items) == 1
    reader = Project(worker(coalition, "aus", "reader", roles=[]), NAME)
    with pytest.raises(RefusedByPolicy, match="no role"):
        put_import(reader, plan_import(reader, read_papers({"a.md": "# Fine\n\nyes"})))


def test_an_id_that_the_node_did_not_give_out_is_refused(coalition: Coalition) -> None:
    charter(coalition)
    alice, bert = (worker(coalition, "aus", who, roles=[ORIGINATOR]) for who in ("alice", "bert"))
    draft = Project(alice, NAME).drafts.draft("task", {"title": "T"}, {})
    with pytest.raises(InvalidInput, match="asked for the id"):
        bert.put(draft)
    made = alice.put(draft)
    with pytest.raises(InvalidInput, match="asked for the id"):
        alice.put(draft)
    with pytest.raises(UnknownTerm):
        bert.put(replace(draft, id="", sources=[b"\0" * 32]))
    assert made.header.id == draft.id


def test_what_one_keeps_has_its_limits(coalition: Coalition) -> None:
    from aldis.kernel.errors import TooLarge

    alice: Any = worker(coalition, "aus", "alice")
    alice.keep("a", b"x")
    assert (alice.kept("a"), alice.kept("b"), coalition["aus"].context.kept("a")) == (b"x", b"", b"")
    with pytest.raises(TooLarge):
        alice.keep("a", b"x" * 70_000)
    with pytest.raises(TooLarge):
        alice.keep("a" * 201, b"x")
    for n in range(999):
        alice.keep(f"n{n}", b"x")
    with pytest.raises(TooLarge, match="1000 things"):
        alice.keep("one more", b"x")
    alice.keep("a", b"")
    alice.keep("one more", b"x")
    assert alice.kept("a") == b""
