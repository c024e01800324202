"""Attachments on the command line: files that become values of portions, and contents that become files."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from aldis.interfaces.cli.output import Told
from aldis.interfaces.cli.text import size
from aldis.kernel.errors import InvalidInput, UnknownTerm, VerificationFailed
from aldis.node.attachments import PIECE, Held, Reader
from aldis.node.node import Node
from aldis.node.store import Row

__all__ = ["bring_in", "save", "standing", "told_of"]


def bring_in(node: Node, kind: str, portion: str, paths: Sequence[Path], person: str = "") -> Any:
    """The value of a portion that describes these files, whose contents are now in the node's folder.

    Raises:
        InvalidInput: the portion takes no files, or one only.
        VerificationFailed: a file is not what its name says.
        OSError: one cannot be read.
    """
    known = node.core.kinds.get(kind)
    if known is None or portion not in known.files:
        there = listed_files(node, kind)
        raise InvalidInput(f"portion {portion!r} of kind {kind!r} takes no files", fix=there)
    single = not isinstance(known.portions[portion], type(list[int]))
    if single and len(paths) != 1:
        raise InvalidInput(f"portion {portion!r} of kind {kind!r} takes one file", fix="Put a record for each")
    made = []
    for path in paths:
        with path.open("rb") as file:
            made.append(msgspec.to_builtins(node.attachments.uploads.whole(file, path.name, person=person)))
    return made[0] if single else made


def listed_files(node: Node, kind: str) -> str:
    """Which portions take files, in words."""
    known = node.core.kinds.get(kind)
    names = sorted(known.files) if known else []
    return f"It has: {', '.join(names)}" if names else "`aldis apps` names the kinds and their portions"


def standing(held: Held) -> str:
    """An attachment in a line."""
    one = held.attachment
    state = {"whole": "", "waits": f", {size(held.held)} of it so far", "gone": ", its content was removed here"}
    said = state.get(held.state, f", refused: {held.because}")
    return f"{one.name}  ({size(one.size)}, {one.media_type}{said})"


def told_of(held: Held) -> dict[str, Any]:
    """An attachment as data."""
    said = {"portion": held.portion, **msgspec.to_builtins(held.attachment), "held": held.held, "state": held.state}
    return {**said, "because": held.because} if held.because else said


def save(node: Node, row: Row, name: str, output: Path | None, told: Told) -> tuple[Held, Path]:
    """Write the content of an attachment to a file that is not there yet, going on with what an earlier try left.

    `name` is its name or digest, or PORTION/NAME.

    Raises:
        UnknownTerm: there is none.
        InvalidInput: several portions have one, or the file exists.
        VerificationFailed: what was written is not the content.
        Unavailable: it is not whole here yet.
    """
    found = [
        one
        for one in node.attachments.of(row)
        if name in (one.attachment.name, one.attachment.digest, f"{one.portion}/{one.attachment.name}")
    ]
    portions = {one.portion for one in found}
    if not found:
        raise UnknownTerm(f"record {row.id!r} has no attachment {name!r} here", fix=f"`aldis get {row.id}` names them")
    if len(portions) > 1:
        named = " or ".join(sorted(f"{one.portion}/{one.attachment.name}" for one in found))
        raise InvalidInput(f"several portions of {row.id!r} have {name!r}", fix=f"Name one: {named}")
    held = found[0]
    path = output or Path(held.attachment.name)
    with node.attachments.open(row, held.portion, held.attachment.digest) as reader:
        if str(path) == "-":
            for piece in reader.pieces():
                sys.stdout.buffer.write(piece)
            return held, path
        if path.exists():
            raise InvalidInput(f"{path} exists already", fix="Name another file with --output")
        _write(reader, path, told)
    return held, path


def _write(reader: Reader, path: Path, told: Told) -> None:
    part, running = path.with_name(path.name + ".part"), hashlib.sha256()
    with part.open("r+b" if part.exists() else "w+b") as file:
        while data := file.read(PIECE):
            running.update(data)
        done = file.tell()
        if done > reader.size:
            file.truncate(0)
            file.seek(0)
            running, done = hashlib.sha256(), 0
        for piece in reader.pieces(done):
            file.write(piece)
            running.update(piece)
            done += len(piece)
            told(done, reader.size)
    if running.hexdigest() != reader.attachment.digest:
        part.unlink()
        raise VerificationFailed(f"what was written to {part} is not the content", fix="Run it again")
    part.replace(path)
