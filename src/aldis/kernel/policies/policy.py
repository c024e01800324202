"""One classification policy: its ladder, its categories, and what they ask of a label."""

from __future__ import annotations

import enum
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from itertools import pairwise

from aldis.kernel.errors import InvalidInput, UnknownTerm
from aldis.kernel.labels import CONCEALED, Access, CategoryType, Label

__all__ = ["Category", "Policy", "RollUp", "Rung", "Unmarked", "Value", "unknown"]

_MANY = 24


class Unmarked(enum.Enum):
    """Who may decide a release of what bears no statement of releasability."""

    AGREEMENT = "agreement"
    """The instruments in force decide."""
    PERSON = "person"
    """A release officer decides; nothing goes out without one (classified US information)."""


class RollUp(enum.Enum):
    """How a category passes from portions to a banner."""

    UNION = "union"
    """By the join: every value of every portion."""
    EVERY = "every"
    """Only where each portion that is classified or says to whom it is releasable carries it (RELIDO)."""
    ALONE = "alone"
    """Only where no restrictive category is beside it (FOUO)."""
    SAME_ORIGINS = "same-origins"
    """Only where every portion carries it and all have the same origins (JOINT)."""


@dataclass(frozen=True, slots=True)
class Rung:
    """One level of a ladder; `since` and `until` are ms since the epoch, UTC, and bound the making of new labels."""

    name: str
    rank: int
    portion: str
    unmarked: Unmarked
    source: str
    since: int | None = None
    until: int | None = None
    originator: bool = False

    def in_use(self, at: int) -> bool:
        """Whether a label made at `at` may be of this level."""
        return (self.since is None or self.since <= at) and (self.until is None or at < self.until)


@dataclass(frozen=True, slots=True)
class Value:
    """One value of a category and what it asks of the label that carries it."""

    name: str
    source: str
    portion: str
    long: str = ""
    lowest: str = ""
    highest: str = ""
    refused: bool = False
    needs: tuple[tuple[str, str], ...] = ()
    not_with: tuple[str, ...] = ()
    needs_origins: bool = False
    implies: tuple[str, ...] = ()
    originator: bool = False


