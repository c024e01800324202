"""`aldis experiment score`: what a recording is worth, from its files alone; no node is needed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from aldis.apps.experiments.commands.terminal import Run
from aldis.kernel.errors import InvalidInput, TooLarge, UnknownTerm, VerificationFailed
from aldis.kernel.signatures import Key

if TYPE_CHECKING:
    from aldis.apps.experiments.recorder import Findings
    from aldis.apps.experiments.scoring import Report, Score

__all__ = [
    "FILES",
    "KEY",
    "LIMITED",
    "UNVERIFIED",
    "key_of",
    "lacks_nothing",
    "score",
    "score_table",
    "scores_of",
    "sound",
    "streams_of",
    "told_of",
    "verified",
]

LIMITED, UNVERIFIED = 1, 4
_SHEET = 1024 * 1024
FILES = click.argument(
    "files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True, dir_okay=False)
)
KEY = click.option(
    "--sealed-by",
    "key",
    metavar="NODE|KEY|FILE",
    default="",
    help="Who is to have sealed it: this node or a partner by name, ed25519:KEY, or a node's sheet.",
)


class _Sheet(msgspec.Struct):
    algorithm: str
    key: str


@click.command("score")
@FILES
@KEY
@click.option("--truth", metavar="SYSTEM", default="", help="Compare with what this system said; else with all.")
@click.option("--view", metavar="PARTNER", default="", help="Only what left for this partner.")
@click.option(
    "--cutoff", metavar="M", type=float, default=100.0, show_default=True, help="Cutoff of GOSPA, c in metres."
)
@click.option("--order", metavar="P", type=float, default=2.0, show_default=True, help="Order of GOSPA, p.")
@click.option("--step", metavar="S", type=float, default=1.0, show_default=True, help="Seconds between instants.")
@click.option("--gap", metavar="S", type=float, default=30.0, show_default=True, help="Longest way between reports.")
@click.option("--fresh", metavar="S", type=float, default=10.0, show_default=True, help="An older update is stale.")
@click.pass_obj
def score(
    run: Run, files: Sequence[Path], key: str, truth: str, view: str, cutoff: float, order: float, step: float,
    gap: float, fresh: float,
) -> None:  # fmt: skip
    """Score what left for each partner against what was known, from a recording alone.

    GOSPA with its parts, switches, latency, age, completeness, errors and names. The same files give the same digest.
    """
    from aldis.apps.experiments.scoring import Criteria  # noqa: PLC0415 - numpy, not needed to verify

    criteria = Criteria(cutoff_m=cutoff, order=order, step_us=_us(step), gap_us=_us(gap), fresh_us=_us(fresh))
    found, missing = sound(files, key_of(run, key))
    scores = scores_of(streams_of(found), truth, view, criteria)
    whole = not missing and all(lacks_nothing(found, path) for path in found)
    markings = sorted({one.opening.marking for one in found.values() if one.opening})
    data = {
        "markings": markings,
        "complete": whole,
        "heads": [one.head for one in found.values()],
        "scores": {name: msgspec.to_builtins(one) | {"digest": one.digest} for name, one in scores.items()},
    }
    for marking in markings:
        run.out.say(marking)
    score_table(run, data, scores)
    if not whole:
        run.out.say("the recording is incomplete: this is the score of what is there")


def score_table(run: Run, data: Any, scores: Mapping[str, Score]) -> None:
    """Print a row for each view, or `data`."""
    headings = ("partner", "GOSPA m", "missed", "false", "switches", "complete", "age p50 s", "error p95 m", "digest")
    run.out.table(data, headings, [_row(name, one) for name, one in scores.items()])


def _us(seconds: float) -> int:
    if not 0 < seconds < 1e9:
        raise InvalidInput(f"not a time in seconds: {seconds}", fix="Give a number above 0")
    return round(seconds * 1_000_000)


def key_of(run: Run, text: str) -> Key | None:
    """The key that was typed, the one in a node's sheet, or that of a node by name."""
    from aldis.apps.experiments.recorder import read_key  # noqa: PLC0415

    if not text:
        return None
    path = Path(text)
    if ":" in text and not path.is_file():
        return read_key(text)
    if not path.is_file():
        return run.context.key_of(text)
    with path.open("rb") as file:
        data = file.read(_SHEET + 1)
    if len(data) > _SHEET:
        raise TooLarge(f"{path} is no node's sheet: over {_SHEET} bytes", fix="Name the sheet")
    try:
        body = msgspec.json.decode(data, type=dict[str, msgspec.Raw])
        sheet = msgspec.json.decode(body.get("sheet", msgspec.Raw(data)), type=_Sheet)
    except msgspec.MsgspecError as error:
        raise InvalidInput(f"{path} is no node's sheet", fix="Give its key as ed25519:KEY, or the sheet") from error
    return read_key(f"{sheet.algorithm}:{sheet.key}")


