"""Three nodes on loopback: made, paired by invitation files, run as processes of their own."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from aldis.app import System
from aldis.interfaces.web import link_address
from aldis.kernel.authority import Role
from aldis.kernel.errors import Unavailable
from aldis.node.clock import SystemClock
from aldis.node.config import Config, Marking
from aldis.node.home import make_home
from aldis.node.node import Node
from aldis.node.pairing import Sheet, fingerprint
from aldis.node.people import Account

__all__ = ["NATIONS", "OFFICER", "Nations", "Running", "Share", "free_port"]

NATIONS = {"aus": ("AUS", "AUS", "SECRET"), "gbr": ("GBR", "UK", "SECRET"), "usa": ("USA", "US", "SECRET")}
"""By node: party, label policy, ceiling."""
OFFICER = "officer"
"""The account at each node of whoever looks around there."""
_ROLES = [Role.ADMINISTRATOR, Role.ORIGINATOR, Role.RELEASE_OFFICER, Role.SECURITY_OFFICER]
_PATIENCE_S = 60.0
_ENVIRONMENT: dict[str, str] = {}


@dataclass(frozen=True, slots=True)
class Share:
    """What one nation brings: its systems, how what they say is marked, and for what, in each
    policy, their accounts are cleared."""

    systems: list[System] = field(default_factory=list)
    labels: dict[str, dict[str, str]] = field(default_factory=dict)
    marking: list[Marking] = field(default_factory=list)
    clearance: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Nations:
    """The folders of the three nodes, `folder/aus` and so on."""

    folder: Path

    def home(self, node: str) -> Path:
        """A node's folder."""
        return self.folder / node

    def log(self, node: str) -> Path:
        """What a node's process prints."""
        return self.home(node) / "node.log"

    def open(self, node: str) -> Node:
        """A node, opened beside its running process if there is one."""
        return Node.open(self.home(node), environment=_ENVIRONMENT)

    def make(self, shares: Mapping[str, Share], pace: float, project: str) -> None:
        """Make the three, each with the systems that it brings, whose accounts see what `project` holds."""
        for node, (party, policy, ceiling) in NATIONS.items():
            share = shares[node]
            config = Config(
                node=node,
                party=party,
                policy=policy,
                ceiling=ceiling,
                listen=f"127.0.0.1:{free_port()}",
                checkpoint_s=5,
                systems=share.systems,
                pace=pace,
                project=project,
                record=bool(share.systems),
                labels=share.labels,
                marking=share.marking,
            )
            make_home(self.home(node), config, now=SystemClock().now())
            with self.open(node) as made:
                officer = Account(id=OFFICER, name=f"Officer of {party}", nationality=party, roles=_ROLES,
                                  clearance={policy: ceiling}, projects=["*"])  # fmt: skip
                made.people.add(officer)
                for system in share.systems:
                    if system.person:
                        made.people.add(
                            Account(
                                id=system.person,
                                name=system.name,
                                nationality=party,
                                clearance=share.clearance,
                                projects=[project],
                            )
                        )

    def pair(self) -> Iterator[tuple[str, str, str]]:
        """Pair each with each by files in `folder/invitations`; the two nodes and the fingerprint both confirmed."""
        post = self.folder / "invitations"
        post.mkdir(exist_ok=True)
        names = list(NATIONS)
        for one, other in [(a, b) for i, a in enumerate(names) for b in names[i + 1 :]]:
            with self.open(one) as inviter, self.open(other) as joiner:
                invitation, reply = post / f"{one}-{other}.invite", post / f"{other}-{one}.reply"
                invitation.write_bytes(inviter.partners.invite(joiner.core.party))
                _, answer = joiner.partners.join(invitation.read_bytes(), _read_out(invitation))
                reply.write_bytes(answer or b"")
                inviter.partners.join(reply.read_bytes(), _read_out(reply))
                yield one, other, fingerprint(reply.read_bytes())


class Running:
    """The three processes, with pages for people where they are wanted; `stop` ends them and waits."""

    def __init__(self, nations: Nations, *, pages: bool = False) -> None:
        self._nations = nations
        self._ports = {node: free_port() for node in NATIONS} if pages else {}
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def start(self) -> float:
        """Start all and wait until each listens; the seconds that the slowest took."""
        began = time.monotonic()
        for node in NATIONS:
            command = [sys.executable, "-m", "aldis", "--home", str(self._nations.home(node)), "up"]
            if node in self._ports:
                command += ["--http", f"127.0.0.1:{self._ports[node]}"]
            environment = {k: v for k, v in os.environ.items() if not k.startswith("ALDIS_")}
            with self._nations.log(node).open("wb") as log:
                self._processes[node] = subprocess.Popen(  # noqa: S603 - our own interpreter and folder
                    command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment
                )
        for node, process in self._processes.items():
            while b"is up" not in self._nations.log(node).read_bytes():
                if process.poll() is not None or time.monotonic() - began > _PATIENCE_S:
                    raise Unavailable(f"the node {node} did not start", fix=f"See {self._nations.log(node)}")
                time.sleep(0.02)
        return time.monotonic() - began

    def links(self) -> dict[str, str]:
        """For each node whose pages are there, a link that signs its officer in once.

        Each has a name of its own below `localhost`, which browsers take for this machine: cookies know no ports.
        """
        found = {}
        for node, port in self._ports.items():
            with self._nations.open(node) as opened:
                found[node] = link_address(f"http://{node}.localhost:{port}", opened.people.links.issue())
        return found

    def stop(self) -> None:
        """End the processes."""
        for process in self._processes.values():
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGTERM)
        for process in self._processes.values():
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def wait(self) -> None:
        """Wait until one of them ends."""
        while all(process.poll() is None for process in self._processes.values()):
            time.sleep(0.5)


def _read_out(file: Path) -> Callable[[Sheet, str], bool]:
    """What two people do by voice: the fingerprint shown is that of the file that was sent."""
    said = fingerprint(file.read_bytes())
    return lambda _, shown: shown == said


def free_port() -> int:
    """A port of the loopback interface that nobody listens at now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
