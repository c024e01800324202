"""`aldis hold` and `aldis lift`: let nothing of a record leave, for a while."""

from __future__ import annotations

import click

from aldis.interfaces.cli.session import BECAUSE, BY, Session, pass_session

__all__ = ["hold", "lift"]


@click.command("hold")
@click.argument("id_", metavar="ID")
@BECAUSE
@BY
@pass_session
def hold(session: Session, id_: str, because: str) -> None:
    """Let nothing of record ID leave, whatever the rules say; what has left stays where it is."""
    session.node.desk.hold(id_, because, session.by)
    session.out.data({"record": id_, "held": True, "because": because}, f"{id_} is on hold: nothing of it leaves.")
    session.out.next(f"`aldis lift {id_} --because TEXT` ends that")


@click.command("lift")
@click.argument("id_", metavar="ID")
@BECAUSE
@BY
@pass_session
def lift(session: Session, id_: str, because: str) -> None:
    """Lift the hold on record ID; the rules alone decide again."""
    session.node.desk.lift(id_, because, session.by)
    session.out.data({"record": id_, "held": False, "because": because}, f"{id_} is on hold no more.")
