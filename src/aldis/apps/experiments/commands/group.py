"""The group `aldis experiment`."""

from __future__ import annotations

import click

from aldis.apps.experiments.commands.agreeing import agree
from aldis.apps.experiments.commands.joining import participants
from aldis.apps.experiments.commands.ordering import COMMANDS as ORDERING
from aldis.apps.experiments.commands.picturing import picture
from aldis.apps.experiments.commands.probing import probe
from aldis.apps.experiments.commands.publishing import findings, publish
from aldis.apps.experiments.commands.recordings import score
from aldis.apps.experiments.commands.replaying import replay
from aldis.apps.experiments.commands.reporting import report, sign
from aldis.apps.experiments.commands.testing import test
from aldis.apps.experiments.commands.translating import convert, losses
from aldis.apps.experiments.commands.verifying import verify

__all__ = ["experiment"]


@click.group("experiment", no_args_is_help=True)
def experiment() -> None:
    """Test how systems of several nations work together: recordings, scores, what a translation loses."""


experiment.add_command(picture)
experiment.add_command(score)
experiment.add_command(verify)
experiment.add_command(report)
experiment.add_command(sign)
experiment.add_command(publish)
experiment.add_command(findings)
experiment.add_command(replay)
experiment.add_command(agree)
experiment.add_command(losses)
experiment.add_command(convert)
experiment.add_command(test)
experiment.add_command(participants)
experiment.add_command(probe)
for _command in ORDERING:
    experiment.add_command(_command)
