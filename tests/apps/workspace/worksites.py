"""What the tests of projects share."""

from __future__ import annotations

from typing import Any

import msgspec
from nations import Coalition
from personnel import ORIGINATOR, hire, signed_in

from aldis.app import Context
from aldis.apps.workspace.board import Board
from aldis.apps.workspace.kinds import KINDS, Charter, Ref
from aldis.apps.workspace.project import Project
from aldis.kernel.records import Record

NATIONS = {"aus": ("AUS", "AUS"), "gbr": ("GBR", "UK"), "usa": ("USA", "US"), "nzl": ("NZL", "NZL")}
NAME = "SEA-WATCH"
ALL, PAIR, OWN = "SECRET//REL AUS/GBR/USA", "SECRET//REL AUS/GBR", "SECRET//AGAO"
ARRANGEMENT = f"""\
instrument = "arrangement"
id = "pa-sea-watch"
title = "Sea watch"
parties = ["AUS", "GBR", "USA"]
from = 2026-01-01
until = 2028-12-31

[[clause]]
id = "1"
kinds = [{", ".join(f'"{kind.name}"' for kind in KINDS)}]
projects = ["{NAME}"]
purposes = ["collaboration"]
ceiling = {{ AUS = "SECRET", UK = "SECRET", US = "SECRET", NZL = "SECRET" }}
onward = ["AUS", "GBR", "USA"]
"""
CLEARANCE = {"AUS": "SECRET", "UK": "SECRET", "US": "SECRET", "NZL": "SECRET"}


def ref(record: Record) -> Ref:
    return Ref(record.header.originator, record.header.id)


def charter(coalition: Coalition, node: str = "aus", mark: str = ALL) -> Record:
    """The charter of the project, written at a node."""
    terms = Charter(["AUS", "GBR", "USA"], None, None, "pa-sea-watch")
    parts = {"title": "Sea watch", "purpose": "To watch the sea together", "charter": terms}
    return Project(coalition[node].context, NAME).add("charter", parts, {"": mark})


def project(coalition: Coalition, node: str) -> Project:
    return Project(coalition[node].context, NAME)


def worker(coalition: Coalition, node: str, who: str, *, level: str = "SECRET", **fields: Any) -> Context:
    """The context of somebody who works at a node, signed in at a level of its policy."""
    given = {"nationality": NATIONS[node][0], "clearance": CLEARANCE, "roles": [ORIGINATOR], "projects": [NAME]}
    hire(coalition[node], who, **(given | fields))
    return coalition[node].context.bound(signed_in(coalition[node], who, **{NATIONS[node][1]: level}))


def written(board: Board) -> bytes:
    """A board as bytes that are equal where boards are."""
    return msgspec.json.encode(board.cards, order="deterministic")
