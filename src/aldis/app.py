"""App and Context: all that an app sees of the kernel and the node.

An app is found by the entry-point group `aldis.apps`; it imports the kernel and this module, never another app,
the node or SQL.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from importlib.metadata import entry_points
from typing import Any, Protocol

import msgspec

from aldis.kernel.errors import InvalidInput, Unavailable
from aldis.kernel.explain import RecordExplanation
from aldis.kernel.frames import Update
from aldis.kernel.labels import Label
from aldis.kernel.records import Draft, Kind, Record

__all__ = ["App", "Command", "Context", "Live", "Query", "find_apps"]


class Query(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to look for; empty fields do not restrict. `text` searches the words of portions one may see.

    `kinds` are several to choose from; `originator` is a node, `author` whoever wrote the version.
    """

    kind: str = ""
    kinds: tuple[str, ...] = ()
    project: str = ""
    originator: str = ""
    author: str = ""
    text: str = ""
    limit: int = 50
    cursor: str = ""


class Live(msgspec.Struct, frozen=True):
    """One live value as it arrived: the node it came from (empty for this one), its label, and the update."""

    source: str
    label: Label
    update: Update


class Context(Protocol):
    """What a node gives an app."""

    @property
    def node(self) -> str:
        """The name of this node: the originator of what it puts."""

    def now(self) -> int:
        """The time by this node's clock, in ms since 1970 UTC."""

    @property
    def pace(self) -> float:
        """How many times faster than it was made a recording is to be played."""

    def labels(self, kind: str) -> Mapping[str, Label]:
        """The default labels that the node's settings give a kind, by portion; `header` is that of its existence."""

    def default_project(self) -> str:
        """The project that the node's settings give to what gateways put."""

    def opaque(self, text: str) -> str:
        """A stable name for `text` that tells nothing of it to whoever lacks this node's secret."""

    def newest(self, record_id: str) -> Record | None:
        """The newest version that this node wrote of a record."""

    def put(self, draft: Draft) -> Record:
        """Store a record and its ledger leaf in one transaction."""

    def find(self, query: Query) -> Sequence[Record]:
        """Records that the person asking may see, with the portions that they may see."""

    def offer(self, record: Record, party: str) -> RecordExplanation:
        """Ask for a release now; a referral goes to a release officer."""

    def explain(self, record: Record, party: str) -> RecordExplanation:
        """Why a party may or may not have it, and what would change that."""

    def publish(self, header: Label, label: Label, project: str, update: Update) -> None:
        """Give a live value out, to whom its label, that of its record's header and the instruments allow."""

    def subscribe(self, kind: str) -> AsyncIterator[Live]:
        """Live values of a kind, this node's own and those from partners."""


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

    def on_admitted(self, record: Record, ctx: Context) -> None:
        """Called once for each record that was admitted, after its transaction."""

    async def run(self, ctx: Context, sources: Sequence[str]) -> None:
        """Work beside the node while it is up; `sources` are those that its settings name."""


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
