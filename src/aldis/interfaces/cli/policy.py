"""`aldis policy`: the label policies known here, and those of others taken in from a SPIF."""

from __future__ import annotations

from pathlib import Path

import click

from aldis.interfaces.cli.files import read_whole
from aldis.interfaces.cli.output import grid
from aldis.interfaces.cli.session import BECAUSE, Session, operator, pass_session
from aldis.interfaces.cli.text import listed
from aldis.kernel.policies import Direction
from aldis.kernel.trees import XML_LIMIT

__all__ = ["policy"]

_WORDS = {"protect": Direction.PROTECT_AS, "clearance": Direction.CLEARANCE_COUNTS_AS}


@click.group("policy")
def policy() -> None:
    """The label policies known here: their ladders, and how one nation's levels answer to another's."""


@policy.command("list")
@pass_session
def list_(session: Session) -> None:
    """List the policies: whose they are, and where they come from."""
    policies = [session.node.core.policies.policy(name) for name in session.node.core.policies.names]
    rows = [(one.name, one.owner, one.uri or "built in", one.authority) for one in policies]
    data = [{"policy": one.name, "owner": one.owner, "uri": one.uri, "authority": one.authority} for one in policies]
    session.out.table({"policies": data}, ("policy", "owner", "from", "authority"), rows, ("authority",))


@policy.command("show")
@click.argument("name", metavar="POLICY")
@pass_session
def show(session: Session, name: str) -> None:
    """Show a policy's ladder, lowest first, its categories, what answers to its levels, and what its SPIF claims."""
    policies = session.node.core.policies
    one, now = policies.policy(name), session.node.core.clock.now()
    rules = [row for row in policies.equivalences if one.name in (row.policy, row.to_policy) and row.in_force(now)]
    answers = [
        {"direction": row.direction.value, "from": [row.policy, row.classification],
         "to": [row.to_policy, row.to_classification], "source": row.source}
        for row in rules
    ]  # fmt: skip
    categories = {tag: {"type": row.type.value, "values": list(row.values)} for tag, row in one.categories.items()}
    data = {
        "policy": one.name, "owner": one.owner, "uri": one.uri, "authority": one.authority, "categories": categories,
        "ladder": [{"name": rung.name, "portion": rung.portion, "source": rung.source} for rung in one.ladder],
        "equivalences": answers, "claims": [{"level": level, "says": says} for level, says in one.claims],
    }  # fmt: skip
    rows = [("policy", f"{one.name}{f', of {one.owner}' if one.owner else ''}"), ("authority", one.authority)]
    rows += [("rung", f"{rung.name} ({rung.portion})") for rung in one.ladder]
    rows += [(tag, f"{row.type.value}: {listed(row.values, most=8)}") for tag, row in one.categories.items()]
    rows += [
        (
            row.direction.value.replace("_", " "),
            f"{row.policy} {row.classification} is {row.to_policy} {row.to_classification}",
        )
        for row in rules
    ]
    rows += [("claims", f"{level} is {says}") for level, says in one.claims]
    session.out.data(data, grid(rows))


@policy.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--party", metavar="P", default="", help="Whose policy it is; the SPIF does not say.")
@pass_session
def import_(session: Session, file: Path, party: str) -> None:
    """Take in the policy that FILE, an XML SPIF, states: ladder, categories and words of marking.

    What it says of other ladders is kept as a claim and decides nothing: `aldis policy accept` makes a rule of it.
    """
    found = session.node.foreign.take(read_whole(file, XML_LIMIT), party, operator())
    data = {"policy": found.name, "owner": party, "notes": list(found.notes)}
    session.out.lines(data, [f"{found.name}  taken in"])
    for note in found.notes:
        session.out.say(f"{note}.")
    session.out.next(
        f"`aldis policy show {_quoted(found.name)}` shows it, and what it claims; restart a running node,"
        " which goes by the policies of before until then"
    )


@policy.command("accept")
@click.argument("name", metavar="POLICY")
@click.option("--to", metavar="POLICY", required=True, help="The policy whose levels answer.")
@click.option("--level", "levels", metavar="THEIRS=OURS", multiple=True, required=True, help="A row; repeatable.")
@click.option(
    "--as",
    "direction",
    type=click.Choice(list(_WORDS)),
    required=True,
    help="How information is protected, or how far a clearance counts.",
)
@BECAUSE
@pass_session
def accept(session: Session, name: str, to: str, levels: tuple[str, ...], direction: str, because: str) -> None:
    """Let a level of POLICY answer to one of another from today on; one of the two was imported."""
    rows = {}
    for level in levels:
        theirs, equals, ours = level.partition("=")
        if not equals or theirs in rows:
            raise click.UsageError(f"--level {level!r}: write it as THEIRS=OURS, each level once")
        rows[theirs] = ours
    session.node.foreign.accept(_WORDS[direction], name, rows, to, because, operator())
    data = {"policy": name, "to": to, "direction": _WORDS[direction].value, "levels": rows, "because": because}
    session.out.lines(data, [f"{name} {theirs} is {to} {ours}" for theirs, ours in rows.items()])
    session.out.next("restart a running node: policies are read when it starts")


def _quoted(name: str) -> str:
    return f'"{name}"' if " " in name else name
