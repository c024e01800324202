"""Run an implementation against the vectors: `python -m conformance.run [--strict] [--file NAME] -- COMMAND...`."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

from conformance.requests import FILES, Vector, read_vectors

__all__ = ["Implementation", "judge", "main"]

PATIENCE_S = 10


class Implementation:
    """A running command that answers a line with a line.

    Raises:
        OSError: it cannot be started.
    """

    def __init__(self, command: Sequence[str]) -> None:
        self._process = subprocess.Popen(  # noqa: S603
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8", bufsize=1
        )
        self._count = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._process.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            with suppress(BrokenPipeError):
                if pipe is not None:
                    pipe.close()
        self._process.wait()

    def ask(self, request: dict[str, Any]) -> Any:
        """The answer to one request; None where none came in time or it is not JSON."""
        self._count += 1
        to, back = self._process.stdin, self._process.stdout
        if to is None or back is None:
            return None
        try:
            to.write(json.dumps({"id": self._count, **request}) + "\n")
            to.flush()
        except BrokenPipeError:
            return None
        timer = threading.Timer(PATIENCE_S, self._process.kill)
        timer.start()
        try:
            answer = json.loads(back.readline())
        except ValueError:
            return None
        finally:
            timer.cancel()
        return answer if isinstance(answer, dict) and answer.get("id") == self._count else None


def judge(vector: Vector, answer: Any, *, strict: bool) -> str:
    """`skipped`, or empty where the answer is the right one, or what is wrong with it."""
    if not isinstance(answer, dict):
        return "no answer"
    if answer.get("unsupported") is True:
        return "skipped"
    refused, ok = answer.get("refused"), answer.get("ok")
    if vector.ok is None:
        if not isinstance(refused, str):
            return f"was not refused: {ok}"
        return f"refused with {refused}, not {vector.code}" if strict and refused != vector.code else ""
    if not isinstance(ok, dict):
        return f"was refused: {refused}"
    wrong = {name: (ok.get(name), value) for name, value in vector.ok.items() if ok.get(name) != value}
    return "; ".join(f"{name} is {was}, must be {must}" for name, (was, must) in wrong.items())


def main(arguments: Sequence[str] | None = None) -> int:
    """Run all vectors; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m conformance.run", description=__doc__)
    parser.add_argument("--strict", action="store_true", help="the code of a refusal must be the expected one")
    parser.add_argument("--file", action="append", choices=list(FILES), help="only this file of vectors")
    parser.add_argument("command", nargs="+", help="what answers NODE-CLI.md on standard input and output")
    given = parser.parse_args(arguments)
    failed = False
    try:
        with Implementation(given.command) as implementation:
            for file in given.file or FILES:
                failed |= _run(file, implementation, strict=given.strict)
    except OSError as error:
        sys.stderr.write(f"{given.command[0]} cannot be run: {error}\n")
        return 2
    return int(failed)


def _run(file: str, implementation: Implementation, *, strict: bool) -> bool:
    """Ask every vector of a file and say how it went; whether any failed."""
    counts: Counter[str] = Counter()
    for vector in read_vectors(file):
        said = judge(vector, implementation.ask(dict(vector.request)), strict=strict)
        kind = "passed" if not said else said if said == "skipped" else "failed"
        counts[kind] += 1
        if kind == "failed":
            sys.stdout.write(f"  {file}: {vector.request['do']}, {vector.why}: {said}\n")
    sys.stdout.write(f"{file}: {counts['passed']} passed, {counts['failed']} failed, {counts['skipped']} skipped\n")
    return bool(counts["failed"])


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))
    sys.exit(main())
