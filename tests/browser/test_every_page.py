"""Every page of a node in a real browser: nothing for axe to find, nothing refused, nothing from elsewhere.

The pages are those that the node's own navigation and their links lead to, as far as each kind of page goes once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from typing import Any
from urllib.parse import urlsplit

import pytest
from browsing import NEEDS_CHROMIUM, Desk, faults, too_wide
from callers import Caller
from port_world import OPEN
from reading_pages import Reading
from starlette.routing import Route
from web_scene import OFFICIAL, PASSWORD, PROJECT, Scene

from aldis.apps.workspace.kinds import Plan, Ref
from aldis.apps.workspace.project import Project
from aldis.interfaces.web import site

pytestmark = [NEEDS_CHROMIUM, pytest.mark.slow]
PEOPLE = ("alice", "olive", "pat", "audrey", "gail")
"""Between them they are given every page; who comes first looks at it."""
MAP_BYTES, PAGE_BYTES = 1_200_000, 150_000
"""What scripts and styles of a page may come to as they are sent: with the map, and without."""
SHARES = 6
STRANGER = ("/sign-in", "/enrol", "/sign-in/link", "/sign-in/first")
LISTEN = """document.addEventListener('securitypolicyviolation', event =>
    console.error(`refused by the policy: ${event.violatedDirective} ${event.blockedURI}`))"""


def found_pages(made: Scene) -> dict[str, dict[str, str]]:
    """For each person the pages to look at, by route: of each route one, for whoever is given it first."""
    routes = [one for one in site(made.node, OPEN) if isinstance(one, Route) and "GET" in (one.methods or ())]
    met: set[str] = set()
    given: dict[str, dict[str, str]] = {}
    for who in PEOPLE:
        caller, waiting, known = (
            Caller(made).sign_in(who, "" if who == "gail" else "SECRET"),
            ["/", f"/workspace/{PROJECT}"],
            {"/"},
        )
        given[who] = {}
        while waiting:
            path = waiting.pop(0)
            answer = caller.get(path)
            if answer.status != 200 or not answer.headers["content-type"].startswith("text/html"):
                continue
            route = _route(routes, path)
            if route not in met and not route.startswith("/sample"):
                met.add(route)
                given[who][route] = path
            for link in Reading(answer.body, path).links:
                onward = link.partition("#")[0]
                if onward.startswith("/") and onward not in known and _route(routes, onward) not in met:
                    known.add(onward)
                    waiting.append(onward)
    return given


def _route(routes: list[Route], path: str) -> str:
    bare = urlsplit(path).path
    return next((one.path for one in routes if one.path_regex.match(bare)), "")


@pytest.fixture(scope="module")
def given(made: Scene) -> dict[str, dict[str, str]]:
    made.node.desk.offer("berths", "gbr")
    made.put("charter", {"title": ("Northern watch", OFFICIAL), "charter": ({"parties": ["AUS", "GBR"]}, OFFICIAL)},
             kind="charter")  # fmt: skip
    project = Project(made.node.context, PROJECT, "alice")
    task = project.add("task", {"title": "Lay out the moorings", "plan": Plan(date(2026, 10, 12), "GBR")}, {}).header
    project.post(Ref(task.originator, task.id), "They are laid out.", {"": "OFFICIAL"})
    return found_pages(made)


CUT = """() => {
  const cut = []
  const hides = one => getComputedStyle(one).clipPath !== 'none' || one.offsetWidth === 1
  const clipped = one => one && (hides(one) || clipped(one.parentElement))
  const seen = one => !clipped(one) && one.closest('.skip, datalist, script, style') === null
  for (const one of document.body.querySelectorAll('*')) {
    if (![...one.childNodes].some(node => node.nodeType === 3 && node.data.trim()) || !one.checkVisibility()) continue
    if (!seen(one)) continue
    const box = one.getBoundingClientRect(), style = getComputedStyle(one)
    let around = one, scrolls = false
    while (around && !scrolls) {
      scrolls = /auto|scroll/.test(getComputedStyle(around).overflowX)
      around = around.parentElement
    }
    const outside = box.right > innerWidth + 1 || box.left < -1
    const hidden = /hidden|clip/.test(style.overflowX) && one.scrollWidth > one.clientWidth + 1
    if (box.width && (hidden || (outside && !scrolls))) cut.push(one.outerHTML.slice(0, 120))
  }
  return cut
}"""
"""Elements with text that stands outside the window or is cut off, and cannot be scrolled to."""


SIZES = """() => performance.getEntriesByType('resource')
  .filter(one => /\\.(css|m?js)$/.test(new URL(one.name).pathname))
  .map(one => [one.name, one.encodedBodySize])"""
"""What scripts and styles the page has loaded, and how large each was as it was sent."""


def looks(
    desk: Callable[..., Desk], given: dict[str, dict[str, str]], share: int, asked: list[str]
) -> Iterator[tuple[Any, Any, str]]:
    """Each page of a share, open in a browser of whoever looks at it and in one without scripts; what these ask for."""
    for who, every in {"": {path: path for path in STRANGER}, **given}.items():
        paths = [path for place, path in enumerate(every.values()) if place % SHARES == share]
        with_scripts, without = desk(), desk(java_script_enabled=False)
        with_scripts.page.add_init_script(LISTEN)
        for one in (with_scripts, without) if paths else ():
            one.page.on("request", lambda request: asked.append(request.url))
            if who:
                one.enter(who, "" if who == "gail" else "SECRET")
        for path in paths:
            with_scripts.page.goto(path)
            without.page.goto(path)
            yield with_scripts.page, without.page, path
        for one in (with_scripts, without):
            assert one.complaints == []
            one.context.close()


@pytest.mark.parametrize("share", range(SHARES))
def test_no_page_has_a_fault_light_or_dark_narrow_or_wide_with_scripts_or_without(
    desk: Callable[..., Desk], given: dict[str, dict[str, str]], made: Scene, share: int
) -> None:
    found, asked = list[str](), list[str]()
    for page, without, path in looks(desk, given, share, asked):
        sizes = dict(page.evaluate(SIZES))
        limit = MAP_BYTES if any("maplibre" in url for url in sizes) else PAGE_BYTES
        if not 0 < sum(sizes.values()) <= limit:
            found.append(f"{path}: {sum(sizes.values()):,} bytes of scripts and styles")
        lost = _words(page) - _words(without)
        if without.locator("main h1").count() != 1 or len(lost) > len(_words(page)) // 4:
            found.append(f"{path}: without scripts it does not say {lost}")
        page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
        found += [f"{path}: {text}" for text in faults(page)]
        page.emulate_media(color_scheme="dark")
        found += [f"{path}, dark: {text}" for text in faults(page, "color-contrast")]
        page.emulate_media(color_scheme="light")
        for width in (360, 1920):
            page.set_viewport_size({"width": width, "height": 800})
            if (more := too_wide(page)) > 0:
                found.append(f"{path} at {width} px: {more} px too wide")
            found += [f"{path} at {width} px: cut off: {text}" for text in page.evaluate(CUT)]
        page.set_viewport_size({"width": 1280, "height": 800})
    assert not found, "\n".join(found)
    assert asked and all(url.startswith((made.url, "blob:", "data:")) for url in asked)


def _words(page: Any) -> set[str]:
    return set(page.inner_text("main").split())


FOCUS = """() => {
  const one = document.activeElement, style = getComputedStyle(one), box = one.getBoundingClientRect()
  window.tabs = (window.tabs || []).concat([one])
  return {body: one === document.body, again: window.tabs.indexOf(one) < window.tabs.length - 1,
          what: one.outerHTML.slice(0, 120), bare: style.outlineStyle === 'none' && style.boxShadow === 'none',
          away: box.bottom < 0 || box.top > innerHeight || box.right < 0 || box.left > innerWidth}
}"""
"""What has the focus: whether one sees it, whether it is back at where it was."""


def test_the_keyboard_leads_through_the_navigation_and_its_place_is_always_seen(desk: Callable[..., Desk]) -> None:
    page = desk().page
    page.goto("/sign-in")
    page.wait_for_function("document.activeElement.id === 'person'")
    page.keyboard.type("pat")
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/level**")
    page.wait_for_function("document.activeElement.matches('button.main')")
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: "/level" not in url)
    places = page.evaluate("[...document.querySelectorAll('nav a')].map(one => one.getAttribute('href'))")
    assert len(places) > 5
    wrong = []
    for place in places:
        for _ in range(100):
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement.getAttribute('href')") == place:
                break
        else:
            raise AssertionError(f"no way to {place} with the keyboard")
        with page.expect_navigation():
            page.keyboard.press("Enter")
        wrong += [f"{place}: {text}" for text in _tabbed(page)]
    assert wrong == []


def _tabbed(page: Any) -> list[str]:
    """What is wrong with where Tab leads, once round the page."""
    found = list[str]()
    for _ in range(200):
        page.keyboard.press("Tab")
        held = page.evaluate(FOCUS)
        if held["body"] or held["again"]:
            return found
        if held["bare"] or held["away"]:
            found.append(f"nobody sees that it is at {held['what']}")
    return [*found, "Tab does not come round"]
