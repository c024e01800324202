"""All pages of a node, as routes for the one server that the node runs."""

from __future__ import annotations

from starlette.routing import BaseRoute

from aldis.interfaces.api.limits import Limits
from aldis.interfaces.web.door import Door
from aldis.interfaces.web.frame import Frame
from aldis.interfaces.web.oidc import oidc_routes
from aldis.interfaces.web.pages import (
    apps,
    cases,
    desk,
    drafts,
    entering,
    files,
    health,
    home,
    instruments,
    ledger,
    live,
    pairing,
    partners,
    people,
    previews,
    proving,
    records,
    releases,
    searching,
    session,
    sessions,
    signing,
    writing,
)
from aldis.interfaces.web.uploads import upload_routes
from aldis.node.node import Node

__all__ = ["site"]


def site(node: Node, limits: Limits | None = None) -> list[BaseRoute]:
    """The routes of the node's pages and of its apps'; the order matters, for the first that fits is taken."""
    frame = Frame(node)
    limits = limits or Limits()
    door = Door(node, frame, limits)
    views = [
        *home.views(frame),
        *session.views(frame),
        *entering.views(),
        *writing.views(frame),
        *releases.views(frame),
        *files.views(),
        *records.views(frame),
        *searching.views(frame),
        *desk.views(frame),
        *cases.views(frame),
        *previews.views(frame),
        *drafts.views(frame),
        *signing.views(frame),
        *instruments.views(frame),
        *sessions.views(frame),
        *people.views(frame),
        *health.views(frame),
        *partners.views(frame),
        *pairing.views(frame),
        *proving.views(frame),
        *ledger.views(frame),
        *live.views(frame),
        *(view for name, app in node.apps.items() for view in apps.views(name, app, frame)),
    ]
    return [
        frame.assets.route(),
        *oidc_routes(node, frame, limits),
        *upload_routes(node, door),
        *map(door.route, views),
    ]
