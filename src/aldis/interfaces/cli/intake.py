"""Files that arrived: which of them are for this node, and each taken in."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from aldis.interfaces.cli.files import read_whole
from aldis.kernel.bundles import BUNDLE_LIMIT, open_envelope
from aldis.kernel.errors import AldisError, InvalidInput, Stale
from aldis.kernel.messages import Content, ContentReceipt, Receipt, read_unverified
from aldis.node.attachments import CONTENT_SUFFIX
from aldis.node.attachments.incoming import read_head
from aldis.node.files import BUNDLE_SUFFIX, RECEIPT_SUFFIX
from aldis.node.node import Node

__all__ = ["arrived", "take"]

_SUFFIXES = (BUNDLE_SUFFIX, RECEIPT_SUFFIX, CONTENT_SUFFIX)


def arrived(node: Node, paths: Iterable[Path]) -> list[Path]:
    """The files named, and of the folders named what is for this node: bundles and receipts by name, then contents.

    Raises:
        InvalidInput: there is none.
        OSError: a folder cannot be read.
    """
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            inside = (one for one in path.iterdir() if one.suffix in _SUFFIXES)
            found += [one for one in inside if _is_for(node, one)]
        else:
            found.append(path)
    if not found:
        raise InvalidInput(
            f"there is no {BUNDLE_SUFFIX} or {RECEIPT_SUFFIX} file for {node.name} there", fix="Name the files"
        )
    return sorted(found, key=lambda path: (path.suffix == CONTENT_SUFFIX, path.name))


def take(node: Node, path: Path) -> dict[str, Any]:
    """What became of a file: admitted, taken as a receipt, or here already.

    Raises:
        AldisError: it is not believed, and nothing of it was stored.
    """
    done = {"file": str(path), "node": "", "receipt": None, "set_aside": 0}
    try:
        text, receipt = node.files.take(path)
    except Stale:
        if (before := _known(node, path)) is None:
            raise
        return {**done, "outcome": "here already", "text": before}
    if receipt is None:
        return {**done, "outcome": "receipt", "text": text}
    if path.suffix == CONTENT_SUFFIX:
        with path.open("rb") as file:
            origin = read_unverified(read_head(file, path), Content).origin
        return {**done, "outcome": "admitted", "text": text, "node": origin, "receipt": str(receipt)}
    origin = open_envelope(read_whole(path, BUNDLE_LIMIT))[0].origin
    aside = read_unverified(read_whole(receipt, BUNDLE_LIMIT), Receipt).quarantined
    return {
        **done,
        "outcome": "admitted",
        "text": text,
        "node": origin,
        "receipt": str(receipt),
        "set_aside": aside,
    }


def _known(node: Node, path: Path) -> str | None:
    """That a bundle or receipt which came again says nothing new; None where it is stale for another reason."""
    data = read_whole(path, BUNDLE_LIMIT)
    try:
        manifest = open_envelope(data)[0]
    except InvalidInput:
        receipt = read_unverified(data, Receipt)
        return f"a later receipt of {receipt.origin} is here already"
    cursor = node.inbound.cursor(manifest.origin)
    if manifest.audience != node.name or manifest.epoch != cursor.epoch or manifest.last > cursor.seq:
        return None
    return f"items {manifest.first} to {manifest.last} of {manifest.origin} are here already"


def _is_for(node: Node, path: Path) -> bool:
    """Whether a file claims to be for this node; one that claims nothing is to be refused with its reason."""
    if path.suffix == CONTENT_SUFFIX:
        return _content_is_for(node, path)
    data = read_whole(path, BUNDLE_LIMIT)
    try:
        return open_envelope(data)[0].audience == node.name
    except AldisError:
        pass
    try:
        return read_unverified(data, Receipt).audience == node.name
    except AldisError:
        pass
    try:
        return read_unverified(data, ContentReceipt).audience == node.name
    except AldisError:
        return True


def _content_is_for(node: Node, path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return read_unverified(read_head(file, path), Content).audience == node.name
    except AldisError:
        return True
