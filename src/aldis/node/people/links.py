"""Sign-in links: an operator at the machine lets an administrator in once; or, where there is none, makes the first.

What the node keeps is the digest of one secret, whose it is and until when; a new link takes the place of the one
before. The secret is looked at in the transaction that spends it, so that it works once.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping
from typing import NamedTuple

import msgspec

from aldis.kernel.authority import Act, may
from aldis.kernel.encoding import sha256
from aldis.kernel.errors import InvalidInput, NotAuthentic, UnknownTerm
from aldis.node.audit import Audit
from aldis.node.core import Core
from aldis.node.people.accounts import Account, check_account, told
from aldis.node.people.codes import draw, plain
from aldis.node.people.passwords import Passwords
from aldis.node.people.sessions import Sessions
from aldis.node.store.people import Credential

__all__ = ["LINK_MIN", "Link", "Links"]

LINK_MIN = 10
"""For how many minutes a link works."""
_KEY = "sign-in link"
_NOBODY = "nobody"
_Level = Callable[[Account], Mapping[str, str]]
_account = msgspec.json.Decoder(Account)


class Link(NamedTuple):
    """A link's secret, shown once; `person` is whom it lets in, "" where it makes the first administrator."""

    person: str
    secret: str


class _Kept(msgspec.Struct, frozen=True):
    """A link as the store has it: the digest of its secret in hex, whom it lets in, and until when (ms since 1970)."""

    digest: str
    person: str
    until: int


class Links:
    """Issues and spends links; whoever may issue one runs the node, and could enrol anybody."""

    def __init__(self, core: Core, audit: Audit, sessions: Sessions, passwords: Callable[[], Passwords]) -> None:
        self._core = core
        self._audit = audit
        self._sessions = sessions
        self._passwords = passwords
        self._rows = core.store.people

    def issue(self) -> Link:
        """A new link for the first active administrator by id, or to make one where no account is one.

        Raises:
            UnknownTerm: there are administrators, and all are suspended.
        """
        with self._core.store.transaction():
            found = self._administrators()
            now = self._core.clock.now()
            person = next((one.id for one in found if one.stands(now)), "")
            if found and not person:
                raise UnknownTerm(
                    "no administrator is active here", fix=f"`aldis person resume {found[0].id} --because TEXT`"
                )
            secret = draw(self._core.random)
            until = now + LINK_MIN * 60_000
            kept = _Kept(sha256(plain(secret).encode()).hex(), person, until)
            self._core.store.meta.set(_KEY, msgspec.json.encode(kept))
            self._audit.write("person", person or _NOBODY, verdict="link issued")
        return Link(person, secret)

    def sign_in(self, secret: str, level: _Level) -> str:
        """The token of a new session of whom the link lets in, at the level that `level` gives for the account.

        Raises:
            NotAuthentic: a wrong, used, replaced or late secret, or one of another node: told apart by nothing.
        """
        with self._core.store.transaction():
            kept = self._fitting(secret)
            data = self._rows.get(kept.person) if kept else None
            account = _account.decode(data) if data else None
            if account is not None and account.stands(self._core.clock.now()) and may(account.roles, Act.PEOPLE):
                return self._spend(account, level)
            self._audit.write("sign-in", _NOBODY, verdict="refused")
        raise _void()

    def begin(self, secret: str, account: Account, password: str, level: _Level) -> str:
        """The token of the first session of the first administrator, whom this makes, with this password.

        Raises:
            NotAuthentic: as `sign_in`, or there is an administrator by now.
            InvalidInput, UnknownTerm: a weak password, an account that cannot be kept, an id that is taken.
        """
        passwords = self._passwords()
        passwords.check(password)
        check_account(account, self._core.policies, self._core.config.policy)
        if not may(account.roles, Act.PEOPLE) or account.nationality != self._core.party or not account.active:
            raise InvalidInput(f"{account.id} is no administrator of {self._core.party}", fix="Make one first")
        hashed = ""
        if self._opens(secret):
            with passwords.turn():
                hashed = passwords.hash(password)
        with self._core.store.transaction():
            if hashed and self._opens(secret):
                if self._rows.get(account.id) is not None:
                    raise InvalidInput(f"there is a person {account.id!r} already", fix="Choose another id")
                self._rows.put(account.id, msgspec.json.encode(account), self._core.clock.now())
                self._audit.write("person", account.id, verdict="added", reasons=[*told(account), "by a sign-in link"])
                self._rows.set_credential(account.id, Credential(hashed))
                self._audit.write("person", account.id, verdict="enrolled", actor=account.id)
                return self._spend(account, level)
            self._audit.write("sign-in", _NOBODY, verdict="refused")
        raise _void()

    def _opens(self, secret: str) -> bool:
        """Whether it is the secret of a link that makes the first administrator, and there still is none."""
        kept = self._fitting(secret)
        return kept is not None and not kept.person and not self._administrators()

    def _spend(self, account: Account, level: _Level) -> str:
        self._core.store.meta.set(_KEY, b"")
        self._audit.write("person", account.id, verdict="link used", actor=account.id)
        return self._sessions.begin(account, level(account))

    def _fitting(self, secret: str) -> _Kept | None:
        """What is kept, where the secret is its own and its time is not over."""
        data = self._core.store.meta.get(_KEY)
        kept = msgspec.json.decode(data, type=_Kept) if data else _Kept(bytes(32).hex(), "", 0)
        digest = sha256(plain(secret).encode("utf-8", "replace")).hex()
        now = self._core.clock.now()
        issued = kept.until - LINK_MIN * 60_000
        return kept if hmac.compare_digest(digest, kept.digest) and issued <= now < kept.until else None

    def _administrators(self) -> list[Account]:
        accounts = map(_account.decode, self._rows.all())
        return [one for one in accounts if may(one.roles, Act.PEOPLE)]


def _void() -> NotAuthentic:
    return NotAuthentic(
        f"that link opens nothing here: it works once, within {LINK_MIN} minutes, at the node that printed it",
        fix="Ask whoever runs the node for a new one (`aldis up --link`), or sign in with a password",
    )
