"""The laws of release, each over worlds of instruments, partners and labels drawn at random."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from random import Random

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from worlds import NODES, PURPOSES, VALUES, World, make_request, make_world, policies

from aldis.kernel.epoch import PartnerStatus, PolicyEpoch
from aldis.kernel.errors import InvalidInput, VerificationFailed
from aldis.kernel.instruments import MOST_APPROVALS, Effect, Instruments, Notice
from aldis.kernel.labels import Access, Label, Releasability
from aldis.kernel.policies import builtin
from aldis.kernel.release import Decision, Outcome, Request, Verdict, compile_terms, decide

RANK = {Verdict.PERMIT: 0, Verdict.REFER: 1, Verdict.REFUSE: 2}
seeds = st.integers(0, 1_000_000)
laws = settings(max_examples=25, deadline=None)


def decided(seed: int, count: int = 25) -> Iterator[tuple[World, int, Request, Decision]]:
    """Requests of one world at one instant, with what is decided."""
    rng = Random(seed)
    world = make_world(rng)
    at = rng.choice(world.instants)
    for _ in range(count):
        request = make_request(rng)
        yield world, at, request, decide(request, world.epoch, at)


def changed(request: Request, **changes: object) -> Request:
    return msgspec.structs.replace(request, **changes)


def relabelled(request: Request, **changes: object) -> Request:
    return changed(request, label=replace(request.label, **changes))  # type: ignore[arg-type]


def no_better(decision: Decision, than: Decision) -> bool:
    return RANK[decision.verdict] >= RANK[than.verdict]


@laws
@given(seeds)
def test_all_eight_checks_are_always_answered_in_order(seed: int) -> None:
    for _, _, _, decision in decided(seed):
        assert [reason.check for reason in decision.reasons] == [1, 2, 3, 4, 5, 6, 7, 8]
        assert all(reason.text and reason.code for reason in decision.reasons)


@laws
@given(seeds)
def test_any_failed_check_refuses_and_any_referred_one_refers(seed: int) -> None:
    for _, _, _, decision in decided(seed):
        worst = max(reason.outcome for reason in decision.reasons)
        assert decision.verdict is (Verdict.PERMIT, Verdict.REFER, Verdict.REFUSE)[worst]


@laws
@given(seeds)
def test_every_permit_between_parties_rests_on_one_clause_in_force_with_both(seed: int) -> None:
    for world, at, request, decision in decided(seed):
        party = next((p.party for p in world.epoch.partners if p.node == request.recipient), "")
        if decision.permits and party != world.epoch.party:
            standing = world.epoch.instruments.standing(decision.basis.instrument, at)
            assert standing is not None
            assert {party, world.epoch.party} <= standing.parties
            assert decision.basis.clause in {clause.id for clause in standing.instrument.clauses}
            rests = {(r.instrument, r.clause) for r in decision.reasons if r.check in (2, 4, 5, 8)} - {("", "")}
            assert rests == {(decision.basis.instrument, decision.basis.clause)}


@laws
@given(seeds)
def test_missing_data_denies(seed: int) -> None:
    for world, at, request, decision in decided(seed):
        if not decision.permits or request.recipient in ("aus-high",):
            continue
        label = request.label
        lacking = {
            "recipient": (changed(request, recipient="fra-low"), world.epoch),
            "policy": (relabelled(request, policy="KLINGON"), world.epoch),
            "classification": (relabelled(request, classification="VERY SECRET"), world.epoch),
            "category": (relabelled(request, categories=(*label.categories, ("New", frozenset({"X"})))), world.epoch),
            "licence": (relabelled(request, control=label.control | {"USML:IV(a)"}), world.epoch),
            "origin": (
                changed(relabelled(request, origins=label.origins | {"FRA"}), origin_grants=frozenset()),
                world.epoch,
            ),
            "purpose": (changed(request, purpose="curiosity"), world.epoch),
            "instruments": (request, replace(world.epoch, instruments=Instruments())),
            "partners": (request, replace(world.epoch, partners=())),
            "signatures": (
                request,
                replace(world.epoch, instruments=Instruments(tuple(
                    replace(entry, signed=entry.signed - {"AUS"}) for entry in world.epoch.instruments
                ))),
            ),
        }  # fmt: skip
        for what, (asked, epoch) in lacking.items():
            assert decide(asked, epoch, at).verdict is Verdict.REFUSE, what


@laws
@given(seeds)
@example(38350)  # one clause asked three officers, another left it to one, and one had approved
def test_terminating_an_instrument_never_permits_more(seed: int) -> None:
    for world, at, request, decision in decided(seed, 10):
        for entry in world.epoch.instruments:
            notice = Notice(entry.instrument.id, min(entry.instrument.parties), Effect.TERMINATE, at, entry.version)
            ended = replace(world.epoch, instruments=world.epoch.instruments.with_notice(notice))
            assert no_better(decide(request, ended, at), decision) or _revived(world, entry.instrument.id, at)


def _revived(world: World, name: str, at: int) -> bool:
    """Whether the notice was about an older version than the one in force, which it does not touch."""
    standing = world.epoch.instruments.standing(name, at)
    return standing is not None and standing.entry != world.epoch.instruments.versions(name)[-1]


@laws
@given(seeds)
def test_a_party_that_leaves_gets_no_more(seed: int) -> None:
    for world, at, request, decision in decided(seed, 10):
        party = next((p.party for p in world.epoch.partners if p.node == request.recipient), None)
        if party in (None, world.epoch.party):
            continue
        left = world.epoch.instruments
        for entry in world.epoch.instruments:
            if party in entry.instrument.parties:
                left = left.with_notice(Notice(entry.instrument.id, party, Effect.LEAVE, at, entry.version))
        after = decide(request, replace(world.epoch, instruments=left), at)
        assert after.verdict is Verdict.REFUSE
        assert no_better(after, decision)


@laws
@given(seeds)
def test_adding_a_category_a_tag_or_an_origin_never_permits_more(seed: int) -> None:
    for world, at, request, decision in decided(seed):
        label = request.label
        rows = dict(label.categories)
        for tag, values in VALUES.items():
            if tag not in rows or tag in ("Compartment", "SCI", "Special Handling"):
                more = {**rows, tag: rows.get(tag, frozenset()) | frozenset(values[:1])}
                if tag in rows:
                    more[tag] = rows[tag] | frozenset(values)
                asked = relabelled(request, categories=tuple(more.items()))
                assert no_better(decide(asked, world.epoch, at), decision), tag
        for tagged in (
            relabelled(request, control=label.control | {"USML:XI(c)"}),
            relabelled(request, control=label.control | {"NOBODY:1"}),
            relabelled(request, origins=label.origins | {"CAN"}),
            relabelled(request, origins=label.origins | {"FGI"}),
        ):
            assert no_better(decide(tagged, world.epoch, at), decision)


@laws
@given(seeds)
def test_narrowing_releasability_never_permits_more(seed: int) -> None:
    for world, at, request, decision in decided(seed):
        said = request.label.releasable
        refused = decide(relabelled(request, releasable=Releasability(Access.REFUSED)), world.epoch, at)
        assert no_better(refused, decision)
        if said.access is Access.LISTED:
            for party in said.parties:
                fewer = Releasability.to(*(said.parties - {party}), display=said.display)
                assert no_better(decide(relabelled(request, releasable=fewer), world.epoch, at), decision)
                shown = Releasability.to(*(said.parties - {party}), display=said.display | {party})
                assert no_better(decide(relabelled(request, releasable=shown), world.epoch, at), decision)


@laws
@given(seeds)
def test_a_hold_lets_nothing_go(seed: int) -> None:
    for world, at, request, _ in decided(seed):
        held = replace(world.epoch, holds=frozenset({request.record}))
        decision = decide(changed(request, approved=MOST_APPROVALS), held, at)
        assert decision.verdict is Verdict.REFUSE
        assert decision.reasons[7].code == "held"


@laws
@given(seeds)
def test_a_refusal_cannot_be_approved_and_a_referral_can(seed: int) -> None:
    for world, at, request, _ in decided(seed):
        before = decide(changed(request, approved=0), world.epoch, at)
        after = decide(changed(request, approved=MOST_APPROVALS), world.epoch, at)
        assert after.verdict is (Verdict.REFUSE if before.verdict is Verdict.REFUSE else Verdict.PERMIT)
        assert after.basis == before.basis
        for asked, answered in zip(before.reasons, after.reasons, strict=True):
            if asked.outcome is Outcome.REFER:
                assert (answered.outcome, answered.code) == (Outcome.PASS, "approved")
                assert (answered.instrument, answered.clause) == (asked.instrument, asked.clause)
            else:
                assert answered == asked


@laws
@given(seeds, st.sampled_from([PartnerStatus.SUSPENDED, PartnerStatus.DEPARTED]))
def test_a_suspended_or_departed_partner_gets_nothing(seed: int, status: PartnerStatus) -> None:
    for world, at, request, _ in decided(seed):
        barred = replace(world.epoch, partners=tuple(replace(p, status=status) for p in world.epoch.partners))
        assert decide(changed(request, approved=MOST_APPROVALS), barred, at).verdict is Verdict.REFUSE


@laws
@given(seeds)
def test_only_the_originator_or_whom_it_granted_gets_it_from_others(seed: int) -> None:
    for world, _, request, decision in decided(seed):
        party = next((p.party for p in world.epoch.partners if p.node == request.recipient), "")
        if decision.permits and world.epoch.party not in (request.originator, party):
            assert party == request.originator or party in request.origin_grants


@laws
@given(seeds)
def test_originator_controlled_information_goes_only_from_its_originator(seed: int) -> None:
    for world, at, request, _ in decided(seed):
        controlled = changed(
            request,
            label=Label("US", "SECRET", request.label.releasable, (("Dissemination", frozenset({"ORCON"})),)),
            originator="USA",
            origin_grants=frozenset({"GBR", "CAN", "USA"}),
        )
        decision = decide(controlled, world.epoch, at)
        assert not decision.permits or request.recipient == "aus-high"


@laws
@given(seeds)
def test_every_purpose_listed_for_any_purpose_is_permitted_when_asked_for(seed: int) -> None:
    for world, at, request, _ in decided(seed):
        decision = decide(changed(request, purpose=None), world.epoch, at)
        for purpose in PURPOSES:
            if decision.permits and purpose in decision.purposes:
                assert decide(changed(request, purpose=purpose), world.epoch, at).permits


@laws
@given(seeds)
def test_replay_from_the_bytes_of_the_epoch_decides_the_same(seed: int) -> None:
    for world, at, request, decision in decided(seed, 5):
        replayed = PolicyEpoch.from_bytes(world.epoch.to_bytes(), policies())
        assert replayed == world.epoch
        assert (replayed.to_bytes(), replayed.digest) == (world.epoch.to_bytes(), world.epoch.digest)
        assert decide(request, replayed, at) == decision


@laws
@given(seeds)
def test_terms_hold_until_the_instant_they_say(seed: int) -> None:
    for world, at, request, decision in decided(seed):
        terms = compile_terms(world.epoch, request.recipient, request.purpose, at)
        assert terms.since <= at < terms.valid_until
        fresh = replace(world.epoch)
        for instant in (max(terms.since, 0), terms.valid_until - 1):
            assert decide(request, fresh, instant) == decision
        assert decide(request, world.epoch, at) == decision


@laws
@given(seeds)
def test_an_epoch_asked_at_many_instants_answers_as_if_asked_at_each_alone(seed: int) -> None:
    rng = Random(seed)
    world = make_world(rng)
    request = make_request(rng)
    for at in rng.choices(world.instants, k=12):
        assert decide(request, world.epoch, at) == decide(request, replace(world.epoch), at)


def test_an_epoch_of_other_policies_is_not_replayed() -> None:
    data = make_world(Random(1)).epoch.to_bytes()
    with pytest.raises(VerificationFailed, match="policies"):
        PolicyEpoch.from_bytes(data, builtin())


@pytest.mark.parametrize("data", [b"", b"{}", b"[]", b'{"party": "AUS"}', b"\xff", b"[" * 100_000])
def test_what_is_not_an_epoch_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidInput):
        PolicyEpoch.from_bytes(data, policies())


def test_every_byte_of_an_epoch_is_under_its_digest() -> None:
    worlds = [make_world(Random(seed)).epoch for seed in range(20)]
    assert len({epoch.digest for epoch in worlds}) == 20
    one = worlds[0]
    variants = (
        replace(one, holds=frozenset({"other"})),
        replace(one, partners=one.partners[1:]),
        replace(one, ceiling=(("AUS", "TOP SECRET"),)),
        replace(one, node="aus-high"),
        replace(one, instruments=Instruments(one.instruments.entries[1:])),
    )
    assert len({epoch.digest for epoch in (one, *variants)}) == 6


def test_terms_refuse_a_request_that_is_not_theirs() -> None:
    rng = Random(7)
    world = make_world(rng)
    request = changed(make_request(rng), recipient=NODES[0], purpose="survey")
    terms = compile_terms(world.epoch, NODES[0], "survey", world.instants[0])
    for other in (changed(request, recipient=NODES[2]), changed(request, purpose=None)):
        with pytest.raises(InvalidInput):
            terms.decide(other)
