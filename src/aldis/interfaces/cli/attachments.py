"""`aldis attachments`: what comes, what goes, and how far it is."""

from __future__ import annotations

from typing import Any

import click

from aldis.interfaces.cli.session import Session, pass_session
from aldis.interfaces.cli.text import count, moment, size
from aldis.kernel.errors import UnknownTerm
from aldis.node.store import Incoming, Outgoing

__all__ = ["attachments"]


@click.group("attachments", invoke_without_command=True)
@click.option("--all", "everything", is_flag=True, help="Also what is whole and what has gone.")
@pass_session
def attachments(session: Session, everything: bool) -> None:
    """Show which attachments are under way from and to partners, and how far each is.

    Their names stand in their records: `aldis get ID`.
    """
    if click.get_current_context().invoked_subcommand is not None:
        return
    store = session.node.core.store.attachments
    coming = [one for one in store.incoming() if everything or one.state != "whole"]
    going = [one for one in store.outgoing() if everything or one.state != "done"]
    rows = [*(_coming(one) for one in coming), *(_going(session, one) for one in going)]
    value = {"transfers": rows}
    fields = [
        (row["way"], row["partner"], _far(row), row["state"], row["digest"][:16], moment(row["at"]), row["because"])
        for row in rows
    ]
    session.out.table(value, ("way", "partner", "held", "state", "digest", "moved", "why"), fields, ("why", "moved"))
    if not rows:
        session.out.say("No attachment is under way.")
    if any(row["state"] == "refused" for row in rows):
        session.out.next("`aldis attachments retry ID` lets those of record ID be sent again")


@attachments.command("retry")
@click.argument("id_", metavar="ID")
@click.option(
    "--to", "node_name", metavar="NODE", help="Offer all of them to NODE again, also what it has said it has."
)
@pass_session
def retry(session: Session, id_: str, node_name: str | None) -> None:
    """Ask for, and offer, the attachments of record ID again that were refused."""
    store, partner = session.node.core.store, session.node.partners.get(node_name).node if node_name else ""
    rows = store.records.versions(id_)
    if not rows:
        raise UnknownTerm(f"no record {id_!r} here", fix="`aldis list` and `aldis search` find what is")
    changed = store.attachments.retry([row.seq for row in rows], partner)
    session.out.data({"id": id_, "retried": changed}, f"{count(changed, 'attachment')} to be sent again.")


def _coming(one: Incoming) -> dict[str, Any]:
    return {
        "way": "from", "partner": one.source, "digest": one.digest.hex(), "size": one.size, "held": one.held,
        "state": one.state, "because": one.because, "at": one.at,
    }  # fmt: skip


def _going(session: Session, one: Outgoing) -> dict[str, Any]:
    record = session.node.core.store.records.rows([one.record_seq])[0].id
    return {
        "way": "to", "partner": one.partner, "digest": one.digest.hex(), "size": one.size, "held": one.sent,
        "state": one.state, "because": one.because, "at": one.at, "record": record,
    }  # fmt: skip


def _far(row: dict[str, Any]) -> str:
    return f"{size(row['held'])} of {size(row['size'])}"
