"""A release decision as the ledger keeps it: all that it depended on, and what it came to, so that it can be redone."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import msgspec

from aldis.kernel.encoding import sha256
from aldis.kernel.epoch import PolicyEpoch
from aldis.kernel.errors import InvalidInput
from aldis.kernel.labels import Label, decode_label, encode_label
from aldis.kernel.records import Portion
from aldis.kernel.release import Outcome, Permit, Reason, Refusal, release
from aldis.node.store import Profiles, Row

__all__ = ["Asked", "Candidate", "asked", "candidate", "outcome", "redo"]

_HEADER = -1


class Candidate(msgspec.Struct, frozen=True, gc=False):
    """A record as a release decision sees it; `originator` is a party, `node` the originating node."""

    digest: bytes
    kind: str
    id: str
    project: str
    originator: str
    node: str
    created: int
    label: Label
    portions: Sequence[tuple[bytes, str, Label]]


def candidate(profiles: Profiles, row: Row, portions: Sequence[Portion], party: str) -> Candidate:
    """A stored record as a release decision sees it; its labels are those that its profiles were interned from."""
    profile = profiles.profile
    return Candidate(
        digest=row.digest,
        kind=row.kind,
        id=row.id,
        project=row.project,
        originator=party,
        node=row.originator,
        created=row.created,
        label=profile(row.profile).label,
        portions=[
            (portion.digest, portion.name, profile(number).label)
            for portion, number in zip(portions, row.portion_profiles, strict=True)
        ],
    )


class Asked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The input of a decision. Portions are known by place: -1 is the header; `approved` has each once an officer.

    `record` and `created` stand only where a hold or a delay depends on them.
    """

    recipient: str
    purpose: str | None
    kind: str
    project: str
    originator: str
    label: msgspec.Raw
    portions: list[tuple[str, msgspec.Raw]]
    approved: list[int] = []
    grants: dict[str, list[int]] = {}
    record: str = ""
    created: int = 0


def asked(
    view: Candidate,
    recipient: str,
    purpose: str | None,
    epoch: PolicyEpoch,
    result: Permit | Refusal,
    *,
    grants: Mapping[str, Collection[bytes]],
    approved: Collection[bytes],
) -> bytes:
    """The input of a decision that was made, as bytes for the ledger; records alike in all that matters are alike."""
    places = {view.digest: _HEADER, **{digest: place for place, (digest, _, _) in enumerate(view.portions)}}
    decisions = result.decisions.values() if isinstance(result, Permit) else [result.decision]
    timed = any(decision.basis.delay_ms for decision in decisions)
    return msgspec.json.encode(
        Asked(
            recipient=recipient,
            purpose=purpose,
            kind=view.kind,
            project=view.project,
            originator=view.originator,
            label=msgspec.Raw(encode_label(view.label)),
            portions=[(name, msgspec.Raw(encode_label(label))) for _, name, label in view.portions],
            approved=sorted(places[digest] for digest in approved if digest in places),
            grants={
                party: sorted(places[digest] for digest in digests if digest in places)
                for party, digests in sorted(grants.items())
            },
            record=view.id if view.id in epoch.holds else "",
            created=view.created if timed else 0,
        )
    )


def outcome(view: Candidate, result: Permit | Refusal) -> tuple[str, list[str]]:
    """The verdict in a word, and the code of every check that did not pass, with the portion it stopped."""
    if isinstance(result, Refusal):
        return result.verdict.value, [_short("", reason) for reason in _stops(result.reasons)]
    names = {digest: name for digest, name, _ in view.portions}
    stopped = sorted(
        _short(names.get(digest, ""), reason)
        for digest, decision in result.decisions.items()
        for reason in _stops(decision.reasons)
    )
    late = sorted(f"{names[digest]}:delayed" for digest in result.delayed)
    return "permit in part" if result.in_part else "permit", [*stopped, *late][:32]


def _stops(reasons: Sequence[Reason]) -> list[Reason]:
    return [reason for reason in reasons if reason.outcome is not Outcome.PASS]


def _short(portion: str, reason: Reason) -> str:
    rests = f"@{reason.instrument}/{reason.clause}" if reason.instrument else ""
    return f"{portion}:{reason.code}{rests}"


def redo(data: bytes, epoch: PolicyEpoch, at: int) -> tuple[str, list[str]]:
    """The verdict and reasons of the same input under the same epoch at the same instant.

    Raises:
        InvalidInput: not the input of a decision.
    """
    try:
        said = msgspec.json.decode(data, type=Asked)
    except msgspec.MsgspecError as error:
        raise InvalidInput(f"not the input of a decision: {error}") from error
    digests = [sha256(bytes([place])) for place in range(len(said.portions))]
    header = sha256(b"header")
    by_place = {_HEADER: header, **dict(enumerate(digests))}
    view = Candidate(
        digest=header,
        kind=said.kind,
        id=said.record,
        project=said.project,
        originator=said.originator,
        node="",
        created=said.created,
        label=decode_label(said.label),
        portions=[
            (digest, name, decode_label(label)) for digest, (name, label) in zip(digests, said.portions, strict=True)
        ],
    )
    result = release(
        view,
        said.recipient,
        said.purpose,
        epoch,
        at,
        grants={party: [by_place[place] for place in places] for party, places in said.grants.items()},
        approved=[by_place[place] for place in said.approved],
    )
    return outcome(view, result)
