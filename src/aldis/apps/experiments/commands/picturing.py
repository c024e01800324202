"""`aldis experiment picture`: the tracks of this node and those released to it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click
import msgspec

from aldis.apps.experiments.commands.terminal import Run

if TYPE_CHECKING:
    from aldis.apps.experiments.overview import Seen

__all__ = ["picture"]


def _keep(ctx: click.Context, _param: click.Parameter, value: str | None) -> None:
    if value and ctx.obj is not None:
        ctx.obj.person = value


@click.command("picture")
@click.option("--near", metavar="LAT,LON,KM", default="", help="Only what is by now within so many kilometres.")
@click.option("--from", "node", metavar="NODE", default="", help="Only what this node released, or this one made.")
@click.option("--kind", type=click.Choice(["sea", "land", "air", "space", "unknown"]), help="Only what moves there.")
@click.option("--limit", type=click.IntRange(1, 200), default=50, show_default=True, help="Tracks at most.")
@click.option("--cursor", metavar="TEXT", default="", help="Go on where a page ended.")
@click.option(
    "--as",
    "person",
    metavar="person:ID",
    expose_value=False,
    callback=_keep,
    is_eager=True,
    help="As a person who is signed in: what they may see.",
)
@click.pass_obj
def picture(run: Run, near: str, node: str, kind: str | None, limit: int, cursor: str) -> None:
    """List the tracks that you may see, newest first, where each is by now, and what speaks against it.

    A place with ~ is reckoned on from the last report, and ± is the radius that holds it in 95 of 100 cases.
    """
    from aldis.apps.experiments.overview import Asked, overview  # noqa: PLC0415

    asked = Asked(near=near, node=node, kind=kind or "", limit=limit, cursor=cursor)  # type: ignore[arg-type]
    found = overview(run.context, asked)
    run.out.say(found.marking)
    headings = ("track", "node", "name", "kind", "place", "age s", "portions", "doubts")
    run.out.table(msgspec.to_builtins(found), headings, [_row(one) for one in found.tracks])
    if found.next:
        run.out.next(f"`aldis experiment picture --cursor {found.next}` goes on")


def _row(one: Seen) -> Sequence[str]:
    portions = ", ".join(f"{name} ({marking})" for name, marking in one.portions.items())
    age = "-" if one.age_s is None else f"{one.age_s:.0f}"
    return [one.id, one.node, one.name or "-", one.kind, _place(one), age, portions, "; ".join(one.doubts) or "-"]


def _place(one: Seen) -> str:
    if one.reckoned is not None:
        return f"~{one.reckoned.lat_deg:.5f} {one.reckoned.lon_deg:.5f} ±{one.reckoned.radius_m:.0f} m"
    if one.lat_deg is None or one.lon_deg is None:
        return "-"
    return f"{one.lat_deg:.5f} {one.lon_deg:.5f}" + (f" grid {one.grid_m} m" if one.grid_m else "")
