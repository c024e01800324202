"""What a receiving node verifies before it lets a bundle in.

The bundle as a whole, in this order; the first that fails raises and nothing of the bundle is believed:
 1 the origin is a paired, active partner, and the one the transport authenticated
 2 it is addressed to this node
 3 the pinned key signed the manifest, with the pinned algorithm
 4 the items are the ones that the manifest commits to, byte for byte
 5 it is neither replayed, out of order, from an abandoned epoch, nor signed after the key was distrusted
 6 its clock and ours agree within CLOCK_TOLERANCE

Then each item; one that fails is set aside with its reason, and the rest go on:
 7 header and portions keep the rules of records, and the header commits to each portion
 8 kind, portion names and values are of a kind that an app declares
 9 the originator is the sender, or its signed grant lets this party have it; what a node of this party passes on, the
   originator may have granted to that node, which vouches for the originator's key
10 every label is in a policy known here, lets this party have it, and is within this node's ceiling
11 the version fits the history held here: one writer, one chain
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from aldis.kernel.bundles import (
    CONTEXT,
    Bundle,
    Commitment,
    Grant,
    Item,
    open_bundle,
    open_envelope,
    read_commitment,
    read_manifest,
    verify_grant,
)
from aldis.kernel.encoding import digest_from_hex, sha256
from aldis.kernel.errors import (
    AldisError,
    Forked,
    InvalidInput,
    NotAuthentic,
    RefusedByPolicy,
    Stale,
    UnknownTerm,
    VerificationFailed,
)
from aldis.kernel.labels import Label, audience, decode_label
from aldis.kernel.ledger import leaf_hash, verify_inclusion
from aldis.kernel.messages import Cursor
from aldis.kernel.policies import Policies
from aldis.kernel.records import Kind, Portion, Record, read_portion, read_record
from aldis.kernel.release import Outcome, node_ceiling
from aldis.kernel.signatures import Key

__all__ = ["CLOCK_TOLERANCE", "Admission", "Admitted", "History", "Peer", "Peers", "Refused", "check_bytes"]
__all__ += ["read_set_aside", "set_aside"]

CLOCK_TOLERANCE = 10 * 60 * 1000
"""How far ahead of ours a partner's clock may be, in milliseconds."""

NOTHING_YET = Cursor(0, 0, "")
"""The cursor of a stream from which nothing was admitted."""

History = Callable[[Iterable[tuple[str, str, int]]], Mapping[tuple[str, str], Mapping[int, tuple[str, str]]]]
"""For (originator, record id, version) triples: of the versions held at and beside it, digest and predecessor, hex."""


@dataclass(frozen=True, slots=True)
class Peer:
    """What this node knows of a partner: its key, and how far its stream has been admitted.

    `distrust_after` is the last sequence number believed of a key that was compromised, in the epoch of `cursor`; no
    other epoch of it is believed, and no grant. None trusts it all.
    """

    node: str
    party: str
    key: Key
    cursor: Cursor = NOTHING_YET
    active: bool = True
    distrust_after: int | None = None


class Admitted(msgspec.Struct, frozen=True, gc=False):
    """An item that passed: its record, the portions that stand in for others, the purposes it came for."""

    item: Item
    index: int
    record: Record
    commitment: Commitment
    substitutes: tuple[tuple[Portion, str], ...]


@dataclass(frozen=True, slots=True)
class Refused:
    """An item set aside, and the error that says why."""

    item: Item
    index: int
    error: AldisError


@dataclass(frozen=True, slots=True)
class Admission:
    """The outcome for one bundle: what to store, what to quarantine, and the new cursor, all in one transaction."""

    bundle: Bundle
    cursor: Cursor
    admitted: Sequence[Admitted]
    refused: Sequence[Refused]


