"""What a permit binds, what it leaves out, and that nothing but a release makes one."""

from __future__ import annotations

import dataclasses
from dataclasses import replace
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scene import ARRANGEMENT, AT, EPOCH, SECRET, Held, with_instrument
from worlds import NODES, PROJECTS, make_label, make_world

from aldis.kernel.encoding import sha256
from aldis.kernel.epoch import PolicyEpoch
from aldis.kernel.errors import RefusedByPolicy
from aldis.kernel.instruments import Action
from aldis.kernel.labels import Label, Releasability
from aldis.kernel.release import Outcome, Permit, Refusal, Round, Verdict, release

HOUR = 3_600_000
AUS_ONLY = Label("AUS", "SECRET", Releasability.to())
TOP = Label("AUS", "TOP SECRET", Releasability.to("GBR", "USA"))
AGREED_LATER = Label("CAN", "SECRET")


def permit(view: Held, recipient: str = "gbr-low", epoch: PolicyEpoch = EPOCH, at: int = AT, **more: object) -> Permit:
    found = release(view, recipient, "surveillance", epoch, at, **more)  # type: ignore[arg-type]
    assert isinstance(found, Permit), found.reasons
    return found


def test_a_permit_cannot_be_made_by_hand() -> None:
    good = permit(Held())
    fields = {f.name: getattr(good, f.name) for f in dataclasses.fields(good)}
    with pytest.raises(TypeError):
        Permit(**fields)
    with pytest.raises(TypeError):
        Permit(**fields, maker=object())
    with pytest.raises(ValueError, match="maker"):
        replace(good, digest=bytes(32))  # type: ignore[call-arg]


def test_a_permit_cannot_be_changed() -> None:
    good = permit(Held())
    with pytest.raises(dataclasses.FrozenInstanceError):
        good.recipient = "usa-low"  # type: ignore[misc]
    with pytest.raises(TypeError):
        good.transforms[Held.of("position")] = ()  # type: ignore[index]
    with pytest.raises(TypeError):
        good.onward["CAN"] = ()  # type: ignore[index]


def test_a_permit_holds_for_one_record_recipient_epoch_and_set_of_portions() -> None:
    view = Held()
    good = permit(view)
    portions = [Held.of("position"), Held.of("identity")]
    good.check(view.digest, "gbr-low", EPOCH.digest, portions)
    later = replace(EPOCH, holds=frozenset({"another"}))
    wrong = {
        "record": (sha256(b"other"), "gbr-low", EPOCH.digest, portions),
        "recipient": (view.digest, "usa-low", EPOCH.digest, portions),
        "policy epoch": (view.digest, "gbr-low", later.digest, portions),
        "set of portions": (view.digest, "gbr-low", EPOCH.digest, [*portions, Held.of("sensor")]),
    }
    for what, other in wrong.items():
        with pytest.raises(RefusedByPolicy, match=what):
            good.check(*other)
    with pytest.raises(RefusedByPolicy, match="set of portions"):
        good.check(view.digest, "gbr-low", EPOCH.digest, portions[:1])


def test_what_is_not_permitted_is_left_out_and_the_rest_goes() -> None:
    view = Held(parts=(("position", SECRET), ("sensor", AUS_ONLY), ("voyage", TOP), ("identity", AGREED_LATER)))
    good = permit(view)
    assert good.portions == (Held.of("position"),)
    assert set(good.refused) == {Held.of("sensor"), Held.of("voyage")}
    assert good.referred == (Held.of("identity"),)
    assert good.in_part
    assert good.decisions[Held.of("sensor")].reasons[2].code == "nobody"


def test_nothing_goes_where_the_header_may_not() -> None:
    refused = release(Held(label=AUS_ONLY), "gbr-low", "surveillance", EPOCH, AT)
    assert isinstance(refused, Refusal)
    assert refused.verdict is Verdict.REFUSE
    assert len(refused.reasons) == 8
    referred = release(Held(label=AGREED_LATER), "gbr-low", "surveillance", EPOCH, AT)
    assert isinstance(referred, Refusal)
    assert referred.verdict is Verdict.REFER


def test_a_release_officer_approves_what_was_referred_and_nothing_else() -> None:
    view = Held(parts=(("position", AGREED_LATER), ("identity", AUS_ONLY), ("voyage", AGREED_LATER)), created=0)
    good = permit(view, approved=[Held.of("position"), Held.of("identity")])
    assert good.portions == (Held.of("position"),)
    assert good.refused == (Held.of("identity"),)
    assert good.referred == (Held.of("voyage"),)


def test_transforms_are_named_for_each_portion() -> None:
    good = permit(Held())
    assert [t.action for t in good.transforms[Held.of("position")]] == [Action.COARSEN]
    assert [t.action for t in good.transforms[Held.of("identity")]] == [Action.PSEUDONYMISE]


def test_a_delayed_portion_waits_and_then_goes() -> None:
    view = Held(parts=(("voyage", SECRET),))
    now = permit(view)
    assert now.portions == ()
    assert now.delayed == {Held.of("voyage"): AT + HOUR}
    assert permit(view, at=AT + HOUR - 1).portions == ()
    assert permit(view, at=AT + HOUR).portions == (Held.of("voyage"),)


def test_nobody_but_the_originator_transforms() -> None:
    theirs = Held(originator="GBR", parts=(("sensor", SECRET), ("position", SECRET)))
    grants = {"USA": [Held.of("sensor"), Held.of("position")]}
    good = permit(theirs, "usa-low", grants=grants)
    assert good.portions == (Held.of("sensor"),)
    assert good.decisions[Held.of("position")].reasons[0].code == "not-ours-to-transform"


