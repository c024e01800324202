"""The pages in a real browser: without a mouse, without scripts, in light and dark, and with nothing for axe to find.

They run where Debian's chromium is; `make assets` brings axe-core.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from callers import COOKIE, Caller
from web_scene import AUSTRALIAN, OFFICIAL, PASSWORD, Scene

from aldis.kernel.frames import Update
from aldis.kernel.labels import Label

CHROMIUM = Path("/usr/bin/chromium")
AXE = Path(__file__).parents[2] / "web" / "node_modules" / "axe-core" / "axe.min.js"
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
             "--disable-component-update", "--disable-sync"]  # fmt: skip
pytestmark = pytest.mark.skipif(not CHROMIUM.exists(), reason="there is no /usr/bin/chromium")
sync_api = pytest.importorskip("playwright.sync_api")

EVERYONE = ("/records", "/records/survey", "/records/survey/to/gbr", "/records/new", "/records/new?kind=document",
            "/records/parts/revise", "/search?q=cable", "/partners", "/partners/gbr", "/level", "/records/n0ne",
            "/records?cursor=x", "/notices", "/workspace", "/workspace/start", "/live")  # fmt: skip
PROJECT = tuple(
    f"/workspace/NORTHERN-WATCH{place}"
    for place in ("", "/board", "/documents", "/discussions", "/members", "/members/add", "/import", "/activity",
                  "/calendar", "/extend", "/add/task", "/add/file")
)  # fmt: skip
WHOSE = {"alice": (*EVERYONE, *PROJECT), "pat": ("/people", "/people/new", "/people/alice", "/partners/gbr"),
         "audrey": ("/ledger", "/ledger/3")}  # fmt: skip


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
        sync_api.expect(self.page.locator(".level")).to_contain_text(f"Working at {rung}")
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


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        yield found
        found.close()


@pytest.fixture
def desk(made: Scene, browser: Any) -> Iterator[Callable[..., Desk]]:
    made_here: list[Desk] = []

    def sit(**options: Any) -> Desk:
        made_here.append(Desk(made, browser, **options))
        return made_here[-1]

    yield sit
    for one in made_here:
        assert one.complaints == []
        one.context.close()


def faults(page: Any) -> list[str]:
    """What axe-core finds on a page, of every rule it has."""
    if not AXE.exists():
        if os.environ.get("CI"):
            raise AssertionError("axe-core is not there: `make assets`")
        pytest.skip("axe-core is not there: `make assets`")
    page.evaluate(AXE.read_text())
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [f"{one['id']}: {node['html'][:120]}" for one in found["violations"] for node in one["nodes"]]


def test_axe_finds_nothing_on_the_pages_that_everybody_uses(desk: Callable[..., Desk]) -> None:
    page = desk().page
    page.goto("/sign-in")
    assert faults(page) == []
    page = desk(color_scheme="dark").sign_in("alice")
    for path in ("/records", "/records/survey"):
        page.goto(path)
        assert faults(page) == [], path


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_on_any_page(desk: Callable[..., Desk], made: Scene, scheme: str) -> None:
    found: dict[str, list[str]] = {}
    one = desk(color_scheme=scheme)
    for path in ("/sign-in", "/enrol"):
        one.page.goto(path)
        found[path] = faults(one.page)
    made.node.desk.offer("berths", "gbr")
    case = f"/desk/{made.node.desk.cases().cases[0].number}"
    for who, paths in {**WHOSE, "olive": ("/desk", case, "/sample", "/sample/boards/main")}.items():
        one = desk(color_scheme=scheme)
        page = one.sign_in(who)
        for path in paths:
            page.goto(path)
            page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
            found[f"{who} {path}"] = faults(page)
    assert {path: what for path, what in found.items() if what} == {}


@pytest.mark.slow
def test_axe_finds_nothing_on_a_form_that_failed_nor_on_a_narrow_screen(desk: Callable[..., Desk]) -> None:
    one = desk(viewport={"width": 320, "height": 640})
    page = one.sign_in("alice")
    page.goto("/records/new?kind=document")
    page.fill("#marking", "SECRAT")
    page.fill("#v-title", "A title")
    page.click("button[value=store]")
    assert page.locator("[role=alert]").inner_text().startswith("Not done")
    assert faults(page) == []
    for path in (*EVERYONE, *PROJECT):
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth") <= 320, path
        assert faults(page) == []
    page.goto("/workspace/NORTHERN-WATCH/members/add")
    page.fill("#who", "Somebody New")
    page.fill("#marking", "OFFICIAL")
    page.select_option("#cleared", "OFFICIAL")
    page.click("text=Show what they would see")
    assert "What Somebody New would see" in page.locator("#preview").inner_text()
    assert page.evaluate("document.documentElement.scrollWidth") <= 320 and faults(page) == []


def _tab_to(page: Any, name: str, *, most: int = 60) -> None:
    """Press Tab until what has the focus is called so."""
    for _ in range(most):
        page.keyboard.press("Tab")
        said = page.evaluate("document.activeElement.textContent")
        if (said or "").strip().startswith(name):
            outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
            assert outline != "none", f"nobody sees that {name} has the focus"
            return
    raise AssertionError(f"no way to {name!r} with the keyboard")


def test_everything_goes_by_keyboard_alone(desk: Callable[..., Desk]) -> None:
    page = desk().page
    page.goto("/records")
    sync_api.expect(page.locator("#person")).to_be_focused()  # some time after the page has loaded
    page.keyboard.type("alice")
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/level**")
    sync_api.expect(page.locator("button.main")).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_url("**/records")
    assert "Working at OFFICIAL" in page.locator(".level").inner_text()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    _tab_to(page, "S: work at SECRET")
    page.keyboard.press("Enter")
    page.wait_for_function("document.querySelector('.level').innerText.includes('SECRET')")
    _tab_to(page, "VIOLETHARBOUR patrol plan")
    page.keyboard.press("Enter")
    page.wait_for_url("**/records/plan")
    _tab_to(page, "Why, and ask")
    page.keyboard.press("Enter")
    page.wait_for_url("**/records/plan/to/gbr")
    _tab_to(page, "Ask for its release to gbr")
    page.keyboard.press("Enter")
    page.wait_for_url("**done=**")
    assert "leaves with the next bundle" in page.locator("[role=status]").inner_text()


@pytest.mark.slow
def test_what_a_form_holds_survives_the_end_of_a_session(desk: Callable[..., Desk], made: Scene) -> None:
    one = desk()
    page = one.sign_in("alice")
    page.goto("/records/new?kind=document")
    page.fill("#marking", "OFFICIAL")
    page.fill("#v-title", "TYPEDFORHOURS")
    made.node.people.revoke("alice")
    page.click("button[value=store]")
    assert "Your session has ended" in page.locator("h1").inner_text()
    with one.context.expect_page() as opened:
        page.click("text=Sign in in a new tab")
    other = opened.value
    other.fill("#person", "alice")
    other.fill("#password", PASSWORD)
    other.click("button.main")
    other.click('.ladder button[value="SECRET"]')
    page.reload()
    assert page.input_value("#v-title") == "TYPEDFORHOURS"
    page.click("button[value=store]")
    assert "TYPEDFORHOURS" in page.locator("h1").inner_text()


def test_a_marking_is_read_as_it_is_typed_and_scripts_are_not_needed(desk: Callable[..., Desk]) -> None:
    page = desk().sign_in("alice")
    page.goto("/records/new?kind=document")
    if page.locator("script[src*=htmx]").count():
        page.fill("#marking", "SECRET//REL AUS/GBX")
        page.press("#marking", "Tab")
        page.wait_for_selector("#marking-reads .wrong")
        assert "GBX" in page.locator("#marking-reads").inner_text()
    page = desk(java_script_enabled=False).sign_in("alice")
    page.goto("/records/new?kind=document")
    page.fill("#marking", "SECRET//REL AUS/GBX")
    page.fill("#v-title", "Written without scripts")
    page.click("button[value=check]")
    assert "GBX" in page.locator("#marking-reads").inner_text()
    page.fill("#marking", "OFFICIAL")
    page.fill("#project", "NORTHERN-WATCH")
    page.click("button[value=store]")
    assert page.locator("h1").inner_text() == "Written without scripts"
    page.click('.level button[value="OFFICIAL"]')
    assert "Working at OFFICIAL" in page.locator(".level").inner_text()
    page.click("text=Sign out")
    assert page.locator("h1").inner_text() == "Sign in"


@pytest.mark.slow
def test_nothing_that_reaches_a_low_browser_tells_of_what_is_high(desk: Callable[..., Desk], made: Scene) -> None:
    high, low = desk(), desk()
    page = high.sign_in("alice")
    page.goto("/records/survey")
    assert page.locator(".portion").count() == 4
    made.answered.clear()
    page = low.sign_in("bob", "OFFICIAL")
    for path in (*EVERYONE, *PROJECT, *(f"/records/{name}" for name in made.records)):
        page.goto(path)
    told = b"".join(made.answered)
    assert b"Survey of the northern cable" in told
    for word in (b"QUARTZLANTERN", b"VIOLETHARBOUR", b"ONLYOURS", b"SECRET//", b"(S", b"AGAO"):
        assert word not in told, word


def _tell(made: Scene, id_: str, label: Label) -> None:
    made.node.context.publish(label, label, "", Update(id_, "document", "title", made.clock.at, f"value of {id_}"))


def test_live_values_appear_by_themselves_and_go_with_the_session(desk: Callable[..., Desk], made: Scene) -> None:
    page = desk().enter("alice")
    page.goto("/live")
    page.wait_for_selector("#live-pause:visible")
    _tell(made, "calm", OFFICIAL)
    page.wait_for_selector("text=value of calm")
    assert page.locator(".banner").first.inner_text().endswith("OFFICIAL//REL AUS/GBR")
    page.click("#live-pause")
    _tell(made, "storm", AUSTRALIAN)
    page.wait_for_timeout(700)
    assert page.locator("text=value of storm").count() == 0
    page.click("#live-pause")
    page.wait_for_selector("text=value of storm")
    assert [text.endswith("SECRET//AGAO") for text in page.locator(".banner").all_inner_texts()] == [True, True]
    assert faults(page) == []
    made.node.people.revoke("alice")
    page.wait_for_selector("text=what was shown here is taken away", timeout=1500)
    assert page.locator("#live").inner_text() == ""


def test_files_are_sent_with_a_bar_may_be_cancelled_and_go_on_after_a_cut(
    desk: Callable[..., Desk], made: Scene, tmp_path: Path
) -> None:
    file, uploads = tmp_path / "soundings.bin", made.node.core.store.attachments.uploads
    file.write_bytes(bytes(range(256)) * 12_288)
    one = desk()
    page = one.enter("alice")
    page.goto("/records/new?kind=document")
    page.fill("#marking", "OFFICIAL//REL AUS/GBR")
    page.fill("#v-title", "Soundings of the reef")
    page.set_input_files("#f-files", file)
    page.route("**/uploads/*from=2097152", lambda _route: None)
    page.click("button[value=store]")
    page.wait_for_selector("text=Sending soundings.bin: 2.0 MiB of 3.0 MiB")
    assert page.locator(".sending progress").evaluate("bar => 3 * bar.value / bar.max") == 2
    assert page.locator("button[value=store]").is_disabled()
    assert faults(page) == []
    page.click("text=Cancel sending")
    page.wait_for_selector("text=Cancelled: nothing of the form was stored")
    assert [one for one in uploads("alice") if one.digest is None] == []
    page.unroute("**/uploads/*from=2097152")
    page.route("**/uploads/*from=2097152", lambda route: route.abort(), times=1)
    page.click("button[value=store]")
    page.wait_for_url("**done=stored", timeout=15_000)
    assert "3 MiB" in page.locator("table.files").inner_text()
    assert [one.name for one in uploads("alice")] == ["soundings.bin"], "nothing half-done is left"
    one.complaints[:] = [text for text in one.complaints if "net::ERR_FAILED" not in text]


def test_modules_of_an_app_import_one_another_under_the_policy_of_its_page(
    desk: Callable[..., Desk], made: Scene
) -> None:
    page = desk().enter("alice")
    page.goto("/sample/boards/main")
    page.wait_for_selector("text=/By now: (one|[0-9]+) notes?/")
