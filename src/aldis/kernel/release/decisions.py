"""What a release is asked with, and what is answered: a verdict and the reason of each of the eight checks."""

from __future__ import annotations

import enum

import msgspec

from aldis.kernel.instruments import Transform
from aldis.kernel.labels import Label

__all__ = ["CHECKS", "Basis", "Decision", "Outcome", "Reason", "Request", "Verdict"]

CHECKS = (
    "originator control",
    "classification",
    "releasability",
    "instrument in force",
    "categories",
    "export control",
    "onward transfer",
    "holds and review",
)
"""The eight checks in order; a Reason's `check` counts from 1."""

REFERS = 0x5555
FAILS = 0xAAAA
NOBODY: frozenset[str] = frozenset()


class Outcome(enum.IntEnum):
    """The outcome of one check, from the best to the worst."""

    PASS = 0
    REFER = 1
    FAIL = 2


class Verdict(enum.Enum):
    """What the eight outcomes come to."""

    PERMIT = "permit"
    REFER = "refer"
    """A release officer decides."""
    REFUSE = "refuse"


class Reason(msgspec.Struct, frozen=True):
    """The outcome of one check and what it rests on.

    `code` is stable and for programs, `text` for people. `bits` is the outcome at its place in
    `Decision.outcomes`: two bits a check, the first check lowest.
    """

    check: int
    outcome: Outcome
    code: str
    text: str
    instrument: str
    clause: str
    bits: int

    @classmethod
    def of(cls, check: int, outcome: Outcome, code: str, text: str, instrument: str = "", clause: str = "") -> Reason:
        """A reason, with its bits."""
        return cls(check, outcome, code, text, instrument, clause, outcome << 2 * (check - 1))


class Basis(msgspec.Struct, frozen=True):
    """The clause that a decision rests on, and what it asks and allows; an empty `instrument` is none.

    `approvals` is how many release officers it asks for.
    """

    instrument: str = ""
    version: int = 0
    clause: str = ""
    purposes: tuple[str, ...] = ()
    transforms: tuple[Transform, ...] = ()
    delay_ms: int = 0
    onward: tuple[str, ...] = ()
    approvals: int = 0


class Request(msgspec.Struct, frozen=True):
    """May this portion (or, with no name, this header) go to that node?

    `originator` is the record's party and `created` its time; `origin_grants` the parties to whom the originator's
    signed grant lets holders pass it; `approved` how many release officers said yes to what was referred;
    purpose None asks for any purpose that the clause names.
    """

    label: Label
    kind: str
    recipient: str
    originator: str
    project: str = ""
    portion: str = ""
    purpose: str | None = None
    origin_grants: frozenset[str] = NOBODY
    approved: int = 0
    record: str = ""
    created: int = 0


class Decision(msgspec.Struct, frozen=True, gc=False):
    """A verdict with all eight reasons, in the order of the checks.

    `not_before` is the first instant at which a permitted portion may go where a clause asks for a delay, else 0.
    """

    verdict: Verdict
    reasons: tuple[Reason, ...]
    basis: Basis
    not_before: int

    @property
    def permits(self) -> bool:
        """Whether the verdict is permit."""
        return self.verdict is Verdict.PERMIT

    @property
    def outcomes(self) -> int:
        """The eight outcomes, two bits each, the first check lowest."""
        return sum(reason.bits for reason in self.reasons)

    @property
    def purposes(self) -> tuple[str, ...]:
        """The purposes for which it may be used; none where it is refused."""
        return () if self.verdict is Verdict.REFUSE else self.basis.purposes

    @property
    def transforms(self) -> tuple[Transform, ...]:
        """What must be done to the portion on its way out, delays apart."""
        return () if self.verdict is Verdict.REFUSE else self.basis.transforms

    @property
    def onward(self) -> tuple[str, ...]:
        """The parties to whom the clause lets the recipient pass it on."""
        return () if self.verdict is Verdict.REFUSE else self.basis.onward
