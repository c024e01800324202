"""People: who may work here, what they are cleared for, their codes and sessions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from aldis.app import Go
from aldis.interfaces.web.door import View
from aldis.interfaces.web.duties import allowed
from aldis.interfaces.web.forms import Fields
from aldis.interfaces.web.frame import Frame
from aldis.interfaces.web.pages.accounts import account_of, fields_of, until_of
from aldis.interfaces.web.pages.sessions import line_of
from aldis.interfaces.web.visit import Sheet, Visit
from aldis.kernel.authority import Act, Role
from aldis.kernel.errors import InvalidInput
from aldis.node.people import Account

__all__ = ["views"]

_DONE = {"changed": "Changed.", "suspended": "Suspended: their sessions are over.", "resumed": "Active again.",
         "revoked": "Their sessions are over.", "ended": "That session is over.", "extended": "Extended."}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Line:
    """A person in the list; `orphan` is a guest for whom nobody answers who works here now."""

    account: Account
    clearance: str
    state: str
    stands: bool
    orphan: bool


def views(_frame: Frame) -> Sequence[View]:
    """The list, a new account, one account and what is done to it."""
    need = Act.PEOPLE
    return [
        View("/people", _list, need=need),
        View("/people/new", _new_page, _add, need=need),
        View("/people/{person}", _page, _set, need=need),
        View("/people/{person}/suspend", _page, _suspend, need=need, reads=False),
        View("/people/{person}/resume", _page, _resume, need=need, reads=False),
        View("/people/{person}/revoke", _page, _revoke, need=need, reads=False),
        View("/people/{person}/end", _page, _end, need=need, reads=False),
        View("/people/{person}/extend", _page, _extend, need=need, reads=False),
        View("/people/{person}/code", _page, _code, need=need, reads=False),
    ]


def _list(visit: Visit) -> Sheet:
    people, guests = visit.node.people, visit.query.get("only") == "guests"
    every = people.all(visit.who)
    here = {account.id for account in every if account.stands(visit.at)}
    found = [_line(visit, account, here) for account in every if not guests or Role.GUEST in account.roles]
    values = {"found": found, "guests": guests, "duties": allowed()}
    return Sheet("people.html", "Guests" if guests else "People", values, [visit.routine])


def _line(visit: Visit, account: Account, here: set[str]) -> _Line:
    stands = account.id in here
    state = "active" if visit.node.people.enrolled(account.id) else "not enrolled yet"
    return _Line(
        account,
        _words(account.clearance),
        state if stands else "over" if account.active else "suspended",
        stands,
        Role.GUEST in account.roles and account.sponsor not in here,
    )


def _new_page(visit: Visit) -> Sheet:
    account = Account(id="", name="", nationality=visit.node.core.party, clearance={})
    if visit.query.get("role") == Role.GUEST.value:
        account = msgspec.structs.replace(account, roles=[Role.GUEST], sponsor=visit.who.id, kinds=[])
    return Sheet("person_new.html", "New person", {**fields_of(visit, account), "code": ""}, [visit.routine])


def _page(visit: Visit) -> Sheet:
    account = visit.node.people.get(visit.segments["person"])
    values = {
        **fields_of(visit, account),
        "enrolled": visit.node.people.enrolled(account.id),
        "sessions": [line_of(visit, row) for row in visit.node.people.sessions.of(account.id)],
        "guest": Role.GUEST in account.roles,
        "stands": account.stands(visit.at),
        "done": _DONE.get(visit.query.get("done"), ""),
    }
    return Sheet("person.html", account.name, values, [visit.routine])


def _add(visit: Visit) -> Sheet:
    account = account_of(visit, visit.form.get("id").strip(), active=True)
    code = visit.node.people.add(account, visit.who)
    return Sheet("code.html", "New person", {"account": account, "code": code}, [visit.routine])


def _set(visit: Visit) -> Go:
    before = visit.node.people.get(visit.segments["person"])
    visit.node.people.set(account_of(visit, before.id, active=before.active), visit.who)
    return _back(before.id, "changed")


def _suspend(visit: Visit) -> Go:
    visit.node.people.suspend(visit.segments["person"], _because(visit), visit.who)
    return _back(visit.segments["person"], "suspended")


def _resume(visit: Visit) -> Go:
    visit.node.people.resume(visit.segments["person"], _because(visit), visit.who)
    return _back(visit.segments["person"], "resumed")


def _revoke(visit: Visit) -> Go:
    visit.node.people.revoke(visit.segments["person"], visit.who)
    return _back(visit.segments["person"], "revoked")


def _end(visit: Visit) -> Go:
    visit.node.people.end_session(visit.segments["person"], visit.form.get("session"), visit.who)
    return _back(visit.segments["person"], "ended")


def _extend(visit: Visit) -> Go:
    account, until = visit.node.people.get(visit.segments["person"]), until_of(visit.form.get("until"))
    if until <= visit.at:
        raise InvalidInput("that day has passed, or none was named", fix="Name today or a later day")
    visit.node.people.set(msgspec.structs.replace(account, until=until), visit.who)
    return _back(account.id, "extended")


def _code(visit: Visit) -> Sheet:
    account = visit.node.people.get(visit.segments["person"])
    code = visit.node.people.new_code(account.id, visit.who)
    return Sheet("code.html", "New code", {"account": account, "code": code}, [visit.routine])


def _because(visit: Visit) -> str:
    because = visit.form.get("because").strip()
    if not because:
        raise InvalidInput("that needs a reason", fix="Say why: it stands in the ledger")
    return because


def _back(person: str, done: str) -> Go:
    return Go(Fields.address(f"/people/{person}", done=done))


def _words(level: dict[str, str]) -> str:
    return ", ".join(f"{policy} {rung}" for policy, rung in level.items())
