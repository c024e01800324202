"""A node's folder: complete or not there, closed to others, and never written over."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any

import pytest

from aldis.kernel.errors import AldisError, InvalidInput, UnknownTerm
from aldis.kernel.signatures import Algorithm
from aldis.node.config import Config
from aldis.node.home import Home, default_home, make_home
from aldis.node.node import Node

NOW = 1_790_000_000_000


def config(**changes: Any) -> Config:
    return Config(**{"node": "aus", "party": "AUS", "policy": "AUS", "ceiling": "SECRET", **changes})


@pytest.mark.parametrize("algorithm", list(Algorithm), ids=lambda a: a.value)
def test_a_new_node_opens_with_keys_of_its_algorithm(tmp_path: Path, algorithm: Algorithm) -> None:
    home = make_home(tmp_path / "aus", config(algorithm=algorithm.value), now=NOW)
    assert home.signer(algorithm).public.algorithm is algorithm
    assert len(home.secret()) == 32
    with Node.open(home.path, environment={}, apps={}) as node:
        assert node.name == "aus"
        assert node.core.ledger == "aldis.invalid/aus"


def test_what_is_secret_is_for_the_owner_alone(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        home = make_home(tmp_path / "aus", config(), now=NOW)
        Node.open(home.path, environment={}, apps={}).close()
    finally:
        os.umask(old)
    keys = home.path / "keys"
    assert stat.S_IMODE(keys.stat().st_mode) == 0o700
    for path in (*keys.iterdir(), home.store):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
    assert {path.name for path in keys.iterdir()} == {"signing.key", "ledger.key", "secret.key", "tls.key", "tls.pem"}


def test_two_nodes_share_no_key(tmp_path: Path) -> None:
    one, other = (make_home(tmp_path / name, config(), now=NOW) for name in ("one", "other"))
    for name in ("signing.key", "ledger.key", "secret.key", "tls.key", "tls.pem"):
        assert (one.path / "keys" / name).read_bytes() != (other.path / "keys" / name).read_bytes()


def test_a_node_is_never_made_over_another(tmp_path: Path) -> None:
    home = make_home(tmp_path, config(), now=NOW)
    before = {path: path.read_bytes() for path in home.path.rglob("*") if path.is_file()}
    with pytest.raises(InvalidInput, match="holds a node already"):
        make_home(tmp_path, config(node="other"), now=NOW)
    (tmp_path / "aldis.toml").unlink()
    with pytest.raises(InvalidInput, match="never overwritten"):
        make_home(tmp_path, config(), now=NOW)
    for path, data in before.items():
        assert path.name == "aldis.toml" or path.read_bytes() == data


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"node": "AUS"}, InvalidInput),
        ({"node": ""}, InvalidInput),
        ({"node": "a/../b"}, InvalidInput),
        ({"node": "-aus"}, InvalidInput),
        ({"node": "a" * 33}, InvalidInput),
        ({"node": "aus\n"}, InvalidInput),
        ({"party": "aus"}, InvalidInput),
        ({"party": "A"}, InvalidInput),
        ({"party": "AUS "}, InvalidInput),
        ({"policy": "XXX"}, UnknownTerm),
        ({"ceiling": "VERY SECRET"}, UnknownTerm),
        ({"algorithm": "rsa"}, UnknownTerm),
        ({"listen": "nonsense"}, InvalidInput),
        ({"url": "ftp://x"}, InvalidInput),
    ],
)
def test_a_name_or_term_that_nobody_defined_makes_nothing(
    tmp_path: Path, changes: dict[str, Any], error: type[AldisError]
) -> None:
    with pytest.raises(error):
        make_home(tmp_path / "aus", config(**changes), now=NOW)
    assert not (tmp_path / "aus").exists()


def test_what_is_no_node_or_lacks_a_key_does_not_open(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="aldis init"):
        Node.open(tmp_path, environment={}, apps={})
    home = make_home(tmp_path, config(), now=NOW)
    for name in ("signing.key", "ledger.key", "secret.key"):
        key = home.path / "keys" / name
        kept = key.read_bytes()
        key.unlink()
        with pytest.raises(InvalidInput, match="is missing"):
            Node.open(home.path, environment={}, apps={})
        key.write_bytes(kept)
        with pytest.raises(InvalidInput, match="chmod 600"):
            Node.open(home.path, environment={}, apps={})
        key.chmod(0o600)
    with pytest.raises(InvalidInput, match="does not hold ecdsa-p384-sha384 keys"):
        Node.open(home.path, environment={"ALDIS_ALGORITHM": "ecdsa-p384-sha384"}, apps={})
    Node.open(home.path, environment={}, apps={}).close()


def test_the_default_home_is_the_environments_or_the_users() -> None:
    assert default_home({"ALDIS_HOME": "/srv/aus"}) == Path("/srv/aus")
    for unset in ({}, {"ALDIS_HOME": ""}):
        assert default_home(unset) == Path.home() / ".local" / "share" / "aldis"


def test_a_home_names_its_files(tmp_path: Path) -> None:
    home = Home(tmp_path)
    assert home.store == tmp_path / "store.db"
    assert home.certificate.parent == home.tls_key.parent == tmp_path / "keys"
