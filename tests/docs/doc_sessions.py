"""The console sessions in the documentation, run as they stand.

A page is one session in a folder of its own. In it:
- a fenced `console` block holds commands (`$ ...`, continued by `> ...`) and what they print, both streams together;
- `…` on a line of its own stands for any lines, within a line for any text;
- fingerprints, digests, times, numbers of cases and the random ends of ids differ from run to run: the run's own are
  put in their place;
- a command that fails is followed by `$ echo $?`;
- `<!-- file: NAME -->` before a fenced block writes that block to a file;
- `<!-- starts from: PAGE -->` begins with the folder that PAGE's session ended in;
- `<!-- not run: REASON -->` before a console block leaves it out.
"""

from __future__ import annotations

import io
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import chdir
from dataclasses import dataclass, field
from pathlib import Path
from unittest.mock import patch

from aldis.interfaces.cli.main import cli

__all__ = ["Block", "Command", "Session", "blocks", "commands", "starts_from"]

_FENCE = re.compile(r"^(?P<indent> *)```(?P<language>[a-z]*)\n(?P<text>.*?)^ *```$", re.DOTALL | re.MULTILINE)
_NOTE = re.compile(r"<!-- (?P<word>file|not run): (?P<text>.+?) -->\s*\Z")
_STARTS = re.compile(r"<!-- starts from: (?P<page>\S+) -->")
_VOLATILE = re.compile(
    r"\d{5}(?: \d{5}){5}"  # a fingerprint
    r"|\b[0-9a-f]{64}\b|\b[0-9a-f]{20,24}\b"  # digests, opaque ids
    r"|(?<=-)[0-9a-f]{8}\b"  # the end of a pairing's id
    r"|\b\d{4}-\d\d-\d\d(?: \d\d:\d\d UTC)?"
    r"|\b[1-9]\d{6}\b"  # the number of a case
    r"|\b1[0-9]{12}\b"  # an epoch, in milliseconds
    r"|\b[\d,]+ bytes?\b|\b\d+ MiB\b"
    r"|(?<=key )[A-Za-z0-9_-]{12,43}"
)
_ELLIPSIS = "…"


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block: its language and text, and the file it is to be written to or the reason not to run it."""

    language: str
    text: str
    file: str = ""
    skipped: str = ""


@dataclass(slots=True)
class Command:
    """A command as typed, and the lines that it prints."""

    line: str
    output: list[str] = field(default_factory=list)


def blocks(page: str) -> Iterator[Block]:
    """The fenced blocks of a page."""
    for found in _FENCE.finditer(page):
        indent = found["indent"]
        text = "".join(line.removeprefix(indent) for line in found["text"].splitlines(keepends=True))
        note = _NOTE.search(page[: found.start()])
        word, said = (note["word"], note["text"]) if note else ("", "")
        yield Block(found["language"], text, said if word == "file" else "", said if word == "not run" else "")


def starts_from(page: str) -> str:
    """The page whose session this one goes on from, or nothing."""
    found = _STARTS.search(page)
    return found["page"] if found else ""


def commands(text: str) -> list[Command]:
    """The commands of a console block."""
    found: list[Command] = []
    for line in text.splitlines():
        if line.startswith("$ "):
            found.append(Command(line[2:]))
        elif (line == ">" or line.startswith("> ")) and found and not found[-1].output:
            found[-1].line += "\n" + line[2:]
        elif found:
            found[-1].output.append(line)
        else:
            raise ValueError(f"a console block begins with output: {line!r}")
    return found


class _Screen(io.StringIO):
    """One stream of a terminal 80 columns wide on which nobody can be asked."""

    def __init__(self, shown: list[str], *, is_terminal: bool) -> None:
        super().__init__()
        self._shown, self._is_terminal = shown, is_terminal

    def write(self, text: str, /) -> int:
        if not isinstance(text, str):
            raise TypeError
        self._shown.append(text)
        return len(text)

    def isatty(self) -> bool:
        return self._is_terminal


class Session:
    """Types the commands of a page in `folder`, and compares what is printed with what the page says."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._code = 0
        self._ours: dict[str, str] = {}

    def moved(self, folder: Path) -> Session:
        """A session that goes on in `folder`, a copy of this one's."""
        session = Session(folder)
        session._ours = dict(self._ours)
        return session

    def run(self, page: str) -> None:
        """Run every block of a page.

        Raises:
            AssertionError: a command ended or printed otherwise than the page says.
        """
        for block in blocks(page):
            if block.file:
                (self.folder / block.file).write_text(block.text, "utf-8")
            elif block.language == "console" and not block.skipped:
                self._block(commands(block.text))

    def _block(self, every: list[Command]) -> None:
        for place, command in enumerate(every):
            following = every[place + 1].line if place + 1 < len(every) else ""
            printed = self.type(command.line)
            said = f"$ {command.line}\n{printed}"
            assert self._code == 0 or following == "echo $?", f"exit code {self._code}\n{said}"
            self._compare(command, printed.splitlines(), said)

    def type(self, line: str) -> str:
        """What a command prints."""
        line = _VOLATILE.sub(lambda found: self._ours.get(found[0], found[0]), line)
        if line == "echo $?":
            code, self._code = self._code, 0
            return str(code)
        if line.startswith("aldis ") and not re.search(r" [>|] ", line):
            return self._aldis(shlex.split(line.replace("\\\n", ""))[1:])
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        done = subprocess.run(
            ["bash", "-c", line], cwd=self.folder, env={**os.environ, "PATH": path}, capture_output=True, text=True
        )
        self._code = done.returncode
        return (done.stdout + done.stderr).rstrip("\n")

    def _aldis(self, args: list[str]) -> str:
        shown: list[str] = []
        out, err = (_Screen(shown, is_terminal=terminal) for terminal in (True, False))
        environment = {name: value for name, value in os.environ.items() if not name.startswith("ALDIS_")}
        environment |= {"TERM": "dumb", "NO_COLOR": "1"}
        environment.pop("COLUMNS", None)
        with (
            chdir(self.folder),
            patch.dict(os.environ, environment, clear=True),
            patch.object(sys, "stdout", out),
            patch.object(sys, "stderr", err),
            patch.object(sys, "stdin", io.StringIO()),
        ):
            try:
                cli.main(args=args)
                self._code = 0
            except SystemExit as ended:
                self._code = ended.code if isinstance(ended.code, int) else 1
        return "".join(shown).rstrip("\n")

    def _compare(self, command: Command, printed: list[str], said: str) -> None:
        expected = [line.rstrip() for line in command.output]
        while expected and not expected[-1]:
            expected.pop()
        lines = [line.rstrip() for line in printed]
        places = _matched(expected, lines)
        assert places is not None, f"the page says\n{chr(10).join(expected)}\n\nbut it is\n{said}"
        for theirs, place in zip(expected, places, strict=True):
            if place is not None and _ELLIPSIS not in theirs:
                self._ours.update(zip(_VOLATILE.findall(theirs), _VOLATILE.findall(lines[place]), strict=True))


def _matched(expected: list[str], printed: list[str]) -> list[int | None] | None:
    """Per expected line the printed line that it stands for, None for an ellipsis; or None where they do not fit."""
    if not expected:
        return [] if not printed else None
    if expected[0] == _ELLIPSIS:
        for skip in range(len(printed) + 1):
            rest = _matched(expected[1:], printed[skip:])
            if rest is not None:
                return [None, *(None if place is None else place + skip for place in rest)]
        return None
    if not printed or not _same(expected[0], printed[0]):
        return None
    rest = _matched(expected[1:], printed[1:])
    return None if rest is None else [0, *(None if place is None else place + 1 for place in rest)]


def _same(expected: str, printed: str) -> bool:
    pattern = ".*".join(_shape(part) for part in expected.split(_ELLIPSIS))
    return re.fullmatch(pattern, _VOLATILE.sub("\x00", printed)) is not None


def _shape(text: str) -> str:
    """Volatile parts as one mark, and runs of spaces as any run: columns are as wide as what is in them."""
    return re.sub(r"(?:\\ )+", " +", re.escape(_VOLATILE.sub("\x00", text)))
