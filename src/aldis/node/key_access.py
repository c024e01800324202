"""The key-access server of this node's nation: it opens shares for people who are signed in here, one at a time.

In this order, for every share: 1 the key that the share names is one of those served here, and opens it; 2 the policy
is the one that the share was wrapped under; 3 the policy is one that the rules here can decide; 4 it is for this node,
or of this node's party; 5 the record that it names, where it is one of this node's, still stands and is in the
person's sight; 6 the rules permit what the policy says to the person, now. Whatever fails, the person learns only that
the key is not given; the ledger has why.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from aldis.kernel.encoding import sha256
from aldis.kernel.errors import AldisError, InvalidInput, NotAuthentic, RefusedByPolicy
from aldis.kernel.records import read_header
from aldis.kernel.tdf import KeyAccess, TdfPolicy, check_binding
from aldis.kernel.tdf.manifest import unbase64
from aldis.node.audit import Audit
from aldis.node.core import Core
from aldis.node.kas import KasKey, KasPublic
from aldis.node.people import Person, Sights

__all__ = ["KeyServer"]

_KEY = 32
_LIMIT = 64 * 1024


class KeyServer:
    """The keys in the folder `keys/kas` of the node, read anew when they change, and the rules of the node."""

    def __init__(self, core: Core, audit: Audit, sights: Sights) -> None:
        self._core = core
        self._audit = audit
        self._sights = sights
        self._read: tuple[tuple[str, ...], dict[str, KasKey]] = ((), {})

    @property
    def folder(self) -> Path:
        """Where the private keys are, PEM, by name: of one kind, the last is given out."""
        return self._core.home.path / "keys" / "kas"

    @property
    def url(self) -> str:
        """Where this server is reached: the setting `kas_url`."""
        return self._core.config.kas_url.rstrip("/")

    def public(self, algorithm: str = "") -> KasPublic | None:
        """The key to wrap shares for, of that kind, such as `rsa:2048`; the last of all where none is asked for."""
        keys = [key.public(self.url) for key in self._keys().values()]
        return next((key for key in reversed(keys) if algorithm in ("", key.algorithm)), None)

    def rewrap(self, person: Person, access: KeyAccess, policy: str, client: KasPublic) -> bytes:
        """The share that `access` wraps, under the `client`'s own key; `policy` is base64, as in the manifest.

        Raises:
            RefusedByPolicy: it is not given, whatever the reason.
        """
        why, share = "", b""
        try:
            share = self._share(access, policy)
            self._decide(person, TdfPolicy.from_bytes(unbase64(policy, "the policy")))
        except AldisError as error:
            why = str(error.args[0])
        with self._core.store.transaction():
            reasons = ["key access", access.kid, *([why] if why else [])]
            subject, verdict = sha256(policy.encode()).hex(), "refused" if why else "unwrapped"
            self._audit.write("release", subject, verdict=verdict, reasons=reasons, actor=person.id)
        if why:
            raise RefusedByPolicy("the key is not given", fix="Ask whoever sealed it, or an auditor of this node")
        return client.wrap(share).data

    def refused(self, person: Person, why: str) -> None:
        """Keep in the ledger that a request was refused before a share was looked at."""
        with self._core.store.transaction():
            self._audit.write("release", "", verdict="refused", reasons=["key access", "", why], actor=person.id)

    def _share(self, access: KeyAccess, policy: str) -> bytes:
        key = self._keys().get(access.kid)  # 1
        share = key.unwrap(access) if key else None
        if share is None or len(share) != _KEY:
            raise NotAuthentic("no key served here opens the share")
        check_binding(access, share, policy)  # 2
        return share

    def _decide(self, person: Person, policy: TdfPolicy) -> None:  # 3 was made in reading it
        core = self._core
        core.policies.check(policy.label)
        own = policy.originator == core.party
        if core.node not in policy.nodes and not own:  # 4
            raise RefusedByPolicy("the policy is not for this node")
        if policy.record:
            self._check_record(person, policy, own=own)  # 5
        if not self._sights.may_open(person, policy.kind, policy.project, policy.label, policy.originator):  # 6
            raise RefusedByPolicy("the rules do not permit it to the person")

    def _check_record(self, person: Person, policy: TdfPolicy, *, own: bool) -> None:
        records = self._core.store.records
        row = records.by_digest(policy.record)
        if row is None:
            if own:
                raise RefusedByPolicy("the record is not here, or no longer")
            return
        newest = records.get(row.id, originator=row.originator)
        if newest is None or read_header(newest.header).deleted:
            raise RefusedByPolicy("the record was deleted")
        if self._sights.cut(row, self._sights.of(person)) is None:
            raise RefusedByPolicy("the record is not in the person's sight")

    def _keys(self) -> Mapping[str, KasKey]:
        """By kid, in the order of the names of their files."""
        files = sorted(self.folder.glob("*.key")) if self.folder.is_dir() else []
        names = tuple(f"{path.name} {path.stat().st_mtime_ns}" for path in files)
        if names != self._read[0]:
            found: dict[str, KasKey] = {}
            for path in files:
                data = path.read_bytes()
                if len(data) > _LIMIT:
                    raise InvalidInput(f"{path} is no key", fix="Remove it")
                key = KasKey(data)
                found[key.kid] = key
            self._read = names, found
        return self._read[1]
