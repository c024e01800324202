"""The client: one session at one node."""

from __future__ import annotations

import os
import ssl
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Self, TypeVar
from urllib.parse import quote

import httpx2
import msgspec

from aldis.client.answers import (
    Case,
    CasePage,
    Change,
    Dossier,
    Hit,
    LiveValue,
    Me,
    Page,
    RecordSeen,
    Ruled,
    Token,
    Written,
)
from aldis.client.files import Files
from aldis.client.problems import error_of
from aldis.kernel.errors import Unavailable

__all__ = ["Client"]

_T = TypeVar("_T")
_TRIES = 3
_PAUSE_S = 0.2
_LONGEST_S = 30.0
_LATER = frozenset({408, 429, 503})
_Method = Literal["GET", "POST", "PUT", "DELETE"]
Portions = Mapping[str, Any] | Sequence[Mapping[str, Any]]


class Client:
    """A person's session at a node, over HTTP; close it when done.

    What fails on the way is tried again, three times in all: a reading, and a POST, which carries an
    `Idempotency-Key`, so that it is done once. Errors are those of `aldis.kernel.errors`: NotAuthentic for a session
    that is over, UnknownTerm for what is not there to see, Stale for a version that is no longer the newest,
    RefusedByPolicy where roles or rules forbid it, Unavailable where the node does not answer.
    """

    def __init__(
        self, url: str, token: str = "", *, verify: ssl.SSLContext | bool = True, timeout_s: float = 30
    ) -> None:
        self.token = token
        self._http = httpx2.Client(base_url=url, verify=verify, timeout=timeout_s, trust_env=False)

    @classmethod
    def sign_in(cls, url: str, person: str, password: str, level: Mapping[str, str] | None = None, **rest: Any) -> Self:
        """A client that is signed in, at a level (a rung by policy) where one is chosen.

        Raises:
            NotAuthentic: unknown, suspended, locked, or a wrong password: told apart by nothing.
        """
        made = cls(url, **rest)
        body = {"person": person, "password": password, "level": dict(level or {})}
        try:
            made.token = made.call("POST", "sign-in", Token, body=body, keyed=False).token
        except BaseException:
            made.close()
            raise
        return made

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections; the session stays until `sign_out`."""
        self._http.close()

    def me(self) -> Me:
        """Who is signed in."""
        return self.call("GET", "session", Me)

    def change_level(self, level: Mapping[str, str]) -> None:
        """Work at another level from now on."""
        self.token = self.call("POST", "session/level", Token, body={"level": dict(level)}, keyed=False).token

    def sign_out(self) -> None:
        """End the session."""
        self.call("DELETE", "session", type(None))
        self.token = ""

    def records(self, *, kind: str = "", project: str = "", page: int = 200) -> Iterator[RecordSeen]:
        """Every record that the person may see, the newest arrival first, fetched page by page."""
        return self._pages("records", RecordSeen, {"kind": kind, "project": project, "limit": str(page)})

    def search(self, text: str, *, kind: str = "", project: str = "", page: int = 50) -> Iterator[Hit]:
        """Records with a portion that has all the words, the newest arrival first."""
        return self._pages("search", Hit, {"text": text, "kind": kind, "project": project, "limit": str(page)})

    def get(self, record_id: str, version: int | None = None, originator: str = "") -> RecordSeen:
        """A version of a record, the newest where none is named.

        Where several nodes use one id, `originator` says whose; else it is the record of the node itself.
        """
        query = ({} if version is None else {"version": str(version)}) | _whose(originator)
        return self.call("GET", f"records/{record_id}", RecordSeen, query=query)

    def versions(self, record_id: str, originator: str = "") -> list[RecordSeen]:
        """Every version of a record, the oldest first; whose, as in `get`."""
        page = self.call("GET", f"records/{record_id}/versions", Page, query=_whose(originator))
        return msgspec.json.decode(page.records, type=list[RecordSeen])

    def put(
        self, kind: str, portions: Portions, *, marking: str = "", project: str = "", sources: Sequence[str] = ()
    ) -> Written:
        """Put a record: values by portion, or a mapping with `name`, `value` and `marking` for each."""
        body = {"kind": kind, "project": project, "sources": list(sources)} | _content(portions, marking)
        return self.call("POST", "records", Written, body=body)

    def revise(
        self, before: RecordSeen | Written, portions: Portions, *, marking: str = "", sources: Sequence[str] = ()
    ) -> Written:
        """Write the version after `before`, whole.

        Raises:
            Stale: somebody wrote another meanwhile.
        """
        body = {"sources": list(sources)} | _content(portions, marking)
        return self.call("PUT", f"records/{before.id}", Written, body=body, match=before.digest)

    def delete(self, before: RecordSeen | Written) -> Written:
        """Write the version that says that a record is deleted."""
        return self.call("DELETE", f"records/{before.id}", Written, match=before.digest)

    def why(self, record_id: str, partner: str, originator: str = "") -> dict[str, Any]:
        """Why a partner may or may not have a record, part by part, and what would change that; whose, as in `get`."""
        return self.call("GET", f"records/{record_id}/partners/{partner}", dict[str, Any], query=_whose(originator))

    def offer(self, record_id: str, partner: str, originator: str = "") -> dict[str, Any]:
        """Ask for a release now; the answer is that of `why`."""
        path = f"records/{record_id}/partners/{partner}/offer"
        return self.call("POST", path, dict[str, Any], body=_whose(originator))

    def hold(self, record_id: str, because: str) -> None:
        """Let nothing of a record leave."""
        self.call("POST", f"records/{record_id}/hold", type(None), body={"because": because})

    def lift(self, record_id: str, because: str) -> None:
        """Lift the hold on a record."""
        self.call("POST", f"records/{record_id}/lift", type(None), body={"because": because})

    def cases(self, **filters: str | int | bool) -> Iterator[Case]:
        """What waits for a release officer and may be seen, overdue first; filters as in `ListCases`."""
        query = {name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in filters.items()}
        while True:
            page = self.call("GET", "desk/cases", CasePage, query=query)
            yield from page.cases
            if not page.next:
                return
            query = {**query, "cursor": page.next}

    def case(self, number: int) -> Dossier:
        """Everything about a case that may be seen."""
        return self.call("GET", f"desk/cases/{number}", Dossier)

    def approve(self, case: Case, because: str, *, keep: Sequence[str] = (), only: Sequence[str] = ()) -> Ruled:
        """Let go what a case asks for, as it was looked at; `keep` are portions denied, with `only` others wait on.

        Raises:
            Stale: it is no longer what it was.
        """
        body = {"because": because, "keep": list(keep), "only": list(only)}
        return self.call("POST", f"desk/cases/{case.number}/approve", Ruled, body=body, match=case.token)

    def deny(self, case: Case, because: str, *, only: Sequence[str] = ()) -> Ruled:
        """Keep what a case asks for, as it was looked at; with `only`, the other portions wait on.

        Raises:
            Stale: it is no longer what it was.
        """
        body = {"because": because, "only": list(only)}
        return self.call("POST", f"desk/cases/{case.number}/deny", Ruled, body=body, match=case.token)

    def upload(self, path: Path, media_type: str = "", *, name: str = "") -> dict[str, Any]:
        """Bring a file in; the answer is what a portion holds to attach it. What was cut off goes on where it ended.

        Raises:
            Unavailable: the node does not answer, or takes nothing more.
        """
        with path.open("rb") as file:
            return self.files.upload(file, name or path.name, media_type)

    def download(self, record_id: str, portion: str, name: str, to: Path, version: int | None = None) -> None:
        """Fetch an attachment to a file that is not there yet; what was cut off goes on where it ended.

        Raises:
            VerificationFailed: what came is not the content that the record describes.
        """
        self.files.download(f"records/{record_id}/attachments/{quote(portion)}/{quote(name, safe='')}", to, version)

    @property
    def files(self) -> Files:
        """Uploads and downloads."""
        return Files(self._http, lambda: self.token, self.call)

    def live(self, kind: str, project: str = "") -> Iterator[LiveValue]:
        """Live values as they come, until the session is over; none is told twice, and the slow lose the oldest."""
        return self._events("live", LiveValue, {"kind": kind, "project": project})

    def changes(self, *, kind: str = "", project: str = "") -> Iterator[Change]:
        """What arrives from now on that the person may see, until the session is over."""
        return self._events("changes", Change, {"kind": kind, "project": project})

    def call(
        self,
        method: _Method,
        path: str,
        answers: type[_T],
        *,
        query: Mapping[str, str] | None = None,
        body: Any = None,
        match: str = "",
        keyed: bool = True,
    ) -> _T:
        """Any operation of the API, by its path below `/api/v1/`; `match` is the digest for `If-Match`.

        Raises:
            AldisError: see the class.
        """
        headers = {"authorization": f"Bearer {self.token}"} if self.token else {}
        again = method == "GET" or (method == "POST" and keyed)
        if match:
            headers["if-match"] = f'"{match}"'
        if method == "POST" and keyed:
            headers["idempotency-key"] = os.urandom(16).hex()
        content = None
        if body is not None:
            headers["content-type"], content = "application/json", msgspec.json.encode(body)
        answer = self._send(method, f"/api/v1/{path}", query or {}, headers, content, _TRIES if again else 1)
        return msgspec.json.decode(answer or b"null", type=answers)

    def _send(
        self, method: str, path: str, query: Mapping[str, str], headers: Mapping[str, str], content: bytes | None,
        tries: int,
    ) -> bytes:  # fmt: skip
        for left in range(tries - 1, -1, -1):
            pause = _PAUSE_S * 2 ** (tries - 1 - left)
            try:
                answer = self._http.request(method, path, params=query, headers=headers, content=content)
            except httpx2.TransportError as error:
                if not left:
                    raise Unavailable(f"{self._http.base_url} does not answer: {error}", fix="Try again") from error
            else:
                if answer.is_success:
                    return bytes(answer.content)
                if not left or answer.status_code not in _LATER:
                    raise error_of(answer.status_code, answer.content)
                pause = min(float(answer.headers.get("retry-after", pause)), _LONGEST_S)
            time.sleep(pause)
        raise AssertionError  # the last try returns or raises

    def _pages(self, path: str, of: type[_T], query: dict[str, str]) -> Iterator[_T]:
        while True:
            page = self.call("GET", path, Page, query=query)
            yield from msgspec.json.decode(page.records, type=list[of])  # type: ignore[valid-type]
            if not page.next:
                return
            query = {**query, "cursor": page.next}

    def _events(self, path: str, of: type[_T], query: Mapping[str, str]) -> Iterator[_T]:
        headers = {"authorization": f"Bearer {self.token}", "accept": "text/event-stream"}
        try:
            with self._http.stream("GET", f"/api/v1/{path}", params=query, headers=headers) as answer:
                if not answer.is_success:
                    raise error_of(answer.status_code, answer.read())
                for line in answer.iter_lines():
                    if line.startswith("data: "):
                        yield msgspec.json.decode(line.removeprefix("data: "), type=of)
        except httpx2.TransportError as error:
            raise Unavailable(f"the stream broke off: {error}", fix="Ask again, and read what you missed") from error


def _whose(originator: str) -> dict[str, str]:
    return {"originator": originator} if originator else {}


def _content(portions: Portions, marking: str) -> dict[str, Any]:
    if isinstance(portions, Mapping):
        portions = [{"name": name, "value": value} for name, value in portions.items()]
    return {"marking": marking, "portions": [dict(one) for one in portions]}
