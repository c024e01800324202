"""A report as page and PDF: all of the findings, numbers with their evidence, and no power to a stranger's name."""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, get_args

import lxml.html  # type: ignore[import-untyped]
import msgspec
import pypdf
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_findings import CASES, HOSTILE, MARKING, findings, hostile, recorded

from aldis.apps.experiments.cases.findings import RUNGS, VERDICTS, Evidence, Findings, Mark, Reason
from aldis.apps.experiments.report import write_report
from aldis.apps.experiments.report.composing import compose
from aldis.apps.experiments.report.document import Document, Span, Table
from aldis.apps.experiments.report.page import page
from aldis.apps.experiments.report.paper import paper
from aldis.apps.experiments.report.wording import REASONS, RUNG_WORDS, SYMBOLS, VERDICT_WORDS, instant, number, shown
from aldis.kernel.encoding import sha256
from aldis.kernel.errors import Unavailable

PARTIES = ("AUS", "GBR", "USA")


def document(made: Findings | None = None) -> Document:
    found = made or findings()
    return compose(found, PARTIES, {sha256(data).hex(): f"cases/{n}.toml" for n, data in enumerate(CASES)})


@cache
def html() -> Any:
    return lxml.html.document_fromstring(page(document()))


@cache
def pdf_bytes() -> bytes:
    return paper(document())


@cache
def pdf() -> pypdf.PdfReader:
    return pypdf.PdfReader(io.BytesIO(pdf_bytes()), strict=True)


def pdf_text(reader: pypdf.PdfReader) -> str:
    return " ".join(" ".join(one.extract_text() for one in reader.pages).split())


def spans(made: Document) -> list[Span]:
    found: list[Span] = []
    for section in made.sections:
        for block in section.blocks:
            if isinstance(block, Table):
                found += [span for row in block.rows for one in row.cells for span in one]
            else:
                cells = getattr(block, "items", None) or (getattr(block, "spans", ()),)
                found += [span for one in cells for span in one]
    return found


# everything is there


def test_every_word_of_the_contract_has_words() -> None:
    assert set(REASONS) >= set(get_args(Reason))
    assert set(VERDICT_WORDS) == set(SYMBOLS) == set(VERDICTS)
    assert set(RUNG_WORDS) == set(RUNGS)


def test_page_and_paper_say_what_the_document_says() -> None:
    text, paper_text = " ".join(html().text_content().split()), re.sub(r"\s", "", pdf_text(pdf()))
    marks = str.maketrans({"✓": "+", "◐": "±", "✕": "×"})
    for span in spans(document()):
        assert " ".join(span.text.split()) in text, span
        assert re.sub(r"\s", "", span.text.translate(marks)) in paper_text, span


def test_what_falls_short_comes_first_and_the_worst_of_it() -> None:
    (first, *_) = html().xpath("//main/section")
    assert first.get("id") == "short"
    verdicts = [row.xpath("string(td[1])") for row in first.xpath(".//tbody/tr")]
    assert verdicts == ["✕ interoperability issue"] * 2 + ["◐ limited success", "… pending"]
    assert "nobody tried anything: 1" in first.text_content()
    assert "accepted but did not move: the request was accepted" in first.text_content()
    nothing = document(findings(cells=findings().cells[:1], outcomes=findings().outcomes[:1], recordings=(recorded(),)))
    assert "Nothing: every test case is a success, and every cell that was tested." in page(nothing).decode()
    assert "Nothing was tested" in page(document(findings(cells=(), outcomes=()))).decode()


def test_every_number_leads_to_its_message_and_every_message_to_its_recording() -> None:
    for row in html().xpath("//section[@id='cells' or @id='cases']//tbody/tr"):
        measured = [one for one in row.xpath("./td") if re.match(r"[\d.,]+ ", one.text_content())]
        assert not measured or measured[0].xpath("./a/@href"), row.text_content()
    (cell,) = html().xpath("//section[@id='cells']//tr[starts-with(string(th), 'executed')]")
    (place,) = cell.xpath("./td[2]/a/@href")
    (row,) = html().xpath(f"//tr[@id='{place[1:]}']")
    assert [one.text_content() for one in row.xpath("./td")][2:4] == ["/egress/gbr/track", "21"]
    (recording,) = row.xpath("./td[1]/a/@href")
    assert "a" * 64 in html().xpath(f"string(//tr[@id='{recording[1:]}'])")
    scores = html().xpath("//section[@id='scores']//td")
    assert all(one.xpath("./a[@href='#recordings']") for one in scores if one.text_content() != "not measured")


