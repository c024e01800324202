"""`aldis experiment losses` and `convert`: what is lost between protocols, and a file of one as one of another."""

from __future__ import annotations

import time
from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any, BinaryIO

import click

from aldis.apps.experiments.commands.terminal import Run
from aldis.kernel.errors import Unavailable

if TYPE_CHECKING:
    from aldis.apps.experiments.conversion import Conversion
    from aldis.apps.experiments.gateways.gateway import Offered
    from aldis.apps.experiments.translation import Loss, Losses

__all__ = ["convert", "losses"]

_HERE = "aldis.apps.experiments"
_CHUNK = 64 * 1024
_SHOWN = 20
_STAMP = "made anew"


@click.command("losses")
@click.argument("a", metavar="[A]", default="")
@click.argument("b", metavar="[B]", default="")
@click.option("--fields", "by_field", is_flag=True, help="Every field of every pair, not only how many.")
@click.pass_context
def losses(ctx: click.Context, a: str, b: str, by_field: bool) -> None:
    """Show what each protocol loses on its way through each other: A, model, B, model, A.

    A and B are protocols, or mapping files (.toml); of two, each field is shown. `dropped` has its reason in a ledger;
    `unexplained` has none, which is a fault of a gateway: the exit code is then 1.
    """
    run: Run = ctx.obj
    registry, translation = import_module(f"{_HERE}.gateways.registry"), import_module(f"{_HERE}.translation")
    asked = [name for name in (a, b) if name]
    known = _offered(run, registry, asked, [] if b else list(registry.PROTOCOLS))
    pairs = [(one, other) for one in ([a] if a else known) for other in ([b] if b else known) if other != one or b]
    found: list[Losses] = []
    with run.out.progress("pairs") as told:
        for one, other in pairs:
            found.append(translation.losses(known[one], known[other]))
            told(len(found), len(pairs))
    data = {"pairs": [_pair(one, fields=by_field or bool(b)) for one in found]}
    if by_field or b:
        rows = [
            [one.a, one.b, crossing.specimen, loss.field, loss.fate, _why(loss)]
            for one in found
            for crossing in one.crossings
            for loss in crossing.losses
        ]
        optional = ("from", "through", "specimen")
        run.out.table(data, (*optional, "field", "fate", "reason or error"), rows, optional)
    else:
        heads = ("from", "through", *translation.FATES)
        run.out.table(data, heads, [[one.a, one.b, *(str(count) for count in one.counts().values())] for one in found])
        run.out.next("`aldis experiment losses A B` shows each field of a pair, with the reason or the error")
    if any(one.counts()["unexplained"] for one in found):
        run.out.say("Fields were lost that no ledger names: this is a fault of a gateway")
        ctx.exit(1)


def _offered(run: Run, registry: Any, asked: Sequence[str], others: Sequence[str]) -> dict[str, Offered]:
    """The protocols that can be had; one that lacks its library is passed over, if nobody asked for it."""
    found: dict[str, Offered] = {}
    for name in dict.fromkeys((*others, *asked)):
        try:
            found[name] = registry.offered(name)
        except Unavailable as error:
            if name in asked:
                raise
            run.out.say(f"{name} is passed over: {error}")
    return found


def _pair(one: Losses, *, fields: bool) -> dict[str, Any]:
    data: dict[str, Any] = {"from": one.a, "through": one.b}
    data |= {str(fate): count for fate, count in one.counts().items()}
    if fields:
        data["specimens"] = [
            {"specimen": crossing.specimen, "fields": [_field(loss) for loss in crossing.losses]}
            for crossing in one.crossings
        ]
    return data


def _field(loss: Loss) -> dict[str, Any]:
    data: dict[str, Any] = {"field": loss.field, "fate": loss.fate, "before": loss.before, "after": loss.after}
    if loss.fate == "approximated":
        data |= {"error": loss.error, "bound": loss.bound, "unit": loss.unit}
    return data | ({"reasons": list(loss.reasons)} if loss.reasons else {})


def _why(loss: Loss) -> str:
    if loss.fate == "approximated":
        return f"{loss.error:.3g} of at most {loss.bound:.3g} {loss.unit}".rstrip()
    return "" if loss.fate == "carried" else "; ".join(loss.reasons)


@click.command("convert")
@click.argument("source", metavar="FROM")
@click.argument("target", metavar="TO")
@click.option("--in", "into", type=click.File("rb"), default="-", metavar="FILE", help="Read this; else stdin.")
@click.option("--out", "out", type=click.File("wb"), default="-", metavar="FILE", help="Write this; else stdout.")
@click.pass_obj
def convert(run: Run, source: str, target: str, into: BinaryIO, out: BinaryIO) -> None:
    """Translate a file from one protocol to another, and say on stderr what did not go over.

    FROM and TO are protocols (`aldis experiment losses` lists them), or mapping files (.toml). With --json and --out,
    the account of what was lost is JSON on stdout.
    """
    registry, conversion = import_module(f"{_HERE}.gateways.registry"), import_module(f"{_HERE}.conversion")
    made: Conversion = conversion.Conversion(registry.offered(source).open(), registry.offered(target).open())
    while data := into.read(_CHUNK):
        out.write(b"".join(made.feed(data, time.time_ns() // 1000)))
    out.write(b"".join(made.end(time.time_ns() // 1000)))
    out.flush()
    for line in _account(made):
        run.out.say(line)
    if run.json and out.name != "<stdout>":
        run.out.data(_summary(made))


def _summary(made: Conversion) -> dict[str, Any]:
    tally = made.source.tally
    return {
        "seen": tally.seen,
        "carried": tally.carried,
        "not_read": dict(tally.dropped),
        "written": made.written,
        "unsaid": made.unsaid,
        "dropped": [
            {"on": side, "field": name, "reason": reason, "times": count} for side, name, reason, count in made.rows()
        ],
        "approximated": [
            {"on": side, "field": name, "error": error, "unit": unit}
            for (side, name), (error, unit) in sorted(made.account.errors.items())
        ],
    }


def _account(made: Conversion) -> list[str]:
    tally, rows = made.source.tally, [row for row in made.rows() if row[2] != _STAMP]
    lines = [f"{tally.carried} of {tally.seen} messages read, {made.written} written, {made.unsaid} not sayable"]
    lines += [f"  not read: {reason}, {count} times" for reason, count in tally.dropped.most_common(_SHOWN)]
    for side, said in (("read", "on reading"), ("written", "on writing")):
        here = [row for row in rows if row[0] == side]
        lines += [f"  {name} dropped {said}: {reason}, {count} times" for _, name, reason, count in here[:_SHOWN]]
        lines += [f"  and {len(here) - _SHOWN} more dropped {said}"] if len(here) > _SHOWN else []
    nearly = sorted(made.account.errors.items())
    lines += [f"  {name} approximated: at most {error:.3g} {unit}" for (_, name), (error, unit) in nearly[:_SHOWN]]
    return lines
