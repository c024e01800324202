"""What still stands between a system and an experiment, each with what to do about it."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from aldis.app import System
from aldis.apps.experiments.gateways.gateway import Offered
from aldis.apps.experiments.gateways.registry import PROTOCOLS, offered
from aldis.apps.experiments.participants.listening import Heard
from aldis.interfaces.joining.invitation import ExperimentInvitation
from aldis.interfaces.joining.inviting import covered
from aldis.kernel.errors import AldisError, Unavailable
from aldis.kernel.instruments import parse_instrument
from aldis.node.node import Node
from aldis.node.pairing import Sheet

__all__ = ["Missing", "comparable", "missing_of"]


class Missing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Something that is not there, and what to do."""

    what: str
    fix: str


def comparable(invitation: ExperimentInvitation) -> tuple[list[Offered], list[tuple[str, str]]]:
    """The protocols of an invitation that are known here, and the names of the others, each with why not."""
    found, lacking = list[Offered](), list[tuple[str, str]]()
    for offering in invitation.protocols:
        if offering.protocol not in PROTOCOLS:  # one that names a file would name one of this machine
            lacking.append((offering.protocol, "it is not known"))
            continue
        try:
            found.append(offered(offering.protocol))
        except AldisError as error:
            lacking.append((offering.protocol, str(error)))
    return found, lacking


def missing_of(
    own: Node, invitation: ExperimentInvitation, sheet: Sheet, system: System, heard: Heard
) -> list[Missing]:
    """All of it, in the order in which it is best seen to."""
    found = [*_libraries(invitation), *_project(own, invitation), *_markings(own)]
    return [*found, *_instrument(own, invitation, sheet), *_account(own, system, invitation), *_clock(heard)]


def _libraries(invitation: ExperimentInvitation) -> Iterator[Missing]:
    for offering in invitation.protocols:
        try:
            if offering.protocol in PROTOCOLS:
                offered(offering.protocol)
        except Unavailable as error:
            yield Missing(f"{offering.protocol}: {error.args[0]}", error.fix)


def _project(own: Node, invitation: ExperimentInvitation) -> Iterator[Missing]:
    project = own.core.config.project
    if project != invitation.project:
        yield Missing(
            f"what systems say here belongs to {project or 'no project'}, and the experiment is {invitation.project}",
            f'Set `project = "{invitation.project}"` in aldis.toml, or use a node of its own with --home',
        )


def _markings(own: Node) -> Iterator[Missing]:
    """Markings that are not there, cannot be read, or are above what this node may hold."""
    core = own.core
    try:
        labels = own.context.labels("track")
    except AldisError as error:
        yield Missing(f"a marking that cannot be read: {error.args[0]}", error.fix or "Mend it in aldis.toml")
        return
    lacking = {"header", "position"} - labels.keys()
    if lacking:
        yield Missing(f"no marking for {', '.join(sorted(lacking))} of a track", "Write it under [labels.track]")
    rules = core.policies.policy(core.config.policy)
    high = rules.rank(core.config.ceiling)
    for name, label in labels.items():
        if label.policy == rules.name and rules.rank(label.classification) > high:
            yield Missing(
                f"the marking of {name} is above this node's ceiling, {core.config.ceiling}",
                "Mark it lower, or have the node accredited and raise `ceiling` in aldis.toml",
            )


def _instrument(own: Node, invitation: ExperimentInvitation, sheet: Sheet) -> Iterator[Missing]:
    """No instrument in force lets a track go; which of those that are held, or were sent along, would."""
    if covered(own, invitation.project, sheet.party, "track"):
        return
    instruments = own.epochs.current().instruments
    held = [name for name in instruments.ids() if not instruments.versions(name)[-1].instrument.pairing]
    here = [name for name in held if own.core.party in own.register.status(name).missing]
    drafts = [parse_instrument(text).id for text in invitation.instruments]
    what = f"no instrument in force lets tracks of {invitation.project} go to {sheet.party}: nothing leaves"
    if here:
        yield Missing(what, f"Read it with `aldis instrument show {here[0]}`, then `aldis instrument sign {here[0]}`")
    elif drafts:
        fix = f"{sheet.node} drafts and signs {drafts[0]}; once it is here, `aldis instrument sign {drafts[0]}`"
        yield Missing(what, fix)
    else:
        yield Missing(what, "Draft one with `aldis instrument draft FILE`, and let both nations sign it")


def _account(own: Node, system: System, invitation: ExperimentInvitation) -> Iterator[Missing]:
    """What is needed for the system to be shown anything."""
    held = next((one for one in own.core.config.systems if one.name == system.name), system)
    if held.person and own.people.standing(held.person) is not None:
        return
    level = own.core.config.ceiling
    yield Missing(
        f"{system.name} acts as no account: it is heard, and shown nothing",
        f'`aldis person add {system.name} --name "{system.name}" --clearance "{level}" --project'
        f' "{invitation.project}"`, and `person = "{system.name}"` in its table in aldis.toml',
    )


def _clock(heard: Heard) -> Iterator[Missing]:
    check = next(one for one in heard.probed.checks if one.name == "clock")
    if check.outcome in ("warn", "fail"):
        yield Missing(f"its clock is off: {check.text}", check.fix)
