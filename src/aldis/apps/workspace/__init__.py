"""The collaborative environment: projects between nations, each from its own node."""

from __future__ import annotations

from aldis.apps.workspace.app import WorkspaceApp

__all__ = ["app"]

app = WorkspaceApp()
