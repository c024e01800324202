"""Records on their way from AUS to GBR and on to USA, with keys from seeds, and all that admission rests on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from random import Random
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mldsa
from hypothesis import strategies as st

from aldis.kernel.admission import Admission, Peer, Peers
from aldis.kernel.bundles import Commitment, Item, Stream, make_item, seal
from aldis.kernel.encoding import sha256
from aldis.kernel.epoch import Partner, PolicyEpoch
from aldis.kernel.errors import AldisError
from aldis.kernel.instruments import Entry, Instruments, parse_instrument
from aldis.kernel.labels import Label, Releasability
from aldis.kernel.policies import builtin
from aldis.kernel.records import Draft, DraftPortion, Kind, Portion, Record, make_portion, make_record
from aldis.kernel.release import Permit, release
from aldis.kernel.signatures import Algorithm
from aldis.node.keys import NodeSigner

AT = 1_790_000_000_000
"""21 September 2026, in ms."""
PARTIES = {"aus": "AUS", "gbr": "GBR", "usa": "USA"}
KINDS = {
    "document": Kind("document", {"title": str, "body": str, "annex": str}),
    "track": Kind("track", {"position": dict[str, float], "identity": str}),
}
ARRANGEMENT = """
instrument = "arrangement"
id = "northern-watch"
title = "Northern Watch"
parties = ["AUS", "GBR", "USA"]
from = 2026-01-01
until = 2028-12-31

[[clause]]
id = "1"
kinds = ["document"]
projects = ["NORTHERN-WATCH"]
purposes = ["surveillance"]
ceiling = { AUS = "SECRET" }
onward = ["USA"]

[[clause]]
id = "2"
kinds = ["track"]
projects = ["NORTHERN-WATCH"]
purposes = ["surveillance"]
ceiling = { AUS = "SECRET" }
onward = ["USA"]
transforms = [{ portion = "position", action = "coarsen", grid_m = 1000 }]
"""


@cache
def signer(name: str, algorithm: Algorithm = Algorithm.ED25519) -> NodeSigner:
    """The keys that a name's digest seeds."""
    seed = sha256(name.encode())
    keys: dict[Algorithm, list[object]] = {
        Algorithm.ED25519: [ed25519.Ed25519PrivateKey.from_private_bytes(seed)],
        Algorithm.P384: [ec.derive_private_key(int.from_bytes(seed, "big"), ec.SECP384R1())],
        Algorithm.HYBRID: [
            ed25519.Ed25519PrivateKey.from_private_bytes(seed),
            mldsa.MLDSA65PrivateKey.from_seed_bytes(sha256(seed)),
        ],
    }
    return NodeSigner(algorithm, *keys[algorithm])


def rel_to(*parties: str, classification: str = "SECRET", policy: str = "AUS") -> Label:
    """A label releasable to these parties."""
    return Label(policy, classification, Releasability.to(*parties))


BOTH = rel_to("GBR", "USA")
ONLY_GBR = rel_to("GBR")


def salts(seed: int = 1) -> Any:
    """Bytes that look random and are not."""
    return Random(seed).randbytes


def document(name: str = "doc-1", *, label: Label = BOTH, seed: int = 1, **fields: Any) -> Record:
    """A document of AUS's with a title and a body for both partners and an annex for GBR."""
    portions = fields.pop("portions", None) or [
        DraftPortion("title", label, "Northern plan"),
        DraftPortion("body", label, "What we saw"),
        DraftPortion("annex", ONLY_GBR, "Where we saw it from"),
    ]
    given: dict[str, Any] = {"kind": "document", "originator": "aus", "author": "officer", "created": AT - 1000}
    given |= {"project": "NORTHERN-WATCH", "label": label, **fields}
    return make_record(Draft(id=name, portions=portions, **given), salts(seed))


def track(name: str = "track-1") -> Record:
    """A track of AUS's whose position leaves on a grid of 1 km."""
    spot = DraftPortion("position", BOTH, {"lat_deg": 59.9, "lon_deg": 24.4})
    return document(name, kind="track", portions=[spot, DraftPortion("identity", BOTH, "a ship")])


@dataclass(frozen=True)
class Seen:
    """A record as a release decision sees it."""

    record: Record

    digest = property(lambda self: self.record.digest)
    kind = property(lambda self: self.record.header.kind)
    id = property(lambda self: self.record.header.id)
    project = property(lambda self: self.record.header.project)
    originator = property(lambda self: PARTIES[self.record.header.originator])
    created = property(lambda self: self.record.header.created)
    label = property(lambda self: self.record.label)
    portions = property(lambda self: [(p.digest, p.name, p.label) for p in self.record.portions])


