"""Scores: how well one picture shows what another does, as pure functions of what was recorded."""

from __future__ import annotations

from aldis.apps.experiments.scoring.agreement import Errors, Names
from aldis.apps.experiments.scoring.gospa import Gospa, gospa
from aldis.apps.experiments.scoring.score import Criteria, Score, score
from aldis.apps.experiments.scoring.streams import Report, streams
from aldis.apps.experiments.scoring.tracking import Tracking, track_over

__all__ = [
    "Criteria",
    "Errors",
    "Gospa",
    "Names",
    "Report",
    "Score",
    "Tracking",
    "gospa",
    "score",
    "streams",
    "track_over",
]
