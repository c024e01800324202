"""The cells of the matrix: how far one system's messages of a class came towards another's, rung by rung.

Each rung is looked at where it can be seen. What cannot be looked at, since the rung below was not reached or nobody
recorded it, is `unknown`. What a label withholds is named and no failure; what is shown beyond the release is one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from aldis.apps.experiments.cases.clocks import Clocks, Offset
from aldis.apps.experiments.cases.crossing import Crossing
from aldis.apps.experiments.cases.evidence import NODE, Taken
from aldis.apps.experiments.cases.execution import asked, evidence_of, executed
from aldis.apps.experiments.cases.fields import fates_along, groups, not_released, permits, withheld
from aldis.apps.experiments.cases.findings import Cell, Mark, Measure, Reason, Rung
from aldis.apps.experiments.cases.seen import Seen
from aldis.apps.experiments.cases.standing import kept_state
from aldis.apps.experiments.cases.tasking import Tasking
from aldis.apps.experiments.cases.verdict import verdict_of
from aldis.apps.experiments.cases.way import Way, split
from aldis.apps.experiments.gateways.registry import offered
from aldis.kernel.errors import AldisError

__all__ = ["DECODED", "DELAYED_S", "REACHED", "Wanted", "cell_of", "why_nothing"]

DECODED = 0.99
"""The share of a system's messages that are to be decoded without damage."""
REACHED = 0.95
"""The share of the records released that are to reach the target."""
DELAYED_S = 5.0
"""What left its own node no sooner than this was held back on purpose."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What test cases ask of a cell: whether any does, the fields that are to arrive, and what was seen unpermitted."""

    asked: bool = False
    needed: tuple[str, ...] | None = None
    forbidden: Measure | None = None


def cell_of(taken: Taken, clocks: Clocks, source: str, target: str, kind: str, wanted: Wanted) -> Cell:
    """One cell, with its marks and its verdict."""
    way = Way(taken, source, target, kind)
    tasks = asked(way, clocks) if kind == "tasking" else ()
    if kind == "tasking":
        way = Way(taken, source, target, kind, frozenset(one.record for one in tasks))
    tried = bool(way.reached) or (wanted.asked and bool(way.said or tasks or way.missing or way.lacking))
    marks = _marks(way, clocks, wanted, tasks) if tried else ()
    return Cell(
        source=source, target=target, message=kind, protocols=(_spoken(taken, source), _spoken(taken, target)),
        marks=tuple(marks), verdict=verdict_of(marks),
    )  # fmt: skip


def _marks(way: Way, clocks: Clocks, wanted: Wanted, tasks: Sequence[Tasking]) -> Sequence[Mark]:
    reached = _bytes(way)
    marks = [reached]
    above = reached.outcome in ("met", "partly")
    crossing = Crossing(way.said, way.reached, clocks.between(split(way.source)[0], split(way.target)[0]))
    if above:
        marks.append(_decoded(way, tasks))
        if way.kind != "tasking" or fates_along(way):  # what a vehicle was sent step by step is not read again whole
            marks.append(_fidelity(way, wanted))
    else:
        marks += [_unseen(rung, reached) for rung in ("decoded", "fidelity")]
    if way.kind == "tasking":
        marks.append(executed(way, clocks, tasks) if tasks else _unseen("executed", reached))
    marks.append(kept_state(way, crossing) if above else _unseen("state", reached))
    return marks


def _unseen(rung: Rung, below: Mark) -> Mark:
    missing: tuple[Reason, ...] = ("recording missing",) if "recording missing" in below.reasons else ()
    return Mark(rung=rung, outcome="unknown", reasons=missing, text="nothing that could be looked at came so far")


def _bytes(way: Way) -> Mark:
    if not way.reached:
        return why_nothing(way)
    out = {one.record for stream in way.left for one in stream.seen} & way.records if way.left else way.records
    came = {one.record for one in way.reached}
    share = round(len(came & out) / len(out), 6) if out else 1.0
    evidence = way.evidence(way.sent, way.reached[0])
    reasons: list[Reason] = [] if share >= REACHED else ["incomplete"]
    text = f"{len(came)} records in {len(way.reached)} reports"
    if way.lacking:
        reasons.append("recording incomplete")
        text += f"; the recording of {', '.join(way.lacking)} is not whole"
    return Mark(
        rung="bytes", outcome="met" if share >= REACHED else "partly", reasons=tuple(reasons), text=text, value=share,
        limit=REACHED, unit="share", evidence=evidence,
    )  # fmt: skip


