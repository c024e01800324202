"""One report as a recording has it: of which record, when it was taken and when it was true, and where it stands."""

from __future__ import annotations

import msgspec

from aldis.apps.experiments.entity import Identity

__all__ = ["Seen"]


class Seen(msgspec.Struct, frozen=True, gc=False):
    """Times are in µs: by the node's clock when it was taken, and when it was true, where that is said.

    `file` is the number of its file among those that were read, `sequence` its number in its topic there.
    """

    record: str
    at_us: int
    true_us: int | None
    file: int
    sequence: int
    where: tuple[float, float, float | None] | None = None
    identity: Identity | None = None