@dataclass(frozen=True, slots=True)
class Category:
    """A tag of the policy. `pattern` admits values that have no row; `nested` values hold their parents' too.

    A nested value is `SYSTEM`, `SYSTEM-COMPARTMENT` or `SYSTEM-COMPARTMENT SUB`.
    """

    tag: str
    type: CategoryType
    source: str
    values: Mapping[str, Value]
    pattern: re.Pattern[str] | None = None
    nested: bool = False
    roll_up: RollUp = RollUp.UNION
    lowest: str = ""
    highest: str = ""

    def value(self, name: str) -> Value:
        """The value's rules; UnknownTerm where the category does not admit it."""
        if name in self.values:
            return self.values[name]
        if self.pattern is not None and self.pattern.fullmatch(name):
            return Value(name, self.source, name, lowest=self.lowest, highest=self.highest)
        raise unknown(name, f"a value of {self.tag}", self.values)

    def parents(self, name: str) -> frozenset[str]:
        """The values that one who holds `name` must hold too."""
        found = set(self.value(name).implies)
        if self.nested:
            cut = max(name.rfind("-"), name.rfind(" "))
            if cut > 0:
                found.add(name[:cut])
        return frozenset(found)

    def closed(self, names: Iterable[str]) -> frozenset[str]:
        """`names` with all that they imply."""
        todo, found = list(names), set[str]()
        while todo:
            name = todo.pop()
            if name not in found:
                found.add(name)
                todo.extend(self.parents(name))
        return frozenset(found)

    def leaves(self, names: Iterable[str]) -> frozenset[str]:
        """The fewest values that imply all of `names`: what a marking writes."""
        given = frozenset(names)
        return given - frozenset(up for name in given for up in self.closed([name]) - {name})


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy as data; implements `aldis.kernel.labels.Grading`.

    `routine` is the level of everyday official papers, `unclassified` the highest that is no security classification.
    """

    name: str
    owner: str
    authority: str
    ladder: tuple[Rung, ...]
    categories: Mapping[str, Category]
    notation: Mapping[str, str]
    routine: str
    unclassified: str
    uri: str = ""
    """Its object identifier as `urn:oid:...`; given where the table was taken from a SPIF."""
    claims: tuple[tuple[str, str], ...] = ()
    """What the SPIF says of other ladders: a classification, and the words. No rule rests on it."""
    _rungs: Mapping[str, Rung] = field(init=False, repr=False, compare=False, default_factory=dict)

    def __post_init__(self) -> None:
        """Index the ladder, and refuse one that is not strictly ordered or names a rung twice."""
        rungs = {rung.name: rung for rung in self.ladder}
        if len(rungs) != len(self.ladder) or any(a.rank >= b.rank for a, b in pairwise(self.ladder)):
            raise InvalidInput(f"the ladder of policy {self.name} is not strictly ordered")
        object.__setattr__(self, "_rungs", rungs)
        self.rank(self.routine)
        self.rank(self.unclassified)

    def __hash__(self) -> int:
        """By name: one collection holds a policy once."""
        return hash(self.name)

    @property
    def lowest(self) -> Label:
        """The identity of the join: the lowest rung, unmarked."""
        return Label(self.name, self.ladder[0].name)

    def rung(self, classification: str) -> Rung:
        """The level of this name; UnknownTerm where the ladder has no such rung."""
        found = self._rungs.get(classification)
        if found is None:
            raise unknown(classification, f"a classification of policy {self.name}", self._rungs)
        return found

    def rank(self, classification: str) -> int:
        """Place in the ladder, lowest 0."""
        return self.rung(classification).rank

    def category(self, tag: str) -> Category:
        """The category of this tag; UnknownTerm where the policy does not define it."""
        found = self.categories.get(tag)
        if found is None:
            raise unknown(tag, f"a category of policy {self.name}", self.categories)
        return found

    def category_type(self, tag: str) -> CategoryType:
        """The type of a category."""
        return self.category(tag).type

    def unmarked(self, label: Label) -> bool:
        """Whether the label says nothing of releasability, so that only a person may release it."""
        waits = self.rung(label.classification).unmarked is Unmarked.PERSON
        return waits and label.releasable.access is Access.UNMARKED

    def originator_control(self, label: Label) -> bool:
        """Whether the originator must be asked before the label's information goes any further."""
        values = (self.category(tag).value(name) for tag, names in label.categories for name in names)
        return self.rung(label.classification).originator or any(value.originator for value in values)

    def check(self, label: Label) -> None:
        """Refuse a label that the policy does not admit.

        Raises:
            UnknownTerm: a classification, category or value that the policy does not define.
            InvalidInput: terms that do not go together; the message names both.
        """
        rank = self.rank(label.classification)
        for tag, names in label.categories:
            category = self.category(tag)
            if not names and category.type is not CategoryType.PERMISSIVE:
                raise InvalidInput(f"category {tag} has no value", fix="Leave the category out")
            missing = category.closed(names) - names
            if missing:
                raise InvalidInput(f"{tag}: {_listed(names)} needs {_listed(missing)} too", fix="Add the values named")
            for name in sorted(names):
                self._check_value(category.value(name), label, rank)

    def _check_value(self, value: Value, label: Label, rank: int) -> None:
        said = label.releasable
        problems = {
            f"must be at least {value.lowest}": value.lowest and rank < self.rank(value.lowest),
            f"must be at most {value.highest}": value.highest and rank > self.rank(value.highest),
            "must be refused to every foreign party": value.refused and said.access is not Access.REFUSED,
            "cannot be refused to every foreign party": "refused" in value.not_with and said.access is Access.REFUSED,
            "cannot be for display only": "display" in value.not_with and bool(said.display),
            "must name the origins it is joint with": value.needs_origins
            and (CONCEALED in label.origins or not label.origins - {self.owner}),
        }
        for tag, name in value.needs:
            problems[f"must carry {name}"] = name not in (label.values(tag) or ())
        for problem, holds in problems.items():
            if holds:
                what = f"{label.classification} of policy {label.policy} with {value.name}"
                raise InvalidInput(f"{what} {problem}", fix=f"Mend that, or leave {value.name} out")


def unknown(term: str, what: str, known: Iterable[str], where: str = "") -> UnknownTerm:
    """The error for a term that nobody defined, with the nearest that somebody did."""
    names = sorted(known)
    near = get_close_matches(term.upper(), {name.upper() for name in names}, n=12)
    alike = [name for name in names if name.upper() in near]
    guesses = [name for name in alike if name[:2].upper() == term[:2].upper()] or alike
    hints = [f"Did you mean {' or '.join(guesses[:3])}?"] if guesses else []
    if not guesses or len(names) <= _MANY:
        hints.append(f"Known: {', '.join(names[:_MANY])}{', ...' if len(names) > _MANY else ''}")
    return UnknownTerm(f"{where}{term!r} is not {what}", fix=" ".join(hints))


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))
