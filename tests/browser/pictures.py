"""`python tests/browser/pictures.py [NAME…]`: makes the pictures of pages in docs/pictures anew, in Debian's chromium.

A picture is one line of `PICTURES`: its name, who looks at which path, at which level, and how high it is.
"""

from __future__ import annotations

import sys
import tempfile
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from callers import COOKIE, Caller
from playwright.sync_api import sync_playwright
from web_scene import AUSTRALIAN, OFFICIAL, SECRET, Scene, scene, served

from aldis.apps.workspace import app as workspace
from aldis.apps.workspace.kinds import Plan, Ref, Ruling
from aldis.apps.workspace.project import Project

FOLDER = Path(__file__).parents[2] / "docs" / "pictures"
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
NAME = "NORTHERN-WATCH"
TWO = """<body style="margin:0;background:#888;display:grid;gap:16px;width:max-content">%s</body>"""


@dataclass(frozen=True, slots=True)
class Picture:
    """What is taken: at each of the levels, one below the other; `CASE` in a path is the case at the release desk."""

    name: str
    who: str
    path: str
    rungs: Sequence[str] = ("SECRET",)
    height: int = 760
    width: int = 1180
    dark: bool = False


PICTURES = (
    Picture("first-page", "olive", "/", height=600),
    Picture("record-with-portion-marks", "olive", "/records/line", height=900),
    Picture("why-a-release", "alice", "/records/line/to/gbr"),
    Picture("release-desk", "olive", "/desk/CASE", height=950),
    Picture("project-at-two-levels", "alice", f"/workspace/{NAME}/board", ("OFFICIAL", "SECRET"), 520),
    Picture("first-page-narrow", "olive", "/", height=740, width=360, dark=True),
)


def fill(made: Scene) -> str:
    """A project with items at two levels, and a case at the release desk, whose number this is."""
    made.put("charter", {"title": ("Northern watch: the strait and its cable", OFFICIAL),
                         "charter": ({"parties": ["AUS", "GBR"]}, OFFICIAL)}, kind="charter")  # fmt: skip
    project = Project(made.node.context, NAME, "alice")
    secret = {"": "SECRET//REL AUS/GBR"}
    for title, due, owner, state, marks in (
        ("Lay out the moorings", date(2026, 10, 12), "GBR", "doing", {}),
        ("Agree the reporting format", date(2026, 10, 2), "AUS", "", {}),
        ("Hand the new sensor line over", date(2026, 11, 20), "AUS", "blocked", secret),
        ("Publish the tide tables", date(2026, 9, 30), "AUS", "done", {}),
    ):
        made.clock.at += 60_000
        header = project.add("task", {"title": title, "plan": Plan(due, owner)}, marks).header
        if state:
            project.say(Ref(header.originator, header.id), state, "", {})
    project.add("decision", {"title": "Do we extend the line to the shelf?", "ruling": Ruling("Steering group")}, {})
    made.put("tides", {"title": ("Tide tables for the strait", OFFICIAL)})
    made.put("patrol", {"title": ("Patrol of the northern cable, week 39", SECRET)})
    made.put("sensors", {"title": ("Where our own sensors lie", AUSTRALIAN)})
    made.put("line", {
        "title": ("The sensor line after its first month", OFFICIAL),
        "summary": ("Nine of ten sensors report; the tenth is being lifted.", OFFICIAL),
        "body": ("The line hears a survey ship to fourteen nautical miles, in a swell to nine.", SECRET),
        "annex": ("Positions of the ten sensors, for our own maintenance alone.", AUSTRALIAN),
    }, sources=[made.records["tides"].digest])  # fmt: skip
    made.put("quay", {
        "title": ("Berths for the survey ships", OFFICIAL),
        "summary": ("Six, two of them deep.", OFFICIAL),
        "body": ("Both deep berths are kept free from October for ships of the watch.", SECRET),
    }, project="HARBOUR")  # fmt: skip
    made.settle()
    made.node.desk.offer("quay", "gbr")
    return str(made.node.desk.cases().cases[0].number)


def main(names: Sequence[str]) -> None:
    """Make those that are named, or all."""
    if unknown := set(names) - {one.name for one in PICTURES}:
        raise SystemExit(f"no picture {', '.join(sorted(unknown))}; there are: {', '.join(p.name for p in PICTURES)}")
    with (
        tempfile.TemporaryDirectory() as folder,
        scene(Path(folder), apps={"workspace": workspace}, bare=True) as made,
        sync_playwright() as playwright,
    ):
        case = fill(made)
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=ARGUMENTS)
        with served(made):
            for one in PICTURES:
                if not names or one.name in names:
                    parts = [take(browser, made, one, rung, case) for rung in one.rungs]
                    _join(browser, parts, one.width, FOLDER / f"{one.name}.png")
                    print(FOLDER / f"{one.name}.png")
        browser.close()


def take(browser: Any, made: Scene, one: Picture, rung: str, case: str) -> bytes:
    """The page as a picture of its very size."""
    size = {"width": one.width, "height": one.height}
    context = browser.new_context(base_url=made.url, viewport=size, color_scheme="dark" if one.dark else "light")
    token = Caller(made).sign_in(one.who, rung).token
    url = made.url.replace("http:", "https:")
    context.add_cookies(
        [{"name": COOKIE, "value": token, "url": url, "secure": True, "httpOnly": True, "sameSite": "Strict"}]
    )
    page = context.new_page()
    page.goto(one.path.replace("CASE", case))
    found: bytes = page.screenshot()
    context.close()
    return found


def _join(browser: Any, parts: Sequence[bytes], width: int, path: Path) -> None:
    """One below the other."""
    page = browser.new_page(viewport={"width": width, "height": 400})
    images = (f'<img src="data:image/png;base64,{b64encode(one).decode()}">' for one in parts)
    page.set_content(TWO % "".join(images))
    page.set_viewport_size({"width": width, "height": page.evaluate("document.body.scrollHeight")})
    page.screenshot(path=str(path))
    page.close()


if __name__ == "__main__":
    main(sys.argv[1:])
