"""Folds drawn on the Earth, not at random over rows; and how far the tests are from training.

Near places resemble each other, so a model that is tested beside the places it was fitted on looks better than it
is anywhere else (Roberts et al. 2017, doi 10.1111/ecog.02881; Ploton et al. 2020, doi 10.1038/s41467-020-18321-y).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from sklearn.model_selection import BaseCrossValidator, check_cv

from ..coordinates import check_lonlat
from ..encoder.features import unit_vectors
from ..errors import InputError
from ..evaluation.metrics import RADIUS_KM

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd
    from numpy.typing import ArrayLike, NDArray

    Rows = NDArray[np.intp]

__all__ = ["METHODS", "SpatialFolds", "leakage", "spatial_folds"]

METHODS = ("blocks", "buffer", "h3", "group")
_LON_NAMES = ("lon", "lng", "long", "longitude")
_LAT_NAMES = ("lat", "latitude")
#: Places nearer than this, a millimetre, are one place.
_SAME_KM = 1e-6
#: Tests nearer to training than this many times the usual spacing of places fill gaps; they visit no new ground.
_NEW_GROUND = 2.0


@dataclass(eq=False)
class SpatialFolds(BaseCrossValidator):  # type: ignore[misc]
    """A scikit-learn splitter whose folds are regions. Made by `spatial_folds`, which explains the settings.

    Goes wherever scikit-learn takes ``cv``: `cross_val_score`, `GridSearchCV`, `cross_val_predict`.

    Attributes
    ----------
    method : {"blocks", "buffer", "h3", "group"}
    n_splits : int
    degrees : float
    resolution : int or None
    buffer_km : float
    seed : int
    lonlat : ndarray of float64, shape (N, 2), or None
        (lon, lat) in degrees, EPSG:4326, where the places do not come with X.
    lon, lat : str, int or None
        Columns of X.
    """

    method: str
    n_splits: int
    degrees: float
    resolution: int | None
    buffer_km: float
    seed: int
    lonlat: NDArray[np.float64] | None = field(default=None, repr=False)
    lon: str | int | None = None
    lat: str | int | None = None

    # Tells scikit-learn's metadata routing that `split` takes groups.
    __metadata_request__split: ClassVar[dict[str, Any]] = {"groups": True}

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:
        """Return the number of folds.

        Parameters
        ----------
        X, y, groups : object
            Not looked at; scikit-learn hands them over.

        Returns
        -------
        int

        Examples
        --------
        >>> spatial_folds(n_splits=4).get_n_splits()
        4
        """
        return self.n_splits

    def split(self, X: Any, y: Any = None, groups: Any = None) -> Iterator[tuple[Rows, Rows]]:
        """Yield the rows to train on and the rows to test on, fold by fold; every row is tested once.

        Parameters
        ----------
        X : array_like, DataFrame or GeoDataFrame of N rows
            Holds the coordinates, unless `lonlat` was given.
        y : object
            Not looked at.
        groups : array_like of shape (N,), optional
            What belongs together (survey, country, photographer); needed by ``method="group"``.

        Yields
        ------
        train, test : ndarray of int
            Row numbers, ascending. Rows within `buffer_km` of the test are in neither.

        Raises
        ------
        InputError
            There are too few blocks, cells or groups for `n_splits`, coordinates or groups are missing, or the buffer
            leaves nothing to train on.
        CoordinateError
            A row is not a place on Earth; rows are named.

        Examples
        --------
        >>> lonlat = [[0, 0], [1, 1], [50, 0], [51, 1]]
        >>> [(train.tolist(), test.tolist()) for train, test in spatial_folds(n_splits=2).split(lonlat)]
        [([0, 1], [2, 3]), ([2, 3], [0, 1])]
        """
        count = X.shape[0] if hasattr(X, "shape") else len(X)
        pairs = self._places(X, count) if self.method != "group" or self.buffer_km else None
        part = self._parts(pairs, groups, count)
        fold = _balance(np.bincount(part), self.n_splits, self.seed)[part]
        points = unit_vectors(pairs) if self.buffer_km else None
        for k in range(self.n_splits):
            train, test = np.flatnonzero(fold != k), np.flatnonzero(fold == k)
            if points is not None:
                train = train[_nearest_km(points[train], points[test]) > self.buffer_km]
            if not len(train):
                raise InputError(
                    f"fold {k} has no training place left: all are within buffer_km={self.buffer_km:g} of one of its "
                    f"{len(test):,} test places. Take a smaller buffer, more folds, or method='blocks', whose test "
                    "places lie close together"
                )
            yield train, test

    def _places(self, X: Any, count: int) -> NDArray[np.float64]:
        if self.lonlat is None:
            return coordinates_of(X, self.lon, self.lat)
        if len(self.lonlat) != count:
            raise InputError(
                f"lonlat has {len(self.lonlat):,} places and X {count:,} rows. Where X is a part of the table, as in "
                "nested cross-validation, let X hold the coordinates: spatial_folds(lon=..., lat=...)"
            )
        return self.lonlat

    def _parts(self, pairs: NDArray[np.float64] | None, groups: Any, count: int) -> Rows:
        """Return the number of the block, cell, group or place that each row must stay with."""
        if pairs is None or self.method == "group":
            key, what = _check_groups(groups, count), "groups"
        elif self.method == "blocks":
            key, what = blocks_of(pairs, self.degrees), f"blocks of {self.degrees:g} degrees"
        elif self.method == "h3":
            from ..h3cells import cells_of

            key, what = cells_of(pairs, self.resolution or 0), f"H3 cells of resolution {self.resolution}"
        else:
            key, what = np.unique(pairs, axis=0, return_inverse=True)[1], "different places"
        distinct, part = np.unique(key, return_inverse=True)
        if len(distinct) < self.n_splits:
            finer = {"blocks": "smaller blocks (degrees=)", "h3": "a higher resolution"}.get(
                self.method, "other groups"
            )
            raise InputError(
                f"the {count:,} rows lie in {len(distinct)} {what}, too few for n_splits={self.n_splits}: take "
                f"{'' if self.method == 'buffer' else finer + ' or '}fewer folds"
            )
        return np.asarray(part)


def spatial_folds(
    method: str = "blocks",
    *,
    n_splits: int = 5,
    degrees: float = 10.0,
    resolution: int | None = None,
    buffer_km: float = 0.0,
    seed: int = 0,
    lonlat: Any = None,
    lon: str | int | None = None,
    lat: str | int | None = None,
) -> SpatialFolds:
    """Make a scikit-learn splitter that keeps near places on the same side.

    Parameters
    ----------
    method : {"blocks", "buffer", "h3", "group"}
        What stays together. ``blocks``: rows of latitude `degrees` high, each cut into equal pieces about as wide as
        high in km, so that all blocks have much the same area. ``h3``: cells of `resolution`. ``group``: the
        `groups` handed to `split`. ``buffer``: nothing but places with the same coordinates; tests are drawn evenly
        at random, and `buffer_km` alone keeps training away (buffered leave-one-out with ``n_splits=len(X)``).
    n_splits : int, default 5
        Number of folds. Blocks, cells and groups are shared out so that folds have about the same number of rows:
        large ones first, each to the smallest fold, in an order drawn by `seed` among those of like size.
    degrees : float, default 10.0
        Height of a block, rounded so that whole rows fill the globe. Best larger than the distance over which the
        errors of a model resemble each other: 10 for the world, 0.5 for a region.
    resolution : int, optional
        H3 resolution of ``method="h3"``: 0 is cells of 4,357,000 km2, 1 of 610,000, 2 of 87,000, 3 of 12,400.
    buffer_km : float, default 0.0
        With any method: training places within this great-circle distance of a test place are left out of that fold.
    seed : int, default 0
        The same seed cuts the same places the same way.
    lonlat : array_like of shape (N, 2) or GeoDataFrame, optional
        (lon, lat) in degrees, EPSG:4326 (other CRSs are transformed), row by row those of X. None: X holds them.
    lon, lat : str or int, optional
        Columns of X by name or number. None: a GeoDataFrame's geometry (of shapes, a point on them), columns named
        ``lon`` and ``lat`` or the like, or an array's only two columns.

    Returns
    -------
    SpatialFolds

    Raises
    ------
    InputError
        A setting is unknown, out of range or missing.
    CoordinateError
        A row of `lonlat` is not a place on Earth; rows are named.

    Notes
    -----
    Blocks: Roberts et al. 2017 (doi 10.1111/ecog.02881). Buffers: Le Rest et al. 2014 (doi 10.1111/geb.12161). The
    antimeridian is a border between blocks and no more; distances go across it and across the poles.

    Examples
    --------
    >>> from sklearn.linear_model import Ridge
    >>> from sklearn.model_selection import cross_val_score
    >>> import geoconcept_gis as gc
    >>> lonlat = gc.reference_places("uniform_land", 200)
    >>> folds = spatial_folds("blocks", degrees=20, buffer_km=300)
    >>> scores = cross_val_score(Ridge(), lonlat, abs(lonlat[:, 1]), cv=folds, scoring="r2")
    >>> scores.shape
    (5,)
    """
    if method not in METHODS:
        raise InputError(f"method must be one of {', '.join(map(repr, METHODS))}; got {method!r}")
    if not _is_whole(n_splits) or n_splits < 2:
        raise InputError(f"n_splits must be a whole number, 2 at least; got {n_splits!r}")
    if not 0.0 < degrees <= 90.0:
        raise InputError(f"degrees must be over 0 and at most 90; got {degrees!r}")
    if not 0.0 <= buffer_km < np.pi * RADIUS_KM:
        raise InputError(
            f"buffer_km must be 0 or more kilometres, and less than half round the Earth; got {buffer_km!r}"
        )
    if method == "buffer" and not buffer_km:
        raise InputError("method='buffer' needs buffer_km, the distance in km that training places keep from the tests")
    if method == "h3":
        from ..h3cells import check_resolution

        if resolution is None:
            raise InputError("method='h3' needs resolution: 1 for the world, 2 or 3 for a country or region")
        resolution = check_resolution(resolution)
    if (lon is None) != (lat is None):
        raise InputError(f"lon and lat go together; got lon={lon!r}, lat={lat!r}")
    pairs = None if lonlat is None else coordinates_of(lonlat, name="lonlat")
    return SpatialFolds(method, int(n_splits), degrees, resolution, buffer_km, seed, pairs, lon, lat)


def leakage(lonlat: Any, folds: Any, *, groups: ArrayLike | None = None) -> pd.DataFrame:
    """Report how far the test places of each fold are from the nearest training place.

    Parameters
    ----------
    lonlat : array_like of shape (N, 2), DataFrame or GeoDataFrame
        (lon, lat) in degrees, EPSG:4326 (other CRSs are transformed).
    folds : SpatialFolds, other scikit-learn splitter, or list of (train, test)
        A splitter that looks at y is handed over as ``list(splitter.split(X, y))``.
    groups : array_like of shape (N,), optional
        For splitters that need them.

    Returns
    -------
    pandas.DataFrame
        A row a fold: ``fold``; ``n_train``, ``n_test``, ``n_unused`` (rows in neither); ``km_min``, ``km_q10``,
        ``km_median``, ``km_q90``, quantiles over the test places of the great-circle distance to the nearest training
        place; ``within_1km``, ``within_10km``, ``within_50km``, shares (0 to 1) of the test places that near; ``same``,
        share with the very coordinates of a training place; ``verdict``, in words. It says *leaks* where places are
        in both; *fills gaps* where the median distance is less than twice the median distance from a place to the
        next, so that the fold tests interpolation; else *new ground*.

    Raises
    ------
    InputError
        There are no coordinates, or the folds cannot be made.
    CoordinateError
        A row is not a place on Earth; rows are named.

    Examples
    --------
    >>> from sklearn.model_selection import KFold
    >>> import geoconcept_gis as gc
    >>> places = gc.world_places()
    >>> leakage(places, KFold(5, shuffle=True, random_state=0))["verdict"][0]
    'fills gaps: tests are as near to training as places are to each other'
    >>> bool(leakage(places, spatial_folds(degrees=20))["km_median"].min() > 400)
    True
    """
    import pandas as pd

    pairs = coordinates_of(lonlat, name="lonlat")
    points, distinct = unit_vectors(pairs), unit_vectors(np.unique(pairs, axis=0))
    spacing = float(np.median(_nearest_km(distinct, distinct, which=2))) if len(distinct) > 1 else np.nan
    # The places handed over count, not the columns that the folds would look for in X.
    cv = replace(folds, lonlat=pairs) if isinstance(folds, SpatialFolds) else check_cv(folds)
    rows = []
    for fold, (train, test) in enumerate(cv.split(pairs, None, groups)):
        km = _nearest_km(points[test], points[train])
        low, q10, median, q90 = np.quantile(km, [0.0, 0.1, 0.5, 0.9])
        counts = {
            "fold": fold,
            "n_train": len(train),
            "n_test": len(test),
            "n_unused": len(pairs) - len(train) - len(test),
        }
        distances = {"km_min": low, "km_q10": q10, "km_median": median, "km_q90": q90}
        shares = {f"within_{limit}km": float(np.mean(km <= limit)) for limit in (1, 10, 50)}
        same = float(np.mean(km <= _SAME_KM))
        rows.append({**counts, **distances, **shares, "same": same, "verdict": _verdict(same, median, spacing)})
    return pd.DataFrame(rows)


def blocks_of(lonlat: NDArray[np.float64], degrees: float) -> Rows:
    """Return the number of each place's block: rows of latitude, cut into pieces about as wide as high in km."""
    rows = max(1, round(180.0 / degrees))
    height = 180.0 / rows
    row = np.clip((lonlat[:, 1] + 90.0) // height, 0, rows - 1).astype(np.intp)
    width_at = np.cos(np.radians((np.arange(rows) + 0.5) * height - 90.0))
    columns = np.maximum(1, np.round(360.0 / height * width_at)).astype(np.intp)
    column = np.minimum(((lonlat[:, 0] + 180.0) / 360.0 * columns[row]).astype(np.intp), columns[row] - 1)
    return np.asarray((np.cumsum(columns) - columns)[row] + column)


def _balance(sizes: Rows, n_splits: int, seed: int) -> Rows:
    """Share parts out to folds, large ones first; parts within a factor of two of each other come in random order."""
    rng = np.random.default_rng(seed)
    order = np.lexsort([rng.random(len(sizes)), -np.floor(np.log2(sizes))])
    fold, filled = np.empty(len(sizes), dtype=np.intp), np.zeros(n_splits, dtype=np.intp)
    for part in order:
        fold[part] = np.argmin(filled)
        filled[fold[part]] += sizes[part]
    return fold


def _nearest_km(points: NDArray[np.float64], others: NDArray[np.float64], which: int = 1) -> NDArray[np.float64]:
    """Return the great-circle distance from each point of the unit sphere to the nearest (or next) of others."""
    from scipy.spatial import cKDTree

    chord = cKDTree(others).query(points, k=[which])[0][:, 0]
    return np.asarray(2.0 * RADIUS_KM * np.arcsin(np.minimum(chord / 2.0, 1.0)))


def _verdict(same: float, median: float, spacing: float) -> str:
    if same:
        return f"leaks: {same:.1%} of the test places are training places too"
    if median < _NEW_GROUND * spacing:
        return "fills gaps: tests are as near to training as places are to each other"
    times = f"{median / spacing:.2g} times the spacing"
    return f"new ground: half of the tests are over {median:,.3g} km from training, {times}"


def _check_groups(groups: Any, count: int) -> NDArray[Any]:
    if groups is None:
        raise InputError("method='group' needs groups, one for each row: cross_val_score(..., groups=...)")
    values = np.asarray(groups)
    if values.shape != (count,):
        raise InputError(f"groups must hold one value for each of the {count:,} rows; got shape {values.shape}")
    missing = np.flatnonzero(values != values) if values.dtype.kind == "f" else np.flatnonzero(_is_none(values))
    if len(missing):
        raise InputError(
            f"groups has {len(missing):,} of {count:,} rows without a group, the first of them row {missing[0]}"
        )
    return values.astype(str) if values.dtype.kind == "O" else values


def _is_whole(value: Any) -> bool:
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)


