"""Nations that run a project together: real nodes, and a fourth that has yet to join."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[2] / "node"))

from nations import Coalition
from worksites import ARRANGEMENT, NATIONS


@pytest.fixture(scope="session")
def _agreed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, int]:
    """AUS, GBR and USA with an arrangement for the project; NZL is paired with AUS and GBR, and party to nothing."""
    coalition = Coalition(tmp_path_factory.mktemp("project"))
    for name, (party, policy) in NATIONS.items():
        coalition.add(name, party=party, policy=policy, ceiling="SECRET")
    for one, other in (("aus", "gbr"), ("aus", "usa"), ("gbr", "usa"), ("aus", "nzl"), ("gbr", "nzl")):
        coalition.pair(one, other)
    coalition.settle()
    coalition.arrange(ARRANGEMENT)
    coalition.close()
    return coalition.folder, coalition.clock.at


@pytest.fixture
def coalition(_agreed: tuple[Path, int], tmp_path: Path) -> Iterator[Coalition]:
    """Four nations, three of them in the project."""
    folder, at = _agreed
    shutil.copytree(folder, tmp_path / "nodes")
    made = Coalition(tmp_path / "nodes")
    made.clock.at = at
    for name in NATIONS:
        made.open(name)
    yield made
    made.close()
