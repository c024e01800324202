"""The app: projects over nodes, with their kinds, commands, HTTP API and pages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from aldis.app import Context, Page, Route, System
from aldis.apps.workspace.commands import project
from aldis.apps.workspace.kinds import KINDS
from aldis.apps.workspace.pages import PAGES
from aldis.apps.workspace.routes import ROUTES
from aldis.kernel.records import Record

__all__ = ["WorkspaceApp"]


class WorkspaceApp:
    """Projects that nations run together, each from its own node."""

    name = "workspace"
    kinds = KINDS

    def commands(self) -> Sequence[Any]:
        """`aldis project`; `aldis put`, `get`, `list` and `search` serve single records."""
        return (project,)

    def routes(self) -> Sequence[Route]:
        """What the pages do, for programs."""
        return ROUTES

    def pages(self) -> Sequence[Page]:
        """The pages of projects."""
        return PAGES

    def on_admitted(self, record: Record, ctx: Context) -> None:
        """Nothing to do: a board is computed when somebody looks."""

    async def run(self, ctx: Context, systems: Sequence[System]) -> None:
        """Nothing runs beside the node."""
