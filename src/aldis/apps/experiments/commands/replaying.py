"""`aldis experiment replay`: whether a recording says what its bytes say, and comes to its score."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from aldis.apps.experiments.commands.judging import SEALED_BY, keys_of
from aldis.apps.experiments.commands.nations import recordings_of
from aldis.apps.experiments.commands.recordings import FILES, LIMITED, score_table, scores_of
from aldis.apps.experiments.commands.terminal import Run
from aldis.apps.experiments.commands.verifying import own_findings, parties_of
from aldis.kernel.errors import VerificationFailed

if TYPE_CHECKING:
    from aldis.apps.experiments.recorder import Findings
    from aldis.apps.experiments.replay import Replay
    from aldis.apps.experiments.scoring import Report, Score

__all__ = ["replay"]


@click.command("replay")
@FILES
@SEALED_BY
@click.option(
    "--report", "folder", metavar="FOLDER", type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Also find anew what these recordings show of a report's cases: it must come to the report's findings.",
)  # fmt: skip
@click.pass_obj
def replay(run: Run, files: Sequence[Path], sealed: Sequence[str], folder: Path | None) -> None:
    """Decode a recording's bytes again, and score it: from its files alone, it must come to the same.

    Every entity is compared with what was recorded, and what was decoded again is scored: the digests are those of
    `aldis experiment score`. The files may be of several nations. Exit code 0: all is the same. 1: so is what is there,
    but a recording is incomplete. 4: the first message that differs is named.
    """
    from aldis.apps.experiments.scoring import Criteria  # noqa: PLC0415

    found = recordings_of(files, keys_of(run, sealed))
    scores: dict[str, Score] = {}
    pieces = entities = unfinished = 0
    span_s, began = 0.0, time.monotonic()
    for recording in found:
        made, again = _replayed(recording.files)
        pieces, entities, unfinished = pieces + made.pieces, entities + made.entities, unfinished + made.unfinished
        span_s += made.span_s
        before = f"{recording.node}/{recording.run}/" if len(found) > 1 else ""
        if {tap for tap, _ in again} >= {"entity", "egress"}:
            scores |= {before + name: one for name, one in scores_of(again, "", "", Criteria()).items()}
    took = max(time.monotonic() - began, 1e-3)
    whole = all(one.whole for one in found)
    each = [one for recording in found for one in recording.files.values()]
    markings = sorted({one.opening.marking for one in each if one.opening})
    data: dict[str, Any] = {
        "markings": markings,
        "complete": whole,
        "heads": [one.head for one in each],
        "pieces": pieces,
        "entities": entities,
        "unfinished": unfinished,
        "digests": {name: one.digest for name, one in scores.items()},
    }
    if folder is not None:
        data["findings"] = _found_anew(run, folder, files, sealed)
    for marking in markings:
        run.out.say(marking)
    score_table(run, data, scores)
    run.out.say(f"{pieces} pieces decode to the {entities} entities that were recorded")
    run.out.say(f"{span_s:.1f} s of recording in {took:.1f} s, {span_s / took:,.0f} times as fast")
    if folder is not None:
        run.out.say(f"they come to the findings of the report, {data['findings']}")
    if not whole:
        run.out.say("a recording is incomplete: this holds for what is there")
        click.get_current_context().exit(LIMITED)


def _found_anew(run: Run, folder: Path, files: Sequence[Path], sealed: Sequence[str]) -> str:
    """The digest of a report's findings, which are found again in the recordings.

    Raises:
        VerificationFailed: the report is altered or foreign, or the recordings come to other findings.
    """
    from aldis.apps.experiments.report import compare, verify_report  # noqa: PLC0415 - numpy

    report = verify_report(folder, keys_of(run, sealed), parties=parties_of(run), render=False)
    if report.findings is None or report.verdict == "foreign":
        raise VerificationFailed(f"{folder}: {'; '.join(report.wrong)}", fix="Ask who sent it for another copy")
    compared = compare(report.findings, own_findings(run, folder, report.findings, files, sealed))
    if not compared.same:
        why = "; ".join(compared.differs) or "they are not all its recordings"
        raise VerificationFailed(
            f"the recordings do not come to the findings of {folder}: {why}", fix="Give all recordings that it names"
        )
    return report.findings.digest


def _replayed(found: Mapping[Path, Findings]) -> tuple[Replay, Mapping[tuple[str, str], Sequence[Report]]]:
    """What came of decoding again, and the reports of what it came to."""
    from aldis.apps.experiments.recorder import recorded  # noqa: PLC0415
    from aldis.apps.experiments.replay import Replay  # noqa: PLC0415
    from aldis.apps.experiments.scoring import streams  # noqa: PLC0415

    made = Replay()
    again: dict[tuple[str, str], list[Report]] = {}
    for path, one in found.items():
        reports = streams(made.take(message) for message in recorded(path, one.covered))
        for place, some in reports.items():
            again.setdefault(place, []).extend(some)
        made.end(closed=one.state == "intact")
    return made, again
