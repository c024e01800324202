"""`aldis experiment join`: from an invitation and a system's address to its tracks in the common picture.

In order, each step taken up where it was left: a node, its pairing, the system's first words, what can be exchanged and
what is missing, the settings, the picture, and the first cell of the matrix.
"""

from __future__ import annotations

import asyncio
import socket
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click
import msgspec

from aldis.app import System
from aldis.apps.experiments.commands.probing import (
    cell_rows,
    exchange_rows,
    heard_data,
    heard_rows,
    listen,
    loopback_only,
)
from aldis.apps.experiments.hearing import known_as
from aldis.apps.experiments.links.address import read_address
from aldis.apps.experiments.participants.exchange import exchanged, first_cell
from aldis.apps.experiments.participants.listening import Heard
from aldis.apps.experiments.translation import Losses, losses
from aldis.interfaces.cli.exits import FAILED
from aldis.interfaces.cli.files import read_whole, write_whole
from aldis.interfaces.cli.pairing import comparing, digits_of
from aldis.interfaces.cli.session import Session, pass_session
from aldis.interfaces.joining.home import add_system, default_markings, made_home
from aldis.interfaces.joining.invitation import ExperimentInvitation, open_invitation
from aldis.interfaces.joining.missing import Missing, comparable, missing_of
from aldis.interfaces.up import run_node
from aldis.kernel.errors import Unavailable
from aldis.node.clock import SystemClock
from aldis.node.config import endpoint
from aldis.node.node import Node
from aldis.node.pairing import Sheet, fingerprint

__all__ = ["join"]

_LARGEST = 256 * 1024
_LOOK_S = 0.05
_SETTLED = 2.0


@dataclass
class _Joining:
    """What is known so far; `data` is what is printed with --json."""

    session: Session
    invitation: ExperimentInvitation
    sheet: Sheet
    system: System
    data: dict[str, Any] = field(default_factory=dict)

    def tell(self, *rows: str) -> None:
        """Rows for people; with --json all comes at the end."""
        if not self.session.json and rows:
            self.session.out.lines({}, rows)


@click.command("join")
@click.argument("file", metavar="INVITATION", type=click.Path(path_type=Path))
@click.option("--system", "address", metavar="ADDRESS", required=True,
              help="Where your system is, as udp://127.0.0.1:10110 or mavlink+udp://….")  # fmt: skip
@click.option("--name", default="system", show_default=True, help="What to call your system.")
@click.option("--mapping", metavar="FILE", default="", help="The mapping file that describes its protocol.")
@click.option("--fingerprint", "said", metavar="DIGITS", help="The 30 digits that the partner reads out.")
@click.option("--node", metavar="NAME", default="", help="Name of the node.  [default: the party, in lower case]")
@click.option(
    "--policy", metavar="P", default="", help="Policy that labels are written in.  [default: the party's own]"
)
@click.option("--ceiling", metavar="C", default="", help="Highest classification held.  [default: unclassified]")
@click.option("--listen", "listens", metavar="H:P", default="",
              help="Where partners connect to.  [default: a free port of 127.0.0.1]")  # fmt: skip
@click.option("--marking", metavar="M", default="",
              help="Mark all it says so.  [default: unclassified, for the two nations]")  # fmt: skip
@click.option("--expose", is_flag=True, help="Listen to the system where other machines reach it.")
@click.option("--wait", metavar="S", type=click.FloatRange(0.1, 3600), default=120.0, show_default=True,
              help="Wait so long for its first words.")  # fmt: skip
@click.option("--for", "seconds", metavar="S", type=click.FloatRange(0.1, 3600), default=10.0, show_default=True,
              help="Probe it for so long.")  # fmt: skip
