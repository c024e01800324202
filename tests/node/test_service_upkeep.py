"""What a running node does besides exchanging: it says why an app failed, and keeps its search index tidy."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import apsw
from structlog.testing import capture_logs

from aldis.app import System, find_apps
from aldis.apps.experiments.track import PORTIONS
from aldis.kernel.labels import Label
from aldis.kernel.records import Draft, DraftPortion
from aldis.node.app_states import app_state
from aldis.node.checks import Check, run_checks
from aldis.node.config import Config
from aldis.node.home import make_home
from aldis.node.node import Node
from aldis.node.service import Service

LABELS = {"header": "OFFICIAL", **dict.fromkeys(PORTIONS, "OFFICIAL")}


def made(home: Path) -> None:
    config = Config(
        node="aus",
        party="AUS",
        policy="AUS",
        ceiling="SECRET",
        listen="127.0.0.1:0",
        systems=[System(name="radio", address="udp://127.0.0.1:0")],
    )
    make_home(home, config, now=time.time_ns() // 1_000_000)


def opened(home: Path) -> Node:
    return Node.open(home, environment={}, apps=find_apps())


def runs(home: Path, holds: Callable[[Node], bool]) -> None:
    """Run the node until that holds for another process."""

    async def run() -> None:
        with opened(home) as node, opened(home) as beside:
            service = Service(node, tidy_s=0.05)
            await service.start()
            end = time.monotonic() + 15
            while not holds(beside):
                assert time.monotonic() < end, "it did not come about"
                await asyncio.sleep(0.02)
            await service.stop()

    asyncio.run(run())


def segments(home: Path) -> int:
    """How many b-trees the search index consists of; a search asks each."""
    with closing(apsw.Connection(str(home / "store.db"))) as store:
        return int(store.execute("SELECT count(DISTINCT segid) FROM passage_idx").get)


def of_app(node: Node) -> Check | None:
    return next((check for check in run_checks(node) if check.name == "app experiments"), None)


def test_an_app_that_failed_says_why_in_the_log_and_to_doctor_until_it_runs_again(tmp_path: Path) -> None:
    made(tmp_path)
    with opened(tmp_path) as node:
        assert of_app(node) is None

    def failed(node: Node) -> bool:
        found = of_app(node)
        return found is not None and found.ok is False

    with capture_logs() as logs:
        runs(tmp_path, failed)
    [said] = [line for line in logs if line["event"] == "app failed"]
    assert said["app"] == "experiments" and "no marking for header" in said["cause"]
    with opened(tmp_path) as node:
        check = of_app(node)
    assert check is not None and check.ok is False
    assert "no marking for header" in check.cause and "[labels.track]" in check.fix

    with (tmp_path / "aldis.toml").open("a") as file:
        file.write("[labels.track]\n" + "".join(f'{name} = "{marking}"\n' for name, marking in LABELS.items()))

    def running(node: Node) -> bool:
        state = app_state(node.core.store, "experiments")
        return state is not None and state.state == "running"

    runs(tmp_path, running)
    with opened(tmp_path) as node:
        check = of_app(node)
    assert check is not None and check.ok is True


def test_a_running_node_folds_its_search_index_together(tmp_path: Path) -> None:
    make_home(tmp_path, Config(node="aus", party="AUS", policy="AUS", ceiling="SECRET", listen="127.0.0.1:0"), now=1)
    label = Label("AUS", "OFFICIAL")
    with opened(tmp_path) as node:
        for number in range(10):
            title = DraftPortion("title", label, f"harbour {number}")
            node.records.put(Draft("document", f"d-{number}", "aus", "aus", number, label, [title]))
    assert segments(tmp_path) > 1
    runs(tmp_path, lambda _: segments(tmp_path) == 1)
    with opened(tmp_path) as node:
        assert len(node.records.search("harbour").hits) == 10
