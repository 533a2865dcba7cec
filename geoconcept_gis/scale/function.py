"""Arrays in, arrays out: the function that Spark, Sedona, DuckDB, Ray and the like call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..concepts import default_kind
from ..coordinates import STATUS_WITH_VALUES, check_lonlat, status
from ..errors import InputError
from ..features import FeatureColumns, check_choice
from .reference import ModelReference, concepts_token, portable_concepts

if TYPE_CHECKING:
    from collections.abc import Iterable
    from os import PathLike

    from numpy.typing import ArrayLike, NDArray

    from ..concepts.bank import ConceptLike
    from ..model import GeoConceptModel

__all__ = ["FeatureFunction"]


class FeatureFunction:
    """Concept scores, embeddings or both as a plain function of longitudes and latitudes.

    It pickles to a few hundred bytes and opens the model once in each process, so it can be handed to any engine that
    runs Python functions on batches. The values are those of `embed`.

    Parameters
    ----------
    features : {"concepts", "embedding", "all"}
        As in `embed`.
    concepts : str, Concept, iterable of either, or None
        Names, aliases or objects; None means all but those of grade D.
    model : GeoConceptModel, str, path-like or None
        None is the bundled default. A model of your own must lie in a folder that every machine sees.
    kind : {"calibrated", "percentile", "cosine"}, optional
        None means calibrated, or the percentile where a concept has no calibration.
    invalid : {"raise", "null"}
        What to do with rows that are no place on Earth: name them in an error, or leave NaN in all their columns.

    Attributes
    ----------
    names : list of str
        Names of the C columns, as `embed` gives them.

    Raises
    ------
    InputError
        An option is unknown.
    ConceptError
        A concept is unknown, or cannot be scored in this `kind`.

    See Also
    --------
    geoconcept_gis.embed : The same for tables, dask-geopandas ones included.

    Examples
    --------
    >>> import pickle
    >>> score = FeatureFunction(concepts=["BWh", "Cfb"], invalid="null")
    >>> score.names
    ['concept_hot_desert_climate', 'concept_oceanic_climate']
    >>> elsewhere = pickle.loads(pickle.dumps(score))
    >>> values = elsewhere([31.2, -0.1, None], [30.0, 51.5, 0.0])
    >>> values.shape, bool(values[0, 0] > 0.5), bool(np.isnan(values[2]).all())
    ((3, 2), True, True)
    """

    def __init__(
        self,
        features: str = "concepts",
        concepts: ConceptLike | Iterable[ConceptLike] | None = None,
        *,
        model: GeoConceptModel | str | PathLike[str] | None = None,
        kind: str | None = None,
        invalid: str = "raise",
    ) -> None:
        check_choice("invalid", invalid, ("raise", "null"))
        columns = FeatureColumns(model, features, concepts, kind)
        self.names = columns.names
        self._features, self._invalid = features, invalid
        self._reference = ModelReference.of(columns.model)
        self._concepts: list[Any] | None = None
        self._kind: str | None = None
        if features != "embedding":
            chosen = columns.model.select(concepts)
            self._kind = kind or default_kind(chosen)
            self._concepts = portable_concepts(chosen, columns.model)
        self._columns: FeatureColumns | None = None

    def __repr__(self) -> str:
        return f"<FeatureFunction: {len(self.names)} columns ({self._features}), model {self._reference.place!r}>"

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_columns": None}

    def __dask_tokenize__(self) -> tuple[Any, ...]:
        concepts = concepts_token(self._concepts)
        return (self._features, self._kind, self._invalid, concepts, self._reference.__dask_tokenize__())

    def __call__(self, lon: ArrayLike, lat: ArrayLike) -> NDArray[np.float32]:
        """Compute the columns at places.

        Parameters
        ----------
        lon, lat : array_like of float, shape (N,)
            Degrees, EPSG:4326; longitudes wrap. Arrow arrays will do, and None for missing values.

        Returns
        -------
        ndarray of float32, shape (N, C)

        Raises
        ------
        InputError
            The two are not of one length.
        CoordinateError
            With ``invalid="raise"``: a row is no place on Earth; rows are named.

        Examples
        --------
        >>> FeatureFunction("embedding")([31.2], [30.0]).shape
        (1, 512)
        """
        x, y = np.asarray(lon, dtype=np.float64), np.asarray(lat, dtype=np.float64)
        if x.ndim != 1 or x.shape != y.shape:
            raise InputError(f"lon and lat must be two arrays of one length; got shapes {x.shape} and {y.shape}")
        lonlat = np.stack([x, y], axis=1)
        good = np.arange(len(lonlat))
        if self._invalid == "null":
            good = np.flatnonzero(np.isin(status(lonlat), STATUS_WITH_VALUES))
        values = np.full((len(lonlat), len(self.names)), np.nan, dtype=np.float32)
        self._opened().fill(values, check_lonlat(lonlat[good]), good)
        return values

    def of_cells(self, cells: Any) -> NDArray[np.float32]:
        """Compute the columns at the centres of H3 cells.

        Parameters
        ----------
        cells : array_like of str or of integers, shape (N,)
            As `embed_h3` takes them; UBIGINT columns of DuckDB are such integers.

        Returns
        -------
        ndarray of float32, shape (N, C)

        Raises
        ------
        InputError
            They are no H3 cells; rows are named.

        Examples
        --------
        >>> bool(FeatureFunction(concepts="BWh").of_cells(["853f5ba7fffffff"])[0, 0] > 0.5)
        False
        """
        from ..cells import parse_cells
        from ..h3cells import centers_of

        _, numbers = parse_cells(cells)
        return self(*centers_of(numbers).T)

    def provenance(self) -> dict[str, str]:
        """Return what a file with these columns must carry, for the engine that writes it.

        Returns
        -------
        dict of str to str
            As `GeoConceptModel.provenance`, with ``features``.

        Examples
        --------
        >>> FeatureFunction(concepts="BWh").provenance()["concepts"]
        'hot desert climate'
        """
        return self._opened().provenance()

    def _opened(self) -> FeatureColumns:
        if self._columns is None:
            self._columns = FeatureColumns(self._reference.open(), self._features, self._concepts, self._kind)
        return self._columns