@click.option(
    "--up/--no-up", "stay", default=True, help="Run the node until Ctrl-C, or leave it once the cell is known."
)
@pass_session
def join(
    session: Session, file: Path, address: str, name: str, mapping: str, said: str | None, node: str, policy: str,
    ceiling: str, listens: str, marking: str, expose: bool, wait: float, seconds: float, stay: bool,
) -> None:  # fmt: skip
    """Bring a system into another nation's experiment, from the file that `aldis experiment invite` wrote there.

    Makes a node where there is none, pairs it (you compare the fingerprint, as with `aldis join`), tells the system's
    protocol from its first bytes, says what can be exchanged and what is missing, probes it, and runs the node with the
    system in its picture. Nothing leaves before an instrument is signed. Run it again to go on where it stopped.
    """
    place = read_address(address)
    loopback_only(place, expose=expose)
    digits = digits_of(said)
    invitation, pairing, sheet = open_invitation(read_whole(file, _LARGEST))
    home, now = session.place, SystemClock().now()
    made = made_home(home, invitation.party, node=node, policy=policy, ceiling=ceiling, listen=listens,
                     project=invitation.project, now=now)  # fmt: skip
    system = System(name=name, address=address, mapping=str(Path(mapping).resolve()) if mapping else "")
    joining = _Joining(session, invitation, sheet, system)
    with Node.open(home) as own:
        joining.data |= {"node": own.name, "party": own.core.party, "home": str(home), "made": made,
                         "project": invitation.project, "system": name}  # fmt: skip
        joining.tell(f"{'made' if made else 'found'} node {own.name} of {own.core.party} in {home}")
        _pair(joining, own, pairing, digits)
        running = _runs(own)
    heard = listen(session.out, place, system.mapping, wait, seconds)
    joining.data |= heard_data(heard)
    joining.tell(*heard_rows(heard))
    named = "" if place.protocol or mapping else f"{heard.offered.protocol}+"
    where = str(place.path.resolve()) if place.path is not None else address
    if place.path is not None and place.protocol:
        named = f"{place.protocol}+"
    joining.system = msgspec.structs.replace(joining.system, address=named + where)
    crossing = _compare(joining, heard)
    with Node.open(home) as own:
        _write(joining, own, home, marking)
    with Node.open(home) as own:
        _lack(joining, missing_of(own, invitation, sheet, joining.system, heard))
        if not any(thing.kind == "track" for thing in heard.probe.things.values()):
            session.out.say("No track was heard, so that there is nothing for the picture yet.")
            session.out.data(joining.data) if session.json else None
            click.get_current_context().exit(FAILED)
        if running:
            _finish(joining, own, heard, crossing, standing=())
            session.out.next(
                "the node runs already: end it with Ctrl-C, and start `aldis up`, which takes up the system"
            )
            return
    _run(joining, heard, crossing, wait, stay=stay)


def _pair(joining: _Joining, own: Node, pairing: bytes, digits: str | None) -> None:
    """Pair with the inviting node, unless that was done; the reply is written for it."""
    session, sheet = joining.session, joining.sheet
    held = next((known for known in own.partners.all() if known.node == sheet.node), None)
    if held is not None and held.sheet.pinned == sheet.pinned:
        joining.data |= {"partner": held.node, "reply": None}
        joining.tell(f"paired with {held.node} of {held.party} already")
        return
    known, reply = own.partners.join(pairing, comparing(session, own.core.party, digits))
    assert reply is not None
    path = Path(f"{own.name}-{known.node}.reply")
    write_whole(path, reply)
    answer = fingerprint(reply)
    joining.data |= {"partner": known.node, "reply": str(path), "fingerprint": answer}
    joining.tell(f"paired with {known.node} of {known.party}. Reply: {path}")
    session.out.say(f"Fingerprint of the reply: {answer}\nRead it out to {known.node} in turn.")
    session.out.next(f"send {path.name} to {known.node}, where it completes the pairing: `aldis join {path.name}`",
                     here=False)  # fmt: skip


