"""People at a node: accounts, passwords, and sessions at a level."""

from __future__ import annotations

from aldis.node.people.accounts import Account, Person, name_of
from aldis.node.people.passwords import Cost, Passwords
from aldis.node.people.people import People

__all__ = ["Account", "Cost", "Passwords", "People", "Person", "name_of"]
