"""`aldis retention`: how long records are kept, and what is due."""

from __future__ import annotations

from typing import Any

import click
import msgspec

from aldis.interfaces.cli.session import Session, operator, pass_session
from aldis.interfaces.cli.text import count, day
from aldis.node.retention import Due

__all__ = ["retention"]


@click.group("retention")
def retention() -> None:
    """How long records are kept, by the settings; `aldis up` sees to it once a day."""


@retention.command("show")
@pass_session
def show(session: Session) -> None:
    """Show the rules of this node's settings."""
    rules = session.node.core.config.retention
    session.out.lines({"rules": [msgspec.to_builtins(rule) for rule in rules]}, map(str, rules))
    if rules:
        session.out.next("`aldis retention run --dry-run` lists what is due")
    else:
        session.out.say("There is no rule: everything is kept.")
        session.out.next("write [[retention]] tables in the settings; `aldis config` says how")


@retention.command("run")
@click.option("--dry-run", is_flag=True, help="Change nothing; list what would be done.")
@pass_session
def run(session: Session, dry_run: bool) -> None:
    """Delete and erase what is due now; what is on hold is kept."""
    node = session.node
    due = list(node.retention.due())
    done = due if dry_run else node.retention.run(operator())
    acted = {one.row.seq for one in done if not one.kept}
    told = [_data(one, done=not dry_run and one.row.seq in acted) for one in due]
    lines = [
        f"{one['id']}  version {one['version']}, {day(one['since'])}: {one['kept'] or one['action']} ({one['rule']})"
        for one in told
    ]
    session.out.lines({"dry_run": dry_run, "due": told}, lines)
    verb = "would be" if dry_run else "were"
    session.out.say(f"{count(len(acted), 'version')} {verb} deleted or erased, {len(due) - len(acted):,} kept.")


def _data(one: Due, *, done: bool) -> dict[str, Any]:
    row = one.row
    return {
        "id": row.id, "version": row.version, "kind": row.kind, "originator": row.originator,
        "since": row.arrived if row.source else row.created, "action": one.rule.action, "rule": str(one.rule),
        "kept": one.kept, "done": done,
    }  # fmt: skip
