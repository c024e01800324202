"""`aldis up`: run the node."""

from __future__ import annotations

import asyncio
import signal
from contextlib import suppress

import click

from aldis.interfaces.cli.session import Session, pass_session
from aldis.node.node import Node
from aldis.node.service import serve

__all__ = ["up"]


@click.command("up")
@click.option("--listen", metavar="H:P", help="Where partners connect to, this once.")
@pass_session
def up(session: Session, listen: str | None) -> None:
    """Run the node: answer partners, send them what they may have, until Ctrl-C."""
    node = session.open(listen=listen)
    with suppress(asyncio.CancelledError):
        asyncio.run(_run(session, node))
    session.out.say("Stopped.")


async def _run(session: Session, node: Node) -> None:
    task, loop = asyncio.current_task(), asyncio.get_running_loop()
    if task is not None:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, task.cancel)

    def ready(address: str) -> None:
        session.out.data({"node": node.name, "address": address}, address)
        partners = [known.node for known in node.partners.all() if known.active]
        session.out.say(f"{node.name} is up, for {', '.join(partners) or 'no partner yet'}. Ctrl-C stops it.")
        if not partners:
            session.out.next("`aldis invite PARTY`, in another terminal")

    await serve(node, ready=ready)
