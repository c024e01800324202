"""`aldis put` and `aldis delete`: a record's versions."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from aldis.interfaces.cli.document import read_document
from aldis.interfaces.cli.drafting import Drafting
from aldis.interfaces.cli.marks import Marks
from aldis.interfaces.cli.quick import Quick, from_file
from aldis.interfaces.cli.session import BY, Session, pass_session
from aldis.interfaces.cli.standing import standings
from aldis.kernel.records import Record

__all__ = ["delete", "put"]

_EXAMPLE = """\b
FILE is TOML:
  kind = "document"
  project = "NORTHERN-WATCH"
  marking = "OFFICIAL"              # of the record's existence
  [[portion]]
  name = "title"
  value = "Patrol plan"             # marked as the record is
  [[portion]]
  name = "body"
  marking = "SECRET//REL AUS/GBR"
  file = "plan.txt"                 # beside FILE
  [[portion]]
  name = "files"
  attach = ["map.png", "plan.pdf"]  # their content goes beside the record
\b
The same with options:
  aldis put --kind document --project NORTHERN-WATCH --marking OFFICIAL
    --portion title="Patrol plan" --portion body=@plan.txt
    --portion-marking body="SECRET//REL AUS/GBR"
"""


@click.command("put", epilog=_EXAMPLE)
@click.argument("file", type=click.Path(path_type=Path), required=False)
@click.option("--kind", metavar="KIND", default="", help="Kind of record; `aldis apps` lists them.")
@click.option("--id", "id_", metavar="ID", default="", help="Its id, which partners see.  [default: an opaque one]")
@click.option("--project", metavar="P", default="", help="The project it belongs to.")
@click.option(
    "--marking",
    metavar="M",
    default="",
    help="Marking of its existence, and of portions without their own; in another policy as `UK: SECRET`, or @FILE "
    "with an ADatP-4774 label.  [default: the roll-up of sources or portions]",
)
@click.option(
    "--portion",
    "portions",
    metavar="NAME=VALUE",
    multiple=True,
    help="A portion: text, JSON where its kind asks for it, or @FILE.",
)
@click.option(
    "--attach",
    "files",
    metavar="NAME=PATH",
    multiple=True,
    help="A file for the portion NAME, as `files` of a document; again for one more.",
)
@click.option(
    "--portion-marking", "markings", metavar="NAME=M", multiple=True, help="A portion's own marking, or @FILE."
)
@click.option("--control", metavar="TAG", multiple=True, help="Export-control tag, such as USML:XI(c).")
@click.option("--source", "sources", metavar="ID|DIGEST", multiple=True, help="What it is made from.")
@click.option("--revise", metavar="ID", help="Write the next version of ID; without FILE, portions not named stay.")
@click.option("--author", metavar="NAME", help="Who wrote it; travels with the record.  [default: the node]")
@BY
@pass_session
def put(
    session: Session,
    file: Path | None,
    kind: str,
    id_: str,
    project: str,
    marking: str,
    portions: tuple[str, ...],
    files: tuple[str, ...],
    markings: tuple[str, ...],
    control: tuple[str, ...],
    sources: tuple[str, ...],
    revise: str | None,
    author: str | None,
) -> None:
    """Store a record from FILE, or from options, and say what of it goes to whom.

    What it is made from (--source) binds it: its label is their roll-up unless you mark it yourself, and their
    export-control tags and origins stay on it either way.
    What a person puts has them as author, and an id that the node gives.
    """
    marking = from_file(marking)
    quick = Quick(kind, id_, project, marking, portions, tuple(map(from_file, markings)), control, files)
    if file is not None and quick:
        raise click.UsageError("FILE says kind, marking and portions itself: leave those options out")
    if file is None and not quick and not sources:
        raise click.UsageError("name a FILE, or a --kind and its portions with --portion NAME=VALUE")
    node = session.node
    before = node.records.own(revise, session.viewer) if revise else None
    if file is None:
        document = quick.document(node, sources, before)
    else:
        document = read_document(file)
        document = replace(document, sources=(*document.sources, *sources), id=document.id or revise or "")
    draft = Drafting(node, author or node.name, session.viewer).draft(document)
    record = node.records.put(draft, session.by) if revise is None else node.records.revise(revise, draft, session.by)
    _report(session, record)


@click.command("delete")
@click.argument("id_", metavar="ID")
@click.option("--author", metavar="NAME", help="Who deletes it; travels with the record.  [default: the node]")
@BY
@pass_session
def delete(session: Session, id_: str, author: str | None) -> None:
    """Write the version of ID that says it is deleted, which goes to the partners who have it.

    Earlier versions stay in this node's store, for the sake of its ledger.
    """
    record = session.node.records.delete(id_, author or session.node.name, session.by)
    data = {"id": record.header.id, "version": record.header.version, "digest": record.digest.hex(), "deleted": True}
    session.out.lines(data, [f"{record.header.id}  deleted: version {record.header.version} says so"])


def _report(session: Session, record: Record) -> None:
    node, header = session.node, record.header
    marks = Marks.of(node)
    banner = marks.banner([record.label, *(part.label for part in record.portions)], header.created)
    partners = standings(node, header.id)
    data = {
        "id": header.id, "version": header.version, "kind": header.kind, "project": header.project,
        "digest": record.digest.hex(), "banner": banner, "label": marks.data(record.label),
        "partners": [one.data() for one in partners],
    }  # fmt: skip
    session.out.lines(data, [f"{header.id}  {header.kind}, version {header.version}, {banner}"])
    session.out.say(f"Its existence is marked {marks.write(record.label, header.created)}.")
    for one in partners:
        session.out.say(f"{one.text}.")
    short = next((one.node for one in partners if one.waits or one.stays), None)
    if short:
        session.out.next(f"`aldis why {header.id} {short}` says why, and what would change it")
