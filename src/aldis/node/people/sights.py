"""Sights: what one person may see of the records here, by the same decisions as for a nation."""

from __future__ import annotations

from array import array
from collections import OrderedDict
from dataclasses import dataclass, replace
from threading import RLock
from typing import TYPE_CHECKING

import msgspec
import numpy as np
from numpy.typing import NDArray

from aldis.kernel.bundles import onward_of
from aldis.kernel.epoch import Partner, PolicyEpoch
from aldis.kernel.errors import RefusedByPolicy
from aldis.kernel.explain import RecordExplanation, explain_record
from aldis.kernel.instruments import covers
from aldis.kernel.labels import Label
from aldis.kernel.records import read_portion
from aldis.kernel.release import Permit, Request, Terms, compile_terms, release
from aldis.node.core import Core
from aldis.node.people.accounts import Person
from aldis.node.recall_records import RECALL_KINDS
from aldis.node.rulings import candidate
from aldis.node.store import Row

if TYPE_CHECKING:  # they let people act, and so import this package
    from aldis.node.epochs import Epochs
    from aldis.node.partners import Partners

__all__ = ["Sight", "Sights"]

_KEPT = 256
_Like = tuple[Partner, frozenset[str], int, int, int]
"""All that decides what a person sees by profile: the recipient they are but for their name, their kinds, the rules."""
_TOLD = frozenset(kind.name for kind in RECALL_KINDS)
"""Kinds that nobody reads as records: they name others, whatever those are. `Recalls` tells who may know of them."""


@dataclass(frozen=True, slots=True)
class Sight:
    """What a person may see now: by profile, and where that is not `exact`, only what `Sights.cut` leaves of a row."""

    name: str
    epoch: PolicyEpoch
    profiles: NDArray[np.bool_]
    exact: bool

    @property
    def scope(self) -> bytes:
        """What cursors of this person's lists are bound to."""
        return self.name.encode()


@dataclass(slots=True)
class _Known:
    """What was found out for a person so far; it holds until the rules, the profiles or the date change."""

    change: int
    generation: int
    epoch: PolicyEpoch
    terms: Terms
    seen: NDArray[np.bool_]


