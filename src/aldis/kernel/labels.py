"""The label algebra: a join-semilattice over the labels of one policy.

A label is what ADatP-4774 calls confidentiality metadata: policy, classification, categories; to which Aldis
adds releasability in four distinct states, export-control tags, and the parties whose information it protects.

Laws, tested by name in `tests/kernel/test_labels.py`: join is associative, commutative and idempotent; the
unmarked, lowest label is its identity; audience(a join b) is a subset of audience(a) and of audience(b).
"""

from __future__ import annotations

import enum
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import lru_cache, reduce
from typing import Literal, Protocol

import msgspec

from aldis.kernel.errors import InvalidInput, RefusedByPolicy

__all__ = [
    "CONCEALED",
    "REFUSED",
    "UNMARKED",
    "Access",
    "CategoryType",
    "Grading",
    "Label",
    "Releasability",
    "audience",
    "decode_label",
    "dominates",
    "encode_label",
    "join",
    "join_all",
    "rung_text",
]

CONCEALED = "FGI"
"""Origin of foreign information whose source must not be named (CAPCO: concealed FGI)."""


class CategoryType(enum.Enum):
    """How the values of a category grant or restrict access (STANAG 4774, SPIF tag types)."""

    RESTRICTIVE = "restrictive"
    PERMISSIVE = "permissive"
    INFORMATIVE = "informative"


class Access(enum.Enum):
    """The state of a releasability statement, from the widest to the narrowest."""

    UNMARKED = "unmarked"
    """Nobody has said yet: identity of the join; what it means is the policy's to say."""
    LISTED = "listed"
    """To these parties and the owner; an empty list is nobody beyond the owner."""
    REFUSED = "refused"
    """To no foreign party, whatever else is said (NOFORN, UK EYES ONLY, AGAO)."""


@dataclass(frozen=True, slots=True)
class Releasability:
    """To which parties, beyond the owner, the policy lets information go.

    `parties` may hold a copy; `display` may only be shown it (CAPCO DISPLAY ONLY). Both are concrete party
    codes: groups are expanded at the label's date, so a later member gains nothing.
    """

    access: Access = Access.UNMARKED
    parties: frozenset[str] = frozenset()
    display: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        """Keep one representation of each state, so that equal statements are equal objects."""
        if self.access is not Access.LISTED and (self.parties or self.display):
            raise InvalidInput(f"releasability {self.access.value!r} cannot name parties")
        if self.display & self.parties:
            object.__setattr__(self, "display", self.display - self.parties)

    @classmethod
    def to(cls, *parties: str, display: Iterable[str] = ()) -> Releasability:
        """Releasable to `parties`; shown, not given, to `display`."""
        return cls(Access.LISTED, frozenset(parties), frozenset(display))

    def join(self, other: Releasability) -> Releasability:
        """The statement that both allow."""
        if self.access is Access.REFUSED or other.access is Access.REFUSED:
            return REFUSED
        if self.access is Access.UNMARKED:
            return other
        if other.access is Access.UNMARKED:
            return self
        parties = self.parties & other.parties
        shown = (self.parties | self.display) & (other.parties | other.display)
        return Releasability(Access.LISTED, parties, shown - parties)


UNMARKED = Releasability()
REFUSED = Releasability(Access.REFUSED)


@dataclass(frozen=True, slots=True)
class Label:
    """One label in one policy.

    `categories` maps a tag to its values; a PERMISSIVE tag with no values stays, and means nobody.
    `control` holds export-control tags such as `USML:XI(c)`; `origins` the parties whose information it is.
    """

    policy: str
    classification: str
    releasable: Releasability = UNMARKED
    categories: tuple[tuple[str, frozenset[str]], ...] = ()
    control: frozenset[str] = frozenset()
    origins: frozenset[str] = frozenset()
    _hash: int = field(init=False, repr=False, compare=False, default=0)

    def __post_init__(self) -> None:
        """Sort the categories and hash once: labels are dictionary keys on hot paths."""
        if len({tag for tag, _ in self.categories}) != len(self.categories):
            raise InvalidInput("a label names a category twice", fix="Give each category once, with all its values")
        object.__setattr__(self, "categories", tuple(sorted(self.categories, key=lambda row: row[0])))
        values = (self.policy, self.classification, self.releasable, self.categories, self.control, self.origins)
        object.__setattr__(self, "_hash", hash(values))

    def __hash__(self) -> int:
        """The hash computed at construction."""
        return self._hash

    def values(self, tag: str) -> frozenset[str] | None:
        """The values of a category, or None where the label does not carry the tag."""
        return dict(self.categories).get(tag)

    def narrowed(self, **changes: object) -> Label:
        """A copy with these fields replaced."""
        return replace(self, **changes)  # type: ignore[arg-type]


class Grading(Protocol):
    """What the algebra asks of a policy."""

    def rank(self, classification: str) -> int:
        """Place in the ladder, lowest 0; UnknownTerm where the ladder has no such rung."""

    def category_type(self, tag: str) -> CategoryType:
        """The type of a category; UnknownTerm where the policy does not define it."""

    @property
    def name(self) -> str:
        """The policy's code, as in `Label.policy`."""


