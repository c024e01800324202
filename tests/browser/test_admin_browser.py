"""Partners, ledger, people and health in a real browser: nothing for axe to find, no page too wide, by keyboard."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from browsing import NEEDS_CHROMIUM, Desk, faults, tab_to, too_wide
from web_scene import Scene

from aldis.kernel.errors import Forked
from aldis.node.exchange import problem_of

pytestmark = [NEEDS_CHROMIUM, pytest.mark.slow]
PAGES = {
    "pat": ("/partners", "/partners/gbr", "/pairing", "/health", "/sessions", "/sessions/all", "/people",
            "/people?only=guests", "/people/gail", "/people/new?role=guest"),
    "audrey": ("/ledger", "/ledger?type=epoch", "/ledger/3", "/ledger/3/proof", "/ledger/consistency?old=1&new=2",
               "/ledger/replay"),
}  # fmt: skip


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_and_no_page_is_too_wide(
    desk: Callable[..., Desk], made: Scene, scheme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made.node.audit.checkpoint()
    made.node.partners.invite("NZL")
    made.node.core.store.meta.set(problem_of("gbr"), b"it did not answer\nSee `aldis doctor`")
    monkeypatch.setattr(made.node.audit, "refused", lambda *_: Forked("not the one cosigned at 3 leaves", fix="Ask"))
    found: dict[str, list[str]] = {}
    for who, paths in PAGES.items():
        one = desk(color_scheme=scheme, viewport={"width": 360, "height": 740})
        page = one.enter(who)
        for path in paths:
            page.goto(path)
            page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
            found[f"{who} {path}"] = faults(page)
            assert too_wide(page) <= 0, path
    assert {path: what for path, what in found.items() if what} == {}


def test_an_invitation_goes_from_one_page_to_the_next_by_keyboard(desk: Callable[..., Desk], made: Scene) -> None:
    """The file goes ahead of its form, as the pages' own script sends it; what it says comes back, and why not."""
    page = desk().enter("pat")
    page.goto("/pairing")
    page.focus("#party")
    page.keyboard.type("jpn")
    page.keyboard.press("Enter")
    assert page.locator("[role=alert]").inner_text().startswith("Not done")
    page.fill("#party", "JPN")
    page.focus("#party")
    tab_to(page, "Make an invitation")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=Invitation for JPN")
    with page.expect_download() as waiting:
        page.click("text=Download the invitation >> nth=-1")
    assert waiting.value.suggested_filename.endswith(".invite")
    page.set_input_files("#file", str(waiting.value.path()))
    page.focus("#file")
    tab_to(page, "Look at it")
    page.keyboard.press("Enter")
    page.wait_for_selector("[role=alert]")
    assert "from a node of the same name" in page.locator("[role=alert]").last.inner_text()
    assert [one.node for one in made.node.partners.all()] == ["gbr"]
