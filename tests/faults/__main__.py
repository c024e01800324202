"""Play seeded schedules of faults: `python -m tests.faults --seeds 1000`."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from functools import partial
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "kernel")]

from fault_schedule import Failed, run  # noqa: E402
from fault_world import prepare  # noqa: E402

CHUNK = 5


def play(folder: Path, seeds: range) -> list[tuple[int, str, list[str]]]:
    """The failures among these seeds: seed, what went wrong, and all that happened."""
    failures = []
    for seed in seeds:
        try:
            run(folder, seed)
        except Failed as failed:
            trace = "".join(traceback.format_exception(failed.__cause__)[-6:])
            failures.append((seed, f"{failed}\n{trace}", failed.log))
    return failures


def played(folder: Path, seeds: range, jobs: int) -> Iterator[tuple[int, list[tuple[int, str, list[str]]]]]:
    """How many seeds have been played, and the failures among the last ones, as they come in."""
    chunks = [seeds[place : place + CHUNK] for place in range(0, len(seeds), CHUNK)]
    done = 0
    with ProcessPoolExecutor(jobs) as pool:
        waiting = {pool.submit(partial(play, folder, chunk)): chunk for chunk in chunks}
        for finished in as_completed(waiting):
            done += len(waiting[finished])
            yield done, finished.result()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--seeds", type=int, default=1000, help="how many schedules (default 1000)")
    parser.add_argument("--first", type=int, default=0, help="the first seed (default 0)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes (default: one a core)")
    parser.add_argument("--log", action="store_true", help="say all that happened in a schedule that failed")
    asked = parser.parse_args()
    started, failed = time.monotonic(), 0
    with tempfile.TemporaryDirectory(prefix="aldis-faults-") as folder:
        prepare(Path(folder))
        for done, failures in played(Path(folder), range(asked.first, asked.first + asked.seeds), asked.jobs):
            failed += len(failures)
            for seed, text, log in failures:
                print(*(log if asked.log else ()), text, sep="\n")
                print(f"Again: python -m tests.faults --first {seed} --seeds 1 --log", flush=True)
            rate = done / (time.monotonic() - started)
            if sys.stderr.isatty() or done % 100 < CHUNK or done == asked.seeds:
                end = "\r" if sys.stderr.isatty() and done < asked.seeds else "\n"
                print(f"{done} of {asked.seeds} played, {failed} failed, {rate:.1f}/s", end=end, file=sys.stderr)
    print(f"faults: {asked.seeds} runs, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    if os.environ.get("PYTHONHASHSEED") != "0":  # so that a seed means the same run in every process
        os.execve(
            sys.executable, [sys.executable, "-m", "tests.faults", *sys.argv[1:]], {**os.environ, "PYTHONHASHSEED": "0"}
        )
    sys.exit(main())
