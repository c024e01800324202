"""Pieces of a marking that know where they stand, so that an error can point at them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from aldis.kernel.errors import InvalidInput, TooLarge, UnknownTerm
from aldis.kernel.labels import Releasability
from aldis.kernel.policies import Policies, Policy, Rung
from aldis.kernel.policies.policy import unknown

__all__ = ["Token", "distinct", "level", "nameable", "open_marking", "parties", "plain_list", "wrap"]

_MAX_MARKING = 4096


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of `marking` that begins at character `start`, counted from 0."""

    text: str
    marking: str
    start: int = 0

    def split(self, separator: str) -> list[Token]:
        """The pieces between matches of the regular expression `separator`."""
        found, start = [], 0
        for match in re.finditer(separator, self.text):
            found.append(self.part(start, match.start()))
            start = match.end()
        return [*found, self.part(start)]

    def part(self, start: int, end: int | None = None) -> Token:
        """The piece from `start` to `end`."""
        return Token(self.text[start:end], self.marking, self.start + start)

    def without(self, prefix: str) -> Token | None:
        """What follows `prefix`, or None where the piece does not begin with it."""
        return self.part(len(prefix)) if self.text.startswith(prefix) else None

    @property
    def where(self) -> str:
        """The opening words of an error about this piece."""
        return f"marking {self.marking!r}, character {self.start + 1}: "

    def wrong(self, problem: str, fix: str = "") -> InvalidInput:
        """The error that this piece, which is named, has this problem."""
        return InvalidInput(f"{self.where}{self.text!r} {problem}", fix=fix)

    def unknown(self, what: str, known: Iterable[str]) -> UnknownTerm:
        """The error that this piece is not `what`, with what is and the nearest of it."""
        return unknown(self.text, what, known, self.where)


def open_marking(text: str, portion: bool) -> Token:
    """The whole of a banner, or what is inside the parentheses of a portion mark.

    Raises:
        TooLarge: over 4,096 characters.
        InvalidInput: a portion mark without its parentheses.
    """
    if len(text) > _MAX_MARKING:
        raise TooLarge(f"a marking of {len(text)} characters; the limit is {_MAX_MARKING}")
    whole = Token(text, text)
    if not portion:
        return whole
    if not (text.startswith("(") and text.endswith(")") and len(text) > 1):
        raise whole.wrong("is not a portion mark", fix="Write it in parentheses, as in (S)")
    return whole.part(1, -1)


def wrap(text: str, portion: bool) -> str:
    """The marking, in parentheses where it marks a portion."""
    return f"({text})" if portion else text


def level(token: Token, policy: Policy, at: int, portion: bool) -> tuple[Rung, Token]:
    """The classification that `token` begins with, and what follows it.

    Raises:
        UnknownTerm: no classification of the policy.
        InvalidInput: one that was not in use at `at`.
    """
    names = {(rung.portion if portion else rung.name): rung for rung in policy.ladder}
    for name in sorted(names, key=len, reverse=True):
        rest = token.without(name)
        if rest is None or (rest.text and rest.text[0].isalnum()):
            continue
        rung = names[name]
        if not rung.in_use(at):
            day = datetime.fromtimestamp(at / 1000, UTC).date()
            raise token.part(0, len(name)).wrong(f"was not in use in policy {policy.name} on {day}")
        return rung, rest
    raise token.unknown(f"a classification of policy {policy.name}", names)


def distinct(tokens: Iterable[Token]) -> list[Token]:
    """The tokens, where none is written twice."""
    seen: dict[str, Token] = {}
    for token in tokens:
        if token.text in seen:
            raise token.wrong("is written twice")
        seen[token.text] = token
    return list(seen.values())


def parties(token: Token, separator: str, policies: Policies, at: int) -> frozenset[str]:
    """The parties that a list of party and group codes stood for at `at`."""
    found: frozenset[str] = frozenset()
    for name in distinct(token.split(separator)):
        try:
            found |= policies.expand([name.text], at)
        except UnknownTerm as error:
            raise UnknownTerm(f"{name.where}{error.args[0]}", fix=error.fix) from error
    return found


def nameable(listed: frozenset[str], owner: str, at: int, policies: Policies, by_group: bool = True) -> frozenset[str]:
    """The parties beside `owner` that a list can name.

    An organisation is named as the group of its members, so only where `by_group` and all of them at `at` are listed.
    """
    whole = listed | {owner}
    organisations = listed & policies.groups
    named = {name for name in organisations if by_group and policies.expand([name], at) <= whole}
    return (listed - organisations | named) - {owner}


def plain_list(said: Releasability, policy: Policy) -> frozenset[str]:
    """The parties of a list, for marking systems that have no "display only"."""
    if said.display:
        names = ", ".join(sorted(said.display))
        raise InvalidInput(f"markings of policy {policy.name} cannot say that {names} may be shown but not given it")
    return said.parties - {policy.owner}
