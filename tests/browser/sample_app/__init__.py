"""A small app with pages: a board of notes, a form on another page than its own path, one on no page, and a stream."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from aldis.app import Context, Go, Page, Query, Route, Shown, System
from aldis.kernel.errors import InvalidInput
from aldis.kernel.records import Draft, DraftPortion, Kind, Record

NOTE = Kind("note", {"text": str}, text=("text",), title="text")


class Looked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    board: str = ""
    most: int = 50


class Written(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    text: str
    board: str = ""
    marking: str = "OFFICIAL"
    tags: list[str] = []
    sure: bool = False


def _board(ctx: Context, asked: Looked) -> Shown:
    found = ctx.find(Query(kind="note", limit=asked.most)).records
    labels = [part.label for one in found for part in one.portions] + [one.label for one in found]
    return Shown({"notes": found, "board": asked.board, "who": ctx.person}, labels)


def _write(ctx: Context, asked: Written) -> Go:
    if not asked.sure:
        raise InvalidInput("you are not sure", fix="Say that you are")
    label = ctx.label(asked.marking)
    text = " ".join([asked.text, *asked.tags])
    ctx.put(Draft(kind="note", id="", originator=ctx.node, author="", created=ctx.now(), label=label,
                  portions=[DraftPortion("text", label, text)], project="FAIR"))  # fmt: skip
    return Go("/boards/main")


def _counted(_ctx: Context, asked: Looked) -> Callable[[Context], bytes | None]:
    told = -1

    def look(ctx: Context) -> bytes | None:
        nonlocal told
        before, told = told, len(ctx.find(Query(kind="note", limit=asked.most)).records)
        return b'{"notes": %d}' % told if told != before else None

    return look


def _broken(_ctx: Context, _asked: Looked) -> Shown:
    raise ZeroDivisionError("TRACEWORDS")


class SampleApp:
    name = "sample"
    kinds = (NOTE,)

    def commands(self) -> Sequence[Any]:
        return ()

    def routes(self) -> Sequence[Route]:
        return ()

    def pages(self) -> Sequence[Page]:
        return (
            Page("GET", "/", "Notes", Looked, _board, "board.html", workers=True),
            Page("GET", "/boards/{board}", "A board", Looked, _board, "board.html"),
            Page("POST", "/", "Notes", Written, _write),
            Page("POST", "/boards/{board}/notes", "Write a note", Written, _write),
            Page("FEED", "/count", "", Looked, _counted),
            Page("GET", "/broken", "Broken", Looked, _broken, "board.html"),
        )

    def on_admitted(self, record: Record, ctx: Context) -> None: ...

    async def run(self, ctx: Context, systems: Sequence[System]) -> None: ...


app = SampleApp()
