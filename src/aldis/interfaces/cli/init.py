"""`aldis init`: a node in a folder of its own."""

from __future__ import annotations

import click

from aldis.interfaces.cli.output import grid
from aldis.interfaces.cli.parties import known_party
from aldis.interfaces.cli.session import Session, pass_session
from aldis.kernel.errors import UnknownTerm
from aldis.kernel.policies import Policies, Policy, builtin
from aldis.node.clock import SystemClock
from aldis.node.config import Config
from aldis.node.home import make_home

__all__ = ["init"]


@click.command("init")
@click.argument("party")
@click.option(
    "--node", metavar="NAME", help="Name of the node, unique in the coalition.  [default: the party, in lower case]"
)
@click.option("--policy", metavar="P", help="Policy that labels are written in.  [default: the party's own]")
@click.option(
    "--ceiling", metavar="C", help="Highest classification held here.  [default: the highest unclassified level]"
)
@click.option(
    "--algorithm", metavar="A", default="ed25519", show_default=True, help="Signature algorithm; never changes."
)
@click.option("--listen", metavar="H:P", default="127.0.0.1:7461", show_default=True, help="Where partners connect to.")
@click.option("--url", metavar="U", default="", help="How partners reach it, if not at that address.")
@pass_session
def init(
    session: Session,
    party: str,
    node: str | None,
    policy: str | None,
    ceiling: str | None,
    algorithm: str,
    listen: str,
    url: str,
) -> None:
    """Make a node of PARTY (ISO 3166 alpha-3, such as AUS, or NATO) with fresh keys.

    Without --ceiling nothing classified can be put or admitted: accredit the machine first, then say how high.
    """
    policies = builtin()
    rules = _policy(policies, known_party(policies, party), policy)
    config = Config(
        node=node or party.lower(),
        party=party,
        policy=rules.name,
        ceiling=ceiling or rules.unclassified,
        algorithm=algorithm,
        listen=listen,
        url=url,
    )
    home = make_home(session.place, config, now=SystemClock().now())
    made = {
        "node": config.node, "party": party, "policy": rules.name, "ceiling": config.ceiling,
        "algorithm": algorithm, "listen": listen, "home": str(home.path),
    }  # fmt: skip
    session.out.data(made, grid(list(made.items())))
    if ceiling is None:
        session.out.say(
            f"Nothing above {config.ceiling} can be put or admitted here. To raise that, set `ceiling` in "
            f"{home.path}/aldis.toml before you invite anyone."
        )
    session.out.say(f"Keep a copy of {home.path}/keys where only you can read it.")
    session.out.next("`aldis invite PARTY` for each partner, then `aldis up`")


def _policy(policies: Policies, party: str, named: str | None) -> Policy:
    if named is not None:
        return policies.policy(named)
    try:
        return policies.policy_of(party)
    except UnknownTerm as error:
        names = ", ".join(policies.names)
        raise UnknownTerm(f"{party} has no policy of its own here", fix=f"Choose one with --policy: {names}") from error
