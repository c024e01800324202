"""The page of a report in a real browser: for axe, on a narrow screen, in light and dark, and on paper."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pypdf
import pytest
from made_findings import HOSTILE, MARKING, findings, hostile

from aldis.apps.experiments.report.composing import compose
from aldis.apps.experiments.report.page import page

CHROMIUM = Path("/usr/bin/chromium")
AXE = Path(__file__).parents[3] / "web" / "node_modules" / "axe-core" / "axe.min.js"
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
sync_api = pytest.importorskip("playwright.sync_api")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="there is no /usr/bin/chromium"),
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with sync_api.sync_playwright() as running:
        started = running.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        yield started
        started.close()


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("pages")
    made = [findings(), hostile("\n".join(text for text in HOSTILE if len(text) < 100)), hostile(HOSTILE[7])]
    found = []
    for number, one in enumerate(made):
        found.append(folder / f"{number}.html")
        found[-1].write_bytes(page(compose(one, ("AUS", "GBR"), {})))
    return found


@pytest.mark.parametrize(("scheme", "width"), [("dark", 320), ("light", 1200)])
def test_axe_finds_nothing_and_nothing_hangs_over(browser: Any, pages: list[Path], scheme: str, width: int) -> None:
    if not AXE.exists():
        assert not os.environ.get("CI"), "axe-core is not there: `make assets`"
        pytest.skip("axe-core is not there: `make assets`")
    context = browser.new_context(color_scheme=scheme, viewport={"width": width, "height": 800})
    for path in pages:
        shown = context.new_page()
        complaints: list[str] = []
        shown.on("console", lambda message, told=complaints: told.append(message.text))
        shown.on("pageerror", lambda error, told=complaints: told.append(str(error)))
        shown.goto(path.as_uri())
        assert shown.evaluate("document.documentElement.scrollWidth") <= width, path
        shown.evaluate(AXE.read_text())
        found = shown.evaluate("axe.run(document, {resultTypes: ['violations']})")
        assert [(one["id"], one["nodes"][0]["html"][:120]) for one in found["violations"]] == []
        assert complaints == []
    context.close()


def test_the_marking_is_on_every_sheet_that_is_printed(browser: Any, pages: list[Path]) -> None:
    shown = browser.new_page()
    shown.goto(pages[0].as_uri())
    sheets = pypdf.PdfReader(io.BytesIO(shown.pdf())).pages
    assert len(sheets) > 2
    assert all(sheet.extract_text().count(MARKING) >= 2 for sheet in sheets)
    shown.close()
