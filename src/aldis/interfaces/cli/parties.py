"""Parties and partner nodes as people name them on the command line."""

from __future__ import annotations

from difflib import get_close_matches

from aldis.kernel.errors import UnknownTerm
from aldis.kernel.policies import Policies
from aldis.node.node import Node

__all__ = ["known_party", "partner_node"]


def known_party(policies: Policies, code: str) -> str:
    """The code, if a table knows it.

    Raises:
        UnknownTerm: none does; with the nearest that one does.
    """
    if code in policies.parties:
        return code
    near = [code.upper()] if code.upper() in policies.parties else get_close_matches(code.upper(), policies.parties, 3)
    hint = f"Did you mean {' or '.join(near)}? " if near else ""
    raise UnknownTerm(f"{code!r} is not a party", fix=f"{hint}Use ISO 3166 alpha-3 such as AUS, or NATO")


def partner_node(node: Node, name: str) -> str:
    """The name of the partner node that a node's or a party's name stands for.

    Raises:
        UnknownTerm: none, or several nodes of one party.
    """
    return node.partners.get(name).node
