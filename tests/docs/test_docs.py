"""What the documentation says is so: links, commands, settings, kinds, errors, words, and the sessions in it."""

from __future__ import annotations

import re
import runpy
import shutil
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from doc_sessions import Session, blocks, commands, starts_from

from aldis import testing
from aldis.app import find_apps
from aldis.interfaces.cli.main import TABLE, cli
from aldis.kernel import errors
from aldis.kernel.errors import AldisError
from aldis.kernel.instruments import Action, Form, parse_instrument
from aldis.kernel.labels import CategoryType
from aldis.kernel.markings import parse
from aldis.kernel.policies import builtin
from aldis.kernel.records import Kind
from aldis.kernel.rules import evidence_fields
from aldis.node.config import describe
from aldis.node.instruments import KINDS

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    path.relative_to(ROOT).as_posix()
    for folder, pattern in (("", "*.md"), ("docs", "**/*.md"), ("spec", "**/*.md"), ("conformance", "**/*.md"))
    for path in (ROOT / folder).glob(pattern)
)
OWN = [page for page in PAGES if not page.startswith(("spec/", "conformance/"))]
SESSIONS = [
    page for page in OWN if any(block.language == "console" for block in blocks((ROOT / page).read_text("utf-8")))
]
QUICK = ("README.md", "docs/reference/testing.md")
AT = 1_767_225_600_000  # 2026-01-01

WORDS = (
    "party", "node", "record", "portion", "label", "marking", "banner", "instrument", "release", "bundle", "exchange",
    "admission", "ledger", "app",
    "profile", "policy epoch", "grant", "substitute", "decoy", "frame", "receipt", "cursor", "greeting", "checkpoint",
    "cosignature", "hold", "referral", "quarantine",
)  # fmt: skip
BANNED = re.compile(
    r"\bsessions?\b of the project|\bchatbot|\blanguage model|\bassistant\b|\bprompt(ed|s)?\b|\bA\.?I\.?-generated|"
    r"pypi\.org|files\.pythonhosted|registry\.npmjs|registry-1\.docker|proxy\.golang",
    re.IGNORECASE,
)


@cache
def text(page: str) -> str:
    return (ROOT / page).read_text("utf-8")


def prose(page: str) -> str:
    """A page without its fenced blocks."""
    return re.sub(r"^ *```.*?^ *```$", "", text(page), flags=re.DOTALL | re.MULTILINE)


def anchors(page: str) -> set[str]:
    """The anchors of a page's headings, as forges make them."""
    found = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in found}


# links and paths


@pytest.mark.parametrize("page", PAGES)
def test_every_relative_link_resolves(page: str) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(page)):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        there = (ROOT / page).parent / path if path else ROOT / page
        assert there.exists(), f"{page} links to {target}"
        if anchor:
            assert anchor in anchors(there.resolve().relative_to(ROOT).as_posix()), f"{page} links to {target}"


@pytest.mark.parametrize("page", OWN)
def test_every_path_of_the_repository_that_is_named_exists(page: str) -> None:
    for path in re.findall(r"`((?:src|tests|spec|docs|benchmarks|conformance|requirements)/[^`\s*]*)`", text(page)):
        assert (ROOT / path).exists(), f"{page} names {path}"


@pytest.mark.parametrize("page", OWN)
def test_every_module_that_is_run_exists(page: str) -> None:
    for name in re.findall(r"python -m ((?:benchmarks|tests|conformance)[\w.]*)", text(page)):
        place = ROOT / name.replace(".", "/")
        assert place.with_suffix(".py").exists() or (place / "__main__.py").exists(), name


def test_every_mutant_has_its_own_name_and_stands_where_its_check_is() -> None:
    planted = runpy.run_path(str(ROOT / "tests/mutants/planted.py"))["MUTANTS"]
    assert len({mutant.name for mutant in planted}) == len(planted)
    sources = {mutant.file: (ROOT / "src" / "aldis" / mutant.file).read_text("utf-8") for mutant in planted}
    assert [mutant.name for mutant in planted if sources[mutant.file].count(mutant.old) != 1] == []


def test_every_mutant_that_is_named_is_planted() -> None:
    planted = set(re.findall(r'Mutant\(\s*"([a-z0-9-]+)"', text("tests/mutants/planted.py")))
    table = text("docs/explanation/threat-model.md")
    rows = [row.split("|") for row in table.splitlines() if row.startswith("| ") and row.count("|") == 6]
    named = {name for row in rows for name in re.findall(r"`([a-z0-9-]+)`", row[5])}
    assert named and named <= planted, named - planted


