"""Scores: how well one picture shows what another does, as pure functions of what was recorded."""

from __future__ import annotations

from aldis.apps.experiments.scoring.agreement import Errors, Names
from aldis.apps.experiments.scoring.crossing import Agreement, Odd, Passed, agree, passed, spans
from aldis.apps.experiments.scoring.gospa import Gospa, gospa
from aldis.apps.experiments.scoring.score import Criteria, Score, score
from aldis.apps.experiments.scoring.streams import Report, streams
from aldis.apps.experiments.scoring.tracking import Tracking, track_over

__all__ = [
    "Agreement",
    "Criteria",
    "Errors",
    "Gospa",
    "Names",
    "Odd",
    "Passed",
    "Report",
    "Score",
    "Tracking",
    "agree",
    "gospa",
    "passed",
    "score",
    "spans",
    "streams",
    "track_over",
]
