"""Compare and recordings in a real browser: hatched, explained by click and by key, moved along; axe finds nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from compare_scene import Sea
from test_browser import ARGUMENTS, CHROMIUM, Desk, faults

pytestmark = pytest.mark.slow
sync_api = pytest.importorskip("playwright.sync_api")
expect = sync_api.expect
COMPARE, RUN = "/experiments/compare", "20261005-120000"
NARROW: dict[str, Any] = {"viewport": {"width": 360, "height": 780}, "color_scheme": "dark"}
WIDE: dict[str, Any] = {"viewport": {"width": 1920, "height": 1000}}
KNOWN = ("GL Driver Message", "milsymbol.js", "WebGL", "Canvas2D")
"""What a browser says of its own drawing, and what milsymbol says of itself."""
COAST = Path(__file__).parents[2] / "src" / "aldis" / "apps" / "experiments" / "static" / "vendor" / "coastline.json"


@pytest.fixture(scope="module")
def browsers() -> Iterator[Any]:
    """One that draws no maps, which is quicker, and one that does."""
    with sync_api.sync_playwright() as playwright:
        start = playwright.chromium.launch
        found = [start(executable_path=str(CHROMIUM), args=[*ARGUMENTS, *more]) for more in (["--disable-3d-apis"], [])]
        yield found
        for one in found:
            one.close()


@pytest.fixture
def sit(at_sea: Sea, browsers: Any) -> Any:
    made: list[Desk] = []

    def sit_down(*, maps: bool = False, **options: Any) -> Desk:
        made.append(Desk(at_sea, browsers[maps], **options))
        return made[-1]

    yield sit_down
    for one in made:
        said = [text for text in one.complaints if not any(known in text for known in KNOWN)]
        assert said == [], "no violation of the policy, and no error"
        one.context.close()


def test_what_is_withheld_is_hatched_and_says_why_by_click_and_by_key(sit: Callable[..., Desk]) -> None:
    page = sit().enter("olive")
    page.goto(f"{COMPARE}?to=gbr&also=usa")
    cells = page.locator("td.withheld")
    assert cells.count() >= 5
    for cell in cells.all():
        assert "repeating-linear-gradient" in cell.evaluate("one => getComputedStyle(one).backgroundImage")
        assert "withheld" in cell.inner_text(), "and in words"
    link = page.locator("tr:has(th:text-is('sensor')) a.why").first
    link.click()
    why = page.locator("#why")
    expect(why).to_contain_text("it is not releasable to GBR")
    assert "make it releasable to GBR" in why.inner_text() and page.url.endswith("also=usa")
    assert faults(page) == []
    page.keyboard.press("Escape")
    expect(why).to_be_hidden()
    expect(link).to_be_focused()
    page.locator("tr:has(th:text-is('identity')) td.withheld a.why").first.focus()
    page.keyboard.press("Enter")
    expect(why).to_contain_text("it is not releasable to USA")
    expect(why).to_be_focused()
    page = sit(**WIDE).enter("olive")
    page.goto(f"{COMPARE}?to=gbr&also=usa")
    assert page.evaluate("document.documentElement.scrollWidth") <= 1920
    page = sit(**NARROW).enter("olive")
    page.goto(f"{COMPARE}?to=gbr&also=usa")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360 and faults(page) == []
    page.goto(page.locator("td.withheld a.why").first.get_attribute("href"))
    assert page.evaluate("document.documentElement.scrollWidth") <= 360 and faults(page) == []


def test_it_all_works_without_scripts(sit: Callable[..., Desk], at_sea: Sea) -> None:
    at_sea.record(RUN)
    page = sit(java_script_enabled=False).enter("olive")
    page.goto(f"{COMPARE}?to=gbr")
    page.locator("tr:has(th:text-is('sensor')) a.why").first.click()
    assert "make it releasable to GBR" in page.locator("main").inner_text()
    page.goto("/experiments/recordings")
    page.click(f"text=Replay {RUN}")
    page.locator("#at").focus()
    page.keyboard.press("End")
    page.click("text=Show")
    assert "at=39" in page.url and "12.03900 S" in page.locator("table").inner_text()


def test_a_slider_moves_through_a_recording_and_it_plays(sit: Callable[..., Desk], at_sea: Sea) -> None:
    at_sea.record(RUN)
    page = sit().enter("olive")
    page.goto(f"/experiments/recordings/{RUN}?at=7")
    first = page.locator("#instant table").inner_text()
    assert "12.00700 S" in first
    slider = page.locator("#at")
    slider.focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator("#instant")).to_contain_text("12.00800 S")
    page.keyboard.press("ArrowLeft")
    expect(page.locator("#instant")).to_contain_text("12.00700 S")
    assert page.locator("#instant table").inner_text() == first, "one instant, one picture"
    expect(slider).to_be_focused()
    assert "14:13:27 UTC" in (slider.get_attribute("aria-valuetext") or "")
    page.locator("#speed").select_option("16")
    page.locator("#play").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#play")).to_have_text("Pause")
    page.wait_for_function("() => Number(document.getElementById('at').value) > 12")
    assert "Recorded, not live" in page.locator("#instant").inner_text()
    page.wait_for_function("() => document.getElementById('play').textContent === 'Play'")
    assert slider.input_value() == slider.get_attribute("max")
    page = sit(**NARROW).enter("olive")
    for path in (f"/experiments/recordings/{RUN}", "/experiments/recordings"):
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        assert faults(page) == []


@pytest.mark.skipif(not COAST.exists(), reason="no map: `make assets`")
def test_each_pane_has_a_map_of_what_goes_and_they_move_together(sit: Callable[..., Desk]) -> None:
    page = sit(maps=True).enter("olive")
    page.goto(f"{COMPARE}?to=gbr&also=usa")
    drawn = """() => [...document.querySelectorAll('.chart .overlay:last-child')].map((one) => {
      const { data } = one.getContext('2d').getImageData(0, 0, one.width, one.height);
      return data.filter((_, at) => at % 4 === 3 && data[at] > 0).length;
    })"""
    page.wait_for_function(f"() => {{ const n = ({drawn})(); return n.length === 3 && n.every((one) => one > 50); }}")
    own, gbr, usa = page.evaluate(drawn)
    assert own > gbr > 0 and own > usa > 0, "of some nothing goes"
    last = "() => document.querySelectorAll('.chart .overlay:last-child')[2].toDataURL()"
    before = page.evaluate(last)
    page.locator(".chart canvas.maplibregl-canvas").first.focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function(f"(before) => ({last})() !== before", arg=before)
    assert faults(page) == []
