"""Explanations: every reason in words, the smallest changes that would permit, and what a refused party may know."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scene import ARRANGEMENT, AT, EPOCH, REQUEST, SECRET, Held, signed, with_instrument
from worlds import day, make_request, make_world

from aldis.kernel.changes import (
    AccreditCategory,
    AddLicence,
    AddReleasability,
    AmendClause,
    Approve,
    Change,
    DraftInstrument,
    GrantOnward,
    LiftHold,
    PermitCategory,
    ProvideEvidence,
    RaiseAccreditation,
    RaiseCeiling,
    Reinstate,
    Relabel,
    RenewInstrument,
    SignInstrument,
    apply,
)
from aldis.kernel.epoch import PartnerStatus, PolicyEpoch
from aldis.kernel.errors import AldisError
from aldis.kernel.explain import explain, explain_record, redact
from aldis.kernel.instruments import Effect, Entry, Instruments, Notice
from aldis.kernel.labels import Access, Label, Releasability
from aldis.kernel.release import Request, decide

UNDEFINED = {"recipient-unknown", "unknown-label", "unknown-classification", "unknown-category"}


def asked(**changes: object) -> Request:
    return msgspec.structs.replace(REQUEST, **changes)


def permits_after(changes: tuple[Change, ...], request: Request, epoch: PolicyEpoch, at: int) -> bool:
    try:
        for change in changes:
            request, epoch = apply(change, request, epoch)
    except AldisError:
        return False
    return decide(request, epoch, at).permits


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 1_000_000))
def test_the_changes_permit_and_dropping_any_one_no_longer_does(seed: int) -> None:
    rng = Random(seed)
    world = make_world(rng)
    at = rng.choice(world.instants)
    for _ in range(10):
        request = make_request(rng)
        told = explain(request, world.epoch, at)
        assert told.decision == decide(request, world.epoch, at)
        assert len(told.sentences) == 8
        if not told.enough:
            label = request.label
            unheard = [tag for tag, *_ in label.categories if tag == "Unheard-of"]
            codes = {reason.code for reason in told.decision.reasons}
            assert codes & UNDEFINED or unheard or label.classification == "VERY SECRET" or label.policy == "KLINGON"
            assert told.changes == ()
            continue
        assert permits_after(told.changes, request, world.epoch, at)
        assert all(change.who and change.text for change in told.changes)
        for change in told.changes:
            fewer = tuple(other for other in told.changes if other is not change)
            assert not permits_after(fewer, request, world.epoch, at)


def _with_clause(old: str, new: str) -> PolicyEpoch:
    assert old in ARRANGEMENT
    return with_instrument(EPOCH, ARRANGEMENT.replace(old, new, 1), 2)


EXEMPT = EPOCH.instruments.versions("aukus")[0]
UNSIGNED = replace(signed(ARRANGEMENT), signed=frozenset({"AUS", "GBR"}))
SCI = replace(SECRET, policy="COA", classification="LOW", categories=(("Compartment", frozenset({"ONE"})),))
COA_EPOCH = replace(
    _with_clause('ceiling = { AUS = "SECRET" }', 'ceiling = { AUS = "SECRET", COA = "HIGH" }'),
    partners=tuple(replace(p, ceiling=(*p.ceiling, ("COA", "HIGH"))) for p in EPOCH.partners),
)
CASES = [
    ("a review", asked(kind="document", purpose="evaluation", portion="annex"), EPOCH, [Approve]),
    ("a hold", asked(), replace(EPOCH, holds=frozenset({"track-1"})), [LiftHold]),
    ("not listed", asked(label=replace(SECRET, releasable=Releasability.to("USA"))), EPOCH, [AddReleasability]),
    ("refused", asked(label=replace(SECRET, releasable=Releasability(Access.REFUSED))), EPOCH, [AddReleasability]),
    ("no grant", asked(originator="USA"), EPOCH, [GrantOnward]),
    ("no instrument", asked(recipient="can-low", label=replace(SECRET, releasable=Releasability.to("CAN"))), EPOCH,
     [DraftInstrument]),
    ("another kind", asked(kind="image"), EPOCH, [AmendClause]),
    ("another purpose", asked(purpose="survey"), EPOCH, [AmendClause]),
    ("unsigned", asked(), replace(EPOCH, instruments=Instruments((UNSIGNED,))), [SignInstrument]),
    ("terminated", asked(), replace(EPOCH, instruments=EPOCH.instruments.with_notice(
        Notice("northern-watch", "GBR", Effect.TERMINATE, AT, 1))), [RenewInstrument]),
    ("above the clause", asked(label=replace(SECRET, classification="TOP SECRET")), replace(EPOCH, partners=(
        replace(EPOCH.partner("gbr-low"), ceiling=(("AUS", "TOP SECRET"),)),)), [RaiseCeiling]),
    ("above the node", asked(), replace(EPOCH, partners=(
        replace(EPOCH.partner("gbr-low"), ceiling=(("AUS", "OFFICIAL"),)),)), [RaiseAccreditation]),
    ("suspended", asked(), replace(EPOCH, partners=(
        replace(EPOCH.partner("gbr-low"), status=PartnerStatus.SUSPENDED),)), [Reinstate]),
    ("unlicensed", asked(label=replace(SECRET, control=frozenset({"DSGL:6A001"}))), EPOCH, [AddLicence]),
    ("evidence", asked(label=replace(SECRET, control=frozenset({"USML:XI(c)"}))), replace(
        EPOCH, instruments=EPOCH.instruments.with_entry(replace(EXEMPT, instrument=replace(
            EXEMPT.instrument, evidence=frozenset())))), [ProvideEvidence]),
    ("third party", asked(label=replace(SECRET, origins=frozenset({"CAN"}))), EPOCH, [DraftInstrument]),
    ("category", asked(label=SCI), COA_EPOCH, [PermitCategory, AccreditCategory]),
    ("nobody in the community", asked(label=replace(SCI, categories=(("Community", frozenset()),))), COA_EPOCH,
     [Relabel, PermitCategory, AccreditCategory]),
]  # fmt: skip


@pytest.mark.parametrize(("name", "request_", "epoch", "kinds"), CASES, ids=[case[0] for case in CASES])
def test_each_cause_has_its_own_remedy(
    name: str, request_: Request, epoch: PolicyEpoch, kinds: list[type[Change]]
) -> None:
    told = explain(request_, epoch, AT)
    assert not told.decision.permits
    assert told.enough, told.sentences
    assert sorted(type(change).__name__ for change in told.changes) == sorted(kind.__name__ for kind in kinds)


PAIRING = signed("""
instrument = "agreement"
id = "pairing-aus-gbr-00000000"
title = "Pairing of AUS and GBR"
parties = ["AUS", "GBR"]
from = 2026-01-01
until = 2046-12-31

