"""`aldis recall`: ask partners to delete what they were sent; answer those who ask this node."""

from __future__ import annotations

from typing import Any

import click

from aldis.interfaces.cli.kinds import in_order
from aldis.interfaces.cli.session import BECAUSE, Session, operator, pass_session
from aldis.interfaces.cli.text import listed, moment
from aldis.node.node import Node
from aldis.node.recalls import Asked
from aldis.node.store import Request, Row

__all__ = ["recall", "recalled_lines"]

_ID = click.argument("id_", metavar="ID")
_NUMBER = click.argument("number", type=int, metavar="N")
_STATES = {
    "none": "nothing of it held",
    "waits": "waits for its operator",
    "done": "erased",
    "refused": "refused",
}


@click.group("recall")
def recall() -> None:
    """Ask partners to delete what they were sent; answer those who ask this node."""


@recall.command("ask")
@_ID
@BECAUSE
@click.option("--partner", metavar="NODE", default="", help="Ask this node alone.  [default: all that were sent it]")
@pass_session
def ask(session: Session, id_: str, because: str, partner: str) -> None:
    """Ask whoever was sent record ID to delete it, and let no version that there is go to them again.

    The reason travels, marked at the lowest classification: write nothing in it that is above that. Partners may
    refuse; this node keeps the record until you delete it.
    """
    names = session.node.recalls.ask(id_, because, operator(), partner)
    session.out.lines({"record": id_, "asked": names}, [f"{listed(names)} asked to delete {id_}."])
    session.out.next(f"`aldis recall show {id_}` says who answered")


@recall.command("show")
@_ID
@pass_session
def show(session: Session, id_: str) -> None:
    """Show who was ever sent record ID, who was asked for it back, and what they answered."""
    node = session.node
    found = node.recalls.show(id_)
    data = [_told(node, one) for one in found]
    rows = [
        (one["node"], ", ".join(one["portions"]), _asked(one), _answer(one), one["because"], listed(one["passed_on"]))
        for one in data
    ]
    heads = ("node", "was sent", "asked", "answer", "because", "passed on to")
    session.out.table({"record": id_, "partners": data}, heads, rows)
    if not found:
        session.out.say(f"{id_} was never released to anybody.")
    unasked = [one["node"] for one in data if one["asked"] and not one["answer"]]
    if unasked:
        session.out.say(f"No answer yet from {listed(unasked)}.")


@recall.command("list")
@pass_session
def list_(session: Session) -> None:
    """List what partners asked this node to delete, oldest first."""
    node = session.node
    found = [(one, node.recalls.covered(one)) for one in node.core.store.recalls.all()]
    rows = [
        (
            str(one.id),
            one.asker,
            moment(one.at),
            _STATES[one.state],
            listed(sorted({row.id for row in held})),
            one.because,
        )
        for one, held in found
    ]
    session.out.table({"recalls": [_data(*one) for one in found]}, ("n", "from", "when", "state", "of", "why"), rows)
    waiting = next((one.id for one, _ in found if one.state == "waits"), None)
    if waiting is not None:
        session.out.next(f"`aldis recall comply {waiting} --because TEXT`, or refuse it")
    elif not found:
        session.out.say("Nobody has recalled anything here.")


@recall.command("comply")
@_NUMBER
@BECAUSE
@pass_session
def comply(session: Session, number: int, because: str) -> None:
    """Erase the content of what recall N names, for good; header and ledger stay. Whoever asked hears of it."""
    node = session.node
    rows = node.recalls.comply(number, because, operator())
    session.out.say("Writing the store anew, so that nothing of it is left.")
    node.recalls.rewrite()
    _said(session, number, rows, "erased")


@recall.command("refuse")
@_NUMBER
@BECAUSE
@pass_session
def refuse(session: Session, number: int, because: str) -> None:
    """Keep what recall N names; whoever asked is told why."""
    _said(session, number, session.node.recalls.refuse(number, because, operator()), "kept")


def _said(session: Session, number: int, rows: list[Row], what: str) -> None:
    names = [f"{row.id}, version {row.version}" for row in rows]
    data = {"recall": number, "state": what, "records": [{"id": row.id, "version": row.version} for row in rows]}
    session.out.lines(data, [f"{name}: {what}" for name in names] or ["Nothing of it is held here."])


def _told(node: Node, one: Asked) -> dict[str, Any]:
    rows = {row.seq: row for row in node.core.store.records.rows([held.record_seq for held in one.releases])}
    names = {
        part.name
        for held in one.releases
        for part in rows[held.record_seq].record().portions
        if part.digest in held.portions
    }
    kind = next(iter(rows.values())).kind
    answer = one.answer
    return {
        "node": one.node, "status": one.status, "portions": in_order(node, kind, names),
        "versions": sorted({rows[held.record_seq].version for held in one.releases}),
        "acknowledged": any(held.acknowledged for held in one.releases), "asked": one.asked, "delivered": one.got,
        "answer": answer.effect if answer else "", "because": answer.because if answer else "",
        "passed_on": answer.passed_on if answer else [],
    }  # fmt: skip


def _asked(one: dict[str, Any]) -> str:
    if not one["asked"]:
        return f"no ({one['status']})" if one["status"] != "active" else "no"
    away = "" if one["status"] == "active" else f": {one['status']}"
    return moment(one["asked"]) + ("" if one["delivered"] else f", not delivered{away}")


def _answer(one: dict[str, Any]) -> str:
    return _STATES.get(one["answer"], "none yet" if one["asked"] else "")


def _data(one: Request, held: list[Row]) -> dict[str, Any]:
    return {
        "number": one.id, "from": one.asker, "because": one.because, "at": one.at, "state": one.state,
        "answer": one.answer, "answered": one.answered or None,
        "records": [{"id": row.id, "version": row.version, "originator": row.originator} for row in held],
    }  # fmt: skip


def recalled_lines(node: Node, row: Row) -> list[tuple[str, str]]:
    """What `aldis get` says of a row that was recalled or erased."""
    store = node.core.store
    lines = [
        ("recalled", f"by {one.asker}, {moment(one.at)}: {one.because} (recall {one.id}, {_STATES[one.state]})")
        for one in store.recalls.of(row.digest, row.originator, row.source)
    ]
    asked = store.recalls.asked([row.digest]) if not row.source else {}
    whom = [name for name, (recall, _) in asked.items() if recall]
    if whom:
        lines.append(("recalled", f"from {listed(sorted(whom))}; `aldis recall show {row.id}` says who answered"))
    gone = store.erasure.of(row.digest)
    if gone is not None:
        lines.append(("erased", f"{moment(gone.at)}: {gone.because}"))
    return lines
