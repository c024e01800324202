"""The page of who takes part: each system in words, what is missing of it, and what to do next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from aldis.app import Context, Page, Shown
from aldis.apps.experiments.participants.kind import ClockShown
from aldis.apps.experiments.participants.listing import ParticipantShown, listed_with_labels

__all__ = ["PAGES", "Row", "clock_words", "row"]

_STATES: Mapping[str, tuple[str, str, str]] = {
    "waiting": ("late", "…", "waits"),
    "joined": ("present", "✓", "holds"),
    "silent": ("lost", "✕", "fails"),
    "returned": ("back", "✓", "holds"),
    "ended": ("left", "–", "open"),
    "failed": ("cannot be reached", "✕", "fails"),
}
_NEXT: Mapping[str, str] = {
    "waiting": "Start it, and see that it sends to its node. What comes there says",
    "silent": "See that it runs and that its network reaches its node; it counts as back with its next message",
    "ended": "Nothing, if it was to leave; else start it again",
    "failed": "Mend its address in the settings of its node. The cause there names",
}
_COMMANDS: Mapping[str, str] = {"waiting": "aldis experiment probe ADDRESS", "failed": "aldis doctor"}
_NO_NEWS = "Its node has told nothing for a minute: look at the partner's health"


class _Nothing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Nothing is asked."""


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """A participant in words. `tone` is the colour that repeats them; `since` and `last` are ms since 1970 UTC."""

    name: str
    party: str
    marking: str
    state: str
    symbol: str
    tone: str
    why: str
    since: int | None
    protocol: str
    clock: str
    last: int | None
    traffic: str
    missing: Sequence[str]
    next: str
    command: str
    own: bool


def _participants(ctx: Context, _asked: _Nothing) -> Shown:
    found, labels = listed_with_labels(ctx)
    rows = [row(one, ctx.node) for one in found]
    offsets = {one.node: one.node_clock_low_us for one in found if one.node_clock_low_us is not None}
    counts: dict[tuple[str, str, str], int] = {}
    for one in rows:
        key = one.symbol, one.state, one.tone
        counts[key] = counts.get(key, 0) + 1
    values = {
        "rows": rows,
        "counts": counts,
        "offsets": {node: f"{low / 1e6:+.3f} s" for node, low in sorted(offsets.items())},
    }
    return Shown(values, labels)


def row(one: ParticipantShown, here: str) -> Row:
    """A participant in words; what is withheld or was never heard is named as missing."""
    state, traffic = one.state, one.traffic
    words, symbol, tone = _STATES[state.state] if state else ("not known", "?", "open")
    if one.stale:
        words, symbol, tone = f"{words}, by the last news of it", "?", "waits"
    missing = [] if state else ["its state is withheld"]
    if state and not state.protocol:
        missing.append("its protocol was not recognised yet")
    if one.clock is None and state and state.state in ("joined", "returned"):
        missing.append("nothing bounds its clock")
    if traffic is None:
        missing.append("what comes from it is withheld")
    elif traffic.damaged:
        missing.append(f"{traffic.damaged:,} of {traffic.heard:,} messages were damaged")
    if traffic is not None and traffic.unfamiliar:
        missing.append(f"{traffic.unfamiliar:,} pieces were not recognised")
    return Row(
        name=one.name,
        party=one.party,
        marking=one.marking,
        state=words,
        symbol=symbol,
        tone=tone,
        why=state.reason if state else "",
        since=state.since if state else None,
        protocol=state.protocol if state else "",
        clock=clock_words(one.clock),
        last=traffic.last if traffic else None,
        traffic=f"{traffic.heard_per_s:.1f} messages/s" if traffic else "",
        missing=missing,
        next=_NO_NEWS if one.stale else _NEXT.get(state.state, "") if state else "",
        command=_COMMANDS.get(state.state, "") if state and not one.stale else "",
        own=one.node == here,
    )


def clock_words(clock: ClockShown | None) -> str:
    """By how much a clock is ahead of its node's, with its bounds; "" where nothing is known."""
    if clock is None:
        return ""
    jumps = f", set {clock.jumps} times" if clock.jumps else ""
    if clock.high_us is None:
        return f"at least {clock.low_us / 1e6:+.3f} s{jumps}"
    return f"{clock.low_us / 1e6:+.3f} to {clock.high_us / 1e6:+.3f} s{jumps}"


PAGES: Sequence[Page] = (
    Page("GET", "/runs/participants", "Participants", _Nothing, _participants, "participants.html"),
)
