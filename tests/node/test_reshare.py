"""Re-share: what AUS gave GBR reaches USA by GBR's hand only as far as AUS's own signed grant goes."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from nations import ARRANGEMENT, Coalition, to

from aldis.kernel.bundles import Commitment, Grant, Item, open_envelope, read_commitment, seal
from aldis.kernel.epoch import PartnerStatus
from aldis.kernel.errors import AldisError, Forked
from aldis.kernel.instruments import Effect
from aldis.kernel.labels import Label
from aldis.kernel.records import Draft, DraftPortion, Record, read_record
from aldis.node.store import Row

BOTH = to("GBR", "USA")
ONLY_GBR = to("GBR")


def given_to_gbr(coalition: Coalition, name: str = "doc-1", **fields: Any) -> Record:
    """A document of AUS's that GBR holds and that AUS has not delivered to USA, as if their line were cut."""
    portions = {"title": ("a plan", BOTH), "body": ("what we saw", BOTH), "annex": ("CANARY", ONLY_GBR)}
    record = coalition.put("aus", name, portions, **fields)
    coalition.settle("aus", "gbr")
    assert coalition.held("gbr", name) == ["annex", "body", "title"]
    assert coalition.held("usa", name) is None
    return record


def row(coalition: Coalition, node: str, name: str = "doc-1") -> Row:
    found = coalition[node].core.store.records.get(name)
    assert found is not None
    return found


def grant(coalition: Coalition, name: str = "doc-1") -> Grant:
    """The grant that GBR holds for a record."""
    seq = row(coalition, "gbr", name).seq
    return coalition["gbr"].core.store.grants.of([seq])[seq]


def hand_over(coalition: Coalition, record: Record, names: str, given: Grant | None, **changes: Any) -> list[str]:
    """Why USA sets aside what GBR sends it by hand, past GBR's own rules."""
    gbr = coalition["gbr"]
    parts = [portion for portion in record.portions if portion.name in names.split()]
    commitment = Commitment(record.digest, [portion.digest for portion in parts], **changes)
    item = Item(msgspec.msgpack.encode(commitment), record.data, [portion.data for portion in parts], [], given)
    data, _ = seal(
        [item], gbr.exchange.stream("usa"),
        policy_epoch=bytes(32), created=coalition.clock.now(), signer=gbr.core.signer,
    )  # fmt: skip
    coalition["usa"].answer("gbr", "deliver", data)
    return [kept.text for kept in coalition["usa"].core.store.quarantine.all()]


def test_what_its_originator_granted_is_passed_on_and_no_more(coalition: Coalition) -> None:
    given_to_gbr(coalition)
    coalition.settle("gbr", "usa")
    assert coalition.held("usa", "doc-1") == ["body", "title"]
    held = row(coalition, "usa")
    assert (held.source, held.originator) == ("gbr", "aus")
    for trace in (b"CANARY", b"annex"):
        assert trace in coalition.seen_by("gbr")
        assert trace not in coalition.seen_by("usa")


def test_what_came_both_ways_is_held_once(coalition: Coalition) -> None:
    given_to_gbr(coalition)
    coalition.settle("gbr", "usa")
    coalition.settle()
    assert len(coalition["usa"].core.store.records.versions("doc-1")) == 1
    assert coalition.held("usa", "doc-1") == ["body", "title"]
    assert not coalition["usa"].core.store.quarantine.all()


def test_nothing_goes_back_to_where_it_came_from(coalition: Coalition) -> None:
    given_to_gbr(coalition)
    coalition.settle("gbr", "usa")
    before = len(coalition.wire)
    coalition.settle("gbr", "usa")
    coalition.settle("aus", "gbr")
    returned = [s for s in coalition.wire[before:] if s.operation == "deliver" and s.origin in ("gbr", "usa")]
    assert b"doc-1" not in b"".join(sent.body for sent in returned)


@pytest.mark.parametrize(
    ("label", "text"),
    [(to("GBR"), ARRANGEMENT), (BOTH, ARRANGEMENT.replace('onward = ["USA"]', 'onward = ["GBR"]'))],
    ids=["its label names GBR alone", "no clause lets GBR pass it on"],
)
def test_without_the_originators_word_it_stays_where_it_is(coalition: Coalition, label: Label, text: str) -> None:
    if text != ARRANGEMENT:
        coalition["aus"].register.amend(text, "officer")
        coalition.settle()
        for node in ("aus", "gbr", "usa"):
            coalition[node].register.sign("pa-northern-watch", "officer")
        coalition.settle()
    coalition.put("aus", "doc-1", {"title": ("a plan", label)})
    coalition.settle("aus", "gbr")
    coalition.settle("gbr", "usa")
    assert coalition.held("gbr", "doc-1") == ["title"]
    assert coalition.held("usa", "doc-1") is None


