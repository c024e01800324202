"""Test cases, and what recordings show of them: the interoperability matrix and its verdicts."""

from __future__ import annotations

from aldis.apps.experiments.cases.case import Case, read_case
from aldis.apps.experiments.cases.finding import find
from aldis.apps.experiments.cases.findings import Cell, Evidence, Findings, Mark, Measure, Outcome, Recorded

__all__ = ["Case", "Cell", "Evidence", "Findings", "Mark", "Measure", "Outcome", "Recorded", "find", "read_case"]
