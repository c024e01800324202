"""A coalition of nodes in one process: real nodes, stores, keys and bytes; simulated time, links, disks, accidents."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

from aldis.app import Live
from aldis.kernel.epoch import PartnerStatus
from aldis.kernel.instruments import parse_instrument
from aldis.node.files import BUNDLE_SUFFIX
from aldis.testing.disk import Image
from aldis.testing.nodes import Nodes
from aldis.testing.watch import Watch
from aldis.testing.weather import FAIR, Weather

__all__ = ["Coalition", "Snapshot", "Unsettled"]


class Unsettled(AssertionError):
    """The nodes went on talking, or failing, for longer than a test waits."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A backup of one node's store, with the time at which it was taken."""

    node: str
    image: Image
    at: int


class Coalition(Nodes):
    """Nodes by name: `coalition["aus"]` is the node that runs there now (another one after each start).

    Nothing happens by itself: `step` lets time pass and every node take its turn, `settle` does so until all is said.
    The same seed and the same calls give the same run.
    """

    # agreeing

    def pair(self, one: str, other: str) -> None:
        """Pair two nodes by file, fingerprints compared."""
        invitation = self[one].partners.invite(self[other].core.party)
        own = self[one].core.party == self[other].core.party
        _, reply = self[other].partners.join(invitation, lambda _sheet, _fingerprint: True, own=own)
        if reply is None:
            raise AssertionError("an invitation was taken for a reply")
        self[one].partners.join(reply, lambda _sheet, _fingerprint: True)

    def pair_all(self) -> None:
        """Pair every two nodes, and let them greet."""
        names = list(self.sites)
        for place, one in enumerate(names):
            for other in names[place + 1 :]:
                self.pair(one, other)
        self.settle()

    def arrange(self, text: str, by: str | None = None) -> str:
        """Put an instrument (TOML) into force: drafted `by` a party's node, signed by one of each; its id."""
        instrument = parse_instrument(text)
        nodes = {self[name].core.party: name for name in reversed(list(self.sites))}
        signers = [nodes[party] for party in sorted(instrument.parties)]
        self[by or signers[0]].register.draft(text, "officer")
        self.settle()
        for name in signers:
            self[name].register.sign(instrument.id, "officer")
        self.settle()
        return instrument.id

    # time and weather

    def set_weather(self, weather: Weather) -> None:
        """The weather of every link."""
        for link in self.links.values():
            link.weather = weather

    def cut(self, one: str, other: str, *, off: bool = True) -> None:
        """Cut the links between two nodes, or mend them."""
        self.links[one, other].cut = self.links[other, one].cut = off

    def mend(self) -> None:
        """Fair weather, and no link cut."""
        self.set_weather(FAIR)
        for link in self.links.values():
            link.cut = False

    def skew(self, name: str, ms: int) -> None:
        """Set a node's clock `ms` ahead of the true time."""
        self.sites[name].clock.skew = ms

    def step(self, ms: int = 100, share: float = 1.0) -> bool:
        """Let time pass, then nodes make one call and send one frame to each partner; whether any got through.

        With a `share` below 1, each link has its turn with that probability only.
        """
        self.clock.advance(ms)
        for site in self.sites.values():
            if site.dead:
                site.kill()
        links = [link for link in self.links.values() if share >= 1 or self.rng.random() < share]
        self.rng.shuffle(links)
        moved = [link.deliver_late() | link.turn() | link.live_turn() for link in links]
        return any(moved)

    def settle(self, ms: int = 100, limit: int = 3_000) -> int:
        """Step until nobody has anything left to say, or is refused whatever it says; how many steps that took.

        Raises:
            Unsettled: it went on for `limit` steps.
        """
        for steps in range(1, limit + 1):
            if not self.step(ms) and all(link.quiet for link in self.links.values()):
                return steps
        raise Unsettled(f"the nodes are still busy after {limit} steps of {ms} ms")

    # accidents and operators

    def crash(self, name: str, writes: int | None = None) -> None:
        """Kill a node's process and start it again from its files: now, or once it has written so many more times.

        The latter needs `memory`; the node then is down until the next step.
        """
        if writes is None:
            self.sites[name].kill()
        else:
            self.sites[name].disk.die(writes)

    def cut_power(self, name: str) -> None:
        """As `crash`, and what was written but not synced may be lost or torn; needs `memory`."""
        site = self.sites[name]
        site.kill(site.disk.after_power_cut(self.rng))

    def fill_disk(self, name: str, writes: int = 0) -> None:
        """Let a node's disk be full for one write, when so many more have passed; needs `memory`."""
        self.sites[name].disk.fill(writes)

    def snapshot(self, name: str) -> Snapshot:
        """A backup of a node's store."""
        return Snapshot(name, self.sites[name].medium.image(), self.clock.at)

    def restore(self, snapshot: Snapshot) -> None:
        """Start a node from a backup; whatever it did since is forgotten there, and known to its partners alone."""
        self.sites[snapshot.node].kill(snapshot.image)

    def suspend(self, at: str, partner: str, because: str = "suspended in a test") -> None:
        """Suspend a partner at one node."""
        self[at].partners.set_status(partner, PartnerStatus.SUSPENDED, because)

    def resume(self, at: str, partner: str, because: str = "resumed in a test") -> None:
        """Resume a suspended partner at one node."""
        self[at].partners.set_status(partner, PartnerStatus.ACTIVE, because)

    def watch(self, name: str, kind: str) -> list[Live]:
        """The live values of a kind that a subscriber at a node has seen since this was first asked."""
        if (name, kind) not in self._watches:
            self._watches[name, kind] = Watch(self.sites[name], kind)
        return list(self._watches[name, kind].seen())

    def by_file(self, sender: str, receiver: str) -> int:
        """Carry what waits for a partner on a stick, and its receipts back; how many bundles that were.

        Raises:
            AldisError: a file could not be written, or was not believed.
        """
        carried = 0
        with tempfile.TemporaryDirectory(prefix="aldis-stick-") as stick:
            for path in list(self[sender].files.export(receiver, Path(stick))):
                if path.suffix == BUNDLE_SUFFIX:
                    self.archive.bundle(self[sender], receiver, path.read_bytes())
                    carried += 1
                _, receipt = self[receiver].files.take(path)
                if receipt is not None:
                    self[sender].files.take(receipt)
        return carried
