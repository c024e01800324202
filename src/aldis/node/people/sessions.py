"""Sessions: a random token shown once; the store, read anew each time, says whose it is and whether it still holds."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from aldis.kernel.encoding import b64, sha256
from aldis.kernel.errors import NotAuthentic
from aldis.node.audit import Audit
from aldis.node.core import Core
from aldis.node.people.accounts import Account, Person
from aldis.node.people.levels import check_level, level_in_force
from aldis.node.store import SessionRow

__all__ = ["Sessions"]

_TOKEN = 32
_TOUCH_MS = 30_000
_level = msgspec.json.Decoder(dict[str, str])
_account = msgspec.json.Decoder(Account)


class Sessions:
    """Begins, reads and ends sessions."""

    def __init__(self, core: Core, audit: Audit) -> None:
        self._core = core
        self._audit = audit
        self._rows = core.store.people

    def begin(self, account: Account, level: Mapping[str, str]) -> str:
        """A session, in the open transaction, for somebody who has proved who they are; its token, kept nowhere.

        Raises:
            RefusedByPolicy, UnknownTerm: a level that they may not choose; see `check_level`.
        """
        now = self._core.clock.now()
        self._rows.tidy(now)
        return self._begin(account, level, now, now + self._core.config.session_h * 3_600_000, "signed in")

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
        """When a session began and when it is over at the latest, in ms since 1970 UTC.

        Raises:
            NotAuthentic: as `who`.
        """
        row, _ = self._find(token)
        return row.began, row.until

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
            made = self._begin(account, level, row.began, row.until, "changed level")
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
        return [row for row in self._rows.sessions(person) if self._holds(row)]

    def _begin(self, account: Account, level: Mapping[str, str], began: int, until: int, verdict: str) -> str:
        """A session, in the transaction that is open; what holds of the level now is what was chosen."""
        config, now = self._core.config, self._core.clock.now()
        check_level(account.clearance, level, config.policy, config.ceiling, self._core.policies, now)
        token, chosen = b64(self._core.random(_TOKEN)), self.person(account, level).level
        self._rows.begin(SessionRow(sha256(token.encode()), account.id, msgspec.json.encode(chosen), began, now, until))
        reasons = [f"{name} {rung}" for name, rung in chosen.items()]
        self._audit.write("sign-in", account.id, verdict=verdict, reasons=reasons, actor=account.id)
        return token

    def _find(self, token: str) -> tuple[SessionRow, Account]:
        row = self._rows.session(sha256(token.encode("utf-8", "replace")))
        if row is not None and self._holds(row):
            data = self._rows.get(row.person)
            account = _account.decode(data) if data else None
            if account is not None and account.active:
                return row, account
        raise NotAuthentic("nobody is signed in with that, or no longer", fix="Sign in: `aldis sign-in PERSON`")

    def _holds(self, row: SessionRow) -> bool:
        now = self._core.clock.now()
        return row.began <= now < row.until and now - row.used < self._core.config.session_idle_min * 60_000
