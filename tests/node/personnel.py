"""People for tests, at a node of a coalition; their passwords cost next to nothing to check."""

from __future__ import annotations

from typing import Any

from aldis.kernel.authority import Role
from aldis.kernel.errors import AldisError
from aldis.node.node import Node
from aldis.node.people import Account, Cost, Passwords, Person

PASSWORD = "correct horse battery"
ORIGINATOR, OFFICER, GUEST = Role.ORIGINATOR, Role.RELEASE_OFFICER, Role.GUEST


def hire(node: Node, who: str, **fields: Any) -> str:
    """An account with a password; its id."""
    node.people.passwords = Passwords(node.core.random, Cost(32, 1, 4))
    given = {"nationality": "AUS", "clearance": {"AUS": "SECRET"}, "projects": ["*"], "name": who.title()} | fields
    code = node.people.add(Account(id=who, **given))
    node.people.enrol(who, code, PASSWORD)
    return who


def signed_in(node: Node, who: str, **level: str) -> Person:
    """The person, signed in at a level."""
    return node.people.sessions.who(node.people.sign_in(who, PASSWORD, level))


def listed(node: Node, person: Person | str, limit: int = 200) -> dict[str, set[str]]:
    """Every record that somebody is shown, with the names of the portions, page by page."""
    found: dict[str, set[str]] = {}
    cursor = ""
    while True:
        page = node.records.page(viewer=person, cursor=cursor, limit=limit)
        for row in page.rows:
            found[f"{row.originator}/{row.id}"] = {portion.name for portion in row.record().portions}
        if page.next is None:
            return found
        cursor = page.next


def said(error: AldisError, *names: str) -> tuple[type, str, str]:
    """An error with the names that were asked for taken out."""
    text = str(error)
    for name in names:
        text = text.replace(repr(name), "NAME")
    return type(error), error.code, text
