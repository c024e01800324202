"""What an app gets of this node: `aldis.app.Context`."""

from __future__ import annotations

import asyncio
import copy
import hmac
from collections import deque
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from fnmatch import fnmatchcase
from functools import lru_cache
from operator import attrgetter
from typing import Any, Self

import msgspec

from aldis.app import Arrived, Asker, Crossed, Found, Given, Live, Query, Recordings
from aldis.kernel.attachments import Attachment
from aldis.kernel.authority import Act
from aldis.kernel.errors import AldisError, RefusedByPolicy, TooLarge, UnknownTerm
from aldis.kernel.explain import RecordExplanation
from aldis.kernel.frames import Update
from aldis.kernel.labels import Label
from aldis.kernel.markings import parse, write
from aldis.kernel.preview import Preview
from aldis.kernel.records import Draft, Record, read_record
from aldis.kernel.signatures import Key, Signer
from aldis.node.app_states import AppState, keep_app_state
from aldis.node.attachments import Attachments
from aldis.node.clock import Clock
from aldis.node.config import Marking
from aldis.node.core import Core
from aldis.node.desk import Desk
from aldis.node.filters import Filters
from aldis.node.giving import Giving
from aldis.node.live import LiveOut
from aldis.node.newest import Newest
from aldis.node.partners import Partners
from aldis.node.people import Account, Person, name_of
from aldis.node.records import Records
from aldis.node.register import Register
from aldis.node.showing import Showing

__all__ = ["NodeContext"]

_QUEUE = 4096
_REMEMBERED, _SMALL = 8_192, 8 * 1024
_RECORDING, _REPORT = b"aldis/recording/1", b"aldis/report/1"
_OPAQUE = 8
_NEWCOMER = "a newcomer"
"""An id that no account has: of somebody who is not here yet."""
_READ_MS = 1_000  # a marking of the settings is read anew this often: what a group stands for has its dates
_MOST_NAME, _MOST_KEPT, _MOST_NAMES = 200, 64 * 1024, 1_000


