"""Operations on recalls, asked and got, and on what is due by the rules of retention."""

from __future__ import annotations

from itertools import islice
from typing import Annotated

import msgspec

from aldis.interfaces.api.operations import Call, Nothing, Operation, said
from aldis.interfaces.api.reading import Id
from aldis.kernel.authority import Act
from aldis.node.recalls import Asked
from aldis.node.store import Request

__all__ = ["OPERATIONS"]

_MOST_DUE = 1_000


class AskRecall(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The reason, which travels at the lowest classification; with `partner` only that node is asked."""

    id: str
    because: str
    partner: str = ""


class AskedWhom(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The nodes that were asked."""

    asked: list[str]


class RecallStanding(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a recall stands with one node; `asked` is in ms since 1970 UTC, 0 where it was not."""

    node: str
    status: str
    portions: list[str]
    asked: int
    received: bool
    answer: str
    because: str
    passed_on: list[str]


class RecallShown(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who was ever sent a record, who was asked for it back, and what they answered."""

    partners: list[RecallStanding]


class RequestNumber(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A recall that came in, by its number, and the reason for the answer."""

    number: Annotated[int, msgspec.Meta(ge=1, lt=2**53)]
    because: str


class RequestShown(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A recall that came in; `state` is `none`, `waits`, `done` or `refused`; `records` are those it names."""

    number: int
    asker: str
    because: str
    at: int
    state: str
    answer: str
    records: list[str]


class RequestList(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The recalls that came in, oldest first."""

    recalls: list[RequestShown]


class DueShown(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A record whose time is over under a rule; `kept` says why it is kept all the same, if it is."""

    id: str
    version: int
    digest: str
    rule: str
    kept: str


class DueList(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is due of what you may see, at most 1,000; `more` says that there is more of it."""

    due: list[DueShown]
    more: bool


def ask(call: Call, asked: AskRecall) -> AskedWhom:
    """A recall of a record of this node's that the person sees."""
    call.node.records.own(asked.id, call.person)
    return AskedWhom(call.node.recalls.ask(asked.id, said(asked.because), call.person, asked.partner))


def show(call: Call, asked: Id) -> RecallShown:
    """How it stands."""
    record = call.node.records.own(asked.id, call.person)
    rows = call.node.records.versions(record.header.id, call.person)
    names = {portion.digest: portion.name for row in rows for portion in row.record().portions}
    return RecallShown([_standing(one, names) for one in call.node.recalls.show(asked.id, call.person)])


def requests(call: Call, _asked: Nothing) -> RequestList:
    """What partners asked this node to delete."""
    return RequestList([_shown(call, one) for one in call.node.recalls.requests(call.person)])


def comply(call: Call, asked: RequestNumber) -> RequestShown:
    """Its content erased for good."""
    shown = _named(call, asked.number)
    call.node.recalls.comply(asked.number, said(asked.because), call.person)
    call.node.recalls.rewrite()
    call.shower.forget()
    return msgspec.structs.replace(shown, state="done", answer=asked.because)


def refuse(call: Call, asked: RequestNumber) -> RequestShown:
    """Its content kept, and the asker told why."""
    shown = _named(call, asked.number)
    call.node.recalls.refuse(asked.number, said(asked.because), call.person)
    return msgspec.structs.replace(shown, state="refused", answer=asked.because)


def due(call: Call, _asked: Nothing) -> DueList:
    """What retention would delete or erase now."""
    some = [*islice(call.node.retention.due(call.person), _MOST_DUE + 1)]
    rows = [(one.row, one) for one in some[:_MOST_DUE]]
    found = [DueShown(row.id, row.version, row.digest.hex(), str(one.rule), one.kept) for row, one in rows]
    return DueList(found, more=len(some) > _MOST_DUE)


def _standing(one: Asked, names: dict[bytes, str]) -> RecallStanding:
    sent = {digest for release in one.releases for digest in release.portions}
    return RecallStanding(
        node=one.node,
        status=one.status,
        portions=sorted(names[digest] for digest in sent if digest in names),
        asked=one.asked,
        received=one.got,
        answer=one.answer.effect if one.answer else "",
        because=one.answer.because if one.answer else "",
        passed_on=list(one.answer.passed_on) if one.answer else [],
    )


def _named(call: Call, number: int) -> RequestShown:
    return _shown(call, call.node.recalls.request(number, call.person))


def _shown(call: Call, one: Request) -> RequestShown:
    held = {row.id for row in call.node.recalls.covered(one)}
    return RequestShown(one.id, one.asker, one.because, one.at, one.state, one.answer, sorted(held))


_R = "/api/v1/recalls"
OPERATIONS = (
    Operation("POST", "/api/v1/records/{id}/recall", "Ask whoever was sent a record to delete it", AskRecall,
              AskedWhom, ask, act=Act.RECALL),
    Operation("GET", "/api/v1/records/{id}/recall", "Who was sent a record, who was asked for it, what they answered",
              Id, RecallShown, show, act=Act.RECALL),
    Operation("GET", _R, "List what partners asked this node to delete", Nothing, RequestList, requests,
              act=Act.RECALL),
    Operation("POST", _R + "/{number}/comply", "Erase what a recall names, for good", RequestNumber, RequestShown,
              comply, act=Act.RECALL, slow=True),
    Operation("POST", _R + "/{number}/refuse", "Keep what a recall names, and say why", RequestNumber, RequestShown,
              refuse, act=Act.RECALL),
    Operation("GET", "/api/v1/retention/due", "What the rules of retention would delete or erase now", Nothing, DueList,
              due, act=Act.CONFIGURE, slow=True),
)  # fmt: skip
"""What takes records back."""
