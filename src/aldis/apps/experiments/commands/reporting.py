"""`aldis experiment report` and `sign`: findings as a folder for people, which the parties sign."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from aldis.apps.experiments.commands.judging import CASES, EXPERIMENT, RECORDINGS, SEALED_BY, judged, keys_of
from aldis.apps.experiments.commands.terminal import Run
from aldis.apps.experiments.commands.verifying import own_findings, parties_of
from aldis.kernel.errors import AldisError, InvalidInput, VerificationFailed

if TYPE_CHECKING:
    from aldis.apps.experiments.cases import Findings
    from aldis.apps.experiments.report import ReportFindings

__all__ = ["report", "sign"]

_FOLDER = click.Path(path_type=Path, exists=True, file_okay=False)


@click.command("report")
@CASES
@RECORDINGS
@SEALED_BY
@EXPERIMENT
@click.option(
    "--signers",
    metavar="PARTY,PARTY",
    default="",
    help="The parties that are to sign; else this one and those whose nodes recorded.",
)
@click.option("--no-pdf", is_flag=True, help="Make the page alone.")
@click.option(
    "--out", "folder", metavar="FOLDER", required=True, type=click.Path(path_type=Path, file_okay=False),
    help="Where to make it; nothing may be there.",
)  # fmt: skip
@click.pass_obj
def report(
    run: Run, cases: Sequence[Path], recordings: Sequence[Path], sealed: Sequence[str], experiment: str, signers: str,
    no_pdf: bool, folder: Path,
) -> None:  # fmt: skip
    """Report what recordings show of test cases, as a page, a PDF and their data, and sign it as this node.

    Every number links to its evidence. Where there is no node, nobody has signed it yet. The folder is for those whose
    systems took part: give it to them whole, and have them sign.
    """
    from aldis.apps.experiments.cases import read_case  # noqa: PLC0415 - numpy, which few commands need
    from aldis.apps.experiments.report import sign_report, verify_report, write_report  # noqa: PLC0415

    read = [read_case(path) for path in cases]
    found = judged(run, read, recordings, sealed, experiment)
    write_report(found, [case.data for case in read], folder, parties=_signers(run, found, signers), pdf=not no_pdf)
    if found.node and found.party in verify_report(folder, render=False).missing:
        try:
            signer = run.context.report_signer()
        except AldisError as error:
            run.out.say(f"Not signed: {error}")
        else:
            sign_report(folder, found.party, found.node, signer, at_ms=run.context.now(), own=found)
    state = verify_report(folder, render=False)
    counts = Counter(one.verdict for one in found.outcomes)
    data = {
        "folder": str(folder),
        "marking": found.marking,
        "findings": found.digest,
        "verdicts": dict(counts),
        "missing": state.missing,
    }
    run.out.say(found.marking)
    said = ", ".join(f"{number} {verdict}" for verdict, number in sorted(counts.items())) or "no test case"
    run.out.lines(data, [str(folder), f"findings {found.digest}", said])
    _to_sign(run, state)


def _signers(run: Run, found: Findings, signers: str) -> Sequence[str]:
    if signers:
        return [party.strip() for party in signers.split(",") if party.strip()]
    known = parties_of(run)
    unknown = sorted({one.node for one in found.recordings} - set(known))
    if unknown:
        run.out.say(f"Whose node {unknown[0]} is, is not known here: --signers says who is to sign")
    return sorted({known[one.node] for one in found.recordings if known.get(one.node)})


def _to_sign(run: Run, state: ReportFindings) -> None:
    if state.missing:
        run.out.next(f"`aldis experiment sign FOLDER` at a node of {' and one of '.join(state.missing)}", here=False)
    else:
        run.out.next("`aldis experiment verify FOLDER`, wherever it is", here=False)


@click.command("sign")
@click.argument("folder", metavar="FOLDER", type=_FOLDER)
@click.option(
    "--recording", "recordings", metavar="FILE", multiple=True,
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Find anew what this recording shows, and sign that it comes to the same; once for each file.",
)  # fmt: skip
@click.option("--as-received", is_flag=True, help="Sign that this is what you got, and no more.")
@click.option(
    "--with", "copies", metavar="COPY", multiple=True, type=_FOLDER, help="Take over the signatures of this copy."
)
@SEALED_BY
@click.pass_obj
def sign(
    run: Run, folder: Path, recordings: Sequence[Path], as_received: bool, copies: Sequence[Path], sealed: Sequence[str]
) -> None:
    """Sign a report as this node's party, once all that can be looked at is right; what you looked at is signed too.

    With --with alone, signatures of copies of the same report come together, and nothing is signed.
    """
    from aldis.apps.experiments.report import join_signatures, sign_report, verify_report  # noqa: PLC0415 - numpy

    if recordings and as_received:
        raise InvalidInput("--recording and --as-received are two statements", fix="Give one of them")
    taken = [party for copy in copies for party in join_signatures(folder, copy)]
    data: dict[str, Any] = {"folder": str(folder), "taken": taken}
    rows = [f"{party}  signature taken over" for party in taken]
    if recordings or as_received or not copies:
        keys = keys_of(run, sealed)
        parties = parties_of(run)
        found = verify_report(folder, keys, parties=parties, render=False)
        if found.findings is None or found.verdict == "foreign":
            raise VerificationFailed(f"{folder}: {'; '.join(found.wrong)}", fix="Ask who sent it for another copy")
        own = own_findings(run, folder, found.findings, recordings, sealed) if recordings else None
        here = run.context
        made = sign_report(
            folder, here.party, here.node, here.report_signer(), at_ms=here.now(), own=own, as_received=as_received,
            keys=keys, parties=parties,
        )  # fmt: skip
        data["statement"] = msgspec.to_builtins(made)
        rows.append(f"{made.party}  {made.node} signed: {made.said}")
    run.out.lines(data, rows or ["there was nothing new to take over"])
    _to_sign(run, verify_report(folder, render=False))