def _compare(joining: _Joining, heard: Heard) -> Losses:
    """Say what can be exchanged with each protocol of the inviting nation; what came, through the first of them."""
    theirs, lacking = comparable(joining.invitation)
    for name, why in lacking:
        joining.tell(f"{name} of {joining.sheet.node} cannot be compared here: {why}")
    ours = heard.probe.heard()
    found = [one for other in theirs for one in (exchanged(ours, other), exchanged(other, heard.offered))]
    joining.data["exchange"] = msgspec.to_builtins(found)
    if not theirs:
        joining.tell(
            f"no system of {joining.sheet.node} has told its protocol yet: compared with {heard.offered.protocol}"
        )
    for one in found:
        joining.tell(*exchange_rows(one))
    return losses(ours, theirs[0] if theirs else heard.offered)


def _write(joining: _Joining, own: Node, home: Path, marking: str) -> None:
    """Write the system into the settings, marked for the two nations unless it is to be marked otherwise."""
    core = own.core
    labels = {"track": {"header": marking, "position": marking}, "participant": {"header": marking}}
    if not marking:
        both = (core.party, joining.sheet.party)
        labels = default_markings(core.policies, core.config.policy, both, core.clock.now())
    else:
        own.context.label(marking)
    changed = add_system(home, joining.system, joining.invitation.project, labels)
    joining.data["settings"] = str(home / "aldis.toml")
    joining.tell(f"{'written into' if changed else 'already in'} {home / 'aldis.toml'}: {joining.system.address}")


def _lack(joining: _Joining, missing: list[Missing]) -> None:
    joining.data["missing"] = msgspec.to_builtins(missing)
    for one in missing:
        joining.tell(f"missing: {one.what}", f"  do: {joining.session.hint(one.fix)}")


def _runs(own: Node) -> bool:
    """Whether this node is up: somebody listens where its partners connect to."""
    host, port = endpoint(own.core.config.listen)
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as one:
        one.settimeout(0.5)
        with suppress(OSError):
            return bool(port) and one.connect_ex((host, port)) == 0
    return False


def _run(joining: _Joining, heard: Heard, crossing: Losses, wait: float, *, stay: bool) -> None:
    """Run the node until its picture has the system's tracks; then until Ctrl-C, or no longer."""
    own = joining.session.open()
    began = time.monotonic()

    async def beside(ending: asyncio.Event) -> None:
        standing: tuple[str, ...] = ()
        while not standing:
            await asyncio.sleep(_LOOK_S)
            standing = await asyncio.to_thread(_standing, own, joining.system, heard)
            if time.monotonic() - began > wait:
                raise Unavailable(
                    f"nothing of {joining.system.name} came into the picture within {wait:g} s",
                    fix="See that it still sends; `aldis experiment participants` says how it stands",
                )
        _finish(joining, own, heard, crossing, standing)
        if stay:
            joining.session.out.say(f"{own.name} is up at {own.core.config.listen}. Ctrl-C stops it.")
        else:
            ending.set()

    run_node(joining.session, own, beside)


def _standing(own: Node, system: System, heard: Heard) -> tuple[str, ...]:
    """The records of those of the system's tracks that were heard, as far as they are in the store."""
    keys = [thing.key for thing in heard.probe.things.values() if thing.kind == "track"]
    names = [f"trk-{own.context.opaque(known_as(key, system.name))}" for key in keys[:20]]
    began = heard.probe.began_us // 1000
    found = [(name, own.context.newest(name)) for name in names]
    return tuple(name for name, record in found if record is not None and record.header.created >= began)


def _finish(joining: _Joining, own: Node, heard: Heard, crossing: Losses, standing: tuple[str, ...]) -> None:
    """Show the tracks and the first cell."""
    cell = first_cell(heard.probed, crossing, f"{own.name}/{joining.system.name}", joining.sheet.node)
    joining.data |= {"tracks": list(standing), "cell": msgspec.to_builtins(cell)}
    if standing:
        joining.tell(f"in the picture: {', '.join(standing[:5])}{' …' if len(standing) > 5 else ''}")
    joining.tell(*cell_rows(cell))
    if joining.session.json:
        joining.session.out.data(joining.data)
    if standing:
        joining.session.out.next(
            f"`aldis why {standing[0]} {joining.sheet.node}` says whether {joining.sheet.node} gets it"
        )
