"""Finer readings of the bank's concepts at places: heads on the encoder's hidden layers, kept where they win."""

from __future__ import annotations

import os
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ..concepts import ConceptBank, PlaceHead
from ..concepts.concept import PERCENTILES
from ..encoder.location import HIDDEN, LocationEncoder
from ..errors import ConceptError
from ..fitting import Examples, fit_concept
from ..progress import report
from .build import choose_places, hold_one_thread
from .definitions import NEGATIVES, definitions
from .sources import countries, data_folder
from .universe import open_universe

if TYPE_CHECKING:
    from ..fitting import Fit
    from ..model import GeoConceptModel
    from ..progress import Progress
    from .universe import Choice, Universe

__all__ = ["SMALLEST_GAIN", "fit_heads"]

#: Families whose truth is a map of places; photos are read by the vector, and countries are found by it already.
_FAMILIES = ("climate", "vegetation", "terrain", "water and ice", "people")
#: A head must find its label better than the vector by this much AUROC, in the same held-out blocks.
SMALLEST_GAIN = 0.01
_STRENGTHS = (0.3, 1.0, 3.0)
_CAPSULES = 2
#: A hidden number that varies less than this says nothing.
_LEAST_SPREAD = 1e-4


def fit_heads(
    model: GeoConceptModel, bank: ConceptBank, *, processes: int | None = None, progress: Progress | None = None
) -> ConceptBank:
    """Fit a head for every concept that a vector leaves room to, and keep those that win in held-out blocks.

    Parameters
    ----------
    model : GeoConceptModel
        The one the bank was built with.
    bank : ConceptBank
        As `build_bank` returns it.
    processes : int, optional
        How many fits run at once; None means one a core. The result does not depend on it.
    progress : callable, optional
        Called as ``progress(done, total)`` in concepts; return true to cancel.

    Returns
    -------
    ConceptBank
        The same concepts, some with a ``head``.

    Notes
    -----
    A head is fitted as the vector is: same places, same folds, the same regression, on the last hidden layer of the
    two coarser capsules, standardised. The choice between head and vector rests on the same blocks as their test, so
    the gain of those kept is a little too high; `benchmarks/hidden_layers.py` measures it on other places.
    """
    data = data_folder()
    room = {
        c.name for c in bank if c.family in _FAMILIES and c.validity and c.validity.value < 1.0 - 1.5 * SMALLEST_GAIN
    }
    wanted = [one for one in definitions(countries(data)) if one.name in room]
    heads: dict[str, PlaceHead] = {}
    done = 0
    report(progress, done, len(wanted))
    for name in dict.fromkeys(one.universe for one in wanted):
        mine = [one for one in wanted if one.universe == name]
        universe, choices = choose_places(open_universe(name, data, model.encode), mine)
        hidden = _Hidden(model, universe)
        with ProcessPoolExecutor(processes or os.cpu_count(), initializer=_start, initargs=(hidden,)) as pool:
            values = [bank[one.name].validity for one in mine]
            work = [
                pool.submit(_fit, choice, name, value.value + SMALLEST_GAIN if value else 1.0)
                for (_, choice), value in zip(choices, values, strict=True)
            ]
            try:
                for one, future in zip(mine, work, strict=True):
                    fit = future.result()
                    if fit is not None:
                        heads[one.name] = hidden.head(fit)
                    done += 1
                    report(progress, done, len(wanted))
            finally:  # whoever stops it does not wait for what has not begun
                pool.shutdown(cancel_futures=True)
    return ConceptBank([replace(c, head=heads.get(c.name)) for c in bank], bank.references, space=bank.space)


class _Hidden:
    """Standardised hidden layers of the places of a universe; a row has length one on average."""

    def __init__(self, model: GeoConceptModel, universe: Universe) -> None:
        self.lonlat = universe.embedded_lonlat()
        raw = np.empty((len(self.lonlat), _CAPSULES * HIDDEN), dtype=np.float16)
        encoder = model.encoder
        if not isinstance(encoder, LocationEncoder):
            raise ConceptError(f"heads read GeoCLIP's hidden layers, and this encoder is {encoder.kind!r}")
        for start in range(0, len(raw), encoder.chunk_size):
            part = slice(start, start + encoder.chunk_size)
            raw[part] = encoder.hidden(self.lonlat[part], _CAPSULES).reshape(-1, _CAPSULES * HIDDEN)
        self._raw, self._sample = raw, universe.sample
        sample = raw[: universe.sample].astype(np.float32)
        spread = sample.std(axis=0, dtype=np.float64)
        varies = spread > _LEAST_SPREAD
        self._mean = sample.mean(axis=0, dtype=np.float64)
        self._scale = np.where(varies, 1.0 / np.where(varies, spread, 1.0), 0.0) / np.sqrt(varies.sum())

    def examples(self, choice: Choice) -> Examples:
        """Gather what a head is fitted on."""
        x = (self._raw[choice.rows] - self._mean.astype(np.float32)) * self._scale.astype(np.float32)
        return Examples(x, choice.y, self.lonlat[choice.rows], choice.weight)

    def head(self, fit: Fit) -> PlaceHead:
        """Fold the standardisation into the weights, round them as they are stored, and find the percentiles."""
        weight = (fit.vector * self._scale).astype(np.float16).astype(np.float32)
        bias = -(weight * self._mean).reshape(_CAPSULES, HIDDEN).sum(axis=1)
        values = self._raw[: self._sample].astype(np.float32) @ weight + bias.sum()
        return PlaceHead(
            weight.reshape(_CAPSULES, HIDDEN),
            bias.astype(np.float32),
            fit.calibration,
            np.percentile(values, PERCENTILES).astype(np.float32),
            fit.validity,
            fit.grade,
        )


_shared: _Hidden


def _start(shared: _Hidden) -> None:
    global _shared
    _shared = shared
    hold_one_thread()


def _fit(choice: Choice, universe: str, to_beat: float) -> Fit | None:
    """Fit a head, with controls if it beats the vector; None if it does not, or loses to its own controls."""
    examples = _shared.examples(choice)
    fit = fit_concept(examples, negatives=NEGATIVES[universe], strengths=_STRENGTHS, controls=False)
    if fit.validity.value < to_beat:
        return None
    fit = fit_concept(examples, negatives=NEGATIVES[universe], strengths=_STRENGTHS)
    if fit.grade == "D":
        return None
    # The scores stay here: nobody asks for them again.
    return replace(fit, scores=np.empty(0, dtype=np.float32))
