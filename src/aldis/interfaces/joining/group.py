"""`aldis experiment` with what needs the node beside the app: inviting, and joining."""

from __future__ import annotations

from aldis.apps.experiments.commands import experiment
from aldis.interfaces.joining.command import join
from aldis.interfaces.joining.inviting import invite

__all__ = ["experiment"]

experiment.add_command(invite)
experiment.add_command(join)
