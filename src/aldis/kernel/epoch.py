"""The policy epoch: everything but the record that a release decision rests on, as one content-addressed value."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import msgspec

from aldis.kernel.encoding import digest_from_hex, sha256
from aldis.kernel.errors import InvalidInput, UnknownTerm, VerificationFailed
from aldis.kernel.instruments import ANY, Effect, Entry, Instruments, Notice, known_instrument, write_instrument
from aldis.kernel.policies import Policies
from aldis.kernel.rules import rules_digest

__all__ = ["Partner", "PartnerStatus", "PolicyEpoch", "policies_digest"]


class PartnerStatus(enum.Enum):
    """Whether anything may go to a partner."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    DEPARTED = "departed"


@dataclass(frozen=True, slots=True)
class Partner:
    """A recipient: a partner's node, or a person at this one (party = nationality, ceiling = session level).

    `ceiling` names the highest classification per policy; `categories` the values per tag that it is accredited
    for, and `projects` those it is a member of; `*` stands for every one. `below` marks a node of the releasing party
    with a lower ceiling: each release to it is a person's.
    """

    node: str
    party: str
    ceiling: tuple[tuple[str, str], ...]
    categories: tuple[tuple[str, frozenset[str]], ...] = ()
    projects: frozenset[str] = frozenset({ANY})
    status: PartnerStatus = PartnerStatus.ACTIVE
    below: bool = False

    def __post_init__(self) -> None:
        """Sort, so that equal partners are equal objects."""
        object.__setattr__(self, "ceiling", tuple(sorted(self.ceiling)))
        object.__setattr__(self, "categories", tuple(sorted(self.categories, key=lambda row: row[0])))

    def accredited(self, tag: str) -> frozenset[str]:
        """The values of a category that this recipient may see."""
        return frozenset().union(*(values for name, values in self.categories if name in (tag, ANY)))


class _Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    text: str
    digest: str
    version: int
    signed: list[str]


class _Notice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    instrument: str
    party: str
    effect: Effect
    on: int
    version: int


