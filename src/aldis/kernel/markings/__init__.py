"""Markings: labels as people and other systems write them, text in, label out, and back.

One module per system, each with `parse` and `write`; this registry picks it by policy. A policy without a system of
its own here (CAN, NZL) is written as CAPCO writes non-US classifications. Laws, tested by name in
`tests/kernel/test_markings.py`: parse(write(label)) == marked(label), and write(parse(text)) is canonical.
"""

from __future__ import annotations

from typing import Protocol

from aldis.kernel.labels import CONCEALED, REFUSED, Access, Label, Releasability
from aldis.kernel.markings import aus, capco, nato, tlp, uk
from aldis.kernel.markings.tokens import nameable
from aldis.kernel.policies import Policies

__all__ = ["marked", "parse", "write"]


class _System(Protocol):
    def parse(self, text: str, *, at: int, policies: Policies, portion: bool = False) -> Label: ...

    def write(self, label: Label, *, at: int, policies: Policies, portion: bool = False) -> str: ...


_SYSTEMS: dict[str, _System] = {"AUS": aus, "NATO": nato, "TLP": tlp, "UK": uk, "US": capco}


def parse(policy: str, text: str, *, at: int, policies: Policies, portion: bool = False) -> Label:
    """The label that a marking in the system of `policy`, made at `at` (ms since the epoch, UTC), states.

    Raises:
        UnknownTerm: a word that the policy does not define; the message says where and what is allowed.
        InvalidInput: words that do not go together.
    """
    return _SYSTEMS.get(policies.policy(policy).name, capco).parse(text, at=at, policies=policies, portion=portion)


def write(label: Label, *, at: int, policies: Policies, portion: bool = False) -> str:
    """The canonical marking of `label` in the system of its policy; groups are named as of `at`.

    Raises:
        InvalidInput: the system has no words for what the label says.
    """
    system = _SYSTEMS.get(policies.policy(label.policy).name, capco)
    return system.write(label, at=at, policies=policies, portion=portion)


def marked(label: Label, *, at: int, policies: Policies) -> Label:
    """The part of `label` that its marking at `at` carries.

    Left out: export control; origins other than a US marking's FGI, which names none beside a concealed one; the
    policy's own party in a list or among the origins; and an organisation that a list cannot name without naming
    parties that are not on it. A list with nobody on it reads as a refusal.
    """
    owner, said = policies.policy(label.policy).owner, label.releasable
    if said.access is Access.LISTED:
        groups = label.policy not in ("AUS", "UK")
        listed, shown = (nameable(names, owner, at, policies, groups) for names in (said.parties, said.display))
        said = Releasability(Access.LISTED, listed, shown) if listed or shown else REFUSED
    origins = label.origins - {owner} if label.policy == "US" else frozenset[str]()
    if CONCEALED in origins:
        origins = frozenset({CONCEALED})
    return label.narrowed(releasable=said, control=frozenset[str](), origins=origins)
