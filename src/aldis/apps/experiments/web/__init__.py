"""Pages of experiments: the live picture, as far as whoever looks may see it."""

from __future__ import annotations

from aldis.apps.experiments.web.pages import PAGES

__all__ = ["PAGES"]
