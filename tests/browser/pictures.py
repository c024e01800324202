"""`python tests/browser/pictures.py`: makes the pictures of pages in docs/pictures anew, in Debian's chromium."""

from __future__ import annotations

import tempfile
from base64 import b64encode
from datetime import date
from pathlib import Path
from typing import Any

from browsing import ARGUMENTS, CHROMIUM
from callers import COOKIE, Caller
from playwright.sync_api import sync_playwright
from web_scene import AUSTRALIAN, OFFICIAL, SECRET, Scene, scene, served

from aldis.apps.workspace import app as workspace
from aldis.apps.workspace.kinds import Plan, Ref, Ruling
from aldis.apps.workspace.project import Project

FOLDER = Path(__file__).parents[2] / "docs" / "pictures"
NAME = "NORTHERN-WATCH"
TWO = """<body style="margin:0;background:#888;display:grid;gap:16px;width:max-content">%s</body>"""


def fill(made: Scene) -> str:
    """A project with items at two levels, and a case at the release desk; the path of the case."""
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
    })  # fmt: skip
    made.put("quay", {
        "title": ("Berths for the survey ships", OFFICIAL),
        "summary": ("Six, two of them deep.", OFFICIAL),
        "body": ("Both deep berths are kept free from October for ships of the watch.", SECRET),
    }, project="HARBOUR")  # fmt: skip
    made.node.desk.offer("quay", "gbr")
    return f"/desk/{made.node.desk.cases().cases[0].number}"


def main() -> None:
    """Make them all."""
    with (
        tempfile.TemporaryDirectory() as folder,
        scene(Path(folder), apps={"workspace": workspace}, bare=True) as made,
        sync_playwright() as playwright,
    ):
        case = fill(made)
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)

        def take(who: str, path: str, rung: str, height: int, width: int = 1180) -> bytes:
            context = browser.new_context(base_url=made.url, viewport={"width": width, "height": height})
            token = Caller(made).sign_in(who, rung).token
            cookie = {"name": COOKIE, "value": token, "url": made.url.replace("http:", "https:"), "secure": True}
            context.add_cookies([{**cookie, "httpOnly": True, "sameSite": "Strict"}])  # type: ignore[typeddict-item]
            page = context.new_page()
            page.goto(path)
            found: bytes = page.screenshot()
            context.close()
            return found

        with served(made):
            board = f"/workspace/{NAME}/board"
            pictures: dict[str, list[bytes]] = {
                "release-desk": [take("olive", case, "SECRET", 950)],
                "record-with-portion-marks": [take("alice", "/records/line", "SECRET", 770)],
                "why-a-release": [take("alice", "/records/line/to/gbr", "SECRET", 760)],
                "project-at-two-levels": [take("alice", board, rung, 520) for rung in ("OFFICIAL", "SECRET")],
            }
        for name, parts in pictures.items():
            _join(browser, parts, FOLDER / f"{name}.png")
        browser.close()


def _join(browser: Any, parts: list[bytes], path: Path) -> None:
    """One below the other."""
    page = browser.new_page(viewport={"width": 1180, "height": 400})
    images = (f'<img src="data:image/png;base64,{b64encode(one).decode()}">' for one in parts)
    page.set_content(TWO % "".join(images))
    page.set_viewport_size({"width": 1180, "height": page.evaluate("document.body.scrollHeight")})
    page.screenshot(path=str(path))
    page.close()


if __name__ == "__main__":
    main()