def test_a_partner_that_passes_it_on_without_a_grant_is_refused(coalition: Coalition) -> None:
    record = given_to_gbr(coalition)
    [why] = hand_over(coalition, record, "title body", None)
    assert "without its grant" in why
    assert coalition.held("usa", "doc-1") is None


def test_a_partner_that_passes_on_more_than_was_granted_is_refused(coalition: Coalition) -> None:
    record = given_to_gbr(coalition)
    [why] = hand_over(coalition, record, "title body annex", grant(coalition))
    assert "aus did not grant USA what gbr passes on" in why
    assert coalition.held("usa", "doc-1") is None


def test_a_grant_for_another_record_does_not_do(coalition: Coalition) -> None:
    given_to_gbr(coalition, "doc-2")
    record = coalition.put("aus", "doc-1", {"title": ("a plan", ONLY_GBR)})
    coalition.settle("aus", "gbr")
    [why] = hand_over(coalition, record, "title", grant(coalition, "doc-2"))
    assert "another record" in why


def test_a_grant_by_another_than_the_originator_does_not_do(coalition: Coalition) -> None:
    record = given_to_gbr(coalition)
    honest = grant(coalition)
    ours = read_commitment(honest.commitment)
    wide = msgspec.msgpack.encode(msgspec.structs.replace(ours, onward={"USA": [p.digest for p in record.portions]}))
    for forged in (
        msgspec.structs.replace(honest, commitment=wide, index=0, path=[]),
        msgspec.structs.replace(
            honest, signature=coalition["gbr"].core.signer.sign(b"aldis/bundle/1", honest.manifest)
        ),
    ):
        reasons = hand_over(coalition, record, "title", forged)
        assert coalition.held("usa", "doc-1") is None
        coalition["gbr"].exchange.new_epoch("its stream was used by hand")
        coalition.clock.at += 1
    assert len(reasons) == 2


def test_a_grant_of_a_suspended_or_distrusted_originator_does_not_do(coalition: Coalition) -> None:
    record = given_to_gbr(coalition)
    usa = coalition["usa"].partners
    usa.set_status("aus", PartnerStatus.SUSPENDED, "a reason")
    [why] = hand_over(coalition, record, "title", grant(coalition))
    assert "suspended" in why
    usa.set_status("aus", PartnerStatus.ACTIVE, "it is settled")
    usa.distrust("aus", 1_000_000, "its key was lost")
    [kept] = coalition["usa"].core.store.quarantine.all()
    with pytest.raises(AldisError, match="is distrusted"):
        coalition["usa"].inbound.retry(kept.id)


@pytest.fixture
def four(coalition: Coalition) -> Coalition:
    """The coalition with CAN, and an arrangement under which GBR may pass on to both others."""
    coalition.add("can", party="CAN", policy="CAN", ceiling="SECRET")
    for other in ("aus", "gbr", "usa"):
        coalition.pair(other, "can")
    coalition.settle()
    text = ARRANGEMENT.replace("pa-northern", "pa-far").replace("NORTHERN-WATCH", "FAR-WATCH")
    text = text.replace('"USA"]', '"USA", "CAN"]').replace(' US = "SECRET"', ' US = "SECRET", CAN = "SECRET"')
    coalition.arrange(text)
    return coalition


def test_a_grant_is_for_the_one_it_was_given_to(four: Coalition) -> None:
    """USA takes GBR's grant and passes the record on as if it had been given it itself."""
    record = four.put("aus", "doc-1", {"title": ("a plan", to("GBR", "USA", "CAN"))}, project="FAR-WATCH")
    four.settle("aus", "gbr")
    four.settle("gbr", "usa")
    assert four.held("usa", "doc-1") == ["title"]
    four.settle("usa", "can")
    assert four.held("can", "doc-1") is None
    assert b"a plan" not in four.seen_by("can")
    commitment = msgspec.msgpack.encode(Commitment(record.digest, [record.portions[0].digest]))
    item = Item(commitment, record.data, [record.portions[0].data], [], grant(four))
    data, _ = seal(
        [item], four["usa"].exchange.stream("can"),
        policy_epoch=bytes(32), created=four.clock.now(), signer=four["usa"].core.signer,
    )  # fmt: skip
    four["can"].answer("usa", "deliver", data)
    [kept] = four["can"].core.store.quarantine.all()
    assert "the grant is from aus to gbr" in kept.text
    four.settle("gbr", "can")
    assert four.held("can", "doc-1") == ["title"]


def test_a_partners_own_word_about_anothers_record_is_no_grant(four: Coalition) -> None:
    """GBR re-shares with AUS's grant, and adds that USA may pass it on to CAN."""
    record = four.put("aus", "doc-1", {"title": ("a plan", to("GBR", "USA", "CAN"))}, project="FAR-WATCH")
    four.settle("aus", "gbr")
    onward = {"CAN": [record.portions[0].digest]}
    assert not hand_over(four, record, "title", grant(four), onward=onward)
    assert four.held("usa", "doc-1") == ["title"]
    four.settle("usa", "can")
    assert four.held("can", "doc-1") is None
    assert b"a plan" not in four.seen_by("can")


