"""Interoperability experiments: each nation's systems in their own protocols, shared track by track, field by field."""

from __future__ import annotations

from aldis.apps.experiments.app import ExperimentsApp

__all__ = ["app"]

app = ExperimentsApp()