def test_every_link_of_the_page_has_a_target_and_ids_are_used_once() -> None:
    ids = html().xpath("//@id")
    assert len(ids) == len(set(ids))
    assert {link[1:] for link in html().xpath("//a/@href")} <= set(ids)


def test_evidence_in_a_recording_that_is_not_here_is_said() -> None:
    mark = Mark(
        rung="bytes",
        outcome="met",
        value=1.0,
        evidence=(Evidence(recording="f" * 64, topic="/x", sequence=1, at_us=0),),
    )
    cell = msgspec.structs.replace(findings().cells[0], marks=(mark,))
    assert "not among the recordings" in page(document(findings(cells=(cell,)))).decode()


def test_empty_findings_make_a_report() -> None:
    nothing = document(findings(cells=(), outcomes=(), recordings=(), scores={}))
    assert b"There was no recording" in page(nothing)
    assert "No pair of systems" in pdf_text(pypdf.PdfReader(io.BytesIO(paper(nothing))))


# the page


def test_the_page_loads_and_runs_nothing() -> None:
    root = html()
    assert not root.xpath("//script | //link | //img | //iframe | //object | //form | //@style | //@src")
    assert not [name for one in root.iter() for name in getattr(one, "attrib", {}) if name.startswith("on")]
    (policy,) = root.xpath("//meta[@http-equiv='Content-Security-Policy']/@content")
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "url(" not in root.xpath("string(//style)") and "@import" not in root.xpath("string(//style)")


def test_the_page_can_be_used_without_looking() -> None:
    root = html()
    assert root.get("lang") == "en" and MARKING in root.xpath("string(//title)")
    assert [one.tag for one in root.xpath("//h1 | //h2 | //h3")][:2] == ["h1", "h2"]
    for table in root.xpath("//table"):
        assert table.xpath("./caption") and all(one.get("scope") for one in table.xpath(".//th"))
        assert all(row.xpath("./th[@scope='row']") for row in table.xpath("./tbody/tr"))
    for one in root.xpath("//*[@class='met' or @class='partly' or @class='failed']"):
        assert re.search(r"[a-z]{3}", one.text_content())
    assert [one.text_content().split(": ")[1] for one in root.xpath("//*[@class='banner']")] == [MARKING] * 2


# the paper


def test_the_marking_is_on_every_sheet_above_and_below() -> None:
    reader = pdf()
    assert len(reader.pages) > 3
    for sheet in reader.pages:
        assert sheet.extract_text().count(MARKING) >= 2


def test_the_paper_has_a_title_a_language_bookmarks_and_links() -> None:
    reader = pdf()
    assert reader.metadata is not None and reader.metadata.title == "Findings of NORTHERN-WATCH"
    root: Any = reader.trailer["/Root"]
    assert root["/Lang"] == "en"
    assert root["/ViewerPreferences"]["/DisplayDocTitle"]
    titles = [one.title for one in reader.outline if not isinstance(one, list)]
    assert [section.title for section in document().sections] == titles[1:]
    sheets = {sheet.indirect_reference for sheet in reader.pages}
    links = [one.get_object()["/Dest"] for sheet in reader.pages for one in sheet.get("/Annots", [])]
    assert len(links) > 50 and {list.__getitem__(link, 0) for link in links} <= sheets


def test_only_embedded_fonts_carry_text() -> None:
    fonts: dict[str, Any] = {}
    for sheet in pdf().pages:
        resources: Any = sheet["/Resources"]
        fonts |= {name: one.get_object() for name, one in resources["/Font"].items()}
    used = {str(one["/BaseFont"]) for one in fonts.values()}
    assert {name.partition("+")[2] for name in used if "+" in name} == {
        "BitstreamVeraSans-Roman",
        "BitstreamVeraSans-Bold",
    }


def test_the_same_findings_make_the_same_bytes() -> None:
    assert page(document()) == page(document())
    assert paper(document()) == pdf_bytes()


