"""`aldis experiment`: interoperability experiments at the command line."""

from __future__ import annotations

from aldis.apps.experiments.commands.group import experiment

__all__ = ["experiment"]
