"""`aldis feed`: records one way through a folder, for a diode: no receipt ever comes back."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from aldis.interfaces.cli.exits import FAILED
from aldis.interfaces.cli.session import Session, pass_session
from aldis.interfaces.cli.text import count
from aldis.node.feeds import Arrival
from aldis.node.node import Node

__all__ = ["feed"]

_NODE = click.argument("node_name", metavar="NODE")
_FOLDER = click.argument("folder", metavar="DIR", type=click.Path(file_okay=False, path_type=Path))
_ONCE = click.option("--once", is_flag=True, help="Do what there is to do, and end.")
_EVERY = click.option(
    "--every",
    type=click.FloatRange(0.1, 3600),
    default=1.0,
    show_default=True,
    metavar="S",
    help="Seconds between looks.",
)


@click.group("feed")
def feed() -> None:
    """Records one way through a folder, for a diode; name the partner in the setting `feeds` as well."""


@feed.command("out")
@_NODE
@_FOLDER
@_ONCE
@_EVERY
@click.option(
    "--heartbeat",
    type=click.IntRange(1, 10_080),
    default=60,
    show_default=True,
    metavar="MIN",
    help="Say at least so often how far the files go, in a small file of its own.",
)
@pass_session
def out(session: Session, node_name: str, folder: Path, once: bool, every: float, heartbeat: int) -> None:
    """Write into DIR what NODE may have and was not written yet, and go on as more comes, until Ctrl-C.

    Each file appears whole, under a name that sorts in its place. What was written is kept, to be written again. The
    heartbeat beside them lets the other side notice that the last file was lost, or that the feed stands still.
    """
    node = session.node
    name = node.partners.get(node_name).node
    if name not in node.core.config.feeds:
        session.out.say(f"{name} is not in the setting `feeds`: `aldis up` will try to call it.")

    def look() -> bool:
        files = [str(path) for path in node.feeds.out(name, folder)]
        node.feeds.heartbeat(name, folder, heartbeat * 60_000)
        if files or once:
            session.out.lines({"node": name, "files": files}, files)
        return True

    _look(look, once=once, every=every)


@feed.command("in")
@_FOLDER
@_ONCE
@_EVERY
@pass_session
def in_(session: Session, folder: Path, once: bool, every: float) -> None:
    """Take in, in their order, the files that come into DIR, until Ctrl-C.

    What was admitted is deleted. A file that cannot be read stays, and so does what follows missing numbers: these are
    named at once, with what to ask for. With --once, exit code 1 where something stays.
    """
    node = session.node

    def look() -> bool:
        return _tell(session, list(node.feeds.take(folder)), once=once)

    if not _look(look, once=once, every=every):
        click.get_current_context().exit(FAILED)


@feed.command("again")
@_NODE
@_FOLDER
@click.option("--from", "first", type=click.IntRange(1), required=True, metavar="N", help="The first missing item.")
@click.option("--to", "last", type=click.IntRange(1), required=True, metavar="M", help="The last one.")
@pass_session
def again(session: Session, node_name: str, folder: Path, first: int, last: int) -> None:
    """Write into DIR the files that hold items N to M for NODE once more."""
    node = session.node
    name = node.partners.get(node_name).node
    files = [str(path) for path in node.feeds.again(name, first, last, folder)]
    session.out.lines({"node": name, "files": files}, files)


@feed.command("forget")
@_NODE
@click.option("--to", "last", type=click.IntRange(1), required=True, metavar="M", help="The last item it has.")
@pass_session
def forget(session: Session, node_name: str, last: int) -> None:
    """Keep the files up to item M no longer: the operator of NODE has said that they came."""
    node: Node = session.node
    name = node.partners.get(node_name).node
    gone, kept = node.feeds.forget(name, last), node.feeds.kept(name)
    session.out.data({"node": name, "forgotten": gone, "kept": kept}, f"{count(gone, 'file')} forgotten; kept: {kept}.")


def _tell(session: Session, arrivals: Sequence[Arrival], *, once: bool) -> bool:
    if arrivals or once:
        value = {"files": [_data(one) for one in arrivals]}
        session.out.lines(value, (f"{one.path.name}: {one.text}" for one in arrivals))
    for fix in (one.fix for one in arrivals if one.fix):
        session.out.say(f"Do:    {fix}")
    if any(one.set_aside for one in arrivals):
        session.out.next("`aldis quarantine list` says what was set aside, and why")
    return all(one.outcome in ("admitted", "here already") for one in arrivals)


def _data(one: Arrival) -> dict[str, Any]:
    return {
        "file": str(one.path), "outcome": one.outcome, "text": one.text, "fix": one.fix, "set_aside": one.set_aside,
    }  # fmt: skip


def _look(look: Callable[[], bool], *, once: bool, every: float) -> bool:
    """Look once, or again and again until Ctrl-C."""
    try:
        while True:
            whole = look()
            if once:
                return whole
            time.sleep(every)
    except KeyboardInterrupt:
        return True
