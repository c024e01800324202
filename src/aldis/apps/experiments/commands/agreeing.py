"""`aldis experiment agree`: whether two nations' recordings agree on what crossed between them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from aldis.apps.experiments.commands.judging import SEALED_BY, keys_of
from aldis.apps.experiments.commands.nations import Recording, recordings_of
from aldis.apps.experiments.commands.recordings import FILES, LIMITED, UNVERIFIED
from aldis.apps.experiments.commands.terminal import Run
from aldis.kernel.errors import InvalidInput

if TYPE_CHECKING:
    from aldis.apps.experiments.recorder import Findings
    from aldis.apps.experiments.scoring import Agreement, Passed, Report

__all__ = ["agree"]

_HEADINGS = ("from", "to", "left", "arrived", "alike", "in part", "lost", "unknown", "altered", "never left", "score")


@click.command("agree")
@FILES
@click.option(
    "--with", "others", metavar="FILE", multiple=True, type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="The other nation's recording; each file says itself whose it is.",
)  # fmt: skip
@SEALED_BY
@click.pass_obj
def agree(run: Run, files: Sequence[Path], others: Sequence[Path], sealed: Sequence[str]) -> None:
    """Hold what left one nation against what arrived at another, both ways, and the scores that each comes to.

    What left and did not arrive was lost on the way, as live frames may be. Exit code 0: they agree. 1: so they do, as
    far as recordings are there. 4: something arrived that never left, or changed on its way, or the scores differ.
    """
    found = recordings_of([*files, *others], keys_of(run, sealed))
    nodes = sorted({one.node for one in found})
    if len(nodes) != 2:
        raise InvalidInput(f"these are recordings of {', '.join(nodes)}", fix="Give those of two nodes")
    sides = {node: _Side(node, [one for one in found if one.node == node]) for node in nodes}
    made = {(one, two): _agreed(sides[one], sides[two]) for one, two in ((nodes[0], nodes[1]), (nodes[1], nodes[0]))}
    each = [one for recording in found for one in recording.files.values()]
    markings = sorted({one.opening.marking for one in each if one.opening})
    whole = all(one.whole for one in found)
    agreed = all(one.agrees for one in made.values())
    for marking in markings:
        run.out.say(marking)
    data = {
        "markings": markings,
        "agree": agreed,
        "complete": whole,
        "ways": [
            {"from": one, "to": two}
            | msgspec.to_builtins(way)
            | {"agree": way.agrees, "digests": [each.digest for each in way.scores]}
            for (one, two), way in made.items()
        ],
    }
    run.out.table(data, _HEADINGS, [_row(*names, way) for names, way in made.items()])
    for way in made.values():
        for odd in way.odd:
            run.out.say(f"{odd.record} in frame {odd.frame[1]}: {odd.wrong} (message {odd.sequence} of {odd.topic})")
    if not (agreed and whole):
        run.out.say("they do not agree" if not agreed else "a recording is incomplete: they agree on what is there")
        click.get_current_context().exit(LIMITED if agreed else UNVERIFIED)


class _Side:
    """What one node recorded: what left and arrived, between which frames, and what its own systems said."""

    def __init__(self, node: str, found: Sequence[Recording]) -> None:
        from aldis.apps.experiments.recorder import messages  # noqa: PLC0415
        from aldis.apps.experiments.scoring import passed  # noqa: PLC0415

        self.node = node
        self._paths = [pair for recording in found for pair in recording.files.items()]
        self._files = [
            (passed(messages(path, one.covered)), one.state == "intact" and _goes_on(one, after))
            for (path, one), (_, after) in zip(self._paths, [*self._paths[1:], (None, None)], strict=True)
        ]

    def crossed(self, tap: str, node: str) -> tuple[Sequence[Passed], Any]:
        """What is at a tap for the other node, and the spans of it."""
        from aldis.apps.experiments.scoring import spans  # noqa: PLC0415

        parts = [(some.get((tap, node), []), closed) for some, closed in self._files]
        return [one for things, _ in parts for one in things], spans(parts)

    def truth(self) -> Sequence[Report]:
        """What its systems said of tracks, under their records' ids."""
        from aldis.apps.experiments.entity import Track  # noqa: PLC0415
        from aldis.apps.experiments.recorder import PARTNER, messages, read_told  # noqa: PLC0415
        from aldis.apps.experiments.scoring.streams import report_of  # noqa: PLC0415

        made = []
        for path, one in self._paths:
            for message in messages(path, one.covered):
                about = message.about
                if about["tap"] == "entity" and about["kind"] == "track" and not about["name"].startswith(PARTNER):
                    told = read_told(message)
                    if isinstance(told.entity, Track):
                        made.append(report_of(told.entity, message.log_ns // 1000, told.record))
        return made


def _goes_on(one: Findings, after: Findings | None) -> bool:
    """Whether nothing is missing behind a file: it is the last one given, or the next follows upon it."""
    return after is None or after.opening is None or after.opening.previous == one.head


def _agreed(one: _Side, two: _Side) -> Agreement:
    from aldis.apps.experiments.scoring import agree as agree_on  # noqa: PLC0415

    (left, left_spans), (arrived, arrived_spans) = one.crossed("egress", two.node), two.crossed("entity", one.node)
    return agree_on(left, arrived, one.truth(), left_spans=left_spans, arrived_spans=arrived_spans)


def _row(one: str, two: str, way: Agreement) -> Sequence[str]:
    counts = (way.left, way.arrived, way.alike, way.in_part, way.lost, way.unknown, way.altered, way.never_left)
    digests = [each.digest[:16] for each in way.scores]
    return [one, two, *map(str, counts), digests[0] if digests[0] == digests[1] else " and ".join(digests)]