@dataclass(frozen=True)
class Peers:
    """All that admission rests on; pure, so the same bytes at the same time always have the same outcome."""

    node: str
    party: str
    ceiling: tuple[tuple[str, str], ...]
    policies: Policies
    kinds: Mapping[str, Kind]
    peers: Mapping[str, Peer]
    vouched: Mapping[str, Mapping[str, Peer]] = field(default_factory=dict)
    """Per node of this party, the partners of its own whose keys it vouches for; they may send nothing here."""
    _labels: dict[Label, AldisError | None] = field(default_factory=dict, repr=False, compare=False)
    _spellings: dict[bytes, AldisError | None] = field(default_factory=dict, repr=False, compare=False)

    def admit(self, data: bytes, *, sender: str | None, history: History, at: int) -> Admission:
        """Verify everything or raise.

        `sender` is the node that the transport authenticated, None for a file.

        Raises:
            NotAuthentic: steps 1 to 3.
            VerificationFailed: step 4; the bundle was damaged on its way, and the same one may come again whole.
            Stale: step 5, or a clock that is ahead.
            Forked: the partner's stream has two histories.
            InvalidInput: not a bundle at all.
        """
        manifest = open_envelope(data)[0]
        peer = self.peer(manifest.origin, sender)  # 1
        if manifest.audience != self.node:  # 2
            raise NotAuthentic(
                f"the bundle is addressed to {manifest.audience!r}, this is {self.node!r}",
                fix="Import it at the node it is for",
            )
        bundle = open_bundle(data, peer.key)  # 3, 4
        _check_place(bundle, peer)  # 5
        if manifest.created > at + CLOCK_TOLERANCE:  # 6
            raise Stale(
                f"the bundle was made {(manifest.created - at) // 1000} s in the future by this node's clock",
                fix="Set the clock of the node that is wrong (`aldis doctor` shows this one's), then send again",
            )
        admitted, refused = self._admit_items(bundle, peer, history, at)
        cursor = Cursor(manifest.epoch, manifest.last, bundle.digest.hex())
        return Admission(bundle, cursor, admitted, refused)

    def readmit(self, data: bytes, *, history: History, at: int) -> Admitted:
        """Judge an item that was set aside again, by steps 1, 3, 4 and 7 to 11, and whether its key was distrusted.

        Raises:
            AldisError: what still stands against it.
        """
        kept = read_set_aside(data)
        manifest = read_manifest(kept.proof.manifest)
        peer = self.peer(manifest.origin, None)
        peer.key.verify(CONTEXT, kept.proof.manifest, kept.proof.signature)
        if manifest.audience != self.node or kept.proof.commitment != kept.item.commitment:
            raise NotAuthentic("what was set aside is not for this node, or was altered since", fix="Drop it")
        root = digest_from_hex(manifest.root)
        verify_inclusion(leaf_hash(kept.item.commitment), kept.proof.index, manifest.count, kept.proof.path, root)
        _check_trust(peer, manifest.epoch, manifest.first + kept.proof.index)
        admitted = self._admit_item(kept.item, kept.proof.index, peer, at)
        _check_history(admitted.record, _near([admitted.record], history))
        return admitted

    def peer(self, node: str, sender: str | None) -> Peer:
        """The active partner `node`, if the transport did not authenticate somebody else.

        Raises:
            NotAuthentic: unknown, suspended or departed, or not the sender.
        """
        peer = self.peers.get(node)
        if peer is None or not peer.active:
            state = "not paired with" if peer is None else "suspended at"
            raise NotAuthentic(
                f"{node[:64]!r} is {state} this node", fix="Pair with `aldis invite` and `aldis join`, or resume it"
            )
        if sender is not None and sender != node:
            raise NotAuthentic(f"{sender!r} sent what {node!r} signed", fix="Each node delivers its own bundles")
        return peer

    def label_problem(self, label: Label, at: int) -> AldisError | None:
        """Why this node may not hold what `label` protects, or None (step 10)."""
        try:
            return self._labels[label]
        except KeyError:
            return self._labels.setdefault(label, self._judge(label, at))

    def _judge(self, label: Label, at: int) -> AldisError | None:
        try:
            self.policies.check(label)
            owned = self.policies.beyond(label, self.party)
            if not owned and not audience(label, frozenset((self.party,))) and self.party not in label.origins:
                return RefusedByPolicy(
                    f"its label does not let {self.party} have it", fix="Tell the sender: this may be a spill"
                )
            outcome, _, text = node_ceiling(self.ceiling, label, self.policies, at)
            if outcome is Outcome.FAIL:
                return RefusedByPolicy(text, fix="Tell the sender: this may be a spill")
        except (InvalidInput, RefusedByPolicy) as error:
            return error
        return None

    def _admit_items(
        self, bundle: Bundle, peer: Peer, history: History, at: int
    ) -> tuple[list[Admitted], list[Refused]]:
        admitted: list[Admitted] = []
        refused: list[Refused] = []
        for index, item in enumerate(bundle.items):
            try:
                admitted.append(self._admit_item(item, index, peer, at))
            except AldisError as error:
                check_bytes(item)  # 4
                refused.append(Refused(item, index, error))
        held = _near((one.record for one in admitted), history)
        fitting: list[Admitted] = []
        for one in admitted:
            try:
                _check_history(one.record, held)  # 11
                fitting.append(one)
            except Forked as error:
                refused.append(Refused(one.item, one.index, error))
        return fitting, refused

    def _admit_item(self, item: Item, index: int, peer: Peer, at: int) -> Admitted:
        commitment = read_commitment(item.commitment)
        record = read_record(item.record, item.portions)  # 7
        header, parts = record.header, record.portions
        substitutes: tuple[tuple[Portion, str], ...] = ()
        if item.substitutes:
            substitutes = tuple([(read_portion(s.portion), s.transform) for s in item.substitutes])
            parts = (*parts, *[portion for portion, _ in substitutes])
        if (
            record.digest != commitment.record
            or [portion.digest for portion in record.portions] != commitment.portions
            or [(portion.digest, words) for portion, words in substitutes] != commitment.substitutes
        ):
            raise VerificationFailed("an item is not what its sender signed for", fix="Ask the sender to send it again")
        self._check_kind(header.kind, parts)  # 8
        if header.originator != peer.node:
            self._check_originator(header.originator, item, commitment, peer)  # 9
        if header.created > at + CLOCK_TOLERANCE:
            raise Stale(f"record {header.id!r} was created in the future", fix="Check both clocks")
        for raw in (bytes(header.label), *[portion.raw_label for portion in parts]):
            problem = self._spellings[raw] if raw in self._spellings else self._spelling_problem(raw, at)  # 10
            if problem is not None:
                raise problem
        return Admitted(item, index, record, commitment, substitutes)

    def _spelling_problem(self, raw: bytes, at: int) -> AldisError | None:
        return self._spellings.setdefault(raw, self.label_problem(decode_label(raw), at))

    def _check_kind(self, name: str, portions: Sequence[Portion]) -> None:
        kind = self.kinds.get(name)
        if kind is None:
            raise UnknownTerm(
                f"no app here declares the kind {name[:64]!r}", fix="Install the app, then `aldis quarantine retry`"
            )
        for portion in portions:
            kind.check(portion)

    def _check_originator(self, originator: str, item: Item, commitment: Commitment, peer: Peer) -> None:
        if originator == self.node:
            raise NotAuthentic(f"{peer.node} sent a record that claims to be this node's own")
        if item.grant is None:
            raise RefusedByPolicy(
                f"{peer.node} passed on a record of {originator!r} without its grant",
                fix=f"Ask {originator} to release it, or to grant {peer.node} onward transfer to {self.party}",
            )
        inside = peer.party == self.party
        vouched = self.vouched.get(peer.node, {}) if inside else {}
        within = {peer.node, *(one.node for one in vouched.values() if one.party == self.party)} if inside else ()
        source = self.peer(originator, None) if originator in self.peers else vouched.get(originator)
        if source is None:
            raise NotAuthentic(
                f"{originator[:64]!r} is not paired with this node, and {peer.node} does not vouch for it",
                fix=f"Pair with it, or let {peer.node} send its sheet first, then `aldis quarantine retry`",
            )
        manifest = verify_grant(item.grant, source.key, party=self.party, carried=commitment, within=within)
        if manifest.origin != originator or (manifest.audience != peer.node and not inside):
            raise NotAuthentic(f"the grant is from {manifest.origin} to {manifest.audience}, not to {peer.node}")
        if source.distrust_after is not None:
            raise NotAuthentic(
                f"the key of {originator} is distrusted, and when this grant was signed nobody can tell",
                fix=f"Ask {originator} to pair again with a new key, and to release it anew",
            )


