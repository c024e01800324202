"""`aldis offer`: a record for a partner now."""

from __future__ import annotations

import click

from aldis.interfaces.cli.exits import REFUSED
from aldis.interfaces.cli.kinds import ordered
from aldis.interfaces.cli.session import Session, pass_session
from aldis.interfaces.cli.standing import standing

__all__ = ["offer"]


@click.command("offer")
@click.argument("id_", metavar="ID")
@click.argument("node_name", metavar="NODE")
@click.option("--purpose", metavar="P", help="For this purpose.  [default: any that an instrument names]")
@pass_session
def offer(session: Session, id_: str, node_name: str, purpose: str | None) -> None:
    """Offer record ID to NODE now, ahead of its turn; what is permitted leaves with the next exchange.

    What needs a release officer waits at the desk. Exit code 3 where nothing may leave.
    """
    node = session.node
    known, kind = node.partners.get(node_name), node.records.get(id_).kind
    stands = standing(known.node, ordered(node, kind, node.desk.offer(id_, known.node, purpose)))
    session.out.data({"record": id_, **stands.data()}, f"{id_}: {stands.text}.")
    if stands.waits:
        session.out.next(f"`aldis desk list --partner {known.node}` lists it for a release officer")
    if stands.goes:
        session.out.next(f"`aldis up` sends it, or `aldis bundle export {known.node} -o DIR` writes it to files")
        return
    session.out.next(f"`aldis why {id_} {known.node}` says what would change it")
    click.get_current_context().exit(REFUSED)
