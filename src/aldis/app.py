"""App and Context: all that an app sees of the kernel and the node.

An app is found by the entry-point group `aldis.apps`; it imports the kernel and this module, never another app,
the node or SQL.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Iterable, Iterator, Mapping, Sequence
from importlib.metadata import entry_points
from typing import Any, Literal, Protocol, runtime_checkable

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
    "Given",
    "Go",
    "Handed",
    "Live",
    "Page",
    "Query",
    "Recordings",
    "Route",
    "Shown",
    "System",
    "Waiting",
    "Waits",
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


class Given(msgspec.Struct, frozen=True):
    """What a partner gets of one portion from this node, by the rules as they stand.

    `whole` and `changed` are what goes, `changed` with the words of what is done to it on its way; `later` goes from
    `due` (ms since 1970 UTC) on; `referred` waits for a release officer; `withheld` does not go; `theirs` is of the
    partner's own. `value` is it as it goes, None where nothing goes.
    """

    state: Literal["whole", "changed", "later", "referred", "withheld", "theirs"]
    value: Any = None
    words: str = ""
    due: int = 0


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

    def readings(self, marking: str) -> Mapping[Label, str]:
        """The labels that a marking states in this node's policy and in those of its partners.

        With each a node that may have said it, "" for this one. A marking does not say its policy: where it may be of
        several, whoever may see it may see each.
        """

    def marking(self, label: Label, *, portion: bool = False) -> str:
        """A label as it is written: a banner line, or the mark of a portion."""

    def banner(self, labels: Iterable[Label]) -> Label:
        """The roll-up of labels in this node's policy: of no label, its lowest.

        Raises:
            NeedsPerson: a foreign label that no equivalence maps.
        """

    @property
    def level(self) -> Label:
        """The label of what whoever asks may type at the level they work at; of the node itself, its ceiling."""

    def may_see(self, kind: str, label: Label, project: str, source: str = "") -> bool:
        """Whether whoever asks may see what a node, "" for this one, says of such a kind, label and project."""

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

    @property
    def moves(self) -> int:
        """How many live values have come, whoever may see them: as long as it stands, `latest` tells of nothing new."""

    def latest(self, kind: str = "", project: str = "", most: int = 200) -> Sequence[Live]:
        """Of the newest live values those that whoever asks may see, what was observed last first.

        Each with the label of its record's existence as `header`, a partner's too; of a kind and project where named.
        """

    def may_watch(self, live: Live) -> bool:
        """Whether whoever asks may see a live value; one without a `header` by the record that is held of it."""

    def recipients(self) -> Mapping[str, str]:
        """The party of each partner that anything goes to now, by node."""

    def given(
        self, records: Sequence[Record], partner: str, newest: Sequence[Live] = ()
    ) -> Sequence[Mapping[str, Given]]:
        """What a partner gets of each record by now, by portion; "" is that there is such a record.

        Of the portions that whoever asks may see, and with the values among `newest` that are of these records, where
        a live frame would take them. For whoever may rule on releases.

        Raises:
            RefusedByPolicy: a person none of whose roles allows it.
            UnknownTerm: nothing goes to a partner of that name, or whoever asks may not know of a record.
        """

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


class Handed(msgspec.Struct, frozen=True):
    """A file that a page hands over to take away, piece by piece: its marking is in it, and stood where it was asked.

    `pieces` are `size` bytes in all; whoever sends them closes what they come from.
    """

    name: str
    media_type: str
    size: int
    pieces: Iterator[bytes]


class Go(msgspec.Struct, frozen=True):
    """Where a form leads once it is done: a path of this app's pages."""

    path: str


class Page(msgspec.Struct, frozen=True):
    """A page of an app, at `/APP` + `path`; a POST is a form, whose fields are those of `asks`.

    `template` is a Jinja template of the app's package, below the node's frame (`frame.html`, blocks `main`, `head`).
    What stands in the package's folder `static` is at `asset('APP/name.js')`; a page may have `workers` of there.
    A form with `files` may carry some: its field then holds the JSON of the `Attachment` that each became.
    One that is `linked` stands beside the app's first page among what every page leads to, for whom a role allows the
    `act` where one is named.

    A FEED is a stream of events `feed`: its handler gives a function that is called again and again, at most ten times
    a second, with the context of who asks as they are by then. It answers JSON in one line, None for nothing new; a
    `Shown` becomes an object of its values, with `banner`, the roll-up of its labels, and `marks`, what each is marked
    in their order, both as `{"text": ..., "colour": ...}`; with a template, of the `html` of it instead of the values.
    """

    method: Literal["GET", "POST", "FEED"]
    path: str
    title: str
    asks: type[msgspec.Struct]
    handler: Callable[[Context, Any], Shown | Go | Handed | Callable[[Context], Shown | bytes | None]]
    template: str = ""
    files: bool = False
    workers: bool = False
    linked: bool = False
    act: str = ""


class Waiting(msgspec.Struct, frozen=True):
    """Something that waits for whoever asks: what is to do, about what, more words; where, below `/APP`.

    `labels` are those of all that the words tell.
    """

    todo: str
    about: str
    words: str
    path: str
    labels: Sequence[Label]


@runtime_checkable
class Waits(Protocol):
    """What an app may have beside the rest of `App`: things that wait for a person, for the first page."""

    def waiting(self, ctx: Context) -> Sequence[Waiting]:
        """What waits for whoever asks now, found by few look-ups."""


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
