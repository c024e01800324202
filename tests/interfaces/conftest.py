from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from cli_nations import Coalition, agree, nation, pair


@pytest.fixture(scope="session")
def _paired(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three nations, paired and in agreement; made once, copied for each test."""
    folder = tmp_path_factory.mktemp("coalition")
    coalition = Coalition(*(nation(party, folder) for party in ("AUS", "GBR", "USA")))
    pair(coalition.aus, coalition.gbr)
    pair(coalition.aus, coalition.usa)
    pair(coalition.gbr, coalition.usa)
    agree(coalition)
    return folder


@pytest.fixture
def coalition(_paired: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Coalition:
    """AUS, GBR and USA, paired, with Northern Watch in force between them."""
    shutil.copytree(_paired, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return Coalition.at(tmp_path)