class Sights:
    """Answers for persons; what is kept of earlier answers is void as soon as the store says otherwise."""

    def __init__(self, core: Core, epochs: Epochs, partners: Partners) -> None:
        self._core = core
        self._epochs = epochs
        self._partners = partners
        self._known: OrderedDict[bytes, _Known] = OrderedDict()
        self._alike: OrderedDict[_Like, NDArray[np.bool_]] = OrderedDict()
        self._lock = RLock()

    def of(self, person: Person) -> Sight:
        """What this person may see now."""
        with self._lock:
            known = self._up_to_date(person)
        recipient = known.terms.recipient
        return Sight(recipient, known.epoch, known.seen, person.account.nationality == self._core.party)

    def cut(self, row: Row, sight: Sight) -> Row | None:
        """The row with just the portions that the person may see; None where they may not know of it.

        A foreign national gets what their nation would: no portion that would go transformed only, or later.
        """
        if not (row.profile < len(sight.profiles) and sight.profiles[row.profile]):
            return None
        if sight.exact:
            return row.only(sight.profiles)
        grant = self._core.store.grants.of([row.seq]).get(row.seq)
        portions = [read_portion(data) for data in row.portions]
        found = release(
            candidate(self._core.store.profiles, row, portions, self.party(row.originator)),
            sight.name,
            None,
            sight.epoch,
            self._core.clock.now(),
            grants=onward_of(grant, self._core.node),
        )
        if not isinstance(found, Permit):
            return None
        seen = set(found.portions) - found.transforms.keys()
        kept = [place for place, portion in enumerate(portions) if portion.digest in seen]
        return msgspec.structs.replace(
            row,
            portions=[row.portions[place] for place in kept],
            portion_profiles=array("I", [row.portion_profiles[place] for place in kept]),
            substitutes=[],
            substitute_profiles=array("I"),
        )

    def explain(self, row: Row, person: Person) -> RecordExplanation:
        """Why a person may see what there is of a row, or may not; the row as whoever is told may see it."""
        sight, grant = self.of(person), self._core.store.grants.of([row.seq]).get(row.seq)
        portions = [read_portion(data) for data in row.portions]
        return explain_record(
            candidate(self._core.store.profiles, row, portions, self.party(row.originator)),
            sight.name,
            None,
            sight.epoch,
            self._core.clock.now(),
            grants=onward_of(grant, self._core.node),
        )

    def may_see(self, person: Person, kind: str, project: str, label: Label, originator: str = "") -> bool:
        """Whether the person may see a header or portion with this label; `originator` is a node, "" for this one.

        A foreign national may see it only as it is: what their nation would get coarsened or later they may not.
        """
        return self.may_open(person, kind, project, label, self.party(originator) if originator else self._core.party)

    def may_open(self, person: Person, kind: str, project: str, label: Label, party: str) -> bool:
        """As `may_see`, of what comes from a party and not as a record of one of its nodes."""
        with self._lock:
            terms = self._up_to_date(person).terms
        exact = person.account.nationality == self._core.party
        request = Request(
            label=label,
            kind=kind,
            recipient=terms.recipient,
            originator=party,
            project=project,
            origin_grants=frozenset({self._core.party}) if exact else frozenset(),
        )
        decision = terms.decide(request)
        plain = not decision.transforms and not decision.basis.delay_ms
        return covers(frozenset(person.account.kinds), kind) and decision.permits and (exact or plain)

    def whole(self, person: Person) -> bool:
        """Whether what tells of every record here, such as the ledger, may be shown to a person.

        It may to this node's own nationals at the node's ceiling.
        """
        config = self._core.config
        ladder = self._core.policies.policy(config.policy)
        own = person.account.nationality == self._core.party and not person.guest
        return own and ladder.rank(person.level[config.policy]) >= ladder.rank(config.ceiling)

    def check_whole(self, by: str | Person, because: str, fix: str) -> None:
        """Return if whoever acts may be shown what tells of every record here, as an operator may.

        Raises:
            RefusedByPolicy: a person who may not (`whole`); `because` and `fix` are its words.
        """
        if isinstance(by, Person) and not self.whole(by):
            raise RefusedByPolicy(because, fix=fix)

    def party(self, node: str) -> str:
        """The party of a node that records came from, or the empty string."""
        return self._partners.parties().get(node, "")

    def _up_to_date(self, person: Person) -> _Known:
        profiles, now = self._core.store.profiles, self._core.clock.now()
        key = msgspec.json.encode((person.recipient.node, person.level, person.account))
        change, generation, count = self._core.policy_change(), profiles.generation, profiles.count()
        known = self._known.get(key)
        if (
            known is None
            or (known.change, known.generation) != (change, generation)
            or not known.terms.since <= now < known.terms.valid_until
        ):
            known = None
        if known is None:
            epoch = self._epochs.current().for_person(person.recipient)
            terms = compile_terms(epoch, person.recipient.node, None, now)
            known = self._known[key] = _Known(change, generation, epoch, terms, np.zeros(0, dtype=np.bool_))
        if len(known.seen) < count:
            known.seen = self._seen_alike(person, known, count)
        self._known.move_to_end(key)
        while len(self._known) > _KEPT:
            self._known.popitem(last=False)
        return known

    def _seen_alike(self, person: Person, known: _Known, count: int) -> NDArray[np.bool_]:
        """As `_look`, of whoever is alike: a decision names a person, and rests on what they are."""
        recipient, kinds = replace(person.recipient, node=""), frozenset(person.account.kinds)
        like = recipient, kinds, known.change, known.generation, known.terms.since
        seen = self._alike.get(like, known.seen)
        if len(seen) < count:
            seen = self._alike[like] = self._look(person, known.terms, seen, count)
        self._alike.move_to_end(like)
        while len(self._alike) > _KEPT:
            self._alike.popitem(last=False)
        return seen

    def _look(self, person: Person, terms: Terms, before: NDArray[np.bool_], count: int) -> NDArray[np.bool_]:
        """Which profiles the person may see, some known `before`: just those for our own people, else at most those."""
        done, parties = len(before), self._partners.parties()
        kinds, nationality = frozenset(person.account.kinds), frozenset({person.account.nationality})
        seen = np.zeros(count, dtype=np.bool_)
        seen[:done] = before
        for profile in self._core.store.profiles.since(done)[: count - done]:
            request = Request(
                label=profile.label,
                kind=profile.kind,
                recipient=terms.recipient,
                originator=parties.get(profile.originator, ""),
                project=profile.project,
                origin_grants=nationality,
            )
            shown = profile.kind not in _TOLD and covers(kinds, profile.kind)
            seen[profile.id] = shown and terms.decide(request).permits
        return seen
