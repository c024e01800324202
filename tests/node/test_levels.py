"""A low and a high node of one party, and a nation that knows the low one alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from nations import Coalition, to

from aldis.kernel.bundles import open_envelope
from aldis.kernel.encoding import sha256
from aldis.kernel.errors import InvalidInput, NotAuthentic, RefusedByPolicy, UnknownTerm, VerificationFailed
from aldis.kernel.frames import Update
from aldis.kernel.labels import Label, Releasability
from aldis.kernel.messages import Greeting, Receipt, open_message, read_unverified
from aldis.kernel.records import Draft, DraftPortion
from aldis.kernel.release import Verdict
from aldis.node.pairing import Invitation, seal_invitation

SHARED = to("GBR", "USA")
TOP = Label("AUS", "TOP SECRET", Releasability.to("GBR"))
ARRANGEMENT = """\
instrument = "arrangement"
id = "pa-northern-watch"
title = "Northern Watch"
parties = ["AUS", "GBR"]
from = 2026-01-01
until = 2028-12-31

[[clause]]
id = "4.1"
kinds = ["document", "track"]
projects = ["NORTHERN-WATCH"]
purposes = ["surveillance"]
ceiling = { AUS = "SECRET", UK = "SECRET" }
"""


@pytest.fixture
def levels(tmp_path: Path) -> Iterator[Coalition]:
    """aus-low and aus-high, and gbr, which has paired and agreed with aus-low."""
    made = Coalition(tmp_path)
    made.add("aus-low", ceiling="SECRET")
    made.add("gbr")
    made.add("aus-high", ceiling="TOP SECRET")
    made.pair("aus-low", "gbr")
    made.pair("aus-low", "aus-high")
    made["aus-low"].register.draft(ARRANGEMENT, "officer")
    made.settle()
    for name in ("aus-low", "gbr"):
        made[name].register.sign("pa-northern-watch", "officer")
    made.settle()
    yield made
    made.close()


def british(levels: Coalition, record: str, *parties: str, **fields: Any) -> None:
    label = to(*(parties or ("AUS",)), policy="UK", classification="SECRET")
    levels.put("gbr", record, {"title": (f"{record} of GBR", label)}, **fields)


def approve(levels: Coalition, record: str, *, keep: tuple[str, ...] = ()) -> None:
    """Ask for a record to come down, and rule that it may."""
    levels["aus-high"].desk.offer(record, "aus-low")
    [asked] = levels["aus-high"].desk.cases().cases
    levels["aus-high"].desk.rule(asked.number, "approved", "needed at the low side", "officer", keep=keep)


# pairing


def test_two_nodes_of_one_party_pair_without_an_agreement_once_it_is_said_that_this_is_meant(tmp_path: Path) -> None:
    nodes = Coalition(tmp_path)
    low, high = nodes.add("aus-low"), nodes.add("aus-high", ceiling="TOP SECRET")
    invitation = low.partners.invite("AUS")
    with pytest.raises(RefusedByPolicy, match="of AUS itself") as refused:
        high.partners.join(invitation, lambda *_: True)
    assert "--own" in refused.value.fix
    assert not high.partners.all()
    with pytest.raises(NotAuthentic, match="do not match"):
        high.partners.join(invitation, lambda *_: False, own=True)
    _, reply = high.partners.join(invitation, lambda *_: True, own=True)
    assert reply is not None
    low.partners.join(reply, lambda *_: True)
    assert not list(low.epochs.current().instruments)
    assert (low.partners.below("aus-high"), high.partners.below("aus-low")) == (False, True)
    with pytest.raises(VerificationFailed, match="did not make, not last"):
        nodes.add("aus-two").partners.join(reply, lambda *_: True)
    nodes.close()


def test_an_agreement_has_no_place_within_a_party_and_nobody_else_goes_without_one(levels: Coalition) -> None:
    gbr, low = levels["gbr"], levels["aus-low"]
    foreign = open_message(gbr.partners.invite("AUS"), Invitation, gbr.core.signer.public)
    bare = msgspec.structs.replace(foreign, header="", text="", cosignature=[])
    with pytest.raises(InvalidInput):
        low.partners.join(seal_invitation(bare, gbr.core.signer), lambda *_: True, own=True)
    sheet = msgspec.structs.replace(foreign.sheet, party="AUS", node="aus-new")
    posing = seal_invitation(msgspec.structs.replace(foreign, sheet=sheet), gbr.core.signer)
    with pytest.raises(RefusedByPolicy):
        low.partners.join(posing, lambda *_: True, own=True)


def test_ceilings_that_no_ladder_compares_are_below_each_other(tmp_path: Path) -> None:
    nodes = Coalition(tmp_path)
    nodes.add("aus-low")
    nodes.add("aus-us", policy="US", ceiling="TOP SECRET")
    nodes.add("aus-two")
    nodes.pair("aus-low", "aus-us")
    nodes.pair("aus-low", "aus-two")
    assert nodes["aus-low"].partners.below("aus-us")
    assert nodes["aus-us"].partners.below("aus-low")
    assert not nodes["aus-low"].partners.below("aus-two")
    assert not nodes["aus-two"].partners.below("aus-low")
    nodes.close()


# up


def test_what_is_known_low_is_known_high_without_anybodys_doing(levels: Coalition) -> None:
    levels.put("aus-low", "own", {"title": ("ours", to()), "body": ("to GBR", SHARED)}, project="")
    british(levels, "theirs")
    levels.settle()
    assert levels.held("aus-high", "own") == ["body", "title"]
    assert levels.held("aus-high", "theirs") == ["title"]
    row = levels["aus-high"].core.store.records.get("theirs")
    assert row is not None
    assert (row.originator, row.source) == ("gbr", "aus-low")
    assert levels["aus-high"].core.store.quarantine.count() == 0
    assert levels["aus-high"].partners.parties()["gbr"] == "GBR"
    with pytest.raises(UnknownTerm):
        levels["aus-high"].partners.get("gbr")


def test_versions_and_deletions_go_up_as_they_come(levels: Coalition) -> None:
    levels.put("aus-low", "own", {"title": ("one", to())})
    levels.settle()
    draft = Draft(
        kind="document", id="own", originator="aus-low", author="o", created=levels.clock.now(), label=to(),
        portions=[DraftPortion("title", to(), "two")], project="NORTHERN-WATCH",
    )  # fmt: skip
    levels["aus-low"].records.revise("own", draft)
    levels.settle()
    assert levels["aus-high"].records.get("own").version == 2
    levels["aus-low"].records.delete("own", "o")
    levels.settle()
    assert levels.held("aus-high", "own") == []


def test_a_partner_met_later_is_vouched_for_before_its_records_come(levels: Coalition) -> None:
    levels.add("usa")
    levels.pair("usa", "aus-low")
    text = ARRANGEMENT.replace("GBR", "USA").replace("pa-northern-watch", "pa-two").replace("UK =", "US =")
    levels["aus-low"].register.draft(text, "officer")
    levels.settle("aus-low", "usa")
    for name in ("aus-low", "usa"):
        levels[name].register.sign("pa-two", "officer")
    levels.settle("aus-low", "usa")
    levels.put("usa", "american", {"title": ("of the USA", to("AUS", policy="US", classification="UNCLASSIFIED"))})
    levels.settle("aus-low", "usa")
    levels.settle()
    assert levels.held("aus-high", "american") == ["title"]
    assert [entry.text for entry in levels["aus-high"].core.store.quarantine.all()] == []


def test_what_its_originator_lets_others_pass_on_goes_up_with_that_originators_word(levels: Coalition) -> None:
    """USA's record comes to aus-low through gbr, and with USA's own grant to gbr goes on to aus-high."""
    levels.add("usa")
    levels.pair("usa", "aus-low")
    levels.pair("usa", "gbr")
    text = ARRANGEMENT.replace('["AUS", "GBR"]', '["AUS", "GBR", "USA"]').replace("pa-northern-watch", "pa-three")
    text = text.replace("UK = ", 'US = "SECRET", UK = ') + 'onward = ["AUS"]\n'
    levels["aus-low"].register.draft(text, "officer")
    levels.settle()
    for name in ("aus-low", "gbr", "usa"):
        levels[name].register.sign("pa-three", "officer")
        levels.settle()
    label = to("AUS", "GBR", policy="US", classification="UNCLASSIFIED")
    levels.put("usa", "american", {"title": ("of the USA", label)})
    levels.settle("usa", "gbr")
    levels.settle("gbr", "aus-low")
    row = levels["aus-low"].core.store.records.get("american")
    assert row is not None
    assert row.source == "gbr"
    levels.settle("aus-low", "aus-high")
    assert levels.held("aus-high", "american") == ["title"]


def test_the_high_node_passes_foreign_information_on_to_nobody_and_keeps_its_origin(levels: Coalition) -> None:
    british(levels, "theirs")
    levels.settle()
    high = levels["aus-high"]
    row = high.core.store.records.get("theirs")
    assert row is not None
    assert high.core.store.grants.of([row.seq]) == {}
    assert high.records.derived_label([row.digest]).origins == {"GBR"}
    explanation = high.desk.why("theirs", "aus-low")
    assert explanation.header.decision.verdict is Verdict.REFUSE
    assert explanation.header.decision.reasons[0].code == "no-grant"


def test_no_signature_of_the_low_node_opens_a_door_of_the_high_one(levels: Coalition) -> None:
    levels.add("usa")
    levels.pair("aus-high", "usa")
    text = ARRANGEMENT.replace("GBR", "USA").replace("pa-northern-watch", "pa-high").replace("UK =", "US =")
    levels["aus-low"].register.draft(text, "officer")
    levels["aus-low"].register.sign("pa-high", "officer")
    levels.settle()
    assert levels["aus-low"].register.status("pa-high").missing == ("USA",)
    assert "AUS" in levels["aus-high"].register.status("pa-high").missing
    assert not levels["aus-high"].epochs.current().instruments.in_force(levels.clock.now())[1:]


def test_a_key_that_the_low_node_distrusts_is_not_believed_above(levels: Coalition) -> None:
    levels["aus-low"].partners.distrust("gbr", 100, "stolen")
    levels.settle()
    british(levels, "theirs")
    levels.settle()
    assert levels.held("aus-low", "theirs") == ["title"]
    assert levels.held("aus-high", "theirs") is None
    [entry] = levels["aus-high"].core.store.quarantine.all()
    assert "distrusted" in entry.text


# down


def test_nothing_comes_down_by_itself_and_nothing_asks_to(levels: Coalition) -> None:
    levels.put("aus-high", "secret", {"title": ("for all", SHARED), "body": ("top", TOP)})
    levels["aus-high"].context.publish(SHARED, SHARED, "", Update("track", "t", "position", levels.clock.now(), {}))
    levels.settle()
    assert levels.held("aus-low", "secret") is None
    assert levels["aus-high"].live_out.frame("aus-low", 1) is None
    assert levels["aus-high"].desk.cases().cases == []
    assert not [sent for sent in levels.wire if sent.origin == "aus-high" and sent.operation == "deliver"]


def test_a_ruling_brings_down_one_version_of_one_record_without_what_is_above_the_low_ceiling(
    levels: Coalition,
) -> None:
    levels.put(
        "aus-high", "report", {"title": ("for all", SHARED), "body": ("kept", SHARED), "annex": ("top secret", TOP)}
    )
    levels.put("aus-high", "other", {"title": ("stays", SHARED)})
    approve(levels, "report", keep=("body",))
    levels.settle()
    assert levels.held("aus-low", "report") == ["title"]
    assert levels.held("aus-low", "other") is None
    assert levels.held("gbr", "report") is None
    levels["aus-high"].records.delete("report", "o")
    levels.settle()
    assert levels["aus-low"].records.get("report").version == 1
    approve(levels, "report")
    levels.settle()
    assert levels["aus-low"].records.get("report").version == 2


def test_what_comes_down_goes_no_further(levels: Coalition) -> None:
    """Its originator is the high node: gbr would get it from there, or by its grant, and has neither."""
    levels.put("aus-high", "report", {"title": ("for GBR as well", SHARED)})
    approve(levels, "report")
    levels.settle()
    assert levels.held("aus-low", "report") == ["title"]
    assert b"for GBR as well" not in levels.seen_by("gbr")
    header = levels["aus-low"].desk.why("report", "gbr").header.decision
    assert (header.verdict, header.reasons[0].code) == (Verdict.REFUSE, "no-grant")


def test_a_header_that_names_what_the_low_node_does_not_hold_stays_above(levels: Coalition) -> None:
    high = levels["aus-high"]
    source = levels.put("aus-high", "source", {"title": ("high", SHARED)})
    below = levels.put("aus-low", "low", {"title": ("low", SHARED)})
    levels.settle()
    levels.put("aus-high", "made", {"title": ("of it", SHARED)}, sources=[source.digest])
    levels.put("aus-high", "fine", {"title": ("of what is below", SHARED)}, sources=[below.digest])
    draft = Draft(
        kind="document", id="source", originator="aus-high", author="o", created=levels.clock.now(), label=SHARED,
        portions=[DraftPortion("title", SHARED, "again")], project="NORTHERN-WATCH",
    )  # fmt: skip
    high.records.revise("source", draft)
    for record in ("made", "source"):
        with pytest.raises(RefusedByPolicy, match="does not hold"):
            high.desk.offer(record, "aus-low")
    approve(levels, "fine")
    levels.settle()
    assert levels.held("aus-low", "fine") == ["title"]


def test_nothing_that_reaches_the_low_side_tells_of_the_high_one(levels: Coalition) -> None:
    """Two high nodes, one of them busy: what each says downwards differs in nothing but what was brought down."""
    high = levels["aus-high"]
    words = ["hush-id", "whisper-title", "murmur-project", "mutter-author", "rustle-hold"]
    levels.put("aus-high", "report", {"title": ("brought down", SHARED), "annex": ("whisper-title", TOP)}, project="")
    for number in range(30):
        levels.put(
            "aus-high", f"hush-id-{number}", {"title": ("whisper-title", SHARED)}, project="murmur-project",
            label=SHARED,
        )  # fmt: skip
    high.desk.hold("hush-id-3", "rustle-hold")
    epochs = [high.epochs.current().digest.hex()]
    levels.put("aus-low", "own", {"title": ("up", to())})
    levels["aus-low"].core.store.meta.set("nothing", b"")
    approve(levels, "report")
    levels.settle()
    levels.clock.at += 3_600_000
    high.desk.lift("hush-id-3", "mutter-author")
    levels.put("aus-high", "report-2", {"title": ("brought down too", SHARED)}, project="")
    approve(levels, "report-2")
    epochs.append(high.epochs.current().digest.hex())
    levels.settle()
    seen = levels.seen_by("aus-low")
    told = [sent for sent in levels.wire if sent.origin == "aus-high" or sent.audience == "aus-high"]
    assert b"brought down too" in seen
    for word in (*words, *epochs, sha256(b"nothing").hex()):
        assert word.encode() not in seen
    manifests = []
    for sent in told:
        if sent.origin == "aus-high" and sent.operation == "greet":
            greeting = read_unverified(sent.body, Greeting)
            assert (greeting.checkpoint, greeting.since, greeting.proof) == ("", 0, [])
        elif sent.origin == "aus-high" and sent.operation == "deliver":
            manifests.append(open_envelope(sent.body)[0])
    assert [(one.first, one.count) for one in manifests] == [(1, 1), (2, 1)]
    assert len({one.policy_epoch for one in manifests}) == 2
    assert levels["aus-low"].core.store.ledger.checkpoint("aldis.invalid/aus-high") is None


def test_a_policy_epoch_that_stayed_the_same_shows_as_little_as_one_that_changed(levels: Coalition) -> None:
    for name in ("one", "two"):
        levels.put("aus-high", name, {"title": (name, SHARED)})
        approve(levels, name)
        levels.settle()
    sent = [
        open_envelope(one.body)[0] for one in levels.wire if one.origin == "aus-high" and one.operation == "deliver"
    ]
    assert len({one.policy_epoch for one in sent}) == len(sent) == 2


def test_a_receipt_to_the_low_node_does_not_say_what_was_set_aside(levels: Coalition) -> None:
    levels["aus-high"].core.kinds.pop("document")  # type: ignore[attr-defined]
    levels.put("aus-low", "own", {"title": ("up", to())})
    levels.settle()
    assert levels["aus-high"].core.store.quarantine.count() == 1
    receipts = [one for one in levels.wire if one.audience == "aus-high" and one.operation == "deliver"]
    assert {read_unverified(one.answer, Receipt).quarantined for one in receipts} == {0}


def test_the_third_nation_hears_of_the_low_node_alone(levels: Coalition) -> None:
    levels.put("aus-high", "plan", {"title": ("whisper", SHARED)})
    levels.put("aus-low", "own", {"title": ("for gbr", SHARED)})
    british(levels, "theirs")
    levels.settle()
    assert levels.held("gbr", "own") == ["title"]
    assert b"aus-high" not in levels.seen_by("gbr")
    assert b"whisper" not in levels.seen_by("gbr")
    assert {row.kind for row in levels["gbr"].core.store.records.since(0)} <= {"document", "instrument", "cosignature"}
    assert [known.node for known in levels["gbr"].partners.all()] == ["aus-low"]
