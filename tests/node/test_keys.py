"""Private keys: made once, for their owner's eyes, and of the algorithm that the node is set to."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from aldis.kernel.errors import InvalidInput
from aldis.kernel.signatures import Algorithm
from aldis.node.keys import NoteSigner, generate, load, read_private, write_private

every_algorithm = pytest.mark.parametrize("algorithm", list(Algorithm), ids=lambda a: a.value)


@every_algorithm
def test_generated_keys_sign_and_load_again_as_themselves(algorithm: Algorithm) -> None:
    pem = generate(algorithm)
    one, again = load(algorithm, pem), load(algorithm, pem)
    one.public.verify(b"context", b"message", again.sign(b"context", b"message"))
    assert one.public == again.public
    assert one.public.algorithm is algorithm
    assert load(algorithm, generate(algorithm)).public != one.public


def test_the_hybrid_holds_two_keys() -> None:
    assert generate(Algorithm.HYBRID).count(b"BEGIN PRIVATE KEY") == 2


@every_algorithm
def test_keys_of_another_algorithm_are_refused_by_name(algorithm: Algorithm) -> None:
    for other in set(Algorithm) - {algorithm}:
        with pytest.raises(InvalidInput, match=f"does not hold {algorithm.value.replace('+', '.')} keys"):
            load(algorithm, generate(other))


@every_algorithm
def test_what_holds_no_key_is_refused(algorithm: Algorithm) -> None:
    foreign = rsa.generate_private_key(65537, 2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    pem = generate(algorithm)
    for wrong in (b"", b"junk", pem[: len(pem) // 2], foreign, pem + foreign, pem[:60] + b"A" + pem[61:40]):
        with pytest.raises(InvalidInput, match="Restore it from your backup"):
            load(algorithm, wrong)


def test_the_ledger_signs_with_ed25519_and_nothing_else() -> None:
    signer = NoteSigner(generate(Algorithm.ED25519))
    assert len(signer.public) == 32
    assert len(signer.sign(b"a note")) == 64
    for wrong in (generate(Algorithm.P384), b"", b"junk"):
        with pytest.raises(InvalidInput, match="Restore it from your backup"):
            NoteSigner(wrong)


def test_a_secret_is_written_once_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "secret.key"
    write_private(path, b"secret")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert read_private(path) == b"secret"
    with pytest.raises(InvalidInput, match="never overwritten"):
        write_private(path, b"another")
    assert path.read_bytes() == b"secret"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o610, 0o777])
def test_a_secret_that_others_could_read_or_change_is_not_used(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "secret.key"
    write_private(path, b"secret")
    path.chmod(mode)
    with pytest.raises(InvalidInput, match="chmod 600"):
        read_private(path)


def test_a_missing_secret_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"secret\.key is missing.*aldis init"):
        read_private(tmp_path / "secret.key")
