import os
from pathlib import Path

import pytest

from aldis.apps.experiments.recording import cached_recording, default_cache

REPOSITORY = Path(__file__).parents[3]


@pytest.fixture(scope="session")
def dma_stream() -> Path:
    """28 s of the Danish Maritime Authority's AIS network, 11 June 2010."""
    folder = Path(os.environ.get("ALDIS_TEST_DATA") or REPOSITORY.parent / "shared" / "data")
    path = folder / "ais" / "dma-stream-2010-06-11.nmea"
    if not path.exists():
        pytest.skip(f"no {path}: set ALDIS_TEST_DATA to the folder of test data")
    return path


@pytest.fixture(scope="session")
def porkkala() -> Path:
    """Ten minutes of NMEA 2000 off Porkkala, 15 August 2014."""
    path = cached_recording(default_cache())
    if path is None:
        pytest.skip(f"no recording in {default_cache()}: `make setup` fetches it")
    return path