def test_a_reshare_takes_the_originators_grant_for_header_and_portion() -> None:
    theirs = Held(originator="GBR", parts=(("sensor", SECRET), ("track", SECRET)))
    refused = release(theirs, "usa-low", "surveillance", EPOCH, AT)
    assert isinstance(refused, Refusal)
    assert refused.reasons[0].code == "no-grant"
    good = permit(theirs, "usa-low", grants={"USA": [Held.of("sensor")]})
    assert good.portions == (Held.of("sensor"),)
    elsewhere = release(theirs, "usa-low", "surveillance", EPOCH, AT, grants={"CAN": [Held.of("sensor")]})
    assert isinstance(elsewhere, Refusal)


def test_onward_names_only_what_would_go_there_from_here_as_well() -> None:
    gbr_only = Label("AUS", "SECRET", Releasability.to("GBR"))
    view = Held(parts=(("sensor", SECRET), ("detail", gbr_only), ("position", SECRET)))
    good = permit(view)
    assert good.onward == {"USA": (Held.of("sensor"), Held.of("position"))}
    assert permit(Held(label=replace(SECRET, releasable=Releasability.to("GBR")))).onward == {}


def test_onward_is_for_the_originator_alone_to_grant() -> None:
    theirs = Held(originator="GBR", parts=(("sensor", SECRET),))
    epoch = with_instrument(EPOCH, ARRANGEMENT.replace('onward = ["USA"]', 'onward = ["USA", "GBR"]', 1), 2)
    assert permit(theirs, "usa-low", epoch, grants={"USA": [Held.of("sensor")]}).onward == {}


def test_what_would_go_on_only_coarser_or_later_or_approved_is_not_granted_onward() -> None:
    finer = """
instrument = "agreement"
id = "aus-gbr"
title = "Finer for one"
parties = ["AUS", "GBR", "USA"]
from = 2026-01-01
until = 2026-12-31
[[clause]]
id = "1"
kinds = ["*"]
projects = ["*"]
purposes = ["surveillance"]
to = ["GBR"]
ceiling = { AUS = "SECRET" }
onward = ["USA"]
"""
    good = permit(Held(), epoch=with_instrument(EPOCH, finer))
    assert good.transforms == {}
    assert good.onward == {"USA": ()}


def test_an_approval_is_for_one_recipient_and_grants_nothing_onward() -> None:
    view = Held(parts=(("sensor", AGREED_LATER),))
    good = permit(view, approved=[Held.of("sensor")])
    assert good.portions == (Held.of("sensor"),)
    assert good.onward == {"USA": ()}


def test_purposes_hold_for_all_that_goes() -> None:
    good = release(Held(), "gbr-low", None, EPOCH, AT)
    assert isinstance(good, Permit)
    assert good.purposes == ("search-and-rescue", "surveillance")
    document = Held(kind="document", parts=(("annex", SECRET), ("body", SECRET)))
    split = """
instrument = "agreement"
id = "annexes"
title = "Annexes for evaluation"
parties = ["AUS", "GBR"]
from = 2026-01-01
until = 2026-12-31
[[clause]]
id = "1"
kinds = ["document"]
projects = ["*"]
purposes = ["evaluation"]
portions = ["annex"]
ceiling = { AUS = "SECRET" }
"""
    narrowed = with_instrument(
        EPOCH, ARRANGEMENT.replace('to = ["GBR", "USA"]', 'to = ["GBR", "USA"]\nportions = ["body"]', 1), 2
    )
    mixed = release(document, "gbr-low", None, with_instrument(narrowed, split), AT)
    assert isinstance(mixed, Permit)
    assert mixed.purposes == ("evaluation",)
    assert mixed.portions == (Held.of("annex"),)
    assert mixed.decisions[Held.of("body")].reasons[3].code == "purpose-differs"


def test_within_one_party_no_instrument_is_needed_but_the_ceiling_holds() -> None:
    high = replace(SECRET, classification="TOP SECRET")
    good = release(Held(label=high, parts=(("position", high),)), "aus-high", None, EPOCH, AT)
    assert isinstance(good, Permit)
    assert (good.purposes, good.transforms, good.onward) == ((), {}, {})
    assert all(reason.outcome is Outcome.PASS for reason in good.decisions[Held.of("position")].reasons)
    officer = replace(EPOCH.partner("aus-high"), node="officer", ceiling=(("AUS", "PROTECTED"),))
    low = replace(EPOCH, partners=(*EPOCH.partners, officer))
    refused = release(Held(label=high), "officer", None, low, AT)
    assert isinstance(refused, Refusal)
    assert refused.reasons[1].code == "above-node-ceiling"


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 1_000_000))
def test_a_round_answers_for_each_record_as_a_release_of_its_own_does(seed: int) -> None:
    rng = Random(seed)
    world = make_world(rng)
    at = rng.choice(world.instants)
    labels = [make_label(rng) for _ in range(3)]
    for node in NODES[:4]:
        together = Round(node, None, world.epoch, at)
        for number in range(25):
            view = Held(
                parts=[(name, rng.choice(labels)) for name in ("position", "identity")[: rng.randint(0, 2)]],
                label=rng.choice(labels),
                id=rng.choice(("held", "r1")),
                project=rng.choice(PROJECTS[:2]),
                originator=rng.choice(("AUS", "AUS", "GBR")),
                created=at - rng.choice((0, HOUR)),
                digest=sha256(bytes([number])),
            )
            grants = {"USA": [Held.of("position")]} if rng.random() < 0.2 else {}
            approved = [view.digest] if rng.random() < 0.2 else []
            alone = release(view, node, None, world.epoch, at, grants=grants, approved=approved)
            assert together.release(view, grants=grants, approved=approved)[0] == alone
