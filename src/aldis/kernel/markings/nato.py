"""NATO markings: `NATO SECRET Releasable To AUS, JPN`, `COSMIC TOP SECRET ATOMAL`, `NATO CONFIDENTIAL Only GBR, USA`.

A marking without a list is for the members of the day it was made. Source: C-M(2002)49-REV1; AC/35-D/2002; the
categories `Releasable To` and `Only` of the NATO policy of ADatP-4774.
"""

from __future__ import annotations

import re

from aldis.kernel.errors import InvalidInput
from aldis.kernel.labels import Label, Releasability
from aldis.kernel.markings.tokens import Token, level, nameable, open_marking, parties, plain_list, wrap
from aldis.kernel.policies import Policies, Rung

__all__ = ["parse", "read_level", "write", "write_level"]

_LIST = re.compile(r" (?P<word>releasable to|only) ", re.IGNORECASE)
_SENSITIVITY = "Additional Sensitivity"
_ATOMAL = "ATOMAL"


def parse(text: str, *, at: int, policies: Policies, portion: bool = False) -> Label:
    """The label that a NATO marking made at `at` (ms since the epoch, UTC) states.

    Raises:
        UnknownTerm: a word that the policy does not define, or a party or group that nobody did.
        InvalidInput: words that do not go together.
    """
    whole = open_marking(text, portion)
    lists = list(_LIST.finditer(whole.text))
    if len(lists) > 1:
        raise whole.wrong("names more than one audience", fix="Write either Releasable To or Only, once")
    head = whole.part(0, lists[0].start()) if lists else whole
    rung, categories, rest = read_level(head, at, policies, portion)
    if rest.text:
        raise rest.wrong("follows the classification", fix=f"Allowed: {_ATOMAL}, Releasable To, Only")
    members = policies.members("NATO", at)
    named = parties(whole.part(lists[0].end()), ", ", policies, at) - {"NATO"} if lists else members
    if lists and lists[0]["word"].lower() == "releasable to":
        named |= members
    label = Label("NATO", rung.name, Releasability.to(*named), categories)
    policies.check(label)
    return label


def write(label: Label, *, at: int, policies: Policies, portion: bool = False) -> str:
    """The canonical NATO marking of `label`; groups are those of `at`.

    Raises:
        InvalidInput: a NATO marking cannot say what the label says of releasability.
    """
    members = policies.members("NATO", at)
    listed = nameable(plain_list(label.releasable, policies.policy("NATO")), "NATO", at, policies)
    if not listed:
        raise InvalidInput("a NATO marking is for somebody", fix="List the members, or the parties it is only for")
    text = write_level(label, policies, portion)
    if listed > members:
        text += f" Releasable To {', '.join(policies.contract(listed - members, at))}"
    elif listed != members:
        text += f" Only {', '.join(policies.contract(listed, at))}"
    return wrap(text, portion)


def read_level(
    token: Token, at: int, policies: Policies, portion: bool
) -> tuple[Rung, tuple[tuple[str, frozenset[str]], ...], Token]:
    """The classification and sensitivity that `token` begins with, and what follows."""
    policy = policies.policy("NATO")
    atomal = ((_SENSITIVITY, frozenset({_ATOMAL})),)
    if portion:
        for name, mark in policy.notation.items():
            rest = token.without(mark)
            if rest is not None and not rest.text[:1].isalnum():
                return policy.rung(name), atomal, rest
    rung, rest = level(token, policy, at, portion)
    after = None if portion else rest.without(f" {_ATOMAL}")
    return (rung, (), rest) if after is None else (rung, atomal, after)


def write_level(label: Label, policies: Policies, portion: bool) -> str:
    """The classification and sensitivity of a NATO label as a marking begins."""
    policy = policies.policy("NATO")
    atomal = label.values(_SENSITIVITY)
    if portion:
        return policy.notation[label.classification] if atomal else policy.rung(label.classification).portion
    return f"{label.classification} {_ATOMAL}" if atomal else label.classification
