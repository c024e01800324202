"""`aldis offer`: a record for a partner now."""

from __future__ import annotations

from typing import Any

import click

from aldis.interfaces.cli.exits import REFUSED
from aldis.interfaces.cli.kinds import ordered
from aldis.interfaces.cli.session import Session, pass_session
from aldis.interfaces.cli.standing import standing
from aldis.interfaces.cli.text import listed, moment
from aldis.node.store import Row

__all__ = ["offer"]


@click.command("offer")
@click.argument("id_", metavar="ID")
@click.argument("node_name", metavar="NODE")
@click.option("--purpose", metavar="P", help="For this purpose.  [default: any that an instrument names]")
@click.option("--originator", metavar="NODE", default="", help="Whose, where several nodes use this id.")
@pass_session
def offer(session: Session, id_: str, node_name: str, purpose: str | None, originator: str) -> None:
    """Offer record ID to NODE now, ahead of its turn; what is permitted leaves with the next exchange.

    What needs a release officer waits at the desk. Exit code 3 where nothing may leave.
    """
    node = session.node
    known, row = node.partners.get(node_name), node.records.get(id_, originator=originator)
    below = _below(session, row, known.node) if node.partners.below(known.node) else {}
    explanation = node.desk.offer(id_, known.node, purpose, row.originator)
    stands = standing(known.node, ordered(node, row.kind, explanation))
    session.out.data({"record": id_, **stands.data(), **below}, f"{id_}: {stands.text}.")
    if stands.waits:
        session.out.next(f"`aldis desk list --partner {known.node}` lists it for a release officer")
    if stands.goes:
        session.out.next(f"`aldis up` sends it, or `aldis bundle export {known.node} -o DIR` writes it to files")
        return
    session.out.next(f"`aldis why {id_} {known.node}` says what would change it")
    click.get_current_context().exit(REFUSED)


def _below(session: Session, row: Row, name: str) -> dict[str, Any]:
    """What the header tells a node below, whichever portions come down, said before anybody rules on it."""
    header = row.record().header
    told = {
        "id": header.id, "kind": header.kind, "project": header.project, "author": header.author,
        "created": moment(header.created), "version": str(header.version),
    }  # fmt: skip
    words = listed(f"{field} {value}" for field, value in told.items() if value)
    session.out.say(f"Whatever portions stay, {name} will read in its header: {words}.")
    return {"header": told}
