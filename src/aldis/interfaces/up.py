"""`aldis up`: run the node, with every way that leads to it."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import click
import structlog

from aldis.interfaces.api.server import PeoplePort
from aldis.interfaces.cli.exits import INTERRUPTED
from aldis.interfaces.cli.session import Session, pass_session
from aldis.interfaces.web import link_address, site
from aldis.kernel.errors import AldisError, InvalidInput, UnknownTerm
from aldis.node.logs import fault, start_logs
from aldis.node.node import Node
from aldis.node.people import LINK_MIN, Link
from aldis.node.restored import restored
from aldis.node.service import serve
from aldis.node.supervisor import tell, watchdog_s

__all__ = ["Beside", "run_node", "up"]

Beside = Callable[[asyncio.Event], Awaitable[None]]
"""What is done once the node is up; it is given the event that ends the node."""

_log = structlog.get_logger()


@click.command("up")
@click.option("--listen", metavar="H:P", help="Where partners connect to, this once.")
@click.option("--http", metavar="H:P", help="Where people work, by HTTP, this once.")
@click.option("--link", is_flag=True, help="Print a link that signs an administrator in once, on no terminal too.")
@pass_session
def up(session: Session, listen: str | None, http: str | None, *, link: bool) -> None:
    """Run the node: answer partners, send them what they may have, until Ctrl-C.

    With --http, or the setting `http`, people work at it too: by its HTTP API and its pages. On a terminal a link is
    printed that signs its first administrator in, once and within ten minutes; where there is none, it makes one.

    Told to stop (Ctrl-C, SIGTERM), it ends what is under way and closes its store, within ten seconds. Told so again,
    it stops at once, and nothing that was acknowledged is lost.

    What happens goes to stderr: as text on a terminal, else, and with --json, as JSON, an event on each line.
    """
    node = session.open(listen=listen, http=http)
    if link and not node.core.config.http:
        raise InvalidInput("no pages are served that a link could lead to", fix="Give --http H:P with --link")
    run_node(session, node, link=link)


def run_node(session: Session, node: Node, beside: Beside | None = None, *, link: bool = False) -> None:
    """Run a node until it is told to stop; with `beside`, which speaks for itself, nothing is said of the start.

    Where pages are served, a sign-in link is printed on a terminal, or where `link` asks for it.
    """
    lines = session.json or not sys.stderr.isatty()
    start_logs(node.name, as_json=lines)
    issued = _issued(node, link) if node.core.config.http and (link or not (lines or beside)) else None
    with suppress(asyncio.CancelledError):
        asyncio.run(_run(session, node, lines, beside, issued))
    if lines:
        _log.info("node has stopped")
    else:
        session.out.say("Stopped.")


def _issued(node: Node, asked: bool) -> Link | None:
    try:
        return node.people.links.issue()
    except UnknownTerm:
        if asked:
            raise
        return None


async def _run(session: Session, node: Node, lines: bool, beside: Beside | None, issued: Link | None) -> None:
    ending, loop = asyncio.Event(), asyncio.get_running_loop()
    loop.set_exception_handler(_failed)

    def end() -> None:
        if ending.is_set():
            os._exit(INTERRUPTED)
        ending.set()
        tell("STOPPING=1", os.environ)

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, end)

    people = PeoplePort(node, pages=site(node)) if node.core.config.http else None
    url = await people.start() if people else ""
    works = [asyncio.create_task(_alive(node))]

    def ready(address: str) -> None:
        if beside is not None:
            works.append(asyncio.create_task(_besides(beside, ending)))
            return
        link = link_address(url, issued) if issued else ""
        told = {name: text for name, text in (("http", url), ("link", link if lines else "")) if text}
        session.out.data({"node": node.name, "address": address, **told}, address, *told.values())
        tell(f"READY=1\nSTATUS=listening on {address}", os.environ)
        partners = [known.node for known in node.partners.all() if known.active]
        waits = restored(node.core.store) is not None
        if lines:
            _log.info("node is up", address=address, http=url, partners=partners, restored=waits)
            return
        session.out.say(f"{node.name} is up, for {', '.join(partners) or 'no partner yet'}. Ctrl-C stops it.")
        _say_link(session, issued, link)
        if waits:
            session.out.say("Its store was restored from a backup, and nothing leaves before a new epoch.")
            session.out.next("see that no other copy of this node runs, then `aldis doctor --new-epoch all`")
        if not partners:
            session.out.next("`aldis invite PARTY`, in another terminal")

    try:
        await serve(node, ready=ready, ending=ending)
    finally:
        for work in works:
            work.cancel()
        if people:
            await people.stop()
    for work in works[1:]:
        await work


def _say_link(session: Session, issued: Link | None, link: str) -> None:
    if issued:
        what = f"signs {issued.person} in" if issued.person else "makes the first administrator"
        session.out.say(f"This link {what}, once, within {LINK_MIN} minutes: {link}")


async def _besides(beside: Beside, ending: asyncio.Event) -> None:
    try:
        await beside(ending)
    except asyncio.CancelledError:
        return
    except BaseException:
        ending.set()
        raise


async def _alive(node: Node) -> None:
    """Say that the node is alive for as long as its store answers, where the service manager asks for that."""
    while every := watchdog_s(os.environ):
        with suppress(AldisError):
            await asyncio.to_thread(node.core.policy_change)
            tell("WATCHDOG=1", os.environ)
        await asyncio.sleep(every)


def _failed(_loop: asyncio.AbstractEventLoop, told: dict[str, Any]) -> None:
    """A task that nobody waits for has failed."""
    error = told.get("exception")
    _log.error("task failed", **(fault(error) if error else {}))
