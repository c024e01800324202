"""The players of the demo: simulated systems, each a process of its own that speaks to its nation's node."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from aldis.apps.experiments.players.sea import Place, Sea, moved
from aldis.interfaces.demo.shares import Ports

__all__ = ["RAFT", "SEA", "Cast"]

SEA = Sea(wind_from_deg=225.0, wind_mps=9.0, current_to_deg=80.0, current_mps=0.2)
RAFT: Place = (59.9050, 24.3600)
"""Where the raft is dropped: off Porkkala, away from the recorded ships."""
_USV = moved(RAFT, 190.0, -160.0)
_LOOKOUT = moved(RAFT, 900.0, 400.0)
_GONE_S = 5


class Cast:
    """The processes; `stop` ends them and waits."""

    def __init__(self, folder: Path, ports: Ports) -> None:
        self._folder, self._ports = folder, ports
        self._processes: list[subprocess.Popen[bytes]] = []

    def enter(self) -> None:
        """All but the raft."""
        self._folder.mkdir(exist_ok=True)
        self._play("usv", f"udp://127.0.0.1:{self._ports.usv}", _USV)
        self._play("observer", f"tcp://127.0.0.1:{self._ports.observer}", _LOOKOUT)
        self._play("helicopter", f"udp://127.0.0.1:{self._ports.helicopter}", RAFT)

    def drop_raft(self) -> None:
        """The raft, whose beacon is heard from then on."""
        self._play("raft", f"udp://127.0.0.1:{self._ports.raft}", RAFT)

    def log(self, player: str) -> Path:
        """What a player prints."""
        return self._folder / f"{player}.log"

    def stop(self) -> None:
        """End them all."""
        for process in self._processes:
            process.terminate()
        for process in self._processes:
            try:
                process.wait(_GONE_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._processes.clear()

    def _play(self, player: str, to: str, place: Place) -> None:
        told = [
            "--to", to, "--at", str(place[0]), str(place[1]), "--wind", str(SEA.wind_from_deg), str(SEA.wind_mps),
            "--current", str(SEA.current_to_deg), str(SEA.current_mps),
        ]  # fmt: skip
        command = [sys.executable, "-m", "aldis", "experiment", "play", player, *told]
        environment = {k: v for k, v in os.environ.items() if not k.startswith("ALDIS_")} | {"PYTHONUNBUFFERED": "1"}
        with self.log(player).open("wb") as log:
            self._processes.append(
                subprocess.Popen(  # noqa: S603 - our own interpreter
                    command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment
                )
            )
