"""What every command is given: where the node is, how to speak, and the node itself once it is needed."""

from __future__ import annotations

import getpass
import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from aldis.interfaces.cli.lazy import load

if TYPE_CHECKING:
    from aldis.app import Context
    from aldis.interfaces.cli.output import Output
    from aldis.node.node import Node
    from aldis.node.people import Person

__all__ = ["BECAUSE", "BY", "Session", "operator", "pass_session", "personal", "share"]


@dataclass
class Session:
    """One run of the command line; an app's command gets it with `click.pass_obj` and uses `context`."""

    json: bool = False
    home: Path | None = None
    person: str = ""

    @cached_property
    def out(self) -> Output:
        """Where data and talk go."""
        made: Output = load("aldis.interfaces.cli.output:Output")(self.json, self.hint)
        return made

    @property
    def place(self) -> Path:
        """The node's folder: `--home`, `ALDIS_HOME`, or the default."""
        found: Path = self.home or load("aldis.node.home:default_home")(os.environ)
        return found

    @cached_property
    def node(self) -> Node:
        """The node, opened once and closed when the command ends."""
        return self.open()

    @cached_property
    def by(self) -> str | Person:
        """Who gives this command: the person of `--as`, signed in, or this machine's user as operator."""
        if not self.person:
            return operator()
        found: Person = load("aldis.interfaces.cli.viewers:signed_in")(self, self.person)
        return found

    @property
    def viewer(self) -> str | Person:
        """Whose view it has: the person's, or "" for the operator's."""
        return self.by if self.person else ""

    @property
    def context(self) -> Context:
        """What an app may use of the node."""
        return self.node.context.bound(self.by) if not isinstance(self.by, str) else self.node.context

    def open(self, **flags: Any) -> Node:
        """The node with settings that flags gave; see `Node.open`."""
        node: Node = load("aldis.node.node:Node").open(self.place, flags=flags)
        click.get_current_context().find_root().call_on_close(node.close)
        return node

    def hint(self, text: str) -> str:
        """A hint whose commands work on the same node as this one."""
        if self.home is None:
            return text
        home = str(self.home)
        quoted = f'"{home}"' if " " in home else home
        return text.replace("`aldis ", f"`aldis --home {quoted} ")


def _said(_ctx: click.Context, _param: click.Parameter, value: str) -> str:
    if not value.strip():
        raise click.BadParameter("the reason is blank: say why")
    return value


BECAUSE = click.option(
    "--because", metavar="TEXT", required=True, callback=_said, help="The reason; the ledger keeps it."
)
"""The reason for what cannot be undone unseen; a blank one is none."""
BY = click.option(
    "--as",
    "person",
    metavar="person:ID",
    expose_value=False,
    callback=lambda ctx, param, value: _keep(ctx, param, value),
    help="Do it as a person who is signed in, as far as their roles allow.",
)
"""For commands that persons may give: `Session.by` and `Session.context` are then theirs."""
pass_session = click.make_pass_decorator(Session)


def operator() -> str:
    """The name under which the ledger knows who gave a command."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "operator"


def personal(command: click.Command) -> click.Command:
    """The command, and each below it, with `BY`: what an app does, it does for whoever asks."""
    if isinstance(command, click.Group):
        for below in command.commands.values():
            personal(below)
    elif not any("--as" in param.opts for param in command.params):
        BY(command)
    return command


def share(command: click.Command) -> click.Command:
    """The command, and each below it, with the options that every command has."""
    taken = {name for param in command.params for name in param.opts}
    command.params += [option for option in _shared() if not taken.intersection(option.opts)]
    if isinstance(command, click.Group):
        for below in command.commands.values():
            share(below)
    return command


def _shared() -> list[click.Option]:
    folder = click.Path(file_okay=False, path_type=Path)
    return [
        click.Option(
            ["--home"], type=folder, metavar="DIR", expose_value=False, callback=_keep,
            help="The node's folder (or set ALDIS_HOME).",
        ),
        click.Option(["--json"], is_flag=True, expose_value=False, callback=_keep, help="Write data as JSON."),
    ]  # fmt: skip


def _keep(ctx: click.Context, param: click.Parameter, value: Any) -> None:
    if value:
        setattr(ctx.ensure_object(Session), str(param.name), value)
