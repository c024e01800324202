"""The unit and the container file: as far as they can be judged without a service manager or an engine running."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from click import Context
from click.testing import CliRunner

from aldis.interfaces.cli.main import cli
from aldis.node.config import describe

ROOT = Path(__file__).parent.parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
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


def test_the_container_starts_what_is_installed_where_it_is_and_listens_where_it_says() -> None:
    found = instructions()
    given = dict(found)
    settings = dict(one.partition("=")[::2] for one in given["ENV"].split())
    stages = {words.partition(" AS ")[2] for name, words in found if name == "FROM"}
    for words in (words for name, words in found if name == "COPY" and words.startswith("--from=")):
        stage, made, where = words.removeprefix("--from=").split()
        assert stage in stages and settings["PATH"].startswith(f"{where}/bin:") and made == where
        assert any(f"python -m venv {made} " in line and f"{made}/bin/pip install" in line for _, line in found)
    assert {name for name in settings if name.startswith("ALDIS_")} - {"ALDIS_HOME"} <= {
        f"ALDIS_{name.upper()}" for name in describe()
    }
    assert settings["ALDIS_HOME"] == given["VOLUME"]
    assert settings["ALDIS_LISTEN"].rpartition(":")[2] == given["EXPOSE"]
    assert [given["ENTRYPOINT"], given["CMD"]] == ['["aldis"]', '["up"]']
    assert PROJECT["scripts"].keys() == {"aldis"} and "up" in cli.list_commands(Context(cli))


@pytest.mark.parametrize("place", ["packaging/Containerfile", "docs/how-to/run-in-production.md"])
def test_what_is_installed_is_this_project_with_extras_that_it_has(place: str) -> None:
    [extras] = re.findall(r"pip install [^\n']*'\.\[([a-z,]+)\]'", (ROOT / place).read_text())
    assert set(extras.split(",")) <= PROJECT["optional-dependencies"].keys()


def test_the_how_to_puts_the_unit_and_the_program_where_the_unit_looks() -> None:
    page, found = (ROOT / "docs/how-to/run-in-production.md").read_text(), unit()
    program = found["ExecStart"].split()[0]
    assert f"python3 -m venv {program.removesuffix('/bin/aldis')} " in page and f"-- {program} " in page
    home = found["Environment"].removeprefix("ALDIS_HOME=").replace("%S", "/var/lib")
    assert f"install -d -o {found['User']} -g {found['Group']} -m 0700 {home.replace('%i', 'aus-low')}" in page


def test_what_the_container_copies_makes_a_package_with_all_that_it_reads(tmp_path: Path) -> None:
    for name, words in instructions():
        if name == "COPY" and not words.startswith("--from"):
            for path in words.split()[:-1]:
                if (ROOT / path).is_dir():
                    shutil.copytree(ROOT / path, tmp_path / path, ignore=shutil.ignore_patterns("__pycache__"))
                else:
                    shutil.copy(ROOT / path, tmp_path)
    htmx = tmp_path / "src/aldis/interfaces/web/static/vendor/htmx.min.js"
    htmx.parent.mkdir(exist_ok=True)
    htmx.write_text("// as `make assets` puts it")
    code = "import hatchling.build as made; print(made.build_wheel('.'))"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    with zipfile.ZipFile(tmp_path / done.stdout.split()[-1]) as wheel:
        packed = set(wheel.namelist())
    here = {path.relative_to(tmp_path / "src").as_posix() for path in (tmp_path / "src").rglob("*") if path.is_file()}
    assert here - packed == set()


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
