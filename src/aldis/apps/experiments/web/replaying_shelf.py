"""The recordings of a node: which there are, and their indexes, made beside its work and kept for a while."""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from collections.abc import Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Literal

import msgspec

from aldis.apps.experiments.recorder import Findings, Opening, gaps, segments_of, verify
from aldis.apps.experiments.recorder.container import HEAD, Broken, Op
from aldis.apps.experiments.recorder.files import check_left
from aldis.apps.experiments.recorder.scan import Cut, Scan
from aldis.apps.experiments.web.replaying_index import Index, index
from aldis.kernel.errors import TooLarge, Unavailable, UnknownTerm, VerificationFailed
from aldis.kernel.signatures import Key

__all__ = ["MOST_BYTES", "Reading", "Run", "Shelf"]

MOST_BYTES = 512 * 1024 * 1024
"""Of a recording that is replayed here; a longer one is for `aldis experiment replay`."""
_KEPT = 3
_MOST_RUNS = 100
_PATIENCE_S = 1.5
"""How long a page waits for an index before it says that one is being made."""
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,79}")
_FILE = re.compile(r"([a-z0-9][a-z0-9-]{0,79})-\d{4}\.mcap")
Signature = tuple[tuple[str, int, int], ...]


class Run(msgspec.Struct, frozen=True):
    """A recording by its files: `state` is what they look like, before any seal is checked."""

    name: str
    state: Literal["closed", "running", "open", "damaged"]
    files: Sequence[Path]
    size: int
    opening: Opening | None
    last: int
    """When about it ends, in ms since 1970 UTC; 0 where nobody knows."""


class Reading(msgspec.Struct, frozen=True):
    """A recording that was verified: `whole` says that nothing is missing; `wrong` why it is not."""

    whole: bool
    wrong: Sequence[str]
    index: Index


class Shelf:
    """What is read is kept, a few of them; what is asked for while it is read waits for it, for a while."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[Path, str], tuple[Signature, Future[Reading]]] = OrderedDict()
        self._ends: dict[tuple[Path, int, int], int] = {}
        self._turn = threading.Lock()

    def runs(self, folder: Path) -> Sequence[Run]:
        """The newest recordings of a folder, the newest first; at most 100."""
        try:
            found = {match[1] for path in folder.iterdir() if (match := _FILE.fullmatch(path.name))}
        except OSError:
            return []
        return [self.run(folder, name) for name in sorted(found, reverse=True)[:_MOST_RUNS]]

    def run(self, folder: Path, name: str) -> Run:
        """A recording by its name.

        Raises:
            UnknownTerm: there is none.
        """
        files = segments_of(folder, name) if _NAME.fullmatch(name) else []
        if not files:
            raise UnknownTerm(f"no recording {name[:80]!r}", fix="`/experiments/recordings` lists those that are here")
        size = sum(path.stat().st_size for path in files)
        try:
            with files[-1].open("rb") as file:
                closed = Scan.of(files[-1], file).whole
            opening, last = _opening(files[0]), self._end(files[-1])
        except (Broken, Cut, OSError):
            return Run(name, "damaged", files, size, None, 0)
        return Run(name, "closed" if closed else _left(files[-1]), files, size, opening, last)

    def reading(self, run: Run, key: Key) -> Reading | None:
        """What is in a recording that is sealed with this key; None while it is still being read.

        Raises:
            TooLarge: it is too long to be replayed here.
            VerificationFailed: it is not what was recorded.
        """
        if run.size > MOST_BYTES:
            raise TooLarge(
                f"the recording {run.name} is longer than {MOST_BYTES // 2**20} MiB",
                fix=f"`aldis experiment replay` reads it: its files are {run.name}-*.mcap",
            )
        place, signature = (run.files[0].parent, run.name), _signature(run.files)
        with self._lock:
            kept = self._kept.get(place)
            if kept is None or (kept[1].done() and kept[0] != signature):
                done = [one for one, (_, found) in self._kept.items() if found.done() and one != place]
                if len(self._kept) >= _KEPT and kept is None and not done:
                    return None  # others come first
                if len(self._kept) >= _KEPT and kept is None:
                    del self._kept[done[0]]
                kept = self._kept[place] = (signature, self._begin(run.files, key))
            self._kept.move_to_end(place)
        try:
            return kept[1].result(_PATIENCE_S)
        except TimeoutError:
            return None

    def _begin(self, files: Sequence[Path], key: Key) -> Future[Reading]:
        """Read beside the node's work, one recording after another; no end of the node waits for it."""
        made = Future[Reading]()

        def work() -> None:
            with self._turn:
                try:
                    made.set_result(_read(files, key))
                except BaseException as error:
                    made.set_exception(error)

        threading.Thread(target=work, name="recordings", daemon=True).start()
        return made

    def _end(self, path: Path) -> int:
        """When about a file ends: when its last chunk begins, or else its run."""
        stat = path.stat()
        known = (path, stat.st_size, stat.st_mtime_ns)
        if known not in self._ends:
            if len(self._ends) >= _MOST_RUNS:
                self._ends.clear()
            with path.open("rb") as file:
                starts = [start for _, _, start in Scan.of(path, file).chunks(_sealed_size(path))]
            self._ends[known] = max(starts, default=0) // 1_000_000
        return self._ends[known]


def _sealed_size(path: Path) -> int:
    """The bytes of a file that a record may begin in, so that one that was cut is read as far as it goes."""
    return max(0, path.stat().st_size - HEAD.size)


def _signature(files: Sequence[Path]) -> Signature:
    stats = [(path, path.stat()) for path in files]
    return tuple((path.name, stat.st_size, stat.st_mtime_ns) for path, stat in stats)


def _left(path: Path) -> Literal["running", "open"]:
    try:
        check_left(path)
    except Unavailable:
        return "running"
    return "open"


def _opening(path: Path) -> Opening:
    with path.open("rb") as file:
        scan = Scan.of(path, file)
        scan.magic()
        _, record = scan.record(), scan.record()
    op, data = record
    if op is not Op.METADATA:
        raise Broken("no opening")
    return Opening.read(data[HEAD.size :])


def _read(files: Sequence[Path], key: Key) -> Reading:
    """Check every seal, then index what they cover."""
    found: dict[Path, Findings] = {}
    for path in files:
        try:
            one = found[path] = verify(path, key)
        except OSError as error:
            raise VerificationFailed(f"{path.name} cannot be read: {error.strerror}", fix="Look again") from error
        if one.state in ("altered", "foreign"):
            raise VerificationFailed(
                f"{path.name}: {one.wrong}", fix="Nothing of it is shown: it is not what this node recorded"
            )
    wrong = list(gaps([*found.values()]))
    wrong += [f"{path.name} was never closed, or was cut" for path, one in found.items() if one.state == "incomplete"]
    return Reading(not wrong, wrong, index({path: one.covered for path, one in found.items()}))
