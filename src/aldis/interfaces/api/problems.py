"""Problems (RFC 9457): one table from what went wrong to what is answered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final, NamedTuple

import msgspec

from aldis.kernel.errors import AldisError, Changed, UnknownTerm

__all__ = ["PROBLEMS", "TYPE", "HttpProblem", "Problem", "Told", "problem_of"]

TYPE: Final = "urn:aldis:problem:"


class Problem(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of every answer that is no success; `instance` is the request's id, as in the node's log."""

    type: str
    title: str
    status: int
    detail: str
    fix: str
    reasons: list[str]
    instance: str


class Told(NamedTuple):
    """A kind of problem: its status, its title, and for the reference when it is answered."""

    status: int
    title: str
    when: str


PROBLEMS: Mapping[str, Told] = MappingProxyType(
    {
        "invalid-input": Told(400, "Invalid input", "the request is malformed, or a rule of records does not admit it"),
        "unknown-term": Told(400, "Unknown term", "a name in the request is one that nobody defined"),
        "not-signed-in": Told(401, "Not signed in", "no session, or one that is over; or a name and secret that fail"),
        "refused": Told(403, "Refused", "your roles, your level or a rule of release do not allow it"),
        "needs-person": Told(403, "Needs a person", "no rule answers; a release officer must"),
        "not-found": Told(404, "Not found", "there is no such thing that you may know of: the two are told apart by"
                          " nothing"),
        "method-not-allowed": Told(405, "Method not allowed", "the path has other methods; `Allow` names them"),
        "request-timeout": Told(408, "Request timeout", "a body took over 30 s to arrive, or nothing of an upload"
                                  " came for as long"),
        "conflict": Told(409, "Conflict", "a request with this `Idempotency-Key` is under way, or was cut off; or an"
                               " upload does not end at `Upload-Offset`"),
        "precondition-failed": Told(412, "Precondition failed", "`If-Match` names another version or state than that of"
                                   " now"),
        "too-large": Told(413, "Too large", "a limit on size, depth or count was exceeded"),
        "unsupported-media-type": Told(415, "Unsupported media type", "the body is no `application/json`, or an upload"
                                         " no `application/octet-stream`"),
        "range-not-satisfiable": Told(416, "Range not satisfiable", "the content ends before the `Range` begins"),
        "verification-failed": Told(422, "Verification failed", "a signature, digest, proof or chain does not hold"),
        "not-authentic": Told(422, "Not authentic", "a signature or key is wrong"),
        "stale": Told(422, "Stale", "replayed, expired or out of order"),
        "forked": Told(422, "Forked", "two histories where there must be one"),
        "key-reused": Told(422, "Key reused", "this `Idempotency-Key` came with another request, level or account"),
        "precondition-required": Told(428, "Precondition required", "the operation asks for `If-Match`"),
        "too-many-requests": Told(429, "Too many requests", "slower: `Retry-After` says when"),
        "head-too-large": Told(431, "Head too large", "the path, query and headers have over 16 KiB together"),
        "fault": Told(500, "Fault", "a fault of the program; its log has the request's id"),
        "unavailable": Told(503, "Unavailable", "the store or the disk did not answer; try again"),
    }
)  # fmt: skip
"""Every kind of problem by the end of its `type`."""


class HttpProblem(Exception):
    """Ends a request with a problem of the table."""

    def __init__(
        self,
        code: str,
        detail: str,
        fix: str = "",
        *,
        reasons: Sequence[str] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.code, self.detail, self.fix = code, detail, fix
        self.reasons, self.headers = list(reasons), dict(headers or {})

    @property
    def status(self) -> int:
        """The HTTP status."""
        return PROBLEMS[self.code].status

    @property
    def type(self) -> str:
        """What kind of problem it is, as a URN."""
        return TYPE + self.code

    def body(self, instance: str) -> bytes:
        """The JSON of it."""
        told = PROBLEMS[self.code]
        made = Problem(self.type, told.title, told.status, self.detail, self.fix, self.reasons, instance)
        return msgspec.json.encode(made)


def problem_of(error: AldisError, *, names_something: bool) -> HttpProblem:
    """What an error of the kernel is answered as.

    An unknown term is "not found" where the path `names_something`; what has changed fails its precondition. What is
    the node's own trouble is told without detail.
    """
    if isinstance(error, UnknownTerm) and names_something:
        return HttpProblem("not-found", str(error.args[0]), error.fix)
    if isinstance(error, Changed):
        return HttpProblem("precondition-failed", str(error.args[0]), "Read it again, and decide again")
    if error.code not in PROBLEMS or error.code == "unavailable":
        return HttpProblem("unavailable", "the node cannot do it now", "Try again", headers={"retry-after": "5"})
    return HttpProblem(error.code, str(error.args[0]), error.fix)