def check_bytes(item: Item) -> None:
    """That what failed is as it was signed: else the damage was done on the way, and is no fault of the sender's.

    Raises:
        VerificationFailed: a part of the item has another digest than its commitment says.
    """
    try:
        signed = read_commitment(item.commitment)
    except InvalidInput:
        return
    if (
        sha256(item.record) != signed.record
        or [sha256(portion) for portion in item.portions] != signed.portions
        or [(sha256(one.portion), one.transform) for one in item.substitutes] != signed.substitutes
    ):
        raise VerificationFailed(
            "an item of the bundle is not what its sender signed for",
            fix="The copy was damaged or altered on its way: ask for it again, or import another copy",
        )


def _check_place(bundle: Bundle, peer: Peer) -> None:
    """Step 5: the bundle is the very next of the partner's stream."""
    manifest, cursor = bundle.manifest, peer.cursor
    _check_trust(peer, manifest.epoch, manifest.last)
    if manifest.epoch < cursor.epoch:
        raise Stale(f"epoch {manifest.epoch} of {peer.node} was abandoned", fix="The sender runs on an old store")
    if manifest.epoch > cursor.epoch:
        if manifest.first != 1 or manifest.previous:
            raise Stale(
                f"{peer.node} began epoch {manifest.epoch}, and its first bundle is missing",
                fix="Import its bundles in order, the first one first",
            )
        return
    if manifest.first == cursor.seq + 1 and manifest.previous == cursor.digest:
        return
    if bundle.digest.hex() == cursor.digest or manifest.last < cursor.seq:
        raise Stale(f"items {manifest.first} to {manifest.last} of {peer.node} are here already")
    if manifest.first > cursor.seq + 1:
        raise Stale(
            f"items {cursor.seq + 1} to {manifest.first - 1} of {peer.node} are missing before this bundle",
            fix="Import the bundle before this one first",
        )
    raise Forked(
        f"{peer.node} signed two histories at item {manifest.first}: its store may have been restored from a backup",
        fix=f"Ask {peer.node} to run `aldis doctor --new-epoch`, and compare ledgers",
    )


