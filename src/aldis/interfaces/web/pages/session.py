"""Sign in, enrol, choose a level, sign out.

A session begins at the policy's routine level, or at the clearance where that is lower: to work higher is a choice made
knowingly, at this desk, each time. What was chosen last is not remembered, since the place may be another one now.
"""

from __future__ import annotations

from collections.abc import Sequence

from aldis.interfaces.web.door import Session, View
from aldis.interfaces.web.forms import Fields
from aldis.interfaces.web.frame import Frame
from aldis.interfaces.web.guard import safe_path
from aldis.interfaces.web.visit import Sheet, Visit
from aldis.kernel.errors import InvalidInput, NotAuthentic, UnknownTerm
from aldis.node.node import Node
from aldis.node.people import Account, first_level

__all__ = ["views"]

_SMALL = 8 * 1024
"""Most bytes of a form that somebody may send who is not signed in: a name, and a password of 1,024 characters."""


def views(frame: Frame) -> Sequence[View]:
    """Those of a session's beginning, level and end."""

    def level(visit: Visit) -> Sheet:
        return Sheet("level.html", "Choose a level", {"rungs": frame.rungs(visit), "next": _next(visit)})

    return [
        View("/sign-in", _sign_in_page, _sign_in, anyone=True, limit=_SMALL),
        View("/enrol", _enrol_page, _enrol, anyone=True, limit=_SMALL),
        View("/level", level, _change_level, limit=_SMALL),
        View("/sign-out", _sign_in_page, _sign_out, reads=False, limit=_SMALL),
    ]


def _next(visit: Visit) -> str:
    return safe_path(visit.form.get("next") or visit.query.get("next"))


def _sign_in_page(visit: Visit) -> Sheet:
    values = {
        "next": _next(visit),
        "enrolled": visit.query.get("enrolled") == "yes",
        "provider": Fields.address("/sign-in/oidc", next=_next(visit)) if visit.node.core.config.oidc else "",
    }
    return Sheet("sign_in.html", "Sign in", values)


def _sign_in(visit: Visit) -> Session:
    node, form = visit.node, visit.form
    name = form.get("person").strip()
    try:
        level = first_level(node.core, _account(node, name))
        token = node.people.sign_in(name, form.get("password"), level)
    except NotAuthentic as error:
        raise NotAuthentic(
            "that name and that password do not open a session now",
            fix="Check both and wait a little: after several failures, tries are refused for up to 15 minutes",
        ) from error
    if visit.token:
        node.people.sessions.sign_out(visit.token)
    return Session(token, Fields.address("/level", next=_next(visit)))


def _account(node: Node, name: str) -> Account | None:
    """The account of a name, as it is typed."""
    try:
        return node.people.get(name.encode("utf-8", "replace").decode())
    except UnknownTerm:
        return None


def _enrol_page(visit: Visit) -> Sheet:
    return Sheet("enrol.html", "Set your password", {"who": visit.form.get("person") or visit.query.get("person")})


def _enrol(visit: Visit) -> Session:
    form = visit.form
    if form.get("password") != form.get("again"):
        raise InvalidInput("the two passwords differ", fix="Type the same one twice")
    visit.node.people.enrol(form.get("person").strip(), form.get("code"), form.get("password"))
    return Session("", "/sign-in?enrolled=yes")


def _change_level(visit: Visit) -> Session:
    rung, policy = visit.form.get("rung"), visit.node.core.config.policy
    token = visit.token
    if rung and rung != visit.rung:
        token = visit.node.people.sessions.change_level(token, {policy: rung})
    return Session(token, _next(visit))


def _sign_out(visit: Visit) -> Session:
    visit.node.people.sessions.sign_out(visit.token)
    return Session("", "/sign-in")
