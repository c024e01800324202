"""Exit codes: the one place where an error becomes a number, and the two lines that a person reads."""

from __future__ import annotations

import errno
from dataclasses import dataclass

import click

from aldis.kernel.errors import AldisError, InvalidInput, RefusedByPolicy, Unavailable, VerificationFailed

__all__ = [
    "EXITS",
    "FAILED",
    "INTERRUPTED",
    "OK",
    "REFUSED",
    "UNREACHABLE",
    "UNVERIFIED",
    "USAGE",
    "Failure",
    "failure",
]

OK, FAILED, USAGE, REFUSED, UNVERIFIED, UNREACHABLE = range(6)
INTERRUPTED = 130
"""128 + SIGINT, as shells have it."""

EXITS = {
    OK: "done",
    FAILED: "failed: `doctor` found something, or a file or the machine stood in the way",
    USAGE: "what was given cannot be used: mend the command or the file",
    REFUSED: "refused by policy, or waiting for a release officer",
    UNVERIFIED: "a signature, digest, proof or chain does not hold",
    UNREACHABLE: "a partner, disk or service did not answer: try again",
    INTERRUPTED: "stopped by Ctrl-C",
}
_CLASSES: tuple[tuple[type[AldisError], int, str], ...] = (
    (RefusedByPolicy, REFUSED, "`aldis why ID NODE` says what would change a refusal"),
    (VerificationFailed, UNVERIFIED, "Do not trust this copy: ask its sender for it again"),
    (Unavailable, UNREACHABLE, "Try again; `aldis doctor` says what is wrong at this node"),
    (InvalidInput, USAGE, "Mend that and try again; `--help` shows what a command takes"),
    (AldisError, FAILED, "`aldis doctor` says what is wrong at this node"),
)
_SYSTEM = {
    errno.ENOSPC: "Free some space, then run the command again",
    errno.EACCES: "See who may read and write it, or name another place",
    errno.EPERM: "See who may read and write it, or name another place",
    errno.ENOENT: "Check the path",
    errno.EADDRINUSE: "Another process listens there: stop it, or choose another port with --listen",
    errno.EROFS: "Name a place that can be written to",
}


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a command did not do it: a stable code, what is wrong, what to do next, and the exit code."""

    code: str
    message: str
    fix: str
    exit: int


def failure(error: BaseException) -> Failure | None:
    """What to tell of an error; None where it is a fault of this program, to be seen whole."""
    if isinstance(error, AldisError):
        number, fix = next((number, fix) for kind, number, fix in _CLASSES if isinstance(error, kind))
        return Failure(error.code, str(error.args[0]), error.fix or fix, number)
    if isinstance(error, click.UsageError):
        command = error.ctx.command_path if error.ctx else "aldis"
        return Failure("usage", error.format_message(), f"`{command} --help` shows what it takes", USAGE)
    if isinstance(error, click.ClickException):
        return Failure("usage", error.format_message(), "Check the path", USAGE)
    if isinstance(error, click.Abort | KeyboardInterrupt):
        return Failure("interrupted", "stopped", "What was done is kept; run the command again to go on", INTERRUPTED)
    if isinstance(error, OSError):
        what = f"{error.filename}: {error.strerror}" if error.filename else error.strerror or type(error).__name__
        return Failure("system", what, _SYSTEM.get(error.errno or 0, "`aldis doctor` says more"), FAILED)
    return None
