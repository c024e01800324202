"""`aldis experiment verify`: what a recording or a report is worth, from its files alone; no node is needed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from aldis.apps.experiments.commands.judging import judged, keys_of
from aldis.apps.experiments.commands.recordings import LIMITED, UNVERIFIED, key_of, lacks_nothing, told_of, verified
from aldis.apps.experiments.commands.terminal import Run
from aldis.kernel.errors import AldisError, InvalidInput

if TYPE_CHECKING:
    from aldis.apps.experiments.cases import Findings
    from aldis.apps.experiments.report import ReportFindings

__all__ = ["own_findings", "parties_of", "verify"]

_SAID = {
    "made": "made it",
    "recomputed": "came to the same findings from the same recordings",
    "agreed": "came to no other verdict from recordings of its own",
    "received": "signed what it got",
}
_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.command("verify")
@click.argument(
    "files", metavar="FOLDER|FILE...", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True)
)
@click.option(
    "--sealed-by",
    "sealed",
    metavar="NODE|KEY|FILE",
    multiple=True,
    help="Who is to have sealed or signed it: this node or a partner by name, ed25519:KEY, or a node's sheet. Of a "
    "report several; without it, this node and all that it is paired with.",
)
@click.option(
    "--recording", "recordings", metavar="FILE", multiple=True, type=_FILE,
    help="Of a report: find anew what this recording shows, and compare.",
)  # fmt: skip
@click.pass_obj
def verify(run: Run, files: Sequence[Path], sealed: Sequence[str], recordings: Sequence[Path]) -> None:
    """Verify that a recording, or a report, is byte for byte what was sealed or signed, and that nothing is missing.

    FILEs are recordings, a FOLDER is a report. Without --sealed-by, who sealed a recording is only what the file itself
    says. Exit code 0: intact, by the keys expected. 1: a file was never closed or was cut, one is missing, a party has
    yet to sign, or nobody vouched for a key. 4: altered, sealed or signed with another key, or found to be otherwise.
    """
    if any(path.is_dir() for path in files):
        if len(files) > 1:
            raise InvalidInput("a report is verified alone", fix="Name one FOLDER, or only FILEs of recordings")
        _report(run, files[0], sealed, recordings)
        return
    if recordings or len(sealed) > 1:
        raise InvalidInput(
            "--recording, and several --sealed-by, are for a report", fix="Verify the recordings of each node apart"
        )
    _files(run, files, sealed[0] if sealed else "")


def _files(run: Run, files: Sequence[Path], key: str) -> None:
    found, missing = verified(files, key_of(run, key))
    states = {one.state for one in found.values()}
    bad = bool(states & {"altered", "foreign"})
    lacking = bool(missing) or not all(lacks_nothing(found, path) for path in found)
    vouched = all(one.vouched for one in found.values())
    rows = [line for path, one in found.items() for line in told_of(path, one)]
    rows += [f"missing: {what}" for what in missing]
    verdict = "altered" if bad else "incomplete" if lacking else "intact"
    data = {
        "verdict": verdict,
        "vouched": vouched,
        "files": [{"file": str(path)} | msgspec.to_builtins(one) for path, one in found.items()],
        "missing": list(missing),
    }
    run.out.lines(data, [*rows, verdict if vouched or bad else f"{verdict}, by a key that nobody vouched for"])
    if not bad and not key:
        run.out.next(
            "`aldis experiment verify FILE --sealed-by NODE` also says whose it is, where this node is paired with it"
        )
    if bad or lacking or not vouched:
        click.get_current_context().exit(UNVERIFIED if bad else LIMITED)


def _report(run: Run, folder: Path, sealed: Sequence[str], recordings: Sequence[Path]) -> None:
    from aldis.apps.experiments.report import compare, verify_report  # noqa: PLC0415 - numpy

    found = verify_report(folder, keys_of(run, sealed), parties=parties_of(run))
    compared = None
    if recordings and found.findings is not None:
        compared = compare(found.findings, own_findings(run, folder, found.findings, recordings, sealed))
    data: dict[str, Any] = {
        "verdict": found.verdict,
        "vouched": found.vouched,
        "wrong": found.wrong,
        "missing": found.missing,
        "signatures": [msgspec.to_builtins(one) for one in found.signatures],
        "otherwise": found.otherwise,
        "unchecked": found.unchecked,
        "findings": found.findings.digest if found.findings else "",
    }
    if compared is not None:
        data["compared"] = msgspec.to_builtins(compared)
    rows = [*_rows(found), *(f"not as the recordings here: {what}" for what in (compared.differs if compared else ()))]
    if compared is not None and not compared.differs:
        rows.append(f"the recordings here come to {'the same findings' if compared.same else 'no other verdict'}")
    nobody = found.verdict in ("intact", "incomplete") and not found.vouched
    run.out.lines(data, [*rows, f"{found.verdict}, by keys that nobody vouched for" if nobody else found.verdict])
    _next(run, found)
    if found.verdict in ("altered", "foreign") or (compared is not None and compared.differs):
        click.get_current_context().exit(UNVERIFIED)
    if found.verdict == "incomplete" or nobody:
        click.get_current_context().exit(LIMITED)


def _rows(found: ReportFindings) -> Sequence[str]:
    from aldis.apps.experiments.report.wording import shown  # noqa: PLC0415 - numpy

    rows = []
    if found.manifest is not None and not found.wrong:
        of = f" of {shown(found.manifest.experiment)}" if found.manifest.experiment else ""
        rows += [shown(found.manifest.marking, 4000), f"findings{of}: {found.manifest.findings}"]
    for one in found.signatures:
        whose = "" if one.vouched else ", with a key that nobody vouched for"
        rows.append(f"{one.party}  {one.node} {_SAID[one.said]}{whose}")
        rows.append(f"  key {one.key}")
    rows += [f"{party}  has not signed" for party in found.missing]
    rows += [f"note: this program makes another {path} of these findings" for path in found.otherwise]
    rows += [f"note: {path} was not compared with the findings" for path in found.unchecked]
    return [*rows, *(f"wrong: {what}" for what in found.wrong)]


def _next(run: Run, found: ReportFindings) -> None:
    if found.verdict == "altered":
        run.out.next("ask who sent it for another copy of the whole folder", here=False)
    elif found.verdict == "foreign":
        run.out.next("compare keys with the partner out of band; `aldis partner show NODE` has the one that is pinned")
    elif found.missing:
        run.out.next(f"`aldis experiment sign FOLDER` at a node of {found.missing[0]}")
    elif not found.vouched:
        run.out.next(
            "`aldis experiment verify FOLDER --sealed-by NODE` says by whom, where this node is paired with it"
        )


def parties_of(run: Run) -> Mapping[str, str]:
    """The party of each node that this one knows; of none where there is no node."""
    with suppress(AldisError):
        return run.context.parties()
    return {}


def own_findings(
    run: Run, folder: Path, theirs: Findings, recordings: Sequence[Path], sealed: Sequence[str]
) -> Findings:
    """What recordings here show of the cases of a report that has been verified."""
    from aldis.apps.experiments.cases import read_case  # noqa: PLC0415 - numpy

    cases = [read_case(path) for path in sorted((folder / "cases").glob("*.toml"))]
    return judged(run, cases, recordings, sealed, theirs.experiment)
