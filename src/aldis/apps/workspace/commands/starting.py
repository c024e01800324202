"""`aldis project start` and `extend`: first what would be released, then a question, then the charter."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from aldis.apps.workspace.arranging import OTHERS, TEMPLATES
from aldis.apps.workspace.arranging import begin as plan_beginning
from aldis.apps.workspace.arranging import extend as plan_extension
from aldis.apps.workspace.commands.terminal import Run, day, item_data, opened, operator
from aldis.apps.workspace.papers import Marker
from aldis.kernel.errors import Unavailable
from aldis.kernel.preview import Preview

__all__ = ["extend", "start"]

_output = click.option(
    "-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="Where the arrangement's text goes."
)
_yes = click.option("--yes", is_flag=True, help="Do not ask.")


@click.command("start")
@click.argument("name", metavar="NAME")
@click.option("--template", type=click.Choice([*TEMPLATES]), required=True, help="Between how many parties.")
@click.option("--with", "partners", metavar="PARTY[,PARTY]", required=True, help="The other parties.")
@click.option("--title", required=True, metavar="TEXT", help="What it is called.")
@click.option("--purpose", default="", metavar="TEXT", help="What it is for.")
@click.option("--marking", default="", metavar="TEXT", help="The marking of the charter, and so of what has none.")
@click.option("--ceiling", "ceilings", metavar="POLICY=RUNG", multiple=True, help="Up to where; else everyday papers.")
@click.option("--from", "begins", metavar="DAY", help="Its first day; else today.")
@click.option("--until", "ends", metavar="DAY", help="Its last day; else in three years.")
@_output
@_yes
@click.pass_obj
def start(
    run: Run, name: str, template: str, partners: str, title: str, purpose: str, marking: str,
    ceilings: tuple[str, ...], begins: str | None, ends: str | None, output: Path | None, yes: bool,
) -> None:  # fmt: skip
    """Start a project: its charter, and the text of the arrangement for its parties to sign.

    Shows first what the arrangement would release. Nothing leaves before all parties have signed it.
    """
    pairs = [text.partition("=") for text in ceilings]
    if any(not (policy and rung) for policy, _, rung in pairs):
        raise click.BadParameter("write it as AUS=SECRET", param_hint="--ceiling")
    plan = plan_beginning(
        run.context, name, template=template, partners=partners.split(","), title=title, purpose=purpose,
        marking=marking, ceilings={policy: rung for policy, _, rung in pairs}, begins=day(begins), ends=day(ends),
    )  # fmt: skip
    run.out.say("\n".join([*_gains(plan.preview), f"The charter of {name} goes to {', '.join(plan.charter.parties)}"]))
    path = _agreed(run, output, plan.charter.instrument, f"Start {name}?", yes)
    charter = plan.put(run.context, operator())
    path.write_text(plan.arrangement, "utf-8")
    marker, parties = Marker(run.context), run.context.parties()
    run.out.lines(
        {
            "project": name,
            "charter": item_data(charter, marker, parties),
            "arrangement": str(path),
            "gains": [
                {"node": gain.node, "party": gain.party, "records": [*gain.records], "referred": [*gain.referred]}
                for gain in plan.preview.gains
            ],
        },
        [f"{name}  charter {charter.ref.id}, {marker.show(charter.label)}", f"Its arrangement is in {path}."],
    )
    run.out.next(
        f"read it, then `aldis instrument draft {path}`, and `aldis instrument sign {plan.charter.instrument}`"
    )


@click.command("extend")
@click.argument("name", metavar="NAME")
@click.option("--to", "party", metavar="PARTY", required=True, help="Who is to join.")
@click.option("--marking", default="", metavar="TEXT", help="The new marking of the charter, with the newcomer in it.")
@_output
@_yes
@click.pass_obj
def extend(run: Run, name: str, party: str, marking: str, output: Path | None, yes: bool) -> None:
    """Take one more party into a project: first every item that it would see, and every one that it would not.

    What is marked for the parties of before stays with them: its originators re-mark it, item by item.
    """
    plan = plan_extension(run.context, opened(run, name), party, marking=marking)
    marker = Marker(run.context)
    lines = [f"{party}, once all have signed, would get from this node:"]
    for goes in (True, False):
        for item in plan.items:
            if item.goes is goes:
                mark = marker.banner(frozenset(item.labels))
                which = item.ref.id if item.ref.node == run.context.node else str(item.ref)
                lines.append(f"  {'yes' if goes else 'no '}  {item.kind} {which}  {mark}  {item.title}")
    lines.append(OTHERS)
    run.out.say("\n".join(lines))
    path = _agreed(run, output, f"{plan.terms.instrument}-with-{party.lower()}", f"Take {party} into {name}?", yes)
    charter = plan.put(run.context, operator())
    path.write_text(plan.arrangement, "utf-8")
    seen = [{"id": item.ref.id, "node": item.ref.node, "kind": item.kind, "goes": item.goes} for item in plan.items]
    run.out.lines(
        {"project": name, "party": party, "items": seen, "arrangement": str(path), "version": charter.version},
        [f"{name}  charter version {charter.version}, {marker.show(charter.label)}", f"The amendment is in {path}."],
    )
    run.out.next(f"`aldis instrument amend {path}`, then every party signs it, {party} too")


def _agreed(run: Run, output: Path | None, name: str, question: str, yes: bool) -> Path:
    """The file for the arrangement, once somebody said yes."""
    path = output or Path(f"{name}.toml")
    if path.exists():
        raise click.BadParameter(f"{path} is there already", param_hint="--output")
    if not yes:
        said = run.out.ask(question)
        if said is None:
            raise Unavailable("nobody is there to be asked", fix="Read what would be released, then add --yes")
        if not said:
            raise click.Abort
    return path


def _gains(preview: Preview) -> Sequence[str]:
    if not preview.gains:
        return ["The arrangement, signed by all, would release nothing that is here now."]
    lines = ["The arrangement, signed by all, would newly release of what is here now:"]
    for gain in preview.gains:
        lines.append(
            f"  to {gain.node} ({gain.party}): {', '.join(gain.records) or 'nothing without a release officer'}"
        )
    return lines
