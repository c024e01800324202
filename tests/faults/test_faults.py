"""A few schedules in every test run; `python -m tests.faults` plays any number."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from fault_schedule import run
from fault_world import prepare


@pytest.fixture(scope="module")
def saved() -> Iterator[Path]:
    with TemporaryDirectory(prefix="aldis-faults-") as folder:
        prepare(Path(folder))
        yield Path(folder)


@pytest.mark.parametrize("seed", range(10))
def test_every_invariant_holds_after_a_schedule_of_faults(saved: Path, seed: int) -> None:
    log = run(saved, seed)
    assert len(log) >= 10


def test_a_seed_means_the_same_schedule(saved: Path) -> None:
    assert run(saved, 7) == run(saved, 7)
