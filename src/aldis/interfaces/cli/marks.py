"""Markings on the command line: `SECRET//REL AUS/GBR` in the node's policy, `UK: SECRET – UK EYES ONLY` in another.

An XML label of ADatP-4774 is taken wherever a marking is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import msgspec

from aldis.kernel.errors import AldisError, InvalidInput
from aldis.kernel.labels import Access, Label, encode_label
from aldis.kernel.markings import adatp4774, parse, write
from aldis.kernel.policies import Policies
from aldis.node.node import Node

__all__ = ["Marks"]

_PREFIX = re.compile(r"([A-Z]{2,8}):\s+(\S.*)", re.DOTALL)
_TLP = "TLP"


@dataclass(frozen=True, slots=True)
class Marks:
    """Reads and writes markings for people who mark in `policy`."""

    policies: Policies
    policy: str

    @classmethod
    def of(cls, node: Node) -> Marks:
        """Those of a node."""
        return cls(node.core.policies, node.core.config.policy)

    def read(self, text: str, at: int) -> Label:
        """The label that a marking states; one in parentheses is a portion mark, XML a label of ADatP-4774.

        Raises:
            UnknownTerm: a policy or a word that nobody defined.
            InvalidInput: words that do not go together.
        """
        if text.lstrip().startswith("<"):
            return adatp4774.read(text.strip().encode(), self.policies).in_force(at)
        policy, marking = self._split(text.strip())
        portion = marking.startswith("(") and marking.endswith(")")
        return parse(policy, marking, at=at, policies=self.policies, portion=portion)

    def write(self, label: Label, at: int, *, portion: bool = False) -> str:
        """A label as people read it: its marking, its policy where that is another one, its export-control tags."""
        try:
            marking = write(label, at=at, policies=self.policies, portion=portion)
        except AldisError:
            marking = _in_words(label)
        known = label.policy == self.policy or marking.lstrip("(").startswith(label.policy)
        prefix = "" if known else f"{label.policy}: "
        control = f" [export control: {', '.join(sorted(label.control))}]" if label.control else ""
        return f"{prefix}{marking}{control}"

    @staticmethod
    def data(label: Label) -> Any:
        """A label as JSON, its fields those of records."""
        return msgspec.json.decode(encode_label(label))

    def banner(self, labels: Iterable[Label], at: int) -> str:
        """The marking of the roll-up of what is shown; where no rule rolls it up, every marking in it."""
        every = list(labels)
        try:
            return self.write(self.policies.roll_up(every, every[0].policy, at), at)
        except AldisError:
            return " + ".join(dict.fromkeys(self.write(label, at) for label in every))

    def roll_up(self, labels: Iterable[Label], at: int) -> str:
        """The marking, in this policy, of all that is shown together; empty for nothing."""
        every = list(dict.fromkeys(labels))
        try:
            return self.write(self.policies.roll_up(every, self.policy, at), at) if every else ""
        except AldisError:
            policies = dict.fromkeys(label.policy for label in every)
            return " + ".join(self.banner([one for one in every if one.policy == policy], at) for policy in policies)

    def _split(self, text: str) -> tuple[str, str]:
        found = _PREFIX.fullmatch(text)
        if found is None or text.startswith(self._own_words()):
            return (_TLP if text.startswith(f"{_TLP}:") else self.policy), text
        policy, marking = found.groups()
        try:
            return self.policies.policy(policy).name, marking
        except InvalidInput as error:
            error.fix += f". Or leave the policy out: it is {self.policy} here"
            raise

    def _own_words(self) -> tuple[str, ...]:
        return tuple(rung.name for rung in self.policies.policy(self.policy).ladder)


def _in_words(label: Label) -> str:
    said = label.releasable
    parts = [label.classification, *(f"{tag}: {', '.join(sorted(values))}" for tag, values in label.categories)]
    if said.access is Access.REFUSED:
        parts.append("to no foreign party")
    elif said.access is Access.LISTED:
        parts.append(f"releasable to {', '.join(sorted(said.parties)) or 'nobody'}")
        if said.display:
            parts.append(f"display only to {', '.join(sorted(said.display))}")
    return "; ".join(parts)
