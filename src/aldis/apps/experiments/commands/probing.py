"""`aldis experiment probe`: what a system says, held against its protocol; no node is needed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any

import click
import msgspec

from aldis.apps.experiments.commands.terminal import Output, Run
from aldis.kernel.errors import RefusedByPolicy

if TYPE_CHECKING:
    from aldis.apps.experiments.cases.findings import Cell
    from aldis.apps.experiments.links.address import Address
    from aldis.apps.experiments.participants.conformance import Probed
    from aldis.apps.experiments.participants.exchange import Exchanged
    from aldis.apps.experiments.participants.listening import Heard

__all__ = ["cell_rows", "exchange_rows", "heard_data", "heard_rows", "listen", "loopback_only", "probe"]

_HERE = "aldis.apps.experiments"
_MARKS = {"pass": "✓", "warn": "!", "fail": "✗", "unknown": "?", "met": "✓", "partly": "!", "failed": "✗"}


@click.command("probe")
@click.argument("address", metavar="ADDRESS")
@click.option("--mapping", metavar="FILE", default="", help="The mapping file that describes its protocol.")
@click.option("--for", "seconds", metavar="S", type=click.FloatRange(0.1, 3600), default=10.0, show_default=True,
              help="Listen for so long once its protocol is known.")  # fmt: skip
@click.option("--wait", metavar="S", type=click.FloatRange(0.1, 3600), default=60.0, show_default=True,
              help="Wait so long for its first words.")  # fmt: skip
@click.option("--expose", is_flag=True, help="Listen where other machines reach it.")
@click.option("--through", metavar="P", multiple=True, help="Also what becomes of its messages in this protocol.")
@click.pass_obj
def probe(
    run: Run, address: str, mapping: str, seconds: float, wait: float, expose: bool, through: Sequence[str]
) -> None:
    """Hold what a system says against its protocol, told from its first bytes; no node is needed.

    ADDRESS is as in `[[systems]]`: udp://127.0.0.1:10110, or mavlink+udp://… where its protocol is to be named. Each
    check has how it stands, the clause that asks for it, and what would mend it. Exit code 1 where one fails.
    """
    place = import_module(f"{_HERE}.links.address").read_address(address)
    loopback_only(place, expose=expose)
    registry, exchange = import_module(f"{_HERE}.gateways.registry"), import_module(f"{_HERE}.participants.exchange")
    others = [registry.offered(name) for name in through]
    heard = listen(run.out, place, mapping, wait, seconds)
    found = [exchange.exchanged(heard.probe.heard(), other) for other in others]
    data = heard_data(heard) | {"exchange": msgspec.to_builtins(found)}
    run.out.lines(data, [*heard_rows(heard), *(row for one in found for row in exchange_rows(one))])
    if heard.probed.outcome == "fail":
        click.get_current_context().exit(1)


def loopback_only(address: Address, *, expose: bool) -> None:
    """Return if only this machine's own programs reach what listens there, or that is asked for.

    Raises:
        RefusedByPolicy: others would.
    """
    host = import_module(f"{_HERE}.links.address").exposed(address)
    if host and not expose:
        raise RefusedByPolicy(
            f"{host} is reached from other machines, and what comes there would be taken for the system's",
            fix="Use 127.0.0.1, or add --expose if the system is on another machine and the network is its own",
        )


def listen(out: Output, address: Address, mapping: str, wait_s: float, probe_s: float) -> Heard:
    """Hear a system for the first time, saying what is being waited for."""
    listening = import_module(f"{_HERE}.participants.listening")
    with _telling(out) as told:
        heard: Heard = asyncio.run(listening.hear(address, mapping, wait_s=wait_s, probe_s=probe_s, told=told))
    return heard


@contextmanager
def _telling(out: Output) -> Iterator[Callable[[str, int], None]]:
    said: set[str] = set()
    with out.progress("pieces heard") as bar:

        def told(what: str, count: int) -> None:
            if what not in said:
                said.add(what)
                out.say("Waiting for its first words." if what == "waiting" else "Its protocol is known; probing.")
            bar(count, None)

        yield told


def heard_data(heard: Heard) -> dict[str, Any]:
    """What was heard, for JSON."""
    found: dict[str, Any] = msgspec.to_builtins(heard.probed)
    return {"confidence": round(heard.confidence, 3), "first_s": round(heard.first_s, 3), "probe": found,
            "outcome": heard.probed.outcome}  # fmt: skip


def heard_rows(heard: Heard) -> list[str]:
    """What was heard, for people."""
    found = heard.probed
    kinds = ", ".join(f"{count} {kind}" for kind, count in found.kinds.items()) or "nothing usable"
    rows = [
        f"{found.title}, told with a confidence of {heard.confidence:.0%} after {heard.first_s:.1f} s",
        f"in {found.seconds:.1f} s: {found.messages} messages, {kinds}, about {found.things} things",
    ]
    return rows + _check_rows(found)


def _check_rows(found: Probed) -> list[str]:
    rows = []
    for one in found.checks:
        rows.append(f"{_MARKS[one.outcome]} {one.name:<11} {one.text}" + (f"  [{one.clause}]" if one.clause else ""))
        if one.fix and one.outcome != "pass":
            rows.append(f"  {'':<11} do: {one.fix}")
    return rows


def exchange_rows(one: Exchanged) -> list[str]:
    """What becomes of one protocol's messages in another, for people."""
    rows = [f"{one.source} through {one.target}:"]
    rows += [
        f"  {passage.message:<28} {passage.carried:>3} carried {passage.approximated:>3} approximated"
        f" {passage.dropped:>3} dropped"
        for passage in one.passages
    ]
    if one.unsayable:
        rows.append(f"  {one.target} has no message for: {', '.join(one.unsayable)}")
    return rows


def cell_rows(cell: Cell) -> list[str]:
    """A cell of the matrix, for people."""
    rows = [
        f"{cell.source} -> {cell.target}  {cell.message} ({cell.protocols[0]} to {cell.protocols[1]}): {cell.verdict}"
    ]
    for mark in cell.marks:
        value = "" if mark.value is None else f" {mark.value:g}{f' {mark.unit}' if mark.unit else ''}"
        why = "; ".join([*mark.reasons, *([mark.text] if mark.text else [])])
        rows.append(f"  {_MARKS.get(mark.outcome, '?')} {mark.rung:<9}{value}{f'  {why}' if why else ''}")
    return rows
