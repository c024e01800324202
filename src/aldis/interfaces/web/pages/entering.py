"""Sign-in links: a page for whom one lets in, and one for the first administrator, whom it makes.

The secret stands in the link's fragment, which no browser sends: the page's script puts it into the form, or a person
types it. Nothing is done before the form is sent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aldis.interfaces.web.door import Session, View
from aldis.interfaces.web.forms import Fields
from aldis.interfaces.web.visit import Sheet, Visit
from aldis.kernel.authority import Role
from aldis.kernel.errors import InvalidInput
from aldis.node.node import Node
from aldis.node.people import Account, Link, first_level

__all__ = ["link_address", "views"]

_SMALL = 8 * 1024
_LINK, _FIRST = "/sign-in/link", "/sign-in/first"
_BESIDE = (Role.ORIGINATOR, Role.RELEASE_OFFICER, Role.SECURITY_OFFICER)
"""What the first administrator may be beside it."""


def views() -> Sequence[View]:
    """Both pages, for anyone: who lacks the secret gets no further."""
    return [
        View(_LINK, _link_page, _link, anyone=True, limit=_SMALL),
        View(_FIRST, _first_page, _first, anyone=True, limit=_SMALL),
    ]


def link_address(url: str, link: Link) -> str:
    """Where a link leads at the node whose pages are at `url`."""
    return f"{url}{_LINK if link.person else _FIRST}#{link.secret}"


def _link_page(_visit: Visit) -> Sheet:
    return Sheet("link.html", "Sign in once", {})


def _link(visit: Visit) -> Session:
    node = visit.node
    return _begun(visit, node.people.links.sign_in(visit.form.get("code"), lambda one: first_level(node.core, one)))


def _first_page(visit: Visit) -> Sheet:
    core = visit.node.core
    rules = core.policies.policy(core.config.policy)
    values = {
        "ladder": [rung.name for rung in rules.ladder if rung.in_use(visit.at)],
        "cleared": visit.form.get("clearance") or rules.routine,
        "beside": [role.value for role in _BESIDE],
        "held": visit.form.all("role"),
        "projects": visit.form.get("projects") if visit.form else "*",
    }
    return Sheet("first.html", "The first administrator", values)


def _first(visit: Visit) -> Session:
    node, form = visit.node, visit.form
    if form.get("password") != form.get("again"):
        raise InvalidInput("the two passwords differ", fix="Type the same one twice")
    return _begun(
        visit,
        node.people.links.begin(
            form.get("code"), _account(node, form), form.get("password"), lambda one: first_level(node.core, one)
        ),
    )


def _account(node: Node, form: Fields) -> Account:
    beside: Mapping[str, Role] = {role.value: role for role in _BESIDE}
    return Account(
        id=form.get("person").strip(),
        name=form.get("name").strip(),
        nationality=node.core.party,
        clearance={node.core.config.policy: form.get("clearance")},
        projects=form.words("projects"),
        roles=[Role.ADMINISTRATOR, *(beside[one] for one in form.all("role") if one in beside)],
    )


def _begun(visit: Visit, token: str) -> Session:
    """The session, in the place of the one that this browser had."""
    if visit.token:
        visit.node.people.sessions.sign_out(visit.token)
    return Session(token, "/level")
