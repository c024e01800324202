"""Who is told of the live frames that leave a node and come to it: nobody, mostly, and then it costs nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from aldis.app import Crossed, Live

__all__ = ["Crossings"]


class Crossings:
    """Those who follow the frames of a node; true where there are any."""

    def __init__(self) -> None:
        self._told: list[Callable[[Crossed], None]] = []

    def __bool__(self) -> bool:
        """Whether anybody follows."""
        return bool(self._told)

    def follow(self, told: Callable[[Crossed], None]) -> Callable[[], None]:
        """Tell of each frame from now on, until what this returns is called."""
        self._told.append(told)
        return lambda: self._told.remove(told) if told in self._told else None

    def tell(self, node: str, frame: str, at: int, values: Sequence[Live], *, left: bool) -> None:
        """Tell all who follow of one frame."""
        crossed = Crossed(node, left, frame, at, values)
        for told in list(self._told):
            told(crossed)
