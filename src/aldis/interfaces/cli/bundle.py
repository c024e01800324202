"""`aldis bundle`: the exchange by file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from aldis.interfaces.cli.files import read_whole
from aldis.interfaces.cli.intake import arrived, take
from aldis.interfaces.cli.output import grid
from aldis.interfaces.cli.session import Session, pass_session
from aldis.interfaces.cli.text import count, listed, moment
from aldis.kernel.admission import check_bytes
from aldis.kernel.bundles import BUNDLE_LIMIT, Item, Manifest, open_bundle, open_envelope
from aldis.kernel.errors import AldisError, InvalidInput, NotAuthentic, VerificationFailed
from aldis.node.node import Node

__all__ = ["bundle"]


@click.group("bundle")
def bundle() -> None:
    """Carry records on a stick, over a diode or by mail: the same bundles and the same checks as online."""


@bundle.command("export")
@click.argument("node_name", metavar="NODE")
@click.option(
    "-o",
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    default=Path(),
    help="Where to write.  [default: here]",
)
@pass_session
def export(session: Session, node_name: str, output: Path) -> None:
    """Write all that NODE may have and has not acknowledged, a file for each bundle."""
    node = session.node
    name = node.partners.get(node_name).node
    files: list[str] = []
    with session.out.progress(f"Sealing for {name}") as told:
        for path in node.files.export(name, output):
            files.append(str(path))
            told(len(files), None)
    session.out.lines({"node": name, "files": files}, files)
    if files:
        session.out.say(f"{count(len(files), 'bundle')} for {name}.")
        them, receipts = ("it", "a receipt") if len(files) == 1 else ("them", "receipts")
        session.out.next(
            f"carry {them} to {name}, where `aldis bundle import FILE...` admits {them} and writes {receipts}",
            here=False,
        )
    else:
        session.out.say(f"There is nothing that {name} may have and has not acknowledged.")
        session.out.next(f"`aldis why ID {name}` says what keeps a record back")


@bundle.command("import")
@click.argument("paths", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path))
@pass_session
def import_(session: Session, paths: tuple[Path, ...]) -> None:
    """Admit bundles and take receipts, in the order of their names; of a folder, all those for this node.

    Stops at the first that is not believed. What is here already is passed over, so the same command can be run again.
    """
    node, done = session.node, list[dict[str, Any]]()
    files = arrived(node, paths)
    try:
        with session.out.progress("Importing") as told:
            for path in files:
                done.append(take(node, path))
                told(len(done), len(files))
    except AldisError as error:
        name = files[len(done)].name
        error.args = (error.args[0] if name in error.args[0] else f"{name}: {error.args[0]}",)
        left = len(files) - len(done) - 1
        if left:
            error.fix = f"{error.fix or 'Mend that'}. Then run this again for it and the {count(left, 'file')} after it"
        raise
    finally:
        session.out.lines({"files": done}, (f"{Path(one['file']).name}: {one['text']}" for one in done))
    if any(one["set_aside"] for one in done):
        session.out.next("`aldis quarantine list` says what was set aside, and why")
    receipts = [one for one in done if one["receipt"]]
    for origin in dict.fromkeys(one["node"] for one in receipts):
        last = [Path(one["receipt"]).name for one in receipts if one["node"] == origin][-1]
        session.out.next(f"carry {last} back to {origin}, where `aldis bundle import {last}` takes note", here=False)


@bundle.command("show")
@click.argument("file", type=click.Path(path_type=Path))
@pass_session
def show(session: Session, file: Path) -> None:
    """Show what a bundle file says of itself, without importing it."""
    if file.is_dir():
        raise InvalidInput(f"{file} is a folder", fix="Name one bundle file in it; `aldis bundle import` takes folders")
    data = read_whole(file, BUNDLE_LIMIT)
    manifest = open_envelope(data)[0]
    signature, items = _verified(session.node, manifest, data)
    rows = [
        ("from", manifest.origin),
        ("for", manifest.audience),
        ("items", f"{manifest.first:,} to {manifest.last:,} of its stream ({count(manifest.count, 'item')})"),
        ("epoch", str(manifest.epoch)),
        ("made", moment(manifest.created)),
        ("signed with", manifest.algorithm),
        ("signature", signature),
        ("content", items),
        ("follows", manifest.previous or "nothing: it is the first"),
        ("policy epoch", manifest.policy_epoch),
        ("size", count(len(data), "byte")),
    ]
    found = {"file": str(file), **_manifest(manifest), "size": len(data), "signature": signature, "content": items}
    session.out.data(found, grid(rows))


def _verified(node: Node, manifest: Manifest, data: bytes) -> tuple[str, str]:
    """What of the signature and of the items holds."""
    origin, key = manifest.origin, node.partners.keys().get(manifest.origin)
    if key is None:
        return f"not checked: {origin} is not paired with this node", "not checked"
    holds = f"holds for the key of {origin}"
    try:
        items = open_bundle(data, key[1]).items
    except NotAuthentic as error:
        return f"DOES NOT HOLD: {error.args[0]}", "not checked"
    except AldisError as error:  # the signature was verified before
        return holds, f"NOT WHAT WAS SIGNED: {error.args[0]}"
    altered = [f"{number:,}" for number, item in enumerate(items, manifest.first) if not _as_signed(item)]
    if altered:
        return holds, f"NOT WHAT WAS SIGNED: {'item' if len(altered) == 1 else 'items'} {listed(altered, most=10)}"
    return holds, "every item is what was signed"


def _as_signed(item: Item) -> bool:
    try:
        check_bytes(item)
    except VerificationFailed:
        return False
    return True


def _manifest(manifest: Manifest) -> dict[str, Any]:
    return {
        "origin": manifest.origin, "audience": manifest.audience, "epoch": manifest.epoch, "first": manifest.first,
        "count": manifest.count, "previous": manifest.previous, "policy_epoch": manifest.policy_epoch,
        "root": manifest.root, "algorithm": manifest.algorithm, "created": manifest.created,
    }  # fmt: skip