def test_every_page_is_reached_from_the_index() -> None:
    seen, waiting = set[Path](), [ROOT / "docs/index.md"]
    while waiting:
        page = waiting.pop()
        if page in seen or page.suffix != ".md":
            continue
        seen.add(page)
        links = re.findall(r"\]\(([^)#\s:]+)(?:#[^)]*)?\)", prose(page.relative_to(ROOT).as_posix()))
        waiting += [found for link in links if (found := (page.parent / link).resolve()).is_file()]
    assert {page for page in OWN if page.startswith("docs/")} <= {page.relative_to(ROOT).as_posix() for page in seen}


# commands


def below(command: click.Command, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    yield path
    if isinstance(command, click.Group):
        for name, one in command.commands.items():
            yield from below(one, (*path, name))


def every_command() -> list[tuple[str, ...]]:
    ctx = click.Context(cli)
    found = [(name, cli.get_command(ctx, name)) for name in TABLE]
    return [path for name, command in found if command is not None for path in below(command, (name,))]


def test_every_command_that_is_named_exists() -> None:
    known = {path[:1] for path in every_command()} | set(every_command())
    for page in OWN:
        typed = re.findall(r"`aldis ((?:--home [\w.-]+ )?(?:--json )?[a-z][^`]*)`", prose(page))
        typed += [
            command.line.removeprefix("aldis ")
            for block in blocks(text(page))
            if block.language == "console"
            for command in commands(block.text)
            if command.line.startswith("aldis ")
        ]
        for line in typed:
            words = re.sub(r"^(--home \S+ |--json )*", "", line).split()
            head = words[0].split("|")[0]
            assert (head,) in known, f"{page}: aldis {line}"
            if len(words) > 1 and any(len(path) > 1 and path[0] == head for path in known):
                second = {word for word in words[1].split("|") if word.isalpha() and word.islower()}
                assert all((head, word) in known for word in second), f"{page}: aldis {line}"


@pytest.mark.parametrize("path", every_command(), ids=" ".join)
def test_every_command_helps_and_is_documented(path: tuple[str, ...]) -> None:
    assert CliRunner().invoke(cli, [*path, "--help"]).exit_code == 0
    assert f"\n### aldis {' '.join(path)}\n" in text("docs/reference/cli.md")


def test_every_make_target_that_is_named_exists_and_every_one_is_named() -> None:
    targets = set(re.findall(r"^([a-z-]+):.*## ", text("Makefile"), re.MULTILINE))
    for page in OWN:
        code = re.findall(r"`make ([a-z-]+)`", text(page)) + re.findall(r"^make ([a-z-]+)", text(page), re.MULTILINE)
        assert set(code) <= targets, page
    assert targets == set(re.findall(r"^\| `make ([a-z-]+)` \|", text("CONTRIBUTING.md"), re.MULTILINE))


# what the program has


def test_every_setting_is_documented() -> None:
    for name in describe():
        assert f"`{name}`" in text("docs/reference/config.md"), name


def test_every_error_is_documented() -> None:
    for name in errors.__all__:
        kind = getattr(errors, name)
        assert issubclass(kind, AldisError)
        assert f"`{name}`" in text("docs/reference/errors.md"), name


@pytest.mark.parametrize("name", testing.__all__)
def test_every_name_of_the_simulator_is_documented(name: str) -> None:
    assert re.search(rf"^\| `{name}` \| \S", text("docs/reference/testing.md"), re.MULTILINE)


def kinds() -> list[Kind]:
    return [*KINDS, *(kind for app in find_apps().values() for kind in app.kinds)]


@pytest.mark.parametrize("kind", kinds(), ids=lambda kind: kind.name)
def test_every_kind_is_documented_with_its_portions(kind: Kind) -> None:
    page = text("docs/reference/kinds.md")
    assert f"### {kind.name}\n" in page or f"| `{kind.name}` |" in page
    for name in kind.portions:
        assert f"`{name}`" in page, name


@pytest.mark.parametrize("kind", find_apps()["experiments"].kinds, ids=lambda kind: kind.name)
def test_every_field_of_the_entity_model_is_documented(kind: Kind) -> None:
    for name, group in kind.portions.items():
        fields = getattr(group, "__struct_fields__", ())
        missed = [field for field in fields if f"`{field}`" not in text("docs/reference/kinds.md")]
        assert not missed or name == "residue", (name, missed)


def test_every_app_is_documented() -> None:
    for name in find_apps():
        assert f"## {name}\n" in text("docs/reference/kinds.md")


def test_the_tables_of_labels_are_those_of_the_policies() -> None:
    page, policies = text("docs/reference/labels.md"), builtin()
    ladders = dict(re.findall(r"^\| `([A-Z]+)` \| \w+ \| (.+?) \|", page, re.MULTILINE))
    assert set(ladders) == set(policies.names)
    categories = {
        row[0]: row[1:] for row in re.findall(r"^\| `([A-Z]+)` \| ([^|`]*) \| ([^|`]*) \|$", page, re.MULTILINE)
    }
    for name in policies.names:
        policy = policies.policy(name)
        rungs = [re.sub(r" \(.*", "", rung) for rung in re.split(r", (?![^(]*\))", ladders[name])]
        assert rungs == [rung.name for rung in policy.ladder]
        for tag, category in policy.categories.items():
            column = categories[name][0 if category.type is CategoryType.RESTRICTIVE else 1]
            values = ", ".join(category.values)
            assert (f"{tag} ({values})" if values else tag) in column, tag
    for group in policies.groups:
        assert re.search(rf"\b{group}\b", page.partition("## Groups")[2]), group


def test_every_marking_in_the_reference_can_be_read() -> None:
    rows = re.findall(r"^\| `([A-Z]+)` \| `([^`]+)` \| ", text("docs/reference/labels.md"), re.MULTILINE)
    assert {policy for policy, _ in rows} == set(builtin().names)
    for policy, marking in rows:
        assert parse(policy, marking, at=AT, policies=builtin()).policy == policy


def test_every_field_of_an_instrument_is_documented() -> None:
    page = text("docs/reference/instruments-toml.md")
    reader = vars(sys.modules[parse_instrument.__module__])
    tables = [reader["_TOP_MAY"], reader["_CLAUSE_MAY"], reader["_TRANSFORM_MAY"]]
    words = {*reader["_TOP"], *(field for table in tables for fields in table.values() for field in fields)} - {
        "clause"
    }
    words |= {*(form.value for form in Form), *(action.value for action in Action)}
    words |= {field for rule in ("22 CFR 126.7", "22 CFR 126.7(c)") for field in evidence_fields(rule)}
    for word in words:
        assert f"`{word}`" in page or f'`"{word}"`' in page, word


@pytest.mark.parametrize("page", OWN)
def test_every_instrument_that_is_shown_can_be_read(page: str) -> None:
    for block in blocks(text(page)):
        if block.language == "toml" and block.text.startswith("instrument ="):
            parse_instrument(block.text, builtin())


# words


@pytest.mark.parametrize("word", WORDS)
def test_the_glossary_has(word: str) -> None:
    assert re.search(rf"^\| (?:\*\*[^|]*)?\*\*{word}\*\*", text("docs/glossary.md"), re.MULTILINE)


@pytest.mark.parametrize("page", PAGES)
def test_no_page_names_a_registry_or_how_it_was_made(page: str) -> None:
    assert not BANNED.findall(text(page))


# sessions


@pytest.fixture(scope="session")
def ended() -> dict[str, Session]:
    """The sessions that others go on from, each run once."""
    return {}


def begin(page: str, folder: Path, ended: dict[str, Session], places: pytest.TempPathFactory) -> Session:
    """A session in `folder`, where that of the page it goes on from has been."""
    before = starts_from(text(page))
    if not before:
        return Session(folder)
    first = ((ROOT / page).parent / before).resolve().relative_to(ROOT).as_posix()
    if first not in ended:
        session = begin(first, places.mktemp("docs"), ended, places)
        session.run(text(first))
        ended[first] = session
    shutil.copytree(ended[first].folder, folder, dirs_exist_ok=True)
    return ended[first].moved(folder)


@pytest.mark.skipif(sys.platform != "linux", reason="the sessions use GNU sed and cp")
@pytest.mark.parametrize(
    "page", [pytest.param(page, marks=() if page in QUICK else pytest.mark.slow) for page in SESSIONS]
)
def test_the_session_runs_as_it_stands(
    page: str, tmp_path: Path, ended: dict[str, Session], tmp_path_factory: pytest.TempPathFactory
) -> None:
    begin(page, tmp_path, ended, tmp_path_factory).run(text(page))
