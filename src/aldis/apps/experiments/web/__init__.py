"""The pages of experiments, below `/experiments`."""

from __future__ import annotations

from aldis.apps.experiments.web import losses, participants, runs, runs_cases_pages, runs_findings, tasks
from aldis.apps.experiments.web.compare import PAGES as COMPARE
from aldis.apps.experiments.web.pages import PAGES as PICTURE
from aldis.apps.experiments.web.replaying import PAGES as RECORDED

__all__ = ["PAGES"]

PAGES = (
    *PICTURE,
    *COMPARE,
    *RECORDED,
    *runs.PAGES,
    *runs_cases_pages.PAGES,
    *runs_findings.PAGES,
    *participants.PAGES,
    *tasks.PAGES,
    *losses.PAGES,
)
