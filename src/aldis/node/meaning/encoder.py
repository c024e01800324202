"""An encoder: text to a vector whose direction is its meaning (a BERT encoder, mean of its tokens, length 1).

Each text is encoded by itself, so that what comes out does not depend on what was encoded beside it.

Source: Devlin et al., BERT (NAACL 2019), in the form of Hugging Face's `BertModel`; Reimers and Gurevych,
Sentence-BERT (EMNLP 2019), for the mean.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from aldis.kernel.encoding import sha256
from aldis.kernel.errors import InvalidInput, Unavailable

__all__ = ["FILES", "Encoder", "Shape", "erf"]

FILES = ("config.json", "tokenizer.json", "model.safetensors")
_FILE_LIMIT = 2 * 1024 * 1024 * 1024

Vector = NDArray[np.float32]
_Count = Annotated[int, msgspec.Meta(ge=1, le=1024)]
_Many = Annotated[int, msgspec.Meta(ge=1, le=1_000_000)]


class Shape(msgspec.Struct, frozen=True):
    """What a model's `config.json` says of it; other fields are not looked at."""

    model_type: Literal["bert"]
    hidden_act: Literal["gelu"]
    hidden_size: _Count
    num_hidden_layers: _Count
    num_attention_heads: _Count
    max_position_embeddings: _Many
    layer_norm_eps: float


class _Layer:
    """One layer's weights, turned so that rows are tokens."""

    def __init__(self, weights: Mapping[str, Vector], name: str) -> None:
        def dense(*path: str) -> tuple[Vector, Vector]:
            found = [f"{name}.{one}" for one in path]
            joined = np.concatenate([weights[f"{one}.weight"] for one in found]).T
            return np.ascontiguousarray(joined), np.concatenate([weights[f"{one}.bias"] for one in found])

        def norm(path: str) -> tuple[Vector, Vector]:
            return weights[f"{name}.{path}.weight"], weights[f"{name}.{path}.bias"]

        self.look = dense("attention.self.query", "attention.self.key", "attention.self.value")
        self.mix = dense("attention.output.dense")
        self.mix_norm = norm("attention.output.LayerNorm")
        self.widen = dense("intermediate.dense")
        self.narrow = dense("output.dense")
        self.narrow_norm = norm("output.LayerNorm")


