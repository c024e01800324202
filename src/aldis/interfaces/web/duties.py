"""What each role lets a person do here, in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from aldis.kernel.authority import AUTHORITY, Act, Role

__all__ = ["WORDS", "allowed"]

WORDS: Mapping[Act, str] = MappingProxyType(
    {
        Act.PUT: "write records",
        Act.REVISE: "revise records that they see whole",
        Act.DELETE: "delete what they wrote themselves",
        Act.OFFER: "ask for a release, and why one was or was not given",
        Act.RULE: "rule on releases that were referred to a person",
        Act.HOLD: "hold a record back from partners",
        Act.LIFT: "let a held record go on",
        Act.RECALL: "ask partners to delete what they were sent",
        Act.PEOPLE: "add, change and suspend accounts, end sessions; not their own account",
        Act.CONFIGURE: "see how the node does",
        Act.READ_LEDGER: "read, prove and replay the ledger, at the node's ceiling",
        Act.INQUIRE: "gather all that concerns a record or a partner",
        Act.PARTNERS: "pair with nodes, suspend and resume partners",
        Act.DRAFT: "write, amend and compare instruments",
        Act.SIGN: "sign and end instruments",
        Act.QUARANTINE: "look through what was set aside instead of admitted",
    }
)
"""Each act; a test sees that none is left out."""


def allowed(roles: Iterable[Role] = Role) -> list[tuple[str, list[str]]]:
    """Each of these roles by name, with what it allows beside reading what the person may see."""
    return [
        (role.value, [words for act, words in WORDS.items() if act in AUTHORITY[role]])
        for role in Role
        if role in set(roles)
    ]
