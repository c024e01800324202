"""App and Context: all that an app sees of the kernel and the node.

An app is found by the entry-point group `aldis.apps`; it imports the kernel and this module, never another app,
the node or SQL.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping, Sequence
from importlib.metadata import entry_points
from typing import Any, Literal, Protocol

import msgspec

from aldis.kernel.attachments import Attachment
from aldis.kernel.errors import AldisError, InvalidInput, Unavailable
from aldis.kernel.explain import RecordExplanation
from aldis.kernel.frames import Update
from aldis.kernel.labels import Label
from aldis.kernel.preview import Preview
from aldis.kernel.records import Draft, Kind, Record
from aldis.kernel.signatures import Key, Signer

__all__ = [
    "App",
    "Arrived",
    "Asker",
    "Command",
    "Context",
    "Crossed",
    "Found",
    "Go",
    "Live",
    "Page",
    "Query",
    "Recordings",
    "Route",
    "Shown",
    "System",
    "find_apps",
]


class Query(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to look for; empty fields do not restrict. `text` searches the words of portions one may see.

    `kinds` are several to choose from; `originator` is a node, `author` whoever wrote the version.
    """

    kind: str = ""
    project: str = ""
    text: str = ""
    limit: int = 50
    cursor: str = ""
    kinds: tuple[str, ...] = ()
    originator: str = ""
    author: str = ""


class Found(msgspec.Struct, frozen=True):
    """A page of records, newest arrival first; `next` is the cursor of what follows, "" where nothing does."""

    records: Sequence[Record]
    next: str


class Arrived(msgspec.Struct, frozen=True):
    """A record and when it came to this node, or was written here, in ms since 1970 UTC."""

    record: Record
    at: int


class Asker(msgspec.Struct, frozen=True):
    """The person for whom an app works; `nationality` is a party, `acts` is what their roles allow by name."""

    id: str
    name: str
    nationality: str
    organisation: str
    guest: bool
    projects: frozenset[str]
    acts: frozenset[str]


class Live(msgspec.Struct, frozen=True, gc=False):
    """One live value as it arrived: the node it came from (empty for this one), its label, and the update.

    Of this node's own, `header` is the label of its record's existence, and `project` its record's.
    """

    source: str
    label: Label
    update: Update
    header: Label | None = None
    project: str = ""


class Crossed(msgspec.Struct, frozen=True):
    """The values of one live frame, as they left for a partner (`left`), or as those that may be held here arrived.

    `node` is the partner, `at` is when, in ms since 1970 UTC by this node's clock. `frame` is the same at both ends,
    and no other frame between the two nodes has it. Of what left, every decision and transform is behind it.
    """

    node: str
    left: bool
    frame: str
    at: int
    values: Sequence[Live]


