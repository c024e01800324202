"""The criteria of a step that shares: what one system said, held against what another was sent."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from aldis.apps.experiments.cases.case import Share, criteria_of
from aldis.apps.experiments.cases.cells import why_nothing
from aldis.apps.experiments.cases.clocks import Clocks
from aldis.apps.experiments.cases.crossing import Crossing
from aldis.apps.experiments.cases.fields import fates_along, groups, outside, permits, withheld
from aldis.apps.experiments.cases.findings import Evidence, Measure, Reason
from aldis.apps.experiments.cases.seen import Seen
from aldis.apps.experiments.cases.way import Way, split
from aldis.apps.experiments.scoring.timeliness import MEDIAN, P95

__all__ = ["shared"]

_LEAST_OUTAGE_US = 1_000_000


def shared(way: Way, step: Share, clocks: Clocks, cutoff_m: float) -> Sequence[Measure]:
    """That anything reached the target, and each criterion that the step names."""
    if not way.reached:
        mark = why_nothing(way)
        met = None if mark.outcome == "unknown" else False
        return [
            Measure(criterion="arrived", step=step.name, met=met, reasons=mark.reasons, text=mark.text,
                    evidence=mark.evidence)
        ]  # fmt: skip
    judge = _Judge(way, step, clocks, cutoff_m)
    first = Measure(
        criterion="arrived", step=step.name, met=True, value=float(len(way.reached)), unit="updates",
        evidence=way.evidence(way.sent, way.reached[0], way.reached[-1]),
    )  # fmt: skip
    return [first, *judge.measures()]


class _Judge:
    """Measures one step."""

    def __init__(self, way: Way, step: Share, clocks: Clocks, cutoff_m: float) -> None:
        self.way = way
        self.step = step
        offset = clocks.between(split(way.source)[0], split(way.target)[0])
        self.crossing = Crossing(way.said, way.reached, offset)
        self._cutoff_m = cutoff_m
        self._score: Any = None
        self._by: dict[str, Callable[[str, Any], Measure]] = {
            "permitted": self._permitted,
            "needed": self._needed,
            "decoded_share": self._decoded,
            "fields_share": self._fields,
            "latency_p50_s": self._latency,
            "latency_p95_s": self._latency,
            "age_p95_s": self._age,
            "complete_share": self._complete,
            "error_m": self._error,
            "gospa_m": self._gospa,
            "localisation_m2": self._gospa,
            "missed_m2": self._gospa,
            "false_m2": self._gospa,
            "names_share": self._names,
            "switches": self._switches,
            "returns_s": self._returns,
            "false_tracks": self._false,
            "kept_share": self._kept,
        }

    def measures(self) -> Iterator[Measure]:
        """One for each criterion, in their order."""
        for name, limit in criteria_of(self.step):
            if name in self._by:
                yield self._by[name](name, limit)

    def _measure(
        self, name: str, value: float | None, limit: float, unit: str, reason: Reason, at: Seen | None = None,
        *, least: bool = False, text: str = "", none: str = "there was nothing to measure",
    ) -> Measure:  # fmt: skip
        """`least` where the value is to be no less than the limit, else no more."""
        met = None if value is None else value >= limit if least else value <= limit
        return Measure(
            criterion=name, step=self.step.name, met=met, value=value, limit=float(limit), unit=unit,
            reasons=(reason,) if met is False else (), text=text if met is not None else none,
            evidence=self.evidence(at),
        )  # fmt: skip

    def evidence(self, at: Seen | None) -> tuple[Evidence, ...]:
        """Where a report stands, or else the first of what arrived."""
        found = self.way.evidence([*self.way.sent, *self.way.arrived, *self.way.source_streams()], at)
        return found or self.way.evidence(self.way.sent, self.way.reached[0])

    def _permitted(self, name: str, limit: Sequence[str]) -> Measure:
        wrong = outside(self.way, limit)
        gone = withheld(self.way)
        words = [f"not permitted: {groups(wrong)}"] if wrong else []
        words += [f"withheld: {groups(gone, self.way.fields(self.way.source_streams()))}"] if gone else []
        reasons: list[Reason] = ["field not permitted"] if wrong else []
        reasons += ["withheld by label"] if gone else []
        where = next(iter(wrong.values()), None)
        evidence = self.way.evidence([where[0]], where[1]) if where else self.evidence(None)
        return Measure(
            criterion=name, step=self.step.name, met=not wrong, value=float(len(wrong)), limit=0.0, unit="fields",
            reasons=tuple(reasons), text="; ".join(words), evidence=evidence,
        )  # fmt: skip

    def _needed(self, name: str, limit: Sequence[str]) -> Measure:
        shown = self.way.fields(self.way.sent)
        fates = fates_along(self.way)
        absent = [one for one in limit if not any(permits([one], path) for path in shown)]
        bad = {
            path: one.fate for path, (one, _) in fates.items()
            if one.fate in ("dropped", "changed") and permits(limit, path)
        }  # fmt: skip
        reasons: list[Reason] = ["field dropped"] if absent or "dropped" in bad.values() else []
        reasons += ["field changed"] if "changed" in bad.values() else []
        words = [f"not there: {', '.join(absent)}"] if absent else []
        words += [f"{fate}: {groups(path for path in bad if bad[path] == fate)}" for fate in sorted(set(bad.values()))]
        at = next((fates[path] for path in bad), None)
        evidence = self.way.evidence([at[1]], at[0].at) if at else self.evidence(None)
        return Measure(
            criterion=name, step=self.step.name, met=not reasons, value=float(len(absent) + len(bad)), limit=0.0,
            unit="fields", reasons=tuple(reasons), text="; ".join(words), evidence=evidence,
        )  # fmt: skip

    def _decoded(self, name: str, limit: float) -> Measure:
        mirrors = [one for stream in self.way.sent for one in stream.mirrors.values() if one.readable]
        said, understood = sum(one.said for one in mirrors), sum(one.understood for one in mirrors)
        reading = self.way.taken.readings.get(split(self.way.source))
        good, every = reading.counts if reading is not None else (0, 0)
        shares = [one / of for one, of in ((good, every), (understood, said)) if of]
        value = round(min(shares), 6) if shares else None
        return self._measure(name, value, limit, "share", "messages damaged", least=True)

    def _fields(self, name: str, limit: float) -> Measure:
        fates = fates_along(self.way)
        lost = {path: one for path, one in fates.items() if one[0].fate in ("dropped", "changed")}
        value = round(1 - len(lost) / len(fates), 6) if fates else None
        changed = any(one.fate == "changed" for one, _ in lost.values())
        at = next(iter(lost.values()), None)
        return self._measure(
            name, value, limit, "share", "field changed" if changed else "field dropped", at[0].at if at else None,
            least=True, text=f"lost: {groups(lost)}" if lost else "",
        )  # fmt: skip

    def _latency(self, name: str, limit: float) -> Measure:
        found = self.crossing.latency(MEDIAN if "p50" in name else P95)
        seen, every = self.crossing.counts
        words = f"of {seen} of {every} updates; {self.crossing.offset.words}"
        value = None if found is None else round(found[0] / 1e6, 6)
        measure = self._measure(
            name, value, limit, "s", "too late", found[1] if found else None, text=words,
            none="no update at the target is one of the source's",
        )  # fmt: skip
        if value is not None and self._impossible(value):
            return Measure(
                criterion=name, step=self.step.name, met=False, value=value, limit=limit, unit="s",
                reasons=("clock wrong",), text=f"{words}; it arrived before it was said", evidence=measure.evidence,
            )  # fmt: skip
        return measure

    def _impossible(self, value: float) -> bool:
        """Whether something was there before it was said, by more than the clocks may be wrong."""
        offset = self.crossing.offset
        return value + (offset.uncertainty_us or 0) / 1e6 < 0

    def _age(self, name: str, limit: float) -> Measure:
        age = self.crossing.age(P95)
        last = self.way.reached[-1]
        return self._measure(
            name, None if age is None else round(age / 1e6, 6), limit, "s", "too old", last,
            text=self.crossing.offset.words,
        )  # fmt: skip

    def _complete(self, name: str, limit: float) -> Measure:
        seen, every = self.crossing.counts
        value = round(seen / every, 6) if every else None
        text = f"{seen} of {every} updates"
        return self._measure(name, value, limit, "share", "incomplete", self.crossing.unmatched, least=True, text=text)

    def _error(self, name: str, limit: float) -> Measure:
        found = self.crossing.error
        grid = "position.grid_m" in self.way.fields(self.way.sent)
        return self._measure(
            name, found[0] if found else None, limit, "m", "wrong place", found[1] if found else None,
            text="coarsened on its way out" if grid else "",
        )  # fmt: skip

    def _gospa(self, name: str, limit: float) -> Measure:
        if self._score is None:
            self._score = self.crossing.scored(self._cutoff_m)
        value = getattr(self._score, name if name == "gospa_m" else name.removesuffix("_m2"))
        reason: Reason = "incomplete" if name == "missed_m2" else "wrong place"
        unit = "m" if name == "gospa_m" else "m²"
        return self._measure(name, value, limit, unit, reason, text=f"mean over {self._score.instants} instants")

    def _names(self, name: str, limit: float) -> Measure:
        agreed, compared, wrong = self.crossing.names
        value = round(agreed / compared, 6) if compared else None
        text = f"{agreed} of {compared} names"
        return self._measure(
            name, value, limit, "share", "identity switched", wrong, least=True, text=text,
            none="no name was on both sides",
        )  # fmt: skip

    def _switches(self, name: str, limit: float) -> Measure:
        found = self.crossing.switches
        return self._measure(
            name, float(len(found)), limit, "switches", "identity switched", found[0] if found else None
        )

    def _returns(self, name: str, limit: float) -> Measure:
        longer = round((self.step.outage_s or 0.0) * 1e6) or _LEAST_OUTAGE_US
        outages = self.crossing.outages(longer)
        if not outages:
            return self._measure(
                name, None, limit, "s", "lost and not back", none=f"nothing was lost for {longer / 1e6:g} s or more"
            )
        worst = max(outages, key=lambda one: (one.after is None, one.lasted_us))
        lasted = round(worst.lasted_us / 1e6, 6)
        back = worst.after is not None
        return Measure(
            criterion=name, step=self.step.name, met=back and lasted <= limit, value=lasted, limit=limit, unit="s",
            reasons=() if back and lasted <= limit else ("too late",) if back else ("lost and not back",),
            text=f"{len(outages)} times" if len(outages) > 1 else "",
            evidence=self.way.evidence(self.way.sent, worst.before, worst.after),
        )  # fmt: skip

    def _false(self, name: str, limit: float) -> Measure:
        """Records that came from the source's node and that the node itself never had from any of its systems."""
        node = split(self.way.source)[0]
        own = {
            record for (where, tap, _, kind), stream in self.way.taken.streams.items()
            if (where, tap, kind) == (node, "entity", self.way.kind) for record in stream.keys
        }  # fmt: skip
        named = [one for one in self.way.arrived if one.place[2] == f"node:{node}"]
        wrong = sorted({record for one in named for record in one.keys if record not in own})
        at = next((one.keys[record] for record in wrong for one in named if record in one.keys), None)
        first = min(at.values(), key=lambda seen: seen.at_us) if at else None
        return self._measure(name, float(len(wrong)), limit, "tracks", "wrong place", first)

    def _kept(self, name: str, limit: float) -> Measure:
        """Of the records shown before an outage, and spoken of after it, how many were shown again."""
        longer = round((self.step.outage_s or 0.0) * 1e6) or _LEAST_OUTAGE_US
        outages = [one for one in self.crossing.outages(longer) if one.after is not None]
        before = after = 0
        for outage in outages:
            assert outage.after is not None
            since, until = outage.before.at_us, outage.after.at_us
            shift = self.crossing.offset.offset_us
            had = {one.record for one in self.way.reached if one.at_us <= since}
            spoken = {one.record for one in self.way.said if one.at_us >= until - shift}
            again = {one.record for one in self.way.reached if one.at_us >= until}
            before += len(had & spoken)
            after += len(had & spoken & again)
        value = round(after / before, 6) if before else None
        return self._measure(
            name, value, limit, "share", "lost and not back", least=True, text=f"{after} of {before} records",
            none="nothing was lost and came back",
        )  # fmt: skip
