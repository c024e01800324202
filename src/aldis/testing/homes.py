"""The folders of a coalition's nodes: made with keys that follow from a seed, saved, and taken up again."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from random import Random

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from aldis.kernel.encoding import sha256
from aldis.kernel.policies import builtin
from aldis.node.config import Config
from aldis.node.home import Home, make_home
from aldis.node.keys import write_private
from aldis.testing.disk import Image

__all__ = ["found_all", "images_in", "save_home", "temporary_copy"]

_PKCS8 = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
_PREFIX = "aldis-"


def found_all(parties: Mapping[str, str | Config], *, seed: int, now: int) -> Path:
    """A temporary folder with a new node's folder for each name."""
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX))
    for name, party in parties.items():
        config = party if isinstance(party, Config) else _config_of(name, party)
        _found(folder / name, config, seed=seed, now=now)
    return folder


def save_home(home: Path, folder: Path, image: Image) -> None:
    """Copy a node's keys and settings to a new folder, and its store as this image."""
    shutil.copytree(home / "keys", folder / "keys")
    shutil.copy(home / "aldis.toml", folder)
    if Home(home).attachments.is_dir():
        shutil.copytree(Home(home).attachments, Home(folder).attachments)
    Home(folder).store.write_bytes(image[""])


def temporary_copy(folder: Path) -> Path:
    """A copy of saved nodes that may be written to."""
    return Path(shutil.copytree(folder, tempfile.mkdtemp(prefix=_PREFIX), dirs_exist_ok=True))


def images_in(folder: Path, *, memory: bool) -> dict[str, Image | None]:
    """The saved nodes by name, each with its store's content where that is to be in memory."""
    names = sorted(path.name for path in folder.iterdir() if path.is_dir())
    return {name: {"": Home(folder / name).store.read_bytes()} if memory else None for name in names}


def _config_of(node: str, party: str) -> Config:
    """Settings for a node of `party`: the policy that the party classifies by, and SECRET or its highest rung."""
    policy = builtin().policy_of(party)
    rungs = [rung.name for rung in policy.ladder]
    return Config(node=node, party=party, policy=policy.name, ceiling="SECRET" if "SECRET" in rungs else rungs[-1])


def _found(home: Path, config: Config, *, seed: int, now: int) -> None:
    """A new node's folder; its Ed25519 keys and secret follow from the seed, its TLS certificate does not."""
    make_home(home, config, now=now)
    rng = Random(f"keys of {seed}/{config.node}")  # noqa: S311
    names = ["ledger.key", *(["signing.key"] if config.algorithm == "ed25519" else [])]
    for name in names:
        key = Ed25519PrivateKey.from_private_bytes(sha256(rng.randbytes(32)))
        _replace(home / "keys" / name, key.private_bytes(*_PKCS8))
    _replace(home / "keys" / "secret.key", rng.randbytes(32))


def _replace(path: Path, data: bytes) -> None:
    path.unlink()
    write_private(path, data)
