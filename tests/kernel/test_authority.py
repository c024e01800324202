"""Authority: what each role lets a person do, and which roles nobody has together."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aldis.kernel.authority import AUTHORITY, Act, Role, check_roles, may
from aldis.kernel.errors import InvalidInput

roles = st.frozensets(st.sampled_from(Role))
acts = st.sampled_from(Act)


def test_every_act_belongs_to_some_role_and_every_role_is_in_the_table() -> None:
    assert set(AUTHORITY) == set(Role)
    assert frozenset().union(*AUTHORITY.values()) == set(Act)


def test_the_table_says_who_may_do_what() -> None:
    who = {act: {role.value for role in Role if may([role], act)} for act in Act}
    assert who[Act.PUT] == who[Act.REVISE] == who[Act.DELETE] == {"originator"}
    assert who[Act.RULE] == who[Act.HOLD] == who[Act.LIFT] == who[Act.RECALL] == {"release-officer"}
    assert who[Act.OFFER] == {"originator", "release-officer"}
    assert who[Act.PEOPLE] == who[Act.CONFIGURE] == {"administrator"}
    assert who[Act.READ_LEDGER] == who[Act.INQUIRE] == {"auditor"}
    assert who[Act.PARTNERS] == who[Act.QUARANTINE] == who[Act.SIGN] == {"security-officer"}
    assert who[Act.DRAFT] == {"release-officer"}


@given(roles, acts)
def test_one_more_role_never_takes_an_act_away_but_a_guest_may_do_nothing(some: frozenset[Role], act: Act) -> None:
    assert not may([], act)
    assert not may(some | {Role.GUEST}, act)
    for role in set(Role) - {Role.GUEST}:
        if may(some, act):
            assert may(some | {role}, act)


@given(roles.filter(lambda some: Role.GUEST in some and len(some) > 1))
def test_a_guest_has_no_other_role(some: frozenset[Role]) -> None:
    with pytest.raises(InvalidInput, match="guest"):
        check_roles(some)


@pytest.mark.parametrize("other", [Role.ADMINISTRATOR, Role.RELEASE_OFFICER, Role.SECURITY_OFFICER])
def test_nobody_audits_what_they_do(other: Role) -> None:
    with pytest.raises(InvalidInput, match="auditor"):
        check_roles(frozenset({Role.AUDITOR, other}))
    check_roles(frozenset({other}))
