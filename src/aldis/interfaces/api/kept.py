"""Answers kept for an `Idempotency-Key`, so that a request sent twice is done once."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from aldis.interfaces.api.operations import Answer, Operation
from aldis.interfaces.api.problems import HttpProblem
from aldis.kernel.encoding import sha256
from aldis.kernel.errors import InvalidInput
from aldis.node.core import Core
from aldis.node.people import Person

__all__ = ["KeptAnswers"]

_LONGEST = 128
_KEEP_MS = 24 * 3_600_000
_LARGEST = 64 * 1024


class KeptAnswers:
    """Does a request once for each person and key; what failed for the node's own reasons may be tried again."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._rows = core.store.answers

    def once(
        self, key: str, person: Person, request: Sequence[str | bytes], operation: Operation, do: Callable[[], Answer]
    ) -> Answer:
        """The answer to a request, from 24 hours back where it came before.

        Raises:
            InvalidInput: no key of 1 to 128 printable characters, or an answer that is never kept.
            HttpProblem: the key came with another request, level or account, or is in use.
        """
        if not 1 <= len(key) <= _LONGEST or not key.isprintable():
            raise InvalidInput("an `Idempotency-Key` is 1 to 128 printable characters", fix="Use a random one")
        if operation.secret:
            raise InvalidInput("an answer with a secret is never kept", fix="Leave `Idempotency-Key` out")
        parts = [one.encode() if isinstance(one, str) else one for one in request]
        said = sha256(b"".join(sha256(part) for part in (*parts, msgspec.json.encode(person))))
        now = self._core.clock.now()
        held = self._rows.begin(person.id, key, said, now, now - _KEEP_MS)
        if held is not None:
            if held.request != said:
                raise HttpProblem(
                    "key-reused", "this `Idempotency-Key` came with another request, level or account", "Use a new key"
                )
            if not held.status:
                raise HttpProblem(
                    "conflict",
                    "a request with this `Idempotency-Key` is under way, or was cut off before it was answered",
                    "Wait and ask again; if it stays so, look whether it was done before you repeat it with a new key",
                )
            headers = {**msgspec.json.decode(held.headers, type=dict[str, str]), "idempotency-replayed": "true"}
            return Answer(held.body, held.status, headers)
        try:
            answer = do()
        except BaseException:
            self._rows.forget(person.id, key)
            raise
        body = answer.body if isinstance(answer.body, bytes) else b""
        if len(body) > _LARGEST:
            self._rows.forget(person.id, key)
        else:
            self._rows.finish(person.id, key, answer.status, msgspec.json.encode(dict(answer.headers)), body)
        return answer
