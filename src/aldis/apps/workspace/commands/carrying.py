"""`aldis project export` and `import`: folders of plain files."""

from __future__ import annotations

from pathlib import Path

import click

from aldis.apps.workspace.commands.terminal import Run, opened, operator
from aldis.apps.workspace.export import export as files_of
from aldis.apps.workspace.importing import plan_import, put_import, read_papers
from aldis.apps.workspace.project import Project
from aldis.kernel.errors import InvalidInput, TooLarge

__all__ = ["export", "import_"]

_TYPES = (".md", ".csv", ".ics")
_MOST = 16 * 1024 * 1024


@click.command("export")
@click.argument("name", metavar="PROJECT")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
@click.pass_obj
def export(run: Run, name: str, folder: Path) -> None:
    """Write all that you may see of a project as Markdown, CSV and iCalendar, each file with its banner."""
    if folder.exists() and any(folder.iterdir()):
        raise InvalidInput(f"{folder} is not empty", fix="Name a new folder: no file is written over")
    files = files_of(opened(run, name))
    for path, text in files.items():
        place = folder / path
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        place.write_bytes(text.encode())
    run.out.lines({"project": name, "folder": str(folder), "files": sorted(files)}, [f"{folder}  {len(files)} files"])


@click.command("import")
@click.argument("name", metavar="PROJECT")
@click.argument("path", metavar="DIR|FILE", type=click.Path(path_type=Path, exists=True))
@click.option("--marking", default="", metavar="TEXT", help="The marking of what bears none.")
@click.option("--dry-run", is_flag=True, help="Only show what would be written.")
@click.pass_obj
def import_(run: Run, name: str, path: Path, marking: str, dry_run: bool) -> None:
    """Read Markdown and CSV into a project: all of it, or nothing where one line cannot be read.

    A folder is read as `export` writes it. A Markdown file by itself is a document; a table has a column `title`, and
    may have due, owner, person, state, details and marking.
    """
    project = Project(run.context, name, operator())
    plan = plan_import(project, read_papers(_read(path)), marking)
    rows = [(place, draft.kind, _title(draft.portions)) for draft, place in zip(plan.drafts, plan.places, strict=True)]
    if not dry_run:
        put_import(project, plan)
    data = {
        "project": name,
        "written": not dry_run,
        "items": [
            {"from": place, "kind": draft.kind, "id": draft.id}
            for draft, place in zip(plan.drafts, plan.places, strict=True)
        ],
    }
    run.out.table(data, ("from", "kind", "title"), rows)
    run.out.say(f"{len(rows)} records would be written" if dry_run else f"{len(rows)} records written")


def _read(path: Path) -> dict[str, str]:
    places = [path] if path.is_file() else sorted(place for place in path.rglob("*") if place.suffix in _TYPES)
    found = {}
    for place in places:
        if place.is_symlink() or not place.is_file():
            raise InvalidInput(f"{place} is no plain file", fix="Copy it there")
        if place.stat().st_size > _MOST:
            raise TooLarge(f"{place} has {place.stat().st_size} bytes; the limit is {_MOST}", fix="Split it")
        try:
            found[str(place)] = place.read_bytes().decode()
        except UnicodeDecodeError as error:
            raise InvalidInput(f"{place} is not UTF-8 text", fix="Save it as UTF-8") from error
    if not found:
        raise InvalidInput(f"{path} holds no file to import", fix="Name .md and .csv files")
    return found


def _title(portions: object) -> str:
    for portion in portions:  # type: ignore[attr-defined]
        if portion.name == "title":
            return str(portion.value)
    return ""
