"""Commands that are imported when they are called, so that `aldis --help` stays quick."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import click
from click.shell_completion import CompletionItem

__all__ = ["Entry", "LazyGroup", "load"]


@dataclass(frozen=True, slots=True)
class Entry:
    """Where a command is (`module:name`), what it does in a line, and under which heading the help lists it."""

    path: str
    summary: str
    heading: str


def load(path: str) -> Any:
    """The object at `module:name`, imported now."""
    module, _, name = path.partition(":")
    return getattr(import_module(module), name)


class LazyGroup(click.Group):
    """A group whose table says what it holds; `prepare` is called on each command once, when it is loaded.

    A name that the table lacks is looked for with `others`, which costs more.
    """

    def __init__(
        self,
        *args: Any,
        table: Mapping[str, Entry],
        prepare: Callable[[click.Command], click.Command],
        others: Callable[[], Mapping[str, click.Command]],
        **rest: Any,
    ) -> None:
        super().__init__(*args, **rest)
        self._table = table
        self._prepare = prepare
        self._others = others
        prepare(self)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names in the table, in its order."""
        del ctx
        return list(self._table)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, imported and prepared, or None."""
        del ctx
        if cmd_name not in self.commands:
            entry = self._table.get(cmd_name)
            found: click.Command | None = load(entry.path) if entry else self._others().get(cmd_name)
            if found is None:
                return None
            self.commands[cmd_name] = self._prepare(found)
        return self.commands[cmd_name]

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does, with the whole table to guess from."""
        try:
            return super().resolve_command(ctx, args)
        except click.exceptions.NoSuchCommand as error:
            raise click.exceptions.NoSuchCommand(error.command_name, possibilities=self._table, ctx=ctx) from None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The table under its headings, without importing anything."""
        del ctx
        for heading in dict.fromkeys(entry.heading for entry in self._table.values()):
            with formatter.section(heading):
                rows = [(name, entry.summary) for name, entry in self._table.items() if entry.heading == heading]
                formatter.write_dl(rows)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Names and options that begin with `incomplete`, without importing anything."""
        names = [
            CompletionItem(name, help=entry.summary)
            for name, entry in self._table.items()
            if name.startswith(incomplete)
        ]
        return [*names, *click.Command.shell_complete(self, ctx, incomplete)]
