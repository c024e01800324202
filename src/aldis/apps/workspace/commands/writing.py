"""The commands that write an item, and a nation's word on where one stands."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from aldis.apps.workspace.commands.terminal import MARKS, Run, day, marks, opened, operator, wrote
from aldis.apps.workspace.kinds import Member, Plan, Ref, Ruling, Time
from aldis.apps.workspace.membership import enlist
from aldis.apps.workspace.project import Project, project_of
from aldis.kernel.errors import InvalidInput

__all__ = ["decision", "document", "event", "member", "milestone", "post", "task"]

_WORDS = {
    "task": {"doing": "doing", "block": "blocked", "done": "done", "drop": "dropped", "reopen": "open"},
    "milestone": {"done": "done", "drop": "dropped", "reopen": "open"},
    "decision": {"agree": "agreed", "reject": "rejected", "drop": "dropped", "reopen": "open"},
}
_DAY_MS = 86_400_000
_details = click.option("--details", metavar="TEXT", default="", help="What is to be known of it.")
_due = click.option("--due", metavar="DAY", help="The day on which it is due, such as 2026-10-31.")


@click.group("task", no_args_is_help=True)
def task() -> None:
    """Add tasks, and say where they stand."""


@click.group("milestone", no_args_is_help=True)
def milestone() -> None:
    """Add milestones, and say when they are reached."""


@click.group("decision", no_args_is_help=True)
def decision() -> None:
    """Put questions to the nations, and say what yours decides."""


@click.group("event", no_args_is_help=True)
def event() -> None:
    """Add events to the calendar."""


@click.group("post", no_args_is_help=True)
def post() -> None:
    """Discuss: open topics, reply to items and posts."""


@click.group("document", no_args_is_help=True)
def document() -> None:
    """Add documents; `aldis project import` takes whole files and folders."""


@click.group("member", no_args_is_help=True)
def member() -> None:
    """List your own nation's people."""


@task.command("add")
@click.argument("name", metavar="PROJECT")
@click.argument("title")
@_details
@_due
@click.option("--owner", metavar="PARTY", help="The nation that is to do it.")
@click.option("--person", metavar="WHO", default="", help="Who is to do it.")
@click.option("--milestone", "serves", metavar="ID", help="The milestone that it serves.")
@MARKS
@click.pass_obj
def add_task(
    run: Run, name: str, title: str, details: str, due: str | None, owner: str | None, person: str, serves: str | None,
    marking: str, portions: tuple[str, ...],
) -> None:  # fmt: skip
    """Add a task to a project."""
    found = opened(run, name)
    plan = Plan(day(due), owner, person, _ref(found, serves) if serves else None)
    parts = {"title": title, "details": details, "plan": plan}
    wrote(run, found.add("task", parts, marks(marking, portions)), "task added")


@milestone.command("add")
@click.argument("name", metavar="PROJECT")
@click.argument("title")
@_details
@_due
@click.option("--owner", metavar="PARTY", help="The nation that answers for it.")
@MARKS
@click.pass_obj
def add_milestone(
    run: Run, name: str, title: str, details: str, due: str | None, owner: str | None, marking: str,
    portions: tuple[str, ...],
) -> None:  # fmt: skip
    """Add a milestone to a project."""
    parts = {"title": title, "details": details, "plan": Plan(day(due), owner)}
    wrote(run, opened(run, name).add("milestone", parts, marks(marking, portions)), "milestone added")


@decision.command("add")
@click.argument("name", metavar="PROJECT")
@click.argument("question")
@_details
@click.option("--outcome", metavar="TEXT", default="", help="What was decided.")
@click.option("--by", metavar="WHO", default="", help="Who decides.")
@click.option("--on", metavar="DAY", help="On which day.")
@MARKS
@click.pass_obj
def add_decision(
    run: Run, name: str, question: str, details: str, outcome: str, by: str, on: str | None, marking: str,
    portions: tuple[str, ...],
) -> None:  # fmt: skip
    """Put a question to the nations of a project."""
    parts = {"title": question, "details": details, "outcome": outcome, "ruling": Ruling(by, day(on))}
    wrote(run, opened(run, name).add("decision", parts, marks(marking, portions)), "decision added")


@event.command("add")
@click.argument("name", metavar="PROJECT")
@click.argument("title")
@click.option("--at", "start", metavar="WHEN", required=True, help="A day, or a UTC time such as 2026-10-31T09:30.")
@click.option("--until", "end", metavar="WHEN", help="When it ends; else on that day, or an hour later.")
@click.option("--place", metavar="TEXT", default="", help="Where it is.")
@_details
@MARKS
@click.pass_obj
def add_event(
    run: Run, name: str, title: str, start: str, end: str | None, place: str, details: str, marking: str,
    portions: tuple[str, ...],
) -> None:  # fmt: skip
    """Add an event to a project's calendar."""
    parts = {"title": title, "details": details, "place": place, "time": _time(start, end)}
    wrote(run, opened(run, name).add("event", parts, marks(marking, portions)), "event added")


