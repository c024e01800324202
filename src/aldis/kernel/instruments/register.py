"""Which instruments are in force: fully signed, within their dates, not ended, and their parent standing."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from aldis.kernel.errors import UnknownTerm
from aldis.kernel.instruments.clauses import Instrument

__all__ = ["COSIGN_CONTEXT", "Cosignature", "Effect", "Entry", "Instruments", "Notice", "Standing", "State", "Status"]
__all__ += ["cosign_message"]

COSIGN_CONTEXT = b"aldis/instrument/1"
"""The context string under which a party signs an instrument."""


@dataclass(frozen=True, slots=True)
class Cosignature:
    """One party's signature over one version of an instrument; `digest` is that of the instrument's record."""

    digest: bytes
    party: str
    node: str
    key_id: str
    signature: bytes


def cosign_message(digest: bytes, party: str) -> bytes:
    """What `party` signs, under `COSIGN_CONTEXT`: the 32-byte record digest and the party's code."""
    return digest + party.encode("ascii")


class Effect(enum.Enum):
    """What a notice does from its date on."""

    TERMINATE = "terminate"
    """The instrument ends for every party."""
    LEAVE = "leave"
    """One party leaves; the rest continue while two remain."""


@dataclass(frozen=True, slots=True)
class Notice:
    """A party's signed notice, from the instant `on`, about an instrument up to and including `version`.

    A later version that all its parties sign stands again: so a party that left may join again.
    """

    instrument: str
    party: str
    effect: Effect
    on: int
    version: int


@dataclass(frozen=True, slots=True)
class Entry:
    """One version of an instrument as a record, and the parties whose signature over it was verified."""

    instrument: Instrument
    digest: bytes
    version: int
    signed: frozenset[str] = frozenset()

    @property
    def missing(self) -> frozenset[str]:
        """The parties that have not signed."""
        return self.instrument.parties - self.signed


@dataclass(frozen=True, slots=True)
class Standing:
    """An instrument in force at an instant, with the parties it then binds."""

    entry: Entry
    parties: frozenset[str]

    @property
    def instrument(self) -> Instrument:
        """The version in force."""
        return self.entry.instrument


class State(enum.Enum):
    """Where a version stands."""

    IN_FORCE = "in force"
    UNSIGNED = "not fully signed"
    NOT_YET = "not yet begun"
    EXPIRED = "expired"
    TERMINATED = "terminated"
    ALONE = "left by all but one party"
    ORPHANED = "without its parent in force"
    REPLACED = "replaced by a newer version"


@dataclass(frozen=True, slots=True)
class Status:
    """Where an instrument stands at an instant, in words, and who has yet to sign its newest version."""

    state: State
    version: int
    missing: tuple[str, ...]
    text: str


