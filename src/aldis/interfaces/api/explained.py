"""Explanations as JSON: every reason, and what would change the answer."""

from __future__ import annotations

import msgspec

from aldis.kernel.explain import Explanation, RecordExplanation
from aldis.kernel.release import CHECKS
from aldis.kernel.transforms import describe

__all__ = ["ChangeShown", "ExplanationShown", "PartExplained", "ReasonShown", "explained"]


class ReasonShown(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The outcome of one of the eight checks (`pass`, `refer` or `fail`), and the clause it rests on."""

    check: int
    name: str
    outcome: str
    code: str
    text: str
    instrument: str
    clause: str


class ChangeShown(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What would change the answer, and who can do it."""

    who: str
    text: str


class PartExplained(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The header (`part` is empty) or a portion; where not `enough`, nothing that can be agreed would permit it."""

    part: str
    verdict: str
    transforms: list[str]
    not_before: int
    reasons: list[ReasonShown]
    enough: bool
    changes: list[ChangeShown]


class ExplanationShown(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The header of a record and each portion of it that you may see."""

    parts: list[PartExplained]


def explained(found: RecordExplanation) -> ExplanationShown:
    """An explanation as JSON."""
    return ExplanationShown([_part(name, one) for name, one in (("", found.header), *found.portions.items())])


def _part(name: str, one: Explanation) -> PartExplained:
    decision = one.decision
    return PartExplained(
        part=name,
        verdict=decision.verdict.value,
        transforms=[describe(transform) for transform in decision.transforms],
        not_before=decision.not_before,
        reasons=[
            ReasonShown(
                reason.check, CHECKS[reason.check - 1], reason.outcome.name.lower(), reason.code, reason.text,
                reason.instrument, reason.clause,
            )
            for reason in decision.reasons
        ],
        enough=one.enough,
        changes=[ChangeShown(change.who, change.text) for change in one.changes],
    )  # fmt: skip
