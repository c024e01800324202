"""What a leaf may say, and that what is written can be read."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aldis.kernel.encoding import sha256
from aldis.kernel.errors import InvalidInput, TooLarge
from aldis.kernel.ledger import LEAF_LIMIT, Leaf, LeafType, decode_leaf, encode_leaf

LEAF = Leaf(
    at=1_408_083_600_000,
    type="release",
    input=sha256(b"a bundle").hex(),
    epoch=sha256(b"policies").hex(),
    verdict="permit-in-part",
    reasons=("releasability: AUS, GBR", "arrangement: sea-picture/3"),
    subject="aus-low/gbr-low/7",
    actor="aus-low",
)


def written(**changes: Any) -> bytes:
    return msgspec.json.encode(msgspec.to_builtins(LEAF) | changes)


digests = st.binary(min_size=32, max_size=32).map(bytes.hex)
texts = st.text(st.characters(codec="utf-8"), max_size=300)


@given(
    st.builds(
        Leaf,
        at=st.integers(0, 2**53 - 1),
        type=st.sampled_from(get_args(LeafType)),
        input=digests,
        epoch=st.just("") | digests,
        verdict=texts,
        reasons=st.lists(texts, max_size=4).map(tuple),
        subject=texts,
        actor=texts,
    )
)
def test_every_leaf_written_reads_back(leaf: Leaf) -> None:
    assert decode_leaf(encode_leaf(leaf)) == leaf


@pytest.mark.parametrize(
    "changes",
    [
        {"at": -1},
        {"at": 2**53},
        {"at": 1.5},
        {"type": "rumour"},
        {"input": ""},
        {"input": "a" * 63},
        {"input": "A" * 64},
        {"input": "a" * 65},
        {"input": "a" * 64 + "\n"},
        {"input": "g" * 64},
        {"epoch": "a"},
        {"epoch": "\n"},
        {"verdict": "x" * 1025},
        {"verdict": None},
        {"reasons": ["x"] * 65},
        {"reasons": ["x" * 1025]},
        {"reasons": "because"},
        {"subject": 1},
        {"actor": "x" * 1025},
        {"seq": 1},
    ],
)
def test_a_leaf_outside_its_limits_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        decode_leaf(written(**changes))


@pytest.mark.parametrize("field", Leaf.__struct_fields__)
def test_every_field_is_required(field: str) -> None:
    fields = msgspec.to_builtins(LEAF)
    del fields[field]
    with pytest.raises(InvalidInput, match=field):
        decode_leaf(msgspec.json.encode(fields))


@pytest.mark.parametrize("data", [b"", b"null", b"[]", b"{", b'{"at":1}x', b"\xff", b"[" * 5000, written() + b"\x00"])
def test_what_is_no_leaf_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidInput):
        decode_leaf(data)


def test_an_oversized_leaf_is_refused_before_it_is_parsed() -> None:
    padded = written() + b" " * (LEAF_LIMIT - len(written()))
    assert decode_leaf(padded) == LEAF
    with pytest.raises(TooLarge):
        decode_leaf(padded + b" ")
    with pytest.raises(TooLarge):
        encode_leaf(msgspec.structs.replace(LEAF, reasons=("\N{EM DASH}" * 1024,) * 8))


@pytest.mark.parametrize(
    "changes", [{"at": -1}, {"at": 2**70}, {"type": "rumour"}, {"verdict": "\ud800"}, {"actor": object()}]
)
def test_a_leaf_that_nobody_could_read_is_not_written(changes: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        encode_leaf(msgspec.structs.replace(LEAF, **changes))


def test_every_type_of_leaf_is_one_that_a_node_writes_and_the_spec_lists() -> None:
    root = Path(__file__).parents[2]
    calls = [
        node
        for path in (root / "src/aldis/node").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args
    ]
    written = {
        str(call.args[0].value)
        for call in calls
        if call.func.attr in {"write", "_leaf"} and isinstance(call.args[0], ast.Constant)  # type: ignore[attr-defined]
    }
    assert written == set(get_args(LeafType))
    spec = (root / "spec/ledger.md").read_text("utf-8")
    assert f"| `type` | {' '.join(f'`{name}`' for name in sorted(written))} |" in spec


@pytest.mark.parametrize("name", ["config", "checkpoint", "instrument"])
def test_a_leaf_of_a_type_that_nobody_writes_is_refused(name: str) -> None:
    with pytest.raises(InvalidInput):
        decode_leaf(written(type=name))
