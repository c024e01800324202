"""`aldis completion`: the script that lets a shell complete commands and options."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from aldis.interfaces.cli.session import Session, pass_session

__all__ = ["completion"]

_SHELLS = ("bash", "zsh", "fish")


@click.command("completion")
@click.argument("shell", type=click.Choice(_SHELLS))
@pass_session
def completion(session: Session, shell: str) -> None:
    """Print the completion script for SHELL.

    \b
    bash: eval "$(aldis completion bash)" in ~/.bashrc
    zsh:  eval "$(aldis completion zsh)" in ~/.zshrc
    fish: aldis completion fish > ~/.config/fish/completions/aldis.fish
    """
    found = get_completion_class(shell)
    if found is None:
        raise click.UsageError(f"no completion for {shell}")
    script = found(click.get_current_context().find_root().command, {}, "aldis", "_ALDIS_COMPLETE").source()
    session.out.lines({"shell": shell, "script": script}, [script])
