"""The picture in a real browser: drawn, by keyboard, filtered, paused, taken away, and with nothing for axe to find."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from browsing import ARGUMENTS, CHROMIUM, NEEDS_CHROMIUM, Desk, faults
from picture_scene import CANARY, Sea, populate, sea
from web_scene import SECRET, served

from aldis.interfaces.web.assets import Assets

sync_api = pytest.importorskip("playwright.sync_api")
pytestmark = [pytest.mark.slow, NEEDS_CHROMIUM]
SOFTWARE = [*ARGUMENTS, "--enable-unsafe-swiftshader"]
PICTURE = "/experiments/picture"
PATIENCE = 20_000
"""In ms: how long a map may take to be there on a machine that has much else to do."""


@pytest.fixture(scope="module", name="browser")
def drawing_browser() -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=str(CHROMIUM), args=SOFTWARE)
        yield found
        found.close()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sea]:
    with sea(tmp_path_factory.mktemp("picture")) as found, served(found):
        if not Assets(found.node.apps).has("experiments/vendor/maplibre-gl.mjs"):
            pytest.skip("what draws maps is not there: `make assets`")
        populate(found)
        yield found


class Watch(Desk):
    """Somebody who looks at the picture."""

    def look(self, who: str = "alice", rung: str = "SECRET") -> Any:
        page = self.enter(who, rung)
        page.goto(PICTURE)
        sync_api.expect(page.locator("#state")).to_have_text("Live.", timeout=PATIENCE)
        return page

    def end(self) -> None:
        known = ("milsymbol.js", "[.WebGL")  # its greeting, and what a driver says of its own speed
        assert [said for said in self.complaints if not said.startswith(known)] == []
        self.context.close()


def drawn(page: Any, canvas: str) -> int:
    """How many pixels of a canvas are not empty."""
    count: int = page.evaluate(
        """name => { const one = document.querySelector(name);
        const data = one.getContext("2d").getImageData(0, 0, one.width, one.height).data;
        let count = 0; for (let at = 3; at < data.length; at += 4) if (data[at]) count++; return count; }""",
        canvas,
    )
    return count


def land(page: Any) -> bool:
    """Whether anything is drawn below the tracks."""
    page.wait_for_timeout(300)
    with_it = page.locator("#map").screenshot()
    page.evaluate("document.querySelector('.maplibregl-canvas').style.visibility = 'hidden'")
    without: bytes = page.locator("#map").screenshot()
    page.evaluate("document.querySelector('.maplibregl-canvas').style.visibility = ''")
    return bool(without != with_it)


@pytest.mark.parametrize(
    ("scheme", "width", "height"), [("light", 1920, 1080), ("dark", 1280, 800), ("light", 360, 740)]
)
def test_the_map_is_drawn_and_axe_finds_nothing(made: Sea, browser: Any, scheme: str, width: int, height: int) -> None:
    one = Watch(made, browser, color_scheme=scheme, viewport={"width": width, "height": height})
    page = one.look()
    sync_api.expect(page.locator(".overlay")).to_have_count(2, timeout=PATIENCE)
    page.wait_for_selector("#map[data-drawn]", timeout=PATIENCE)
    assert drawn(page, ".overlay:nth-of-type(3)") > 500
    page.click("#farther")
    page.click("#farther")
    assert any(land(page) for _ in range(20)), "the coastline is drawn"
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.locator("#tracks a").first.click()
    sync_api.expect(page.locator("#p-parts h3").first).to_be_visible()
    assert faults(page) == []
    one.end()


def test_by_keyboard_a_track_is_selected_followed_and_left(made: Sea, browser: Any) -> None:
    one = Watch(made, browser, viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
    page = one.look()
    sync_api.expect(page.locator(".overlay")).to_have_count(2, timeout=PATIENCE)
    page.locator("#tracks a").first.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    assert page.evaluate("document.activeElement.textContent") == "HMS EXAMPLE"
    page.keyboard.press("Enter")
    sync_api.expect(page.locator("#h-panel")).to_contain_text("HMS EXAMPLE")
    sync_api.expect(page.locator("#p-parts")).to_contain_text("GBR gbr, recorded")
    assert page.locator("#tracks a[aria-current]").inner_text() == "HMS EXAMPLE"
    page.wait_for_timeout(1100)
    assert page.evaluate("document.activeElement.textContent") == "HMS EXAMPLE", "what is told does not take the focus"
    page.locator("#p-close").focus()
    page.keyboard.press("Enter")
    sync_api.expect(page.locator("#panel")).to_be_hidden()
    assert page.evaluate("document.activeElement.textContent") == "HMS EXAMPLE"
    page.locator("#tracks thead button", has_text="Age").click()
    assert page.locator("#tracks th[aria-sort]").inner_text().startswith("Age")
    sync_api.expect(page.locator("#tracks a").last).to_have_text("OLD ANCHOR")
    one.end()


def test_it_is_filtered_paused_and_taken_away_with_the_session(made: Sea, browser: Any) -> None:
    one = Watch(made, browser, viewport={"width": 1280, "height": 900})
    page = one.look()
    rows = page.locator("#tracks tbody tr")
    sync_api.expect(rows).to_have_count(8)
    page.select_option("#party", "GBR")
    sync_api.expect(rows).to_have_count(2, timeout=PATIENCE)
    page.fill("#q", "example")
    sync_api.expect(rows).to_have_count(1)
    page.fill("#q", "")
    page.select_option("#party", "")
    page.select_option("#age", "10")
    sync_api.expect(page.locator("#tracks")).not_to_contain_text("OLD ANCHOR")
    page.select_option("#age", "")
    page.click("#pause")
    made.live("trk-late", {"identity": {"name": "LATECOMER"}}, header=SECRET)
    page.wait_for_timeout(1200)
    sync_api.expect(page.locator("#state")).to_contain_text("Paused")
    assert "LATECOMER" not in page.locator("#tracks").inner_text()
    page.click("#pause")
    sync_api.expect(page.locator("#tracks")).to_contain_text("LATECOMER")
    made.node.people.revoke("alice")
    sync_api.expect(page.locator("#state")).to_contain_text("taken away", timeout=2000)
    assert page.locator("#picture").inner_text() == "" and "LATECOMER" not in page.content()
    one.end()


def test_what_is_withheld_is_nowhere_in_the_page_nor_in_what_came(made: Sea, browser: Any) -> None:
    time.sleep(2)  # what was answered to whom was here before is kept once their stream has ended
    made.answered.clear()
    one = Watch(made, browser)
    page = one.look("bob", "OFFICIAL")
    sync_api.expect(page.locator("#tracks tbody tr")).to_have_count(5)
    made.live(f"trk-{CANARY.lower()}", {"identity": {"name": CANARY}}, header=SECRET)
    page.wait_for_timeout(700)
    assert CANARY.lower() not in page.content().lower()
    page.goto("about:blank")
    page.wait_for_timeout(300)
    told = b"".join(made.answered).lower()
    assert b"tallink star" in told and CANARY.lower().encode() not in told
    one.end()


def test_without_scripts_there_is_the_table(made: Sea, browser: Any) -> None:
    one = Watch(made, browser, java_script_enabled=False)
    page = one.enter("alice", "SECRET")
    page.goto(PICTURE)
    assert page.locator("#tracks tbody tr").count() >= 8 and page.locator("#pause").is_hidden()
    page.fill("#q", "tallink")
    page.click("text=Show")
    page.click("#tracks a")
    assert "passenger" in page.locator("main").inner_text() or "ship type" in page.locator("main").inner_text()
    one.end()
