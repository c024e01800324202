"""A node's folder for whoever joins an experiment: made where there is none, and a system written into its settings."""

from __future__ import annotations

import re
import socket
import tomllib
from pathlib import Path

import msgspec

from aldis.app import System
from aldis.interfaces.cli.parties import known_party
from aldis.kernel.errors import InvalidInput, RefusedByPolicy, UnknownTerm
from aldis.kernel.labels import Label, Releasability
from aldis.kernel.markings import write
from aldis.kernel.policies import Policies, builtin
from aldis.node import config as settings
from aldis.node.config import Config
from aldis.node.home import make_home
from aldis.node.whole import whole_file

__all__ = ["add_system", "default_markings", "free_listen", "made_home"]

_PORTS = range(7461, 7561)
_OPEN = ("header", "position", "motion", "identity", "type", "status", "voyage")
"""What of a track is marked for both nations; the rest, which tells of the sensor and of time, stays at home."""
_PARTICIPANT = ("header", "state", "clock", "traffic")


def made_home(
    place: Path, party: str, *, node: str, policy: str, ceiling: str, listen: str, project: str, now: int
) -> bool:
    """Make a node where there is none; whether one was made.

    Raises:
        InvalidInput, UnknownTerm: a name, policy or level that cannot be.
        RefusedByPolicy: the node that is there is of another party.
    """
    if (place / settings.FILE).exists():
        found = settings.load(place, {})
        if found.party != party:
            raise RefusedByPolicy(
                f"the invitation is for {party}, and the node at {place} is of {found.party}",
                fix="Name another folder with --home, or ask for an invitation of your own",
            )
        return False
    policies = builtin()
    known_party(policies, party)
    try:
        rules = policies.policy(policy) if policy else policies.policy_of(party)
    except UnknownTerm as error:
        names = ", ".join(policies.names)
        raise UnknownTerm(f"{party} has no policy of its own here", fix=f"Choose one with --policy: {names}") from error
    config = Config(
        node=node or party.lower(),
        party=party,
        policy=rules.name,
        ceiling=ceiling or rules.unclassified,
        listen=listen or free_listen(),
        project=project,
    )
    make_home(place, config, now=now)
    return True


def free_listen() -> str:
    """The first loopback address of the usual ones that nobody listens at."""
    for port in _PORTS:
        with socket.socket() as one:
            try:
                one.bind(("127.0.0.1", port))
            except OSError:
                continue
        return f"127.0.0.1:{port}"
    raise InvalidInput("every port from 7461 to 7560 is taken", fix="Give one with --listen 127.0.0.1:PORT")


def default_markings(policies: Policies, policy: str, parties: tuple[str, str], at: int) -> dict[str, dict[str, str]]:
    """Unclassified, and for one's own nation and another: without an instrument in force nothing of it leaves.

    Raises:
        InvalidInput: markings of this policy cannot say for whom something is.
    """
    rules = policies.policy(policy)
    try:
        both = write(Label(policy, rules.unclassified, Releasability.to(*parties)), at=at, policies=policies)
    except InvalidInput as error:
        raise InvalidInput(
            f"a marking in policy {policy} cannot say for whom a track is", fix="Give one with --marking"
        ) from error
    track = dict.fromkeys(_OPEN, both)
    try:
        own = Label(policy, rules.unclassified, Releasability.to(parties[0]))
        track["sensor"] = write(own, at=at, policies=policies)
    except InvalidInput:
        pass  # this policy's markings cannot say "for us alone": all goes under the same
    return {"track": track, "participant": dict.fromkeys(_PARTICIPANT, both)}


def add_system(home: Path, system: System, project: str, labels: dict[str, dict[str, str]]) -> bool:
    """Write a system, and what is missing of project and markings, into a node's settings; whether that changed them.

    What people wrote there stays as it is.

    Raises:
        InvalidInput: another system of that name is there.
    """
    path = home / settings.FILE
    text = path.read_text("utf-8")
    held = tomllib.loads(text)
    for one in held.get("systems", []):
        if one.get("name") == system.name:
            if one.get("address") == system.address or str(one.get("address")).endswith(f"+{system.address}"):
                return False
            raise InvalidInput(
                f"a system {system.name!r} with the address {one.get('address')} is in {path}",
                fix="Give this one another name with --name, or change the table there",
            )
    lines = text.rstrip("\n").split("\n")
    if not held.get("project"):
        first = next((index for index, line in enumerate(lines) if re.match(r"\s*\[", line)), len(lines))
        lines.insert(first, f"project = {_text(project)}\n" if first < len(lines) else f"project = {_text(project)}")
    lines += ["", "[[systems]]", f"name = {_text(system.name)}", f"address = {_text(system.address)}"]
    if system.mapping:
        lines.append(f"mapping = {_text(system.mapping)}")
    for kind, marks in labels.items():
        if kind not in held.get("labels", {}):
            lines += ["", f"[labels.{kind}]", *(f"{name} = {_text(mark)}" for name, mark in marks.items())]
    new = "\n".join(lines) + "\n"
    try:
        settings.check(msgspec.convert(tomllib.loads(new), Config, strict=False))
    except msgspec.ValidationError as error:
        raise InvalidInput(f"{path}: {error}", fix="Mend what is wrong there first") from error
    with whole_file(path) as file:
        file.write(new.encode())
    return True


def _text(value: str) -> str:
    """A string as TOML, which writes it as JSON does."""
    return msgspec.json.encode(value).decode()
