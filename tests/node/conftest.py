"""Fixtures: a coalition that is paired and arranged, and two nations that have yet to meet."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from nations import NATIONS, Coalition


@pytest.fixture(scope="session")
def _paired(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, int]:
    """AUS, GBR and USA, each paired with both others, the arrangement in force; and the time by then."""
    coalition = Coalition(tmp_path_factory.mktemp("paired"))
    for name in NATIONS:
        coalition.add(name)
    for one, other in (("aus", "gbr"), ("aus", "usa"), ("gbr", "usa")):
        coalition.pair(one, other)
    coalition.settle()
    coalition.arrange()
    coalition.close()
    return coalition.folder, coalition.clock.at


@pytest.fixture
def coalition(_paired: tuple[Path, int], tmp_path: Path) -> Iterator[Coalition]:
    """Three nations, paired, with an arrangement that lets GBR pass on to USA what AUS grants."""
    folder, at = _paired
    shutil.copytree(folder, tmp_path / "nodes")
    made = Coalition(tmp_path / "nodes")
    made.clock.at = at
    for name in NATIONS:
        made.open(name)
    yield made
    made.close()


@pytest.fixture
def strangers(tmp_path: Path) -> Iterator[Coalition]:
    """AUS and GBR, not yet paired."""
    made = Coalition(tmp_path)
    for name in ("aus", "gbr"):
        made.add(name)
    yield made
    made.close()
