# SPDX-License-Identifier: GPL-2.0-or-later
"""Small world maps of concepts, from one coarse grid of land that is embedded once and kept in the cache."""

import numpy as np

from .. import service
from ..core.errors import GeoConceptError
from ..core.files import atomic_file
from ..core.land_mask import on_land
from ..core.progress import report

__all__ = ["COLUMNS", "ROWS", "World"]

COLUMNS, ROWS = 96, 38
_STEP, _TOP = 3.75, 84.0


class World:
    """Land on a grid of 96 x 38 cells and its embeddings; made in a thread.

    Parameters
    ----------
    progress : callable, optional
        Called as ``progress(done, total)``; return true to cancel.

    Attributes
    ----------
    problem : str
        Why nothing could be kept in the cache; empty if all is well.
    """

    def __init__(self, progress=None):
        engine = service.model()
        lon = -180.0 + (np.arange(COLUMNS) + 0.5) * _STEP
        lat = _TOP - (np.arange(ROWS) + 0.5) * _STEP
        cells = np.stack([np.tile(lon, ROWS), np.repeat(lat, COLUMNS)], axis=1)
        self._land = on_land(cells)
        self.problem = ""
        path = service.cache_folder() / f"world_{engine.sha256[:12]}_{engine.bank_sha256[:12]}.npy"
        self.vectors = _read(path, int(self._land.sum()))
        if self.vectors is None:
            self.vectors = _embed(engine, cells[self._land], progress)
            self._keep(path)

    def _keep(self, path):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with atomic_file(path) as part, part.open("wb") as out:
                np.save(out, self.vectors, allow_pickle=False)
        except (OSError, GeoConceptError) as error:
            self.problem = str(error)

    def percentiles(self, concepts):
        """Return maps of concepts, shape (K, 38, 96): percentile (cosine for one without), 0 to 1; NaN at sea."""
        out = np.full((len(concepts), ROWS * COLUMNS), np.nan, dtype=np.float32)
        ranked = [k for k, concept in enumerate(concepts) if concept.percentiles is not None]
        rest = [k for k, concept in enumerate(concepts) if concept.percentiles is None]
        for rows, kind in ((ranked, "percentile"), (rest, "cosine")):
            if rows:
                scores = service.model().scorer([concepts[k] for k in rows], kind)(self.vectors)
                if kind == "cosine":
                    scores = 100.0 * scores.argsort(axis=0).argsort(axis=0) / len(scores)
                out[np.ix_(rows, np.flatnonzero(self._land))] = scores.T
        return out.reshape(-1, ROWS, COLUMNS)


def _embed(engine, places, progress):
    step, parts = 256, []
    for start in range(0, len(places), step):
        parts.append(engine.encoder.encode_chunk(places[start : start + step]))
        report(progress, start + len(parts[-1]), len(places))
    return np.concatenate(parts)


def _read(path, count):
    """Return what is in the cache, or None: a damaged file is made again."""
    try:
        vectors = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    good = vectors.ndim == 2 and len(vectors) == count and vectors.dtype == np.float32 and np.isfinite(vectors).all()
    return vectors if good else None
