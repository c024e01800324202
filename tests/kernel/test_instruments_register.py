"""Which instruments are in force: signatures, dates, notices, versions, parents."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from release_reference import standing
from worlds import DAY, day, make_world

from aldis.kernel.encoding import sha256
from aldis.kernel.errors import UnknownTerm
from aldis.kernel.instruments import (
    Clause,
    Effect,
    Entry,
    Form,
    Instrument,
    Instruments,
    Notice,
    State,
    cosign_message,
)

THREE = frozenset({"AUS", "GBR", "USA"})
START, END = day("2026-01-01"), day("2027-01-01")
NOON = day("2026-06-01")


def entry(
    name: str = "pa",
    version: int = 1,
    parties: frozenset[str] = THREE,
    signed: frozenset[str] | None = None,
    **more: object,
) -> Entry:
    clause = Clause("1", parties, parties, purposes=frozenset({"survey"}), ceiling=(("AUS", "SECRET"),))
    instrument = Instrument(Form.ARRANGEMENT, name, name, parties, START, END, (clause,))
    instrument = replace(instrument, **more)  # type: ignore[arg-type]
    return Entry(instrument, sha256(f"{name}{version}".encode()), version, parties if signed is None else signed)


def parties_at(instruments: Instruments, at: int, name: str = "pa") -> frozenset[str] | None:
    found = instruments.standing(name, at)
    return found.parties if found else None


def test_dates_are_utc_days_and_the_last_is_included() -> None:
    here = Instruments((entry(),))
    assert parties_at(here, START - 1) is None
    assert parties_at(here, START) == THREE
    assert parties_at(here, END - 1) == THREE
    assert parties_at(here, END) is None


@pytest.mark.parametrize("missing", sorted(THREE))
def test_one_missing_signature_keeps_it_out_of_force(missing: str) -> None:
    here = Instruments((entry(signed=THREE - {missing}),))
    assert parties_at(here, NOON) is None
    status = here.status("pa", NOON)
    assert (status.state, status.missing) == (State.UNSIGNED, (missing,))
    assert f"{missing} has yet to sign" in status.text


def test_a_signature_of_a_stranger_does_not_count() -> None:
    assert parties_at(Instruments((entry(signed=frozenset({"AUS", "GBR", "FRA"})),)), NOON) is None


def test_an_older_version_stands_until_the_newer_is_fully_signed() -> None:
    old, new = entry(), entry(version=2, signed=frozenset({"AUS"}))
    here = Instruments((old, new))
    assert here.standing("pa", NOON).entry == old  # type: ignore[union-attr]
    assert here.status("pa", NOON).text.endswith("version 2 waits for GBR, USA to sign")
    signed = here.with_entry(replace(new, signed=THREE))
    assert signed.standing("pa", NOON).entry.version == 2  # type: ignore[union-attr]
    assert signed.state(old, NOON) is State.REPLACED


def test_an_older_version_stands_until_the_newer_begins() -> None:
    later = entry(version=2, start=NOON)
    here = Instruments((entry(), later))
    assert here.standing("pa", NOON - 1).entry.version == 1  # type: ignore[union-attr]
    assert here.standing("pa", NOON).entry.version == 2  # type: ignore[union-attr]


def test_a_newer_version_that_has_expired_does_not_revive_an_older_one() -> None:
    here = Instruments((entry(), entry(version=2, end=NOON)))
    assert parties_at(here, NOON) is None


def test_termination_ends_it_for_all_from_its_date_on() -> None:
    here = Instruments((entry(),), (Notice("pa", "GBR", Effect.TERMINATE, NOON, 1),))
    assert parties_at(here, NOON - 1) == THREE
    assert parties_at(here, NOON) is None
    assert here.status("pa", NOON).state is State.TERMINATED


def test_a_stranger_cannot_terminate_it() -> None:
    here = Instruments((entry(),), (Notice("pa", "FRA", Effect.TERMINATE, NOON, 1),))
    assert parties_at(here, NOON) == THREE


def test_one_party_leaves_and_the_rest_continue_while_two_remain() -> None:
    here = Instruments((entry(),), (Notice("pa", "USA", Effect.LEAVE, NOON, 1),))
    assert parties_at(here, NOON - 1) == THREE
    assert parties_at(here, NOON) == frozenset({"AUS", "GBR"})
    alone = here.with_notice(Notice("pa", "GBR", Effect.LEAVE, NOON + DAY, 1))
    assert parties_at(alone, NOON + DAY) is None
    assert alone.status("pa", NOON + DAY).state is State.ALONE


def test_joining_is_a_version_that_the_newcomer_and_all_others_sign() -> None:
    two = frozenset({"AUS", "GBR"})
    old = entry(parties=two)
    joined = entry(version=2, signed=two)
    assert parties_at(Instruments((old, joined)), NOON) == two
    assert parties_at(Instruments((old, replace(joined, signed=THREE))), NOON) == THREE


def test_a_party_that_left_may_join_again() -> None:
    left = Notice("pa", "USA", Effect.LEAVE, NOON, 1)
    assert parties_at(Instruments((entry(), entry(version=2)), (left,)), NOON) == THREE


def test_a_child_stands_only_while_its_parent_does_with_the_same_parties() -> None:
    child, parent = entry("child", under="pa"), entry()
    assert parties_at(Instruments((child,)), NOON, "child") is None
    assert parties_at(Instruments((child, parent)), NOON, "child") == THREE
    assert parties_at(Instruments((child, replace(parent, signed=frozenset()))), NOON, "child") is None
    narrow = entry(parties=frozenset({"AUS", "GBR"}))
    orphan = Instruments((child, narrow))
    assert parties_at(orphan, NOON, "child") is None
    assert orphan.status("child", NOON).state is State.ORPHANED
    left = Instruments((child, parent), (Notice("pa", "USA", Effect.LEAVE, NOON, 1),))
    assert parties_at(left, NOON, "child") is None


def test_instruments_under_each_other_are_not_in_force() -> None:
    here = Instruments((entry("a", under="b"), entry("b", under="a"), entry("c", under="c")))
    assert here.in_force(NOON) == ()


def test_a_cosignature_is_over_one_version_and_one_party() -> None:
    one, other = sha256(b"1"), sha256(b"2")
    assert len({cosign_message(d, p) for d in (one, other) for p in ("AUS", "GBR")}) == 4


def test_an_unknown_instrument_is_named() -> None:
    with pytest.raises(UnknownTerm, match="no instrument 'pb'"):
        Instruments().status("pb", NOON)


@settings(deadline=None)
@given(st.integers(0, 100_000))
def test_in_force_agrees_with_the_reference(seed: int) -> None:
    world = make_world(Random(seed))
    for at in world.instants:
        expected = {name: standing(world.epoch, name, at) for name in world.epoch.instruments.ids()}
        found = {s.instrument.id: s.entry for s in world.epoch.instruments.in_force(at)}
        assert found == {name: e for name, e in expected.items() if e is not None}


@settings(deadline=None)
@given(st.integers(0, 100_000))
def test_what_is_in_force_changes_only_at_a_boundary(seed: int) -> None:
    here = make_world(Random(seed)).epoch.instruments
    bounds = here.boundaries()
    for start, end in pairwise(bounds):
        assert here.in_force(start) == here.in_force((start + end) // 2) == here.in_force(end - 1)


@settings(deadline=None)
@given(st.integers(0, 100_000))
def test_the_order_in_which_versions_and_notices_arrive_does_not_matter(seed: int) -> None:
    here = make_world(Random(seed)).epoch.instruments
    assert Instruments(here.entries[::-1], here.notices[::-1]) == here