def verified(files: Sequence[Path], key: Key | None) -> tuple[Mapping[Path, Findings], Sequence[str]]:
    """What was found of each file, in the order of the recording, and what is missing between them."""
    from aldis.apps.experiments.recorder import gaps  # noqa: PLC0415
    from aldis.apps.experiments.recorder import verify as verify_file  # noqa: PLC0415

    found = {path: verify_file(path, key) for path in dict.fromkeys(files)}
    order = sorted(found, key=lambda path: (opening.segment if (opening := found[path].opening) else 0, str(path)))
    return {path: found[path] for path in order}, gaps([found[path] for path in order])


def sound(files: Sequence[Path], key: Key | None) -> tuple[Mapping[Path, Findings], Sequence[str]]:
    """As `verified`, of files that may be read.

    Raises:
        VerificationFailed: one of them was altered, or is sealed with another key.
    """
    found, missing = verified(files, key)
    for path, one in found.items():
        if one.state in ("altered", "foreign"):
            raise VerificationFailed(f"{path}: {one.wrong}", fix="Nothing is read from it: ask its node for a copy")
    return found, missing


def lacks_nothing(found: Mapping[Path, Findings], path: Path) -> bool:
    """Whether a file was closed, or the one after it goes on from its last seal."""
    one = found[path]
    return one.state == "intact" or any(
        other.opening is not None and one.opening is not None and other.opening.previous == one.head
        for other in found.values()
    )


def told_of(path: Path, one: Findings) -> Sequence[str]:
    """What was found of a file, in lines."""
    opening = one.opening
    lines = [f"{path.name}  {one.state}: {one.messages} messages in {one.covered} bytes are as they were sealed"]
    if opening is not None:
        lines.insert(0, opening.marking)
        lines.append(f"  {opening.node}, run {opening.run}, file {opening.segment}, key {one.signer}")
    if one.beyond:
        lines.append(f"  of {one.beyond} bytes behind them nothing can be said")
    return [*lines, f"  {one.wrong}"] if one.wrong else lines


def streams_of(found: Mapping[Path, Findings]) -> Mapping[tuple[str, str], Sequence[Report]]:
    """The reports of tracks in files, by tap and name."""
    from aldis.apps.experiments.recorder import messages  # noqa: PLC0415
    from aldis.apps.experiments.scoring import streams  # noqa: PLC0415

    made: dict[tuple[str, str], list[Report]] = {}
    for path, one in found.items():
        for place, reports in streams(messages(path, one.covered)).items():
            made.setdefault(place, []).extend(reports)
    return made


def scores_of(
    reports: Mapping[tuple[str, str], Sequence[Report]], truth: str, view: str, criteria: Any
) -> Mapping[str, Score]:
    """The score of each view. A partner node is held against what systems here said, and not what other nodes did.

    Raises:
        UnknownTerm: no such truth or view is there.
    """
    from aldis.apps.experiments.recorder import PARTNER  # noqa: PLC0415
    from aldis.apps.experiments.scoring import score as score_of  # noqa: PLC0415

    names = {tap: sorted(name for found, name in reports if found == tap) for tap in ("entity", "egress")}
    for wanted, tap in ((truth, "entity"), (view, "egress")):
        if not names[tap] or (wanted and wanted not in names[tap]):
            has = ", ".join(names[tap]) or "none"
            what = f"no {wanted!r}" if wanted else "no tracks at all"
            raise UnknownTerm(f"{what} at the tap {tap} of this recording", fix=f"It has: {has}")
    made = {}
    for name in names["egress"]:
        if view in ("", name):
            said = [one for one in names["entity"] if not (name.startswith(PARTNER) and one.startswith(PARTNER))]
            known = [one for told in said if truth in ("", told) for one in reports["entity", told]]
            made[name] = score_of(known, reports["egress", name], criteria)
    return made


def _row(name: str, one: Score) -> Sequence[str]:
    def text(value: float | None, scale: float = 1.0) -> str:
        return "-" if value is None else f"{value / scale:.4g}"

    parts = (one.gospa_m, one.missed, one.false)
    numbers = [*(text(part) for part in parts), str(one.switches), text(one.complete), text(one.age_us[0], 1e6)]
    return [name, *numbers, text(one.errors.p95_m), one.digest[:16]]
