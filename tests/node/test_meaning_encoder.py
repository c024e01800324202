"""The encoder gives what an independent implementation gives for the same model; what is not a model is refused."""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path

import msgspec
import numpy as np
import pytest
from models import folder, model, needs_model

from aldis.kernel.errors import InvalidInput, Unavailable
from aldis.node.meaning.encoder import FILES, Encoder, Shape, erf

GOLDENS = json.loads((Path(__file__).parent / "meaning_goldens.json").read_text("utf-8"))
"""Made with another implementation; `made` says how."""


@needs_model
@pytest.mark.parametrize("golden", GOLDENS["texts"], ids=lambda golden: golden["text"][:12])
def test_vectors_are_those_of_an_independent_implementation(golden: dict[str, object]) -> None:
    found, expected = model().encode(str(golden["text"])), np.array(golden["vector"])
    assert found.shape == (384,)
    assert found.dtype == np.float32
    assert float(np.abs(found[: len(expected)] - expected).max()) < 2e-6
    assert abs(float(np.linalg.norm(found)) - 1) < 1e-6


@needs_model
def test_one_golden_is_whole_and_one_is_longer_than_the_model_reads() -> None:
    assert len(GOLDENS["texts"][0]["vector"]) == model().width == 384
    assert max(one["tokens"] for one in GOLDENS["texts"]) > 300


@needs_model
def test_like_texts_are_close_and_others_are_not() -> None:
    asked, near, far = (
        model().encode(text)
        for text in ("cable damage by an anchor", "an anchor severed the subsea line", "lunch is at noon")
    )
    assert asked @ near > 0.4 > 0.2 > asked @ far


@needs_model
def test_a_text_without_words_has_a_vector_too() -> None:
    for text in ("", "\x00", " ", "\ud800".encode("utf-8", "replace").decode()):
        assert np.isfinite(model().encode(text)).all()


def test_the_error_function_is_that_of_the_standard_library() -> None:
    x = np.linspace(-6, 6, 4001, dtype=np.float32)
    expected = np.array([math.erf(one) for one in x.tolist()])
    assert float(np.abs(erf(x) - expected).max()) < 1e-6


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    for name in FILES:
        shutil.copy(folder() / name, tmp_path / name)
    return tmp_path


@needs_model
def test_the_digest_is_that_of_all_its_files(copy: Path) -> None:
    assert Encoder(copy).digest == model().digest
    (copy / "config.json").write_text((copy / "config.json").read_text() + "\n")
    assert Encoder(copy).digest != model().digest


@needs_model
@pytest.mark.parametrize("name", FILES)
def test_a_file_that_is_missing_or_broken_is_named(copy: Path, name: str) -> None:
    data = (copy / name).read_bytes()
    for broken in (b"", b"{}", data[: len(data) // 2], b"\xff" * 100):
        (copy / name).write_bytes(broken)
        with pytest.raises(InvalidInput, match="not an embedding model"):
            Encoder(copy)
    (copy / name).unlink()
    with pytest.raises(Unavailable, match=name):
        Encoder(copy)


@needs_model
@pytest.mark.parametrize(
    "change", [{"model_type": "gpt2"}, {"hidden_size": 512}, {"num_hidden_layers": 7}, {"num_attention_heads": 7},
               {"max_position_embeddings": 100}, {"hidden_act": "relu"}, {"hidden_size": 100_000}],
)  # fmt: skip
def test_a_model_of_another_shape_is_refused(copy: Path, change: dict[str, object]) -> None:
    config = json.loads((copy / "config.json").read_text())
    (copy / "config.json").write_text(json.dumps(config | change))
    with pytest.raises(InvalidInput, match="not an embedding model"):
        Encoder(copy)


def test_the_widest_model_still_gives_exact_scores() -> None:
    """Whole numbers are exact in float32 below 2**24."""
    field = next(one for one in msgspec.structs.fields(Shape) if one.name == "hidden_size")
    assert "1024" in repr(field.type) and 127 * 127 * 1024 < 2**24
