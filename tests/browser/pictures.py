"""`python tests/browser/pictures.py [NAME…]`: makes the pictures of pages in docs/pictures anew, in Debian's chromium.

A picture is one line of `PICTURES`: its name, who looks at which path, at which levels, its size, and in which scene.
"""

from __future__ import annotations

import sys
import tempfile
from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import picture_scene
from callers import COOKIE, Caller
from playwright.sync_api import sync_playwright
from web_scene import AUSTRALIAN, OFFICIAL, PEOPLE, SECRET, Scene, hire, scene, served

from aldis.apps.experiments import app as experiments
from aldis.apps.workspace import app as workspace
from aldis.apps.workspace.kinds import Plan, Ref, Ruling
from aldis.apps.workspace.project import Project

FOLDER = Path(__file__).parents[2] / "docs" / "pictures"
ARGUMENTS = ["--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader",
             "--disable-quic", "--no-first-run", "--disable-background-networking"]  # fmt: skip
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
    scene: str = "work"
    wait_ms: int = 0
    """How long the page's scripts are given to draw."""


PICTURES = (
    Picture("first-page", "olive", "/", height=600),
    Picture("record-with-portion-marks", "olive", "/records/line", height=900),
    Picture("why-a-release", "alice", "/records/line/to/gbr"),
    Picture("release-desk", "olive", "/desk/CASE", height=950),
    Picture("project-at-two-levels", "alice", f"/workspace/{NAME}/board", ("OFFICIAL", "SECRET"), 520),
    Picture("picture", "alice", "/experiments/picture", height=900, width=1280, scene="sea", wait_ms=15_000),
    Picture("compare", "olive", "/experiments/compare?to=gbr", height=1120, width=1280, scene="sea", wait_ms=8_000),
    Picture("instruments", "olive", "/instruments", height=420),
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


@contextmanager
def _work(folder: Path) -> Iterator[tuple[Scene, str]]:
    with scene(folder, apps={"workspace": workspace, "experiments": experiments}, bare=True) as made:
        yield made, fill(made)


@contextmanager
def _sea(folder: Path) -> Iterator[tuple[Scene, str]]:
    with picture_scene.sea(folder) as made:
        hire(made.node, "olive", **PEOPLE["olive"])
        at = made.clock.now()
        ours: dict[str, Any] = {"type": {"affiliation": "friend", "siso": "1.3.13.30"}}
        for name, lat, lon, speed, course in (
            ("Karolin", 59.72, 24.70, 8.0, 75.0), ("Baltic Wind", 59.66, 25.10, 6.0, 260.0),
            ("Anna", 59.80, 24.35, 5.0, 190.0), ("Survey ship 2", 59.86, 24.62, 2.0, 20.0),
        ):  # fmt: skip
            made.track(name, lat, lon, {"type": {"ship_type": 70}, "motion": picture_scene._moving(speed, course, at)})
        made.track("Uncrewed boat 1", 59.83, 24.95, ours | {"motion": picture_scene._moving(4.0, 310.0, at)})
        made.track("Harbour tug", 59.93, 24.98, {"type": {"ship_type": 52}}, age_ms=15 * 60_000)
        made.track("Own sensor tender", 59.76, 25.20, {"type": {"ship_type": 33}}, labels={"identity": AUSTRALIAN})
        coarse = {"position": {"lat_deg": 59.9, "lon_deg": 24.4, "at": at, "grid_m": 5000}}
        made.track("Patrol of GBR", 59.9, 24.4, coarse, node=made.partner, header=picture_scene.BRITISH)
        made.settle()
        yield made, ""


SCENES: dict[str, Callable[[Path], Any]] = {"work": _work, "sea": _sea}
"""By name: a node with something to look at, and the number of a case at its release desk, if any."""


def main(names: Sequence[str]) -> None:
    """Make those that are named, or all."""
    if unknown := set(names) - {one.name for one in PICTURES}:
        raise SystemExit(f"no picture {', '.join(sorted(unknown))}; there are: {', '.join(p.name for p in PICTURES)}")
    wanted = [one for one in PICTURES if not names or one.name in names]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=ARGUMENTS)
        for name, begun in SCENES.items():
            if not any(one.scene == name for one in wanted):
                continue
            with tempfile.TemporaryDirectory() as folder, begun(Path(folder)) as (made, case), served(made):
                for one in (one for one in wanted if one.scene == name):
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
    page.wait_for_timeout(one.wait_ms)
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