def _is_none(values: NDArray[Any]) -> NDArray[np.bool_]:
    return np.array([value is None or value != value for value in values.tolist()], dtype=bool)


def coordinates_of(
    X: Any, lon: str | int | None = None, lat: str | int | None = None, name: str = "X"
) -> NDArray[np.float64]:
    """Return the (lon, lat) of each row; never guess which of many columns they are."""
    if lon is None and hasattr(X, "crs"):
        from ..place_vectors import _representative, _shapes

        return _representative(*_shapes(X, name), name)
    columns = [str(column) for column in X.columns] if hasattr(X, "columns") else None
    if lon is None and columns is None:
        if np.ndim(X) == 2 and np.shape(X)[1] == 2:
            return check_lonlat(X, name=name)
        raise InputError(
            f"{name} has shape {np.shape(X)}: say which columns are the coordinates by lon= and lat=, or "
            "hand the places over by lonlat="
        )
    pick = [_find(columns, given, known, name) for given, known in ((lon, _LON_NAMES), (lat, _LAT_NAMES))]
    values = X.iloc[:, pick].to_numpy() if hasattr(X, "iloc") else np.asarray(X)[:, pick]
    return check_lonlat(values, name=name)


def _find(columns: list[str] | None, given: str | int | None, known: tuple[str, ...], name: str) -> int:
    """Return the number of a column, by the name or number given or by its usual names."""
    if isinstance(given, (int, np.integer)):
        return int(given)
    if columns is None:
        raise InputError(f"{name} has no column names: give {known[0]} as the column's number; got {given!r}")
    wanted = known if given is None else (given,)
    found = [k for k, column in enumerate(columns) if column in wanted or (given is None and column.lower() in wanted)]
    if len(found) != 1:
        raise InputError(
            f"{name} must have one column {' or '.join(map(repr, wanted))}, and has {len(found)} among {columns[:12]}: "
            f"name it by {known[0]}=, or hand the places over by lonlat="
        )
    return found[0]
