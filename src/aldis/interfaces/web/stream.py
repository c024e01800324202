"""What goes on while a page is open (HTML, section 9.2), for as long as the session holds that asked for it.

1. at each look, twice a second or as often as a feed asks, the session is looked up again, without counting as use
   of it: once it is over, so is the stream
2. only then it is looked what there is to show, by the account and level of that instant
3. what is as it was before is not sent again
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from time import monotonic

from starlette.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from aldis.interfaces.api.guard import STOPPING
from aldis.interfaces.web.headers import FIXED
from aldis.kernel.errors import NotAuthentic
from aldis.node.people import Person
from aldis.node.people.sessions import Sessions

__all__ = ["Feed", "Stream"]

_LOOK_S = 0.5
_BEAT_S = 10.0
"""Between two signs of life."""


@dataclass(frozen=True, slots=True)
class Feed:
    """What a stream tells: `look` gives one line of data for the person as they are now, None for nothing new.

    It looks every so often, less often where a look takes more than half of that.
    """

    name: str
    look: Callable[[Person], bytes | None]
    every_s: float = _LOOK_S


class Stream(StreamingResponse):
    """Sends a feed; `open_` counts the streams of each person."""

    def __init__(self, feed: Feed, sessions: Sessions, token: str, person: str, open_: Counter[str]) -> None:
        self._feed = feed
        self._person = person
        self._sessions = sessions
        self._token = token
        self._open = open_
        self._stopping: asyncio.Event | None = None
        super().__init__(self._events(), headers={**FIXED, "content-type": "text/event-stream"})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send until the session, the reader or the node ends it."""
        self._stopping = scope.get("state", {}).get(STOPPING)
        self._open[self._person] += 1
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._open[self._person] -= 1
            if not self._open[self._person]:
                del self._open[self._person]

    async def _events(self) -> AsyncIterator[bytes]:
        shown, beaten = b"", float("-inf")
        while self._stopping is None or not self._stopping.is_set():
            began = monotonic()
            try:
                person = await run_in_threadpool(self._sessions.who, self._token, used=False)  # 1
            except NotAuthentic:
                yield b"event: ended\ndata:\n\n"
                return
            data = await run_in_threadpool(self._feed.look, person)  # 2
            if data is not None and data != shown:  # 3
                shown = data
                yield b"event: %s\ndata: %s\n\n" % (self._feed.name.encode(), data)
                beaten = began
            elif began - beaten >= _BEAT_S:
                beaten = began
                yield b": still here\n\n"
            took = monotonic() - began
            await asyncio.sleep(max(self._feed.every_s - took, took))
