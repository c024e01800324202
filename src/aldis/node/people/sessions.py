"""Sessions: a random token shown once; the store, read anew each time, says whose it is and whether it still holds."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from aldis.kernel.encoding import b64, sha256
from aldis.kernel.errors import NotAuthentic
from aldis.node.audit import Audit
from aldis.node.core import Core
from aldis.node.people.accounts import Account, Person
from aldis.node.people.claimed import Bounds, narrowed
from aldis.node.people.levels import check_level, level_in_force
from aldis.node.store import SessionRow

__all__ = ["Sessions"]

_TOKEN = 32
_ID = 16
_TOUCH_MS = 30_000
_level = msgspec.json.Decoder(dict[str, str])
_account = msgspec.json.Decoder(Account)
_bounds = msgspec.json.Decoder(Bounds)


class Sessions:
    """Begins, reads and ends sessions."""

    def __init__(self, core: Core, audit: Audit) -> None:
        self._core = core
        self._audit = audit
        self._rows = core.store.people

    def begin(self, account: Account, level: Mapping[str, str], bounds: Bounds | None = None) -> str:
        """A session, in the open transaction, for somebody who has proved who they are; its token, kept nowhere.

        With `bounds` it has no more of the account than they leave, now and whenever the account changes.

        Raises:
            RefusedByPolicy, UnknownTerm: a level that they may not choose; see `check_level`.
        """
        now = self._core.clock.now()
        self._rows.tidy(now)
        until, kept = now + self._core.config.session_h * 3_600_000, msgspec.json.encode(bounds) if bounds else b""
        return self._begin(self._within(account, kept), level, now, until, "signed in", kept)

    def who(self, token: str, *, used: bool = True) -> Person:
        """Whose session it is, with the account and the level that hold now; `used` keeps it from lying idle.

        Raises:
            NotAuthentic: no session, or one that has ended, expired or lain idle.
        """
        row, account = self._find(token)
        now = self._core.clock.now()
        if used and now - row.used >= _TOUCH_MS:
            self._rows.touch(row.token, now)
        return self.person(account, _level.decode(row.level))

    def times(self, token: str) -> tuple[int, int]:
        """When a session began and when it is over if nobody uses it any more, in ms since 1970 UTC.

        Raises:
            NotAuthentic: as `who`.
        """
        row, _ = self._find(token)
        return row.began, min(row.until, row.used + self._core.config.session_idle_min * 60_000)

    def person(self, account: Account, level: Mapping[str, str]) -> Person:
        """The person with this account who chose this level, as far as it may be chosen now."""
        config, now = self._core.config, self._core.clock.now()
        found = level_in_force(account.clearance, level, config.policy, config.ceiling, self._core.policies, now)
        return Person(account, found)

    def change_level(self, token: str, level: Mapping[str, str]) -> str:
        """The same session at another level: a new token; the old one is void.

        Raises:
            NotAuthentic: as `who`.
            RefusedByPolicy, UnknownTerm: as `begin`; the session is as it was.
        """
        with self._core.store.transaction():
            row, account = self._find(token)
            made = self._begin(account, level, row.began, row.until, "changed level", row.bounds)
            self._rows.end(row.token)
        return made

    def sign_out(self, token: str) -> None:
        """End one's own session; nothing where there is none."""
        digest = sha256(token.encode())
        with self._core.store.transaction():
            row = self._rows.session(digest)
            if row is not None and self._rows.end(digest):
                self._audit.write("sign-in", row.person, verdict="signed out", actor=row.person)

    def of(self, person: str | None = None) -> list[SessionRow]:
        """The sessions that still hold, of one person or of all, oldest first."""
        return [row for row in self._rows.sessions(person) if self._holds(row) and self._account(row) is not None]

    def id_of(self, row: SessionRow) -> str:
        """What a session is known by to people: nobody makes its token, or the digest that is kept of it, from that."""
        return sha256(b"aldis/session/1\x00" + row.token).hex()[:_ID]

    def current(self, token: str) -> str:
        """The id of the session with this token; "" where there is none."""
        row = self._rows.session(sha256(token.encode("utf-8", "replace")))
        return self.id_of(row) if row is not None else ""

    def _begin(
        self, account: Account, level: Mapping[str, str], began: int, until: int, verdict: str, bounds: bytes
    ) -> str:
        """A session, in the transaction that is open; what holds of the level now is what was chosen."""
        config, now = self._core.config, self._core.clock.now()
        check_level(account.clearance, level, config.policy, config.ceiling, self._core.policies, now)
        token, chosen = b64(self._core.random(_TOKEN)), self.person(account, level).level
        row = SessionRow(sha256(token.encode()), account.id, msgspec.json.encode(chosen), began, now, until, bounds)
        self._rows.begin(row)
        reasons = [f"{name} {rung}" for name, rung in chosen.items()]
        self._audit.write("sign-in", account.id, verdict=verdict, reasons=reasons, actor=account.id)
        return token

    def _find(self, token: str) -> tuple[SessionRow, Account]:
        row = self._rows.session(sha256(token.encode("utf-8", "replace")))
        if row is not None and self._holds(row):
            account = self._account(row)
            if account is not None:
                return row, self._within(account, row.bounds)
        raise NotAuthentic("nobody is signed in with that, or no longer", fix="Sign in: `aldis sign-in PERSON`")

    def _account(self, row: SessionRow) -> Account | None:
        """The account of a session's person, where it opens anything now."""
        data = self._rows.get(row.person)
        account = _account.decode(data) if data else None
        return account if account is not None and account.stands(self._core.clock.now()) else None

    def _within(self, account: Account, bounds: bytes) -> Account:
        return narrowed(account, _bounds.decode(bounds), self._core.policies) if bounds else account

    def _holds(self, row: SessionRow) -> bool:
        now = self._core.clock.now()
        return row.began <= now < row.until and now - row.used < self._core.config.session_idle_min * 60_000
