"""A system that joins late, is killed, and returns; a node that is killed and started again. Real processes."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from aldis.node.node import Node

ROOT = Path(__file__).parents[2]
SETTINGS = """
project = "HARBOUR"

[[systems]]
name = "pilot"
address = "mavlink+udp://127.0.0.1:{port}"

[labels.track]
header = "UNCLASSIFIED//REL TO USA, NZL"
position = "UNCLASSIFIED//REL TO USA, NZL"
"""


def process(folder: Path, *words: str) -> subprocess.Popen[bytes]:
    paths = os.pathsep.join((str(ROOT / "src"), str(ROOT)))
    environment = {**os.environ, "PYTHONPATH": paths, "PYTHONWARNINGS": "ignore"}
    with (folder / "log").open("ab") as log:
        return subprocess.Popen([sys.executable, *words], cwd=folder, stdout=log, stderr=log, env=environment)


def until(folder: Path, holds: Callable[[], bool], seconds: float = 20) -> None:
    ends = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < ends, (folder / "log").read_text()
        time.sleep(0.05)


def told(node: Node, kind: str) -> Any:
    rows = node.records.page(kind=kind).rows
    return rows[0].record() if rows else None


def state(node: Node) -> str:
    record = told(node, "participant")
    return str(record.portion("state").value["state"]) if record else ""


@pytest.mark.slow
def test_a_system_joins_late_drops_and_returns_and_so_does_its_node(tmp_path: Path) -> None:

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = ("-m", "aldis", "--home", "usa")
    process(tmp_path, *words, "init", "USA", "--listen", "127.0.0.1:0").wait(20)
    settings = tmp_path / "usa/aldis.toml"
    settings.write_text(settings.read_text() + SETTINGS.format(port=port))
    node_process = process(tmp_path, *words, "up")
    running = [node_process]
    speak = ("-m", "benchmarks.speaking", "mavlink", str(port))
    try:
        with Node.open(tmp_path / "usa", environment={}) as node:
            until(tmp_path, lambda: state(node) == "waiting")
            system = process(tmp_path, *speak)
            running.append(system)
            until(tmp_path, lambda: state(node) == "joined")
            until(tmp_path, lambda: told(node, "track") is not None)
            track = told(node, "track").header.id
            system.kill()
            until(tmp_path, lambda: state(node) == "silent")
            reason = told(node, "participant").portion("state").value["reason"]
            assert reason.startswith("not heard for 5")
            running.append(process(tmp_path, *speak))
            until(tmp_path, lambda: state(node) == "returned")
            node_process.send_signal(signal.SIGKILL)
            node_process.wait(10)
            running.append(process(tmp_path, *words, "up"))
            until(tmp_path, lambda: told(node, "participant").header.version > 4 and state(node) == "returned")
            record = told(node, "participant")
            states = [
                node.records.get(record.header.id, version).record().portion("state").value["state"]  # type: ignore[union-attr]
                for version in range(1, record.header.version + 1)
            ]
            shown = [one for index, one in enumerate(states) if index == 0 or one != states[index - 1]]
            assert shown == ["waiting", "joined", "silent", "returned", "waiting", "returned"]
            assert [row.record().header.id for row in node.records.page(kind="track").rows] == [track]
    finally:
        for one in running:
            one.kill()
            one.wait(10)


@pytest.mark.slow
def test_a_nation_joins_from_an_empty_folder_and_its_ally_sees_the_track() -> None:
    paths = os.pathsep.join((str(ROOT / "src"), str(ROOT)))
    command = [sys.executable, "-m", "benchmarks.joining", "dis"]
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, "PYTHONPATH": paths}, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    steps, figure = done.stdout.splitlines()
    assert "participant at the ally" in steps and "track at the ally" in steps
    assert json.loads(figure)["unit"] == "s"
