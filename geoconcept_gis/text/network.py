"""The small network between words and directions, trained with torch; building a tower only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import MissingDependencyError
from ..progress import report

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from ..progress import Progress

    Floats = NDArray[np.float32]

__all__ = ["Batches", "Network", "train"]

#: Sizes: of a word's vector, of the hidden layer, of the hidden layer that tells whether a text is about places.
WIDTH, HIDDEN, HIDDEN_GEO = 128, 512, 64
#: Chosen on phrases of our own that were kept out for this.
RATE, DECAY, ROW_DECAY = 2e-3, 1e-2, 1e-3
#: How often, in training, a word loses its own row, is known by its pieces only, or is left out.
NO_ROW, PIECES_ONLY, LEFT_OUT = 0.3, 0.1, 0.02
#: Noise on the static vectors, in units of their spread: words with like vectors get like directions.
NOISE = 0.2
#: Texts about no place in each step, and what telling them apart weighs.
OTHERS, GEO_WEIGHT, GEO_PLACES = 64, 0.2, 0.3
#: The group of words that are taught by likeness alone: nobody says whether they are about places.
UNSURE = "taught"


@dataclass(frozen=True)
class Batches:
    """Texts as rows of words: what a step draws from.

    Attributes
    ----------
    groups : dict of str to tuple
        Group to (texts, target rows (N,), cumulative weights (N,), texts a step).
    others : list of list of int
        Texts about no place. A word with a row is its number; others are -1 - their number.
    targets : ndarray of float32, shape (T, 512)
    """

    groups: Mapping[str, tuple[list[list[int]], NDArray[np.intp], NDArray[np.float64], int]]
    others: list[list[int]]
    targets: Floats


def _torch() -> Any:
    try:
        import torch
    except ImportError:
        raise MissingDependencyError("training a text tower needs torch: pip install 'geoconcept-gis[torch]'") from None
    return torch


class Network:
    """Word vectors, their weights, and the way from their mean to a direction.

    Parameters
    ----------
    static : ndarray of float32, shape (K, S)
        Static vectors of the words with a row.
    meaning : ndarray of float32, shape (K, M)
        More of the same, which only words with a row have.
    pieces : ndarray of float32, shape (L, S)
        Static vectors of the other words.
    seed : int
    """

    def __init__(self, static: Floats, meaning: Floats, pieces: Floats, *, seed: int) -> None:
        torch = _torch()
        torch.manual_seed(seed)
        nn = torch.nn
        self.count = len(static)
        self._features = torch.tensor(np.concatenate([static, meaning], axis=1))
        self._static = torch.tensor(np.concatenate([static, pieces]))
        self._spread = float(self._features.std())
        self.of_features = nn.Parameter(torch.randn(self._features.shape[1], WIDTH) * 0.1)
        self.of_pieces = nn.Parameter(self.of_features.data[: static.shape[1]].clone())
        self.rows = nn.Embedding(self.count, WIDTH, sparse=True)
        self.rows.weight.data.zero_()
        self.gate = nn.Linear(WIDTH, 1)
        self.direct = nn.Linear(WIDTH, 512, bias=False)
        self.hidden_in, self.hidden_out = nn.Linear(WIDTH, HIDDEN), nn.Linear(HIDDEN, 512, bias=False)
        self.hidden_out.weight.data *= 0.3
        self.geo_in, self.geo_out = nn.Linear(WIDTH, HIDDEN_GEO), nn.Linear(HIDDEN_GEO, 1)

    def dense(self) -> list[Any]:
        """Return every parameter but the words' own rows."""
        layers = (self.gate, self.direct, self.hidden_in, self.hidden_out, self.geo_in, self.geo_out)
        return [self.of_features, self.of_pieces, *(p for layer in layers for p in layer.parameters())]

    def __call__(self, texts: Sequence[Sequence[int]], *, training: bool) -> tuple[Any, Any, Any]:
        """Return whitened directions (N, 512), whether about places (N,), and the mean square of the rows used."""
        torch = _torch()
        relu, softplus = torch.relu, torch.nn.functional.softplus
        word = torch.tensor([word for text in texts for word in text])
        text = torch.tensor([number for number, text in enumerate(texts) for _ in text])
        size = len(word)
        by_pieces = word < 0
        row = word.clamp(min=0)
        features, own = self._features[row], self.rows(row)
        square = (own.pow(2).sum(1) * ~by_pieces).mean()
        if training:
            features = features + NOISE * self._spread * torch.randn_like(features)
            own = own * (torch.rand(size, 1) > NO_ROW)
            by_pieces = by_pieces | (torch.rand(size) < PIECES_ONLY)
        vector = features @ self.of_features + own
        guess = self._static[torch.where(word < 0, self.count - 1 - word, word)] @ self.of_pieces
        vector = torch.where(by_pieces[:, None], guess, vector)
        weight = softplus(self.gate(vector)).squeeze(1)
        if training:
            weight = weight * (torch.rand(size) > LEFT_OUT) + 1e-4
        joined = torch.zeros(len(texts), WIDTH).index_add(0, text, vector * weight[:, None])
        joined = torch.nn.functional.normalize(joined) * WIDTH**0.5
        out = self.direct(joined) + self.hidden_out(relu(self.hidden_in(joined)))
        about = self.geo_out(relu(self.geo_in(joined))).squeeze(1)
        return torch.nn.functional.normalize(out), about, square

    def table(self) -> Floats:
        """Return the vector of each word with a row, shape (K, WIDTH)."""
        with _torch().no_grad():
            return np.asarray((self._features @ self.of_features + self.rows.weight).numpy())

    def matrices(self) -> dict[str, Floats]:
        """Return the rest, for a mean of unit length, with directions still whitened."""
        root = WIDTH**0.5

        def of(parameter: Any, factor: float = 1.0) -> Floats:
            return np.asarray(parameter.detach().numpy().T * factor, dtype=np.float32)

        return {
            "static": of(self.of_pieces.T),
            "gate": of(self.gate.weight)[:, 0],
            "gate_bias": of(self.gate.bias),
            "direct": of(self.direct.weight, root),
            "hidden_in": of(self.hidden_in.weight, root),
            "hidden_bias": of(self.hidden_in.bias),
            "hidden_out": of(self.hidden_out.weight),
            "geo_in": of(self.geo_in.weight, root),
            "geo_in_bias": of(self.geo_in.bias),
            "geo_out": of(self.geo_out.weight)[:, 0],
            "geo_out_bias": of(self.geo_out.bias),
        }


