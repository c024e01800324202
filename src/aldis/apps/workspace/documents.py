"""Documents, technical data packages and files, marked portion by portion."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from aldis.app import Context, Page, Route
from aldis.kernel.attachments import Attachment
from aldis.kernel.records import Kind, Record

__all__ = ["DOCUMENT", "FILE", "TECHNICAL_DATA", "WorkspaceApp"]


class _Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One line of a technical data package: a part, its drawing number, and its parameters as text."""

    part: str
    drawing: str
    parameters: dict[str, str] = {}


DOCUMENT = Kind(
    "document",
    {"title": str, "summary": str, "body": str, "annex": str, "files": list[Attachment]},
    text=("title", "summary", "body", "annex"),
    title="title",
)
TECHNICAL_DATA = Kind(
    "technical-data",
    {"title": str, "description": str, "parts": list[_Part]},
    text=("title", "description"),
    title="title",
)
FILE = Kind("file", {"title": str, "content": Attachment}, text=("title",), title="title")


class WorkspaceApp:
    """Shared documents; projects, boards and calendars build on them."""

    name = "workspace"
    kinds = (DOCUMENT, TECHNICAL_DATA, FILE)

    def commands(self) -> Sequence[Any]:
        """None of its own: `aldis put`, `get`, `list` and `search` serve documents."""
        return ()

    def routes(self) -> Sequence[Route]:
        """None yet beside the node's own."""
        return ()

    def pages(self) -> Sequence[Page]:
        """None yet beside the node's own."""
        return ()

    def on_admitted(self, record: Record, ctx: Context) -> None:
        """Nothing to do: a document is read where it is stored."""

    async def run(self, ctx: Context, sources: Sequence[str]) -> None:
        """Nothing runs beside the node."""
