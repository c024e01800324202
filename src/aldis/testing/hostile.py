"""A hostile partner: it has valid keys and a real node, hears what others were sent, and says whatever it likes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

import msgspec

from aldis.kernel.bundles import CONTEXT, FORMAT, Commitment, Grant, Item, Manifest, Substitute, read_manifest
from aldis.kernel.encoding import sha256
from aldis.kernel.errors import AldisError
from aldis.kernel.labels import Label, Releasability
from aldis.kernel.ledger import leaf_hash, merkle_root
from aldis.kernel.messages import Cursor
from aldis.kernel.records import Draft, DraftPortion, Record, make_record
from aldis.kernel.signatures import Signer
from aldis.node.node import Node
from aldis.testing.archive import Sent
from aldis.testing.coalition import Coalition
from aldis.testing.standing import Standing
from aldis.testing.streams import rows

__all__ = ["LIVE_KIND", "Attack", "Hostile", "NotNow", "Outcome"]

LIVE_KIND = "document"
"""The kind of the live values that it makes up."""

_encode = msgspec.msgpack.Encoder().encode


class NotNow(Exception):
    """An attack needs something that has not happened yet, such as a grant to steal."""


@dataclass(frozen=True, slots=True)
class Attack:
    """One thing to try; `expects` is the code of the error it meets, as a refusal or as the reason it is set aside.

    An empty `expects` is for what may be answered and must be without effect.
    """

    name: str
    expects: str
    run: Callable[[Hostile], None]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an attack: the code of each refusal, why items were set aside, and all that was gained by it.

    `gained` names what the target now holds, believes or does and should not; it must be empty.
    """

    attack: str
    refused: tuple[str, ...]
    set_aside: tuple[str, ...]
    gained: tuple[str, ...]