def train(network: Network, batches: Batches, *, steps: int, seed: int, progress: Progress | None = None) -> None:
    """Fit a network: directions to their targets by cosine, and texts about places from others.

    The cosine of two whitened directions is the correlation of their maps of the land.

    Parameters
    ----------
    network : Network
        Changed in place.
    batches : Batches
    steps : int
    seed : int
    progress : callable, optional
        Called as ``progress(done, steps)``.
    """
    torch = _torch()
    rng = np.random.default_rng(seed)
    targets = torch.tensor(batches.targets)
    unsure = batches.groups[UNSURE][3]
    dense = torch.optim.AdamW(network.dense(), lr=RATE, weight_decay=DECAY)
    sparse = torch.optim.SparseAdam([network.rows.weight], lr=RATE)
    for step in range(steps):
        rate = RATE * min(1.0, step / 100) * (0.5 * (1.0 + np.cos(np.pi * step / steps)) + 0.01)
        for group in (*dense.param_groups, *sparse.param_groups):
            group["lr"] = rate
        texts: list[list[int]] = []
        wanted = []
        for name in (*(name for name in batches.groups if name != UNSURE), UNSURE):
            group_texts, rows, cumulative, count = batches.groups[name]
            drawn = np.searchsorted(cumulative, rng.random(count) * cumulative[-1])
            texts += [group_texts[i] for i in drawn]
            wanted.append(rows[drawn])
        about = len(texts)
        texts += [batches.others[i] for i in rng.integers(0, len(batches.others), OTHERS)]
        found, places, square = network(texts, training=True)
        cosine = (found[:about] * targets[np.concatenate(wanted)]).sum(1)
        label = (torch.arange(len(texts)) < about).float()
        weight = torch.where(label > 0, GEO_PLACES, 1.0)
        weight[about - unsure : about] = 0.0
        geo = torch.nn.functional.binary_cross_entropy_with_logits(places, label, weight)
        loss = (1.0 - cosine).mean() + ROW_DECAY * square + GEO_WEIGHT * geo
        dense.zero_grad()
        sparse.zero_grad()
        loss.backward()
        dense.step()
        sparse.step()
        if step % 50 == 49 or step + 1 == steps:
            report(progress, step + 1, steps)
