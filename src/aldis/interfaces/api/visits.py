"""Visits: one request from its first byte to its last, as log and metrics know it: by ids alone."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field

from starlette.types import Scope

__all__ = ["Visit", "visit_of"]

_STATE = "aldis"


@dataclass(slots=True)
class Visit:
    """What is told of a request; `template` is the path of its route, never the one that was asked for."""

    id: str = field(default_factory=lambda: os.urandom(8).hex())
    template: str = "unknown"
    person: str = ""
    status: int = 0
    began: float = field(default_factory=time.perf_counter)
    body_read: bool = False
    started: bool = False


def visit_of(scope: Scope) -> Visit:
    """The visit that a request is, begun where it has not been."""
    visit = scope.get(_STATE)
    if not isinstance(visit, Visit):
        visit = scope[_STATE] = Visit()
    return visit
