"""Fixtures: a node whose pages are served, for the tests of one module."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from callers import Caller
from compare_scene import Sea, sea
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
