"""Sessions: one's own for everybody, with what roles allow; everybody's for administrators; each can be ended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from aldis.app import Go
from aldis.interfaces.cli.text import ago
from aldis.interfaces.web.door import View
from aldis.interfaces.web.duties import allowed
from aldis.interfaces.web.forms import Fields
from aldis.interfaces.web.frame import Frame
from aldis.interfaces.web.visit import Sheet, Visit
from aldis.kernel.authority import Act
from aldis.kernel.errors import InvalidInput
from aldis.node.store import SessionRow

__all__ = ["Line", "line_of", "views"]

_DONE = {"ended": "Ended.", "others": "Every other session of yours is over."}


@dataclass(frozen=True, slots=True)
class Line:
    """A session as a list shows it; `here` is the one that asks."""

    id: str
    person: str
    level: str
    began: int
    used: int
    lately: str
    here: bool


def views(_frame: Frame) -> Sequence[View]:
    """One's own, and everybody's."""
    return [
        View("/sessions", _own, _end),
        View("/sessions/all", _all, _end_any, need=Act.PEOPLE),
    ]


def line_of(visit: Visit, row: SessionRow) -> Line:
    """A session as whoever asks may see it: their own, or as an administrator."""
    sessions = visit.node.people.sessions
    id_ = sessions.id_of(row)
    level = ", ".join(f"{policy} {rung}" for policy, rung in msgspec.json.decode(row.level).items())
    here = id_ == sessions.current(visit.token)
    return Line(id_, row.person, level, row.began, row.used, ago(row.used, visit.at), here)


def _own(visit: Visit) -> Sheet:
    account = visit.who.account
    config = visit.node.core.config
    values = {
        "sessions": [line_of(visit, row) for row in visit.node.people.sessions.of(account.id)],
        "account": account,
        "acts": visit.may(Act.PEOPLE),
        "clearance": ", ".join(f"{policy} {rung}" for policy, rung in account.clearance.items()),
        "duties": allowed(account.roles),
        "idle": config.session_idle_min,
        "hours": config.session_h,
        "done": _DONE.get(visit.query.get("done"), ""),
    }
    return Sheet("sessions.html", "Your sessions", values, [visit.routine])


def _end(visit: Visit) -> Go:
    people, who, here = visit.node.people, visit.who, visit.node.people.sessions.current(visit.token)
    if visit.form.get("do") == "others":
        for row in people.sessions.of(who.id):
            if (id_ := people.sessions.id_of(row)) != here:
                people.end_session(who.id, id_, who)
        return Go(Fields.address("/sessions", done="others"))
    people.end_session(who.id, _named(visit), who)
    return Go(Fields.address("/sessions", done="ended"))


def _all(visit: Visit) -> Sheet:
    rows = visit.node.people.open_sessions(None, visit.who)
    names = {account.id: account.name for account in visit.node.people.all(visit.who)}
    values = {
        "sessions": [line_of(visit, row) for row in rows],
        "names": names,
        "done": _DONE.get(visit.query.get("done"), ""),
    }
    return Sheet("sessions_all.html", "Sessions", values, [visit.routine])


def _end_any(visit: Visit) -> Go:
    visit.node.people.end_session(visit.form.get("person"), _named(visit), visit.who)
    return Go(Fields.address("/sessions/all", done="ended"))


def _named(visit: Visit) -> str:
    if not visit.form.get("session"):
        raise InvalidInput("no session was named", fix="Press the button beside the one to end")
    return visit.form.get("session")
