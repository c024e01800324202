"""One-way feeds: bundle files in a folder that something carries across a diode, where no receipt ever comes back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from aldis.kernel.bundles import Manifest, open_envelope
from aldis.kernel.errors import AldisError, InvalidInput, RefusedByPolicy, Unavailable, UnknownTerm
from aldis.kernel.messages import Receipt, read_unverified
from aldis.node.attachments import CONTENT_SUFFIX, Attachments
from aldis.node.audit import Audit
from aldis.node.core import Core
from aldis.node.exchange import Exchange, exported_to
from aldis.node.files import BUNDLE_SUFFIX, active, read, write
from aldis.node.heartbeats import HEARTBEAT_SUFFIX, Heartbeats
from aldis.node.inbound import Inbound
from aldis.node.outbound import Outbound
from aldis.node.partners import Partners
from aldis.node.store import Sealed

__all__ = ["Arrival", "Feeds"]

_KEPT = 1000


@dataclass(frozen=True, slots=True)
class Arrival:
    """What became of a file, or which numbers are missing before it; `fix` says what to do."""

    path: Path
    outcome: Literal["admitted", "here already", "missing", "unread"]
    text: str
    fix: str = ""
    set_aside: int = 0


class Feeds:
    """Writes what is new for a partner into a folder, keeps it, and takes such files in, in their order."""

    def __init__(
        self,
        core: Core,
        audit: Audit,
        partners: Partners,
        exchange: Exchange,
        outbound: Outbound,
        inbound: Inbound,
        attachments: Attachments,
    ) -> None:
        self._attachments = attachments
        self._core = core
        self._audit = audit
        self._partners = partners
        self._exchange = exchange
        self._outbound = outbound
        self._inbound = inbound
        self.heartbeats = Heartbeats(core, partners, inbound)
        self._told: set[tuple[object, ...]] = set()

    def out(self, node: str, folder: Path) -> Iterator[Path]:
        """Write every bundle that has not left for a partner in a file yet, then every such content, each alone.

        Raises:
            InvalidInput: the partner is not active.
            Unavailable: the folder cannot be written to; nothing counts as written.
        """
        name = active(self._partners, node).node
        while (sealed := self._exchange.next_bundle(name, self._core.store.meta.number(exported_to(name)))) is not None:
            path = self._write(name, sealed, folder)
            self._exchange.left(name, sealed, path.name)
            yield path
        yield from self._contents(name, folder)

    def heartbeat(self, node: str, folder: Path, every_ms: int) -> Path | None:
        """Say into a folder how far a partner's stream was written, if that is due; see `Heartbeats.write`."""
        return self.heartbeats.write(node, folder, every_ms, self._exchange.epoch)

    def again(self, node: str, first: int, last: int, folder: Path) -> Iterator[Path]:
        """Write the bundles that hold items `first` to `last` once more.

        Raises:
            InvalidInput: some of them never left, or are no longer kept.
            RefusedByPolicy: one of them may no longer go.
        """
        name = active(self._partners, node).node
        kept = [one for one in self._kept(name) if one.last >= first and one.first <= last]
        held = {number for one in kept for number in range(one.first, one.last + 1)}
        lacking = [number for number in (first, last) if number not in held]
        if first > last or lacking:
            raise InvalidInput(
                f"items {first} to {last} for {name} are not kept here"
                + (f": what is kept is {self.kept(name)}" if first <= last else ""),
                fix=f"Ask for what is kept, or send all anew with `aldis doctor --new-epoch {name}`",
            )
        for sealed in kept:
            if not self._outbound.permitted(name, sealed):
                raise RefusedByPolicy(
                    f"items {sealed.first} to {sealed.last} for {name} may no longer go",
                    fix=f"Send what may go anew: `aldis doctor --new-epoch {name}`",
                )
            path = self._write(name, sealed, folder)
            with self._core.store.transaction():
                self._core.store.attachments.again(name, sealed.first, sealed.last)
                self._audit.write("export", sealed.digest.hex(), verdict="written again", reasons=[name, path.name])
            yield path
        yield from self._contents(name, folder)

    def forget(self, node: str, upto: int) -> int:
        """Keep the bundles up to item `upto` no longer: the partner is known to have them; how many those were."""
        name = self._partners.get(node).node
        gone = [one for one in self._kept(name) if one.last <= upto]
        if gone:
            with self._core.store.transaction():
                self._core.store.exchange.drop_data(name, gone[-1].epoch, gone[-1].last)
                self._audit.write("export", gone[-1].digest.hex(), verdict="kept no longer", reasons=[name])
        return len(gone)

    def kept(self, node: str) -> str:
        """The items that can be written again, in words."""
        found = self._kept(node)
        return f"items {found[0].first:,} to {found[-1].last:,}" if found else "nothing"

    def take(self, folder: Path) -> Iterator[Arrival]:
        """Take in what lies in a folder, of each origin in order; what was admitted is deleted, all else stays.

        A file that cannot be believed, and numbers that are missing, are told of once, until they change.

        Raises:
            Unavailable: the folder cannot be read, or this node's disk or quarantine is full.
        """
        streams: dict[str, list[tuple[Manifest, Path, bytes]]] = {}
        for path in _files(folder, BUNDLE_SUFFIX):
            try:
                data = read(path)
                manifest = open_envelope(data)[0]
                if manifest.audience != self._core.node:
                    raise InvalidInput(f"it is for {manifest.audience}", fix="Take it to that node's folder")
            except AldisError as error:
                yield from self._unread(path, error)
                continue
            streams.setdefault(manifest.origin, []).append((manifest, path, data))
        for origin in sorted(streams):
            yield from self._follow(sorted(streams[origin], key=lambda one: (one[0].epoch, one[0].first, one[1].name)))
        for path in _files(folder, CONTENT_SUFFIX):
            yield from self._take_content(path)
        for path in _files(folder, HEARTBEAT_SUFFIX):
            yield from self._hear(path)

    def _contents(self, name: str, folder: Path) -> Iterator[Path]:
        for row, path in self._attachments.outgoing.files(name, folder):
            self._attachments.outgoing.left(row, path.name)
            yield path

    def _take_content(self, path: Path) -> Iterator[Arrival]:
        state = self._state(path)
        if state in self._told and (*state, "waits") not in self._told:
            return
        try:
            head, _ = self._attachments.incoming.take_file(path)
        except UnknownTerm as error:  # its bundle may yet come
            self._told.add((*state, "waits"))
            yield from self._unread(path, error)
            return
        except Unavailable:
            raise
        except AldisError as error:
            self._told.discard((*state, "waits"))
            yield from self._unread(path, error)
            return
        _remove(path)
        yield Arrival(path, "admitted", f"an attachment of {head.size:,} bytes from {head.origin} is whole")

    def _follow(self, found: list[tuple[Manifest, Path, bytes]]) -> Iterator[Arrival]:
        for manifest, path, data in found:
            cursor = self._inbound.cursor(manifest.origin)
            what = f"items {manifest.first:,} to {manifest.last:,} of {manifest.origin}"
            if (manifest.epoch, manifest.last) <= (cursor.epoch, cursor.seq):
                _remove(path)
                if self._new("here already", path.name, manifest.epoch):
                    yield Arrival(path, "here already", f"{what} are here already")
                continue
            due = cursor.seq + 1 if manifest.epoch == cursor.epoch else 1
            if manifest.first > due:
                yield from self._missing(manifest, path, due)
                return
            if self._state(path) in self._told:  # each attempt would add to the ledger
                return
            try:
                receipt = self._inbound.deliver(None, data)
            except Unavailable:
                raise
            except AldisError as error:
                yield from self._unread(path, error)
                return
            _remove(path)
            aside = read_unverified(receipt, Receipt)
            yield Arrival(path, "admitted", f"{what} admitted", set_aside=aside.quarantined)

    def _missing(self, manifest: Manifest, path: Path, due: int) -> Iterator[Arrival]:
        last = manifest.first - 1
        if self._new("missing", manifest.origin, manifest.epoch, due, last):
            where = f"`aldis feed again {self._core.node} DIR --from {due} --to {last}`"
            text = f"items {due:,} to {last:,} of {manifest.origin} are missing; what follows them waits here"
            yield Arrival(path, "missing", text, f"Ask the operator of {manifest.origin} to run {where}")

    def _hear(self, path: Path) -> Iterator[Arrival]:
        """Take in a heartbeat, and tell of what it says was written last and has not come."""
        try:
            origin = self.heartbeats.take(read(path)).origin
        except Unavailable:
            raise
        except AldisError as error:
            yield from self._unread(path, error)
            return
        _remove(path)
        gone = self.heartbeats.missing(origin)
        if gone is not None and self._new("missing", origin, "last", *gone):
            first, last = gone
            where = f"`aldis feed again {self._core.node} DIR --from {first} --to {last}`"
            text = f"items {first:,} to {last:,} of {origin} were written and are not here"
            yield Arrival(path, "missing", text, f"Ask the operator of {origin} to run {where}")

    def _unread(self, path: Path, error: AldisError) -> Iterator[Arrival]:
        if self._new(*self._state(path)):
            yield Arrival(path, "unread", str(error.args[0]), error.fix or "Ask for it again")

    def _state(self, path: Path) -> tuple[object, ...]:
        """What makes it worth trying a file again: another size or time, or a change of partners."""
        with suppress(OSError):
            found = path.stat()
            return ("unread", path.name, found.st_size, found.st_mtime_ns, self._core.policy_change())
        return ("unread", path.name)

    def _new(self, *what: object) -> bool:
        new = what not in self._told
        self._told.add(what)
        return new

    def _kept(self, name: str) -> list[Sealed]:
        """What has left in a file and is kept."""
        left, found = self._core.store.meta.number(exported_to(name)), list[Sealed]()
        while more := self._core.store.exchange.sealed(name, _KEPT, found[-1].first if found else 0):
            found += more
        return [one for one in found if one.last <= left]

    def _write(self, name: str, sealed: Sealed, folder: Path) -> Path:
        span = f"{sealed.first:09d}-{sealed.last:09d}"
        path = folder / f"{self._core.node}-{name}-{int(sealed.epoch):013d}-{span}{BUNDLE_SUFFIX}"
        write(path, sealed.data or b"")
        return path


def _files(folder: Path, suffix: str) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if path.suffix == suffix)
    except OSError as error:
        raise Unavailable(f"{folder} cannot be read: {error.strerror}", fix="Name a folder that is there") from error


def _remove(path: Path) -> None:
    with suppress(OSError):  # a folder that cannot be written to; what is here already is passed over
        path.unlink()
