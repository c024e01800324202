"""Files that are whole or not there: what a reader sees while one is written, and after it went wrong."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from aldis.node.whole import whole_file


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_reader_sees_what_was_there_until_all_of_it_is_written(tmp_path: Path) -> None:
    path = tmp_path / "plan"
    path.write_bytes(b"old")
    with whole_file(path) as file:
        file.write(b"new" * 100_000)
        file.flush()
        assert path.read_bytes() == b"old"
        assert names(tmp_path) == ["plan", "plan.part"]
    assert path.read_bytes() == b"new" * 100_000
    assert names(tmp_path) == ["plan"]


@pytest.mark.parametrize("before", [[], ["plan"]])
def test_what_goes_wrong_leaves_what_was_there_and_nothing_else(tmp_path: Path, before: list[str]) -> None:
    for name in before:
        (tmp_path / name).write_bytes(b"old")
    with pytest.raises(KeyError), whole_file(tmp_path / "plan") as file:
        file.write(b"new")
        raise KeyError
    assert names(tmp_path) == before
    assert all((tmp_path / name).read_bytes() == b"old" for name in before)


def test_a_writer_that_is_killed_leaves_what_was_there_and_the_next_one_succeeds(tmp_path: Path) -> None:
    path = tmp_path / "plan"
    path.write_bytes(b"old")
    code = (
        "import os, pathlib, sys; from aldis.node.whole import whole_file\n"
        "with whole_file(pathlib.Path(sys.argv[1])) as file: file.write(b'half' * 9_999); file.flush(); os._exit(9)"
    )
    assert subprocess.run([sys.executable, "-c", code, str(path)], check=False).returncode == 9
    assert path.read_bytes() == b"old"
    assert (tmp_path / "plan.part").stat().st_size
    with whole_file(path) as file:
        file.write(b"new")
    assert path.read_bytes() == b"new"
    assert names(tmp_path) == ["plan"]


def test_only_its_owner_can_read_a_private_one_whatever_lay_there(tmp_path: Path) -> None:
    was = os.umask(0o022)
    try:
        part = tmp_path / "keys.part"
        part.write_bytes(b"left behind")
        part.chmod(0o644)
        for name, private in (("keys", True), ("plan", False)):
            with whole_file(tmp_path / name, private=private) as file:
                assert stat.S_IMODE(os.fstat(file.fileno()).st_mode) == (0o600 if private else 0o644)
    finally:
        os.umask(was)


def test_it_is_never_written_through_a_link(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_bytes(b"untouched")
    (tmp_path / "plan.part").symlink_to(other)
    with pytest.raises(OSError, match=r"plan\.part"), whole_file(tmp_path / "plan") as file:
        file.write(b"new")
    assert other.read_bytes() == b"untouched"
    assert not (tmp_path / "plan").exists()
