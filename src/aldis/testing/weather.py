"""Weather: how likely a link loses, delays, repeats or damages what it carries."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["FAIR", "STORM", "Weather"]


@dataclass(frozen=True, slots=True)
class Weather:
    """Probabilities, each for one call or one live frame.

    A lost request never arrives. A lost answer belongs to a request that did. A delayed request arrives within
    `longest_ms` after its sender has given up on it, so an old delivery may come after a newer greeting, and live
    frames overtake each other. A repeated one arrives now and once more later. A damaged one has some bits flipped,
    on its way there or back.
    """

    lose_request: float = 0.0
    lose_answer: float = 0.0
    delay: float = 0.0
    repeat: float = 0.0
    damage: float = 0.0
    longest_ms: int = 2_000


FAIR = Weather()
"""Everything arrives once, in order and unharmed."""

STORM = Weather(lose_request=0.12, lose_answer=0.12, delay=0.1, repeat=0.1, damage=0.08)
"""About every second call goes wrong."""
