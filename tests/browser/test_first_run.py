"""A new node in a real browser: from the link that it prints to a first record, by keyboard, narrow and wide."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from browsing import NEEDS_CHROMIUM, Desk, faults, too_wide
from web_scene import PASSWORD, Scene, served

from aldis.interfaces.web import link_address
from aldis.node.config import Config
from aldis.node.home import make_home
from aldis.node.node import Node
from aldis.node.people import Cost, Passwords
from aldis.testing.clock import VirtualClock as Clock

pytestmark = NEEDS_CHROMIUM
sync_api = pytest.importorskip("playwright.sync_api")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """A node that nobody has worked at, in the place of the scene."""
    home, clock = tmp_path_factory.mktemp("new") / "new", Clock()
    make_home(home, Config(node="new", party="AUS", policy="AUS", ceiling="SECRET"), now=clock.now())
    with Node.open(home, clock=clock, environment={}, apps={}) as node:
        node.people.passwords = Passwords(node.core.random, Cost(32, 1, 4))
        with served(Scene(node, clock)) as found:
            yield found


@pytest.mark.slow
def test_a_newcomer_comes_from_the_link_to_a_first_record(made: Scene, desk: Callable[..., Desk]) -> None:
    somebody = desk(viewport={"width": 360, "height": 740}, color_scheme="dark")
    page, link = somebody.page, made.node.people.links.issue()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url + str(request.headers)))
    page.goto(link_address(made.url, link))
    expect = sync_api.expect
    expect(page.locator("#code")).to_have_value(link.secret)
    assert page.url == f"{made.url}/sign-in/first" and not any(link.secret in one for one in asked)
    assert faults(page) == [] and too_wide(page) <= 0
    page.keyboard.type("pat")  # the first field that is empty has the focus
    page.fill("#name", "Keeper")
    page.fill("#password", PASSWORD)
    page.fill("#again", PASSWORD)
    page.check("#r-originator")
    page.keyboard.press("Enter")
    page.click(".ladder button.main")
    expect(page.locator("#next")).to_have_text("What this node needs next")
    assert faults(page) == [] and too_wide(page) <= 0

    page.focus(".pages button")
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="Records", exact=True)).to_be_visible()
    assert faults(page) == []
    page.keyboard.press("Escape")
    expect(page.get_by_role("link", name="Records", exact=True)).to_be_hidden()
    page.set_viewport_size({"width": 1920, "height": 1080})
    expect(page.locator('.pages a[aria-current="page"]')).to_have_text("Home")

    page.get_by_role("link", name="Write a record").click()
    expect(page).to_have_url(f"{made.url}/records/new")
    page.goto("/sign-in/link")
    page.fill("#code", link.secret)
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("it works once")
    assert somebody.complaints == []
