"""The nodes of a coalition and the links between them: made, saved, taken up again and closed."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from itertools import permutations
from pathlib import Path
from random import Random
from typing import Self

from aldis.app import App
from aldis.apps.workspace import app as workspace
from aldis.node.config import Config
from aldis.node.node import Node
from aldis.testing.archive import Archive
from aldis.testing.clock import START, VirtualClock
from aldis.testing.disk import Image
from aldis.testing.homes import found_all, images_in, save_home, temporary_copy
from aldis.testing.link import Link
from aldis.testing.site import Site
from aldis.testing.watch import Watch

__all__ = ["Nodes"]

_APPS: Mapping[str, App] = {"workspace": workspace}
_CLOCK, _ARCHIVE = "clock", "archive"


class Nodes:
    """Real nodes by name, each at its site, with a link from each to every other."""

    def __init__(
        self,
        folder: Path,
        images: Mapping[str, Image | None],
        *,
        seed: int = 0,
        at: int = START,
        apps: Mapping[str, App] | None = None,
        temporary: bool = False,
    ) -> None:
        """Nodes from folders that exist; `of` makes new ones and `load` takes saved ones."""
        self.clock = VirtualClock(at)
        self.rng = Random(seed)  # noqa: S311
        self.archive = Archive()
        self._folder = folder
        self._temporary = temporary
        self._watches: dict[tuple[str, str], Watch] = {}
        self.sites = {
            name: Site(folder / name, self.clock, apps or _APPS, seed=seed, image=image)
            for name, image in images.items()
        }
        self.links = {
            (one, other): Link(self.sites[one], self.sites[other], self.clock, self.rng, self.archive)
            for one, other in permutations(self.sites, 2)
        }

    @classmethod
    def of(
        cls,
        parties: Mapping[str, str | Config],
        *,
        seed: int = 0,
        memory: bool = False,
        apps: Mapping[str, App] | None = None,
    ) -> Self:
        """New nodes in a temporary folder: each name's party, or its settings.

        With `memory` the stores lie on disks in memory, which can fail; else in the folder, as in production. `apps`
        are those of every node: the workspace, where none are given.
        """
        folder = found_all(parties, seed=seed, now=START)
        images: dict[str, Image | None] = dict.fromkeys(parties, {} if memory else None)
        return cls(folder, images, seed=seed, apps=apps, temporary=True)

    @classmethod
    def load(cls, folder: Path, *, seed: int = 0, memory: bool = False, apps: Mapping[str, App] | None = None) -> Self:
        """The nodes that `save` left in `folder`, which stays as it is."""
        at = int((folder / _CLOCK).read_text("ascii"))
        own = folder if memory else temporary_copy(folder)
        made = cls(own, images_in(folder, memory=memory), seed=seed, at=at, apps=apps, temporary=not memory)
        made.archive.load((folder / _ARCHIVE).read_bytes(), {name: made[name].core.signer.public for name in made})
        return made

    def save(self, folder: Path) -> None:
        """Stop all nodes and copy their folders and stores to `folder`, then start them again."""
        for site in self.sites.values():
            site.node.close()
            save_home(site.home, folder / site.name, site.medium.image())
            site.start()
        (folder / _CLOCK).write_text(str(self.clock.at), "ascii")
        (folder / _ARCHIVE).write_bytes(self.archive.dump())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop all nodes, and remove the temporary folder."""
        for watch in self._watches.values():
            watch.close()
        for site in self.sites.values():
            site.close()
        if self._temporary:
            shutil.rmtree(self._folder, ignore_errors=True)

    def __getitem__(self, name: str) -> Node:
        """The node that runs there now."""
        return self.sites[name].node

    def __iter__(self) -> Iterator[str]:
        """The names of the nodes."""
        return iter(self.sites)
