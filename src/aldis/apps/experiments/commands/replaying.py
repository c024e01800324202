"""`aldis experiment replay`: whether a recording says what its bytes say, and comes to its score."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from aldis.apps.experiments.commands.recordings import (
    FILES,
    KEY,
    LIMITED,
    Run,
    key_of,
    score_table,
    scores_of,
    sound,
    streams_of,
)
from aldis.kernel.errors import VerificationFailed

if TYPE_CHECKING:
    from aldis.apps.experiments.recorder import Findings
    from aldis.apps.experiments.replay import Replay
    from aldis.apps.experiments.scoring import Report, Score

__all__ = ["replay"]


@click.command("replay")
@FILES
@KEY
@click.pass_obj
def replay(run: Run, files: Sequence[Path], key: str) -> None:
    """Decode a recording's bytes again, and score it: from its files alone, it must come to the same.

    Every entity is compared with what was recorded, and so is the score. Exit code 0: all is the same. 1: so is what
    is there, but the recording is incomplete. 4: the first message that differs is named.
    """
    found, missing = sound(files, key_of(run, key))
    began = time.monotonic()
    made, again = _replayed(found)
    took = time.monotonic() - began
    scores = _scored(streams_of(found), again)
    whole = not missing and all(one.state == "intact" for one in found.values())
    markings = sorted({one.opening.marking for one in found.values() if one.opening})
    data = {
        "markings": markings,
        "complete": whole,
        "heads": [one.head for one in found.values()],
        "pieces": made.pieces,
        "entities": made.entities,
        "unfinished": made.unfinished,
        "digests": {name: one.digest for name, one in scores.items()},
    }
    for marking in markings:
        run.out.say(marking)
    score_table(run, data, scores)
    run.out.say(f"{made.pieces} pieces decode to the {made.entities} entities that were recorded")
    run.out.say(f"{made.span_s:.1f} s of recording in {took:.1f} s, {made.span_s / max(took, 1e-3):,.0f} times as fast")
    if not whole:
        run.out.say("the recording is incomplete: this holds for what is there")
        click.get_current_context().exit(LIMITED)


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


def _scored(
    then: Mapping[tuple[str, str], Sequence[Report]], now: Mapping[tuple[str, str], Sequence[Report]]
) -> Mapping[str, Score]:
    """The scores of what was decoded again, which are those of what was recorded: of the same, the same."""
    from aldis.apps.experiments.scoring import Criteria  # noqa: PLC0415

    if not {tap for tap, _ in now} >= {"entity", "egress"}:
        return {}
    made = scores_of(now, "", "", Criteria())
    same = {place: sorted(reports, key=_order) for place, reports in then.items()} == {
        place: sorted(reports, key=_order) for place, reports in now.items()
    }
    for name, score in {} if same else scores_of(then, "", "", Criteria()).items():
        if score.digest != made[name].digest:
            raise VerificationFailed(
                f"the score of {name} is {score.digest} of what was recorded, and {made[name].digest} decoded again",
                fix="Replay it with the version that recorded it",
            )
    return made


def _order(report: Report) -> tuple[str, int, int]:
    return report.key, report.at_us, report.received_us
