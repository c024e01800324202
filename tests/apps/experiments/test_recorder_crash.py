"""Processes that are killed, and disks that fill: what was on disk stays, and the chain goes on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from recorded import recorder, signer

from aldis.apps.experiments.recorder import gaps, messages, segments_of, verify
from aldis.kernel.errors import VerificationFailed
from aldis.kernel.signatures import Algorithm
from aldis.node.keys import generate, load

SCHEMA = ("t", b'{"type":"object","properties":{}}')

WRITER = """
import itertools, resource, sys
from pathlib import Path
from aldis.apps.experiments.recorder import Recorder
from aldis.kernel.errors import AldisError
from aldis.kernel.signatures import Algorithm
from aldis.node.keys import load

folder, most = Path(sys.argv[1]), int(sys.argv[2])
if most:
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
made = Recorder(folder, "run", load(Algorithm.ED25519, (folder / "key").read_bytes()),
                node="aus-low", run="raft", marking="UNCLASSIFIED", began_ms=1, sync_ms=5)
channel = made.channel("/t", ("t", b'{"type":"object","properties":{}}'), {})
try:
    for number in itertools.count(1):
        made.write(channel, number, b'{"n":%d}' % number)
        if number % 500 == 0:
            made.flush()
            print(number, flush=True)
except AldisError as error:
    print(error, flush=True)
    try:
        made.close()
    except AldisError:
        sys.exit(5)
"""


def start(folder: Path, most: int = 0) -> subprocess.Popen[str]:
    (folder / "key").write_bytes(generate(Algorithm.ED25519)) if not (folder / "key").exists() else None
    return subprocess.Popen([sys.executable, "-c", WRITER, str(folder), str(most)], stdout=subprocess.PIPE, text=True)


@pytest.mark.parametrize("kills", [1, pytest.param(6, marks=pytest.mark.slow)])
def test_a_recording_that_was_killed_holds_all_that_was_synced_and_goes_on(tmp_path: Path, kills: int) -> None:
    promised = []
    for lines in range(1, kills + 1):
        with start(tmp_path) as process:
            assert process.stdout is not None
            synced = [int(process.stdout.readline()) for _ in range(lines)][-1]
            os.kill(process.pid, signal.SIGKILL)
            synced = max([synced, *(int(line) for line in process.stdout if line.endswith("\n"))])
        assert process.returncode == -signal.SIGKILL
        promised.append(synced)
    by = load(Algorithm.ED25519, (tmp_path / "key").read_bytes())
    with recorder(tmp_path, by, name="run") as made:
        channel = made.channel("/t", SCHEMA, {})
        made.write(channel, 1, b'{"n":1}')
    paths = segments_of(tmp_path, "run")
    found = [verify(path, by.public) for path in paths]
    assert [one.state for one in found] == ["incomplete"] * kills + ["intact"]
    assert gaps(found) == [], "the next file goes on from the last seal of the one before"
    for path, one, synced in zip(paths, found, promised, strict=False):
        numbers = [json.loads(message.data)["n"] for message in messages(path, one.covered)]
        assert numbers == list(range(1, len(numbers) + 1))
        assert len(numbers) == one.messages >= synced


def test_a_full_disk_stops_the_recording_and_leaves_what_was_sealed(tmp_path: Path) -> None:
    with start(tmp_path, most=200_000) as process:
        assert process.stdout is not None
        *synced, told = process.stdout.read().splitlines()
    assert process.returncode == 5
    assert "the recording stopped" in told
    assert "run-0001.mcap" in told
    (path,) = segments_of(tmp_path, "run")
    by = load(Algorithm.ED25519, (tmp_path / "key").read_bytes())
    findings = verify(path, by.public)
    assert (findings.state, findings.beyond) == ("incomplete", 0), "what was written in part was taken back"
    assert findings.messages >= int(synced[-1])
    assert path.stat().st_size <= 200_000


def test_a_file_that_was_cut_before_its_first_seal_is_begun_again(tmp_path: Path) -> None:
    by = signer()
    (tmp_path / "run-0001.mcap").write_bytes(b"\x89MCAP")
    with recorder(tmp_path, by) as made:
        made.flush()
    assert [path.name for path in made.segments] == ["run-0001.mcap"]
    assert verify(made.segments[0], by.public).state == "intact"


def test_a_recording_does_not_go_on_from_one_that_was_altered(tmp_path: Path) -> None:
    by = signer()
    with recorder(tmp_path, by) as made:
        made.flush()
    data = bytearray(made.segments[0].read_bytes())
    data[len(data) // 2] ^= 1
    made.segments[0].write_bytes(data)
    with pytest.raises(VerificationFailed, match="not as this node recorded it"):
        recorder(tmp_path, by)
    assert made.segments[0].read_bytes() == bytes(data), "it is kept as evidence"
