"""The vectors and schemas of the specification are what the kernel makes, and the runner tells good from bad."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from protocol_schemas import FOLDER as SCHEMAS
from protocol_schemas import TYPES, schema
from protocol_schemas import text as schema_text
from protocol_vectors import FILES, FOLDER, text

ROOT = Path(__file__).parents[2]
SPEC = ROOT / "spec"
EVERYTHING_IS_FINE = """
import json, sys
for line in sys.stdin:
    print(json.dumps({"id": json.loads(line)["id"], "ok": {}}), flush=True)
"""
KNOWS_NOTHING = EVERYTHING_IS_FINE.replace('"ok": {}', '"unsupported": True')


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "conformance.run", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.parametrize("file", list(FILES))
def test_the_vectors_are_what_the_kernel_makes(file: str) -> None:
    assert (FOLDER / f"{file}.json").read_text("utf-8") == text(file)


@pytest.mark.parametrize("name", [*TYPES, "portion"])
def test_the_schemas_are_those_of_the_types(name: str) -> None:
    assert (SCHEMAS / f"{name}.json").read_text("utf-8") == schema_text(name)


def test_every_schema_is_closed_and_every_reference_leads_somewhere() -> None:
    for name in TYPES:
        for one in _objects(schema(name)):
            if one.get("properties"):
                assert one["additionalProperties"] is False, (name, one.get("title"))
            if "$ref" in one and not one["$ref"].startswith("#"):
                assert (SCHEMAS / one["$ref"]).exists()


def _objects(value: Any) -> list[dict[str, Any]]:
    if isinstance(value, dict):
        return [value, *(found for child in value.values() for found in _objects(child))]
    return [found for child in value for found in _objects(child)] if isinstance(value, list) else []


def test_aldis_passes_its_own_vectors_to_the_code_of_each_refusal() -> None:
    done = run("--strict", "--", sys.executable, "-m", "conformance.aldis")
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    counts = re.findall(r"(\w+): (\d+) passed, 0 failed, 0 skipped", done.stdout)
    assert [name for name, _ in counts] == ["records", "bundles", "admission", "messages", "ledger"]
    assert all(int(count) > 20 for _, count in counts)


@pytest.mark.parametrize(("program", "status"), [(EVERYTHING_IS_FINE, 1), (KNOWS_NOTHING, 0), ("", 1)])
def test_one_that_believes_everything_fails_and_one_that_knows_nothing_is_skipped(program: str, status: int) -> None:
    done = run("--file", "records", "--", sys.executable, "-c", program)
    assert done.returncode == status
    if program == EVERYTHING_IS_FINE:
        assert "a portion altered: was not refused" in done.stdout
        assert "0 passed" in done.stdout


def test_a_command_that_is_not_there_is_said() -> None:
    done = run("--", "/nowhere/node")
    assert done.returncode == 2
    assert "cannot be run" in done.stderr


def test_the_pages_lead_to_files_that_exist_and_name_every_vector_file() -> None:
    for page in [*SPEC.glob("*.md"), ROOT / "conformance" / "NODE-CLI.md"]:
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text("utf-8")):
            if "docs/" not in target:
                assert (page.parent / target).exists(), (page.name, target)
    index = (SPEC / "README.md").read_text("utf-8")
    for file in FOLDER.glob("*.json"):
        assert f"vectors/{file.name}" in index
    for page in SPEC.glob("*.md"):
        assert page.name == "README.md" or f"({page.name})" in index


def test_every_vector_says_why_once() -> None:
    for file in FILES:
        vectors = json.loads((FOLDER / f"{file}.json").read_text("utf-8"))["vectors"]
        said = [(one["request"]["do"], one["why"]) for one in vectors]
        assert len(set(said)) == len(said)
        assert all(("ok" in one) != ("code" in one) for one in vectors)