@post.command("add")
@click.argument("name", metavar="PROJECT")
@click.argument("title")
@click.argument("text")
@MARKS
@click.pass_obj
def add_post(run: Run, name: str, title: str, text: str, marking: str, portions: tuple[str, ...]) -> None:
    """Open a topic in a project."""
    found = opened(run, name)
    wrote(run, found.post(None, text, marks(marking, portions), title), "topic opened")


@post.command("reply")
@click.argument("item_id", metavar="ID")
@click.argument("text")
@MARKS
@click.pass_obj
def reply(run: Run, item_id: str, text: str, marking: str, portions: tuple[str, ...]) -> None:
    """Reply to an item or a post.

    Without a marking a reply is marked like all that you see of what you reply to, for it may quote it.
    """
    name, ref = project_of(run.context, item_id)
    found = Project(run.context, name, operator())
    wrote(run, found.post(ref, text, marks(marking, portions)), "replied")


@document.command("add")
@click.argument("name", metavar="PROJECT")
@click.argument("title")
@click.option("--body", metavar="TEXT", default="", help="The text.")
@click.option(
    "--file", "path", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="The text, in a file."
)
@click.option("--summary", metavar="TEXT", default="", help="What it comes to.")
@MARKS
@click.pass_obj
def add_document(
    run: Run, name: str, title: str, body: str, path: Path | None, summary: str, marking: str,
    portions: tuple[str, ...],
) -> None:  # fmt: skip
    """Add a document to a project."""
    text = path.read_text("utf-8") if path is not None else body
    parts = {"title": title, "summary": summary, "body": text}
    wrote(run, opened(run, name).add("document", parts, marks(marking, portions)), "document added")


@member.command("add")
@click.argument("name", metavar="PROJECT")
@click.argument("who", metavar="NAME")
@click.option("--organisation", metavar="TEXT", default="", help="Where they work.")
@click.option("--role", metavar="TEXT", default="", help="What they do in the project.")
@click.option("--reserved", is_flag=True, help="Among those that go no further than a narrower marking says.")
@MARKS
@click.pass_obj
def add_member(
    run: Run, name: str, who: str, organisation: str, role: str, reserved: bool, marking: str,
    portions: tuple[str, ...],
) -> None:  # fmt: skip
    """Add somebody of your own nation to a project's members."""
    found = opened(run, name)
    made, given = Member(who, organisation, role), marks(marking, portions)
    record = enlist(found, made, given, reserved=reserved)
    wrote(run, record, f"{who} listed")


def _word(kind: str, word: str, state: str) -> click.Command:
    @click.command(word, help=f"Say for your nation that a {kind} is {state}; others' words stay beside yours.")
    @click.argument("item_id", metavar="ID")
    @click.option("--note", metavar="TEXT", default="", help="Why, or how far.")
    @MARKS
    @click.pass_obj
    def say(run: Run, item_id: str, note: str, marking: str, portions: tuple[str, ...]) -> None:
        name, ref = project_of(run.context, item_id)
        found = Project(run.context, name, operator())
        if found.card(ref).item.kind != kind:
            raise InvalidInput(
                f"{item_id} is a {found.card(ref).item.kind}", fix=f"Use its own command, or name a {kind}"
            )
        wrote(run, found.say(ref, state, note, marks(marking, portions)), f"{state}, says {run.context.party}")

    return say


def _ref(found: Project, item_id: str) -> Ref:
    name, ref = project_of(found.ctx, item_id)
    if name != found.name:
        raise InvalidInput(f"{item_id} is of another project", fix=f"Name an item of {found.name}")
    return ref


def _time(start: str, end: str | None) -> Time:
    first, whole = _instant(start)
    if end is None:
        return Time(first, first if whole else first + _DAY_MS // 24, whole)
    last, also = _instant(end)
    if whole != also:
        raise click.BadParameter("give days, or times, for both", param_hint="--until")
    return Time(first, last, whole)


def _instant(text: str) -> tuple[int, bool]:
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise click.BadParameter(f"{text!r} is no day or time: write 2026-10-31T09:30") from error
    found = found.replace(tzinfo=UTC) if found.tzinfo is None else found
    if found.year < 1970:
        raise click.BadParameter(f"{text!r} is before 1970")
    return int(found.timestamp() * 1000), "T" not in text and ":" not in text


_GROUPS: dict[str, click.Group] = {"task": task, "milestone": milestone, "decision": decision}
for _kind, _words in _WORDS.items():
    for _name, _state in _words.items():
        _GROUPS[_kind].add_command(_word(_kind, _name, _state))
