"""People at a node: accounts, passwords, sessions at a level, and what each person may see."""

from __future__ import annotations

from aldis.node.people.accounts import Account, Person, name_of
from aldis.node.people.levels import first_level
from aldis.node.people.links import LINK_MIN, Link
from aldis.node.people.passwords import Cost, Passwords
from aldis.node.people.people import People
from aldis.node.people.sights import Sight, Sights

__all__ = [
    "LINK_MIN",
    "Account",
    "Cost",
    "Link",
    "Passwords",
    "People",
    "Person",
    "Sight",
    "Sights",
    "first_level",
    "name_of",
]
