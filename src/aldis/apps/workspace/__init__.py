"""The collaborative environment: documents and technical data packages of projects between nations."""

from __future__ import annotations

from aldis.apps.workspace.documents import WorkspaceApp

__all__ = ["app"]

app = WorkspaceApp()
