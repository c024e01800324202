"""`aldis experiment invite`: one file with all that another nation needs to join an experiment."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click
import msgspec

from aldis.apps.experiments.gateways.registry import offered
from aldis.apps.experiments.links.address import read_address
from aldis.apps.experiments.participants.exchange import sayable_kinds
from aldis.apps.experiments.participants.listing import listed
from aldis.interfaces.cli.files import write_whole
from aldis.interfaces.cli.parties import known_party
from aldis.interfaces.cli.session import Session, pass_session
from aldis.interfaces.joining.invitation import Offering, seal_experiment
from aldis.kernel.errors import AldisError, InvalidInput, RefusedByPolicy
from aldis.kernel.instruments.clauses import ANY
from aldis.kernel.instruments.register import State
from aldis.node.node import Node
from aldis.node.pairing import fingerprint

__all__ = ["SHARED", "arrangement_text", "covered", "invite"]

SHARED = ("track", "area", "report", "environment", "participant")
"""The kinds that two nations give each other in an experiment; no task, which an instrument of its own permits."""
_DAYS = 365


@click.command("invite")
@click.argument("party")
@click.option("-o", "--out", type=click.Path(path_type=Path), metavar="FILE",
              help="Where to write it.  [default: NODE-PARTY.experiment]")  # fmt: skip
@click.option("--project", metavar="P", default="", help="The experiment.  [default: the setting `project`]")
@pass_session
def invite(session: Session, party: str, out: Path | None, project: str) -> None:
    """Write an invitation to this node's experiment for a nation, good for a week.

    It holds what `aldis invite` writes, which protocols this nation's systems speak, and a draft of the instrument that
    would have to be signed by both, which is also written beside it. It holds nothing secret; read the fingerprint out.
    """
    node = session.node
    known_party(node.core.policies, party)
    if party == node.core.party:
        raise RefusedByPolicy(f"{party} is this node's own party", fix="Pair its nodes with `aldis invite`")
    name = project or node.core.config.project
    if not name:
        raise InvalidInput("the experiment has no name", fix="Give --project P, or set `project` in aldis.toml")
    pairing = node.partners.invite(party)
    path = out or Path(f"{node.name}-{party.lower()}.experiment")
    texts = () if covered(node, name, party, "track") else (arrangement_text(node, name, party),)
    offerings = tuple(_offerings(node, name))
    now = node.core.clock.now()
    data = seal_experiment(name, party, pairing, offerings, texts, created=now, signer=node.core.signer)
    write_whole(path, data)
    drafts = []
    for text in texts:
        draft = path.with_suffix(".toml")
        write_whole(draft, text.encode())
        drafts.append(str(draft))
    digits = fingerprint(pairing)
    found = {
        "file": str(path), "party": party, "project": name, "fingerprint": digits, "drafts": drafts,
        "protocols": [one.protocol for one in offerings],
    }  # fmt: skip
    session.out.data(found, str(path))
    session.out.say(f"Fingerprint: {digits}\nRead it out to {party} by telephone, never beside the file.")
    speaks = ", ".join(one.protocol for one in offerings) or "nothing yet: no system is connected"
    session.out.say(f"This nation's systems speak: {speaks}")
    step = f"send {path.name} to {party}, who runs `aldis experiment join {path.name} --system udp://127.0.0.1:PORT`"
    session.out.next(step, here=False)
    session.out.next("join the reply that comes back: `aldis join REPLY`")
    for one in drafts:
        session.out.next(f"read {one}, mend it, then `aldis instrument draft {one}`, and sign it")


def covered(node: Node, project: str, party: str, kind: str) -> bool:
    """Whether an instrument in force lets this node's party give records of a kind and project to another."""
    instruments = node.epochs.current().instruments
    for name in instruments.ids():
        status = node.register.status(name)
        if status.state is State.IN_FORCE:
            entry = next(one for one in instruments.versions(name) if one.version == status.version)
            for clause in entry.instrument.clauses:
                if (
                    node.core.party in clause.givers
                    and party in clause.takers
                    and {kind, ANY} & clause.kinds
                    and {project, ANY} & clause.projects
                ):
                    return True
    return False


def arrangement_text(node: Node, project: str, party: str) -> str:
    """The draft of what two nations would sign: unclassified, of this project alone, for a year."""
    policies, own = node.core.policies, node.core.party
    began = datetime.fromtimestamp(node.core.clock.now() / 1000, UTC).date()
    both = sorted((own, party))
    rungs = {}
    for one in both:
        try:
            policy = policies.policy_of(one)
        except AldisError:
            continue
        rungs[policy.name] = policy.unclassified
    rungs.setdefault(node.core.config.policy, policies.policy(node.core.config.policy).unclassified)
    ceiling = ", ".join(f'{name} = "{rung}"' for name, rung in sorted(rungs.items()))
    kinds = ", ".join(f'"{kind}"' for kind in SHARED)
    slug = "".join(letter if letter.isalnum() else "-" for letter in project.lower()).strip("-")[:40]
    return f"""\
# A draft: read it, mend it, and let your nation's release authority decide before you sign it.
instrument = "arrangement"
id = "experiment-{slug}-{both[0].lower()}-{both[1].lower()}"
title = "Experiment {slug}: the pictures of {both[0]} and {both[1]}"
parties = ["{both[0]}", "{both[1]}"]
from = {began}
until = {began + timedelta(days=_DAYS)}

[[clause]]
id = "1"
kinds = [{kinds}]
projects = [{msgspec.json.encode(project).decode()}]
purposes = ["experimentation"]
ceiling = {{ {ceiling} }}
"""


def _offerings(node: Node, project: str) -> Iterable[Offering]:
    """The protocols of this node's systems: as the settings name them, else as they were recognised."""
    named = []
    for system in node.core.config.systems:
        named.append(system.mapping or read_address(system.address).protocol)
    for one in listed(node.context, project):
        if one.node == node.name and one.state is not None:
            named.append(one.state.protocol)
    for name in dict.fromkeys(name for name in named if name):
        try:
            found = offered(name)
        except AldisError:  # described by a mapping file, or without its library: named by its settings already
            continue
        yield Offering(found.protocol, found.title[:200], tuple(sayable_kinds(found)))
