"""`aldis demo`: the main job from nothing to the pictures, the reasons and the proof, in well under two minutes."""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import click
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from aldis.interfaces.cli.session import Session, pass_session
from aldis.interfaces.demo.cast import Cast
from aldis.interfaces.demo.ending import FOLDER, Concluded, check_out, conclude
from aldis.interfaces.demo.nations import NATIONS, OFFICER, Nations, Running
from aldis.interfaces.demo.pictures import counts_of, pick_vessel
from aldis.interfaces.demo.proofs import Finding, cosigned, prove
from aldis.interfaces.demo.scenario import agree, draft_instruments, put_documents, put_reply
from aldis.interfaces.demo.search import Search
from aldis.interfaces.demo.shares import PROJECT, Ports, of_sea_and_search, of_sea_only
from aldis.interfaces.demo.sources import Source, choose, fetch
from aldis.interfaces.demo.telling import Shown, seen_by, tell, tell_end
from aldis.kernel.errors import Unavailable, VerificationFailed
from aldis.node.app_states import app_state
from aldis.node.node import Node
from aldis.node.people import LINK_MIN

__all__ = ["demo"]

_DRAIN_S = 20.0
_QUIET_S = 1.5
_PROOF_S = 10.0
_SEARCH_S = 40
"""About as long as the search takes the sea is played beside it."""
_SETTLED_S = 6.0
"""After the last report of a system, this long until all of it is recorded."""


@click.command()
@click.option(
    "--input", "source", metavar="FILE|udp://HOST:PORT", help="NMEA 0183, AIS or NMEA 2000; default: Porkkala"
)
@click.option("--seconds", type=click.IntRange(1, 86400), help="How long to listen to udp://; how long a file plays.")
@click.option("--folder", type=click.Path(path_type=Path, file_okay=False), help="Keep the three nodes here.")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), help="Put the report and recordings here.")
@click.option("--sea-only", is_flag=True, help="Only the picture of the sea: no search, no matrix, no report.")
@click.option("--fetch-only", is_flag=True, help="Fetch the recording into the cache, and no more.")
@click.option(
    "--stay/--no-stay", default=None, help="Leave nodes and pages running until Ctrl-C; by itself on a terminal only."
)
@pass_session
def demo(
    session: Session, source: str | None, seconds: int | None, folder: Path | None, out: Path | None, *,
    sea_only: bool, fetch_only: bool, stay: bool | None,
) -> None:  # fmt: skip
    """Run three nations on one real sea picture and an allied search; show what each sees, why, the matrix, the report.

    The sea is recorded. The raft, the uncrewed vessel, the helicopter and the lookout of the search are simulated; they
    speak real protocols (AIS, MAVLink, DIS, Cursor-on-Target) on real sockets.
    """
    talk = Console(stderr=True)
    if fetch_only:
        fetch(lambda text: talk.print(text, highlight=False))
        return
    place = (out or (folder or Path.cwd()) / FOLDER).resolve()
    if not sea_only:
        check_out(place)
    chosen = choose(source, seconds or (None if sea_only else _SEARCH_S), lambda text: talk.print(f"[dim]{text}[/]"))
    nations = Nations((folder or Path(tempfile.mkdtemp(prefix="aldis-demo-"))).resolve())
    stays = sys.stdin.isatty() and sys.stdout.isatty() and not session.json if stay is None else stay
    play = _Play(nations, chosen, None if sea_only else place, stays=stays)
    kept = folder is not None
    try:
        play.run(session, talk)
    except Exception:
        kept = True
        talk.print(f"The nodes and their logs are kept: {nations.folder}/*/node.log", highlight=False, soft_wrap=True)
        raise
    finally:
        play.stop()
        if not kept:
            shutil.rmtree(nations.folder)