@dataclass(slots=True)
class Hostile:
    """The partner `name` at work on `target`; `victim` is the honest node in whose name it speaks.

    `rightful` and `lawful` hold the bytes and the ids of live values that an attack sends honestly. After an attack its
    own node no longer knows where its stream stands: `coalition[name].exchange.new_epoch(...)` mends that.
    """

    coalition: Coalition
    name: str
    target: str
    victim: str
    rng: Random
    refused: list[str] = field(default_factory=list)
    rightful: set[bytes] = field(default_factory=set)
    lawful: set[str] = field(default_factory=set)
    frames: int = 0

    @property
    def victim_party(self) -> str:
        """The party of the victim."""
        return self.coalition[self.victim].core.party

    @property
    def node(self) -> Node:
        """Its own node."""
        return self.coalition[self.name]

    @property
    def aim(self) -> Node:
        """The target's node."""
        return self.coalition[self.target]

    @property
    def signer(self) -> Signer:
        """Its valid key."""
        return self.node.core.signer

    @property
    def now(self) -> int:
        """What time it is at the target."""
        return self.aim.core.clock.now()

    @property
    def cursor(self) -> Cursor:
        """How far the target has admitted its stream."""
        return self.aim.inbound.cursor(self.name)

    def attempt(self, attack: Attack) -> Outcome:
        """Try it, and compare the target before and after.

        Raises:
            NotNow: what it needs is not there.
        """
        self.refused, self.rightful = [], set()
        told = len(self.coalition.watch(self.target, LIVE_KIND))
        before, aside = Standing.of(self.aim, self.name), self._aside()
        attack.run(self)
        gained = before.compare(Standing.of(self.aim, self.name), self.rightful)
        seen = self.coalition.watch(self.target, LIVE_KIND)[told:]
        gained += [f"shown live: {live.update}" for live in seen if live.update.id not in self.lawful]
        reasons = tuple(code for id_, code in self._aside().items() if id_ not in aside)
        return Outcome(attack.name, tuple(self.refused), reasons, tuple(gained))

    # saying it

    def call(self, operation: str, body: bytes) -> bytes | None:
        """Call the target as oneself; None where it refuses."""
        return self._hear(lambda: self.aim.answer(self.name, operation, body))

    def hand_in(self, data: bytes) -> bytes | None:
        """Give the target a bundle file, which says nothing of who brings it."""
        return self._hear(lambda: self.aim.inbound.deliver(None, data))

    def _hear(self, said: Callable[[], bytes]) -> bytes | None:
        try:
            return said()
        except AldisError as error:
            self.refused.append(error.code)
            return None

    def _aside(self) -> dict[int, str]:
        return {entry.id: entry.code for entry in self.aim.core.store.quarantine.all(0, 1_000_000)}

    # making it

    def label(self, *parties: str, rung: str = "", policy: str = "") -> Label:
        """A label of its own policy, at the lowest rung and releasable to the target where nothing else is said."""
        own = self.node.core.policies.policy(self.node.core.config.policy)
        given = parties or (self.aim.core.party,)
        return Label(policy or own.name, rung or own.ladder[0].name, Releasability.to(*given))

    def record(self, values: Mapping[str, Any] | None = None, **changes: Any) -> Record:
        """A record of its own, a document for the target; `changes` are fields of `Draft`."""
        label = changes.get("label") or self.label()
        labels = changes.pop("labels", {})
        portions = [
            DraftPortion(name, labels.get(name, label), value)
            for name, value in (values or {"title": "a title", "body": "a body"}).items()
        ]
        draft = Draft(
            kind="document", id=f"h-{self.rng.randbytes(6).hex()}", originator=self.name, author="mallory",
            created=self.now, label=label, portions=portions,
        )  # fmt: skip
        return make_record(msgspec.structs.replace(draft, **changes), self.rng.randbytes)

    def item(
        self,
        record: Record,
        *,
        portions: Sequence[bytes] | None = None,
        commitment: bytes | None = None,
        substitutes: Sequence[Substitute] = (),
        grant: Grant | None = None,
        **changes: Any,
    ) -> Item:
        """An item; its commitment fits what it carries, but for the `changes` of its fields."""
        data = [portion.data for portion in record.portions] if portions is None else list(portions)
        fitting = Commitment(
            record=record.digest,
            portions=[sha256(portion) for portion in data],
            substitutes=[(sha256(one.portion), one.transform) for one in substitutes],
        )
        made = commitment if commitment is not None else _encode(msgspec.structs.replace(fitting, **changes))
        return Item(made, record.data, data, list(substitutes), grant)

    def manifest(self, items: Sequence[Item], **changes: Any) -> Manifest:
        """The manifest that would come next in its stream to the target, but for the `changes`."""
        cursor = self.cursor
        fitting = Manifest(
            origin=self.name,
            audience=self.target,
            epoch=cursor.epoch or self.node.exchange.epoch,
            first=cursor.seq + 1,
            count=len(items),
            previous=cursor.digest,
            policy_epoch=self.node.epochs.current().digest.hex(),
            root=merkle_root([leaf_hash(item.commitment) for item in items]).hex(),
            algorithm=self.signer.public.algorithm.value,
            created=self.now,
        )
        return msgspec.structs.replace(fitting, **changes)

    def bundle(
        self,
        items: Sequence[Item],
        *,
        signer: Signer | None = None,
        context: bytes = CONTEXT,
        manifest: bytes | None = None,
        **changes: Any,
    ) -> bytes:
        """A bundle of these items, next in its stream, signed with its key, but for what is given."""
        data = manifest if manifest is not None else msgspec.json.encode(self.manifest(items, **changes))
        return _encode((FORMAT, data, (signer or self.signer).sign(context, data), items))

    def deliver(self, *items: Item) -> bytes | None:
        """Deliver these items in a bundle that is in order itself."""
        return self.call("deliver", self.bundle(items))

    def next_number(self) -> int:
        """A number for a live frame that is greater than all before."""
        self.frames += 1
        return self.now * 1000 + self.frames

    # stealing it

    def captured(self, sender: str, receiver: str) -> Sent:
        """The last bundle that one node sent another."""
        found = [s for s in self.coalition.archive.bundles.values() if (s.sender, s.receiver) == (sender, receiver)]
        if not found:
            raise NotNow(f"{sender} has sent {receiver} nothing yet")
        return found[-1]

    def granted(self, party: str) -> tuple[Record, Grant, Commitment]:
        """A record of the victim's that this node holds with a grant; with some portion for `party`, if named."""
        store = self.node.core.store
        held = {row.seq: row for row in rows(self.node) if row.originator == self.victim}
        for seq, grant in sorted(store.grants.of(list(held)).items(), reverse=True):
            commitment = msgspec.msgpack.decode(grant.commitment, type=Commitment)
            manifest = read_manifest(grant.manifest)
            if (manifest.origin, manifest.audience) == (self.victim, self.name) and commitment.onward.get(party):
                return held[seq].record(), grant, commitment
        raise NotNow(f"{self.name} holds no record of {self.victim} with a grant")
