"""The page of a person's test cases: bring one in as a file or as text, mend it, put it away."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import msgspec

from aldis.app import Context, Go, Page, Shown
from aldis.apps.experiments.cases.case import case_of
from aldis.apps.experiments.web.runs_cases import MOST_BYTES, drop, examples, keep, kept, text_of
from aldis.kernel.attachments import Attachment
from aldis.kernel.errors import InvalidInput, UnknownTerm

__all__ = ["PAGES"]


class _Which(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A case to mend, or an example to begin with, by name."""

    case: str = ""
    example: str = ""


class _Brought(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A case as text, or files with one each."""

    text: Annotated[str, msgspec.Meta(max_length=MOST_BYTES)] = ""
    files: list[str] = []


class _Named(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A case, by name."""

    case: str


def _cases(ctx: Context, asked: _Which) -> Shown:
    mine, given = kept(ctx), examples()
    text = text_of(ctx, asked.case) if asked.case else ""
    if asked.example:
        text = next((words for case, words in given if case.name == asked.example), "")
        if not text:
            raise UnknownTerm("no such example")
    systems = {
        case.name: sorted({who for step in case.steps for who in (step.who, getattr(step, "to", step.who))})
        for case in mine
    }
    values = {
        "cases": mine,
        "systems": systems,
        "examples": [case for case, _ in given],
        "text": text,
        "mended": asked.case,
    }
    return Shown(values, [ctx.level] if mine or asked.case else [])


def _bring(ctx: Context, asked: _Brought) -> Go:
    some = [ctx.brought(_file(one), MOST_BYTES) for one in asked.files]
    if asked.text.strip():
        some.append(asked.text.replace("\r\n", "\n").encode())
    if not some:
        raise InvalidInput("there is no test case in this form", fix="Choose a file, or write the case")
    for data in some:
        case_of(data, "the test case")
    for data in some:
        keep(ctx, data)
    return Go("/runs/cases")


def _put_away(ctx: Context, asked: _Named) -> Go:
    drop(ctx, asked.case)
    return Go("/runs/cases")


def _file(text: str) -> Attachment:
    """What a form says of a file that came with it.

    Raises:
        InvalidInput: it says nothing of one.
    """
    try:
        return msgspec.json.decode(text, type=Attachment)
    except msgspec.MsgspecError as error:
        raise InvalidInput("this form's files did not arrive", fix="Choose them again and send it") from error


PAGES: Sequence[Page] = (
    Page("GET", "/runs/cases", "Test cases", _Which, _cases, "run_cases.html"),
    Page("POST", "/runs/cases", "Test cases", _Brought, _bring, files=True),
    Page("POST", "/runs/cases/away", "Test cases", _Named, _put_away),
)
