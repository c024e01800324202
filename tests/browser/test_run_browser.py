"""A run from start to report, in a real browser; and nothing for axe to find on any page of experiments."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from browsing import NEEDS_CHROMIUM, Desk, faults
from click.testing import CliRunner
from run_scene import CASE, Tape, run_scene
from web_scene import OFFICIAL, Scene, served

from aldis.apps.experiments.published import draft_of
from aldis.apps.experiments.web import losses, runs_files, runs_judging
from aldis.interfaces.cli.main import cli

sync_api = pytest.importorskip("playwright.sync_api")
pytestmark = [pytest.mark.slow, NEEDS_CHROMIUM]
RUN = "/of/20261101-080000"
SOME = (RUN, f"{RUN}/cell?source=aus/sea&target=aus/tak&message=track", "/participants", "/tasks")
PAGES = ("", "/cases?example=link-lost", "/findings", "/findings/aus/fnd-low", "/losses", "/losses/dis/csv", *SOME)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with run_scene(tmp_path_factory.mktemp("runs")) as found, served(found):
        yield found


def aldis(made: Scene, *arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(cli, ["--home", str(made.node.core.home.path), *arguments])
    return result.exit_code, result.output


def test_a_run_from_start_to_report(made: Scene, desk: Callable[..., Desk], tmp_path: Path) -> None:
    tape = Tape(made, "20261103-080000")
    tape.go_on(3)
    tape.recorder.flush()
    page = desk(accept_downloads=True).enter("bob", "OFFICIAL")
    page.goto("/experiments/runs")
    page.get_by_role("link", name="Choose test cases").click()
    page.locator("#text").focus()
    page.keyboard.insert_text(CASE)
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.get_by_role("link", name="Back to the runs").click()
    page.get_by_role("link", name="20261103-080000").click()
    case = page.locator('[data-case="own-picture"] .sign')
    sync_api.expect(case).to_contain_text("pending")
    tape.go_on(9)
    tape.recorder.flush()
    sync_api.expect(case).to_contain_text("success", timeout=15_000)
    sync_api.expect(page.locator("#run-state")).to_contain_text("judged again")
    recording = tape.close()
    page.get_by_role("link", name="Look again").click()
    sync_api.expect(page.locator(".facts")).to_contain_text("closed")
    sync_api.expect(case).to_contain_text("success")
    page.get_by_role("link", name="aus/sea to aus/tak").click()
    sync_api.expect(page.locator("main")).to_contain_text("rung by rung")
    page.go_back()
    with page.expect_download() as coming:
        page.get_by_role("link", name="Report (zip").click()
    with zipfile.ZipFile(coming.value.path()) as packed:
        packed.extractall(tmp_path)
    folder = str(tmp_path / "report-20261103-080000")
    code, said = aldis(made, "experiment", "verify", folder)
    assert code == 1 and "AUS  has not signed" in said
    code, said = aldis(made, "experiment", "sign", folder, "--recording", str(recording))
    assert code == 0, said
    code, said = aldis(made, "experiment", "verify", folder, "--recording", str(recording))
    assert code == 0 and "the same findings" in said, said


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 360)])
def test_axe_finds_nothing_on_pages_of_experiments(
    made: Scene, desk: Callable[..., Desk], scheme: str, width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(losses, "PROTOCOLS", ("dis", "csv", "nmea2000"))
    ctx = made.node.context
    if scheme == "light":
        found = runs_judging.judged(ctx, runs_files.run_of(ctx, "20261101-080000"), ()).found
        made.node.records.put(
            draft_of(found, OFFICIAL, record_id="fnd-low", node="aus", at=ctx.now(), project="SEA-TRIAL")
        )
    page = desk(color_scheme=scheme, viewport={"width": width, "height": 800}).enter("alice", "SECRET")
    wrong: dict[str, list[str]] = {}
    for path in PAGES if width > 360 else SOME:
        page.goto(f"/experiments/runs{path}")
        page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
        wrong[path] = faults(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
    assert {path: what for path, what in wrong.items() if what} == {}
