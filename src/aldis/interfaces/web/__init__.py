"""The node's pages: rendered here, of use without scripts, each with the banner of what it shows."""

from __future__ import annotations

from aldis.interfaces.web.pages.entering import link_address
from aldis.interfaces.web.site import site

__all__ = ["link_address", "site"]
