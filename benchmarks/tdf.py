"""TDF containers opened and sealed, against otdf-python, which reads without checking.

Both open the same container, written by otdf-python under one RSA-2048 key (GMAC segment hashes, as SDKs write them):
Aldis checks policy binding, root and segments; otdf-python decrypts. Then Aldis's own, with HS256 segments and an
assertion, which otdf-python opens too. Aldis keeps its key loaded, as a key-access server does; otdf-python is given
the key as its interface takes it, in PEM. The peer runs in the interpreter named by `OTDF_PYTHON`, for its dependencies
are many; without it, in this one.

    python -m benchmarks.tdf [--quick]
"""

from __future__ import annotations

import argparse
import io
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from aldis.kernel.tdf import Statement, open_tdf, seal_tdf
from aldis.node.kas import KasKey, KasPublic, make_key
from benchmarks.report import median_spread, report

SMALL, LARGE = 4 * 1024, 16 * 1024 * 1024
MB = 1e6
POLICY = b'{"uuid":"00000000-0000-4000-8000-000000000000","body":{"dataAttributes":[],"dissem":[]}}'
PEER = """
import json, sys, time
from otdf_python.config import KASInfo, TDFConfig
from otdf_python.tdf import TDF, TDFReaderConfig
job = json.load(sys.stdin)
if "public" in job:
    kas = KASInfo(url="https://kas.invalid/kas", public_key=job["public"], kid="r1")
    made = TDF().create_tdf(open(job["payload"], "rb").read(), TDFConfig(kas_info_list=[kas]))[2]
    open(job["file"], "wb").write(made.getvalue())
    print("[]")
    sys.exit()
data = open(job["file"], "rb").read()
reader, config, took = TDF(), TDFReaderConfig(kas_private_key=job["key"]), []
for _ in range(job["rounds"]):
    start = time.perf_counter()
    for _ in range(job["passes"]):
        found = reader.load_tdf(data, config).payload
    took.append((time.perf_counter() - start) / job["passes"])
assert found == open(job["payload"], "rb").read()
print(json.dumps(took))
"""


def container(payload: bytes, public: KasPublic) -> bytes:
    sink = io.BytesIO()
    label = [Statement("label", "<label/>", "xml-structured", "urn:example")]
    seal_tdf(io.BytesIO(payload), sink, [[public]], POLICY, os.urandom, statements=label)
    return sink.getvalue()


def opened(data: bytes, key: KasKey) -> list[bytes]:
    return list(open_tdf(io.BytesIO(data), lambda access, _: key.unwrap(access)).segments())


def timed(work: Callable[[], object], rounds: int, passes: int) -> list[float]:
    took = []
    for _ in range(rounds):
        start = time.perf_counter()
        for _ in range(passes):
            work()
        took.append((time.perf_counter() - start) / passes)
    return took


def peer(data: bytes, payload: bytes, private: bytes, rounds: int, passes: int) -> list[float]:
    with tempfile.TemporaryDirectory() as folder:
        files = {"file": Path(folder, "container.tdf"), "payload": Path(folder, "payload")}
        files["file"].write_bytes(data)
        files["payload"].write_bytes(payload)
        return _asked(
            {
                **{name: str(path) for name, path in files.items()},
                "key": private.decode(),
                "rounds": rounds,
                "passes": passes,
            }
        )


def theirs_of(payload: bytes, public: bytes) -> bytes:
    """A container that the peer makes."""
    with tempfile.TemporaryDirectory() as folder:
        file, plain = Path(folder, "container.tdf"), Path(folder, "payload")
        plain.write_bytes(payload)
        _asked({"file": str(file), "payload": str(plain), "public": public.decode()})
        return file.read_bytes()


def _asked(job: dict[str, Any]) -> list[float]:
    python = os.environ.get("OTDF_PYTHON", sys.executable)
    run = subprocess.run([python, "-c", PEER], input=json.dumps(job), text=True, capture_output=True, check=False)
    if run.returncode:
        sys.exit(
            f"otdf-python did not run in {python}: set OTDF_PYTHON to an interpreter that has it\n{run.stderr[-400:]}"
        )
    took: list[float] = json.loads(run.stdout)
    return took


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer passes")
    rounds = 3 if parser.parse_args().quick else 7
    private, public = make_key("rsa:2048")
    key, theirs = KasKey(private), KasPublic(public, "https://kas.invalid/kas")

    small = os.urandom(SMALL)
    data = theirs_of(small, public)
    assert b"".join(opened(data, key)) == small
    ours = timed(lambda: opened(data, key), rounds, 100)
    other = median_spread(peer(data, small, private, rounds, 5))[0]
    each, (fast, slow) = median_spread(ours)
    rates = (1 / slow, 1 / fast)
    report("tdf open 4 KiB", "otdf-python", other / each, ">= 80", other / each >= 80, 1 / each, "1/s", rates)

    large = os.urandom(LARGE)
    foreign, own = theirs_of(large, public), container(large, theirs)
    assert b"".join(opened(foreign, key)) == b"".join(opened(own, key)) == large
    for name, work, data, target in (
        ("tdf open 16 MiB", lambda: opened(foreign, key), foreign, 350),
        ("tdf open 16 MiB, HS256 segments", lambda: opened(own, key), own, 350),
        ("tdf seal 16 MiB", lambda: container(large, theirs), own, 0),
    ):
        other = LARGE / MB / median_spread(peer(data, large, private, 3, 1))[0]
        speed, spread = median_spread([LARGE / MB / took for took in timed(work, rounds, 3)])
        report(name, "otdf-python, opening", speed / other, f">= {target} MB/s", speed >= target, speed, "MB/s", spread)


if __name__ == "__main__":
    main()
