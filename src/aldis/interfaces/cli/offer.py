"""`aldis offer`: a record for a partner now, and rulings on what waits for a release officer."""

from __future__ import annotations

from typing import Any, Literal

import click

from aldis.interfaces.cli.exits import REFUSED
from aldis.interfaces.cli.kinds import ordered, title
from aldis.interfaces.cli.session import Session, operator, pass_session
from aldis.interfaces.cli.standing import standing
from aldis.interfaces.cli.text import listed, moment
from aldis.interfaces.cli.viewers import signed_in
from aldis.kernel.records import Record
from aldis.node.store import Referral

__all__ = ["offer"]


@click.command("offer")
@click.argument("id_", metavar="[ID]", required=False)
@click.argument("node_name", metavar="[NODE]", required=False)
@click.option("--purpose", metavar="P", help="For this purpose.  [default: any that an instrument names]")
@click.option("--waiting", is_flag=True, help="List what waits for a release officer.")
@click.option("--approve", type=int, metavar="N", help="Let what number N asks for go.")
@click.option("--deny", type=int, metavar="N", help="Keep what number N asks for.")
@click.option("--keep", multiple=True, metavar="PORTION", help="With --approve: all but this portion; repeatable.")
@click.option("--because", metavar="TEXT", default="", help="The reason for a ruling; the ledger keeps it.")
@click.option("--as", "officer", metavar="person:ID", default="", help="Rule as a person who is signed in.")
@pass_session
def offer(
    session: Session,
    id_: str | None,
    node_name: str | None,
    purpose: str | None,
    waiting: bool,
    approve: int | None,
    deny: int | None,
    keep: tuple[str, ...],
    because: str,
    officer: str,
) -> None:
    """Offer record ID to NODE now, ahead of its turn; what is permitted leaves with the next exchange.

    Exit code 3 where nothing may leave. A release officer lists what waits with --waiting and rules with --approve
    or --deny.
    """
    asked = [waiting, approve is not None, deny is not None, id_ is not None]
    if sum(asked) != 1 or (id_ is not None) != (node_name is not None):
        raise click.UsageError("say one thing: ID NODE, --waiting, --approve N or --deny N")
    if keep and approve is None:
        raise click.UsageError("--keep goes with --approve N")
    if waiting:
        _waiting(session)
    elif approve is not None:
        _rule(session, approve, "approved", because, officer, keep)
    elif deny is not None:
        _rule(session, deny, "denied", because, officer)
    else:
        _offer(session, str(id_), str(node_name), purpose)


def _offer(session: Session, record_id: str, node_name: str, purpose: str | None) -> None:
    node = session.node
    known, kind = node.partners.get(node_name), node.records.get(record_id).kind
    below = _below(session, record_id, known.node) if node.partners.below(known.node) else {}
    stands = standing(known.node, ordered(node, kind, node.desk.offer(record_id, known.node, purpose)))
    session.out.data({"record": record_id, **stands.data(), **below}, f"{record_id}: {stands.text}.")
    if stands.waits:
        session.out.next("`aldis offer --waiting` lists it for a release officer once the exchange has run")
    if stands.goes:
        session.out.next(f"`aldis up` sends it, or `aldis bundle export {known.node} -o DIR` writes it to files")
        return
    session.out.next(f"`aldis why {record_id} {known.node}` says what would change it")
    click.get_current_context().exit(REFUSED)


def _below(session: Session, record_id: str, name: str) -> dict[str, Any]:
    """What the header tells a node below, whichever portions come down, said before anybody rules on it."""
    header = session.node.records.get(record_id).record().header
    told = {
        "id": header.id, "kind": header.kind, "project": header.project, "author": header.author,
        "created": moment(header.created), "version": str(header.version),
    }  # fmt: skip
    words = listed(f"{field} {value}" for field, value in told.items() if value)
    session.out.say(f"Whatever portions stay, {name} will read in its header: {words}.")
    return {"header": told}


def _waiting(session: Session) -> None:
    node = session.node
    found = [(one, row.record()) for one, row in node.desk.referrals()]
    rows = [
        (str(one.id), one.partner, record.header.id, listed(_parts(one, record)), title(node, record), moment(one.at))
        for one, record in found
    ]
    data = [_data(one, record) for one, record in found]
    session.out.table({"waiting": data}, ("n", "to", "record", "parts", "title", "since"), rows)
    if found:
        session.out.next(f"`aldis why {found[0][1].header.id} {found[0][0].partner}`, then `aldis offer --approve N`")
    else:
        session.out.say("Nothing waits for a release officer.")


def _rule(
    session: Session,
    number: int,
    state: Literal["approved", "denied"],
    because: str,
    officer: str,
    keep: tuple[str, ...] = (),
) -> None:
    node = session.node
    who = signed_in(session, officer) if officer else operator()
    ruled = node.desk.rule(number, state, because, who, keep=keep)
    record = node.core.store.records.rows([ruled.record_seq])[0].record()
    parts = listed(_parts(ruled, record))
    waits = ", and waits for another officer" if ruled.state == "open" else ""
    session.out.data(
        _data(ruled, record), f"{number} {state}{waits}: {parts} of {record.header.id} to {ruled.partner}."
    )
    if ruled.state == "approved":
        session.out.next(f"`aldis up` sends it, or `aldis bundle export {ruled.partner} -o DIR` writes it to files")


def _parts(referral: Referral, record: Record) -> list[str]:
    names = {record.digest: "its existence", **{part.digest: part.name for part in record.portions}}
    return [names[digest] for digest in names if digest in referral.portions]


def _data(referral: Referral, record: Record) -> dict[str, Any]:
    return {
        "number": referral.id, "node": referral.partner, "record": record.header.id,
        "version": record.header.version, "parts": _parts(referral, record), "state": referral.state,
        "because": referral.because, "at": referral.at,
    }  # fmt: skip
