"""`aldis demo`: the main job from nothing to the pictures, the reasons and the proof, in well under two minutes."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from aldis.app import System
from aldis.interfaces.cli.session import Session, pass_session
from aldis.interfaces.demo.nations import NATIONS, Nations, Running
from aldis.interfaces.demo.pictures import count_table, counts_of, pick_vessel, seen_of, vessel_table
from aldis.interfaces.demo.proofs import Finding, cosigned, prove
from aldis.interfaces.demo.scenario import (
    PACKAGE,
    PROJECT,
    TRACK_LABELS,
    agree,
    draft_instruments,
    put_documents,
    put_reply,
)
from aldis.interfaces.demo.sources import Source, choose, fetch
from aldis.kernel.errors import Unavailable, VerificationFailed
from aldis.kernel.release import CHECKS, Outcome
from aldis.node.app_states import app_state
from aldis.node.node import Node

__all__ = ["demo"]

_DRAIN_S = 20.0
_QUIET_S = 1.5
_PROOF_S = 10.0


@click.command()
@click.option(
    "--input", "source", metavar="FILE|udp://HOST:PORT", help="NMEA 0183, AIS or NMEA 2000; default: Porkkala"
)
@click.option("--seconds", type=click.IntRange(1, 86400), help="How long to listen to udp://; how long a file plays.")
@click.option("--folder", type=click.Path(path_type=Path, file_okay=False), help="Keep the three nodes here.")
@click.option("--fetch-only", is_flag=True, help="Fetch the recording into the cache, and no more.")
@click.option("--serve", is_flag=True, help="Leave the nodes running until Ctrl-C.")
@pass_session
def demo(
    session: Session, source: str | None, seconds: int | None, folder: Path | None, *, fetch_only: bool, serve: bool
) -> None:
    """Run three nations on one real sea picture, and show what each sees, why, and the proof."""
    talk, out = Console(stderr=True), Console()
    if fetch_only:
        fetch(lambda text: talk.print(text, highlight=False))
        return
    chosen = choose(source, seconds, lambda text: talk.print(f"[dim]{text}[/]"))
    kept = serve or folder is not None
    nations = Nations((folder or Path(tempfile.mkdtemp(prefix="aldis-demo-"))).resolve())
    running = Running(nations)
    try:
        with _progress(talk) as step:
            _play(nations, running, chosen, step)
        _show(nations, out, session)
        if serve:
            talk.print(f"\nThe nodes run on, in {nations.folder}. Try: aldis --home {nations.home('usa')} list")
            talk.print("Ctrl-C ends them.")
            running.wait()
        else:
            talk.print(
                "\nNext: [bold]aldis demo --serve[/] leaves the three nodes running for you to ask them yourself."
            )
    except Exception:
        kept = True
        talk.print(f"The nodes and their logs are kept: {nations.folder}/*/node.log", highlight=False, soft_wrap=True)
        raise
    finally:
        running.stop()
        if not kept:
            shutil.rmtree(nations.folder)


def _play(nations: Nations, running: Running, source: Source, step: Callable[[str], None]) -> None:
    """Everything up to the pictures, saying each step as it begins."""
    step("Making three nodes, each with its own keys, store and ledger")
    nations.make([System(name="sea", address=source.place)], source.pace, PROJECT, TRACK_LABELS)
    for one, other, digits in nations.pair():
        step(f"Paired {one} and {other} by invitation file, fingerprint {digits}")
    draft_instruments(nations)
    step("Starting the nodes as three processes")
    took = running.start()
    step(f"All three answer after {took:.1f} s; each party signs at its own node")
    agree(nations, step)
    put_documents(nations)
    put_reply(nations)
    step(f"Listening at aus to {source.words} ({source.pace:.0f} times as fast)")
    _until_quiet(nations, source)


def _until_quiet(nations: Nations, source: Source) -> None:
    """Wait until the source has ended and everything that left has arrived."""
    end = time.monotonic() + source.seconds + _DRAIN_S
    if source.place.startswith("udp://"):
        time.sleep(source.seconds)
    with nations.open("aus") as node:
        while not source.place.startswith("udp://") and (state := _source_state(node)) != "ended":
            if state.startswith("failed") or time.monotonic() > end:
                raise Unavailable(f"the source is still {state}", fix=f"See {nations.log('aus')}")
            time.sleep(0.2)
        _until_arrived(node, end)


def _source_state(node: Node) -> str:
    found = app_state(node.core.store, "experiments")
    return found.state if found else "running"


def _until_arrived(node: Node, end: float) -> None:
    """Wait until all that left was acknowledged, nothing more has left for a while, and partners have cosigned that."""
    exchange, partners = node.core.store.exchange, node.core.store.partners
    quiet, since = (0, 0, 0), time.monotonic()
    while time.monotonic() - since < _QUIET_S or not cosigned(node).holds:
        left = sum(exchange.last(name) for name in NATIONS)
        arrived = sum(row.seq for name in NATIONS if (row := partners.acknowledged(name)))
        last = node.core.store.records.last()
        waits = any(exchange.position(known.node).record_seq < last for known in node.partners.all())
        if (last, left, arrived) != quiet or left != arrived or waits:
            quiet, since = (last, left, arrived), time.monotonic()
        if time.monotonic() > end:
            raise Unavailable(f"{arrived} of {left} items have arrived so far", fix="Try again on a quieter machine")
        time.sleep(0.2)


def _show(nations: Nations, out: Console, session: Session) -> None:
    with ExitStack() as stack:
        nodes = {name: stack.enter_context(nations.open(name)) for name in NATIONS}
        vessel, findings = pick_vessel(nodes["aus"]), _prove(nodes)
        if session.json:
            session.out.data(_outcome(nodes, vessel, findings))
        else:
            _tell(nodes, vessel, findings, out)
    if not all(finding.holds for finding in findings):
        fix = f"Look into its ledger: `aldis --home {nations.home('aus')} ledger verify`"
        raise VerificationFailed("a proof does not hold", fix=fix)


def _prove(nodes: dict[str, Node]) -> list[Finding]:
    """The findings, looked for again while one fails: of a source that never ends, something may be on its way."""
    end = time.monotonic() + _PROOF_S
    findings = list(prove(nodes))
    while not all(finding.holds for finding in findings) and time.monotonic() < end:
        time.sleep(0.2)
        findings = list(prove(nodes))
    return findings


def _outcome(nodes: dict[str, Node], vessel: str | None, findings: list[Finding]) -> dict[str, Any]:
    """What was shown, as data."""
    return {
        "nations": {
            name: {
                "party": node.core.party,
                "counts": counts_of(node),
                "vessel": seen_of(node, vessel) if vessel else {},
            }
            for name, node in nodes.items()
        },
        "vessel": vessel,
        "proof": [{"text": finding.text, "holds": finding.holds} for finding in findings],
    }


def _tell(nodes: dict[str, Node], vessel: str | None, findings: list[Finding], out: Console) -> None:
    out.print()
    out.print(count_table(nodes))
    if vessel is not None:
        out.print()
        out.print(vessel_table(nodes, vessel))
    out.print()
    _show_why(nodes["aus"], out)
    out.print("\n[bold]Proof: what left is what arrived[/]")
    for finding in findings:
        out.print(f"  {'[green]holds[/]' if finding.holds else '[red]FAILS[/]'}  {finding.text}", highlight=False)


def _show_why(node: Node, out: Console) -> None:
    out.print(f"[bold]Why can GBR not see the drawings of {PACKAGE}?[/]   aldis why {PACKAGE} gbr")
    explanation = node.desk.why(PACKAGE, "gbr").portions["parts"]
    for reason in explanation.decision.reasons:
        mark = {Outcome.PASS: "[green]✓[/]", Outcome.REFER: "[yellow]?[/]", Outcome.FAIL: "[red]✗[/]"}[reason.outcome]
        out.print(f"  {mark} {reason.check} {CHECKS[reason.check - 1]}: {reason.text}", highlight=False)
    for change in explanation.changes:
        out.print(f"  What would change it: {change.text} ({change.who})", highlight=False)
    out.print(f"  What GBR is told: {node.desk.told(PACKAGE, 'gbr').text}", highlight=False)


@contextmanager
def _progress(talk: Console) -> Iterator[Callable[[str], None]]:
    """Steps with a clock on a terminal, plain lines elsewhere."""
    if not talk.is_terminal:
        yield lambda text: talk.print(text, highlight=False)
        return
    with Progress(SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn(), console=talk) as progress:
        task = progress.add_task("", total=None)

        def step(text: str) -> None:
            before = progress.tasks[task].description
            if before:
                progress.console.print(f"[green]✓[/] {before}", highlight=False)
            progress.update(task, description=text)

        yield step