class _Partner(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    node: str
    party: str
    ceiling: dict[str, str]
    categories: dict[str, list[str]]
    projects: list[str]
    status: PartnerStatus
    below: bool = False


class _Epoch(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    party: str
    node: str
    ceiling: dict[str, str]
    policies: str
    rules: str
    instruments: list[_Entry]
    notices: list[_Notice]
    partners: list[_Partner]
    holds: list[str]


@dataclass(frozen=True, slots=True)
class PolicyEpoch:
    """What decides at node `node` of `party`: policies, instruments, partners, and the ids of records on hold.

    Equal epochs have equal bytes, and decide alike.
    """

    party: str
    node: str
    ceiling: tuple[tuple[str, str], ...]
    policies: Policies
    instruments: Instruments = field(default_factory=Instruments)
    partners: tuple[Partner, ...] = ()
    holds: frozenset[str] = frozenset()
    compiled: dict[object, object] = field(init=False, repr=False, compare=False, default_factory=dict)
    """Terms compiled so far, kept by `aldis.kernel.release`; no part of the value."""
    _known: list[bytes] = field(init=False, repr=False, compare=False, default_factory=list)
    """The bytes and their digest, once asked for."""

    def __post_init__(self) -> None:
        """Sort the partners; a node named twice is refused."""
        partners = tuple(sorted(self.partners, key=lambda partner: partner.node))
        if len({partner.node for partner in partners}) != len(partners):
            raise InvalidInput("a partner node is named twice", fix="Give each node of the coalition its own name")
        object.__setattr__(self, "partners", partners)
        object.__setattr__(self, "ceiling", tuple(sorted(self.ceiling)))

    def partner(self, node: str) -> Partner:
        """The partner with this node; UnknownTerm where there is none."""
        found = next((partner for partner in self.partners if partner.node == node), None)
        if found is None:
            raise UnknownTerm(f"no partner {node!r}", fix="`aldis join` adds one")
        return found

    def for_person(self, person: Partner) -> PolicyEpoch:
        """The same epoch with a person at this node as its one recipient.

        Nothing is on hold for people of this node's own party: a hold stops what would leave.
        """
        holds = frozenset[str]() if person.party == self.party else self.holds
        return replace(self, partners=(person,), holds=holds)

    def to_bytes(self) -> bytes:
        """The epoch as JSON; policies and rules by digest, instruments as their normalised text."""
        if not self._known:
            data = msgspec.json.encode(self._wire())
            self._known.extend((data, sha256(data)))
        return self._known[0]

    def _wire(self) -> _Epoch:
        return _Epoch(
            party=self.party,
            node=self.node,
            ceiling=dict(sorted(self.ceiling)),
            policies=self.policies.digest.hex(),
            rules=rules_digest().hex(),
            instruments=[
                _Entry(write_instrument(e.instrument), e.digest.hex(), e.version, sorted(e.signed))
                for e in self.instruments
            ],
            notices=[_Notice(n.instrument, n.party, n.effect, n.on, n.version) for n in self.instruments.notices],
            partners=[
                _Partner(
                    p.node,
                    p.party,
                    dict(sorted(p.ceiling)),
                    _lists(p.categories),
                    sorted(p.projects),
                    p.status,
                    p.below,
                )
                for p in self.partners
            ],
            holds=sorted(self.holds),
        )

    @property
    def digest(self) -> bytes:
        """The SHA-256 of `to_bytes`."""
        self.to_bytes()
        return self._known[1]

    @classmethod
    def from_bytes(cls, data: bytes, policies: Policies) -> PolicyEpoch:
        """The epoch that these bytes state.

        Raises:
            InvalidInput: not the closed schema of an epoch.
            VerificationFailed: it was made under other policies or exemption rules than those given.
        """
        try:
            wire = msgspec.json.decode(data, type=_Epoch)
            entries = tuple(
                Entry(known_instrument(e.text), bytes.fromhex(e.digest), e.version, frozenset(e.signed))
                for e in wire.instruments
            )
        except (msgspec.MsgspecError, ValueError) as error:
            raise InvalidInput(f"not a policy epoch: {error}") from error
        for what, theirs, ours in (
            ("policies", wire.policies, policies.digest.hex()),
            ("exemption rules", wire.rules, rules_digest().hex()),
        ):
            if theirs != ours:
                raise VerificationFailed(
                    f"the epoch was made under {what} {theirs[:12]}, and these are {ours[:12]}",
                    fix=f"Replay it with the release that has {what} {theirs[:12]}",
                )
        notices = tuple(Notice(n.instrument, n.party, n.effect, n.on, n.version) for n in wire.notices)
        partners = (
            Partner(
                p.node, p.party, tuple(p.ceiling.items()), _sets(p.categories), frozenset(p.projects), p.status, p.below
            )
            for p in wire.partners
        )
        return cls(
            party=wire.party,
            node=wire.node,
            ceiling=tuple(wire.ceiling.items()),
            policies=policies,
            instruments=Instruments(entries, notices),
            partners=tuple(partners),
            holds=frozenset(wire.holds),
        )


class _Policies(msgspec.Struct, frozen=True):
    policies: str


def policies_digest(data: bytes) -> bytes:
    """The digest of the policies that an epoch's bytes rest on.

    Raises:
        InvalidInput: not the bytes of an epoch.
    """
    try:
        return digest_from_hex(msgspec.json.decode(data, type=_Policies).policies)
    except msgspec.MsgspecError as error:
        raise InvalidInput(f"not a policy epoch: {error}") from error


def _lists(rows: Iterable[tuple[str, frozenset[str]]]) -> dict[str, list[str]]:
    return {tag: sorted(values) for tag, values in sorted(rows)}


def _sets(rows: dict[str, list[str]]) -> tuple[tuple[str, frozenset[str]], ...]:
    return tuple((tag, frozenset(values)) for tag, values in rows.items())