def _check_trust(peer: Peer, epoch: int, last: int) -> None:
    """Numbers begin anew with an epoch, so a distrusted key is believed in no epoch but the one it was trusted in."""
    if peer.distrust_after is not None and (last > peer.distrust_after or epoch != peer.cursor.epoch):
        raise NotAuthentic(
            f"{peer.node}'s key is distrusted after item {peer.distrust_after} of epoch {peer.cursor.epoch},"
            f" this is item {last} of epoch {epoch}",
            fix="Pair again with a new key",
        )


_Held = dict[tuple[str, str], dict[int, tuple[str, str]]]


def _near(records: Iterable[Record], history: History) -> _Held:
    """What is held at and beside the versions of these records."""
    headers = [record.header for record in records]
    found = history((header.originator, header.id, header.version) for header in headers)
    return {key: dict(versions) for key, versions in found.items()}


def _check_history(record: Record, held: _Held) -> None:
    """Step 11; `held` gains the record, so that later items of the bundle are judged with it."""
    header = record.header
    key, here = (header.originator, header.id), (record.digest.hex(), header.previous)
    versions = held.get(key)
    if versions is None:
        held[key] = {header.version: here}
        return
    before, same, after = (versions.get(header.version + step) for step in (-1, 0, 1))
    if (
        (before and before[0] != header.previous)
        or (same and same != here)
        or (after and after[1] != record.digest.hex())
    ):
        raise Forked(
            f"record {header.id!r} of {header.originator} has two versions {header.version}",
            fix=f"Ask {header.originator} which one stands; its store may have been restored from a backup",
        )
    versions[header.version] = here


class SetAside(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """An item in quarantine with the proof that its sender sent it."""

    item: Item
    proof: Grant


def set_aside(item: Item, proof: Grant) -> bytes:
    """What quarantine keeps of an item."""
    return msgspec.msgpack.encode(SetAside(item, proof))


def read_set_aside(data: bytes) -> SetAside:
    """What quarantine kept.

    Raises:
        InvalidInput: not an item that was set aside.
    """
    try:
        return msgspec.msgpack.decode(data, type=SetAside)
    except (msgspec.MsgspecError, RecursionError, ValueError) as error:
        raise InvalidInput(f"not an item that was set aside: {error}", fix="Drop it") from error