def why_nothing(way: Way) -> Mark:
    """The mark of a way on which nothing reached the target."""
    left = [one for stream in way.left for one in stream.seen if not way.records or one.record in way.records]
    arrived = [one for stream in way.arrived for one in stream.seen if one.record in way.records]
    if way.missing:
        text = f"no recording of {', '.join(way.missing)}" + (f"; {len(left)} reports left for it" if left else "")
        return _none("unknown", ("recording missing",), text, way, left)
    if way.lacking:
        text = f"the recording of {', '.join(way.lacking)} is not whole"
        return _none("unknown", ("recording incomplete",), text, way, left)
    if arrived and split(way.target)[1]:
        if _unsayable(way):
            return _none("failed", ("not sayable",), "the target's protocol has no message for it", way, arrived)
        return _none("failed", ("nothing sent",), "it arrived at the node, which did not send it on", way, arrived)
    if left:
        return _none("failed", ("nothing arrived",), f"{len(left)} reports left, none arrived", way, left)
    if not way.said:
        return _none("failed", ("nothing sent",), "the source said nothing of this class", way, [])
    return _none("failed", ("nothing sent",), f"of {len(way.said)} reports none left for the target", way, way.said)


def _none(
    outcome: str, reasons: tuple[Reason, ...], text: str, way: Way, some: Sequence[Seen]
) -> Mark:  # fmt: skip
    streams = [*way.source_streams(), *way.left, *way.arrived]
    evidence = way.evidence(streams, *some[:1])
    return Mark(rung="bytes", outcome="failed" if outcome == "failed" else "unknown", reasons=reasons, text=text,
                evidence=evidence)  # fmt: skip


def _unsayable(way: Way) -> bool:
    """Whether no protocol of the target has a message for what arrived."""
    things = [(seen, thing) for stream in way.arrived for seen, thing in stream.things if seen.record in way.records]
    spoken = _protocols(way.taken, way.target)
    if not things or not spoken:
        return False
    for protocol in spoken:
        try:
            if offered(protocol).open().encode(things[0][1], things[0][0].at_us).messages:
                return False
        except AldisError:
            return False
    return True


def _decoded(way: Way, tasks: Sequence[Tasking]) -> Mark:
    acknowledged = [one for one in tasks if one.first("accepted", "executing", "completed") is not None]
    if acknowledged:
        evidence = evidence_of(way, acknowledged[0], None)
        return Mark(rung="decoded", outcome="met", text="the target acknowledged it", evidence=evidence)
    reading = way.taken.readings.get(split(way.source))
    good, every = reading.counts if reading is not None else (0, 0)
    mirrors = [mirror for stream in way.sent for mirror in stream.mirrors.values() if mirror.readable]
    said, understood = sum(one.said for one in mirrors), sum(one.understood for one in mirrors)
    share = round(good / every, 6) if every else None
    again = round(understood / said, 6) if said else None
    shares = [one for one in (share, again) if one is not None]
    words = []
    if every:
        words.append(f"{good} of {every} messages of the source decoded")
        words += [f"{count} {reason}" for reason, count in sorted(reading.dropped.items())] if reading else []
    if said:
        words.append(f"{understood} of {said} reports for the target decode again from its bytes")
    if not shares:
        unread = sorted((reading.unknown if reading else set()) | _unread(way))
        text = f"no gateway here for {', '.join(unread)}" if unread else "no bytes of either were recorded"
        return Mark(rung="decoded", outcome="unknown", text=text)
    worst = min(shares)
    good_enough = worst >= DECODED
    return Mark(
        rung="decoded", outcome="met" if good_enough else "partly" if worst > 0 else "failed",
        reasons=() if good_enough else ("messages damaged",), text="; ".join(words), value=worst, limit=DECODED,
        unit="share", evidence=way.evidence(way.source_streams(), *way.said[:1]),
    )  # fmt: skip


def _unread(way: Way) -> set[str]:
    return {name for stream in way.sent for name, mirror in stream.mirrors.items() if not mirror.readable}