class NodeContext:
    """Joins the node's parts behind the one interface that apps see, for the node itself or `bound` to a person."""

    def __init__(
        self,
        core: Core,
        records: Records,
        register: Register,
        desk: Desk,
        partners: Partners,
        live: LiveOut,
        attachments: Attachments,
        showing: Showing,
        giving: Giving,
    ) -> None:
        self._core = core
        self._records = records
        self._register = register
        self._desk = desk
        self._partners = partners
        self._live = live
        self._attachments = attachments
        self._showing = showing
        self._giving = giving
        self._viewer: str | Person = ""
        self._issued: set[str] = set()
        self._newest = Newest()
        self._existing = _Existing(core.clock, records)
        self._subscribers: list[_Subscriber] = []
        self._nodes: Sequence[str] = ()
        self._change = self._looked = -1
        self._read: dict[str, Label] = {}
        self._read_at = 0

    def bound(self, person: Person) -> Self:
        """The same for one person: what they may see, and what their roles let them do."""
        made = copy.copy(self)
        made._viewer, made._issued = person, set()
        made._read, made._read_at = {}, 0  # it may be used in another thread
        return made

    @property
    def node(self) -> str:
        """The name of this node."""
        return self._core.node

    @property
    def party(self) -> str:
        """The party whose node this is."""
        return self._core.party

    @property
    def person(self) -> Asker | None:
        """Who asks; None for the node itself."""
        who = self._viewer
        if not isinstance(who, Person):
            return None
        account = who.account
        return Asker(
            id=who.id,
            name=account.name,
            nationality=account.nationality,
            organisation=account.organisation,
            guest=who.guest,
            projects=frozenset(account.projects),
            acts=frozenset(act.value for act in Act if who.may(act)),
        )

    def now(self) -> int:
        """The time by this node's clock, in ms since 1970 UTC."""
        return self._core.clock.now()

    @property
    def pace(self) -> float:
        """How many times faster than it was made a recording is to be played."""
        return self._core.config.pace

    @property
    def recordings(self) -> Recordings | None:
        """Where to record; what seals recordings signs nothing else."""
        if not self._core.config.record:
            return None
        return Recordings(str(self._core.home.path / "recordings"), _For(_RECORDING, self._core.signer))

    def report_signer(self) -> Signer:
        """What signs reports as this node, and nothing else."""
        if isinstance(self._viewer, Person):
            raise RefusedByPolicy(f"{self._viewer.id} may not sign for {self.party}", fix="Ask this node's operator")
        return _For(_REPORT, self._core.signer)

    def parties(self) -> Mapping[str, str]:
        """The party of each node that this one knows."""
        return self._partners.parties()

    def key_of(self, node: str) -> Key:
        """The key of this node, or of one that it is paired with."""
        return self._core.signer.public if node == self._core.node else self._partners.get(node).sheet.pinned

    def labels(self, kind: str, system: str = "", key: str = "") -> Mapping[str, Label]:
        """The labels that the node's settings give a kind, by portion; those of one thing where it is named.

        Raises:
            InvalidInput, UnknownTerm: a marking in the settings that cannot be read.
        """
        config = self._core.config
        fits = (one.labels for one in config.marking if system and _fits(one, kind, system, key))
        texts = config.labels.get(kind, {}) | next(fits, {})
        now = self._core.clock.now()
        if not 0 <= now - self._read_at < _READ_MS:
            self._read.clear()
            self._read_at = now
        for text in texts.values():
            if text not in self._read:
                self._read[text] = self.label(text)
        return {name: self._read[text] for name, text in texts.items()}

    def every_label(self, kind: str) -> Sequence[Label]:
        """Every label that the settings can give something of a kind."""
        config = self._core.config
        some = [one.labels.values() for one in config.marking if one.kind == kind]
        texts = [*config.labels.get(kind, {}).values(), *(text for texts in some for text in texts)]
        return [self.label(text) for text in dict.fromkeys([*texts, *config.foreign.values()])]

    def foreign(self, words: str) -> Label | None:
        """The label that the settings give words of a foreign system."""
        text = self._core.config.foreign.get(words)
        return self.label(text) if text is not None else None

    def label(self, marking: str) -> Label:
        """The label that a marking in this node's policy states."""
        core = self._core
        return parse(core.config.policy, marking, at=core.clock.now(), policies=core.policies)

    def readings(self, marking: str) -> Mapping[Label, str]:
        """The labels that a marking states in this node's policy and in those of its partners, and who may say each."""
        core, found = self._core, dict[Label, str]()
        theirs = {policy: known.node for known in self._partners.all() for policy in known.sheet.ceiling}
        for policy, node in {**theirs, core.config.policy: ""}.items():
            with suppress(AldisError):
                found[parse(policy, marking, at=core.clock.now(), policies=core.policies)] = node
        return found

    def marking(self, label: Label, *, portion: bool = False) -> str:
        """A label as it is written."""
        return write(label, at=self._core.clock.now(), policies=self._core.policies, portion=portion)

    def banner(self, labels: Iterable[Label]) -> Label:
        """The roll-up of labels in this node's policy; of none, its lowest."""
        core, given = self._core, list(labels)
        policy = core.policies.policy(core.config.policy)
        if not given:
            return Label(policy.name, policy.lowest.classification)
        return core.policies.roll_up(given, policy.name, core.clock.now())

    @property
    def level(self) -> Label:
        """The label of what whoever asks may type at the level they work at."""
        config, who = self._core.config, self._viewer
        return Label(config.policy, who.level[config.policy] if isinstance(who, Person) else config.ceiling)

    def may_see(self, kind: str, label: Label, project: str, source: str = "") -> bool:
        """Whether whoever asks may see what a node, "" for this one, says of such a kind, label and project."""
        who = self._viewer
        return not isinstance(who, Person) or self._records.may_see(who, kind, label, project, source)

    def default_project(self) -> str:
        """The project that the node's settings give to what gateways put."""
        return self._core.config.project

    def opaque(self, text: str) -> str:
        """HMAC-SHA256 of `text` under this node's secret, 80 bits in hex."""
        return hmac.digest(self._core.secret, b"aldis/opaque/1\x00" + text.encode(), "sha256")[:10].hex()

    def newest(self, record_id: str) -> Record | None:
        """The newest version that this node wrote of a record, where whoever asks may know of it."""
        if isinstance(self._viewer, Person):
            try:
                record = self.get(record_id)
            except UnknownTerm:
                return None
            return record if record.header.originator == self.node else None
        row = self._core.store.records.get(record_id, originator=self.node)
        return row.record() if row else None

    def get(self, record_id: str, version: int | None = None, originator: str = "") -> Record:
        """A version of a record, with the portions that whoever asks may see."""
        return self._records.get(record_id, version, self._viewer, originator).record()

    def issue(self) -> str:
        """A new id for a first version that this context puts."""
        made = self._core.random(_OPAQUE).hex()
        self._issued.add(made)
        return made

    def put_all(self, drafts: Sequence[Draft]) -> Sequence[Record]:
        """Store several records, all or none."""
        made = self._records.put_all(list(drafts), self._viewer, self._issued)
        self._issued -= {draft.id for draft in drafts}
        return made

    def put(self, draft: Draft) -> Record:
        """Store a record and its ledger leaf in one transaction."""
        return self.put_all([draft])[0]

    def find(self, query: Query) -> Found:
        """Records that whoever asks may see."""
        asked: dict[str, Any] = {"kind": query.kind, "project": query.project, "cursor": query.cursor}
        asked["filters"] = Filters(kinds=query.kinds, originator=query.originator, author=query.author)
        if query.text:
            hits = self._records.search(query.text, **asked, limit=query.limit, viewer=self._viewer)
            return Found([hit.row.record() for hit in hits.hits], hits.next or "")
        page = self._records.page(**asked, limit=query.limit, viewer=self._viewer)
        return Found([row.record() for row in page.rows], page.next or "")

    def standing(self, project: str, kinds: Collection[str]) -> Sequence[Arrived]:
        """The newest version of every record of a project and some kinds that whoever asks may see."""
        rows = self._records.standing(project, kinds, self._viewer)
        return [Arrived(_record(row.header, tuple(row.portions)), row.arrived) for row in rows]

    def ladder(self) -> Sequence[str]:
        """The classifications of this node's policy that are in use up to its ceiling, the lowest first."""
        core = self._core
        rules = core.policies.policy(core.config.policy)
        highest, now = rules.rank(core.config.ceiling), core.clock.now()
        return [rung.name for rung in rules.ladder if rung.rank <= highest and rung.in_use(now)]

    def seen_by(self, cleared: str, project: str, kinds: Collection[str]) -> Sequence[Arrived]:
        """Of what `standing` gives, what a new member cleared so far would see too."""
        if cleared not in self.ladder():
            raise UnknownTerm(f"no level {cleared[:40]!r} here", fix=f"There are: {', '.join(self.ladder())}")
        level = {self._core.config.policy: cleared}
        account = Account(id=_NEWCOMER, name="", nationality=self.party, clearance=level, projects=[project])
        theirs = {row.digest: row for row in self._records.standing(project, kinds, Person(account, level))}
        found = []
        for row in self._records.standing(project, kinds, self._viewer):
            if row.digest in theirs:
                both = set(theirs[row.digest].portions)
                portions = tuple(data for data in row.portions if data in both)
                found.append(Arrived(_record(row.header, portions), row.arrived))
        return found

    def brought(self, file: Attachment, most: int) -> bytes:
        """The content of a file that whoever asks brought in with a form of this day."""
        who = self._viewer
        return self._attachments.uploads.content(file.digest, who.id if isinstance(who, Person) else who, most)

    def kept(self, name: str) -> bytes:
        """What `keep` kept for whoever asks at this level."""
        return self._core.store.people.kept(self._keeper(), name)

    def keep(self, name: str, data: bytes) -> None:
        """Keep a few bytes for whoever asks at this level."""
        people, keeper = self._core.store.people, self._keeper()
        if len(name.encode("utf-8", "replace")) > _MOST_NAME or len(data) > _MOST_KEPT:
            raise TooLarge(f"{len(data)} bytes under a name of {len(name)}", fix=f"Keep at most {_MOST_KEPT} bytes")
        if not people.keep(keeper, name, data, _MOST_NAMES):
            raise TooLarge(f"more than {_MOST_NAMES} things kept for one person", fix="Let some go: keep nothing there")

    def _keeper(self) -> str:
        """Whoever asks, and the level: what was kept at a high level is not found at a low one."""
        who = self._viewer
        if not isinstance(who, Person):
            return ""
        return f"{who.id} {msgspec.json.encode(who.level, order='sorted').decode()}"

    def offer(self, record: Record, party: str) -> RecordExplanation:
        """Ask for a release now; a referral goes to a release officer."""
        name_of(self._viewer, Act.OFFER)
        seen = self.get(record.header.id, originator=record.header.originator)
        return _shown(seen, self._desk.offer(seen.header.id, party, originator=seen.header.originator))

    def explain(self, record: Record, party: str) -> RecordExplanation:
        """Why a party may or may not have it; of the portions that whoever asks may see."""
        name_of(self._viewer, Act.OFFER)
        seen = self.get(record.header.id, originator=record.header.originator)
        return _shown(seen, self._desk.why(seen.header.id, party, originator=seen.header.originator))

    def preview(self, *instruments: str) -> Preview:
        """What draft instruments would newly release of what whoever asks may see."""
        name_of(self._viewer, Act.OFFER)
        return self._register.preview(*instruments, viewer=self._viewer)

    def recipients(self) -> Mapping[str, str]:
        """The party of each partner that anything goes to now, by node."""
        return self._giving.recipients()

    def given(
        self, records: Sequence[Record], partner: str, newest: Sequence[Live] = ()
    ) -> Sequence[Mapping[str, Given]]:
        """What a partner gets of records by now; of the portions that whoever asks may see."""
        name_of(self._viewer, Act.RULE)
        seen = [self.get(one.header.id, one.header.version, one.header.originator) for one in records]
        return self._giving.given(seen, partner, [live for live in newest if self.may_watch(live)])

    def may_watch(self, live: Live) -> bool:
        """Whether whoever asks may see a live value."""
        return self._records.watched(live, self._viewer) is not None

    def publish(self, header: Label, label: Label, project: str, update: Update) -> None:
        """Give a live value out, to whom its label and the instruments allow, and to subscribers here."""
        self.publish_all(header, project, ((label, update),))

    def publish_all(self, header: Label, project: str, values: Sequence[tuple[Label, Update]]) -> None:
        """As `publish`, of several values under one header."""
        self._live.publish(header, project, values, self._active())
        self.told([Live("", label, update, header, project) for label, update in values])

    def _active(self) -> Sequence[str]:
        """The active partners that are called, looked up again where a millisecond has passed and one has changed."""
        now = self._core.clock.now()
        if now != self._looked:
            change, self._looked = self._core.policy_change(), now
            if change != self._change:
                self._change = change
                fed = self._core.config.feeds
                self._nodes = [known.node for known in self._partners.all() if known.active and known.node not in fed]
        return self._nodes

    def may_show(self, live: Live, account: str) -> bool:
        """Whether a live value may be sent to a system that acts as an account."""
        return self._showing.may_show(live, account)

    async def subscribe(self, kind: str) -> AsyncIterator[Live]:
        """Live values of a kind; a subscriber that falls behind loses the oldest."""
        entry, person = _Subscriber(kind), self._viewer
        self._subscribers.append(entry)
        try:
            while True:
                while entry.waiting:
                    live = entry.waiting.popleft()
                    if not isinstance(person, Person) or await asyncio.to_thread(self._records.may_watch, live, person):
                        yield live
                entry.some.clear()
                await entry.some.wait()
        finally:
            self._subscribers.remove(entry)

    def follow_frames(self, told: Callable[[Crossed], None]) -> Callable[[], None]:
        """Tell of each live frame that leaves or comes; of a node alone, never bound to a person."""
        if self._viewer:
            raise ValueError("frames hold what a person may not see")
        return self._live.crossings.follow(told)

    def tell_problems(self, app: str, problems: Sequence[AldisError]) -> None:
        """Say what an app that works beside the node cannot do just now, for `aldis doctor`."""
        causes = "; ".join(str(one.args[0]) for one in problems)
        fixes = dict.fromkeys(one.fix for one in problems if one.fix)
        keep_app_state(self._core.store, app, AppState("running", causes, ". ".join(fixes)))

    @property
    def moves(self) -> int:
        """How many live values have come, whoever may see them."""
        return self._newest.moves

    def latest(self, kind: str = "", project: str = "", most: int = 200) -> list[Live]:
        """Of the newest live values those that whoever asks may see, what was observed last first.

        Each with the label of its record's existence as `header`, a partner's too; of a kind and project where named.
        """
        found: list[Live] = []
        known: dict[tuple[object, ...], tuple[Label, Label | None]] = {}
        values = sorted(self._newest.all(), key=_observed, reverse=True)
        for live in values:
            if len(found) == most:
                break
            existing = self._existing.of(live) if kind in ("", live.update.kind) else None
            if existing is None:
                continue
            label, its_project = existing
            key = (live.source, id(label), its_project, id(live.label), live.update.kind)  # both held meanwhile
            if key not in known:
                known[key] = label, self._records.shows(live, existing, self._viewer, project)
            header = known[key][1]
            if header is not None:
                found.append(live if live.header is header else msgspec.structs.replace(live, header=header))
        return found

    def told(self, values: Sequence[Live]) -> None:
        """Hand live values to whoever subscribed to their kinds, and keep them for whoever looks later."""
        self._newest.take(values)
        for entry in self._subscribers:
            fits = [live for live in values if live.update.kind == entry.kind]
            if fits and not entry.waiting:
                entry.some.set()
            entry.waiting.extend(fits)


