"""What every benchmark ends with: one line of JSON per figure."""

from __future__ import annotations

import json
from collections.abc import Sequence
from statistics import median

__all__ = ["median_spread", "report"]


def median_spread(samples: Sequence[float]) -> tuple[float, tuple[float, float]]:
    """The median of `samples` and their (least, greatest)."""
    return median(samples), (min(samples), max(samples))


def report(
    benchmark: str,
    peer: str,
    ratio: float,
    target: str | float,
    met: bool,
    aldis: float,
    unit: str,
    spread: tuple[float, float],
) -> None:
    """Print one figure as one line of JSON, numbers to four significant digits.

    Args:
        benchmark: what was measured.
        peer: what it was measured against, on the same work in the same run.
        ratio: aldis / peer, in `unit` over `unit`.
        target: what the figure must reach.
        met: whether it did.
        aldis: the median of Aldis's own runs.
        unit: of `aldis` and `spread`.
        spread: least and greatest of Aldis's own runs.
    """
    line = {
        "benchmark": benchmark,
        "peer": peer,
        "ratio": _round(ratio),
        "target": target,
        "met": met,
        "aldis": _round(aldis),
        "unit": unit,
        "spread": [_round(value) for value in spread],
    }
    print(json.dumps(line, ensure_ascii=False), flush=True)


def _round(value: float) -> float:
    rounded = float(f"{value:.4g}")
    return int(rounded) if rounded.is_integer() else rounded
