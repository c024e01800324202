"""From an invitation to an ally's picture: seconds from `aldis experiment join` until the system's track stands there.

    python -m benchmarks.joining [--quick]

For each protocol: a host's node runs; from an empty folder a node is made, paired (the files and fingerprints pass at
once, where people would take their time), a system that speaks by its protocol's own library is heard, recognised and
probed for two seconds, the instrument is signed on both sides as soon as it is there, and the clock stops when the
system's track is a record in the host's store. There is no peer to compare with: the figure is absolute, the target a
minute, and the parts it is made of stand in a line before it.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from aldis.kernel.instruments.register import State
from aldis.node.node import Node
from aldis.node.pairing import fingerprint
from benchmarks.coalition import free_port
from benchmarks.report import report

PROTOCOLS = ("cot", "tak", "nmea0183", "dis", "mavlink", "legacy")
PROBE_S = 2.0
TARGET_S = 60.0
_ROOT = str(Path(__file__).parents[1])
_SPEAKS = ("-m", "benchmarks.speaking")
_HOST = """
project = "HARBOUR"

[[systems]]
name = "tak"
address = "cot+udp://127.0.0.1:{port}"

[labels.track]
header = "OFFICIAL//REL AUS/NZL"
position = "OFFICIAL//REL AUS/NZL"
"""


def _environment() -> dict[str, str]:
    paths = os.pathsep.join(path for path in (_ROOT, os.environ.get("PYTHONPATH", "")) if path)
    return {**os.environ, "PYTHONWARNINGS": "ignore", "PYTHONPATH": paths}


def aldis(folder: Path, home: str, *words: str) -> subprocess.CompletedProcess[str]:
    """A command at a node, to its end."""
    command = [sys.executable, "-m", "aldis", "--home", home, *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)


@contextmanager
def started(folder: Path, log: str, *words: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process for as long as the block lasts."""
    with (
        (folder / log).open("wb") as out,
        subprocess.Popen([sys.executable, *words], cwd=folder, stdout=out, stderr=out, env=_environment()) as process,
    ):
        try:
            yield process
        finally:
            process.terminate()
            process.wait(20)


def until(folder: Path, what: str, holds: Callable[[], bool], seconds: float = 60.0) -> float:
    """When it holds, by the monotonic clock."""
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        if holds():
            return time.monotonic()
        time.sleep(0.02)
    logs = "\n".join(path.read_text("utf-8", "replace") for path in folder.glob("*.log"))
    raise RuntimeError(f"{what} did not come to be in {seconds:g} s\n{logs}")


def joined(folder: Path, protocol: str) -> dict[str, float]:
    """Seconds from the start of `join` to each step."""
    listen, port = f"127.0.0.1:{free_port()}", free_port()
    aldis(folder, "aus", "init", "AUS", "--listen", listen)
    with (folder / "aus/aldis.toml").open("a") as settings:
        settings.write(_HOST.format(port=free_port()))
    mapping: list[str] = []
    if protocol == "legacy":
        said = subprocess.run(
            [sys.executable, *_SPEAKS, "mapping"], capture_output=True, text=True, check=True, env=_environment()
        )
        (folder / "harbour.toml").write_text(said.stdout)
        mapping = ["--mapping", "harbour.toml"]
    with started(folder, "aus.log", "-m", "aldis", "--home", "aus", "up"):
        aldis(folder, "aus", "experiment", "invite", "NZL", "--out", "nzl.experiment")
        with Node.open(folder / "aus", environment={}) as host:
            digits = _digits(folder)
            with started(folder, "system.log", *_SPEAKS, protocol, str(port), "120"):
                began = time.monotonic()
                command = ["-m", "aldis", "--home", "nzl", "experiment", "join", "nzl.experiment", *mapping]
                command += ["--system", f"udp://127.0.0.1:{port}", "--fingerprint", digits, "--for", str(PROBE_S)]
                with started(folder, "nzl.log", *command):
                    return _steps(folder, host, began)


def _digits(folder: Path) -> str:
    """Of the invitation inside the file."""
    from aldis.interfaces.joining.invitation import open_invitation  # noqa: PLC0415

    return fingerprint(open_invitation((folder / "nzl.experiment").read_bytes())[1])


def _steps(folder: Path, host: Node, began: float) -> dict[str, float]:
    steps: dict[str, float] = {}

    def at(step: str, holds: Callable[[], bool]) -> None:
        steps[step] = until(folder, step, holds) - began

    log = folder / "nzl.log"
    reply = folder / "nzl-aus.reply"
    at("node made and paired", reply.exists)
    host.partners.join(reply.read_bytes(), lambda _sheet, _found: True)
    text = (folder / "nzl.toml").read_text()
    name = host.register.draft(text, "aus").header.id
    host.register.sign(name, "aus")
    at("protocol told", lambda: b"told with a confidence" in log.read_bytes() or b"probing" in log.read_bytes())
    at("first cell printed", lambda: b"fidelity" in log.read_bytes())
    with Node.open(folder / "nzl", environment={}) as own:
        at("instrument arrived", lambda: name in own.epochs.current().instruments.ids())
        own.register.sign(name, "nzl")
        at("instrument in force", lambda: host.register.status(name).state is State.IN_FORCE)
    for kind in ("participant", "track"):
        at(f"{kind} at the ally", lambda kind=kind: _theirs(host, kind))  # type: ignore[misc]
    return steps


def _theirs(host: Node, kind: str) -> bool:
    return any(row.originator == "nzl" for row in host.records.page(kind=kind).rows)


def main() -> None:
    """Each protocol once, or two of them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="two protocols only")
    parser.add_argument("protocols", nargs="*", choices=[*PROTOCOLS, []], help="only these")
    options = parser.parse_args()
    for protocol in options.protocols or (PROTOCOLS[:2] if options.quick else PROTOCOLS):
        with tempfile.TemporaryDirectory() as folder:
            steps = joined(Path(folder), protocol)
        print(f"{protocol}: " + ", ".join(f"{name} {seconds:.1f} s" for name, seconds in steps.items()), flush=True)
        took = steps["track at the ally"]
        report(f"join by {protocol}", "none", 1.0, f"<= {TARGET_S:g} s", took <= TARGET_S, took, "s", (took, took))


if __name__ == "__main__":
    main()
