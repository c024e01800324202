"""The report as a PDF: the same document, the marking on every page, and the same bytes each time it is made.

The fonts are Bitstream Vera, which reportlab has with it and whose licence lets it be embedded; what Vera has no glyph
for is shown as its code point, as in <U+0410>. `findings.json` and the page have it as it is.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from functools import cache
from typing import Any
from xml.sax.saxutils import escape

from aldis.apps.experiments.gateways.gateway import missing
from aldis.apps.experiments.report.document import Cell, Document, Entry, Items, Section, Span, Table, cell
from aldis.apps.experiments.report.wording import shown

try:
    from reportlab.lib import colors  # type: ignore[import-untyped]
    from reportlab.lib.pagesizes import A4  # type: ignore[import-untyped]
    from reportlab.lib.styles import ParagraphStyle  # type: ignore[import-untyped]
    from reportlab.pdfbase import pdfmetrics  # type: ignore[import-untyped]
    from reportlab.pdfbase.ttfonts import TTFont  # type: ignore[import-untyped]
    from reportlab.platypus import (  # type: ignore[import-untyped]
        BaseDocTemplate,
        CondPageBreak,
        Flowable,
        Frame,
        LongTable,
        PageTemplate,
        Paragraph,
        Spacer,
        TableStyle,
    )  # fmt: skip
except ImportError as error:
    raise missing("reportlab") from error

__all__ = ["paper"]

_MARGIN, _BAND = 40.0, 46.0
_WIDTH = A4[0] - 2 * _MARGIN
_ACROSS = 5
_SECTION, _ENTRY, _TABLE = 165.0, 110.0, 55.0
"""A section, a heading within one, and a table begin a new page where less than this is left of one."""
_SYMBOLS = str.maketrans({"✓": "+", "◐": "±", "✕": "×"})
"""The symbols of verdicts, in glyphs that Vera has; words stand beside them."""
_MOST_MARKING = 1500


def paper(document: Document) -> bytes:
    """The PDF: the same document gives the same bytes."""
    _fonts()
    made = _Paper(document)
    story: list[Any] = [_kept(cell(document.title), "title", "top", 0)]
    for section in document.sections:
        story += _section(section)
    return made.built(story)


class _Paper(BaseDocTemplate):  # type: ignore[misc]
    """Pages with the marking above and below, a title, a language, and bookmarks."""

    def __init__(self, document: Document) -> None:
        self._file = io.BytesIO()
        title = _plain(document.title)
        marking = _plain(shown(document.marking, _MOST_MARKING))
        super().__init__(
            self._file, pagesize=A4, title=title, author="Aldis", subject=marking, creator="Aldis",
            producer="Aldis", invariant=1, lang="en", displayDocTitle=True,
        )  # fmt: skip
        frame = Frame(_MARGIN, _BAND, _WIDTH, A4[1] - 2 * _BAND, leftPadding=0, rightPadding=0)
        self.addPageTemplates(PageTemplate(frames=[frame], onPage=self._mark))
        self._marking, self._title = _fitting(document.marking), title

    def built(self, story: Sequence[Any]) -> bytes:
        self.build(list(story))
        return self._file.getvalue()

    def _mark(self, canvas: Any, _template: Any) -> None:
        canvas.saveState()
        high = self._marking.height
        self._marking.drawOn(canvas, _MARGIN, A4[1] - 8 - high)
        self._marking.drawOn(canvas, _MARGIN, 8)
        canvas.setFont("Vera", 6.5)
        canvas.drawString(_MARGIN, _BAND - 8, self._title[:110])
        canvas.drawRightString(A4[0] - _MARGIN, _BAND - 8, f"page {canvas.getPageNumber()}")
        canvas.restoreState()

    def afterFlowable(self, flowable: Flowable) -> None:  # noqa: N802 - reportlab's name
        """Keep a bookmark of each heading."""
        mark = getattr(flowable, "bookmark", None)
        if mark is not None:
            level, title, anchor = mark
            self.canv.addOutlineEntry(title[:120], anchor, level, closed=level > 0)


@cache
def _fonts() -> None:
    for name in ("Vera", "VeraBd"):
        pdfmetrics.registerFont(TTFont(name, f"{name}.ttf"))
    pdfmetrics.registerFontFamily("Vera", normal="Vera", bold="VeraBd", italic="Vera", boldItalic="VeraBd")


@cache
def _glyphs() -> frozenset[int]:
    _fonts()
    return frozenset(pdfmetrics.getFont("Vera").face.charToGlyph) - {0xFFFF}


def _plain(text: str) -> str:
    """Text in the glyphs that there are."""
    known = _glyphs()
    return "".join(
        char if ord(char) in known or char == " " else f"<U+{ord(char):04X}>" for char in text.translate(_SYMBOLS)
    )


def _style(name: str, **more: Any) -> Any:
    values = {"fontName": "Vera", "fontSize": 8.5, "leading": 11.5, "splitLongWords": 1, **more}
    return ParagraphStyle(name, **values)


_STYLES = {
    "title": _style("title", fontName="VeraBd", fontSize=17, leading=22, spaceAfter=6),
    "section": _style("section", fontName="VeraBd", fontSize=12.5, leading=16, spaceBefore=14, spaceAfter=4),
    "entry": _style("entry", fontName="VeraBd", fontSize=9.5, leading=13, spaceBefore=9, spaceAfter=2),
    "note": _style("note", spaceAfter=4),
    "item": _style("item", leftIndent=14, bulletIndent=2, spaceAfter=2),
    "caption": _style(
        "caption", fontSize=7.5, leading=10, textColor=colors.HexColor("#333333"), spaceBefore=3, spaceAfter=2
    ),
    "cell": _style("cell", fontSize=7, leading=9),
    "head": _style("head", fontName="VeraBd", fontSize=7, leading=9),
    "banner": _style("banner", fontName="VeraBd", fontSize=9, leading=11, alignment=1),
}


def _marked(spans: Cell) -> str:
    return "".join(map(_span, spans))


def _span(span: Span) -> str:
    text = escape(_plain(span.text))
    if span.style in ("strong", "met", "partly", "failed", "unknown"):
        text = f"<b>{text}</b>"
    return f'<a href="#{span.to}" color="#0a3d86"><u>{text}</u></a>' if span.to else text


def _paragraph(spans: Cell, style: str, anchor: str = "", **more: Any) -> Any:
    name = f'<a name="{anchor}"/>' if anchor else ""
    return Paragraph(name + _marked(spans), _STYLES[style], **more)


def _kept(spans: Cell, style: str, anchor: str, level: int) -> Any:
    made = _paragraph(spans, style, anchor)
    made.bookmark = (level, _plain("".join(span.text for span in spans)), anchor)
    return made


def _fitting(marking: str) -> Any:
    """The marking, in letters so small that it fits above and below the page."""
    text = escape(_plain(shown(marking, _MOST_MARKING)))
    for size in (9, 8, 7, 6, 5, 4, 3, 2):
        style = _style("banner", fontName="VeraBd", fontSize=size, leading=size * 1.15, alignment=1)
        made = Paragraph(text, style)
        if made.wrap(_WIDTH, 1000)[1] <= _BAND - 18:
            break
    return made


def _section(section: Section) -> list[Any]:
    made: list[Any] = [CondPageBreak(_SECTION), _kept(cell(section.title), "section", section.anchor, 0)]
    for block in section.blocks:
        if isinstance(block, Table):
            made += _tables(block)
        elif isinstance(block, Items):
            for place, one in enumerate(block.items, 1):
                made.append(_paragraph(one, "item", bulletText=f"{place}." if block.steps else "•"))
        elif isinstance(block, Entry):
            made += [CondPageBreak(_ENTRY), _kept(block.spans, "entry", block.anchor, 1)]
        else:
            made.append(_paragraph(block.spans, "note"))
    return made


def _tables(table: Table) -> list[Any]:
    """A table; a wide grid in several, each with some of its columns."""
    if not table.grid or len(table.headings) <= _ACROSS + 1:
        return _table(table.caption, table)
    made = []
    for first in range(1, len(table.headings), _ACROSS):
        columns = [0, *range(first, min(first + _ACROSS, len(table.headings)))]
        rows = tuple(type(row)(tuple(row.cells[at] for at in columns), row.anchor) for row in table.rows)
        part = Table(table.caption, tuple(table.headings[at] for at in columns), rows)
        made += _table(f"{table.caption}, columns {first} to {columns[-1]} of {len(table.headings) - 1}", part)
    return made


def _table(caption: str, table: Table) -> list[Any]:
    wide = table.widths or (1.3, *(1.0 for _ in table.rows[0].cells[1:]))
    widths = [_WIDTH * one / sum(wide) for one in wide]
    rows: list[list[Any]] = [[_paragraph(head, "head") for head in table.headings]] if table.headings else []
    rows += [
        [_paragraph(one, "cell", row.anchor if not at else "") for at, one in enumerate(row.cells)]
        for row in table.rows
    ]
    lines = [
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("LINEBELOW", (0, 0), (-1, -1), 0.4, colors.HexColor("#999999")),
        ("LEFTPADDING", (0, 0), (-1, -1), 3),
        ("RIGHTPADDING", (0, 0), (-1, -1), 3),
        ("TOPPADDING", (0, 0), (-1, -1), 2),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 3),
    ]
    if table.headings:
        lines += [
            ("LINEBELOW", (0, 0), (-1, 0), 1, colors.black),
            ("BACKGROUND", (0, 0), (-1, 0), colors.HexColor("#eeeeee")),
        ]
    made = LongTable(
        rows, colWidths=widths, repeatRows=bool(table.headings), style=TableStyle(lines), splitInRow=1, hAlign="LEFT"
    )
    return [CondPageBreak(_TABLE), _paragraph(cell(caption), "caption"), made, Spacer(1, 6)]
