"""A node's folder: settings, keys and store; made by `aldis init`, never moved or overwritten.

aldis.toml      settings
policies/       tables of other parties' policies, where there are any
keys/           signing, ledger and TLS keys, and the secret for cursors and pseudonyms; 0700, files 0600
attachments/    contents of attachments, by their digest; 0700, files 0600
store.db        everything else
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aldis.kernel.errors import InvalidInput
from aldis.kernel.policies import Policies, builtin, builtin_tables
from aldis.kernel.signatures import Algorithm, algorithm_named
from aldis.node import config as settings
from aldis.node import keys
from aldis.node.config import Config
from aldis.node.tls import make_certificate

__all__ = ["Home", "default_home", "make_home"]

_NODE = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
_PARTY = re.compile(r"[A-Z][A-Z0-9]{1,11}")
SECRET_SIZE = 32


@dataclass(frozen=True, slots=True)
class Home:
    """Where a node keeps its things."""

    path: Path

    @property
    def store(self) -> Path:
        """The store's file."""
        return self.path / "store.db"

    @property
    def attachments(self) -> Path:
        """The folder of attachments' contents; absent where there are none."""
        return self.path / "attachments"

    @property
    def tables(self) -> Path:
        """The folder of policy tables beside the built-in ones; absent where there are none."""
        return self.path / "policies"

    def policies(self) -> Policies:
        """The policies this node goes by.

        Raises:
            InvalidInput: a table is malformed, or takes the name of a built-in one.
        """
        if not self.tables.is_dir():
            return builtin()
        own = {path.stem: path.read_bytes() for path in sorted(self.tables.glob("*.toml"))}
        if taken := own.keys() & builtin_tables().keys():
            raise InvalidInput(f"{self.tables}: {min(taken)}.toml has the name of a built-in table", fix="Rename it")
        return Policies.from_tables({**builtin_tables(), **own}) if own else builtin()

    @property
    def certificate(self) -> Path:
        """The TLS certificate, PEM."""
        return self.path / "keys" / "tls.pem"

    @property
    def tls_key(self) -> Path:
        """The key of the TLS certificate, PEM."""
        return self.path / "keys" / "tls.key"

    def parts(self) -> list[str]:
        """The files that a backup holds beside the store, by their names from the folder on."""
        files = (path for folder in (self.path / "keys", self.tables) for path in folder.rglob("*") if path.is_file())
        kept = sorted(path.relative_to(self.path).as_posix() for path in files)
        return [settings.FILE, *kept]

    def config(self, environment: Mapping[str, str], flags: Mapping[str, Any] | None = None) -> Config:
        """The settings in force."""
        return settings.load(self.path, environment, flags)

    def signer(self, algorithm: Algorithm) -> keys.NodeSigner:
        """The signer of bundles, frames, messages and instruments."""
        return keys.load(algorithm, keys.read_private(self.path / "keys" / "signing.key"))

    def ledger_signer(self) -> keys.NoteSigner:
        """The signer of the ledger's checkpoints."""
        return keys.NoteSigner(keys.read_private(self.path / "keys" / "ledger.key"))

    def secret(self) -> bytes:
        """Thirty-two bytes known to this node alone, for cursors and pseudonyms."""
        return keys.read_private(self.path / "keys" / "secret.key")


def default_home(environment: Mapping[str, str]) -> Path:
    """`ALDIS_HOME`, or `~/.local/share/aldis`."""
    return Path(environment.get("ALDIS_HOME") or Path.home() / ".local" / "share" / "aldis")


def make_home(path: Path, config: Config, *, now: int) -> Home:
    """A new node's folder with fresh keys.

    Raises:
        InvalidInput: a node is there already, or a name or address breaks the rules.
        UnknownTerm: a policy, classification or algorithm that does not exist.
    """
    if (path / settings.FILE).exists():
        raise InvalidInput(f"{path} holds a node already", fix="Use it, or choose another folder with --home")
    if not _NODE.fullmatch(config.node):
        raise InvalidInput(f"node name {config.node!r} is not lower-case letters, digits and hyphens (at most 32)")
    if not _PARTY.fullmatch(config.party):
        raise InvalidInput(f"party {config.party!r} is not a code such as AUS or NATO", fix="Use ISO 3166 alpha-3")
    builtin().policy(config.policy).rank(config.ceiling)
    algorithm = algorithm_named(config.algorithm)
    settings.check(config)
    (path / "keys").mkdir(mode=0o700, parents=True, exist_ok=True)
    certificate, tls_key = make_certificate(config.node, now)
    keys.write_private(path / "keys" / "signing.key", keys.generate(algorithm))
    keys.write_private(path / "keys" / "ledger.key", keys.generate(Algorithm.ED25519))
    keys.write_private(path / "keys" / "secret.key", os.urandom(SECRET_SIZE))
    keys.write_private(path / "keys" / "tls.key", tls_key)
    keys.write_private(path / "keys" / "tls.pem", certificate)
    settings.write(path, config)
    return Home(path)