def _fidelity(way: Way, wanted: Wanted) -> Mark:
    beyond = not_released(way)
    if wanted.forbidden is not None and not beyond:
        one = wanted.forbidden
        return Mark(
            rung="fidelity", outcome="failed", reasons=("field not permitted",), text=one.text, value=one.value,
            limit=one.limit, unit=one.unit, evidence=one.evidence,
        )  # fmt: skip
    if beyond:
        stream, seen = next(iter(beyond.values()))
        return Mark(
            rung="fidelity", outcome="failed", reasons=("field not permitted",),
            text=f"shown beyond what was released: {groups(beyond)}", value=float(len(beyond)), limit=0.0,
            unit="fields", evidence=way.evidence([stream], seen),
        )  # fmt: skip
    return _kept(way, wanted)


def _kept(way: Way, wanted: Wanted) -> Mark:
    """How the fields fared in the target's bytes; of those that a case needs, or else of all that were released."""
    found = fates_along(way)
    counted = {path: one for path, one in found.items() if wanted.needed is None or permits(wanted.needed, path)}
    changed = {path: one for path, one in counted.items() if one[0].fate == "changed"}
    dropped = {path: one for path, one in counted.items() if one[0].fate == "dropped"}
    nearly = sum(one.fate == "approximated" for one, _ in counted.values())
    reasons: list[Reason] = ["field changed"] if changed else []
    reasons += ["field dropped"] if dropped else []
    words = [f"{len(counted) - len(changed) - len(dropped)} of {len(counted)} fields, {nearly} of them nearly"]
    words += [f"changed: {', '.join(f'{path} {one.why}'.strip() for path, (one, _) in changed.items())}"] * bool(
        changed
    )
    words += [f"dropped: {'; '.join(_by_reason({path: one.why for path, (one, _) in dropped.items()}))}"] * bool(
        dropped
    )
    gone = withheld(way)
    if gone:
        reasons.append("withheld by label")
        words.append(f"withheld: {groups(gone, way.fields(way.source_streams()))}")
    if "position.grid_m" in way.fields(way.sent) and "position.grid_m" not in way.fields(way.source_streams()):
        reasons.append("coarsened by instrument")
    left = Crossing(way.said, [one for stream in way.left for one in stream.seen], Offset(0, 0)).latency(Fraction(0))
    if left is not None and left[0] >= DELAYED_S * 1e6:
        reasons.append("delayed by instrument")
        words.append(f"held back for {left[0] / 1e6:.1f} s or more")
    at = next(iter((*changed.values(), *dropped.values())), None)
    evidence = way.evidence([at[1]], at[0].at) if at else way.evidence(way.sent, *way.reached[:1])
    if not counted:
        unread = sorted(_unread(way)) if split(way.target)[1] else []
        words = [f"no gateway here for {', '.join(unread)}" if unread else "released as it was said", *words[1:]]
        outcome = "unknown" if unread else "met"
        return Mark(rung="fidelity", outcome="met" if outcome == "met" else "unknown", reasons=tuple(reasons),
                    text="; ".join(words), evidence=evidence)  # fmt: skip
    share = round((len(counted) - len(changed) - len(dropped)) / len(counted), 6)
    return Mark(
        rung="fidelity", outcome="failed" if changed else "partly" if dropped else "met", reasons=tuple(reasons),
        text="; ".join(words), value=share, limit=1.0, unit="share", evidence=evidence,
    )  # fmt: skip


def _by_reason(fields: dict[str, str]) -> Sequence[str]:
    """Fields by why they were dropped."""
    reasons: dict[str, list[str]] = {}
    for path, why in fields.items():
        reasons.setdefault(why, []).append(path)
    return [f"{groups(paths)} ({why})" for why, paths in sorted(reasons.items())]


def _protocols(taken: Taken, who: str) -> Sequence[str]:
    node, system = split(who)
    spoken = set(taken.readings[node, system].protocols) if (node, system) in taken.readings else set()
    for (where, tap, name, _), stream in taken.streams.items():
        if (where, tap, name) == (node, "egress", system) and not name.startswith(NODE):
            spoken |= stream.protocols
    return sorted(spoken)


def _spoken(taken: Taken, who: str) -> str:
    return ", ".join(_protocols(taken, who))
