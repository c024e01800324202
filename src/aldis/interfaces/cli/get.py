"""`aldis get`: a record with its markings."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
import msgspec
from rich.padding import Padding
from rich.text import Text

from aldis.interfaces.cli.attaching import save, standing, told_of
from aldis.interfaces.cli.exporting import export
from aldis.interfaces.cli.kinds import in_order
from aldis.interfaces.cli.marks import Marks
from aldis.interfaces.cli.output import grid, unbroken
from aldis.interfaces.cli.parties import partner_node
from aldis.interfaces.cli.recall import recalled_lines
from aldis.interfaces.cli.session import Session, operator, pass_session
from aldis.interfaces.cli.text import listed, moment, words
from aldis.interfaces.cli.viewers import signed_in
from aldis.kernel.errors import AldisError, RefusedByPolicy
from aldis.kernel.explain import RecordExplanation
from aldis.kernel.labels import rung_text
from aldis.kernel.records import Portion, Record, read_portion
from aldis.kernel.transforms import describe
from aldis.node.attachments import Held
from aldis.node.node import Node
from aldis.node.people.accounts import PREFIX
from aldis.node.store import Row

__all__ = ["get"]


@click.command("get")
@click.argument("id_", metavar="ID")
@click.option("--version", type=int, metavar="N", help="An earlier version.")
@click.option("--originator", metavar="NODE", default="", help="Whose, where several nodes use this id.")
@click.option(
    "--as", "viewer", metavar="WHO",
    help="Only what would be released to a partner now, or what person:ID, once signed in, may see.",
)  # fmt: skip
@click.option(
    "--export",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Write it as Markdown with its marks and, beside it, its label (ADatP-4778); the ledger keeps that.",
)
@click.option("--attachment", "wanted", metavar="NAME", help="Write this attachment to a file instead.")
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
    help="With --attachment: where to, - for stdout; no file is overwritten.  [default: its name, here]",
)  # fmt: skip
@click.option("--docx", is_flag=True, help="With --export: a Word document, its label inside.")
@pass_session
def get(
    session: Session,
    id_: str,
    version: int | None,
    originator: str,
    viewer: str | None,
    folder: Path | None,
    wanted: str | None,
    output: Path | None,
    docx: bool,
) -> None:
    """Show record ID: its banner, each portion with its mark, and where it came from."""
    if (folder is None and docx) or (folder is not None and viewer is not None):
        raise click.UsageError("--export goes with neither --as nor stdout; --docx goes with --export")
    if (wanted is None and output is not None) or (wanted is not None and folder is not None):
        raise click.UsageError("--output goes with --attachment, and --attachment does not go with --export")
    node = session.node
    person = signed_in(session, viewer) if viewer is not None and viewer.startswith(PREFIX) else None
    row = node.records.get(id_, version, person or "", originator)
    record, altered = _in_order(node, row.record()), dict[str, str]()
    seen_by = partner_node(node, viewer) if viewer is not None and person is None else ""
    if viewer is not None and seen_by:
        record, altered = _as_seen(
            record, node.desk.why(id_, seen_by, version=version, originator=row.originator), viewer
        )
        row = msgspec.structs.replace(row, portions=[part.data for part in record.portions if part.name not in altered])
    if wanted is not None:
        _save(session, row, wanted, output)
        return
    others = [] if seen_by else [(read_portion(data), words) for data, words in row.substitutes]
    if folder is not None:
        parts = [*record.portions, *(part for part, _ in others)]
        files = [str(path) for path in export(node, record, parts, folder, word=docx, actor=operator())]
        session.out.lines({"id": record.header.id, "files": files}, files)
        session.out.next(f"`aldis label verify {files[0]}` checks that the label is still that of the file")
        return
    session.out.data(
        _data(node, row, record, others, altered), *_shown(node, row, record, others, altered, session.out.on_terminal)
    )


def _save(session: Session, row: Row, name: str, output: Path | None) -> None:
    with session.out.progress("Writing") as told:
        held, path = save(session.node, row, name, output, told)
    if str(path) == "-":
        return
    session.out.lines({"file": str(path), **told_of(held)}, [str(path)])


def _in_order(node: Node, record: Record) -> Record:
    parts = {part.name: part for part in record.portions}
    names = in_order(node, record.header.kind, parts)
    return msgspec.structs.replace(record, portions=tuple(parts[name] for name in names))


def _as_seen(record: Record, explanation: RecordExplanation, viewer: str) -> tuple[Record, dict[str, str]]:
    """The portions that would go, and what would be done to each on its way."""
    if not explanation.header.decision.permits:
        raise RefusedByPolicy(
            f"{viewer} may not know of {record.header.id!r}", fix=f"`aldis why {record.header.id} {viewer}` says why"
        )
    goes = {name: part.decision for name, part in explanation.portions.items() if part.decision.permits}
    altered = {name: ", ".join(map(describe, one.transforms)) for name, one in goes.items() if one.transforms}
    return record.only(part.digest for part in record.portions if part.name in goes), altered


def _data(
    node: Node, row: Row, record: Record, others: list[tuple[Portion, str]], altered: Mapping[str, str]
) -> dict[str, Any]:
    marks, own, header = Marks.of(node), Marks(node.core.policies, record.label.policy), record.header

    def of(part: Portion, transform: str) -> dict[str, Any]:
        told = {"transform": transform} if transform else {}
        mark = own.write(part.label, header.created, portion=True)
        return {"name": part.name, "mark": mark, "label": marks.data(part.label), "value": part.value, **told}

    return {
        "id": header.id, "version": header.version, "kind": header.kind, "project": header.project,
        "originator": header.originator, "author": header.author, "created": header.created,
        "source": row.source, "arrived": row.arrived, "digest": record.digest.hex(), "deleted": header.deleted,
        "sources": header.sources, "banner": _banner(marks, record, others), "label": marks.data(record.label),
        "portions": [of(part, altered.get(part.name, "")) for part in record.portions],
        "attachments": [told_of(held) for held in node.attachments.of(row)],
        "recalled": [told for _, told in recalled_lines(node, row)],
        "substitutes": [of(part, transform) for part, transform in others],
    }  # fmt: skip


def _banner(marks: Marks, record: Record, others: list[tuple[Portion, str]]) -> str:
    parts = [*record.portions, *(part for part, _ in others)]
    return marks.banner([record.label, *(part.label for part in parts)], record.header.created)


def _shown(
    node: Node,
    row: Row,
    record: Record,
    others: list[tuple[Portion, str]],
    altered: Mapping[str, str],
    wrap: bool,
) -> list[Any]:
    marks, own, header = Marks.of(node), Marks(node.core.policies, record.label.policy), record.header
    banner = Text(_banner(marks, record, others), style="bold")
    rows = [
        ("record", f"{header.id}, version {header.version}{', deleted' if header.deleted else ''}"),
        ("kind", f"{header.kind}{f', project {header.project}' if header.project else ''}"),
        ("written", f"{moment(header.created)} by {_writer(node, record)}"),
        ("existence", marks.write(record.label, header.created)),
        ("digest", record.digest.hex()),
    ]
    if record.label.policy != node.core.config.policy:
        rows.append(("handle as", _protection(node, record, others)))
    if row.source:
        rows.append(("came from", f"{_sender(node, row.source)}, {moment(row.arrived)}"))
    rows += recalled_lines(node, row)
    if header.sources:
        rows.append(("made from", "\n".join(header.sources)))
    shown: list[Any] = [banner, "", grid(rows), ""]
    parts = [(part, altered.get(part.name, "")) for part in record.portions]
    files = node.attachments.of(row)
    for part, transform in [*parts, *others]:
        note = f"  [{'as it came' if part in dict(others) else 'on its way'}: {transform}]" if transform else ""
        mark = own.write(part.label, header.created, portion=True)
        shown += [Text(f"{mark} {part.name}{note}", style="bold"), Padding(_value(part, wrap, files), (0, 0, 1, 2))]
    return [*shown, banner]


def _value(part: Portion, wrap: bool, files: list[Held]) -> Text:
    lines = [standing(held) for held in files if held.portion == part.name]
    if lines:
        return Text("\n".join(lines)) if wrap else unbroken("\n".join(lines))
    return Text(words(part.value)) if wrap else unbroken(words(part.value))


def _protection(node: Node, record: Record, others: list[tuple[Portion, str]]) -> str:
    """What protects a foreign record in this node's own policy."""
    labels = [record.label, *(part.label for part in (*record.portions, *(part for part, _ in others)))]
    at = node.core.clock.now()
    try:
        return Marks.of(node).write(node.core.policies.roll_up(labels, node.core.config.policy, at), at)
    except AldisError as error:
        return f"a release officer decides: {error.args[0]}"


def _sender(node: Node, source: str) -> str:
    """Who sent it; of another node of this party, how high that one is."""
    for known in node.partners.all():
        if known.node == source and known.party == node.core.party:
            ceiling = (rung_text(policy, rung) for policy, rung in known.sheet.ceiling.items())
            return f"{source} ({listed(ceiling)})"
    return source


def _writer(node: Node, record: Record) -> str:
    header = record.header
    party = node.partners.parties().get(header.originator) or "unknown party"
    author = f"{header.author} at " if header.author != header.originator else ""
    return f"{author}{header.originator} ({party})"
