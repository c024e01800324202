"""`aldis experiment publish` and `findings`: what a nation found goes to its partners as a labelled record."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from aldis.app import Query
from aldis.apps.experiments.commands.terminal import Run
from aldis.apps.experiments.commands.verifying import parties_of
from aldis.apps.experiments.published import FINDINGS, draft_of, findings_of
from aldis.kernel.errors import InvalidInput, RefusedByPolicy, UnknownTerm, VerificationFailed

if TYPE_CHECKING:
    from aldis.kernel.labels import Label

__all__ = ["findings", "publish"]


@click.command("publish")
@click.argument("folder", metavar="FOLDER", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--marking", metavar="M", default="", help="Mark it higher than its recordings are marked.")
@click.option("--project", metavar="P", default="", help="Its project; else that of this node's settings.")
@click.pass_obj
def publish(run: Run, folder: Path, marking: str, project: str) -> None:
    """Publish the findings of a report as a record, for partners as far as its marking and the agreements allow.

    Only those that this node made itself. It is marked as its recordings are, or higher, never lower.
    """
    from aldis.apps.experiments.report import verify_report  # noqa: PLC0415 - numpy

    here = run.context
    found = verify_report(folder, {here.node: here.key_of(here.node)}, parties=parties_of(run), render=False)
    if found.findings is None or found.verdict == "foreign":
        raise VerificationFailed(f"{folder}: {'; '.join(found.wrong)}", fix="Make the report again")
    if found.findings.node != here.node or not any(one.node == here.node and one.vouched for one in found.signatures):
        raise InvalidInput(f"{folder} is not a report that this node made and signed", fix="Its own node publishes it")
    label = _label(run, found.findings.marking, marking)
    draft = draft_of(
        found.findings, label, record_id=here.issue(), node=here.node, at=here.now(),
        project=project or here.default_project(),
    )  # fmt: skip
    record = here.put(draft)
    shown = here.marking(label)
    data = {"id": record.header.id, "digest": record.digest.hex(), "marking": shown, "findings": found.findings.digest}
    run.out.say(shown)
    run.out.lines(data, [record.header.id])
    run.out.next(f"`aldis why {record.header.id} NODE` says whether a partner gets it")


def _label(run: Run, said: str, marking: str) -> Label:
    """The label of findings: that of their markings, or a given one that is not below it."""
    here = run.context
    try:
        least = here.banner([here.label(one) for one in said.split("; ") if one])
    except (InvalidInput, UnknownTerm) as error:
        raise RefusedByPolicy(
            f"what these findings rest on is marked in another policy: {error}",
            fix="Publish a report of recordings that are marked in this node's policy, or give the folder by hand",
        ) from error
    if not marking:
        return least
    given = here.label(marking)
    if here.banner([least, given]) != here.banner([given]):
        raise RefusedByPolicy(
            f"{marking!r} is not at least {here.marking(least)!r}, the marking of the findings",
            fix=f"Mark it {here.marking(here.banner([least, given]))!r}",
        )
    return given


@click.command("findings")
@click.argument("ids", metavar="[ID]...", nargs=-1)
@click.pass_obj
def findings(run: Run, ids: Sequence[str]) -> None:
    """List findings that nations published here, or show those of ID; of several, beside each other.

    What one nation could not judge is as another judged it. Where two judged and disagree, both are named, and the exit
    code is 1: it is no success.
    """
    if ids:
        _beside(run, ids)
    else:
        _listed(run)


def _listed(run: Run) -> None:
    rows: list[Sequence[str]] = []
    data: list[dict[str, Any]] = []
    page = run.context.find(Query(kind=FINDINGS.name))
    while True:
        for record in page.records:
            name, node = record.header.id, record.header.originator
            try:
                found, lacking = findings_of(record)
            except InvalidInput as error:
                rows.append((name, node, "", str(error), ""))
                data.append({"id": name, "node": node, "wrong": str(error)})
                continue
            counts = Counter([one.verdict for one in found.cells] + [one.verdict for one in found.outcomes])
            said = ", ".join(f"{number} {verdict}" for verdict, number in sorted(counts.items()))
            rows.append((name, node, found.experiment, said, ", ".join(lacking)))
            data.append({"id": name, "node": node, "verdicts": dict(counts), "withheld": lacking})
        if not page.next:
            break
        page = run.context.find(Query(kind=FINDINGS.name, cursor=page.next))
    run.out.table({"findings": data}, ("id", "node", "experiment", "verdicts", "withheld"), rows)
    if not rows:
        run.out.next("`aldis experiment publish FOLDER` publishes those of a report")


def _beside(run: Run, ids: Sequence[str]) -> None:
    from aldis.apps.experiments.report.merging import joined  # noqa: PLC0415 - numpy

    some = [findings_of(run.context.get(one))[0] for one in dict.fromkeys(ids)]
    for marking in dict.fromkeys(found.marking for found in some):
        run.out.say(marking)
    both = joined(some)
    data = {
        "joined": [msgspec.to_builtins(one) for one in both],
        "findings": [msgspec.to_builtins(one) for one in some],
    }
    rows = [
        (one.what, one.verdict, "disagree" if one.disagree else "", ", ".join(map(": ".join, one.by.items())))
        for one in both
    ]
    run.out.table(data, ("what", "verdict", "", "by node"), rows)
    if any(one.disagree for one in both):
        run.out.say("nations disagree: each has its evidence in its own report")
        click.get_current_context().exit(1)
