"""Reports: findings as a folder that people read, nations sign, and anybody verifies offline."""

from __future__ import annotations

from aldis.apps.experiments.report.making import write_report
from aldis.apps.experiments.report.manifest import CONTEXT, Said, Statement
from aldis.apps.experiments.report.signing import join_signatures, sign_report
from aldis.apps.experiments.report.verifying import Compared, ReportFindings, Signature, compare, verify_report

__all__ = [
    "CONTEXT",
    "Compared",
    "ReportFindings",
    "Said",
    "Signature",
    "Statement",
    "compare",
    "join_signatures",
    "sign_report",
    "verify_report",
    "write_report",
]
