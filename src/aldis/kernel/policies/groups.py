"""Parties and the groups they belong to, by date.

What was labelled for a group is for those who were members then: one who joined later gains nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from aldis.kernel.errors import InvalidInput
from aldis.kernel.labels import CONCEALED
from aldis.kernel.policies.policy import unknown

__all__ = ["Group", "Groups", "Membership"]


@dataclass(frozen=True, slots=True)
class Membership:
    """One party's time in a group, ms since the epoch, UTC; `until` is the first moment outside."""

    party: str
    since: int
    until: int | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """A named group; `written` in place of its members in markings; `organisation` where it is itself a party."""

    name: str
    source: str
    memberships: tuple[Membership, ...]
    written: bool = False
    organisation: bool = False

    def members(self, at: int) -> frozenset[str]:
        """Who belonged at `at`."""
        return frozenset(m.party for m in self.memberships if m.since <= at and (m.until is None or at < m.until))


@dataclass(frozen=True, slots=True)
class Groups:
    """All groups, and the codes of all parties."""

    groups: dict[str, Group]
    parties: frozenset[str]

    def members(self, name: str, at: int) -> frozenset[str]:
        """Who belonged to the group at `at` (ms since the epoch, UTC).

        Raises:
            UnknownTerm: no such group.
            InvalidInput: the group had no members then.
        """
        group = self.groups.get(name)
        if group is None:
            raise unknown(name, "a group", self.groups)
        found = group.members(at)
        if not found:
            day = datetime.fromtimestamp(at / 1000, UTC).date()
            raise InvalidInput(f"group {name} had no members on {day}", fix="Name the parties, or mend the date")
        return found

    def expand(self, names: Iterable[str], at: int) -> frozenset[str]:
        """The parties that `names`, of parties and groups, stood for at `at`.

        A group that is an organisation stands for itself too.

        Raises:
            UnknownTerm: neither a party nor a group.
            InvalidInput: a group that had no members then.
        """
        found: set[str] = set()
        for name in names:
            if name in self.groups:
                found |= self.members(name, at)
            if name in self.parties:
                found.add(name)
            elif name not in self.groups:
                raise unknown(name, "a party or group", self.parties | self.groups.keys())
        return frozenset(found)

    def contract(self, parties: Iterable[str], at: int) -> tuple[str, ...]:
        """The shortest names that stand for exactly `parties` at `at`: parties in order, then groups in order.

        Only groups that markings write are used, the largest first.

        Raises:
            InvalidInput: an organisation without all its members, for its name would stand for them too.
        """
        given = frozenset(parties)
        left, names = set(given), list[str]()
        candidates = [(group, self._stands_for(group, at)) for group in self.groups.values() if group.written]
        for group, members in sorted(candidates, key=lambda row: (-len(row[1]), row[0].name)):
            if members and members <= given and not members.isdisjoint(left):
                names.append(group.name)
                left -= members
        if alone := left & self.groups.keys():
            name = min(alone)
            raise InvalidInput(f"{name} cannot be named without its members", fix=f"List the members of {name} too")
        return (*sorted(left), *sorted(names))

    def check(self, parties: Iterable[str]) -> None:
        """Refuse what is not the code of a party: groups belong expanded in a label."""
        for name in sorted(parties):
            if name not in self.parties and name != CONCEALED:
                what = "a party (a label lists the members of a group)" if name in self.groups else "a party"
                raise unknown(name, what, self.parties)

    def _stands_for(self, group: Group, at: int) -> frozenset[str]:
        members = group.members(at)
        return members | {group.name} if members and group.organisation else members