class Encoder:
    """A model from a folder with `FILES`.

    Raises:
        Unavailable: `tokenizers` or `safetensors` is not installed, or a file cannot be read.
        InvalidInput: files that are not those of a BERT encoder, or do not fit together.
    """

    def __init__(self, folder: Path) -> None:
        config, words, weights = (_read(folder / name) for name in FILES)
        self.digest = sha256(b"".join(sha256(part) for part in (config, words, weights)))
        try:
            self._shape = msgspec.json.decode(config, type=Shape)
            self._tokens = _optional("tokenizers").Tokenizer.from_str(words.decode())
            self._tokens.no_padding()
            self._tokens.enable_truncation(self._shape.max_position_embeddings)
            self._take(_optional("safetensors.numpy").load(weights))
        except (msgspec.DecodeError, UnicodeDecodeError, KeyError, ValueError) as error:
            raise _unfit(folder, error) from error
        except Unavailable:
            raise
        except Exception as error:  # tokenizers and safetensors raise their own kinds
            raise _unfit(folder, error) from error

    @property
    def width(self) -> int:
        """How many numbers a vector has."""
        return self._shape.hidden_size

    def encode(self, text: str) -> Vector:
        """The vector of a text: `width` numbers, of length 1; what is longer than the model reads is not looked at."""
        ids = self._tokens.encode(text).ids
        state = _normed(self._words[ids] + self._places[: len(ids)], self._norm, self._shape.layer_norm_eps)
        for layer in self._layers:
            state = self._pass(layer, state)
        mean = state.mean(axis=0)
        return np.asarray(mean / max(float(np.sqrt(mean @ mean)), 1e-12), dtype=np.float32)

    def _take(self, tensors: Mapping[str, Any]) -> None:
        weights = {name: np.asarray(one, dtype=np.float32) for name, one in tensors.items()}
        size = self._shape.hidden_size
        self._words = weights["embeddings.word_embeddings.weight"]
        self._places = (
            weights["embeddings.position_embeddings.weight"] + weights["embeddings.token_type_embeddings.weight"][0]
        )
        self._norm = weights["embeddings.LayerNorm.weight"], weights["embeddings.LayerNorm.bias"]
        self._layers = [_Layer(weights, f"encoder.layer.{n}") for n in range(self._shape.num_hidden_layers)]
        fits = (
            self._words.shape == (self._tokens.get_vocab_size(), size) and size % self._shape.num_attention_heads == 0
        )
        fits = fits and self._places.shape == (self._shape.max_position_embeddings, size)
        if not fits or any(layer.look[0].shape != (size, 3 * size) for layer in self._layers):
            raise ValueError("weights, words and config.json are not of one model")

    def _pass(self, layer: _Layer, state: Vector) -> Vector:
        """One layer: every token looks at every other, then each for itself."""
        heads, eps = self._shape.num_attention_heads, self._shape.layer_norm_eps
        count, size = state.shape
        asked, key, value = _dense(state, layer.look).reshape(count, 3, heads, size // heads).transpose(1, 2, 0, 3)
        scores = asked @ key.transpose(0, 2, 1) * np.float32((size // heads) ** -0.5)
        scores = np.exp(scores - scores.max(axis=-1, keepdims=True))
        scores /= scores.sum(axis=-1, keepdims=True)
        seen = (scores @ value).transpose(1, 0, 2).reshape(count, size)
        state = _normed(state + _dense(seen, layer.mix), layer.mix_norm, eps)
        wide = _dense(state, layer.widen)
        wide *= 0.5 * (1 + erf(wide * np.float32(0.5**0.5)))  # GELU as BERT has it, with the error function
        return _normed(state + _dense(wide, layer.narrow), layer.narrow_norm, eps)


def erf(x: Vector) -> Vector:
    """The error function, within 1e-6. Source: Abramowitz and Stegun, formula 7.1.26."""
    size = np.abs(x)
    t = 1 / (1 + np.float32(0.3275911) * size)
    sum_ = np.zeros_like(t)
    for factor in (1.061405429, -1.453152027, 1.421413741, -0.284496736, 0.254829592):
        sum_ = (sum_ + np.float32(factor)) * t
    return np.asarray(np.copysign(1 - sum_ * np.exp(-size * size), x), dtype=np.float32)


def _dense(state: Vector, weights: tuple[Vector, Vector]) -> Vector:
    return state @ weights[0] + weights[1]


def _normed(state: Vector, norm: tuple[Vector, Vector], eps: float) -> Vector:
    centred = state - state.mean(axis=-1, keepdims=True)
    spread = np.sqrt((centred * centred).mean(axis=-1, keepdims=True) + np.float32(eps))
    return np.asarray(centred / spread * norm[0] + norm[1], dtype=np.float32)


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > _FILE_LIMIT:
            raise InvalidInput(f"{path} has over 2 GiB", fix="Name the folder of a smaller model")
        return path.read_bytes()
    except OSError as error:
        raise Unavailable(
            f"{path} of the embedding model cannot be read: {error.strerror}",
            fix=f"Name in `meaning_model` a folder with {', '.join(FILES)}",
        ) from error


def _optional(name: str) -> Any:
    try:
        return import_module(name)
    except ImportError as error:
        raise Unavailable(
            f"searching by meaning needs {name.partition('.')[0]}, which is not installed",
            fix="`pip install --no-deps -r requirements/meaning.txt` in the environment of this node",
        ) from error


def _unfit(folder: Path, error: Exception) -> InvalidInput:
    return InvalidInput(
        f"the files in {folder} are not an embedding model that can be used: {error}",
        fix=f"Name in `meaning_model` a folder with {', '.join(FILES)} of a BERT encoder",
    )