@dataclass(frozen=True, slots=True)
class Instruments:
    """Every version of every instrument known here, and the notices given; immutable."""

    entries: tuple[Entry, ...] = ()
    notices: tuple[Notice, ...] = ()
    _versions: dict[str, tuple[Entry, ...]] = field(init=False, repr=False, compare=False, default_factory=dict)

    def __post_init__(self) -> None:
        """Sort the entries by id and version, so that equal collections are equal objects."""
        order = sorted(self.entries, key=lambda e: (e.instrument.id, e.version, e.digest))
        object.__setattr__(self, "entries", tuple(order))
        notices = sorted(self.notices, key=lambda n: (n.instrument, n.on, n.party, n.effect.value, n.version))
        object.__setattr__(self, "notices", tuple(notices))
        for entry in order:
            name = entry.instrument.id
            self._versions[name] = (*self._versions.get(name, ()), entry)

    def __iter__(self) -> Iterator[Entry]:
        """Every version, by id and version."""
        return iter(self.entries)

    def ids(self) -> tuple[str, ...]:
        """The ids of all instruments, sorted."""
        return tuple(self._versions)

    def versions(self, name: str) -> tuple[Entry, ...]:
        """The versions of one instrument, oldest first; UnknownTerm where there is none."""
        if name not in self._versions:
            raise UnknownTerm(f"no instrument {name!r} here", fix="`aldis instrument list` names those that are")
        return self._versions[name]

    def with_entry(self, entry: Entry) -> Instruments:
        """The collection with this version added, or replaced where id and version are the same."""
        key = (entry.instrument.id, entry.version)
        kept = tuple(e for e in self.entries if (e.instrument.id, e.version) != key)
        return Instruments((*kept, entry), self.notices)

    def with_notice(self, notice: Notice) -> Instruments:
        """The collection with this notice added."""
        return self if notice in self.notices else Instruments(self.entries, (*self.notices, notice))

    def in_force(self, at: int) -> tuple[Standing, ...]:
        """The instruments in force at `at`, by id.

        Of each, the newest fully signed version that has begun; an older one stands until then.
        """
        found = (self.standing(name, at) for name in self._versions)
        return tuple(standing for standing in found if standing is not None)

    def standing(self, name: str, at: int) -> Standing | None:
        """The version of one instrument that is in force at `at`, or None."""
        return self._standing(name, at, frozenset())

    def _standing(self, name: str, at: int, children: frozenset[str]) -> Standing | None:
        entry = self._governing(name, at)
        if entry is None or name in children or self._ended(entry, at) is not None:
            return None
        parties = self._parties(entry, at)
        if entry.instrument.under:
            parent = self._standing(entry.instrument.under, at, children | {name})
            if parent is None or not parties <= parent.parties:
                return None
        return Standing(entry, parties)

    def _governing(self, name: str, at: int) -> Entry | None:
        """The newest version that all its parties signed and that has begun."""
        versions = reversed(self._versions.get(name, ()))
        return next((e for e in versions if not e.missing and e.instrument.start <= at), None)

    def _ended(self, entry: Entry, at: int) -> State | None:
        if at >= entry.instrument.end:
            return State.EXPIRED
        if any(n.effect is Effect.TERMINATE for n in self._notices(entry, at)):
            return State.TERMINATED
        return State.ALONE if len(self._parties(entry, at)) < 2 else None

    def _notices(self, entry: Entry, at: int) -> Iterable[Notice]:
        """The notices that bear on a version at `at`, given by a party to it."""
        instrument = entry.instrument
        return (
            n
            for n in self.notices
            if n.instrument == instrument.id and n.version >= entry.version and n.on <= at
            if n.party in instrument.parties
        )

    def _parties(self, entry: Entry, at: int) -> frozenset[str]:
        left = {n.party for n in self._notices(entry, at) if n.effect is Effect.LEAVE}
        return entry.instrument.parties - left

    def state(self, entry: Entry, at: int) -> State:
        """Where one version stands at `at`."""
        name = entry.instrument.id
        if entry.missing:
            return State.UNSIGNED
        if at < entry.instrument.start:
            return State.NOT_YET
        if self._governing(name, at) != entry:
            return State.REPLACED
        ended = self._ended(entry, at)
        if ended is not None:
            return ended
        return State.IN_FORCE if self.standing(name, at) is not None else State.ORPHANED

    def status(self, name: str, at: int) -> Status:
        """Where an instrument stands at `at`; `missing` are those who have yet to sign its newest version.

        Raises:
            UnknownTerm: no such instrument.
        """
        newest = self.versions(name)[-1]
        missing = tuple(sorted(newest.missing))
        standing = self.standing(name, at)
        if standing is not None:
            version, state = standing.entry.version, State.IN_FORCE
            text = f"{name} version {version} is in force between {', '.join(sorted(standing.parties))}"
            if standing.entry != newest:
                waits = f"for {', '.join(missing)} to sign" if missing else "for its first day"
                text += f"; version {newest.version} waits {waits}"
            return Status(state, version, missing, text)
        state = self.state(newest, at)
        text = f"{name} version {newest.version} is {state.value}"
        if missing:
            text += f": {', '.join(missing)} {'has' if len(missing) == 1 else 'have'} yet to sign"
        if state is State.ORPHANED:
            text += f": {newest.instrument.under} must be in force with the same parties"
        return Status(state, newest.version, missing, text)

    def boundaries(self) -> tuple[int, ...]:
        """The instants at which what is in force may change, sorted."""
        dates = {date for e in self.entries for date in (e.instrument.start, e.instrument.end)}
        return tuple(sorted(dates | {n.on for n in self.notices}))
