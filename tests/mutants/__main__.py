"""`make mutants`: skip one security check at a time, in a copy of the sources; a test must fail.

Each mutant is run against the tests named for it alone, so a survivor says that those tests no longer look.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from compileall import compile_dir
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from py_compile import PycInvalidationMode
from queue import SimpleQueue

from tests.mutants.planted import MUTANTS, Mutant

ROOT = Path(__file__).resolve().parents[2]
LIMIT_S = 240
COPIED = ("src", "tests", "spec")


def main() -> int:
    """Plant every mutant, or those of which the name or the file has one of the words given."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("words", nargs="*", help="only mutants whose name or file has one of these")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    given = parser.parse_args()
    chosen = [m for m in MUTANTS if not given.words or any(word in f"{m.name} {m.file}" for word in given.words)]
    with tempfile.TemporaryDirectory(prefix="aldis-mutants-") as folder, ThreadPoolExecutor(given.jobs) as pool:
        copies = _copies(Path(folder), given.jobs)
        results = zip(chosen, pool.map(lambda mutant: _run(mutant, copies), chosen), strict=True)
        survivors = [mutant for mutant, killed in results if not _told(mutant, killed)]
    print(f"mutants: {len(chosen)} planted, {len(chosen) - len(survivors)} killed")
    return 1 if survivors else 0


def _copies(folder: Path, jobs: int) -> SimpleQueue[Path]:
    copies: SimpleQueue[Path] = SimpleQueue()
    for job in range(jobs):
        copy = folder / str(job)
        for name in COPIED:
            shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__", "node_modules"))
        shutil.copy(ROOT / "pyproject.toml", copy)
        # A mutant is read anew, and what is compiled of it is again held by its hash; the tests are compiled once.
        compile_dir(copy / "src", quiet=2, invalidation_mode=PycInvalidationMode.CHECKED_HASH)
        copies.put(copy)
    return copies


def _run(mutant: Mutant, copies: SimpleQueue[Path]) -> bool:
    """Whether a test fails with the mutant planted."""
    copy = copies.get()
    path = copy / "src" / "aldis" / mutant.file
    sound = path.read_text("utf-8")
    try:
        if sound.count(mutant.old) != 1:
            sys.exit(
                f"{mutant.name}: its text stands {sound.count(mutant.old)} times in {mutant.file}; mend planted.py"
            )
        path.write_text(sound.replace(mutant.old, mutant.new), "utf-8")
        command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *mutant.tests]
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        environment["PYTHONPATH"] = str(copy / "src")
        try:
            done = subprocess.run(
                command, cwd=copy, env=environment, capture_output=True, text=True, timeout=LIMIT_S, check=False
            )
        except subprocess.TimeoutExpired:
            sys.exit(f"{mutant.name}: its tests took more than {LIMIT_S} s")
        if done.returncode not in (0, 1):
            sys.exit(f"{mutant.name}: its tests did not run\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
        return done.returncode == 1
    finally:
        path.write_text(sound, "utf-8")
        copies.put(copy)


def _told(mutant: Mutant, killed: bool) -> bool:
    print(f"{'killed  ' if killed else 'SURVIVED'} {mutant.name}", flush=True)
    return killed


if __name__ == "__main__":
    sys.exit(main())
