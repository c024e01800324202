"""Errors of the kernel, sorted by who can act on them.

AldisError
├── InvalidInput        the caller wrote something malformed: mend the input
│   ├── UnknownTerm     a label, policy, kind, key, clause or field that nobody defined
│   ├── TooLarge        a size, depth or count limit was exceeded
│   └── Changed         it is no longer what it was when it was looked at: look again
├── RefusedByPolicy     the rules say no: ask the originator or amend an instrument
│   └── NeedsPerson     the rules do not say: a release officer decides
├── VerificationFailed  a signature, digest, proof or chain does not hold: do not trust the sender's copy
│   ├── NotAuthentic    the signature or the key is wrong
│   ├── Stale           replayed, expired, or out of order
│   └── Forked          two histories where there must be one: raise the alarm
└── Unavailable         a peer, disk or service did not answer: try again
"""

from __future__ import annotations

__all__ = [
    "AldisError",
    "Changed",
    "Forked",
    "InvalidInput",
    "NeedsPerson",
    "NotAuthentic",
    "RefusedByPolicy",
    "Stale",
    "TooLarge",
    "Unavailable",
    "UnknownTerm",
    "VerificationFailed",
]


class AldisError(Exception):
    """Base of every error raised on purpose; `fix` says what to do next."""

    code = "error"

    def __init__(self, message: str, *, fix: str = "") -> None:
        super().__init__(message)
        self.fix = fix

    def __str__(self) -> str:
        """The message and, where there is one, the next step."""
        message = super().__str__()
        return f"{message}. {self.fix}" if self.fix else message


class InvalidInput(AldisError):
    """Input that no rule admits; nothing was stored."""

    code = "invalid-input"


class UnknownTerm(InvalidInput):
    """A name that no policy, instrument or kind defines."""

    code = "unknown-term"


class TooLarge(InvalidInput):
    """A limit on size, depth or count was exceeded."""

    code = "too-large"


class Changed(InvalidInput):
    """It is not what the caller looked at; nothing was done."""

    code = "changed"


class RefusedByPolicy(AldisError):
    """A label or an instrument forbids it."""

    code = "refused"


class NeedsPerson(RefusedByPolicy):
    """No rule answers; a release officer must."""

    code = "needs-person"


class VerificationFailed(AldisError):
    """What arrived is not what was signed."""

    code = "verification-failed"


class NotAuthentic(VerificationFailed):
    """Signature, key or binding is wrong."""

    code = "not-authentic"


class Stale(VerificationFailed):
    """Replayed, expired or out of order."""

    code = "stale"


class Forked(VerificationFailed):
    """Two histories where the protocol allows one."""

    code = "forked"


class Unavailable(AldisError):
    """A peer, disk or service did not answer."""

    code = "unavailable"
