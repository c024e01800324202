"""What the commands that judge recordings share: who judges, and with whose keys the recordings are to be sealed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from aldis.apps.experiments.commands.recordings import key_of
from aldis.apps.experiments.commands.terminal import Run
from aldis.kernel.errors import AldisError, InvalidInput
from aldis.kernel.signatures import Key

if TYPE_CHECKING:
    from aldis.apps.experiments.cases import Case, Findings

__all__ = ["CASES", "EXPERIMENT", "RECORDINGS", "SEALED_BY", "judged", "keys_of"]

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
CASES = click.argument("cases", metavar="CASE.toml...", nargs=-1, required=True, type=_FILE)
RECORDINGS = click.option(
    "--recording", "recordings", metavar="FILE", multiple=True, required=True, type=_FILE,
    help="A recording, of this node or of another nation; once for each file.",
)  # fmt: skip
SEALED_BY = click.option(
    "--sealed-by", "sealed", metavar="NODE|KEY|FILE", multiple=True,
    help="Who is to have sealed them: nodes by name, ed25519:KEY for all, NODE=KEY, or nodes' sheets."
    " Without it, this node and all that it is paired with.",
)  # fmt: skip
EXPERIMENT = click.option(
    "--experiment", metavar="NAME", default="", help="Its name; else the project of this node's settings."
)


def judged(
    run: Run, cases: Sequence[Case], recordings: Sequence[Path], sealed: Sequence[str], experiment: str
) -> Findings:
    """What recordings show of cases, as this node finds it, or nobody where there is no node.

    Raises:
        InvalidInput, UnknownTerm: a key that cannot be, or a node that this one is not paired with.
        VerificationFailed: a recording is altered, or sealed with another key.
    """
    from aldis.apps.experiments.cases import find  # noqa: PLC0415 - numpy, which no other command needs

    keys, node, party, project = keys_of(run, sealed), "", "", ""
    with suppress(AldisError):
        node, party, project = run.context.node, run.context.party, run.context.default_project()
    with run.out.progress("messages") as told:
        found = find(cases, recordings, keys, experiment=experiment or project, node=node, party=party, told=told)
    strangers = {one.node for one in found.recordings if not isinstance(keys, Key) and one.node not in (keys or {})}
    if strangers:
        names = ", ".join(sorted(strangers))
        run.out.say(f"Nobody vouches for the keys of {names}: --sealed-by says who is to have sealed them")
    return found


def keys_of(run: Run, sealed: Sequence[str]) -> Mapping[str, Key] | Key | None:
    """The keys by node; one for all where a single one was given without a name.

    Raises:
        InvalidInput, UnknownTerm: a key that cannot be, or a node that this one is not paired with.
    """
    if not sealed:
        return _known(run)
    keys: dict[str, Key] = {}
    for text in sealed:
        name, _, rest = text.partition("=")
        named = ":" in rest and ":" not in name
        key = key_of(run, rest if named else text)
        if key is None:
            raise InvalidInput("--sealed-by is empty", fix="Name a node, a key or a sheet")
        if named:
            keys[name] = key
        elif Path(text).is_file():
            keys[_node_of(Path(text))] = key
        elif ":" not in text:
            keys[text] = key
        elif len(sealed) == 1:
            return key
        else:
            raise InvalidInput(f"whose key is {text}?", fix="Write NODE=KEY where there are several")
    return keys


def _known(run: Run) -> Mapping[str, Key] | None:
    """The keys of this node and of all that it is paired with."""
    keys: dict[str, Key] = {}
    with suppress(AldisError):
        for node in run.context.parties():
            with suppress(AldisError):
                keys[node] = run.context.key_of(node)
    return keys or None


def _node_of(sheet: Path) -> str:
    """The node that a sheet is of; `key_of` has read it before."""
    body = msgspec.json.decode(sheet.read_bytes())
    inner = body.get("sheet", body)
    name = inner.get("node") if isinstance(inner, dict) else None
    if not isinstance(name, str):
        raise InvalidInput(f"{sheet} does not say whose sheet it is", fix="Give its key as NODE=ed25519:KEY")
    return name
