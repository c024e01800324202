"""Fixtures: a node that is served, from a folder made once."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[1] / "node"))

from port_world import World, make_node, open_node, put, served


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A node with people and three documents that all of them may see."""
    made = tmp_path_factory.mktemp("served") / "aus"
    make_node(made)
    with open_node(made, seed=2) as node:
        for number in range(3):
            put(node, f"doc-{number}", f"Patrol {number}")
    return made


@pytest.fixture
def world(folder: Path, tmp_path: Path) -> Iterator[World]:
    """That node, served."""
    shutil.copytree(folder, tmp_path / "aus")
    with served(tmp_path / "aus") as made:
        yield made
