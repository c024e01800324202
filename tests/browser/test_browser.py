"""The pages in a real browser: without a mouse, without scripts, in light and dark, and with nothing for axe to find.

They run where Debian's chromium is; `make assets` brings axe-core.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from browsing import NEEDS_CHROMIUM, Desk, faults, tab_to
from web_scene import AUSTRALIAN, OFFICIAL, PASSWORD, Scene

from aldis.kernel.frames import Update
from aldis.kernel.labels import Label

pytestmark = NEEDS_CHROMIUM
sync_api = pytest.importorskip("playwright.sync_api")

EVERYONE = ("/", "/records", "/records/survey", "/records/survey/to/gbr", "/records/new", "/records/new?kind=document",
            "/records/parts/revise", "/search?q=cable", "/partners", "/partners/gbr", "/level", "/records/n0ne",
            "/records?cursor=x", "/notices", "/workspace", "/workspace/start", "/live")  # fmt: skip
PROJECT = tuple(
    f"/workspace/NORTHERN-WATCH{place}"
    for place in ("", "/board", "/documents", "/discussions", "/members", "/members/add", "/import", "/activity",
                  "/calendar", "/extend", "/add/task", "/add/file")
)  # fmt: skip
WHOSE = {"alice": (*EVERYONE, *PROJECT), "pat": ("/people", "/people/new", "/people/alice", "/partners/gbr",
                                                   "/records/survey/person?who=bob"),
         "audrey": ("/ledger", "/ledger/3")}  # fmt: skip


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
    tab_to(page, "S: work at SECRET")
    page.keyboard.press("Enter")
    page.wait_for_function("document.querySelector('.level').innerText.includes('SECRET')")
    tab_to(page, "VIOLETHARBOUR patrol plan")
    page.keyboard.press("Enter")
    page.wait_for_url("**/records/plan")
    tab_to(page, "Why, and ask")
    page.keyboard.press("Enter")
    page.wait_for_url("**/records/plan/to/gbr")
    tab_to(page, "Ask for its release to gbr")
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
