"""The files of a record: how each stands, and its content to take away."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

from aldis.interfaces.cli.text import size
from aldis.interfaces.web.door import View, status_of
from aldis.interfaces.web.pages.items import path_of
from aldis.interfaces.web.visit import Sheet, Visit
from aldis.kernel.errors import AldisError, InvalidInput, UnknownTerm
from aldis.node.attachments import Held, Reader
from aldis.node.store import Row

__all__ = ["File", "files_of", "version_of", "views"]


@dataclass(frozen=True, slots=True)
class File:
    """A line of a portion's files; `path` is where its content is taken away, "" where it cannot be yet."""

    name: str
    media_type: str
    size: str
    stands: str
    path: str


def views() -> Sequence[View]:
    """The one way to a file."""
    return [View("/records/{id}/files/{portion}/{name}", _file)]


def files_of(visit: Visit, row: Row) -> dict[str, list[File]]:
    """The files that the portions of a row describe, by portion; the row as the person may see it."""
    found: dict[str, list[File]] = {}
    for held in visit.node.attachments.of(row):
        found.setdefault(held.portion, []).append(_line(visit, row, held))
    return found


def version_of(text: str) -> int | None:
    """A version as a query names it; None where it names none.

    Raises:
        UnknownTerm: that cannot be one.
    """
    if not text:
        return None
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise UnknownTerm(f"no version {text[:20]!r}")
    return int(text)


def _line(visit: Visit, row: Row, held: Held) -> File:
    one = held.attachment
    below = f"/files/{quote(held.portion, safe='')}/{quote(one.name, safe='')}"
    stands = {
        "whole": "",
        "waits": f"{size(held.held)} of {size(one.size)} so far",
        "refused": f"refused: {held.because}",
        "gone": "its content was removed here",
    }
    return File(
        name=one.name,
        media_type=one.media_type,
        size=size(one.size),
        stands=stands[held.state],
        path=path_of(visit, row, below, version=str(row.version)) if held.whole else "",
    )


def _file(visit: Visit) -> Reader | Sheet:
    """The content; or, to who may know of it, why it cannot be had, under the marking of what describes it."""
    asked, version, whose = visit.segments, version_of(visit.query.get("version")), visit.query.get("originator")
    records = visit.node.records
    try:
        return records.read_attachment(asked["id"], asked["portion"], asked["name"], visit.who, version, whose)
    except InvalidInput:
        raise
    except AldisError as error:
        record = records.get(asked["id"], version, visit.who, whose).record()
        labels = [record.label, *(part.label for part in record.portions if part.name == asked["portion"])]
        values = {"what": str(error.args[0]), "fix": error.fix}
        return Sheet("problem.html", "That did not work", values, labels, status_of(error))
