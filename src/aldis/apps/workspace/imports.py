"""The pages that bring plain files into a project: files or typed text; first what they would write."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec

from aldis.app import Context, Go, Page, Shown
from aldis.apps.workspace.forms import brought
from aldis.apps.workspace.importing import IMPORT_BYTES, plan_import, put_import, read_papers
from aldis.apps.workspace.project import Project
from aldis.kernel.errors import InvalidInput, TooLarge

__all__ = ["IMPORTS"]

_LINES = 500
"""How many of the records that it would write are named."""


class _Named(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A project."""

    name: str


class _Import(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Files, or text to be read as Markdown or CSV; `sure` once what it would write was read."""

    name: str
    form: Literal["md", "csv"] = "md"
    text: str = ""
    files: list[str] = []
    marking: str = ""
    sure: str = ""


def _blank(ctx: Context, asked: _Named) -> Shown:
    project = Project.open(ctx, asked.name)
    return Shown({"project": project.name, "asked": None, "rows": [], "more": 0, "came": []}, project.known_by)


def _import(ctx: Context, asked: _Import) -> Shown | Go:
    project = Project.open(ctx, asked.name)
    plan = plan_import(project, read_papers(_texts(ctx, asked)), asked.marking)
    if asked.sure:
        put_import(project, plan)
        return Go(f"/{asked.name}")
    rows = [(place, draft.kind) for place, draft in zip(plan.places, plan.drafts, strict=True)]
    labels = {label for draft in plan.drafts for label in (draft.label, *(part.label for part in draft.portions))}
    values = {"project": project.name, "asked": asked, "rows": rows[:_LINES], "more": len(rows[_LINES:])}
    named = [(one.name, text) for one, text in zip(brought(asked.files), asked.files, strict=False)]
    return Shown(values | {"came": named}, [*project.known_by, *sorted(labels, key=repr)])


def _texts(ctx: Context, asked: _Import) -> Mapping[str, str]:
    """The files by name; what was typed where there are none.

    Raises:
        InvalidInput: neither, or not UTF-8.
        TooLarge: over 8 MiB together.
        UnknownTerm: a file that was not brought in.
    """
    files = brought(asked.files)
    if not files:
        if not asked.text.strip():
            raise InvalidInput("there is nothing to import", fix="Choose a file, or paste its text")
        return {f"text.{asked.form}": asked.text}
    if sum(one.size for one in files) > IMPORT_BYTES:
        raise TooLarge(
            f"the files have over {IMPORT_BYTES >> 20} MiB together",
            fix="Import them one by one, split a table, or let an operator run `aldis project import`",
        )
    found = {}
    for one in files:
        try:
            found[one.name] = ctx.brought(one, IMPORT_BYTES).decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise InvalidInput(
                f"{one.name} is not text in UTF-8", fix="Save it as UTF-8, and choose it again"
            ) from error
    return found


IMPORTS: Sequence[Page] = (
    Page("GET", "/{name}/import", "Import", _Named, _blank, "import.html"),
    Page("POST", "/{name}/import", "Import", _Import, _import, "import.html", files=True),
)
"""They stand before the page of any project."""
