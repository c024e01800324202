"""Pages of experiments: the live picture, pictures side by side and recordings, as far as whoever looks may see."""

from __future__ import annotations

from aldis.apps.experiments.web.compare import PAGES as COMPARE
from aldis.apps.experiments.web.pages import PAGES as PICTURE
from aldis.apps.experiments.web.replaying import PAGES as RECORDED

__all__ = ["PAGES"]

PAGES = (*PICTURE, *COMPARE, *RECORDED)
