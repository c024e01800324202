"""How many frames a second a browser draws of a live picture of 1,000 tracks, each moved ten times a second.

    python -m benchmarks.picture [--quick]

A node publishes the tracks and serves its own page, in Debian's chromium without a screen and with WebGL drawn by the
processor. The peer is a page with the same map, rows and symbols from the same stream, drawn by a symbol layer of
MapLibre that is given all of them by `setData` with each event, and without a table. They take turns; frames are those
of `requestAnimationFrame`. A run counts only where at least seven events a second arrived.
"""

from __future__ import annotations

import math
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlencode, urlsplit

import uvicorn
from playwright.sync_api import Browser, sync_playwright
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route

from aldis.app import Live
from aldis.apps.experiments import app as experiments
from aldis.interfaces.api.limits import Limits
from aldis.interfaces.web import site
from aldis.interfaces.web.assets import Assets
from aldis.interfaces.web.guard import COOKIE
from aldis.interfaces.web.headers import policy
from aldis.kernel.frames import Update
from aldis.kernel.labels import Label
from aldis.node.config import Config
from aldis.node.home import make_home
from aldis.node.node import Node
from aldis.node.people import Account, Cost, Passwords
from benchmarks.report import median_spread, report

TRACKS, EVERY_S, TARGET, LEAST = 1_000, 0.1, 50, 7
RUNS, SECONDS = (1, 4.0) if "--quick" in sys.argv else (3, 8.0)
PASSWORD = "a long enough password"
LABEL = Label("AUS", "OFFICIAL")
CHROMIUM = "/usr/bin/chromium"
SOFTWARE = ["--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
PEER = """<!doctype html><title>peer</title><link rel="stylesheet" href="{css}">
<div id="map" class="sea" data-worker="{worker}" data-coast="{coast}"></div>
<script nonce="{nonce}" src="{milsymbol}"></script>
<script type="module" nonce="{nonce}">
import {{ base, fit }} from "{base}";
import {{ Rows, place }} from "{rows}";
import {{ symbol }} from "{symbols}";
const map = await base(document.getElementById("map"), document.getElementById("map").dataset);
await new Promise((done) => map.loaded() ? done() : map.once("load", done));
const rows = new Rows(), point = ({{ key, sidc, ...row }}) => ({{
  type: "Feature", properties: {{ sidc }}, geometry: {{ type: "Point", coordinates: place(row).toReversed() }} }});
const all = () => ({{ type: "FeatureCollection", features: [...rows.byKey.values()].filter(place).map(point) }});
map.addSource("tracks", {{ type: "geojson", data: all() }});
map.addLayer({{ id: "tracks", type: "symbol", source: "tracks",
  layout: {{ "icon-image": ["get", "sidc"], "icon-allow-overlap": true, "icon-ignore-placement": true }} }});
let fitted = false;
new EventSource("/experiments/picture/feed").addEventListener("feed", (event) => {{
  rows.take(JSON.parse(event.data));
  for (const {{ sidc }} of rows.byKey.values()) if (!map.hasImage(sidc)) {{
    const {{ image }} = symbol(sidc);
    map.addImage(sidc, image.getContext("2d").getImageData(0, 0, image.width, image.height));
  }}
  map.getSource("tracks").setData(all());
  if (!fitted) {{ fitted = true; fit(map, [...rows.byKey.values()].map(place)); }}
}});
</script>"""
COUNT = """() => {
  window.seen = { events: 0, frames: [] };
  const Source = window.EventSource;
  window.EventSource = class extends Source {
    addEventListener(name, heard) {
      super.addEventListener(name, (event) => { if (name === "feed") window.seen.events++; heard(event); });
    }
  };
  const tick = (at) => { window.seen.frames.push(at); requestAnimationFrame(tick); };
  requestAnimationFrame(tick);
}"""


@contextmanager
def node() -> Iterator[tuple[Node, str, str]]:
    """A node whose pages are served, beside that of the peer; its address, and the session of somebody there."""
    with TemporaryDirectory() as folder:
        make_home(Path(folder), Config(node="aus", party="AUS", policy="AUS", ceiling="SECRET"), now=_now())
        with Node.open(Path(folder), environment={}, apps={"experiments": experiments}) as made:
            made.people.passwords = Passwords(made.core.random, Cost(32, 1, 4))
            account = Account(id="alice", name="A", nationality="AUS", clearance={"AUS": "SECRET"}, projects=["*"])
            made.people.enrol("alice", made.people.add(account), PASSWORD)
            app = Starlette(routes=[Route("/peer", _peer(Assets(made.apps))), *site(made, Limits(person_rate=1e6))])
            server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error", lifespan="off", access_log=False))
            thread = threading.Thread(target=server.run, daemon=True)
            thread.start()
            while not server.started:
                time.sleep(0.01)
            url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
            try:
                yield made, url, _session(url)
            finally:
                server.should_exit = True
                thread.join(5)


def publish(made: Node, end: threading.Event) -> None:
    """Move every track ten times a second; what does not move is told once."""
    context, kinds, step = made.context, (30, 35, 52, 60, 70, 80), 0
    for number in range(TRACKS):
        still = {
            "identity": {"name": f"SHIP {number:04}"},
            "type": {"ship_type": kinds[number % len(kinds)]},
            "motion": {"speed_mps": 6.0, "course_deg": float(number % 360), "at": _now()},
        }
        context.told([_live(number, portion, value) for portion, value in still.items()])
    due = time.monotonic()
    while not end.is_set():
        step += 1
        at, moved = _now(), []
        for number in range(TRACKS):
            angle, far = number + step * 0.002, 0.05 + 0.4 * (number % 50) / 50
            place = {"lat_deg": 59.8 + far * math.sin(angle), "lon_deg": 24.8 + 2 * far * math.cos(angle), "at": at}
            moved.append(_live(number, "position", place))
        context.told(moved)
        due = max(due + EVERY_S, time.monotonic())
        time.sleep(max(0.0, due - time.monotonic()))


def measure(browser: Browser, url: str, token: str, path: str) -> tuple[float, float, float]:
    """Frames and events a second of one page, and the longest that any frame took in 95 of 100 cases, in ms."""
    context = browser.new_context(base_url=url, viewport={"width": 1280, "height": 860})
    cookie: Any = {"name": COOKIE, "value": token, "url": url.replace("http:", "https:"), "secure": True,
                   "httpOnly": True, "sameSite": "Strict"}  # fmt: skip
    context.add_cookies([cookie])
    page = context.new_page()
    page.add_init_script(f"({COUNT})()")
    page.goto(path)
    page.wait_for_timeout(5000)
    page.evaluate("window.seen.events = 0, window.seen.frames = []")
    page.wait_for_timeout(1000 * SECONDS)
    seen = page.evaluate("window.seen")
    if "--pictures" in sys.argv:
        page.screenshot(path=f"/tmp/picture-{path.strip('/').replace('/', '-')}.png")
    context.close()
    frames = seen["frames"]
    span = (frames[-1] - frames[0]) / 1000
    longest = sorted(b - a for a, b in pairwise(frames))
    return (len(frames) - 1) / span, seen["events"] / span, longest[int(0.95 * len(longest))]


def main() -> None:
    """Measure both in turn, and report."""
    own, other, events, slow = list[float](), list[float](), list[float](), list[float]()
    with node() as (made, url, token), sync_playwright() as playwright:
        end = threading.Event()
        sender = threading.Thread(target=publish, args=(made, end), daemon=True)
        sender.start()
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=SOFTWARE)
        for _ in range(RUNS):
            frames, heard, tail = measure(browser, url, token, "/experiments/picture")
            own.append(frames)
            events.append(heard)
            slow.append(tail)
            frames, heard, _ = measure(browser, url, token, "/peer")
            other.append(frames)
            said = f"{own[-1]:.1f} frames/s at {events[-1]:.1f} events/s, 95 of 100 within {slow[-1]:.0f} ms"
            print(f"{said}; symbol layer {frames:.1f} at {heard:.1f}", file=sys.stderr)
        browser.close()
        end.set()
        sender.join()
    figure, spread = median_spread(own)
    peer, _ = median_spread(other)
    met = figure >= TARGET and min(events) >= LEAST
    peer_name, target = "MapLibre symbol layer with setData", f">= {TARGET} frames/s"
    report("picture, 1,000 tracks at 10 Hz", peer_name, figure / peer, target, met, figure, "frames/s", spread)


