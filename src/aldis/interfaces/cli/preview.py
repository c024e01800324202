"""`aldis preview`: what a draft instrument would newly release, before anyone signs it."""

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
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--ids", "every", is_flag=True, help="Name every record, not just the first few.")
@pass_session
def preview(session: Session, file: Path, every: bool) -> None:
    """What the instrument in FILE would newly release, and to whom, were it signed by all its parties now.

    Nothing is stored and nothing leaves.
    """
    found = session.node.register.preview(read_text(file))
    session.out.lines(preview_data(found), preview_lines(found, 0 if every else _IDS))
    session.out.next(f"`aldis instrument draft {file}` sends it to its parties to read and sign")


def preview_lines(found: Preview, most: int = _IDS) -> list[str]:
    """A preview in lines; of more than `most` ids, how many are left out."""
    seen = count(found.seen, "record")
    if not found.gains and not found.narrowed:
        return [f"{found.instrument} would release nothing new of {seen} looked at, as of {moment(found.at)}."]
    lines = [f"{found.instrument}, signed by all, would from {moment(found.at)} newly release, of {seen} looked at:"]
    for gain in found.gains:
        lines += _gain(gain, most)
    if found.narrowed:
        lines.append(f"It would take back some part of {count(len(found.narrowed), 'record')} from somebody:")
        lines.append(f"  {listed(found.narrowed, most)}")
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
        "instrument": found.instrument,
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
