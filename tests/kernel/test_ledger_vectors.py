"""The vectors of spec/vectors/ledger.json: made here from the reference, met by the ledger.

Run this file (`python tests/kernel/test_ledger_vectors.py`) to write the vectors anew.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from test_ledger_reference import LEAVES, mth, path, proof

from aldis.kernel.errors import AldisError
from aldis.kernel.ledger import (
    Checkpoint,
    Frontier,
    add_signature,
    cosign,
    decode_leaf,
    encode_leaf,
    leaf_hash,
    merkle_root,
    sign_checkpoint,
    verify_checkpoint,
    verify_consistency,
    verify_cosignature,
    verify_inclusion,
)

VECTORS = Path(__file__).parents[2] / "spec" / "vectors" / "ledger.json"
SIZES = range(len(LEAVES) + 1)
AT_SECONDS = 1_408_083_600
LEAF = (
    b'{"at":1408083600000,"type":"release",'
    b'"input":"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855","epoch":"","verdict":"permit",'
    b'"reasons":["releasability: AUS, GBR"],"subject":"aus-low/gbr-low/7","actor":"aus-low"}'
)


def made() -> dict[str, Any]:
    """All vectors: bytes in hexadecimal, notes and leaves as text."""
    log, witness = _party("aus-low.example/ledger", 1), _party("gbr-low.example/ledger", 2)
    log_key, witness_key = _private(log), _private(witness)
    checkpoint = Checkpoint(log["name"], len(LEAVES), mth(LEAVES))
    note = sign_checkpoint(checkpoint, bytes.fromhex(log["public_key"]), log_key.sign)
    line = cosign(note, witness["name"], bytes.fromhex(witness["public_key"]), witness_key.sign, AT_SECONDS)
    cosigned = add_signature(note, line).decode()
    eight = {"root": mth(LEAVES).hex(), "size": 8}
    return {
        "source": "RFC 9162 section 2.1; c2sp.org/tlog-checkpoint, c2sp.org/tlog-cosignature v1",
        "leaves": [leaf.hex() for leaf in LEAVES],
        "roots": [mth(LEAVES[:size]).hex() for size in SIZES],
        "inclusion": [
            {"index": index, "size": size, "proof": _hex(path(index, LEAVES[:size]))}
            for size in SIZES
            for index in range(size)
        ],
        "inclusion_refused": [
            {"why": why, "leaf": leaf, **eight, "index": index, "proof": _hex(hashes)}
            for why, leaf, index, hashes in (
                ("another leaf", LEAVES[4].hex(), 5, path(5, LEAVES)),
                ("another index", LEAVES[5].hex(), 4, path(5, LEAVES)),
                ("index beyond the tree", LEAVES[5].hex(), 8, path(5, LEAVES)),
                ("one hash too few", LEAVES[5].hex(), 5, path(5, LEAVES)[:-1]),
                ("one hash too many", LEAVES[5].hex(), 5, [*path(5, LEAVES), mth(LEAVES)]),
                ("hashes in another order", LEAVES[5].hex(), 5, path(5, LEAVES)[::-1]),
                ("hashes of another length", LEAVES[5].hex(), 5, [b"".join(path(5, LEAVES))]),
            )
        ],
        "consistency": [
            {"old_size": old, "new_size": new, "proof": _hex(proof(old, LEAVES[:new]) if old else [])}
            for new in SIZES
            for old in range(new + 1)
        ],
        "consistency_refused": [
            {"why": why, "code": code, "old_size": old, "old_root": root.hex(), "new_size": new}
            | {"new_root": mth(LEAVES[:new]).hex(), "proof": _hex(hashes)}
            for why, code, old, root, new, hashes in (
                ("two roots for one size", "forked", 8, mth(LEAVES[:7]), 8, []),
                ("another prefix", "forked", 6, mth(LEAVES[1:7]), 8, proof(6, LEAVES)),
                ("proof of another prefix", "forked", 6, mth(LEAVES[:6]), 8, proof(6, LEAVES[1:] + LEAVES[:1])),
                ("the log went back", "stale", 8, mth(LEAVES), 6, proof(6, LEAVES)),
                ("no proof", "verification-failed", 6, mth(LEAVES[:6]), 8, []),
                ("one hash too many", "verification-failed", 6, mth(LEAVES[:6]), 8, [*proof(6, LEAVES), mth([])]),
                ("a proof from nothing", "verification-failed", 0, mth([]), 8, [mth([])]),
            )
        ],
        "leaf": {"text": LEAF.decode(), "hash": mth([LEAF]).hex()},
        "checkpoint": {"log": log, "witness": witness, "at_seconds": AT_SECONDS, **eight, "note": cosigned},
        "checkpoint_refused": [
            {"why": why, "code": code, "note": text}
            for why, code, text in (
                ("another size", "not-authentic", cosigned.replace("\n8\n", "\n7\n")),
                ("no signature of the log", "not-authentic", _without(cosigned, log["name"])),
                ("no blank line", "invalid-input", cosigned.replace("\n\n", "\n")),
                ("a hyphen for the dash", "invalid-input", cosigned.replace("\N{EM DASH}", "-")),
                ("carriage returns", "invalid-input", cosigned.replace("\n", "\r\n")),
                ("more than 32 signatures", "too-large", cosigned + 31 * line.decode()),
            )
        ],
    }


def _party(name: str, seed: int) -> dict[str, str]:
    private = Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32)
    return {
        "name": name,
        "seed": (bytes([seed]) * 32).hex(),
        "public_key": private.public_key().public_bytes_raw().hex(),
    }


def _private(party: dict[str, str]) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(bytes.fromhex(party["seed"]))


def _without(note: str, name: str) -> str:
    return "".join(line for line in note.splitlines(keepends=True) if not line.startswith(f"\N{EM DASH} {name} "))


def _hex(hashes: list[bytes]) -> list[str]:
    return [digest.hex() for digest in hashes]


def _bytes(hashes: list[str]) -> list[bytes]:
    return [bytes.fromhex(digest) for digest in hashes]


def _text() -> str:
    return json.dumps(made(), indent=1, ensure_ascii=False) + "\n"


def _refusal(check: Callable[..., object], *arguments: object) -> str:
    with pytest.raises(AldisError) as refused:
        check(*arguments)
    return refused.value.code


@pytest.fixture(scope="module")
def vectors() -> Any:
    return json.loads(VECTORS.read_text("utf-8"))


def test_the_file_is_what_the_reference_makes() -> None:
    assert VECTORS.read_text("utf-8") == _text()


def test_the_ledger_meets_the_roots(vectors: Any) -> None:
    leaves, roots = _bytes(vectors["leaves"]), _bytes(vectors["roots"])
    for size, root in enumerate(roots):
        assert merkle_root([leaf_hash(leaf) for leaf in leaves[:size]]) == root
        assert Frontier().append(leaves[:size])[0].root() == root


def test_the_ledger_meets_the_inclusion_proofs(vectors: Any) -> None:
    leaves, roots = _bytes(vectors["leaves"]), _bytes(vectors["roots"])
    for v in vectors["inclusion"]:
        hashes = _bytes(v["proof"])
        verify_inclusion(leaf_hash(leaves[v["index"]]), v["index"], v["size"], hashes, roots[v["size"]])
    for v in vectors["inclusion_refused"]:
        leaf, root = leaf_hash(bytes.fromhex(v["leaf"])), bytes.fromhex(v["root"])
        code = _refusal(verify_inclusion, leaf, v["index"], v["size"], _bytes(v["proof"]), root)
        assert code == "verification-failed", v["why"]


def test_the_ledger_meets_the_consistency_proofs(vectors: Any) -> None:
    roots = _bytes(vectors["roots"])
    for v in vectors["consistency"]:
        old, new = v["old_size"], v["new_size"]
        verify_consistency(old, roots[old], new, roots[new], _bytes(v["proof"]))
    for v in vectors["consistency_refused"]:
        old_root, new_root = bytes.fromhex(v["old_root"]), bytes.fromhex(v["new_root"])
        proof_ = _bytes(v["proof"])
        assert _refusal(verify_consistency, v["old_size"], old_root, v["new_size"], new_root, proof_) == v["code"]


def test_the_ledger_meets_the_leaf(vectors: Any) -> None:
    data = vectors["leaf"]["text"].encode()
    assert encode_leaf(decode_leaf(data)) == data
    assert leaf_hash(data).hex() == vectors["leaf"]["hash"]


def test_the_ledger_meets_the_checkpoints(vectors: Any) -> None:
    v = vectors["checkpoint"]
    log, witness = v["log"], v["witness"]
    log_key, witness_key = bytes.fromhex(log["public_key"]), bytes.fromhex(witness["public_key"])
    checkpoint = Checkpoint(log["name"], v["size"], bytes.fromhex(v["root"]))
    assert verify_checkpoint(v["note"].encode(), log["name"], log_key) == checkpoint
    assert verify_cosignature(v["note"].encode(), witness["name"], witness_key) == v["at_seconds"]
    for refused in vectors["checkpoint_refused"]:
        code = _refusal(verify_checkpoint, refused["note"].encode(), log["name"], log_key)
        assert code == refused["code"], refused["why"]


if __name__ == "__main__":
    VECTORS.write_text(_text(), "utf-8")
