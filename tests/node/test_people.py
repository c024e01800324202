"""People sign in: enrolment, lockout, sessions, levels; what nobody outside can tell, and what ends at once."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from typing import Any

import apsw
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from nations import Coalition
from personnel import GUEST, PASSWORD, hire, said, signed_in

from aldis.kernel.authority import Role
from aldis.kernel.errors import InvalidInput, NotAuthentic, RefusedByPolicy, Unavailable, UnknownTerm
from aldis.kernel.ledger import decode_leaf
from aldis.kernel.policies import builtin
from aldis.node.node import Node
from aldis.node.people import Account, Cost, Passwords
from aldis.node.people.levels import level_in_force
from aldis.testing.clock import START

SECOND = 1000


@pytest.fixture
def aus(strangers: Coalition) -> Node:
    return strangers["aus"]


def refusal(node: Node, who: str, password: str = PASSWORD, **level: str) -> tuple[type, str, str]:
    with pytest.raises(NotAuthentic) as caught:
        node.people.sign_in(who, password, level)
    return said(caught.value, who)


def leaves(node: Node, kind: str) -> list[tuple[str, str]]:
    found = [decode_leaf(row.data) for row in node.core.store.ledger.leaves(0, 500)]
    return [(leaf.subject, leaf.verdict) for leaf in found if leaf.type == kind]


def stored(node: Node) -> bytes:
    node.close()
    return b"".join(path.read_bytes() for path in node.core.home.path.glob("store.db*"))


# accounts


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"id": "Al Ice"}, InvalidInput), ({"id": "person:x"}, InvalidInput), ({"name": " "}, InvalidInput),
        ({"name": "a\nb"}, InvalidInput), ({"nationality": "XXX"}, UnknownTerm),
        ({"clearance": {"AUS": "HIGH"}}, UnknownTerm),
        ({"clearance": {"UK": "SECRET"}}, InvalidInput), ({"categories": {"Nonsense": ["X"]}}, UnknownTerm),
        ({"roles": [Role.GUEST, Role.AUDITOR]}, InvalidInput),
        ({"roles": [Role.GUEST], "kinds": ["document"]}, InvalidInput),
        ({"roles": [Role.GUEST], "projects": ["P"]}, InvalidInput),
    ],
)  # fmt: skip
def test_an_account_that_makes_no_sense_is_refused(aus: Node, fields: dict[str, Any], error: type) -> None:
    given = {"id": "alice", "name": "Alice", "nationality": "AUS", "clearance": {"AUS": "SECRET"}, "projects": ["*"]}
    with pytest.raises(error):
        aus.people.add(Account(**(given | fields)))
    assert aus.people.all() == []


def test_an_id_is_given_once(aus: Node) -> None:
    hire(aus, "alice")
    with pytest.raises(InvalidInput, match="already"):
        hire(aus, "alice", name="Another")
    assert aus.people.get("alice").name == "Alice"


# enrolment


def test_a_code_opens_once_and_only_for_its_person_and_only_in_time(strangers: Coalition, aus: Node) -> None:
    hire(aus, "bob")
    code = aus.people.new_code("bob")
    with pytest.raises(NotAuthentic):
        aus.people.enrol("alice", code, PASSWORD)
    aus.people.enrol("bob", code.lower().replace("-", " "), "another long password")
    with pytest.raises(NotAuthentic):
        aus.people.enrol("bob", code, PASSWORD)
    assert aus.people.sign_in("bob", "another long password")
    late = aus.people.new_code("bob")
    strangers.clock.at += 72 * 3600 * SECOND
    with pytest.raises(NotAuthentic):
        aus.people.enrol("bob", late, PASSWORD)


def test_without_a_password_no_code_or_blank_opens_anything(aus: Node) -> None:
    hire(aus, "bob")
    code = aus.people.add(Account(id="new", name="New", nationality="AUS", clearance={"AUS": "SECRET"}))
    for word in (code, "", "nobody", code.replace("-", "")):
        refusal(aus, "new", word)


def test_a_weak_password_is_refused_before_anything_else(aus: Node) -> None:
    code = aus.people.add(Account(id="new", name="New", nationality="AUS", clearance={"AUS": "SECRET"}))
    for weak in ("short", "aaaaaaaaaaaaaaaa", "x" * 2000):
        with pytest.raises(InvalidInput):
            aus.people.enrol("new", code, weak)


def test_neither_password_nor_code_nor_token_is_kept(aus: Node) -> None:
    hire(aus, "alice")
    code = aus.people.new_code("alice")
    token = aus.people.sign_in("alice", PASSWORD)
    data = stored(aus)
    assert b"$argon2id$" in data
    for secret in (PASSWORD, code, code.replace("-", ""), token):
        assert secret.encode() not in data


# signing in


def test_unknown_wrong_suspended_and_not_enrolled_are_told_apart_by_nothing(aus: Node) -> None:
    for name in ("alice", "bob"):
        hire(aus, name)
    aus.people.suspend("bob", "left")
    aus.people.add(Account(id="carol", name="Carol", nationality="AUS", clearance={"AUS": "SECRET"}))
    names = ("alice", "bob", "carol", "nobody", "", "\ud800", "x" * 9999)
    answers = {refusal(aus, name, "not the password") for name in names}
    answers |= {refusal(aus, "bob"), refusal(aus, "alice", "\ud800" * 12), refusal(aus, "alice", "x" * 5000)}
    assert len(answers) == 1


def test_an_unknown_name_costs_a_whole_check_too(aus: Node) -> None:
    class Counting(Passwords):
        checks = 0

        def fits(self, password: str, kept: str) -> bool:
            self.checks += 1
            return super().fits(password, kept)

    hire(aus, "alice")
    counting = aus.people.passwords = Counting(aus.core.random, Cost(32, 1, 4))
    for name in ("alice", "nobody"):
        for _ in range(6):
            refusal(aus, name, "not the password")
    assert counting.checks == 12
    rows = aus.core.store.people
    assert rows.attempt(aus.people._name("alice")) == rows.attempt(aus.people._name("nobody"))


def test_failures_lock_a_name_for_longer_and_longer_whoever_has_it(strangers: Coalition, aus: Node) -> None:
    hire(aus, "alice")
    for _ in range(3):
        refusal(aus, "alice", "wrong")
    refusal(aus, "alice")
    strangers.clock.at += 1 * SECOND
    refusal(aus, "alice", "wrong")
    strangers.clock.at += 1 * SECOND
    refusal(aus, "alice")
    strangers.clock.at += 1 * SECOND
    assert aus.people.sign_in("alice", PASSWORD)
    for _ in range(2):
        refusal(aus, "alice", "wrong")
    assert aus.people.sign_in("alice", PASSWORD), "a success forgives"
    for _ in range(40):
        refusal(aus, "alice", "wrong")
        strangers.clock.at += 15 * 60 * SECOND
    assert aus.people.sign_in("alice", PASSWORD), "never longer than 15 minutes"


def test_tries_that_are_locked_out_do_not_lengthen_the_lock(strangers: Coalition, aus: Node) -> None:
    hire(aus, "alice")
    for _ in range(50):
        refusal(aus, "alice", "wrong")
    strangers.clock.at += 1 * SECOND
    assert aus.people.sign_in("alice", PASSWORD)


def test_codes_are_guessed_no_faster_than_passwords(aus: Node) -> None:
    hire(aus, "alice")
    code = aus.people.new_code("alice")
    for _ in range(3):
        with pytest.raises(NotAuthentic):
            aus.people.enrol("alice", "AAAAAA-AAAAAA-AAAAAA-AAAAAA", PASSWORD)
    with pytest.raises(NotAuthentic):
        aus.people.enrol("alice", code, PASSWORD)


def test_the_ledger_tells_of_every_sign_in_and_never_repeats_a_name_that_nobody_has(aus: Node) -> None:
    hire(aus, "alice")
    refusal(aus, "my-own-password")
    refusal(aus, "alice", "wrong")
    aus.people.sign_in("alice", PASSWORD)
    aus.people.suspend("alice", "left")
    assert leaves(aus, "sign-in") == [("nobody", "refused"), ("alice", "refused"), ("alice", "signed in")]
    assert leaves(aus, "person") == [("alice", "added"), ("alice", "enrolled"), ("alice", "suspended")]
    assert b"my-own-password" not in stored(aus)


# sessions


def over(node: Node, token: str) -> bool:
    try:
        node.people.sessions.who(token)
    except NotAuthentic:
        return True
    return False


def test_a_session_ends_when_idle_and_in_any_case(strangers: Coalition, aus: Node) -> None:
    hire(aus, "alice")
    token, other = (aus.people.sign_in("alice", PASSWORD) for _ in range(2))
    for _ in range(23):
        strangers.clock.at += 29 * 60 * SECOND
        assert not over(aus, token)
    assert over(aus, other)
    strangers.clock.at = START + 12 * 3600 * SECOND
    assert over(aus, token)
    assert aus.people.sessions.of("alice") == []


def test_who_asks_waits_for_nobody_who_writes(strangers: Coalition, aus: Node) -> None:
    hire(aus, "alice")
    token = aus.people.sign_in("alice", PASSWORD)
    strangers.clock.at += 60 * SECOND

    def used() -> int:
        pool = ThreadPoolExecutor(1)
        assert pool.submit(aus.people.sessions.who, token).result(timeout=4).id == "alice"
        pool.shutdown()
        return aus.people.sessions.of("alice")[0].used

    with aus.core.store.transaction():
        assert used() == START
    with closing(apsw.Connection(str(aus.core.home.store))) as other:
        other.execute("BEGIN IMMEDIATE")
        assert used() == START
        other.execute("ROLLBACK")
    assert used() == START + 60 * SECOND
    strangers.clock.at += 60 * SECOND
    with aus.core.store.transaction():
        aus.people.sessions.who(token)  # a part of the transaction
    assert aus.people.sessions.of("alice")[0].used == strangers.clock.at


@pytest.mark.parametrize("how", ["suspend", "revoke", "set", "enrol", "sign_out", "resumed"])
def test_what_ends_a_session_ends_it_for_the_very_next_request_at_every_process(
    strangers: Coalition, aus: Node, how: str
) -> None:
    hire(aus, "alice")
    token = aus.people.sign_in("alice", PASSWORD)
    elsewhere = Node.open(aus.core.home.path, clock=strangers.clock, environment={}, apps=aus.apps)
    assert not over(aus, token) and not over(elsewhere, token)
    people = elsewhere.people
    if how == "suspend":
        people.suspend("alice", "left")
    elif how == "revoke":
        assert people.revoke("alice") == 1
    elif how == "set":
        people.set(Account(id="alice", name="A", nationality="AUS", clearance={"AUS": "SECRET"}, active=False))
    elif how == "enrol":
        people.enrol("alice", people.new_code("alice"), "another long password")
    elif how == "sign_out":
        people.sessions.sign_out(token)
    else:
        people.suspend("alice", "away")
        people.resume("alice", "back")
    assert over(aus, token)
    elsewhere.close()


def test_a_token_that_was_never_given_out_opens_nothing(aus: Node) -> None:
    hire(aus, "alice")
    token = aus.people.sign_in("alice", PASSWORD)
    digest = aus.people.sessions.of("alice")[0].token.hex()
    for guess in ("", token[:-1], token + "A", token.lower(), digest, "\ud800", "alice"):
        assert over(aus, guess), guess


def test_what_is_taken_from_an_account_is_taken_from_its_sessions(aus: Node) -> None:
    hire(aus, "alice", clearance={"AUS": "SECRET", "UK": "SECRET"}, roles=[Role.RELEASE_OFFICER])
    token = aus.people.sign_in("alice", PASSWORD)
    less = {"AUS": "OFFICIAL", "UK": "OFFICIAL"}
    aus.people.set(Account(id="alice", name="A", nationality="AUS", clearance=less, projects=["P"]))
    person = aus.people.sessions.who(token)
    assert person.level == {"AUS": "OFFICIAL", "UK": "OFFICIAL"}
    assert person.account.roles == []
    assert person.recipient.projects == {"P", ""}


def test_a_clearance_that_rises_does_not_raise_a_session(aus: Node) -> None:
    hire(aus, "alice", clearance={"AUS": "OFFICIAL"})
    token = aus.people.sign_in("alice", PASSWORD)
    aus.people.set(Account(id="alice", name="A", nationality="AUS", clearance={"AUS": "SECRET"}))
    assert aus.people.sessions.who(token).level == {"AUS": "OFFICIAL"}


# levels


def test_nobody_works_above_their_clearance_or_the_node(strangers: Coalition, aus: Node) -> None:
    hire(aus, "alice", clearance={"AUS": "PROTECTED"})
    hire(aus, "bob", clearance={"AUS": "TOP SECRET"})
    for name, rung in (("alice", "SECRET"), ("bob", "TOP SECRET")):
        with pytest.raises(RefusedByPolicy, match="above"):
            aus.people.sign_in(name, PASSWORD, {"AUS": rung})
    with pytest.raises(UnknownTerm):
        aus.people.sign_in("alice", PASSWORD, {"UK": "OFFICIAL"})
    with pytest.raises(UnknownTerm):
        aus.people.sign_in("alice", PASSWORD, {"AUS": "HIGH"})
    assert signed_in(aus, "bob").level == {"AUS": "SECRET"}, "the node's ceiling"
    assert aus.people.sign_in("alice", PASSWORD), "a level refused is no failed try"


def test_another_level_is_another_token(aus: Node) -> None:
    hire(aus, "alice")
    token = aus.people.sign_in("alice", PASSWORD)
    with pytest.raises(RefusedByPolicy):
        aus.people.sessions.change_level(token, {"AUS": "TOP SECRET"})
    assert not over(aus, token)
    lower = aus.people.sessions.change_level(token, {"AUS": "OFFICIAL"})
    assert over(aus, token)
    assert aus.people.sessions.who(lower).level == {"AUS": "OFFICIAL"}
    with pytest.raises(NotAuthentic):
        aus.people.sessions.change_level(token, {})


policies = builtin()


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_a_level_is_never_above_clearance_ceiling_or_choice_and_covers_every_policy(data: st.DataObject) -> None:
    def rung(name: str) -> str:
        return data.draw(st.sampled_from([one.name for one in policies.policy(name).ladder]))

    own = data.draw(st.sampled_from(sorted(set(policies.names) - {"TLP"})))
    held = data.draw(st.sets(st.sampled_from(sorted(policies.names)))) | {own}
    clearance = {name: rung(name) for name in held}
    chosen = {name: rung(name) for name in held if data.draw(st.booleans())}
    ceiling = rung(own)
    level = level_in_force(clearance, chosen, own, ceiling, policies, START)
    assert level.keys() == clearance.keys()
    for name, found in level.items():
        rank = policies.policy(name).rank
        assert rank(found) <= rank(clearance[name])
        assert name not in chosen or rank(found) <= rank(chosen[name])
    assert policies.policy(own).rank(level[own]) <= policies.policy(own).rank(ceiling)


def test_a_guest_is_only_a_guest(aus: Node) -> None:
    hire(aus, "acme", roles=[GUEST], projects=["P"], kinds=["document"])
    guest = aus.people.get("acme")
    with pytest.raises(InvalidInput):
        aus.people.set(replace(guest, projects=["*"]))


def test_few_passwords_are_checked_at_once_and_who_waits_in_vain_is_not_counted(aus: Node) -> None:
    node = aus
    hire(node, "alice")
    with ExitStack() as taken:
        taken.enter_context(node.people.passwords.turn())
        with pytest.raises(Unavailable), node.people.passwords.turn(0.01):
            pass
        node.people.passwords = Impatient(node.core.random, Cost(32, 1, 4))
        for _ in range(20):
            with pytest.raises(Unavailable, match="at once"):
                node.people.sign_in("alice", PASSWORD)
            with pytest.raises(Unavailable):
                node.people.enrol("alice", "x", PASSWORD)
    assert node.people.sessions.who(node.people.sign_in("alice", PASSWORD)).id == "alice"


class Impatient(Passwords):
    """Waits for no turn."""

    @contextmanager
    def turn(self, wait_s: float = 0.0) -> Iterator[None]:
        with super().turn(0.0):
            yield