def _live(number: int, portion: str, value: Any) -> Live:
    return Live("", LABEL, Update(f"trk-{number:04}", "track", portion, _now(), value), LABEL, "BENCH")


def _peer(assets: Assets) -> Any:
    names = {"css": "picture.css", "base": "base.js", "rows": "rows.js", "symbols": "symbols.js"}
    names |= {"worker": "vendor/maplibre-gl-worker.mjs", "coast": "vendor/coastline.json"}
    names["milsymbol"] = "vendor/milsymbol.js"
    values = {name: assets.address(f"experiments/{file}") for name, file in names.items()}

    async def page(_request: Request) -> HTMLResponse:
        headers = {"content-security-policy": policy("peer", workers=True)}
        return HTMLResponse(PEER.format(nonce="peer", **values), headers=headers)

    return page


def _session(url: str) -> str:
    connection = HTTPConnection(urlsplit(url).netloc)
    form = urlencode({"person": "alice", "password": PASSWORD})
    kind = {"Sec-Fetch-Site": "same-origin", "Content-Type": "application/x-www-form-urlencoded"}
    connection.request("POST", "/sign-in", form, kind)
    cookie = connection.getresponse().getheader("set-cookie") or ""
    connection.close()
    return cookie.partition("=")[2].partition(";")[0].strip('"')


def _now() -> int:
    return time.time_ns() // 1_000_000


if __name__ == "__main__":
    main()
