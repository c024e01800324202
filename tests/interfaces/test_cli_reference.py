"""The reference pages are what the program says of itself, and every command and option explains itself."""

from __future__ import annotations

import runpy
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from aldis.interfaces.cli.main import TABLE, cli
from aldis.kernel import errors
from aldis.node.config import describe

REFERENCE = runpy.run_path(str(Path(__file__).parent.parent / "reference.py"))
PAGES: dict[str, str] = REFERENCE["pages"]()


def commands(command: click.Command, path: tuple[str, ...]) -> Iterator[tuple[str, click.Command]]:
    yield " ".join(path), command
    if isinstance(command, click.Group):
        for name, below in command.commands.items():
            yield from commands(below, (*path, name))


def every() -> list[tuple[str, click.Command]]:
    ctx = click.Context(cli)
    loaded = [(name, cli.get_command(ctx, name)) for name in TABLE]
    return [pair for name, command in loaded if command for pair in commands(command, ("aldis", name))]


@pytest.mark.parametrize("name", PAGES)
def test_a_reference_page_is_up_to_date(name: str) -> None:
    page = REFERENCE["FOLDER"] / name
    assert page.read_text("utf-8") == PAGES[name], "run `python -m tests.reference`"


def test_every_command_setting_and_error_is_documented() -> None:
    for path, _ in every():
        assert f"\n### {path}\n" in PAGES["cli.md"], path
    for name in describe():
        assert f"| `{name}` |" in PAGES["config.md"]
    for name in errors.__all__:
        assert f"`{name}`" in PAGES["errors.md"]


def test_every_command_and_option_says_what_it_is_for() -> None:
    for path, command in every():
        assert command.help, path
        for option in command.params:
            if isinstance(option, click.Option):
                assert option.help and (option.help[0].isupper() or option.help[0] == "`"), f"{path} {option.opts[0]}"


def test_every_command_has_json_and_home() -> None:
    for path, command in every():
        names = {name for option in command.params for name in option.opts}
        assert {"--json", "--home"} <= names, path


def test_no_option_takes_a_secret() -> None:
    for path, command in every():
        for option in command.params:
            assert not {"--password", "--secret", "--key", "--token", "--passphrase"} & set(option.opts), path


def test_the_summary_in_the_table_fits_one_line_of_help() -> None:
    for name, entry in TABLE.items():
        assert entry.summary.endswith(".") and len(entry.summary) <= 80, name
