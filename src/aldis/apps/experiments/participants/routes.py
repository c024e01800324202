"""The HTTP API of participants, below `/api/v1/experiments`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import msgspec

from aldis.app import Context, Route
from aldis.apps.experiments.participants.listing import ParticipantShown, listed

__all__ = ["ROUTES"]


class _Asked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The participants of a project; of the node's default one where none is named."""

    project: Annotated[str, msgspec.Meta(max_length=200)] = ""


def _listed(ctx: Context, asked: _Asked) -> list[ParticipantShown]:
    return listed(ctx, asked.project)


ROUTES: Sequence[Route] = (
    Route(
        "GET", "/participants", "The systems that take part, of all nations", _Asked, list[ParticipantShown], _listed
    ),
)
