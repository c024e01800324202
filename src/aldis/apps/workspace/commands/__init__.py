"""`aldis project`: projects at the command line."""

from __future__ import annotations

from aldis.apps.workspace.commands.group import project

__all__ = ["project"]
