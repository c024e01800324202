"""What is put to a release officer: the reasons, the clause they rest on, and the day by which it is to be decided."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from aldis.kernel.epoch import PolicyEpoch
from aldis.kernel.instruments.clauses import DAY_MS
from aldis.kernel.release import Decision, Outcome
from aldis.node.store import NEVER
from aldis.node.store.referrals import MINUTE_MS

__all__ = ["Question", "question", "whole_minutes"]


class Question(NamedTuple):
    """Reasons as JSON, the clause (or else the check) that asks for a person, and the day (ms since 1970 UTC)."""

    reasons: bytes
    grounds: str
    due: int


def question(referred: Sequence[Decision], epoch: PolicyEpoch, at: int, days: int) -> Question:
    """What decisions that refer ask of an officer; `days` counts where no clause of theirs says when."""
    reasons = [reason for decision in referred for reason in decision.reasons]
    asks = [reason for reason in reasons if reason.outcome is Outcome.REFER]
    named = [f"{one.instrument} clause {one.clause}" for one in asks if one.instrument]
    within = [_within(decision, epoch) or days for decision in referred]
    soonest = min((days for days in within if days), default=0)
    due = whole_minutes(at + soonest * DAY_MS) if soonest else NEVER
    return Question(msgspec.json.encode(reasons), next(iter([*named, *(one.code for one in asks)]), ""), due)


def whole_minutes(at: int) -> int:
    """An instant rounded up to the minute: the docket is kept in minutes."""
    return -(-at // MINUTE_MS) * MINUTE_MS


def _within(decision: Decision, epoch: PolicyEpoch) -> int:
    basis = decision.basis
    for entry in epoch.instruments.versions(basis.instrument) if basis.instrument else ():
        if entry.version == basis.version:
            return next((one.decide_within_days for one in entry.instrument.clauses if one.id == basis.clause), 0)
    return 0
