"""`aldis preview`: what draft instruments would newly release, before anyone signs them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from aldis.interfaces.cli.files import read_text
from aldis.interfaces.cli.session import Session, pass_session
from aldis.interfaces.cli.text import count, listed, moment
from aldis.kernel.preview import Gain, Preview

__all__ = ["preview", "preview_data", "preview_lines"]

_IDS = 8


@click.command("preview")
@click.argument("files", metavar="FILE...", type=click.Path(path_type=Path), nargs=-1, required=True)
@click.option("--ids", "every", is_flag=True, help="Name every record, not just the first few.")
@pass_session
def preview(session: Session, files: tuple[Path, ...], every: bool) -> None:
    """What the instrument in FILE would newly release, and to whom, were it signed by all its parties now.

    Of several, what all of them would together. Others' records count as NODE/ID where their grants would let this node
    pass them on. Nothing is stored and nothing leaves.
    """
    found = session.node.register.preview(*map(read_text, files))
    session.out.lines(preview_data(found), preview_lines(found, 0 if every else _IDS))
    for file in files:
        session.out.next(f"`aldis instrument draft {file}` sends it to its parties to read and sign")


def preview_lines(found: Preview, most: int = _IDS) -> list[str]:
    """A preview in lines; of more than `most` ids, how many are left out."""
    seen, names, alone = count(found.seen, "record"), " and ".join(found.instruments), len(found.instruments) == 1
    if found.gains or found.narrowed:
        lines = [f"{names}, signed by all, would from {moment(found.at)} newly release, of {seen} looked at:"]
    else:
        lines = [f"{names} would release nothing new of {seen} looked at, as of {moment(found.at)}."]
    for gain in found.gains:
        lines += _gain(gain, most)
    if found.narrowed:
        takes = f"{'It' if alone else 'They'} would take back some part of"
        lines.append(f"{takes} {count(len(found.narrowed), 'record')} from somebody:")
        lines.append(f"  {listed(found.narrowed, most)}")
    if found.lacking:
        stands = "It stands" if alone else "Some of them stand"
        lines.append(f"{stands} under {listed(found.lacking)}, which is not in force: preview that draft with it.")
    return lines


def _gain(gain: Gain, most: int) -> list[str]:
    whole = count(len(gain.records), "record") if gain.records else "nothing without a release officer"
    lines = [f"to {gain.node} ({gain.party}): {whole}"]
    if gain.records:
        lines.append(f"  records   {listed(gain.records, most)}")
    if gain.portions:
        lines.append(f"  portions  {listed(f'{number:,} {name}' for name, number in gain.portions.items())}")
    if gain.control:
        tags = listed(f"{tag} ({count(number, 'part')})" for tag, number in gain.control.items())
        lines.append(f"  under export control  {tags}")
    if gain.referred:
        lines.append(f"  for a release officer  {listed(gain.referred, most)}")
    return lines


def preview_data(found: Preview) -> dict[str, Any]:
    """A preview as JSON."""
    return {
        "instrument": found.instruments[0],
        "with": [*found.instruments[1:]],
        "lacking": [*found.lacking],
        "at": found.at,
        "seen": found.seen,
        "gains": [
            {
                "node": gain.node, "party": gain.party, "records": [*gain.records], "portions": dict(gain.portions),
                "control": dict(gain.control), "referred": [*gain.referred],
            }
            for gain in found.gains
        ],
        "narrowed": [*found.narrowed],
    }  # fmt: skip
