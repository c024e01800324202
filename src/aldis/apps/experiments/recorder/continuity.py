"""Whether the files of one recording follow upon one another with nothing missing between them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from aldis.apps.experiments.recorder.verify import Findings

__all__ = ["gaps"]


def gaps(found: Sequence[Findings]) -> Sequence[str]:
    """What is missing at the front of, or between, the files of one recording, as `verify` found them.

    Each names the last head of the one before it. So a file that was never closed lacks nothing where the next goes on
    from its last seal; and one that was cut later, does.
    """
    openings = [one.opening for one in found]
    if any(opening is None for opening in openings):
        return ["a file without an opening: its place among the others is not known"]
    order = sorted(range(len(found)), key=lambda at: opening.segment if (opening := openings[at]) else 0)
    first = openings[order[0]] if order else None
    missing = [] if first is None or first.segment == 1 else [f"what came before file {first.segment}"]
    for before, after in pairwise(order):
        one, two = openings[before], openings[after]
        if one is None or two is None:
            continue
        if (one.node, one.run, one.segment + 1) != (two.node, two.run, two.segment):
            missing.append(f"file {two.segment} does not follow upon file {one.segment}")
        elif two.previous != found[before].head:
            missing.append(f"file {two.segment} goes on from another end than the one file {one.segment} now has")
    return missing
