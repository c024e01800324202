"""All policies, groups and equivalences that a node goes by, as one immutable value with one digest."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from aldis.kernel.encoding import sha256
from aldis.kernel.errors import InvalidInput, NeedsPerson
from aldis.kernel.labels import Access, CategoryType, Label, Releasability, audience
from aldis.kernel.policies.equivalences import Direction, Equivalence, equivalent
from aldis.kernel.policies.groups import Groups
from aldis.kernel.policies.policy import Policy, unknown
from aldis.kernel.policies.rollup import banner
from aldis.kernel.policies.tables import read_equivalences, read_groups, read_parties, read_policy

__all__ = ["Policies"]

_MORE = "equivalences-"


@dataclass(frozen=True, slots=True)
class Policies:
    """The policies of one epoch. `digest` is the SHA-256 of the tables, 32 bytes: part of the policy epoch."""

    _policies: Mapping[str, Policy]
    _groups: Groups
    equivalences: tuple[Equivalence, ...]
    digest: bytes
    tables: bytes = field(default=b"", repr=False, compare=False)
    """The exact bytes that `digest` is of; `from_bytes` reads them."""
    _owned: Mapping[str, Policy] = field(init=False, repr=False, compare=False, default_factory=dict)
    _answers: Mapping[object, tuple[Equivalence, ...]] = field(
        init=False, repr=False, compare=False, default_factory=dict
    )

    def __post_init__(self) -> None:
        """Index policies by owner and equivalences by question, and refuse rows that name an unknown rung."""
        owners = [p.owner for p in self._policies.values() if p.owner]
        if len(set(owners)) != len(owners):
            raise InvalidInput("two policies are of one party", fix="Leave one without an owner")
        object.__setattr__(self, "_owned", {p.owner: p for p in self._policies.values() if p.owner})
        answers: dict[object, tuple[Equivalence, ...]] = {}
        for row in self.equivalences:
            self.policy(row.policy).rung(row.classification)
            self.policy(row.to_policy).rung(row.to_classification)
            answers[row.question] = (*answers.get(row.question, ()), row)
        object.__setattr__(self, "_answers", answers)

    def __hash__(self) -> int:
        """By the digest of the tables."""
        return hash(self.digest)

    @classmethod
    def from_tables(cls, tables: Mapping[str, bytes]) -> Policies:
        """The collection that TOML tables state: `groups`, `parties`, `equivalences`, and one table per policy.

        Tables called `equivalences-...` add rows.

        Raises:
            InvalidInput: a table is missing, malformed, or names what no table defines.
        """
        special = {"groups", "parties", "equivalences"}
        if missing := special - tables.keys():
            raise InvalidInput(f"no policy table {', '.join(sorted(missing))}", fix="Add it")
        more = sorted(name for name in tables if name.startswith(_MORE))
        special.update(more)
        policies = [read_policy(name, data) for name, data in sorted(tables.items()) if name not in special]
        by_name = {policy.name: policy for policy in policies}
        if len(by_name) != len(policies):
            raise InvalidInput("two policy tables define one policy", fix="Remove one")
        groups = read_groups("groups", tables["groups"])
        organisations = {group.name for group in groups.values() if group.organisation}
        parties = read_parties("parties", tables["parties"]) | organisations
        parts = (len(part).to_bytes(8) + part for name in sorted(tables) for part in (name.encode(), tables[name]))
        framed = b"".join(parts)
        rows = [row for name in ("equivalences", *more) for row in read_equivalences(name, tables[name])]
        return cls(by_name, Groups(groups, parties), tuple(rows), sha256(framed), framed)

    @classmethod
    def from_bytes(cls, data: bytes) -> Policies:
        """The collection whose `tables` these are; InvalidInput where they are none."""
        parts, start = list[bytes](), 0
        while start < len(data):
            end = start + 8 + int.from_bytes(data[start : start + 8])
            parts.append(data[start + 8 : end])
            start = end
        if start != len(data) or len(parts) % 2:
            raise InvalidInput("not the tables of policies")
        return cls.from_tables(
            {name.decode("utf-8", "replace"): table for name, table in zip(parts[::2], parts[1::2], strict=True)}
        )

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the policies, in order."""
        return tuple(sorted(self._policies))

    @property
    def parties(self) -> frozenset[str]:
        """The codes of all parties, organisations among them."""
        return self._groups.parties

    @property
    def groups(self) -> frozenset[str]:
        """The names of the groups."""
        return frozenset(self._groups.groups)

    def beyond(self, label: Label, party: str) -> bool:
        """Whether a label is a list in the policy of `party`, which names who may have it beside that owner.

        Not where the list lets the owner be shown it only.
        """
        said, policy = label.releasable, self._policies.get(label.policy)
        listed = said.access is Access.LISTED and party not in said.display
        return listed and policy is not None and policy.owner == party

    def policy(self, name: str) -> Policy:
        """The policy of this name; UnknownTerm where there is none."""
        found = self._policies.get(name)
        if found is None:
            raise unknown(name, "a policy", self._policies)
        return found

    def policy_of(self, party: str) -> Policy:
        """The policy that a party classifies by; UnknownTerm where no table gives one."""
        found = self._owned.get(party)
        if found is None:
            raise unknown(party, "a party with a policy", self._owned)
        return found

    def check(self, label: Label) -> None:
        """Refuse a label that its policy does not admit.

        Raises:
            UnknownTerm: a policy, classification, category, value or party that nobody defined.
            InvalidInput: terms that do not go together.
        """
        self.policy(label.policy).check(label)
        self._groups.check(label.releasable.parties | label.releasable.display | label.origins)

    def protect_as(self, label: Label, policy_name: str, at: int, agreed: Iterable[Equivalence] = ()) -> Label:
        """`label` as `policy_name` must protect it: the same audience and origins, a level no lower.

        The owner of the foreign policy joins a list, for it may always have its own; where only a person could
        release, the list is the owner alone. Informative categories stay behind. `agreed` are the rows of
        instruments in force, beside the tables'.

        Raises:
            UnknownTerm: a policy, classification or category that nobody defined.
            NeedsPerson: no row in force at `at`, or a category that restricts has no equivalent.
        """
        source, target = self.policy(label.policy), self.policy(policy_name)
        if source is target:
            return label
        level = self._level(Direction.PROTECT_AS, source, label.classification, target, at, agreed)
        for tag, names in label.categories:
            if source.category_type(tag) is not CategoryType.INFORMATIVE:
                what = f"{tag} {', '.join(sorted(names))} of policy {source.name}"
                raise NeedsPerson(
                    f"{what} has no equivalent in policy {target.name}",
                    fix="A release officer decides how it is protected",
                )
        return Label(
            policy=target.name,
            classification=level,
            releasable=_with_owner(label, source),
            control=label.control,
            origins=label.origins,
        )

    def clearance_counts_as(
        self, policy: str, classification: str, other_policy: str, at: int, agreed: Iterable[Equivalence] = ()
    ) -> str:
        """The highest level of `other_policy` that one cleared to `classification` of `policy` may see at `at`.

        Raises:
            UnknownTerm: a policy or classification that nobody defined.
            NeedsPerson: no row in force says.
        """
        source, target = self.policy(policy), self.policy(other_policy)
        if source is target:
            return source.rung(classification).name
        return self._level(Direction.CLEARANCE_COUNTS_AS, source, classification, target, at, agreed)

    def _level(
        self, direction: Direction, source: Policy, level: str, target: Policy, at: int, agreed: Iterable[Equivalence]
    ) -> str:
        question = (direction, source.name, source.rung(level).name, target.name)
        return target.rung(equivalent((*self._answers.get(question, ()), *agreed), question, at)).name

    def roll_up(self, labels: Iterable[Label], policy_name: str, at: int, agreed: Iterable[Equivalence] = ()) -> Label:
        """The banner over `labels` in one policy: each checked and mapped, joined, then the policy's own rules.

        Associative, commutative and idempotent, so a derived record's label may be rolled up again.

        Raises:
            UnknownTerm, InvalidInput: a label that its policy does not admit, or no label at all.
            NeedsPerson: a foreign label with no equivalent.
        """
        rows, mapped = tuple(agreed), list[Label]()
        for label in labels:
            self.check(label)
            mapped.append(self.protect_as(label, policy_name, at, rows))
        return banner(mapped, self.policy(policy_name))

    def releasable_to(self, label: Label, universe: frozenset[str]) -> frozenset[str]:
        """The parties of `universe` to whom releasability alone, as the label's policy reads it, lets a copy go."""
        return frozenset() if self.policy(label.policy).unmarked(label) else audience(label, universe)

    def originator_control(self, label: Label) -> bool:
        """Whether the originator must be asked before the information goes any further."""
        return self.policy(label.policy).originator_control(label)

    def members(self, group: str, at: int) -> frozenset[str]:
        """Who belonged to `group` at `at`; see `Groups.members`."""
        return self._groups.members(group, at)

    def expand(self, names: Iterable[str], at: int) -> frozenset[str]:
        """The parties that `names`, of parties and groups, stood for at `at`; see `Groups.expand`."""
        return self._groups.expand(names, at)

    def contract(self, parties: Iterable[str], at: int) -> tuple[str, ...]:
        """The shortest names that stand for exactly `parties` at `at`; see `Groups.contract`."""
        return self._groups.contract(parties, at)


def _with_owner(label: Label, source: Policy) -> Releasability:
    said, owner = label.releasable, frozenset({source.owner} - {""})
    if source.unmarked(label):
        return Releasability(Access.LISTED, owner)
    if said.access is Access.LISTED:
        return Releasability(Access.LISTED, said.parties | owner, said.display)
    return said
