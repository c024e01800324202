"""A passphrase: typed at a terminal, or read from a file or stdin; never an argument, which other users can see."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from aldis.interfaces.cli.files import read_text

__all__ = ["PASSPHRASE", "passphrase"]

PASSPHRASE = click.option(
    "--passphrase-file",
    "passphrase_file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Read the passphrase from the first line of FILE, or - for stdin.  [default: ask at the terminal]",
)
_MOST = 4096


def passphrase(file: Path | None, *, new: bool = False) -> str:
    """The passphrase of a backup; a `new` one is typed twice.

    Raises:
        UsageError: no file was named, and there is no terminal to ask at.
        InvalidInput: the file is not text.
    """
    if file is not None:
        return read_text(file, _MOST).partition("\n")[0].removesuffix("\r")
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise click.UsageError("no terminal to ask for the passphrase at: name a file with --passphrase-file")
    typed: str = click.prompt("Passphrase", hide_input=True, confirmation_prompt=new, err=True)
    return typed
