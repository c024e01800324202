"""Sign-in links: who they let in, once, for how long; and that all other secrets come to the same nothing."""

from __future__ import annotations

from typing import Any

import pytest
from nations import Coalition
from personnel import PASSWORD, hire

from aldis.kernel.authority import Role
from aldis.kernel.errors import InvalidInput, NotAuthentic, UnknownTerm
from aldis.kernel.ledger import decode_leaf
from aldis.node.node import Node
from aldis.node.people import LINK_MIN, Account, first_level

MINUTE = 60_000


@pytest.fixture
def aus(strangers: Coalition) -> Node:
    return strangers["aus"]


def boss(**fields: Any) -> Account:
    given: dict[str, Any] = {"id": "pat", "name": "Keeper", "nationality": "AUS", "clearance": {"AUS": "SECRET"},
                             "roles": [Role.ADMINISTRATOR]}  # fmt: skip
    return Account(**(given | fields))


def enter(node: Node, secret: str) -> str:
    return node.people.sessions.who(node.people.links.sign_in(secret, lambda one: first_level(node.core, one))).id


def begin(node: Node, secret: str, account: Account, password: str = PASSWORD) -> str:
    token = node.people.links.begin(secret, account, password, lambda one: first_level(node.core, one))
    return node.people.sessions.who(token).id


def refused(node: Node, secret: str) -> str:
    with pytest.raises(NotAuthentic) as caught:
        enter(node, secret)
    return f"{caught.value} {caught.value.fix}"


def leaves(node: Node) -> list[tuple[str, str, str]]:
    found = [decode_leaf(row.data) for row in node.core.store.ledger.leaves(0, 500)]
    return [(leaf.type, leaf.subject, leaf.verdict) for leaf in found if leaf.type in ("person", "sign-in")]


def test_a_link_lets_the_administrator_in_once_and_the_ledger_says_so(aus: Node) -> None:
    hire(aus, "alice", roles=[Role.ORIGINATOR])
    hire(aus, "pat", roles=[Role.ADMINISTRATOR])
    link = aus.people.links.issue()
    assert link.person == "pat" and enter(aus, link.secret.lower()) == "pat"
    assert leaves(aus)[-3:] == [
        ("person", "pat", "link issued"), ("person", "pat", "link used"), ("sign-in", "pat", "signed in"),
    ]  # fmt: skip
    assert "once" in refused(aus, link.secret)
    assert leaves(aus)[-1] == ("sign-in", "nobody", "refused")


def test_wrong_used_late_replaced_and_foreign_secrets_are_told_apart_by_nothing(strangers: Coalition) -> None:
    aus, gbr = strangers["aus"], strangers["gbr"]
    said = {refused(aus, "")}
    for node, party in ((aus, "AUS"), (gbr, "GBR")):
        policy = node.core.config.policy
        hire(node, "pat", nationality=party, clearance={policy: "SECRET"}, roles=[Role.ADMINISTRATOR])
    said |= {refused(aus, gbr.people.links.issue().secret), refused(aus, "A" * 24), refused(aus, "é\ud800")}
    first, second = aus.people.links.issue().secret, aus.people.links.issue().secret
    said |= {refused(aus, first)}
    for place in (0, 8, 26):
        other = "A" if second[place] != "A" else "B"
        said |= {refused(aus, second[:place] + other + second[place + 1 :])}
    strangers.clock.at += LINK_MIN * MINUTE - 1
    assert enter(aus, second) == "pat"
    third = aus.people.links.issue().secret
    strangers.clock.at += LINK_MIN * MINUTE
    said |= {refused(aus, third), refused(aus, second)}
    assert len(said) == 1 and "aldis up --link" in said.pop()


def test_whoever_is_suspended_or_no_administrator_any_more_is_not_let_in(aus: Node) -> None:
    hire(aus, "pat", roles=[Role.ADMINISTRATOR])
    link = aus.people.links.issue()
    aus.people.suspend("pat", "on leave")
    refused(aus, link.secret)
    with pytest.raises(UnknownTerm, match="active"):
        aus.people.links.issue()
    aus.people.resume("pat", "back")
    link = aus.people.links.issue()
    aus.people.set(boss(roles=[Role.ORIGINATOR]))
    refused(aus, link.secret)


def test_the_secret_is_nowhere_in_the_store(aus: Node) -> None:
    hire(aus, "pat", roles=[Role.ADMINISTRATOR])
    secret = aus.people.links.issue().secret
    aus.close()
    held = b"".join(path.read_bytes() for path in aus.core.home.path.glob("store.db*"))
    assert secret.encode() not in held and secret.replace("-", "").encode() not in held


def test_where_nobody_administers_a_link_makes_the_first_administrator_and_no_second(aus: Node) -> None:
    hire(aus, "alice", roles=[Role.ORIGINATOR])
    link = aus.people.links.issue()
    assert link.person == ""
    refused(aus, link.secret)  # it lets nobody in who is there
    for account in (boss(id="alice"), boss(roles=[Role.ORIGINATOR]), boss(nationality="GBR")):
        with pytest.raises(InvalidInput):
            begin(aus, link.secret, account)
    with pytest.raises(UnknownTerm):
        begin(aus, link.secret, boss(clearance={"AUS": "HIGH"}))
    with pytest.raises(InvalidInput, match="password"):
        begin(aus, link.secret, boss(), "short")
    with pytest.raises(NotAuthentic):
        begin(aus, "A" * 24, boss())
    assert begin(aus, link.secret, boss()) == "pat"
    aus.people.sign_in("pat", PASSWORD)
    with pytest.raises(NotAuthentic):
        begin(aus, link.secret, boss(id="second"))
    assert [one.id for one in aus.people.all()] == ["alice", "pat"]


def test_a_link_to_make_the_first_is_void_once_there_is_one(aus: Node) -> None:
    link = aus.people.links.issue()
    hire(aus, "olive", roles=[Role.ADMINISTRATOR])
    with pytest.raises(NotAuthentic):
        begin(aus, link.secret, boss())
    assert [one.id for one in aus.people.all()] == ["olive"]
