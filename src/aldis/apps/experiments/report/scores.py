"""The scores of a report: each view against what was known, with GOSPA in its parts."""

from __future__ import annotations

from collections.abc import Mapping

from aldis.apps.experiments.report.document import Block, Cell, Note, Row, Section, Span, Table, cell
from aldis.apps.experiments.report.evidence import RECORDINGS
from aldis.apps.experiments.report.wording import number, shown
from aldis.apps.experiments.scoring import Criteria, Score

__all__ = ["scores"]

_DISTANCE = ("View", "GOSPA", "Localisation", "Missed", "False", "Switches", "Interrupted", "MOTA", "MOTP")
_TIME = (
    "View", "Latency p50", "Latency p95", "Latency p99", "Age p50", "Age p95", "Age p99", "Seen of expected",
    "Complete", "Fresh",
)  # fmt: skip
_PLACE = (
    "View", "Error mean", "Error p95", "Error greatest", "Height p95", "Names agreed", "Names withheld", "Digest",
)  # fmt: skip
_SHORT = 16


def scores(views: Mapping[str, Score]) -> Section:
    """What each view was worth; the numbers are of the recordings as a whole."""
    blocks: list[Block] = []
    if not views:
        blocks.append(Note(cell("No view was scored.")))
    for number_, by in enumerate(dict.fromkeys(one.criteria for one in views.values())):
        some = {name: one for name, one in sorted(views.items()) if one.criteria == by}
        again = f" ({number_ + 1})" if number_ else ""
        blocks += [Note(cell(_criteria(by))), *_tables(some, by, again)]
    return Section("Scores", "scores", blocks)


def _criteria(by: Criteria) -> str:
    return (
        f"GOSPA with cutoff c = {number(by.cutoff_m, 'm')} and order p = {number(by.order)}, every "
        f"{number(by.step_us / 1e6, 's')}; its parts localisation, missed and false add up to its power of p, here as "
        f"means over the instants. An update is fresh up to {number(by.fresh_us / 1e6, 's')}; tracks are followed over "
        f"gaps of up to {number(by.gap_us / 1e6, 's')}."
    )


def _tables(views: Mapping[str, Score], by: Criteria, again: str) -> list[Block]:
    power = f"m^{number(by.order)}"
    distance = [
        _row(
            name, number(one.gospa_m, "m"), number(one.localisation, power), number(one.missed, power),
            number(one.false, power), number(one.switches), number(one.interruptions), number(one.accuracy),
            number(one.precision_m, "m"),
        )
        for name, one in views.items()
    ]  # fmt: skip
    time = [
        _row(
            name, *map(_seconds, (*one.latency_us, *one.age_us)), f"{one.seen:,} of {one.expected:,}",
            _share(one.complete), _share(one.fresh),
        )
        for name, one in views.items()
    ]  # fmt: skip
    place = [
        _row(
            name, number(one.errors.mean_m, "m"), number(one.errors.p95_m, "m"), number(one.errors.greatest_m, "m"),
            number(one.heights.p95_m, "m"), f"{one.names.agreed:,} of {one.names.compared:,}",
            number(one.names.withheld), one.digest[:_SHORT],
        )
        for name, one in views.items()
    ]  # fmt: skip
    titles = ("Distance and identity", "Time and completeness", "Place and names")
    return [
        Table(f"{title}{again}", tuple(cell(head) for head in heads), tuple(rows), (14, *(10 for _ in heads[1:])))
        for title, heads, rows in zip(titles, (_DISTANCE, _TIME, _PLACE), (distance, time, place), strict=True)
    ]


def _row(name: str, *values: str) -> Row:
    return Row((cell(shown(name, 60)), *(_linked(value) for value in values)))


def _linked(text: str) -> Cell:
    return cell(Span(text, "" if text == "not measured" else RECORDINGS))


def _seconds(value: int | None) -> str:
    return number(None if value is None else value / 1e6, "s" if value is not None else "")


def _share(value: float | None) -> str:
    return number(None if value is None else value * 100, "%" if value is not None else "")
