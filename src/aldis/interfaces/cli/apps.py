"""`aldis apps`: what is installed, which kinds of record it knows, and its commands."""

from __future__ import annotations

from typing import Any

import click
import msgspec
from rich.text import Text

from aldis.app import find_apps
from aldis.interfaces.cli.output import grid
from aldis.interfaces.cli.session import Session, pass_session, personal
from aldis.interfaces.cli.text import listed
from aldis.kernel.records import Kind

__all__ = ["app_commands", "apps"]


@click.command("apps")
@pass_session
def apps(session: Session) -> None:
    """List the apps installed here: their kinds of record with the portions of each, and their commands."""
    data: list[dict[str, Any]] = []
    shown: list[Any] = []
    for name, app in find_apps().items():
        commands = [command.name for command in app.commands()]
        kinds = {kind.name: _portions(kind) for kind in app.kinds}
        data.append({"app": name, "kinds": kinds, "commands": commands})
        rows = [(kind, listed(f"{part} ({type_})" for part, type_ in parts.items())) for kind, parts in kinds.items()]
        shown += [Text(name, style="bold"), grid([(f"  {kind}", parts) for kind, parts in rows])]
        if commands:
            shown.append(f"  commands: {listed(f'aldis {command}' for command in commands)}")
    session.out.data({"apps": data}, *shown)


def app_commands() -> dict[str, click.Command]:
    """Every app's commands, by name; each takes `--as`."""
    return {str(command.name): personal(command) for app in find_apps().values() for command in app.commands()}


def _portions(kind: Kind) -> dict[str, str]:
    return {name: "text" if type_ is str else _shape(type_) for name, type_ in kind.portions.items()}


def _shape(type_: Any) -> str:
    schema = msgspec.json.schema(type_)
    return "list" if schema.get("type") == "array" else "JSON"
