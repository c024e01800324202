"""People at a node: accounts, passwords, sessions at a level, and what each person may see."""

from __future__ import annotations

from aldis.node.people.accounts import Account, Person, name_of
from aldis.node.people.passwords import Cost, Passwords
from aldis.node.people.people import People
from aldis.node.people.sights import Sight, Sights

__all__ = ["Account", "Cost", "Passwords", "People", "Person", "Sight", "Sights", "name_of"]
