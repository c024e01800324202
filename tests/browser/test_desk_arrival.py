"""The release desk in a real browser and without a mouse: from a refusal to approval to arrival at the partner."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from browsing import NEEDS_CHROMIUM, Desk, faults, tab_to, too_wide
from web_scene import OFFICIAL, SECRET, Scene

pytestmark = [NEEDS_CHROMIUM, pytest.mark.slow]


def _press(page: Any, name: str) -> None:
    """Go to what is called so with the keyboard alone, and press it; the page that follows is there."""
    tab_to(page, name, most=120)
    with page.expect_navigation():
        page.keyboard.press("Enter")


def _field(page: Any, id_: str) -> None:
    """Go to a field with the keyboard alone."""
    for _ in range(120):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == id_:
            return
    raise AssertionError(f"no way to {id_!r} with the keyboard")


def test_from_refusal_to_approval_to_arrival_with_the_keyboard_alone(desk: Callable[..., Desk], made: Scene) -> None:
    assert made.partner is not None
    theirs = made.partner.core.store.records
    made.put(
        "mooring",
        {"title": ("Moorings of the inner harbour", OFFICIAL), "body": ("Ring four is loose.", SECRET)},
        project="HARBOUR",
    )
    made.settle()
    assert theirs.get("mooring") is None, "the clause asks for a person"

    page = desk().enter("alice")
    page.goto("/records/mooring/to/gbr")
    assert "release officer" in page.locator(".verdict").inner_text()
    _press(page, "Ask for its release to gbr")
    assert "A release officer has been asked" in page.locator("[role=status]").inner_text()

    one = desk(color_scheme="dark", viewport={"width": 360, "height": 740})
    page = one.enter("olive")
    page.goto("/desk")
    _press(page, "Moorings of the inner harbour")
    assert faults(page) == [] and too_wide(page) <= 0
    said = page.locator("main").inner_text()
    assert all(words in said for words in ("clause 4.2", "in force", "gbr of GBR", "Ring four is loose."))
    _field(page, "because")
    page.keyboard.type("the harbour master agreed")
    _field(page, "k-body")
    page.keyboard.press("Space")
    assert theirs.get("mooring") is None
    _press(page, "Approve for gbr")
    assert "leaves with the next bundle" in page.locator("[role=status]").inner_text()

    made.settle()
    arrived = theirs.get("mooring")
    assert arrived is not None
    assert [part.name for part in arrived.record().portions] == ["title"], "the body was kept back"


def test_no_page_of_the_desk_or_of_instruments_has_a_fault_or_is_too_wide(
    desk: Callable[..., Desk], made: Scene
) -> None:
    for name in ("pier", "jetty"):
        made.put(name, {"title": (f"The {name}", OFFICIAL)}, project="HARBOUR")
        made.node.desk.offer(name, "gbr")
    cases = [case.number for case in made.node.desk.cases().cases if case.row.id in ("pier", "jetty")]
    several = "/desk/several?" + "&".join(f"case={number}" for number in cases)
    name = "/instruments/pa-northern-watch"
    narrow = ("/desk", several, f"/desk/{cases[0]}", "/instruments?pairings=yes", name, "/drafts")
    wide = (f"/desk?like={cases[0]}", f"{name}/held", f"{name}/preview", f"{name}/amend")
    for scheme, width, paths in (("light", 360, narrow), ("dark", 1920, wide)):
        page = desk(color_scheme=scheme, viewport={"width": width, "height": 800}).enter("olive")
        for path in paths:
            page.goto(path)
            page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
            assert (path, faults(page), max(0, too_wide(page))) == (path, [], 0)
