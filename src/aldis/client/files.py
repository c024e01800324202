"""Files to and from a node, in pieces; what is cut off goes on where it ended."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable
from io import BufferedReader
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import httpx2

from aldis.client.problems import error_of
from aldis.kernel.errors import InvalidInput, Unavailable, VerificationFailed

__all__ = ["Files"]

_PIECE = 4 * 1024 * 1024
_READ = 256 * 1024
_TRIES = 5
_PAUSE_S = 0.5
_LATER = frozenset({408, 409, 429, 503})
_BYTES = "application/octet-stream"


class _Call(Protocol):
    def __call__(self, method: Any, path: str, answers: type[Any], *, body: Any = None) -> Any: ...


class _Cut(Unavailable):
    """A download came to an early end; `tag` is that of its content, if known."""

    def __init__(self, message: str, tag: str) -> None:
        super().__init__(message, fix="Try again")
        self.tag = tag


class Files:
    """Uploads and downloads of one session; five failures in a row that bring nothing on end one."""

    def __init__(self, http: httpx2.Client, token: Callable[[], str], call: _Call) -> None:
        self._http = http
        self._token = token
        self._call = call

    def upload(self, file: BufferedReader, name: str, media_type: str = "") -> dict[str, Any]:
        """Bring an open file in, from its beginning; what a portion holds to attach it."""
        begun: dict[str, Any] = self._call("POST", "uploads", dict[str, Any],
                                           body={"name": name, "media_type": media_type})  # fmt: skip
        path = f"uploads/{begun['upload']}"
        held, failed = 0, 0
        while True:
            file.seek(held)
            data = file.read(_PIECE)
            if not data:
                break
            try:
                held, failed = self._append(path, held, data), 0
            except Unavailable:
                failed += 1
                if failed == _TRIES:
                    raise
                time.sleep(_PAUSE_S * 2**failed)
                held = self._call("GET", path, dict[str, Any])["held"]
        file.seek(0)
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        finished: dict[str, Any] = self._call("POST", f"{path}/finish", dict[str, Any], body={"digest": digest})
        return finished

    def download(self, path: str, to: Path, version: int | None = None) -> None:
        """Fetch a content to a file, by way of one beside it that ends in `.part`."""
        if to.exists():
            raise InvalidInput(f"{to} exists", fix="Choose another name")
        part = to.with_name(f"{to.name}.part")
        tag, failed = "", 0
        with part.open("wb") as file:
            while True:
                held = file.tell()
                try:
                    tag = self._fetch(path, file, tag, version)
                    break
                except _Cut as cut:
                    tag = cut.tag
                    failed = failed + 1 if file.tell() <= held else 1
                    if failed == _TRIES:
                        raise
                    time.sleep(_PAUSE_S * 2**failed)
            file.flush()
            os.fsync(file.fileno())
        with part.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        if found != tag.strip('"'):
            part.unlink()
            raise VerificationFailed("what came is not the content that the record describes", fix="Fetch it again")
        part.rename(to)

    def _append(self, path: str, held: int, data: bytes) -> int:
        headers = {**self._headers(), "upload-offset": str(held), "content-type": _BYTES}
        try:
            answer = self._http.put(f"/api/v1/{path}", headers=headers, content=data)
        except httpx2.TransportError as error:
            raise Unavailable(f"the upload broke off: {error}", fix="Try again") from error
        if not answer.is_success:
            found = error_of(answer.status_code, answer.content)
            raise Unavailable(str(found.args[0]), fix=found.fix) if answer.status_code in _LATER else found
        return int(answer.headers["upload-offset"])

    def _fetch(self, path: str, file: BinaryIO, tag: str, version: int | None) -> str:
        """The content's tag, once all of it is there.

        Raises:
            _Cut: it is not; the file has what came.
        """
        headers = self._headers()
        if tag and file.tell():
            headers |= {"range": f"bytes={file.tell()}-", "if-range": tag}
        query = {"version": str(version)} if version else {}
        try:
            with self._http.stream("GET", f"/api/v1/{path}", params=query, headers=headers) as answer:
                if not answer.is_success:
                    error = error_of(answer.status_code, answer.read())
                    if answer.status_code in _LATER:
                        raise _Cut(str(error.args[0]), tag)
                    raise error
                if answer.status_code != 206:
                    file.seek(0)
                    file.truncate()
                tag = answer.headers["etag"]
                for piece in answer.iter_raw(_READ):
                    file.write(piece)
        except httpx2.TransportError as error:
            raise _Cut(f"the download broke off: {error}", tag) from error
        return tag

    def _headers(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self._token()}", "accept-encoding": "identity"}
