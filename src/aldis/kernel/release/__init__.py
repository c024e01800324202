"""Release: the one place where it is decided whether a record may go to a party, for a purpose, now."""

from __future__ import annotations

from aldis.kernel.release.bulk import VERDICTS, RowScope, Verdicts, verdicts
from aldis.kernel.release.ceilings import node_ceiling
from aldis.kernel.release.decisions import CHECKS, Basis, Decision, Outcome, Reason, Request, Verdict
from aldis.kernel.release.permits import Permit, Refusal, Round, release
from aldis.kernel.release.terms import Terms, compile_terms, decide
from aldis.kernel.release.view import NO_GRANTS, View, requests_for

__all__ = [
    "CHECKS",
    "NO_GRANTS",
    "VERDICTS",
    "Basis",
    "Decision",
    "Outcome",
    "Permit",
    "Reason",
    "Refusal",
    "Request",
    "Round",
    "RowScope",
    "Terms",
    "Verdict",
    "Verdicts",
    "View",
    "compile_terms",
    "decide",
    "node_ceiling",
    "release",
    "requests_for",
    "verdicts",
]
