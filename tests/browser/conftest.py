"""Fixtures: a node whose pages are served, for the tests of one module."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path += [str(Path(__file__).parents[1] / name) for name in ("api", "node")]

from browsing import ARGUMENTS, CHROMIUM, Desk
from callers import Caller
from compare_scene import Sea, sea
from walked_worlds import Worlds
from web_scene import Scene, scene, served


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with scene(tmp_path_factory.mktemp("pages")) as found, served(found):
        yield found


@pytest.fixture(scope="session")
def at_sea(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sea]:
    """A node with tracks, two partners and a folder for recordings, for the modules about them."""
    with sea(tmp_path_factory.mktemp("sea")) as found, served(found):
        yield found


@pytest.fixture
def caller(made: Scene) -> Callable[..., Caller]:
    def make(who: str = "", rung: str = "") -> Caller:
        found = Caller(made)
        return found.sign_in(who, rung) if who else found

    return make


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """One chromium for the tests of a module."""
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        yield found
        found.close()


@pytest.fixture
def desk(made: Scene, browser: Any) -> Iterator[Callable[..., Desk]]:
    """Makes somebody at a browser; at the end nothing may have been complained of."""
    made_here: list[Desk] = []

    def sit(**options: Any) -> Desk:
        made_here.append(Desk(made, browser, **options))
        return made_here[-1]

    yield sit
    for one in made_here:
        assert one.complaints == []
        one.context.close()


@pytest.fixture(scope="session")
def worlds(tmp_path_factory: pytest.TempPathFactory) -> Worlds:
    """The worlds that are walked."""
    return Worlds(tmp_path_factory.mktemp("walk"))
