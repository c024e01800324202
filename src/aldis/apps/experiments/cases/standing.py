"""Whether what was reached stayed so over the run: identities, freshness, and a link that was lost."""

from __future__ import annotations

from collections.abc import Sequence

from aldis.apps.experiments.cases.clocks import Offset
from aldis.apps.experiments.cases.crossing import Crossing
from aldis.apps.experiments.cases.findings import Mark
from aldis.apps.experiments.cases.seen import Seen
from aldis.apps.experiments.cases.way import Way
from aldis.apps.experiments.scoring.timeliness import P95

__all__ = ["OLDER_S", "OUTAGE_S", "kept_state"]

OLDER_S = 10.0
"""By how much the information at the target may be older than at its source, for 95 % of the time."""
OUTAGE_S = 10.0
"""From how long a silence on the link counts as lost."""


def kept_state(way: Way, crossing: Crossing) -> Mark:
    """The mark at the rung `state`."""
    switched = [*crossing.switches, *_renamed(way)] if way.kind == "track" else []
    if switched:
        return Mark(
            rung="state", outcome="failed", reasons=("identity switched",), text=f"{len(switched)} identities switched",
            value=float(len(switched)), limit=0.0, unit="switches", evidence=way.evidence(way.sent, switched[0]),
        )  # fmt: skip
    outages = crossing.outages(round(OUTAGE_S * 1e6))
    lost = [one for one in outages if one.after is None]
    if lost:
        return Mark(
            rung="state", outcome="failed", reasons=("lost and not back",),
            text=f"nothing for the last {lost[0].lasted_us / 1e6:.1f} s, while the source went on",
            value=round(lost[0].lasted_us / 1e6, 3), limit=OUTAGE_S, unit="s",
            evidence=way.evidence(way.sent, lost[0].before),
        )  # fmt: skip
    back = "".join(f"; lost for {one.lasted_us / 1e6:.1f} s and back" for one in outages[:3])
    age, own = crossing.age(P95), Crossing(way.said, way.said, Offset(0, 0)).age(P95)
    evidence = way.evidence(way.sent, *way.reached[-1:])
    if age is None or own is None:
        return Mark(rung="state", outcome="met", text=f"identities stayed{back}", evidence=evidence)
    older = round((age - own) / 1e6, 3)
    fresh = older <= OLDER_S
    return Mark(
        rung="state", outcome="met" if fresh else "partly", reasons=() if fresh else ("too old",),
        text=f"identities stayed; older than at the source by {older:g} s for 95 % of the time{back}",
        value=older, limit=OLDER_S, unit="s", evidence=evidence,
    )  # fmt: skip


def _renamed(way: Way) -> Sequence[Seen]:
    """Reports whose bytes call a record by another id than before, or by one that another record has."""
    found, taken = [], dict[str, str]()
    for stream in way.sent:
        for mirror in stream.mirrors.values():
            for record, keys in sorted(mirror.keys.items()):
                if record in way.records:
                    ordered = sorted(keys.items(), key=lambda one: (one[1].at_us, one[1].file, one[1].sequence))
                    found += [seen for _, seen in ordered[1:]]
                    found += [seen for key, seen in ordered[:1] if taken.setdefault(key, record) != record]
    return found
