"""`aldis doctor`: each check with its cause and fix."""

from __future__ import annotations

import click
from rich.text import Text

from aldis.interfaces.cli.exits import FAILED
from aldis.interfaces.cli.output import grid
from aldis.interfaces.cli.session import Session, operator, pass_session
from aldis.interfaces.cli.text import count
from aldis.kernel.errors import AldisError
from aldis.node.checks import Check, run_checks

__all__ = ["doctor"]

_WORDS = {
    True: Text("✓ fine", style="green"),
    False: Text("✗ wrong", style="bold red"),
    None: Text("- not known", style="dim"),
}


@click.command("doctor")
@click.option(
    "--new-epoch",
    metavar="NODE|all",
    help="Begin the streams anew after a store, here or at NODE, was restored from a backup.",
)
@click.option("--quick", is_flag=True, help="Leave out what reads the whole store.")
@click.option("--yes", is_flag=True, help="Do that without asking.")
@pass_session
def doctor(session: Session, new_epoch: str | None, quick: bool, yes: bool) -> None:
    """Check the node, its folder, its clock, its partners and its feeds. Exit code 1 where something is wrong."""
    if new_epoch is not None:
        _begin(session, new_epoch, yes)
        return
    found = _checks(session, quick)
    rows = [(_WORDS[check.ok], check.name, _detail(check)) for check in found]
    data = [{"name": check.name, "ok": check.ok, "cause": check.cause, "fix": check.fix} for check in found]
    session.out.data({"checks": data}, grid(rows))
    wrong = sum(check.ok is False for check in found)
    if wrong:
        session.out.say(f"{count(wrong, 'thing')} to mend.")
        click.get_current_context().exit(FAILED)
    session.out.say("Nothing is wrong.")


def _checks(session: Session, quick: bool) -> list[Check]:
    """Every check, or why the node cannot even be opened."""
    try:
        node = session.node
    except AldisError as error:
        fix = "Keep the folder as it is, and restore a backup" if "`aldis doctor`" in error.fix else error.fix
        return [Check("node", ok=False, cause=str(error.args[0]), fix=fix)]
    return list(run_checks(node, quick=quick))


def _begin(session: Session, named: str, yes: bool) -> None:
    node = session.node
    if named != "all":
        node.partners.get(named)
    question = "Begin every stream of this node anew? Everything is decided again and sent again; nothing is lost."
    if not yes and session.out.ask(question) is False:
        session.out.say("Nothing was begun.")
        click.get_current_context().exit(FAILED)
    epoch = node.exchange.new_epoch(f"{operator()}, for {named}")
    session.out.data({"epoch": epoch}, f"Epoch {epoch} has begun.")
    session.out.next("`aldis up`, or `aldis bundle export NODE -o DIR`, sends from the first item on")


def _detail(check: Check) -> str:
    return "\n".join(
        part for part in (check.cause, f"Do: {check.fix}" if check.ok is False and check.fix else "") if part
    )
