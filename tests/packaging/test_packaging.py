"""The unit and the container file: as far as they can be judged without a service manager or an engine running."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

from aldis.interfaces.cli.main import cli

ROOT = Path(__file__).parent.parent.parent
UNIT = ROOT / "packaging" / "aldis@.service"
INSTRUCTIONS = {
    "ARG", "FROM", "WORKDIR", "COPY", "RUN", "ENV", "VOLUME", "USER", "EXPOSE", "STOPSIGNAL", "HEALTHCHECK",
    "ENTRYPOINT", "CMD",
}  # fmt: skip
HARDENED = {
    "NoNewPrivileges": "yes", "ProtectSystem": "strict", "ProtectHome": "yes", "PrivateTmp": "yes", "Type": "notify",
    "CapabilityBoundingSet": "", "RestrictNamespaces": "yes", "MemoryDenyWriteExecute": None,
}  # fmt: skip


def unit() -> dict[str, str]:
    return dict(re.findall(r"^([A-Za-z]+)=(.*)$", UNIT.read_text(), re.MULTILINE))


def instructions() -> list[tuple[str, str]]:
    text = re.sub(r"\\\n", " ", (ROOT / "packaging" / "Containerfile").read_text())
    return [(line.partition(" ")[0], line.partition(" ")[2]) for line in text.splitlines() if line and line[0] != "#"]


def test_the_unit_is_hardened_and_stops_later_than_the_node_does() -> None:
    found = unit()
    assert {name: found.get(name) for name in HARDENED} == HARDENED
    assert found["User"] == "aldis" and int(found["TimeoutStopSec"]) > 10
    assert found["ExecStart"].split()[1:] == ["up"]


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not here")
def test_systemd_finds_nothing_wrong_with_the_unit(tmp_path: Path) -> None:
    here = tmp_path / "aldis@.service"
    here.write_text(UNIT.read_text().replace("/opt/aldis/bin/aldis", "/bin/true"))
    words = ["systemd-analyze", "verify", "--recursive-errors=no", str(here)]
    result = subprocess.run(words, capture_output=True, text=True, timeout=60)
    said = [line for line in (result.stdout + result.stderr).splitlines() if "aldis@" in line]
    assert said == [] and result.returncode == 0, result.stderr


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not here")
def test_systemd_calls_the_unit_little_exposed(tmp_path: Path) -> None:
    here = tmp_path / "aldis@low.service"
    here.write_text(UNIT.read_text())
    words = ["systemd-analyze", "security", "--offline=yes", "--threshold=25", "--no-pager", str(here)]
    result = subprocess.run(words, capture_output=True, text=True, timeout=60)
    assert result.returncode == 0, result.stdout[-2000:] + result.stderr


def test_the_container_file_is_of_known_instructions_on_files_that_are_there() -> None:
    found = instructions()
    assert {name for name, _ in found} <= INSTRUCTIONS
    for name, words in found:
        if name == "COPY" and not words.startswith("--from"):
            assert all((ROOT / path).exists() for path in words.split()[:-1]), words
    for name, words in found:
        if name in ("CMD", "ENTRYPOINT") or (name == "HEALTHCHECK" and "CMD" in words):
            assert re.search(r"\[(\"[^\"]+\"(, )?)+\]$", words), words


def test_the_container_is_not_root_has_one_volume_and_is_asked_for_its_health() -> None:
    found = instructions()
    order = [name for name, _ in found]
    assert dict(found)["USER"] == "10001:10001" and order.index("USER") < order.index("ENTRYPOINT")
    assert order.count("VOLUME") == 1 and dict(found)["VOLUME"] == "/var/lib/aldis"
    health = re.findall(r'"([^"]+)"', dict(found)["HEALTHCHECK"])
    assert health[0] == "aldis" and CliRunner().invoke(cli, [*health[1:], "--help"]).exit_code == 0
    assert not re.search("secret|password|token", (ROOT / "packaging" / "Containerfile").read_text(), re.IGNORECASE)


def test_the_shell_lines_of_the_container_file_can_be_parsed() -> None:
    for name, words in instructions():
        if name == "RUN":
            assert shlex.split(words)
            assert subprocess.run(["sh", "-n", "-c", words], check=False).returncode == 0


def test_every_dependency_is_pinned_by_the_line_that_the_container_reads() -> None:
    pins = [
        line.rstrip(" \\")
        for line in (ROOT / "requirements" / "dev.txt").read_text().splitlines()
        if re.match(r"[a-z0-9._-]+==", line)
    ]
    assert len(pins) > 20 and all(re.fullmatch(r"[a-z0-9._-]+==[^ ]+( ;.*)?", pin) for pin in pins)
