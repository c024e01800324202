"""The node's pages: rendered here, of use without scripts, each with the banner of what it shows."""

from __future__ import annotations

from aldis.interfaces.web.site import site

__all__ = ["site"]