[[clause]]
id = "1"
kinds = ["instrument", "cosignature", "notice"]
projects = [""]
purposes = ["administration"]
ceiling = { AUS = "SECRET" }
""")
IMAGES = ARRANGEMENT.replace('"northern-watch"', '"z-images"', 1).replace('["track", "document"]', '["image"]', 1)
HALF = replace(signed(IMAGES), signed=frozenset({"AUS"}))
PAST = signed(IMAGES.replace("2026-01-01", "2020-01-01").replace("2028-12-31", "2025-12-31"))
LATER = signed(IMAGES.replace("2026-01-01", "2027-01-01"))
UNDER = 'under = "maritime"\nuntil ='
PARENT = """
instrument = "agreement"
id = "maritime"
title = "Maritime information agreement"
parties = ["AUS", "GBR", "USA"]
from = 2020-01-01
until = 2040-12-31

[[clause]]
id = "1"
kinds = ["notice-to-mariners"]
projects = ["*"]
purposes = ["navigation"]
ceiling = { AUS = "OFFICIAL" }
"""


def _with_entries(*entries: Entry) -> PolicyEpoch:
    return replace(EPOCH, instruments=Instruments((*EPOCH.instruments, *entries)))


@pytest.mark.parametrize("wanted", [asked(), asked(purpose=None), asked(portion="position"), asked(kind="document")])
def test_a_pairing_agreement_is_never_proposed_for_anything_but_what_it_is_for(wanted: Request) -> None:
    epoch = replace(EPOCH, instruments=Instruments((PAIRING,)))
    told = explain(wanted, epoch, AT)
    assert [type(change) for change in told.changes] == [DraftInstrument]
    assert "pairing" not in " ".join([*told.sentences, *(change.text for change in told.changes)]).replace(
        "pairing apart", ""
    )
    assert permits_after(told.changes, wanted, epoch, AT)


def test_an_ordinary_instrument_is_amended_rather_than_the_pairing_agreement() -> None:
    wanted = asked(kind="image", project="ELSEWHERE", label=Label("AUS", "SECRET", Releasability.to("GBR")))
    told = explain(wanted, _with_entries(PAIRING), AT)
    assert {change.instrument for change in told.changes if isinstance(change, AmendClause)} == {"northern-watch"}
    assert {type(change) for change in told.changes} == {AmendClause}


def test_what_a_pairing_agreement_is_for_still_rests_on_it() -> None:
    wanted = asked(kind="cosignature", project="", purpose="administration")
    assert explain(wanted, replace(EPOCH, instruments=Instruments((PAIRING,))), AT).decision.permits
    half = replace(PAIRING, signed=frozenset({"AUS"}))
    told = explain(wanted, replace(EPOCH, instruments=Instruments((half,))), AT)
    assert [change.text for change in told.changes] == ["sign pairing-aus-gbr-00000000 version 1"]


@pytest.mark.parametrize(
    ("entry", "kind", "text"),
    [
        (HALF, SignInstrument, "sign z-images version 1"),
        (PAST, RenewInstrument, "extend z-images to 2027-06-01"),
        (LATER, RenewInstrument, "bring z-images forward to 2026-06-01"),
    ],
    ids=["half-signed", "expired", "not begun"],
)
def test_what_covers_it_but_for_a_signature_or_a_date_goes_before_a_clause_to_widen(
    entry: Entry, kind: type[Change], text: str
) -> None:
    told = explain(asked(kind="image"), _with_entries(entry), AT)
    assert [(type(change), change.text) for change in told.changes] == [(kind, text)]
    assert permits_after(told.changes, asked(kind="image"), _with_entries(entry), AT)


def test_a_renewed_instrument_keeps_the_dates_that_it_had_beyond_the_new_ones() -> None:
    for entry, wanted in ((PAST, (day("2020-01-01"), day("2027-06-01"))), (LATER, (AT, day("2029-01-01")))):
        (change,) = explain(asked(kind="image"), _with_entries(entry), AT).changes
        assert isinstance(change, RenewInstrument)
        assert (change.start, change.end) == wanted


def test_a_signature_that_is_missing_from_an_amendment_goes_before_another_amendment() -> None:
    amended = replace(signed(ARRANGEMENT.replace('"track",', '"track", "image",', 1), 2), signed=frozenset({"USA"}))
    told = explain(asked(kind="image"), _with_entries(amended), AT)
    assert [(change.who, change.text) for change in told.changes] == [("AUS and GBR", "sign northern-watch version 2")]


def test_what_was_ended_on_purpose_does_not_go_before_a_clause_to_widen() -> None:
    epoch = replace(
        EPOCH,
        instruments=_with_entries(signed(IMAGES)).instruments.with_notice(
            Notice("z-images", "GBR", Effect.TERMINATE, AT, 1)
        ),
    )
    told = explain(asked(kind="image"), epoch, AT)
    assert [type(change) for change in told.changes] == [AmendClause]


def test_what_waits_for_the_instrument_above_it_is_mended_there() -> None:
    child = signed(IMAGES.replace("until =", UNDER, 1))
    for parent, text in (
        (replace(signed(PARENT), signed=frozenset({"AUS", "USA"})), "sign maritime version 1"),
        (signed(PARENT.replace("2040-12-31", "2025-12-31")), "extend maritime to 2027-06-01"),
    ):
        told = explain(asked(kind="image"), _with_entries(child, parent), AT)
        assert [change.text for change in told.changes] == [text]
    both = replace(child, signed=frozenset()), replace(signed(PARENT), signed=frozenset({"AUS"}))
    told = explain(asked(kind="image"), _with_entries(*both), AT)
    assert [change.text for change in told.changes] == ["sign z-images version 1", "sign maritime version 1"]


def test_who_can_make_a_change_is_named() -> None:
    told = explain(asked(label=replace(SECRET, releasable=Releasability.to("USA"))), EPOCH, AT)
    assert [(change.who, change.text) for change in told.changes] == [
        ("AUS, its originator", "make it releasable to GBR")
    ]
    unsigned = explain(asked(), replace(EPOCH, instruments=Instruments((UNSIGNED,))), AT)
    assert [(change.who, change.text) for change in unsigned.changes] == [("USA", "sign northern-watch version 1")]


def test_sentences_name_the_check_and_the_clause() -> None:
    told = explain(asked(kind="image"), EPOCH, AT)
    assert told.sentences[0] == "1 originator control holds: AUS is its originator."
    assert told.sentences[3] == (
        "4 instrument in force fails: northern-watch clause 4.1 does not cover the kind 'image' "
        "(northern-watch clause 4.1)."
    )


def test_nothing_helps_where_nobody_defined_the_label_and_that_is_said() -> None:
    told = explain(asked(label=replace(SECRET, policy="KLINGON")), EPOCH, AT)
    assert (told.changes, told.enough) == ((), False)


SECRET_CAUSES = {
    "classification": Held(label=Label("AUS", "TOP SECRET", Releasability.to("GBR"))),
    "releasability": Held(label=replace(SECRET, releasable=Releasability.to())),
    "refused to foreigners": Held(label=replace(SECRET, releasable=Releasability(Access.REFUSED))),
    "a compartment": Held(label=Label("US", "SECRET", Releasability.to("GBR"), (("SCI", frozenset({"TK"})),))),
    "an export tag": Held(label=replace(SECRET, control=frozenset({"DSGL:6A001"}))),
    "a third party's information": Held(label=replace(SECRET, origins=frozenset({"CAN"}))),
    "a concealed source": Held(label=replace(SECRET, origins=frozenset({"FGI"}))),
    "another project": Held(project="BLACK-PROJECT"),
    "another kind": Held(kind="document-nobody-may-know"),
    "for a person to decide": Held(label=Label("US", "SECRET")),
}


def test_a_refused_party_is_told_the_same_whatever_the_secret_cause() -> None:
    held = replace(EPOCH, holds=frozenset({"track-1"}))
    answers = {
        redact(explain_record(view, "gbr-low", None, epoch, AT), "GBR", epoch, AT)
        for view in SECRET_CAUSES.values()
        for epoch in (EPOCH, held)
    }
    assert len(answers) == 1
    (answer,) = answers
    for view in SECRET_CAUSES.values():
        for secret in (view.label.classification, view.project, view.kind, view.id, "CAN", "TK", "DSGL"):
            assert secret not in answer.text


def test_a_party_that_got_the_header_learns_nothing_of_what_was_withheld() -> None:
    answers = set()
    for name, view in SECRET_CAUSES.items():
        record = Held(parts=(("position", SECRET), (f"{name}-portion", view.label)))
        told = explain_record(record, "gbr-low", None, EPOCH, AT)
        assert told.header.decision.permits
        answers.add(redact(told, "GBR", EPOCH, AT))
    assert len(answers) == 1
    assert "portion" not in answers.pop().text


def test_a_refused_party_hears_only_of_instruments_it_signed() -> None:
    told = explain_record(SECRET_CAUSES["classification"], "gbr-low", None, EPOCH, AT)
    assert redact(told, "GBR", EPOCH, AT).instruments == ("aukus", "northern-watch")
    assert redact(told, "USA", EPOCH, AT).instruments == ("aukus", "northern-watch", "tdp-usa")
    assert redact(told, "CAN", EPOCH, AT).instruments == ()


def test_the_answer_for_a_record_that_may_not_be_known_is_the_one_for_none() -> None:
    hidden = redact(explain_record(SECRET_CAUSES["releasability"], "gbr-low", None, EPOCH, AT), "GBR", EPOCH, AT)
    nothing = redact(
        explain_record(Held(id="no-such", kind="", project=""), "gbr-low", None, EPOCH, AT), "GBR", EPOCH, AT
    )
    assert hidden == nothing