@cache
def epoch(node: str = "aus") -> PolicyEpoch:
    """The arrangement in force, at AUS or at another node."""
    instrument = parse_instrument(ARRANGEMENT, builtin())
    ceilings = {"aus": ("AUS", "SECRET"), "gbr": ("UK", "SECRET"), "usa": ("US", "SECRET")}
    return PolicyEpoch(
        party=PARTIES[node], node=node, ceiling=(ceilings[node],), policies=builtin(),
        instruments=Instruments((Entry(instrument, sha256(b"pa"), 1, instrument.parties),)),
        partners=tuple(Partner(name, PARTIES[name], (ceilings[name],)) for name in PARTIES if name != node),
    )  # fmt: skip


def permit(
    record: Record, recipient: str = "gbr", *, node: str = "aus", grants: Mapping[str, Any] | None = None
) -> Permit:
    """The permit that the rules give; an error where they give none."""
    result = release(Seen(record), recipient, None, epoch(node), AT, grants=grants or {})
    assert isinstance(result, Permit), result
    return result


def coarse(record: Record) -> dict[bytes, tuple[Portion, str]]:
    """The substitute for a track's position."""
    spot = record.portion("position")
    assert spot is not None
    stand_in = make_portion(DraftPortion("position", spot.label, {"lat_deg": 60.0, "lon_deg": 24.0}), bytes(16))
    return {spot.digest: (stand_in, "coarsen 1000 m")}


def item(record: Record, recipient: str = "gbr", **more: Any) -> Item:
    """What of a record AUS may send."""
    substitutes = coarse(record) if record.header.kind == "track" else None
    allowed = permit(record, recipient)
    return make_item(
        record.data, record.portions, allowed,
        recipient=recipient, policy_epoch=epoch().digest, substitutes=substitutes, **more,
    )  # fmt: skip


AUS = signer("aus")
START = Stream("aus", "gbr", 1, 1, b"")


def sealed(items: Sequence[Item], stream: Stream = START, *, name: str = "", **fields: Any) -> tuple[bytes, bytes]:
    """A bundle's bytes and digest, signed by the stream's origin or by `name`."""
    given: dict[str, Any] = {"policy_epoch": epoch().digest, "created": AT, **fields}
    return seal(items, stream, **{"signer": signer(name or stream.origin), **given})


def after(stream: Stream, digest: bytes, count: int = 1) -> Stream:
    """Where the bundle after one of `count` items goes."""
    return replace(stream, first=stream.first + count, previous=digest)


def peers(node: str = "gbr", **changes: Peer) -> Peers:
    """What admission at a node rests on: both others are known and active."""
    known = {name: Peer(name, PARTIES[name], signer(name).public) for name in PARTIES if name != node}
    return Peers(
        node=node, party=PARTIES[node], ceiling=epoch(node).ceiling, policies=builtin(), kinds=KINDS,
        peers={**known, **changes},
    )  # fmt: skip


def nothing_held(_wanted: Any) -> dict[Any, Any]:
    """The history of a node that holds nothing."""
    return {}


def admit(data: bytes, at_node: Peers | None = None, **given: Any) -> Admission:
    """What GBR makes of a bundle from AUS."""
    return (at_node or peers()).admit(data, **{"sender": "aus", "history": nothing_held, "at": AT, **given})


def raw(of: Record, names: str = "title body annex", **changes: Any) -> Item:
    """An item of some portions that no permit allowed; with other parts where `changes` has them."""
    chosen = [p for p in of.portions if p.name in names.split()]
    commitment = changes.pop("commitment", None) or Commitment(of.digest, [p.digest for p in chosen])
    one = Item(msgspec.msgpack.encode(commitment), of.data, [p.data for p in chosen])
    return msgspec.structs.replace(one, **changes)


def why_not(*items: Item, at_node: Peers | None = None, **given: Any) -> list[AldisError]:
    """Why GBR sets aside items of a bundle that is sound as a whole."""
    return [refused.error for refused in admit(sealed(items)[0], at_node, **given).refused]


@st.composite
def damaged(draw: st.DrawFn, data: bytes) -> bytes:
    """`data` with a stretch cut out, doubled, or put in another's place."""
    start = draw(st.integers(0, len(data) - 1))
    stop = draw(st.integers(start, min(len(data), start + 40)))
    middle = draw(st.one_of(st.just(b""), st.just(data[start:stop] * 2), st.binary(min_size=1, max_size=12)))
    return data[:start] + middle + data[stop:]