_observed = attrgetter("update.at")


class _Existing:
    """Which records of live values exist, as what and in which project: looked up again within a second."""

    def __init__(self, clock: Clock, records: Records) -> None:
        self._clock = clock
        self._records = records
        self._known: dict[tuple[str, str], tuple[Label, str]] = {}
        self._since = 0

    def of(self, live: Live) -> tuple[Label, str] | None:
        """That of one live value; None where there is no such record, which is looked up each time."""
        if not live.source and live.header is not None:
            return live.header, live.project
        now = self._clock.now()
        if not 0 <= now - self._since < _READ_MS:
            self._known, self._since = {}, now
        known, key = self._known, (live.source, live.update.id)
        found = known.get(key)
        if found is None:
            found = self._records.existing(live)
            if found is not None:
                known[key] = found
        return found


class _Subscriber:
    """What waits for one subscriber to a kind; beyond a bound the oldest is lost."""

    __slots__ = ("kind", "some", "waiting")

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.some = asyncio.Event()
        self.waiting: deque[Live] = deque(maxlen=_QUEUE)


class _For:
    """The node's key for one context alone."""

    def __init__(self, context: bytes, signer: Signer) -> None:
        self._context = context
        self._signer = signer

    @property
    def public(self) -> Key:
        return self._signer.public

    def sign(self, context: bytes, message: bytes) -> bytes:
        if context != self._context:
            raise ValueError(f"what signs under {self._context!r} signs nothing under {context!r}")
        return self._signer.sign(context, message)


def _fits(marking: Marking, kind: str, system: str, key: str) -> bool:
    return marking.kind == kind and marking.system in ("", system) and fnmatchcase(key, marking.key)


def _record(header: bytes, portions: tuple[bytes, ...]) -> Record:
    """The record of these bytes; small ones are remembered, for a project is looked at again and again."""
    small = len(header) + sum(map(len, portions)) <= _SMALL
    return _remembered(header, portions) if small else read_record(header, portions)


_remembered = lru_cache(maxsize=_REMEMBERED)(read_record)


def _shown(record: Record, found: RecordExplanation) -> RecordExplanation:
    """An explanation of just the portions of a record that were shown."""
    seen = {portion.name for portion in record.portions}
    return RecordExplanation(found.header, {name: one for name, one in found.portions.items() if name in seen})
