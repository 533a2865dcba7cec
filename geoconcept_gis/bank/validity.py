"""The bank's own test on any model, without fitting anything: whether its concepts still find their labels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..concepts import ConceptScorer
from ..concepts.concept import DIM
from ..coordinates import check_lonlat
from ..errors import InputError
from ..fitting import weighted_auroc
from ..gallery import photo_places
from ..reference import reference_places
from .build import require_packages
from .definitions import EARTH, FAMILIES, LAND, MIXED, PHOTOS, Definition, definitions
from .sources import Truths, countries, data_folder, photo_table

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    import pandas as pd
    from numpy.typing import NDArray

    from ..concepts import Concept
    from ..model import GeoConceptModel
    from ..progress import Progress

__all__ = ["concept_validity"]

#: Bundled concepts were fitted on draws of seed 0.
_SEED = 1
#: A rare label gets further places of a pool this many times as large, until it has so many.
_POOL, _FEWEST = 5, 300
_COLUMNS = ("concept", "family", "metric", "validity", "validity_at_places", "n_positive", "n_negative", "reference")


def concept_validity(
    model: GeoConceptModel,
    *,
    data: Path | None = None,
    places: int = 10_000,
    families: Iterable[str] | None = None,
    progress: Progress | None = None,
) -> pd.DataFrame:
    """Test every concept of a model's bank against the truths that the bundled bank was fitted on.

    Parameters
    ----------
    model : GeoConceptModel
        Any model whose bank has concepts of the bundled bank's names.
    data : pathlib.Path, optional
        The folder of the fitting data; None means the one that ``GEOCONCEPT_DATA`` names.
    places : int, default 10,000
        How many of each reference set; a rare label gets more of its own.
    families : iterable of str, optional
        Which of the bank's families; None means all.
    progress : callable, optional
        Called as ``progress(done, total)`` in places; return true to cancel.

    Returns
    -------
    pandas.DataFrame
        One row a concept, in the order of the bank: ``concept``, ``family``, ``metric`` (``AUROC``), ``validity`` (of
        the concept's vector), ``validity_at_places`` (of its head where it has one, else the same), ``n_positive``,
        ``n_negative``, ``reference``, ``fresh`` (False where the bank was fitted on the very places of the test). NaN
        for a concept of another bank, which has no truth here, and where fewer than ten places have the label.

    Raises
    ------
    InputError
        The data folder is not there, a family is unknown, or `places` is too small.
    MissingDependencyError
        A package with ground truth is missing; the message says how to install it.
    Cancelled
        `progress` asked to stop.

    Notes
    -----
    Places are drawn evenly by area (half of them by where photos were taken for ``land_and_photos``), by another seed
    than the bank's, so a bundled concept meets places it was not fitted on, but not blocks of the globe: values are
    somewhat higher than the held-out ones of `GeoConceptModel.concepts`, for every model alike. Photos with known
    scenes are the 26,000 that the bank was fitted on (``fresh`` is False). AUROC does not depend on how many places
    carry the label, so further places of a rare one add no bias.

    Examples
    --------
    >>> from geoconcept_gis import load_model
    >>> found = concept_validity(load_model(), families=["climate"])                       # doctest: +SKIP
    >>> found["validity"].median() > 0.9                                                    # doctest: +SKIP
    True
    """
    import pandas as pd

    if places < 1_000:
        raise InputError(f"places must be at least 1,000; got {places}")
    wanted = set(FAMILIES) if families is None else set(families)
    if unknown := sorted(wanted - set(FAMILIES)):
        raise InputError(f"no families {unknown}; there are {', '.join(FAMILIES)}")
    data = data_folder() if data is None else data
    require_packages()
    concepts = [concept for concept in model.bank if families is None or concept.family in wanted]
    known = {one.name: one for one in definitions(countries(data))}
    tests = [_Test(name, data, places) for name in (LAND, EARTH, MIXED, PHOTOS)]
    for test in tests:
        test.choose([(c, known[c.name]) for c in concepts if c.name in known and known[c.name].universe == test.name])
    total, done = sum(len(test.needed) for test in tests), 0
    rows: dict[str, dict[str, Any]] = {}
    for test in tests:
        rows |= test.run(model, progress, total, done)
        done += len(test.needed)
    blank = {"metric": "AUROC", "validity": np.nan, "validity_at_places": np.nan, "n_positive": 0, "n_negative": 0}
    table = [
        {
            "concept": c.name,
            "family": c.family,
            **blank,
            "reference": c.reference,
            "fresh": True,
            **rows.get(c.name, {}),
        }
        for c in concepts
    ]
    return pd.DataFrame(table, columns=[*_COLUMNS, "fresh"])


class _Test:
    """Places of one universe, the concepts that are tested there, and the places that each needs."""

    def __init__(self, name: str, data: Path, places: int) -> None:
        self.name, self._data, self._places = name, data, places
        self.needed: NDArray[np.intp] = np.empty(0, dtype=np.intp)
        self._asked: list[tuple[Concept, NDArray[np.intp], NDArray[np.bool_]]] = []

    def choose(self, wanted: list[tuple[Concept, Definition]]) -> None:
        """Work out the labels and the rows that each concept is tested on."""
        if not wanted:
            return
        self._truths, sample = self._open()
        for concept, definition in wanted:
            label = definition.label(self._truths)
            rows = np.flatnonzero(~np.isnan(label[:sample]))
            short = max(0, _FEWEST - int((label[:sample] == 1.0).sum()))
            rows = np.concatenate([rows, sample + np.flatnonzero(label[sample:] == 1.0)[:short]])
            self._asked.append((concept, rows, label[rows] == 1.0))
        self.needed = np.unique(np.concatenate([rows for _, rows, _ in self._asked]))

    def run(
        self, model: GeoConceptModel, progress: Progress | None, total: int, done: int
    ) -> dict[str, dict[str, Any]]:
        """Embed the places and return a row for each concept."""
        if not self._asked:
            return {}
        concepts = [concept for concept, _, _ in self._asked]
        by_vector = ConceptScorer(concepts, model.bank.references, "cosine")
        columns = model.head_columns(concepts)
        pairs = check_lonlat(self._truths.lonlat[self.needed])
        scores = np.empty((len(pairs), 2, len(concepts)), dtype=np.float32)
        for part, vectors in model.iter_encode(pairs, progress=progress, total=total, done=done):
            scores[part] = by_vector(vectors[:, :DIM])[:, None]
            for k, column in columns.items():
                scores[part, 1, k] = vectors[:, DIM + column]
        out = {}
        for k, (concept, rows, y) in enumerate(self._asked):
            mine = scores[np.searchsorted(self.needed, rows), :, k]
            record: dict[str, Any] = {"n_positive": int(y.sum()), "n_negative": int((~y).sum())}
            if min(record.values()) >= 10:
                value, at_places = (round(float(weighted_auroc(mine[:, i], y)[0]), 4) for i in (0, 1))
                record |= {"validity": value, "validity_at_places": at_places}
            out[concept.name] = record | {"fresh": self.name != PHOTOS}
        return out

    def _open(self) -> tuple[Truths, int]:
        """Return what is known of the pool, and how many of its first places are the sample."""
        if self.name == PHOTOS:
            table = photo_table(self._data)
            return Truths(table[["lon", "lat"]].to_numpy(dtype=np.float64), self._data, photos=table), len(table)
        if self.name != MIXED:
            return Truths(reference_places(self.name, _POOL * self._places, seed=_SEED), self._data), self._places
        half = self._places // 2
        land = reference_places(LAND, _POOL * half, seed=_SEED)
        photos = _fresh_photos(self._data, _POOL * half)
        places = np.concatenate([land[:half], photos[:half], photos[half:], land[half:]])
        return Truths(places, self._data), 2 * half


def _fresh_photos(data: Path, count: int) -> NDArray[np.float64]:
    """Draw places of MP-16 photos that are not among the gallery's, which concepts were fitted on."""
    path = data / "photos" / "mp16_500k_latlon.npz"
    if not path.is_file():
        raise InputError(f"{path} is missing: concepts told apart at photo places cannot be tested without")
    with np.load(path) as file:
        lonlat = file["latlon"][:, ::-1].astype(np.float64)
    new = ~np.isin(_keys(lonlat), _keys(photo_places()))
    return np.asarray(np.random.default_rng(_SEED).permutation(lonlat[new])[:count])


def _keys(lonlat: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return a number for each place, the same within some ten metres."""
    whole = np.round(lonlat * 1e4).astype(np.int64)
    return np.asarray(whole[:, 0] * 10_000_000 + whole[:, 1])
