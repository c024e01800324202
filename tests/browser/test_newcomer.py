"""The first ten minutes of a newcomer, at two nodes that are programs of their own, with nothing but their pages.

From two empty folders: the link that `aldis up` prints, the first administrator, pairing by files, a record with
portion marks, an agreement that both sign, a release, its arrival at the partner, and why something else did not go.
"""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from browsing import NEEDS_CHROMIUM, faults

pytestmark = [NEEDS_CHROMIUM, pytest.mark.slow]
PASSWORD = "four or five words do"
AGREEMENT = """\
instrument = "arrangement"
id = "pa-reef-survey"
title = "Survey of the reef"
parties = ["AUS", "GBR"]
from = 2026-01-01
until = 2035-12-31

[[clause]]
id = "1"
kinds = ["document"]
projects = ["REEF"]
purposes = ["survey"]
ceiling = { AUS = "OFFICIAL", UK = "OFFICIAL" }
"""


@contextmanager
def node(folder: Path, party: str) -> Iterator[str]:
    """A node that is up, from an empty folder; the link that it prints."""
    environment = {**os.environ, "ALDIS_HOME": str(folder), "PYTHONUNBUFFERED": "1"}
    aldis = [sys.executable, "-m", "aldis"]
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    listen = ["--listen", f"127.0.0.1:{port}"]
    subprocess.run(
        [*aldis, "init", party, "--ceiling", "SECRET", *listen], env=environment, check=True, capture_output=True
    )
    up = subprocess.Popen(
        [*aldis, "up", "--http", "127.0.0.1:0", "--link"], env=environment, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        assert up.stdout is not None
        yield next(line.strip() for line in up.stdout if "/sign-in/" in line)
    finally:
        up.terminate()
        up.wait(20)
        if up.stdout is not None:
            up.stdout.close()


def begin(browser: Any, link: str, party: str, rung: str) -> Any:
    """The page of somebody who came by the link, is the first administrator now, and works at a level."""
    page = browser.new_context(base_url=link.partition("/sign-in")[0], accept_downloads=True).new_page()
    page.goto(link)
    page.wait_for_function("document.querySelector('#code').value.length > 20")
    page.fill("#person", "first")
    page.fill("#name", f"First of {party}")
    page.fill("#password", PASSWORD)
    page.fill("#again", PASSWORD)
    page.select_option("#clearance", "SECRET")
    for box in page.locator("input[name=role]").all():
        box.check()
    page.click("text=Begin")
    page.wait_for_url("**/level**")
    page.click(f'.ladder button[value="{rung}"]')
    page.wait_for_url(lambda url: "/level" not in url)
    assert f"Working at {rung}" in page.inner_text(".level")
    return page


def pair(aus: Any, gbr: Any, folder: Path) -> None:
    """By an invitation and its reply, each compared by digits."""
    aus.goto("/partners")
    aus.click("a[href='/pairing']")
    aus.fill("#party", "GBR")
    aus.click("text=Make an invitation")
    digits = _digits(aus.inner_text("section[role=status]"))
    invitation = _downloaded(aus, "text=Download the invitation", folder)
    _join(gbr, invitation, digits)
    reply = _downloaded(gbr, "a[href^='/pairing/replies/']", folder)
    _join(aus, reply, _digits(gbr.inner_text("main").partition("eply")[2]))
    assert "gbr" in aus.inner_text("h1")


def _join(page: Any, file: Path, digits: str) -> None:
    page.goto("/pairing")
    page.set_input_files("#file", file)
    page.click("text=Look at it")
    page.fill("#digits", digits)
    page.click("text=Compare, and pair")
    page.wait_for_url("**/partners/**")


def _downloaded(page: Any, what: str, folder: Path) -> Path:
    with page.expect_download() as found:
        page.click(what)
    path = folder / str(found.value.suggested_filename)
    found.value.save_as(path)
    return path


def _digits(text: str) -> str:
    found = re.search(r"(?:\d{5}\s+){5}\d{5}", text)
    assert found, text
    return " ".join(found[0].split())


def write(page: Any, title: str, project: str, body: str, marking: str) -> str:
    """A record whose body has a marking of its own; its page."""
    page.goto("/records/new?kind=document")
    page.fill("#marking", "OFFICIAL//REL AUS/GBR")
    page.fill("#project", project)
    page.fill("#v-title", title)
    page.fill("[name='body.value']", body)
    page.fill("[name='body.marking']", marking)
    page.click("button[value=store]")
    page.wait_for_url("**done=stored")
    assert page.inner_text("h1") == title
    return str(page.url.partition("?")[0])


def agree(aus: Any, gbr: Any) -> None:
    """An agreement that one drafts and both sign."""
    aus.goto("/drafts")
    given = re.search(r'id = "pa-new-([0-9a-f]+)"', aus.input_value("#text"))
    assert given
    aus.fill("#text", AGREEMENT.replace("pa-reef-survey", f"pa-reef-survey-{given[1]}"))
    aus.click("button[value=draft]")
    aus.wait_for_load_state()
    assert "/instruments/" in aus.url, aus.inner_text("main")
    for page in (aus, gbr):
        comes(page, "/instruments", "Survey of the reef")
        page.goto(f"/instruments/pa-reef-survey-{given[1]}/sign")
        page.check("#read")
        page.click("button.main:has-text('Sign')")
        page.wait_for_url(lambda url: not url.endswith("/sign"))


def comes(page: Any, path: str, words: str) -> None:
    """Look again until a page says something, for at most 40 seconds."""
    for _ in range(80):
        page.goto(path)
        if words in page.inner_text("main"):
            return
        page.wait_for_timeout(500)
    said = page.inner_text("main")
    page.goto("/partners")
    raise AssertionError(f"{words!r} did not come to {path}: {said[:1000]}; {page.inner_text('main')}")


def test_from_two_empty_folders_to_a_release_and_why_the_rest_stayed(browser: Any, tmp_path: Path) -> None:
    with node(tmp_path / "aus", "AUS") as link, node(tmp_path / "gbr", "GBR") as other:
        aus = begin(browser, link, "AUS", "OFFICIAL")
        gbr = begin(browser, other, "GBR", "SECRET")  # under whose OFFICIAL no rule puts what is OFFICIAL to AUS
        pair(aus, gbr, tmp_path)
        survey = write(aus, "Depths of the reef", "REEF", "Nine metres.", "OFFICIAL//REL AUS/GBR")
        agree(aus, gbr)
        aus.goto(f"{survey}/to/gbr")
        aus.click("button:has-text('Ask for its release')")
        aus.wait_for_url("**done=**")
        comes(gbr, "/records", "Depths of the reef")
        gbr.click("text=Depths of the reef")
        assert "Nine metres." in gbr.inner_text("main") and "OFFICIAL" in gbr.inner_text(".banner >> nth=0")
        assert faults(gbr) == []
        other_page = write(aus, "Berths at the quay", "QUAY", "Six.", "OFFICIAL//REL AUS/GBR")
        aus.goto(f"{other_page}/to/gbr")
        said = aus.inner_text("main")
        assert "gbr gets nothing" in said or "stays" in said, said
        assert faults(aus) == []
        gbr.goto("/records")
        assert "Berths" not in gbr.inner_text("main")
