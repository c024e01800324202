"""Instruments and their clauses as data: who may give what to whom, why, and from when until when.

Days are UTC days. An instant is an int of milliseconds since 1970 UTC; `end` is the first instant no longer covered.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

__all__ = [
    "ANY",
    "DAY_MS",
    "MOST_APPROVALS",
    "MOST_DAYS",
    "PAIRING_PREFIX",
    "SHARING",
    "Action",
    "Clause",
    "Form",
    "Instrument",
    "Transform",
    "covers",
]

ANY = "*"
"""In a list of a clause: every value."""
DAY_MS = 86_400_000
MOST_APPROVALS = 9
"""The most release officers that a clause may ask for."""
MOST_DAYS = 366
"""The most days within which a clause may ask for their decision."""
PAIRING_PREFIX = "pairing-"
"""How the id of every agreement begins that two nodes made by pairing (`spec/pairing.md`, 10)."""


class Form(enum.Enum):
    """The forms of instrument; an agreement and an arrangement share, the others only remove a bar."""

    AGREEMENT = "agreement"
    ARRANGEMENT = "arrangement"
    LICENCE = "licence"
    EXEMPTION = "exemption"
    PAIRING = "pairing"


SHARING = frozenset({Form.AGREEMENT, Form.ARRANGEMENT})


class Action(enum.Enum):
    """What may be done to a portion on its way out."""

    COARSEN = "coarsen"
    DELAY = "delay"
    PSEUDONYMISE = "pseudonymise"


@dataclass(frozen=True, slots=True)
class Transform:
    """One action on one portion: a grid in metres, or seconds (rounding of a coarsened time, or the delay)."""

    portion: str
    action: Action
    grid_m: int = 0
    seconds: int = 0


@dataclass(frozen=True, slots=True)
class Clause:
    """One permission. A set that holds `*` covers every value; `givers` and `takers` are parties.

    `review` asks for a release officer's decision each time, `approvals` for that of so many different ones; 0 is none.
    `decide_within_days` is how soon they are to decide; 0 says nothing. No decision depends on it.

    In a licence or exemption only `tags`, `givers`, `takers`, `kinds`, `projects` and `provisos` are used.
    """

    id: str
    givers: frozenset[str]
    takers: frozenset[str]
    kinds: frozenset[str] = frozenset({ANY})
    projects: frozenset[str] = frozenset({ANY})
    purposes: frozenset[str] = frozenset()
    portions: frozenset[str] = frozenset({ANY})
    ceiling: tuple[tuple[str, str], ...] = ()
    categories: tuple[tuple[str, frozenset[str]], ...] = ()
    onward: frozenset[str] = frozenset()
    review: bool = False
    approvals: int = 0
    decide_within_days: int = 0
    transforms: tuple[Transform, ...] = ()
    tags: frozenset[str] = frozenset()
    provisos: str = ""

    def __post_init__(self) -> None:
        """Sort, so that equal clauses are equal objects; a review is one approval."""
        object.__setattr__(self, "ceiling", tuple(sorted(self.ceiling)))
        object.__setattr__(self, "categories", tuple(sorted(self.categories, key=lambda row: row[0])))
        object.__setattr__(self, "approvals", self.approvals or int(self.review))
        object.__setattr__(self, "review", self.approvals > 0)


@dataclass(frozen=True, slots=True)
class Instrument:
    """One version of a signed, dated document; `under` names the instrument it depends on, or is empty."""

    form: Form
    id: str
    title: str
    parties: frozenset[str]
    start: int
    end: int
    clauses: tuple[Clause, ...] = ()
    under: str = ""
    rule: str = ""
    evidence: frozenset[str] = frozenset()
    denied: frozenset[str] = frozenset()
    """Evidence fields stated to be false; a field in neither set was not given."""

    def __post_init__(self) -> None:
        """Sort the clauses by id."""
        object.__setattr__(self, "clauses", tuple(sorted(self.clauses, key=lambda clause: clause.id)))

    @property
    def pairing(self) -> bool:
        """Whether it is what two nodes agreed by pairing, so that instruments may travel, and nothing else."""
        return self.id.startswith(PAIRING_PREFIX)


def covers(allowed: frozenset[str], value: str) -> bool:
    """Whether a set of a clause covers `value`."""
    return value in allowed or ANY in allowed
