"""A site: one node of a simulation with its folder, its disk and its clock, and the process that runs there now."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from random import Random

from aldis.app import App
from aldis.node.home import Home
from aldis.node.node import Node
from aldis.testing.clock import NodeClock, VirtualClock
from aldis.testing.disk import Disk, Folder, Image, Medium

__all__ = ["Site"]


class Site:
    """Runs one node; the process may be stopped, killed and started, the files outlive it.

    `lies`, where set, answers partners in the node's place.
    """

    def __init__(
        self, home: Path, true_time: VirtualClock, apps: Mapping[str, App], *, seed: int, image: Image | None
    ) -> None:
        """With an `image` the store lies in memory and starts as that; without one it lies in the folder `home`."""
        self.home = home
        self.clock = NodeClock(true_time)
        self.medium: Medium = Folder(Home(home).store) if image is None else Disk()
        self._apps = apps
        self._rng = Random(f"{seed}/{home.name}")  # noqa: S311
        self.starts = 0
        self.lies: Callable[[str, str, bytes], bytes] | None = None
        if image is not None:
            self.medium.load(image)
        self.node = self._open()

    @property
    def name(self) -> str:
        """The node's name."""
        return self.home.name

    @property
    def disk(self) -> Disk:
        """The disk in memory; TypeError where the store lies in a real folder."""
        if not isinstance(self.medium, Disk):
            raise TypeError(f"the store of {self.name} lies in a folder: make the coalition with memory=True")
        return self.medium

    @property
    def dead(self) -> bool:
        """Whether the process was killed by its disk and waits to be started again."""
        return isinstance(self.medium, Disk) and self.medium.dead

    def answer(self, sender: str, operation: str, body: bytes) -> bytes:
        """What a partner hears when it calls; see `Node.answer`."""
        return (self.lies or self.node.answer)(sender, operation, body)

    def kill(self, image: Image | None = None) -> None:
        """End the process without grace and start another, on the files as they are now or on those given."""
        left = self.medium.image() if image is None else image
        self._abandon()
        self.medium.load(left)
        self.node = self._open()

    def start(self) -> None:
        """Start a process, once the one before was closed."""
        self.node = self._open()

    def close(self) -> None:
        """Stop the process for good."""
        self._abandon()
        self.medium.close()

    def _abandon(self) -> None:
        """Close the files without a word to the store, which may not be able to write any more."""
        if isinstance(self.medium, Disk):
            self.medium.abandon()
        self.node.close()

    def _open(self) -> Node:
        self.starts += 1
        return Node.open(
            self.home,
            clock=self.clock,
            random=self._rng.randbytes,
            environment={},
            apps=self._apps,
            vfs=self.medium.vfs,
        )