def join(a: Label, b: Label, policy: Grading) -> Label:
    """The least label that protects both: highest classification, intersected permissions, united restrictions.

    The lattice alone: what a policy reads into "unmarked", and its own banner rules, are `Policies.roll_up`.
    Source: ADatP-4774.1 section 4.4.

    Raises:
        RefusedByPolicy: a label is of another policy; map it first (`policies.protect_as`).
        UnknownTerm: a classification or category that the policy does not define.
    """
    for label in (a, b):
        if label.policy != policy.name:
            raise RefusedByPolicy(
                f"a label of policy {label.policy} cannot be joined in policy {policy.name}",
                fix="Map it with protect_as, or let a release officer decide",
            )
    higher = a if policy.rank(a.classification) >= policy.rank(b.classification) else b
    return Label(
        policy=policy.name,
        classification=higher.classification,
        releasable=a.releasable.join(b.releasable),
        categories=_join_categories(a, b, policy),
        control=a.control | b.control,
        origins=a.origins | b.origins,
    )


def _join_categories(a: Label, b: Label, policy: Grading) -> tuple[tuple[str, frozenset[str]], ...]:
    ours, theirs = dict(a.categories), dict(b.categories)
    joined = {}
    for tag in ours.keys() | theirs.keys():
        if tag in ours and tag in theirs and policy.category_type(tag) is CategoryType.PERMISSIVE:
            joined[tag] = ours[tag] & theirs[tag]
        else:
            policy.category_type(tag)
            joined[tag] = ours.get(tag, frozenset()) | theirs.get(tag, frozenset())
    return tuple(joined.items())


def join_all(labels: Iterable[Label], policy: Grading) -> Label:
    """The join of one or more labels.

    Raises:
        InvalidInput: no label was given; nothing is not a label.
    """
    given = list(labels)
    if not given:
        raise InvalidInput("the join of no labels is not a label", fix="Name at least one source or a label")
    return reduce(lambda a, b: join(a, b, policy), given)


def dominates(a: Label, b: Label, policy: Grading) -> bool:
    """Whether `a` protects everything that `b` does: a join b = a."""
    return join(a, b, policy) == a


def rung_text(policy: str, classification: str) -> str:
    """A classification with the policy it is of, for people: `UK SECRET`, `NATO SECRET`."""
    return classification if classification.split(" ")[0] == policy else f"{policy} {classification}"


def audience(label: Label, universe: frozenset[str]) -> frozenset[str]:
    """The parties of `universe` to whom releasability alone would let a copy go, were unmarked to mean anyone.

    `Policies.releasable_to` reads "unmarked" as the label's policy does.
    """
    if label.releasable.access is Access.UNMARKED:
        return universe
    return label.releasable.parties & universe


class _Wire(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    policy: str
    classification: str
    releasable: list[str] | Literal["unmarked", "refused"]
    display: list[str] = []
    categories: dict[str, list[str]] = {}
    control: list[str] = []
    origins: list[str] = []


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(_Wire)
_MAX_LABEL = 8192


@lru_cache(maxsize=8192)
def encode_label(label: Label) -> bytes:
    """The label as JSON; equal labels give equal bytes."""
    said = label.releasable
    wire = _Wire(
        policy=label.policy,
        classification=label.classification,
        releasable=sorted(said.parties) if said.access is Access.LISTED else _word(said.access),
        display=sorted(said.display),
        categories={tag: sorted(values) for tag, values in label.categories},
        control=sorted(label.control),
        origins=sorted(label.origins),
    )
    return _encoder.encode(wire)


def _word(access: Access) -> Literal["unmarked", "refused"]:
    return "refused" if access is Access.REFUSED else "unmarked"


def decode_label(data: bytes | msgspec.Raw) -> Label:
    """The label that JSON bytes state; terms are not yet checked against the policy (`Policies.check`).

    Raises:
        InvalidInput: not the closed schema of a label, or over 8 KiB.
    """
    return _decode(bytes(data))


@lru_cache(maxsize=8192)
def _decode(raw: bytes) -> Label:
    if len(raw) > _MAX_LABEL:
        raise InvalidInput(f"a label of {len(raw)} bytes; the limit is {_MAX_LABEL}")
    try:
        wire = _decoder.decode(raw)
    except (msgspec.MsgspecError, RecursionError, ValueError) as error:
        raise InvalidInput(f"not a label: {error}", fix="See docs/reference for the fields of a label") from error
    if isinstance(wire.releasable, str):
        said = Releasability(Access(wire.releasable), frozenset(), frozenset(wire.display))
    else:
        said = Releasability.to(*wire.releasable, display=wire.display)
    return Label(
        policy=wire.policy,
        classification=wire.classification,
        releasable=said,
        categories=tuple((tag, frozenset(values)) for tag, values in wire.categories.items()),
        control=frozenset(wire.control),
        origins=frozenset(wire.origins),
    )
