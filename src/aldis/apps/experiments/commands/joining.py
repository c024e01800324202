"""`aldis experiment participants`: who takes part, and how far their clocks are off."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

import click
import msgspec

from aldis.apps.experiments.commands.terminal import Run

if TYPE_CHECKING:
    from aldis.apps.experiments.participants.kind import ClockShown
    from aldis.apps.experiments.participants.listing import ParticipantShown

__all__ = ["clock_text", "participants"]

_HERE = "aldis.apps.experiments"


@click.command("participants")
@click.option("--project", metavar="P", default="", help="Of this project.  [default: the setting `project`]")
@click.pass_obj
def participants(run: Run, project: str) -> None:
    """List the systems that take part, this node's and its partners', as far as their labels allow.

    For each: its protocol, whether it is there and since when, how long ago it was heard, messages a second, how many
    were damaged, and by how much its clock is ahead of its node's. `>=` is a bound from one-way messages, `±` the rest
    of a round trip. `?` stands where its node has told nothing for a minute.
    """
    listing = import_module(f"{_HERE}.participants.listing")
    found: list[ParticipantShown] = listing.listed(run.context, project)
    now = run.context.now()
    rows = [_row(one, now) for one in found]
    headings = ("participant", "protocol", "state", "since", "heard", "msg/s", "damaged", "clock")
    run.out.table({"participants": msgspec.to_builtins(found)}, headings, rows, ("damaged", "since"))
    nodes = {one.node: one.node_clock_low_us for one in found if one.node_clock_low_us is not None}
    for node, low in nodes.items():
        run.out.say(f"clock of {node}: at least {seconds(low)} s ahead of this node's")
    if not found:
        run.out.say("Nobody takes part yet.")
        run.out.next(
            "name a system in `[[systems]]` of aldis.toml, then `aldis up`; or `aldis experiment invite PARTY`"
        )


def _row(one: ParticipantShown, now: int) -> list[str]:
    state, traffic = one.state, one.traffic
    words = f"{state.state}{'?' if one.stale else ''}" if state else "?"
    last = traffic.last if traffic else None
    return [
        one.name,
        (state.protocol or "-") if state else "?",
        words if state is None or not state.reason else f"{words}: {state.reason}",
        _ago(now - state.since) if state else "?",
        _ago(now - last) if last is not None else "-",
        f"{traffic.heard_per_s:.1f}" if traffic else "?",
        str(traffic.damaged) if traffic else "?",
        clock_text(one.clock),
    ]


def clock_text(clock: ClockShown | None) -> str:
    """A clock's offset in seconds, as far as it is known."""
    if clock is None:
        return "-"
    set_ = f", set {clock.jumps} times" if clock.jumps else ""
    if clock.high_us is None:
        return f">= {seconds(clock.low_us)} s{set_}"
    middle, half = (clock.low_us + clock.high_us) / 2e6, (clock.high_us - clock.low_us) / 2e6
    return f"{middle:+.3f} ± {half:.3f} s{set_}"


def seconds(us: int) -> str:
    """Microseconds as seconds, with their sign."""
    return f"{us / 1e6:+.3f}"


def _ago(ms: int) -> str:
    s = max(ms, 0) / 1000
    return f"{s:.0f} s" if s < 120 else f"{s / 60:.0f} min" if s < 7200 else f"{s / 3600:.0f} h"