class _Play:
    """One run: without a place for its report, of the sea alone."""

    def __init__(self, nations: Nations, source: Source, place: Path | None, *, stays: bool) -> None:
        self._nations, self._source, self._place, self._stays = nations, source, place, stays
        self._running = Running(nations, pages=stays)
        self._ports = Ports.free()
        self._cast = Cast(nations.folder / "players", self._ports)
        self._search: Search | None = None

    def run(self, session: Session, talk: Console) -> None:
        """All of it, and what there is to show."""
        out = Console()
        with _progress(talk) as step:
            self._begin(step)
            shown = self._look(step)
        concluded = None
        if not session.json:
            with ExitStack() as stack:
                tell(shown, {name: stack.enter_context(self._nations.open(name)) for name in NATIONS}, out)
        if self._place is not None:
            concluded = self._end(self._place, talk)
        if session.json:
            session.out.data(shown.data(concluded))
        elif concluded is not None:
            tell_end(concluded, out)
        if not all(finding.holds for finding in shown.proof):
            fix = f"Look into its ledger: `aldis --home {self._nations.home('aus')} ledger verify`"
            raise VerificationFailed("a proof does not hold", fix=fix)
        if concluded is not None and concluded.verified.verdict != "intact":
            raise VerificationFailed(
                f"the report is {concluded.verified.verdict}", fix=f"Look into it: {concluded.check}"
            )
        self._part(talk, concluded)

    def stop(self) -> None:
        """End every process."""
        self._running.stop()
        self._cast.stop()

    def _begin(self, step: Callable[[str], None]) -> None:
        """Three nodes that have agreed, and their systems at work."""
        nations, source = self._nations, self._source
        step("Making three nodes, each with its own keys, store and ledger")
        place = source.place
        shares = of_sea_only(place) if self._place is None else of_sea_and_search(place, self._ports)
        nations.make(shares, source.pace, PROJECT)
        for one, other, digits in nations.pair():
            step(f"Paired {one} and {other} by invitation file, fingerprint {digits}")
        draft_instruments(nations)
        step("Starting the nodes as three processes")
        took = self._running.start()
        began = time.monotonic()
        step(f"All three answer after {took:.1f} s; each party signs at its own node")
        agree(nations, step)
        if self._place is not None:
            self._cast.enter()
        put_documents(nations)
        put_reply(nations)
        step(f"Listening at aus to {source.words} ({source.pace:.0f} times as fast)")
        if self._place is not None:
            self._watch(step)
        _until_quiet(nations, source, began, alone=self._place is None)

    def _watch(self, step: Callable[[str], None]) -> None:
        """The search, to its end; its systems go on after it."""
        with ExitStack() as stack:
            nodes = {name: stack.enter_context(self._nations.open(name)) for name in NATIONS}
            self._search = Search(nodes, step)
            self._search.run(self._cast)

    def _look(self, step: Callable[[str], None]) -> Shown:
        step("Looking at three pictures, and proving what left")
        with ExitStack() as stack:
            nodes = {name: stack.enter_context(self._nations.open(name)) for name in NATIONS}
            ship, found = pick_vessel(nodes["aus"]), self._search
            return Shown(
                counts={name: counts_of(node) for name, node in nodes.items()},
                ship=ship,
                seen=seen_by(nodes, ship),
                proof=_prove(nodes),
                events=found.events if found else (),
                raft=found.raft if found else "",
                boat=found.vessel if found else "",
            )

    def _end(self, place: Path, talk: Console) -> Concluded:
        """The nodes end the run, and each nation judges the recordings of all."""
        with _progress(talk) as step:
            step("Ending the run: each node seals its recording")
            self._running.stop()
            self._cast.stop()
            step("Each nation judges the three recordings by itself, and signs what it came to")
            return conclude(self._nations, place)

    def _part(self, talk: Console, concluded: Concluded | None) -> None:
        if concluded is not None:
            talk.print(f"\nNext: [bold]{concluded.check}[/]", highlight=False, soft_wrap=True)
        if self._stays:
            if concluded is not None:
                self._running.start()
                self._cast.enter()
                self._cast.drop_raft()
            told = f"\nThe nodes run on, in {self._nations.folder}: aldis --home {self._nations.home('usa')} list"
            talk.print(told, highlight=False, soft_wrap=True)
            _tell_pages(self._nations, self._running.links(), talk)
            talk.print("Ctrl-C ends them; without --folder nothing of them is kept but the report.")
            with suppress(KeyboardInterrupt):
                self._running.wait()
            return
        talk.print(
            "Next: [bold]aldis demo --stay[/] does it again and leaves the three nodes running, each"
            " nation's pages open to you by a link that signs you in.", highlight=False,
        )  # fmt: skip


def _tell_pages(nations: Nations, links: Mapping[str, str], talk: Console) -> None:
    what = f"The pages of each nation; a link signs you in once, as its officer, within {LINK_MIN} minutes:"
    talk.print(f"\n{what}", highlight=False, soft_wrap=True)
    for node, link in links.items():
        talk.print(f"  {NATIONS[node][0]}  {link}", highlight=False, soft_wrap=True)
    enrol = f"aldis --home {nations.home('aus')} person enrol {OFFICER} --new-code"
    talk.print(f"Later: {enrol} prints a code for a password.", highlight=False, soft_wrap=True)


def _until_quiet(nations: Nations, source: Source, began: float, *, alone: bool) -> None:
    """Wait until the source has ended and everything that left has arrived; `alone`, the node tells when it has.

    Beside it, other systems go on, so that something is always on its way.
    """
    end = time.monotonic() + source.seconds + _DRAIN_S
    live = source.place.startswith("udp://")
    if live or not alone:
        time.sleep(max(0.0, began + source.seconds + (0.0 if live else _SETTLED_S) - time.monotonic()))
    with nations.open("aus") as node:
        while alone and not live and (state := _source_state(node)) != "ended":
            if state.startswith("failed") or time.monotonic() > end:
                raise Unavailable(f"the source is still {state}", fix=f"See {nations.log('aus')}")
            time.sleep(0.2)
        _until_arrived(node, end, _QUIET_S if alone else 0.0)


def _source_state(node: Node) -> str:
    found = app_state(node.core.store, "experiments")
    return found.state if found else "running"


def _until_arrived(node: Node, end: float, quiet_s: float) -> None:
    """Wait until all that left was acknowledged, nothing more has left for a while, and partners have cosigned that."""
    exchange, partners = node.core.store.exchange, node.core.store.partners
    quiet, since = (0, 0, 0), time.monotonic()
    while time.monotonic() - since < quiet_s or not cosigned(node).holds:
        left = sum(exchange.last(name) for name in NATIONS)
        arrived = sum(row.seq for name in NATIONS if (row := partners.acknowledged(name)))
        last = node.core.store.records.last()
        waits = any(exchange.position(known.node).record_seq < last for known in node.partners.all())
        if (last, left, arrived) != quiet or left != arrived or waits:
            quiet, since = (last, left, arrived), time.monotonic()
        if time.monotonic() > end:
            raise Unavailable(f"{arrived} of {left} items have arrived so far", fix="Try again on a quieter machine")
        time.sleep(0.2)


def _prove(nodes: dict[str, Node]) -> list[Finding]:
    """The findings, looked for again while one fails: of a source that never ends, something may be on its way."""
    end = time.monotonic() + _PROOF_S
    findings = list(prove(nodes))
    while not all(finding.holds for finding in findings) and time.monotonic() < end:
        time.sleep(0.2)
        findings = list(prove(nodes))
    return findings


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
