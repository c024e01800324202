"""Tasks that wait for whoever commands this nation's systems."""

from __future__ import annotations

from collections.abc import Sequence

from aldis.app import Context, Waiting
from aldis.apps.experiments.orders.papers import unanswered

__all__ = ["waiting"]

_MOST = 5


def waiting(ctx: Context) -> Sequence[Waiting]:
    """What partners ask of this nation's systems, newest first; nothing for who may not accept it (`acting`)."""
    person = ctx.person
    if person is not None and (person.guest or person.nationality != ctx.party or not {"put", "revise"} <= person.acts):
        return []
    return [
        Waiting(
            todo="Answer a task",
            about=f"{asked.task.verb}: {asked.task.assignee}",
            words=f"asked by {ctx.parties().get(asked.ref[0], '?')} {asked.ref[0]}",
            path="/runs/tasks",
            labels=[record.label, *(portion.label for portion in record.portions)],
        )
        for asked, record in unanswered(ctx)[:_MOST]
    ]
