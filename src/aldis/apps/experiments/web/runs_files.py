"""The recordings of this node as its pages see them: what each is marked with, and for whom it is.

A recording holds whatever crossed, of every kind and project. So it, and whatever is found in it, is for people of this
node's own nation alone, who may see every kind at every marking in it, and every project.
"""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from threading import Lock
from typing import Literal

import msgspec

from aldis.app import Context
from aldis.apps.experiments.kinds import KINDS
from aldis.apps.experiments.orders.kinds import ANSWER, LEASE
from aldis.apps.experiments.participants.kind import PARTICIPANT
from aldis.apps.experiments.published import FINDINGS
from aldis.apps.experiments.recorder import recorded, segments_of, verify
from aldis.apps.experiments.recorder.files import check_left
from aldis.apps.experiments.recorder.scan import Scan
from aldis.kernel.errors import AldisError, Unavailable, UnknownTerm
from aldis.kernel.labels import Label
from aldis.kernel.signatures import Key

__all__ = ["MOST_BYTES", "Recording", "Run", "content", "permitted", "run_of", "runs_of"]

MOST_BYTES = 300 * 1024 * 1024
"""Of one file that is looked at for a page; a recording goes on in another file before."""
_RUNS = 50
_LIST_S = 5.0
"""How long a list looks at files that nobody looked at before; the rest of them stand in a later one."""
_KEPT = 400
_LEAST_S, _SHARE = 1.0, 5
"""A file under way is looked at for at most one of so many seconds."""
_KINDS = (*(kind.name for kind in KINDS), ANSWER.name, LEASE.name, PARTICIPANT.name, FINDINGS.name)
_EVERY = "*"

State = Literal["under way", "closed", "never closed"]


class Recording(msgspec.Struct, frozen=True, kw_only=True):
    """One file of a run: what `verify` says of it, and every marking in it."""

    path: str
    name: str
    state: State
    began: int
    messages: int
    size: int
    head: str
    markings: frozenset[str]


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """A run of this node as it was recorded, with the labels of all that is in it. `began` is in ms since 1970 UTC.

    It is `unbroken` where every file but the last was closed.
    """

    name: str
    state: State
    unbroken: bool
    began: int
    messages: int
    size: int
    files: Sequence[Recording]
    labels: Sequence[Label]

    @property
    def growing(self) -> bool:
        """Whether it goes on, and nothing of it was lost so far."""
        return self.state == "under way" and self.unbroken


_known: OrderedDict[tuple[str, int, int], Recording] = OrderedDict()
_growing: dict[str, tuple[Recording, float]] = {}
"""Files under way as they were last looked at, and until when that will do."""
_lock = Lock()


def runs_of(ctx: Context) -> Sequence[Run]:
    """The last runs of this node that whoever asks may read, the newest first."""
    folder = _folder(ctx)
    if folder is None or not _trusted(ctx):
        return []
    names = sorted({path.stem[:-5] for path in folder.glob("*-[0-9][0-9][0-9][0-9].mcap")}, reverse=True)
    until = time.monotonic() + _LIST_S
    return [run for name in names[:_RUNS] if (run := _run(ctx, folder, name, until)) is not None]


def run_of(ctx: Context, name: str) -> Run:
    """A run by its name.

    Raises:
        UnknownTerm: there is none, or whoever asks may not read it: the two are told apart by nothing.
    """
    folder = _folder(ctx)
    plain = all(char.isascii() and (char.isalnum() or char == "-") for char in name)
    run = _run(ctx, folder, name) if folder is not None and plain and _trusted(ctx) else None
    if run is None:
        raise UnknownTerm(f"no run {name[:40]!r} here")
    return run


def permitted(ctx: Context, markings: Collection[str]) -> Sequence[Label] | None:
    """The labels that these markings state, where whoever asks may see all that can be so marked; else None.

    A marking that neither this node's policy nor a partner's can read is nobody's; of what several can, each counts.
    """
    if not _trusted(ctx):
        return None
    project = ctx.default_project()
    readings = [ctx.readings(part) for marking in sorted(markings) for part in marking.split("; ")]
    if not readings or not all(readings):
        return None
    said = {label: node for found in readings for label, node in found.items()}
    seen = all(ctx.may_see(kind, label, project, node) for label, node in said.items() for kind in _KINDS)
    return [*said] if seen else None


def content(one: Recording) -> Iterator[bytes]:
    """What of a file was looked at, piece by piece: of one under way, up to its last seal."""
    left = one.size
    with Path(one.path).open("rb") as file:
        while left and (data := file.read(min(left, 256 * 1024))):
            left -= len(data)
            yield data


def _trusted(ctx: Context) -> bool:
    """Whether whoever asks is of this nation, no guest, and in every project."""
    person = ctx.person
    return person is None or (not person.guest and person.nationality == ctx.party and _EVERY in person.projects)


def _folder(ctx: Context) -> Path | None:
    place = ctx.recordings
    return Path(place.folder) if place is not None else None


def _run(ctx: Context, folder: Path, name: str, until: float = math.inf) -> Run | None:
    files = []
    for path in segments_of(folder, name):
        found = _looked(path, ctx.key_of(ctx.node), until)
        if found is None:
            return None
        files.append(found)
    labels = permitted(ctx, frozenset().union(*(one.markings for one in files))) if files else None
    if labels is None:
        return None
    unbroken, last = all(one.state == "closed" for one in files[:-1]), files[-1].state
    return Run(
        name=name,
        state=last if unbroken or last == "under way" else "never closed",
        unbroken=unbroken,
        began=files[0].began,
        messages=sum(one.messages for one in files),
        size=sum(one.size for one in files),
        files=files,
        labels=labels,
    )


def _looked(path: Path, key: Key, latest: float) -> Recording | None:
    """What there is to say of a file; nothing of one that is too large, altered, or not sealed with this node's key.

    After `latest`, what was found out before.
    """
    try:
        stat = path.stat()
        place = (str(path), stat.st_size, stat.st_mtime_ns)
        with _lock:
            held, until = _growing.get(str(path), (None, 0.0))
            if place in _known:
                return _known[place]
        if held is not None and time.monotonic() < until and not _ends(path):
            return held
        began = time.monotonic()
        if stat.st_size > MOST_BYTES or began >= latest:
            return None
        said = verify(path, key)
        if said.state not in ("intact", "incomplete") or said.opening is None:
            return None
        markings = {said.opening.marking, *(one.about["marking"] for one in recorded(path, said.covered))}
    except (OSError, AldisError):
        return None
    closed = said.state == "intact"
    found = Recording(
        path=str(path),
        name=path.name,
        state="closed" if closed else "under way" if _written(path) else "never closed",
        began=said.opening.began,
        messages=said.messages,
        size=stat.st_size if closed else said.covered,
        head=said.head,
        markings=frozenset(markings),
    )
    with _lock:
        if closed:
            _growing.pop(str(path), None)
            _known[place] = found
            while len(_known) > _KEPT:
                _known.popitem(last=False)
        else:
            now = time.monotonic()
            _growing[str(path)] = found, now + max(_LEAST_S, _SHARE * (now - began))
    return found


def _ends(path: Path) -> bool:
    """Whether a file ends as a closed one does."""
    with path.open("rb") as file:
        return Scan.of(path, file).whole


def _written(path: Path) -> bool:
    try:
        check_left(path)
    except Unavailable:
        return True
    return False
