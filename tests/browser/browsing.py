"""A real browser, Debian's chromium: somebody at it, what it complains of, what axe-core finds, the way by keyboard.

A module of tests says `pytestmark = NEEDS_CHROMIUM` and asks for the fixture `desk`; `make assets` brings axe-core.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from callers import COOKIE, Caller
from web_scene import PASSWORD, Scene

__all__ = ["ARGUMENTS", "AXE", "CHROMIUM", "NEEDS_CHROMIUM", "Desk", "faults", "tab_to", "too_wide"]

CHROMIUM = Path("/usr/bin/chromium")
AXE = Path(__file__).parents[2] / "web" / "node_modules" / "axe-core" / "axe.min.js"
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
             "--disable-component-update", "--disable-sync"]  # fmt: skip
NEEDS_CHROMIUM = pytest.mark.skipif(not CHROMIUM.exists(), reason="there is no /usr/bin/chromium")


class Desk:
    """Somebody at a browser; whatever it complains of is kept."""

    def __init__(self, made: Scene, browser: Any, **options: Any) -> None:
        self.made = made
        self.context = browser.new_context(base_url=made.url, **options)
        self.page = self.context.new_page()
        self.complaints: list[str] = []
        self.page.on("console", lambda message: self._hear(message.text))
        self.page.on("pageerror", lambda error: self._hear(str(error)))

    def _hear(self, text: str) -> None:
        if "Failed to load resource: the server responded with a status of 4" not in text:
            self.complaints.append(text)

    def sign_in(self, who: str, rung: str = "SECRET") -> Any:
        self.page.goto("/")
        self.page.fill("#person", who)
        self.page.fill("#password", PASSWORD)
        self.page.click("button.main")
        self.page.click(f'.ladder button[value="{rung}"]')
        self.page.wait_for_selector(f".level:has-text('Working at {rung}')")
        return self.page

    def enter(self, who: str, rung: str = "SECRET") -> Any:
        """As `sign_in`, without the pages that lead there."""
        token = Caller(self.made).sign_in(who, rung).token
        cookie = {
            "name": COOKIE,
            "value": token,
            "url": self.made.url.replace("http:", "https:"),
            "secure": True,
            "sameSite": "Strict",
        }
        self.context.add_cookies([{**cookie, "httpOnly": True}])
        return self.page


def faults(page: Any, rule: str = "") -> list[str]:
    """What axe-core finds on a page, of every rule it has, or of one."""
    if not AXE.exists():
        if os.environ.get("CI"):
            raise AssertionError("axe-core is not there: `make assets`")
        pytest.skip("axe-core is not there: `make assets`")
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text())
    only = {"runOnly": [rule]} if rule else {}
    found = page.evaluate("asked => axe.run(document, asked)", {"resultTypes": ["violations"], **only})
    return [f"{one['id']}: {node['html'][:120]}" for one in found["violations"] for node in one["nodes"]]


def too_wide(page: Any) -> int:
    """By how many pixels the page is wider than its window."""
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


def tab_to(page: Any, name: str, *, most: int = 60) -> None:
    """Press Tab until what has the focus is called so."""
    for _ in range(most):
        page.keyboard.press("Tab")
        said = page.evaluate("document.activeElement.textContent")
        if (said or "").strip().startswith(name):
            outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
            assert outline != "none", f"nobody sees that {name} has the focus"
            return
    raise AssertionError(f"no way to {name!r} with the keyboard")
