"""The people of a node: added, changed, suspended, enrolled and signed in, each with its ledger leaf."""

from __future__ import annotations

import hmac
from collections.abc import Mapping

import msgspec

from aldis.kernel.authority import Act, Role
from aldis.kernel.encoding import sha256
from aldis.kernel.errors import InvalidInput, NotAuthentic, RefusedByPolicy, UnknownTerm
from aldis.node.audit import Audit
from aldis.node.core import Core
from aldis.node.people.accounts import Account, Person, check_account, name_of, told
from aldis.node.people.claimed import Claimed, account_of
from aldis.node.people.codes import draw, plain
from aldis.node.people.links import Links
from aldis.node.people.passwords import Passwords
from aldis.node.people.sessions import Sessions
from aldis.node.provider import Provider
from aldis.node.store import SessionRow
from aldis.node.store.people import Attempt, Credential

__all__ = ["People"]

_HOUR = 3_600_000
_CODE_MS = 72 * _HOUR
_FREE_TRIES, _LONGEST_WAIT_S = 3, 15 * 60
_FORGET_MS = 24 * _HOUR
_account = msgspec.json.Decoder(Account)


class People:
    """Who may work here. Every change names for the ledger `by` whom it was made.

    A person needs the role for it, and changes no account of their own.
    """

    def __init__(self, core: Core, audit: Audit, passwords: Passwords | None = None) -> None:
        self._core = core
        self._audit = audit
        self._rows = core.store.people
        self.passwords = passwords or Passwords(core.random)
        self.sessions = Sessions(core, audit)
        self.links = Links(core, audit, self.sessions, lambda: self.passwords)

    def all(self, by: str | Person = "") -> list[Account]:
        """Every account, by id."""
        name_of(by, Act.PEOPLE)
        return [_account.decode(data) for data in self._rows.all()]

    def get(self, person: str, by: str | Person = "") -> Account:
        """An account; of a person who is no administrator, only their own.

        Raises:
            UnknownTerm: there is none.
        """
        if not isinstance(by, Person) or by.id != person:
            name_of(by, Act.PEOPLE)
        data = self._rows.get(person)
        if data is None:
            raise UnknownTerm(f"no person {person!r} here", fix="`aldis person list` shows who is")
        return _account.decode(data)

    def open_sessions(self, person: str | None = None, by: str | Person = "") -> list[SessionRow]:
        """The sessions that still hold, of one person or of all, oldest first."""
        name_of(by, Act.PEOPLE)
        if person is not None:
            self.get(person)
        return self.sessions.of(person)

    def standing(self, person: str) -> Person | None:
        """An account at its whole clearance, for a system that acts as it; None where it is suspended or nobody's."""
        account = self._active(person)
        return self.sessions.person(account, account.clearance) if account is not None else None

    def enrolled(self, person: str) -> bool:
        """Whether a person has set a password."""
        return bool(self._rows.credential(person).password)

    def add(self, account: Account, by: str | Person = "") -> str:
        """A new account; the one-time code with which the person sets a password, kept only as its digest.

        Raises:
            InvalidInput, UnknownTerm: see `check_account`; or the id is taken.
        """
        actor = self._actor(by, account.id)
        self._check(account)
        with self._core.store.transaction():
            if self._rows.get(account.id) is not None:
                raise InvalidInput(
                    f"there is a person {account.id!r} already", fix="Choose another id, or change that one"
                )
            self._put(account, "added", told(account), actor)
            return self._code(account.id)

    def set(self, account: Account, by: str | Person = "") -> Account:
        """Change an account; sessions have what it says from their next request on.

        Raises:
            InvalidInput, UnknownTerm: see `check_account`; or there is no such person.
        """
        actor = self._actor(by, account.id)
        self._check(account)
        with self._core.store.transaction():
            before = self.get(account.id)
            if before.active and not account.active:
                self._rows.end_all(account.id)
            changed = [line for line in told(account) if line not in told(before)]
            self._put(account, "changed", changed, actor)
        return account

    def suspend(self, person: str, because: str, by: str | Person = "") -> Account:
        """Let a person do nothing any more, from the very next request on; their sessions are over."""
        actor = self._actor(by, person)
        with self._core.store.transaction():
            account = msgspec.structs.replace(self.get(person), active=False)
            self._rows.end_all(person)
            self._put(account, "suspended", [because], actor)
        return account

    def resume(self, person: str, because: str, by: str | Person = "") -> Account:
        """Let a person sign in again."""
        actor = self._actor(by, person)
        with self._core.store.transaction():
            account = msgspec.structs.replace(self.get(person), active=True)
            self._put(account, "resumed", [because], actor)
        return account

    def new_code(self, person: str, by: str | Person = "") -> str:
        """Another enrolment code; the one before is void, and the password stands until it is used."""
        actor = self._actor(by, person)
        with self._core.store.transaction():
            account = self.get(person)
            self._audit.write("person", account.id, verdict="code issued", actor=actor)
            return self._code(account.id)

    def revoke(self, person: str, by: str | Person = "") -> int:
        """End every session of a person; how many there were."""
        actor = self._actor(by, person)
        with self._core.store.transaction():
            account = self.get(person)
            ended = self._rows.end_all(account.id)
            self._audit.write("sign-in", account.id, verdict="revoked", reasons=[str(ended)], actor=actor)
        return ended

    def end_session(self, person: str, id_: str, by: str | Person = "") -> None:
        """End one session of a person, by the id that `Sessions.id_of` gives it; one's own takes no role.

        Raises:
            UnknownTerm: there is no such session.
            RefusedByPolicy: somebody else's, for a person who is no administrator.
        """
        own = isinstance(by, Person) and by.id == person
        actor = person if own else name_of(by, Act.PEOPLE)
        with self._core.store.transaction():
            row = next((one for one in self.sessions.of(person) if self.sessions.id_of(one) == id_), None)
            if row is None:
                raise UnknownTerm("no such session, or it is over", fix="List those that are open")
            self._rows.end(row.token)
            verdict = "signed out" if own else "revoked"
            self._audit.write("sign-in", person, verdict=verdict, reasons=[] if own else ["1"], actor=actor)

    def enrol(self, person: str, code: str, password: str) -> None:
        """Set a password with an enrolment code; sessions begun before are over.

        Raises:
            InvalidInput: a weak password.
            NotAuthentic: unknown, suspended or locked, or a wrong, used or expired code: told apart by nothing.
        """
        self.passwords.check(password)
        person = _printable(person)
        with self.passwords.turn():
            open_, kept = self._try(person), self.passwords.hash(password)
        digest = sha256(plain(code).encode("utf-8", "replace"))
        with self._core.store.transaction():
            credential, account = self._rows.credential(person), self._active(person)
            good = hmac.compare_digest(digest, credential.code or bytes(32))
            if open_ and good and account is not None and self._core.clock.now() < credential.code_until:
                self._rows.set_credential(person, Credential(kept))
                self._rows.end_all(person)
                self._forgive(person)
                self._audit.write("person", person, verdict="enrolled", actor=person)
                return
            self._refused(person)
        raise _refusal()

    def sign_in(self, person: str, password: str, level: Mapping[str, str] | None = None) -> str:
        """The token of a new session at a level (a rung per policy; the highest allowed where none is chosen).

        Raises:
            NotAuthentic: unknown, suspended, locked, not enrolled, or a wrong password: told apart by nothing.
            RefusedByPolicy, UnknownTerm: a level above the clearance or this node's ceiling.
        """
        person = _printable(person)
        with self.passwords.turn():
            open_, kept = self._try(person), self._rows.credential(person).password
            good = self.passwords.fits(password, kept)
        with self._core.store.transaction():
            account = self._active(person)
            good = open_ and good and account is not None and self._rows.credential(person).password == kept
            if good:
                self._forgive(person)
            else:
                self._refused(person)
        if good:
            with self._core.store.transaction():
                account = self._active(person)
                if account is not None:
                    return self.sessions.begin(account, level or {})
        raise _refusal()

    def sign_in_claimed(self, claimed: Claimed, provider: Provider, subject: str, level: Mapping[str, str]) -> str:
        """The token of a new session for somebody whom the OpenID provider names, within what it claims of them.

        Raises:
            NotAuthentic: no account here is open to them, or it is of another nation.
            InvalidInput, UnknownTerm, RefusedByPolicy: an account that cannot be made; a level they may not choose.
        """
        with self._core.store.transaction():
            account = self._claimed_account(claimed, provider, subject)
            if account is not None:
                return self.sessions.begin(account, level, claimed.bounds)
        self.provider_refused("no account is open to them", claimed.id)
        raise NotAuthentic(
            "the provider knows you, and no account here is open to you", fix="Ask the administrator of this node"
        )

    def provider_refused(self, because: str, person: str = "") -> None:
        """A leaf for a sign-in at the provider that came to nothing here."""
        with self._core.store.transaction():
            known = person and self._rows.get(_printable(person)) is not None
            self._audit.write("sign-in", person if known else "nobody", verdict="refused", reasons=[because])

    def unbind(self, person: str, by: str | Person = "") -> bool:
        """Let the next subject that the provider names so open the account; whether one did before."""
        actor = self._actor(by, person)
        with self._core.store.transaction():
            account = self.get(person)
            before = self._core.store.identities.unbind(account.id)
            if before:
                self._rows.end_all(account.id)
                self._audit.write("person", account.id, verdict="unbound", actor=actor)
        return before

    def _claimed_account(self, claimed: Claimed, provider: Provider, subject: str) -> Account | None:
        """The account, made where settings allow it, that this subject alone opens; None where there is none."""
        bound = self._core.store.identities.person(provider.issuer, subject)
        if bound is not None and bound != claimed.id:
            return None
        if provider.provision and self._rows.get(claimed.id) is None:
            account = account_of(claimed)
            self._check(account)
            self._put(account, "added", [*told(account), f"by {provider.issuer}"], "")
        found = self._active(claimed.id)
        if found is None or (claimed.nationality and claimed.nationality != found.nationality):
            return None
        if bound is None:
            if not self._core.store.identities.bind(found.id, provider.issuer, subject):
                return None
            self._audit.write("person", found.id, verdict="bound", reasons=[provider.issuer])
        return found

    def _try(self, person: str) -> bool:
        """Whether a try is looked at now; it is counted as a failure before, so that many at once do not get past."""
        now, name = self._core.clock.now(), self._name(person)
        with self._core.store.transaction():
            before = self._rows.attempt(name)
            locked = now < before.until
            failures = before.failures + (not locked)
            wait = 1000 * min(2 ** min(failures - _FREE_TRIES, 20), _LONGEST_WAIT_S) if failures >= _FREE_TRIES else 0
            after = before if locked else Attempt(failures, now + wait)
            self._rows.set_attempt(name, after, now - _FORGET_MS)
        return not locked

    def _forgive(self, person: str) -> None:
        now = self._core.clock.now()
        self._rows.set_attempt(self._name(person), Attempt(0, now), now - _FORGET_MS)

    def _refused(self, person: str) -> None:
        """A leaf for a failure; a name that nobody has is not repeated, for it may be a password."""
        known = self._rows.get(person) is not None
        self._audit.write("sign-in", person if known else "nobody", verdict="refused")

    def _name(self, person: str) -> bytes:
        return hmac.digest(self._core.secret, b"aldis/attempt/1\x00" + person.encode(), "sha256")[:16]

    def _active(self, person: str) -> Account | None:
        data = self._rows.get(person)
        account = _account.decode(data) if data else None
        return account if account is not None and account.stands(self._core.clock.now()) else None

    def _check(self, account: Account) -> None:
        check_account(account, self._core.policies, self._core.config.policy)
        data = self._rows.get(account.sponsor) if account.sponsor else None
        sponsor = _account.decode(data) if data else None
        if account.sponsor and (sponsor is None or Role.GUEST in sponsor.roles):
            raise UnknownTerm(
                f"{account.sponsor[:64]!r} cannot sponsor a guest here",
                fix="Name a person of this node who is no guest",
            )

    @staticmethod
    def _actor(by: str | Person, person: str) -> str:
        actor = name_of(by, Act.PEOPLE)
        if isinstance(by, Person) and by.id == person:
            raise RefusedByPolicy("nobody changes their own account", fix="Ask another administrator")
        return actor

    def _put(self, account: Account, verdict: str, reasons: list[str], actor: str) -> None:
        self._rows.put(account.id, msgspec.json.encode(account), self._core.clock.now())
        self._audit.write("person", account.id, verdict=verdict, reasons=reasons, actor=actor)

    def _code(self, person: str) -> str:
        code = draw(self._core.random)
        until = self._core.clock.now() + _CODE_MS
        password = self._rows.credential(person).password
        self._rows.set_credential(person, Credential(password, sha256(plain(code).encode()), until))
        return code


def _printable(name: str) -> str:
    """The name as the store can look it up; no account has one that this changes."""
    return name.encode("utf-8", "replace").decode()


def _refusal() -> NotAuthentic:
    return NotAuthentic(
        "that name and that secret do not open a session now",
        fix="Check both and wait a little: after several failures, tries are refused for up to 15 minutes",
    )
