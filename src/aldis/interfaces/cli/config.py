"""`aldis config`: every setting, its value, and where it came from."""

from __future__ import annotations

import os
import tomllib
from difflib import get_close_matches
from typing import Any

import click
import msgspec
from rich.text import Text

from aldis.interfaces.cli.output import grid
from aldis.interfaces.cli.session import Session, pass_session
from aldis.kernel.errors import UnknownTerm
from aldis.node.config import FILE, describe
from aldis.node.home import Home

__all__ = ["config"]


@click.command("config")
@click.argument("name", required=False)
@pass_session
def config(session: Session, name: str | None) -> None:
    """Show every setting, or NAME alone: its value, where that came from, and what it means.

    A flag beats ALDIS_NAME in the environment, which beats aldis.toml in the node's folder, which beats the default.
    """
    home = Home(session.place)
    settings = home.config(os.environ)
    known = describe()
    if name is not None and name not in known:
        near = get_close_matches(name, known, 1)
        hint = f"Did you mean {near[0]!r}?" if near else f"There are: {', '.join(known)}"
        raise UnknownTerm(f"no setting {name!r}", fix=hint)
    written = tomllib.loads((home.path / FILE).read_text("utf-8"))
    found = {
        key: {
            "value": msgspec.to_builtins(getattr(settings, key)),
            "from": _origin(key, written),
            "default": default,
            "meaning": meaning,
        }
        for key, (default, meaning) in known.items()
        if name in (None, key)
    }
    rows = [
        (Text(key, style="bold"), _written(one["value"]), one["from"], Text(one["meaning"], style="dim"))
        for key, one in found.items()
    ]
    if name is not None and not session.out.on_terminal:
        session.out.lines(found, [_written(found[name]["value"])])
        return
    session.out.data(found, grid(rows, ("setting", "value", "from", "meaning")))
    session.out.say(f"Settings are in {home.path / FILE}.")


def _origin(key: str, written: dict[str, Any]) -> str:
    if f"ALDIS_{key.upper()}" in os.environ:
        return f"ALDIS_{key.upper()}"
    return FILE if key in written else "default"


def _written(value: Any) -> str:
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return "\n".join(
            ", ".join(f"{key} {one}" for key, one in table.items() if one not in ("", False)) for table in value
        )
    return value if isinstance(value, str) else str(value)