class System(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A system that is connected to this node, as the node's settings name it.

    `address` says where it is and may say its protocol; `mapping` is the file that describes a protocol of its own.
    `person` is the account of this node as which it acts: it is sent what that account may see; "" for nothing.
    With `tasking` it may be given tasks, those of partners too, once its own nation has accepted them.
    `reckon` has it sent, between reports, where a track of what it was sent is by dead reckoning.
    """

    name: str
    address: str
    mapping: str = ""
    person: str = ""
    tasking: bool = False
    reckon: bool = False


class Recordings(msgspec.Struct, frozen=True):
    """Where an app keeps recordings of this node, and what seals them."""

    folder: str
    signer: Signer


class Context(Protocol):
    """What a node gives an app: as the node itself, or bound to the person who asks."""

    @property
    def node(self) -> str:
        """The name of this node: the originator of what it puts."""

    @property
    def party(self) -> str:
        """The party whose node this is."""

    @property
    def person(self) -> Asker | None:
        """Who asks; None where the node itself works, as for a gateway."""

    def now(self) -> int:
        """The time by this node's clock, in ms since 1970 UTC."""

    @property
    def pace(self) -> float:
        """How many times faster than it was made a recording is to be played."""

    @property
    def recordings(self) -> Recordings | None:
        """Where to record, if the node's settings ask for it."""

    def report_signer(self) -> Signer:
        """What signs reports of experiments as this node, and nothing else.

        Raises:
            RefusedByPolicy: a person asks; who may use the node's folder signs for its party.
        """

    def parties(self) -> Mapping[str, str]:
        """The party of each node that this one knows, its own among them."""

    def key_of(self, node: str) -> Key:
        """The key that signs what a node sends: this one, or one that it is paired with.

        Raises:
            UnknownTerm: there is no such partner.
        """

    def labels(self, kind: str, system: str = "", key: str = "") -> Mapping[str, Label]:
        """The labels that the node's settings give a kind, by portion; `header` is that of its existence.

        With a system and the key that it gives a thing, those of that thing.
        """

    def every_label(self, kind: str) -> Sequence[Label]:
        """Every label that the node's settings can give something of a kind, whatever it is and whoever said it."""

    def foreign(self, words: str) -> Label | None:
        """The label that the node's settings give words of a foreign system, such as `caveat=FOUO`; None for none."""

    def label(self, marking: str) -> Label:
        """The label that a marking in this node's policy states.

        Raises:
            UnknownTerm, InvalidInput: it cannot be read; the message says where.
        """

    def marking(self, label: Label, *, portion: bool = False) -> str:
        """A label as it is written: a banner line, or the mark of a portion."""

    def banner(self, labels: Iterable[Label]) -> Label:
        """The roll-up of labels in this node's policy: of no label, its lowest.

        Raises:
            NeedsPerson: a foreign label that no equivalence maps.
        """

    def default_project(self) -> str:
        """The project that the node's settings give to what gateways put."""

    def opaque(self, text: str) -> str:
        """A stable name for `text` that tells nothing of it to whoever lacks this node's secret."""

    def newest(self, record_id: str) -> Record | None:
        """The newest version that this node wrote of a record, where whoever asks may know of it."""

    def get(self, record_id: str, version: int | None = None, originator: str = "") -> Record:
        """A version of a record, the newest where none is named, with the portions that whoever asks may see.

        Where several nodes use one id, `originator` says whose is meant; else it is this node's own.

        Raises:
            UnknownTerm: there is none, or they may not know of it: the two are told apart by nothing.
        """

    def issue(self) -> str:
        """A new id for a first version that this context puts: opaque, so that it tells nothing."""

    def put_all(self, drafts: Sequence[Draft]) -> Sequence[Record]:
        """Store several records, all or none; see `put`. They may refer to one another by ids from `issue`."""

    def put(self, draft: Draft) -> Record:
        """Store a record and its ledger leaf in one transaction. Of a person's first version the node chooses the id.

        Raises:
            RefusedByPolicy: whoever asks may not write this, or it may not be held here.
            InvalidInput, UnknownTerm: against the rules of records, or of its kind.
        """

    def find(self, query: Query) -> Found:
        """Records that whoever asks may see, with the portions that they may see."""

    def standing(self, project: str, kinds: Collection[str]) -> Sequence[Arrived]:
        """The newest version of every record of a project and some kinds that whoever asks may see, oldest first.

        Raises:
            TooLarge: more than 50,000 of them: look through them page by page with `find`.
        """

    def ladder(self) -> Sequence[str]:
        """The classifications of this node's policy that are in use up to its ceiling, the lowest first."""

    def seen_by(self, cleared: str, project: str, kinds: Collection[str]) -> Sequence[Arrived]:
        """Of what `standing` gives, what a new member of the project would see too.

        A member of this node's own party, cleared for a classification of its policy and for no category.

        Raises:
            UnknownTerm: no such classification in use here.
        """

    def brought(self, file: Attachment, most: int) -> bytes:
        """The content of a file that whoever asks brought in with a form of this day.

        Raises:
            UnknownTerm: they brought in no such file.
            TooLarge: it has over `most` bytes.
        """

    def kept(self, name: str) -> bytes:
        """What `keep` kept for whoever asks at the level they work at; empty where it kept nothing."""

    def keep(self, name: str, data: bytes) -> None:
        """Keep a few bytes for whoever asks: it is nobody else's, no record, and never leaves this node.

        Raises:
            TooLarge: a name of over 200 bytes, data of over 64 KiB, or over 1,000 names.
        """

    def offer(self, record: Record, party: str) -> RecordExplanation:
        """Ask for a release now; a referral goes to a release officer."""

    def explain(self, record: Record, party: str) -> RecordExplanation:
        """Why a party may or may not have it, and what would change that; of portions that whoever asks may see."""

    def preview(self, *instruments: str) -> Preview:
        """What draft instruments (TOML) would newly release, and to whom, of records that whoever asks may see."""

    def publish(self, header: Label, label: Label, project: str, update: Update) -> None:
        """Give a live value out, to whom its label, that of its record's header and the instruments allow."""

    def publish_all(self, header: Label, project: str, values: Sequence[tuple[Label, Update]]) -> None:
        """As `publish`, of several values under one header, each with its own label."""

    def may_show(self, live: Live, account: str) -> bool:
        """Whether a live value may be sent to a system that acts as an account; True for at most a second too long."""

    def subscribe(self, kind: str) -> AsyncIterator[Live]:
        """Live values of a kind, this node's own and those from partners, that whoever asks may see."""

    def follow_frames(self, told: Callable[[Crossed], None]) -> Callable[[], None]:
        """Tell of each live frame that leaves for a partner or comes from one, until what this returns is called.

        `told` is called at once, in between: it has to be quick.
        """

    def tell_problems(self, app: str, problems: Sequence[AldisError]) -> None:
        """Say what an app that works beside the node cannot do just now, for `aldis doctor`; none where all is well."""


class Route(msgspec.Struct, frozen=True):
    """One operation of an app's HTTP API, at `/api/v1/APP` + `path`; names in braces are segments.

    `asks` is a struct whose fields are given by the path, the query and, for POST and PUT, the JSON body; `answers` the
    type of what `handler` returns; `size` is the most bytes of a body. Errors of the kernel become problems (RFC 9457).
    """

    method: Literal["GET", "POST", "PUT", "DELETE"]
    path: str
    summary: str
    asks: type[msgspec.Struct]
    answers: Any
    handler: Callable[[Context, Any], Any]
    size: int = 256 * 1024


class Shown(msgspec.Struct, frozen=True):
    """What a page shows: the values of its template, and the label of everything in them, for the banner."""

    values: Mapping[str, Any]
    labels: Sequence[Label]


class Go(msgspec.Struct, frozen=True):
    """Where a form leads once it is done: a path of this app's pages."""

    path: str


class Page(msgspec.Struct, frozen=True):
    """A page of an app, at `/APP` + `path`; a POST is a form, whose fields are those of `asks`.

    `template` is a Jinja template of the app's package, below the node's frame (`frame.html`, block `main`).
    A form with `files` may carry some: its field then holds the JSON of the `Attachment` that each became.
    """

    method: Literal["GET", "POST"]
    path: str
    title: str
    asks: type[msgspec.Struct]
    handler: Callable[[Context, Any], Shown | Go]
    template: str = ""
    files: bool = False


class Command(Protocol):
    """A command of the CLI, as click makes it."""

    name: str | None


class App(Protocol):
    """A part built on the kernel."""

    @property
    def name(self) -> str:
        """The app's name, as its entry point has it."""

    @property
    def kinds(self) -> Sequence[Kind]:
        """The record kinds it declares."""

    def commands(self) -> Sequence[Any]:
        """The app's click commands; they stand beside the node's own."""

    def routes(self) -> Sequence[Route]:
        """Its HTTP API."""

    def pages(self) -> Sequence[Page]:
        """Its pages; the first is linked from every page."""

    def on_admitted(self, record: Record, ctx: Context) -> None:
        """Called once for each record that was admitted, after its transaction."""

    async def run(self, ctx: Context, systems: Sequence[System]) -> None:
        """Work beside the node while it is up; `systems` are those that its settings name."""


def find_apps() -> Mapping[str, App]:
    """The apps installed here, by name.

    Raises:
        InvalidInput: two apps declare the same kind.
        Unavailable: an app cannot be loaded.
    """
    apps: dict[str, App] = {}
    kinds: dict[str, str] = {}
    for point in sorted(entry_points(group="aldis.apps"), key=lambda point: point.name):
        try:
            app: App = point.load()
        except (ImportError, AttributeError) as error:
            raise Unavailable(
                f"the app {point.name!r} cannot be loaded: {error}",
                fix=f"Install what it needs, or remove {point.value}",
            ) from error
        for kind in app.kinds:
            if kind.name in kinds:
                raise InvalidInput(f"apps {kinds[kind.name]!r} and {app.name!r} both declare the kind {kind.name!r}")
            kinds[kind.name] = app.name
        apps[app.name] = app
    return apps
