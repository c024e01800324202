"""Two levels of one party: nothing comes down without a ruling, and the higher node checks what the lower passes up."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scene import AT, EPOCH, REQUEST, SECRET, Held
from sealing import AUS, admit, document, item, peers, raw, sealed, signer

from aldis.kernel.admission import Peer, Peers
from aldis.kernel.bundles import Grant, Stream, grant_of, onward_of, open_bundle
from aldis.kernel.epoch import Partner, PolicyEpoch
from aldis.kernel.errors import AldisError, NotAuthentic, RefusedByPolicy
from aldis.kernel.labels import Label, Releasability
from aldis.kernel.ledger import inclusion_proofs, leaf_hash
from aldis.kernel.release import Permit, Refusal, Verdict, decide, release

BELOW = Partner("aus-below", "AUS", (("AUS", "SECRET"),), (("*", frozenset({"*"})),), below=True)
HIGH = replace(EPOCH, node="aus-high", partners=(*EPOCH.partners, BELOW))
TOP = replace(SECRET, classification="TOP SECRET")


def asked(**changes: Any) -> Any:
    return msgspec.structs.replace(REQUEST, **{"recipient": "aus-below", "purpose": None, **changes})


@given(
    classification=st.sampled_from(["OFFICIAL", "PROTECTED", "SECRET", "TOP SECRET"]),
    parties=st.sets(st.sampled_from(["AUS", "GBR", "USA"])),
    kind=st.sampled_from(["track", "document", "instrument", "sheet"]),
    originator=st.sampled_from(["AUS", "GBR", ""]),
    portion=st.sampled_from(["", "position"]),
)
def test_nothing_comes_down_by_itself(
    classification: str, parties: set[str], kind: str, originator: str, portion: str
) -> None:
    label = Label("AUS", classification, Releasability.to(*parties))
    request = asked(label=label, kind=kind, originator=originator, portion=portion)
    decision = decide(request, HIGH, AT)
    assert not decision.permits
    approved = decide(asked(label=label, kind=kind, originator=originator, portion=portion, approved=True), HIGH, AT)
    assert approved.permits == (originator == "AUS" and classification != "TOP SECRET")


def test_a_ruling_brings_down_the_portions_that_the_lower_ceiling_covers_and_no_others() -> None:
    record = Held(label=SECRET, parts=(("position", SECRET), ("annex", TOP)))
    refused = release(record, "aus-below", None, HIGH, AT)
    assert isinstance(refused, Refusal)
    assert refused.verdict is Verdict.REFER
    assert refused.referred == (record.digest, Held.of("position"))
    assert refused.reasons[7].code == "downward"
    permit = release(
        record, "aus-below", None, HIGH, AT, approved=[record.digest, Held.of("position"), Held.of("annex")]
    )
    assert isinstance(permit, Permit)
    assert permit.portions == (Held.of("position"),)


def test_what_goes_up_or_to_ones_own_people_waits_for_nobody() -> None:
    assert decide(asked(recipient="aus-high"), HIGH, AT).permits
    person = replace(BELOW, node="officer", below=False)
    assert decide(asked(recipient="officer"), replace(HIGH, partners=(person,)), AT).permits


def test_an_epoch_says_who_is_below_and_others_have_the_bytes_that_they_had() -> None:
    assert PolicyEpoch.from_bytes(HIGH.to_bytes(), HIGH.policies) == HIGH
    assert HIGH.digest != replace(HIGH, partners=(*EPOCH.partners, replace(BELOW, below=False))).digest
    assert b"below" not in EPOCH.to_bytes().replace(b"aus-below", b"")


# passed up, with the originator's grant to the lower node


def granted(record: Any, recipient: str = "gbr") -> Grant:
    bundle = open_bundle(sealed([item(record, recipient)], Stream("aus", recipient, 1, 1, b""))[0], AUS.public)
    [path] = inclusion_proofs([leaf_hash(one.commitment) for one in bundle.items])
    return grant_of(bundle, 0, path)


DOC = document()
UP = Stream("gbr", "gbr-high", 1, 1, b"")
LOW = Peer("gbr", "GBR", signer("gbr").public)
FOREIGN = Peer("aus", "AUS", AUS.public)


def high(**vouched: Peer) -> Peers:
    """GBR's high node, which is paired with the low one alone, and what that one vouches for."""
    at = peers("gbr")
    return replace(at, node="gbr-high", peers={"gbr": LOW}, vouched={"gbr": vouched})


def passed_up(at_node: Peers, names: str = "title body annex", **changes: Any) -> list[AldisError]:
    one = raw(DOC, names, **{"grant": granted(DOC), **changes})
    data, _ = sealed([one], UP)
    return [refused.error for refused in admit(data, at_node, sender="gbr").refused]


def test_the_higher_node_admits_what_the_lower_was_given_with_its_originators_own_word() -> None:
    assert not passed_up(high(aus=FOREIGN))
    assert not passed_up(high(aus=FOREIGN), "title annex")


@pytest.mark.parametrize(
    ("vouched", "changes", "kind"),
    [
        ({}, {}, NotAuthentic),
        ({"aus": FOREIGN}, {"grant": None}, RefusedByPolicy),
        ({"aus": replace(FOREIGN, key=signer("usa").public)}, {}, NotAuthentic),
        ({"aus": replace(FOREIGN, distrust_after=0)}, {}, NotAuthentic),
        ({"aus": FOREIGN}, {"grant": granted(document("doc-9", seed=9))}, AldisError),
    ],
)
def test_without_a_key_or_with_another_or_a_distrusted_one_or_another_grant_it_is_set_aside(
    vouched: dict[str, Peer], changes: dict[str, Any], kind: type[AldisError]
) -> None:
    [error] = passed_up(high(**vouched), **changes)
    assert isinstance(error, kind)


def test_a_node_of_another_party_passes_on_nothing_by_a_grant_that_names_nobody() -> None:
    stranger = replace(peers("gbr"), node="can-high", party="CAN", peers={"gbr": LOW, "aus": FOREIGN})
    data, _ = sealed([raw(DOC, grant=granted(DOC))], replace(UP, audience="can-high"))
    [refused] = admit(data, stranger, sender="gbr").refused
    assert isinstance(refused.error, RefusedByPolicy)
    vouching = replace(stranger, peers={"gbr": LOW}, vouched={"gbr": {"aus": FOREIGN}})
    [refused] = admit(data, vouching, sender="gbr").refused
    assert isinstance(refused.error, NotAuthentic)


def test_who_is_only_vouched_for_sends_nothing_itself() -> None:
    data, _ = sealed([item(DOC)], replace(UP, origin="aus"))
    with pytest.raises(NotAuthentic, match="not paired"):
        admit(data, high(aus=FOREIGN), sender="aus")


def test_a_grant_lets_only_the_node_that_it_was_given_to_pass_a_record_on() -> None:
    grant = granted(DOC)
    assert set(onward_of(grant, "gbr")) == {"USA"}
    assert onward_of(grant, "gbr-high") == {}
    assert onward_of(None, "gbr") == {}
