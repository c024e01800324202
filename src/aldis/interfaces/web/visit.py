"""One request as the pages see it, and what a page answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from aldis.interfaces.web.forms import Fields
from aldis.kernel.authority import Act
from aldis.kernel.errors import AldisError, NotAuthentic
from aldis.kernel.labels import Label
from aldis.node.context import NodeContext
from aldis.node.node import Node
from aldis.node.people import Person

__all__ = ["Sheet", "Visit"]


@dataclass(frozen=True, slots=True)
class Visit:
    """A request: who asks, for what, and, where a form failed, what was typed and why it failed.

    `referer` is the path of this host's page that led here.
    """

    node: Node
    path: str
    person: Person | None = None
    token: str = ""
    nonce: str = ""
    referer: str = "/"
    query: Fields = field(default_factory=Fields)
    form: Fields = field(default_factory=Fields)
    segments: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    error: AldisError | None = None

    @property
    def who(self) -> Person:
        """Who is signed in.

        Raises:
            NotAuthentic: nobody is.
        """
        if self.person is None:
            raise NotAuthentic("nobody is signed in", fix="Sign in")
        return self.person

    @property
    def at(self) -> int:
        """The time by this node's clock, in ms since 1970 UTC."""
        return self.node.core.clock.now()

    @property
    def context(self) -> NodeContext:
        """What the node does for this person."""
        return self.node.context.bound(self.who)

    @property
    def rung(self) -> str:
        """The level at which they work, in this node's policy."""
        return self.who.level[self.node.core.config.policy]

    @property
    def level(self) -> Label:
        """The label of what they may type here: at most that of the level at which they work."""
        return Label(self.node.core.config.policy, self.rung)

    @property
    def routine(self) -> Label:
        """The label of what this node says of itself: names, addresses, states."""
        policy = self.node.core.policies.policy(self.node.core.config.policy)
        return Label(policy.name, policy.routine)

    @property
    def resident(self) -> bool:
        """Whether they are of this node's own party, and no guest."""
        return self.who.account.nationality == self.node.core.party and not self.who.guest

    def may(self, act: Act) -> bool:
        """Whether a role of theirs allows an act."""
        return self.person is not None and self.person.may(act)


@dataclass(frozen=True, slots=True)
class Sheet:
    """A page to be: its template with the values, and the labels of everything in them."""

    template: str
    title: str
    values: Mapping[str, Any]
    labels: Sequence[Label] = ()
    status: int = 200
    workers: bool = False