def test_a_wide_matrix_is_cut_on_paper_and_whole_on_the_page() -> None:
    one = msgspec.structs.replace(findings().cells[0], marks=())
    cells = tuple(msgspec.structs.replace(one, target=f"gbr/tak{n:02}") for n in range(14))
    wide = document(findings(cells=cells, outcomes=(), scores={}))
    assert len(lxml.html.document_fromstring(page(wide)).xpath("//table[@class='grid']//thead//th")) == 15
    text = pdf_text(pypdf.PdfReader(io.BytesIO(paper(wide))))
    assert "columns 11 to 14 of 14" in text and "gbr/tak13" in text


def test_without_the_library_it_is_said_what_to_install_and_the_rest_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "aldis.apps.experiments.report.paper")
    monkeypatch.setitem(sys.modules, "reportlab.lib", None)
    with pytest.raises(Unavailable, match="reportlab"):
        write_report(findings(), CASES, tmp_path / "r")
    write_report(findings(), CASES, tmp_path / "r", pdf=False)
    assert sorted(one.name for one in (tmp_path / "r").iterdir()) == [
        "cases", "findings.json", "report.html", "signatures.json",
    ]  # fmt: skip


# what strangers write


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_no_name_steers_the_page(text: str) -> None:
    data = page(document(hostile(text)))
    root = lxml.html.document_fromstring(data)
    assert len(root.xpath("//style")) == 1 and not root.xpath("//script | //b | //para | //@onmouseover")
    raw = data.decode()
    assert not any(char in raw for char in "\x00\x1b\u202e\u2028") and len(raw) < 100_000
    assert msgspec.json.decode(hostile(text).canonical, type=Findings) == hostile(text)


def test_no_name_steers_the_paper() -> None:
    names = [text for text in HOSTILE if len(text) < 100]
    one = findings().cells[0]
    cells = tuple(msgspec.structs.replace(one, source=text, message=text, marks=()) for text in names)
    made = msgspec.structs.replace(hostile("\n".join(names) + HOSTILE[7]), cells=cells)
    text = "".join(sheet.extract_text() for sheet in pypdf.PdfReader(io.BytesIO(paper(document(made)))).pages)
    assert not any(char in text for char in "\x00\x1b\u202e\u2028")
    flat = re.sub(r"\s", "", text)
    assert "<script>alert(1)</script>" in flat and "gnp.<U+202E>tfard" in flat and "<U+0410><U+0434>" in flat


@pytest.mark.slow
@settings(max_examples=20, deadline=None)
@given(st.text(max_size=200))
def test_any_text_makes_a_paper(text: str) -> None:
    assert paper(document(hostile(text.encode("utf-8", "replace").decode()))).startswith(b"%PDF-")


def test_what_would_mislead_is_shown_as_what_it_is() -> None:
    assert shown("gnp.\u202etfard\x00\u200b") == "gnp.<U+202E>tfard<U+0000><U+200B>"
    assert shown("a\nb\tc") == "a b c"
    assert shown("x" * 10_000, 10) == "xxxxxxxxxx… (10,000 characters)"
    assert shown("z" + "\u0301" * 4) == "z\u0301\u0301<U+0301><U+0301>"
    assert "Адмирал" in page(document(hostile("Адмирал"))).decode()


def test_numbers_and_times() -> None:
    told: Mapping[str, float | None] = {
        "not measured": None, "412": 412.0, "0.084 s": 0.084, "12.35": 12.345678, "1,235": 1234.56,
        "not a number": float("nan"),
        "1.000e+300": 1e300, "1.000e-09": 1e-9, "0": 0.0,
    }  # fmt: skip
    for text, value in told.items():
        assert number(value, "s" if text.endswith(" s") else "") == text
    assert instant(1_763_820_000_000_001) == "2025-11-22 14:00:00.000001 UTC"
    assert instant(-(2**62)) == f"{-(2**62)} µs"


@settings(max_examples=25, deadline=None)
@given(st.text(max_size=60), st.floats(), st.integers(-(2**63), 2**63 - 1))
def test_any_text_number_and_time_makes_a_page(text: str, value: float, at_us: int) -> None:
    made = hostile(text.encode("utf-8", "replace").decode())
    place = Evidence(recording=text, topic=text, sequence=0, at_us=at_us)
    mark = Mark(rung="state", outcome="partly", value=value, limit=-value, text=text, evidence=(place,))
    cell = msgspec.structs.replace(made.cells[0], marks=(mark,))
    some = document(msgspec.structs.replace(made, cells=(cell,)))
    assert lxml.html.document_fromstring(page(some)).xpath("//h1")
