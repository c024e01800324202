"""What the steps of a thread share: what is known from the steps before, and measures of one kind."""

from __future__ import annotations

from dataclasses import dataclass, field

from aldis.apps.experiments.cases.case import Step
from aldis.apps.experiments.cases.evidence import Taken
from aldis.apps.experiments.cases.findings import Evidence, Measure, Reason
from aldis.apps.experiments.cases.tasking import Tasking
from aldis.apps.experiments.cases.way import Way, split

__all__ = ["Known", "absent", "missing", "within"]


@dataclass(slots=True)
class Known:
    """What the steps so far are about: records by step, tasks by step, and whether anything was seen at all."""

    records: dict[str, frozenset[str] | None] = field(default_factory=dict)
    tasks: dict[str, Tasking] = field(default_factory=dict)
    ways: dict[str, Way] = field(default_factory=dict)


def missing(taken: Taken, *some: str) -> tuple[Reason, ...]:
    """The reason that stands where there is no recording of a node of these."""
    return ("recording missing",) if {split(who)[0] for who in some} - taken.nodes else ()


def absent(criterion: str, step: Step, taken: Taken, reason: Reason, text: str, *some: str) -> Measure:
    """What was to be seen and was not; unknown where a recording that would show it is missing."""
    gone = missing(taken, *some)
    lacking: tuple[Reason, ...] = (
        ("recording incomplete",) if {split(who)[0] for who in some} & taken.lacking else ()
    )  # fmt: skip
    met = None if gone or lacking else False
    return Measure(criterion=criterion, step=step.name, met=met, reasons=gone or lacking or (reason,), text=text)


def within(criterion: str, step: Step, took_us: int, limit: float, *, evidence: tuple[Evidence, ...]) -> Measure:
    """Whether something was done within some seconds."""
    took = round(took_us / 1e6, 6)
    return Measure(
        criterion=criterion, step=step.name, met=took <= limit, value=took, limit=limit, unit="s",
        reasons=() if took <= limit else ("too late",), evidence=evidence,
    )  # fmt: skip
