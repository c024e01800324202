"""The HTTP API of projects, at `/api/v1/workspace`: whatever the pages do, for programs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any, Literal

import msgspec

from aldis.app import Context, Route
from aldis.apps.workspace.agenda import agenda
from aldis.apps.workspace.arranging import begin, extend
from aldis.apps.workspace.export import export
from aldis.apps.workspace.importing import IMPORT_BYTES, plan_import, put_import, read_papers
from aldis.apps.workspace.items import item_of
from aldis.apps.workspace.kinds import Charter, Ref, State, typed
from aldis.apps.workspace.project import Project, charters
from aldis.apps.workspace.shown import BriefShown, CardShown, DayShown, EntryShown, GainShown, ItemShown, Shower
from aldis.kernel.errors import InvalidInput
from aldis.kernel.records import Record

__all__ = ["ROUTES"]

_Markings = Annotated[dict[str, str], msgspec.Meta(max_length=64)]
_Name = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class _Nothing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Nothing is asked."""


class _Named(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A project by its name."""

    name: _Name


class _Filter(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A project, and which of its items: those of a kind and state, where these are given."""

    name: _Name
    kind: str = ""
    state: str = ""


class _At(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An item by its project, the node that wrote it, and its id."""

    name: _Name
    node: _Name
    id: _Name


class _Written(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A new item: its portions, and their markings by portion; `header` is that of its existence, "" of the rest."""

    name: _Name
    kind: Literal[
        "charter", "membership", "document", "technical-data", "task", "milestone", "decision", "event", "file"
    ]
    portions: dict[str, Any]
    markings: _Markings = {}


class _Revised(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The next version of an item: portions that change, or are null to go; what is not named stays."""

    name: _Name
    node: _Name
    id: _Name
    portions: dict[str, Any]
    markings: _Markings = {}


class _Word(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where an item stands, as this node's nation sees it."""

    name: _Name
    node: _Name
    id: _Name
    state: State
    note: str = ""
    markings: _Markings = {}


class _Reply(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An answer to an item or post."""

    name: _Name
    node: _Name
    id: _Name
    text: str
    markings: _Markings = {}


class _Topic(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A new topic of discussion."""

    name: _Name
    title: str
    text: str
    markings: _Markings = {}


class _Since(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Activity: all of it, what is `new` since it was read, or what is `mine`: of that, what concerns whoever asks."""

    name: _Name
    which: Literal["all", "new", "mine"] = "all"


class _Start(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A project to begin; without `write` it only says what would be released."""

    name: _Name
    template: Literal["bilateral", "trilateral"]
    partners: Annotated[list[str], msgspec.Meta(max_length=8)]
    title: str
    purpose: str = ""
    marking: str = ""
    ceilings: dict[str, str] = {}
    begins: date | None = None
    ends: date | None = None
    write: bool = False


class _Extend(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A party to take in; without `write` it only says what the newcomer would see."""

    name: _Name
    party: str
    marking: str = ""
    write: bool = False


class _Files(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Files by path, to be read into a project; without `write` it only says what would be written."""

    name: _Name
    files: dict[str, str]
    marking: str = ""
    write: bool = False


class ProjectBrief(msgspec.Struct, frozen=True):
    """A project whose charter is in sight."""

    name: str
    title: str
    parties: list[str]
    banner: str


class ProjectShown(msgspec.Struct, frozen=True):
    """A project: its charter, each nation's own list of its people, and how much is new to whoever asks."""

    name: str
    charter: ItemShown | None
    members: list[ItemShown]
    new: int


class StartShown(msgspec.Struct, frozen=True):
    """A beginning: the arrangement (TOML) for its parties to sign, what it would release, the charter once written."""

    arrangement: str
    gains: list[GainShown]
    charter: ItemShown | None


class GlimpseShown(msgspec.Struct, frozen=True):
    """One item held here, and whether the newcomer would get it from this node."""

    node: str
    id: str
    kind: str
    title: str
    banner: str
    goes: bool


class ExtendShown(msgspec.Struct, frozen=True):
    """An extension: the amended arrangement, the items, the charter's next version once written.

    The items are all of this node's, and those of others that their nodes would let this one pass on to the newcomer.
    """

    arrangement: str
    items: list[GlimpseShown]
    charter: ItemShown | None


class FilesShown(msgspec.Struct, frozen=True):
    """Files by path."""

    files: dict[str, str]


class PlaceShown(msgspec.Struct, frozen=True):
    """A record of an import: its kind, and the place in the files that it comes from."""

    kind: str
    place: str


class ImportShown(msgspec.Struct, frozen=True):
    """What an import writes."""

    written: bool
    items: list[PlaceShown]


class Done(msgspec.Struct, frozen=True):
    """It is done."""

    done: bool = True


def _list(ctx: Context, _asked: _Nothing) -> list[ProjectBrief]:
    shower = Shower(ctx)
    found = []
    for item in charters(ctx):
        terms = item.part("charter", Charter)
        found.append(ProjectBrief(item.project, item.title, terms.parties if terms else [], shower.banner(item.labels)))
    return found


def _show(ctx: Context, asked: _Named) -> ProjectShown:
    project, shower = Project.open(ctx, asked.name), Shower(ctx)
    charter = project.board.charter
    members = [shower.item(card.item) for card in project.board.of("membership")]
    return ProjectShown(asked.name, shower.item(charter) if charter else None, members, len(project.news()))


def _board(ctx: Context, asked: _Filter) -> list[BriefShown]:
    project, shower = Project.open(ctx, asked.name), Shower(ctx)
    return [
        shower.brief(card)
        for card in project.board.cards
        if asked.kind in ("", card.item.kind) and asked.state in ("", card.state)
    ]


def _item(ctx: Context, asked: _At) -> CardShown:
    return Shower(ctx).card(Project.open(ctx, asked.name).home_of(Ref(asked.node, asked.id)))


def _add(ctx: Context, asked: _Written) -> ItemShown:
    made = Project(ctx, asked.name).add(asked.kind, typed(asked.kind, asked.portions), asked.markings)
    return _made(ctx, made)


def _revise(ctx: Context, asked: _Revised) -> ItemShown:
    project, ref = Project.open(ctx, asked.name), Ref(asked.node, asked.id)
    kind = project.item(ref).kind
    if kind in ("progress", "post"):
        raise InvalidInput(f"a {kind} is not revised", fix="Say another word, or post again")
    return _made(ctx, project.revise(ref, typed(kind, asked.portions), asked.markings))


def _word(ctx: Context, asked: _Word) -> ItemShown:
    project, ref = Project.open(ctx, asked.name), Ref(asked.node, asked.id)
    return _made(ctx, project.say(ref, asked.state, asked.note, asked.markings))


def _reply(ctx: Context, asked: _Reply) -> ItemShown:
    project, ref = Project.open(ctx, asked.name), Ref(asked.node, asked.id)
    return _made(ctx, project.post(ref, asked.text, asked.markings))


def _topic(ctx: Context, asked: _Topic) -> ItemShown:
    return _made(ctx, Project.open(ctx, asked.name).post(None, asked.text, asked.markings, asked.title))


def _activity(ctx: Context, asked: _Since) -> list[EntryShown]:
    project, shower = Project.open(ctx, asked.name), Shower(ctx)
    entries = {"all": project.feed, "new": project.news, "mine": project.concerns}[asked.which]()
    return [shower.entry(entry) for entry in entries]


def _read(ctx: Context, asked: _Named) -> Done:
    Project.open(ctx, asked.name).read()
    return Done()


def _calendar(ctx: Context, asked: _Named) -> list[DayShown]:
    shower = Shower(ctx)
    return [shower.day(slot) for slot in agenda(Project.open(ctx, asked.name).board)]


def _start(ctx: Context, asked: _Start) -> StartShown:
    plan = begin(
        ctx, asked.name, template=asked.template, partners=asked.partners, title=asked.title, purpose=asked.purpose,
        marking=asked.marking, ceilings=asked.ceilings, begins=asked.begins, ends=asked.ends,
    )  # fmt: skip
    shower = Shower(ctx)
    charter = shower.item(plan.put(ctx)) if asked.write else None
    return StartShown(plan.arrangement, shower.gains(plan.preview), charter)


def _extend(ctx: Context, asked: _Extend) -> ExtendShown:
    plan, shower = extend(ctx, Project.open(ctx, asked.name), asked.party, marking=asked.marking), Shower(ctx)
    items = [
        GlimpseShown(one.ref.node, one.ref.id, one.kind, one.title, shower.banner(one.labels), one.goes)
        for one in plan.items
    ]
    return ExtendShown(plan.arrangement, items, shower.item(plan.put(ctx)) if asked.write else None)


def _export(ctx: Context, asked: _Named) -> FilesShown:
    return FilesShown(dict(export(Project.open(ctx, asked.name))))


def _import(ctx: Context, asked: _Files) -> ImportShown:
    project = Project(ctx, asked.name)
    plan = plan_import(project, read_papers(asked.files), asked.marking)
    if asked.write:
        put_import(project, plan)
    places = zip(plan.drafts, plan.places, strict=True)
    return ImportShown(asked.write, [PlaceShown(draft.kind, place) for draft, place in places])


def _made(ctx: Context, record: Record) -> ItemShown:
    return Shower(ctx).item(item_of(record))


_P, _I = "/projects/{name}", "/projects/{name}/items/{node}/{id}"
ROUTES: Sequence[Route] = (
    Route("GET", "/projects", "Projects whose charter you may see", _Nothing, list[ProjectBrief], _list),
    Route("POST", "/projects", "Start a project, or see what starting it would release", _Start, StartShown, _start),
    Route("GET", _P, "A project: charter, members, what is new", _Named, ProjectShown, _show),
    Route("GET", f"{_P}/board", "The items of a project and where they stand", _Filter, list[BriefShown], _board),
    Route("POST", f"{_P}/items", "Write a new item", _Written, ItemShown, _add),
    Route("GET", _I, "An item, every nation's word on it, and its thread", _At, CardShown, _item),
    Route("PUT", _I, "Write the next version of an item", _Revised, ItemShown, _revise),
    Route("POST", f"{_I}/word", "Say where an item stands, for your nation", _Word, ItemShown, _word),
    Route("POST", f"{_I}/replies", "Reply to an item or post", _Reply, ItemShown, _reply),
    Route("POST", f"{_P}/topics", "Open a topic", _Topic, ItemShown, _topic),
    Route(
        "GET", f"{_P}/activity", "What happened, what is new, what concerns you", _Since, list[EntryShown], _activity
    ),
    Route("POST", f"{_P}/read", "Remember that you have read all there is", _Named, Done, _read),
    Route("GET", f"{_P}/calendar", "Events, and when things are due", _Named, list[DayShown], _calendar),
    Route("POST", f"{_P}/extension", "Take a party in, or see what it would see", _Extend, ExtendShown, _extend),
    Route("GET", f"{_P}/export", "All that you may see, as plain files", _Named, FilesShown, _export),
    Route(
        "POST",
        f"{_P}/import",
        "Plain files into a project, all or nothing",
        _Files,
        ImportShown,
        _import,
        size=IMPORT_BYTES,
    ),
)