def test_a_new_version_and_a_tombstone_are_passed_on_like_the_first(coalition: Coalition) -> None:
    given_to_gbr(coalition)
    coalition.settle("gbr", "usa")
    draft = Draft(
        kind="document", id="doc-1", originator="aus", author="officer", created=coalition.clock.now(), label=BOTH,
        portions=[DraftPortion("title", BOTH, "a better plan")], project="NORTHERN-WATCH",
    )  # fmt: skip
    coalition["aus"].records.revise("doc-1", draft)
    coalition.settle("aus", "gbr")
    coalition.settle("gbr", "usa")
    assert row(coalition, "usa").record().portions[0].value == "a better plan"
    coalition["aus"].records.delete("doc-1", "officer")
    coalition.settle("aus", "gbr")
    coalition.settle("gbr", "usa")
    assert row(coalition, "usa").version == 3
    assert not coalition["usa"].records.page(kind="document").rows


def test_what_was_set_aside_first_keeps_its_grant(coalition: Coalition) -> None:
    coalition.open("gbr", apps={})
    coalition.put("aus", "doc-1", {"title": ("a plan", BOTH)})
    coalition.settle("aus", "gbr")
    [kept] = coalition["gbr"].core.store.quarantine.all()
    coalition.open("gbr").inbound.retry(kept.id)
    coalition.settle("gbr", "usa")
    assert coalition.held("usa", "doc-1") == ["title"]


def test_after_the_arrangement_ends_nothing_more_is_passed_on(coalition: Coalition) -> None:
    given_to_gbr(coalition)
    coalition["gbr"].register.end("pa-northern-watch", Effect.TERMINATE, coalition.clock.now(), "officer")
    coalition.settle("gbr", "usa")
    assert coalition.held("usa", "doc-1") is None


def test_a_partner_cannot_write_a_version_of_anothers_record(coalition: Coalition) -> None:
    record = given_to_gbr(coalition)
    with pytest.raises(AldisError):
        coalition["gbr"].records.delete("doc-1", "officer")
    coalition.settle("gbr", "usa")
    forged = msgspec.json.encode({**msgspec.json.decode(record.data), "author": "somebody else"})
    [why] = hand_over(coalition, read_record(forged, []), "", grant(coalition))
    assert "another record" in why
    assert row(coalition, "usa").digest == record.digest


def test_a_fork_by_the_originator_is_found_at_the_third_nation(coalition: Coalition) -> None:
    coalition.back_up("aus")
    given_to_gbr(coalition)
    coalition.settle("gbr", "usa")
    coalition.restore("aus")
    coalition.put("aus", "doc-1", {"title": ("another plan", BOTH)})
    coalition.settle("aus", "usa")
    [kept] = coalition["usa"].core.store.quarantine.all()
    assert kept.code == Forked.code
    assert row(coalition, "usa").record().portions[0].value in ("a plan", "what we saw")


def test_a_re_share_says_in_its_bundle_who_passed_it_on(coalition: Coalition) -> None:
    given_to_gbr(coalition)
    coalition.settle("gbr", "usa")
    [sent] = [s for s in coalition.wire if b"doc-1" in s.body and s.audience == "usa" and s.operation == "deliver"]
    manifest = open_envelope(sent.body)[0]
    assert (manifest.origin, manifest.audience) == ("gbr", "usa")


def test_a_portion_that_came_later_is_passed_on_after_the_rest(coalition: Coalition) -> None:
    text = f'{ARRANGEMENT}transforms = [{{ portion = "body", action = "delay", seconds = 3600 }}]\n'
    coalition["aus"].register.amend(text, "officer")
    coalition.settle()
    for node in coalition.nodes.values():
        node.register.sign("pa-northern-watch", "officer")
    coalition.settle()
    coalition.put("aus", "doc-1", {"title": ("a plan", BOTH), "body": ("what we saw", BOTH)})
    coalition.settle("aus", "gbr")
    coalition.settle("gbr", "usa")
    assert [coalition.held(name, "doc-1") for name in ("gbr", "usa")] == [["title"], ["title"]]
    coalition.clock.at += 3_601_000
    coalition.settle("aus", "gbr")
    coalition.settle("gbr", "usa")
    assert [coalition.held(name, "doc-1") for name in ("gbr", "usa")] == [["body", "title"], ["body", "title"]]


def test_a_grant_renewed_sends_nothing_back(coalition: Coalition) -> None:
    given_to_gbr(coalition)
    coalition.settle()
    sent = coalition["gbr"].core.store.exchange.last("aus")
    coalition["aus"].exchange.new_epoch("begin anew")
    coalition.settle()
    assert coalition["gbr"].core.store.exchange.last("aus") == sent
