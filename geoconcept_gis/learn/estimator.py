"""A scikit-learn transformer: two columns of coordinates in, named features out."""

from __future__ import annotations

import os
from copy import copy
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils import check_array
from sklearn.utils.validation import _check_feature_names_in, validate_data

from ..coordinates import STATUS_WITH_VALUES, check_lonlat, looks_swapped, status, wrap_longitude
from ..errors import CoordinateError, InputError, ModelFileError
from ..features import FeatureColumns, check_choice
from ..files import sha256_of
from ..model import GeoConceptModel, as_model, load_model
from ..storage import BANK_JSON, CONFIG, installed_models

if TYPE_CHECKING:
    from collections.abc import Iterable
    from os import PathLike

    from numpy.typing import NDArray

    from ..concepts.bank import ConceptLike

__all__ = ["LEARN_FEATURES", "ConceptFeatures"]

#: The first two are computed as `geoconcept_gis.embed` does, the others in `layers`.
FEATURES_OF_EMBED = ("concepts", "embedding")
LEARN_FEATURES = (*FEATURES_OF_EMBED, "layers", "all")


class ConceptFeatures(TransformerMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn ships no types
    """Turn longitude and latitude into features of the place, for any scikit-learn pipeline.

    Coordinates are (lon, lat) in degrees, EPSG:4326. Two columns are read; all others are ignored, so keep those with
    a `sklearn.compose.ColumnTransformer`. Nothing is learned in `fit`, which only checks: `transform` works without.

    Parameters
    ----------
    features : {"concepts", "embedding", "layers", "all"}
        ``concepts``: one column ``concept_<name>`` a concept, to be read by people. ``embedding``: the 512 numbers
        of the encoder, ``embedding_000`` to ``embedding_511``. ``layers``: its hidden layers, ``layer_000`` and so on,
        see `geoconcept_gis.learn.layers.layer_features`. ``all``: what predicts best, at most 1,024 columns, see
        `geoconcept_gis.learn.layers.all_features`.
    lon, lat : int or str
        The columns of longitude and of latitude: by number, counted from 0, or by name where X is a table.
    concepts : str, Concept, list of either, or None
        Names, aliases or objects; None means all but those of grade D, and with ``"all"`` but those of the family
        *place*, too. Only with ``"concepts"`` and ``"all"``.
    kind : {"calibrated", "percentile", "cosine"}, optional
        What a concept score is, see `geoconcept_gis.GeoConceptModel.score`. None means calibrated, or the percentile
        where a concept has no calibration. Only with ``"concepts"``.
    model : GeoConceptModel, str, path-like or None
        None is the bundled default. Names and folders are opened once per process.
    invalid : {"raise", "null"}
        What to do with rows that are no place on Earth. ``raise``: name them in an error. ``null``: NaN in every
        feature of such rows, for regressors that take NaN, or an imputer.
    backend : str
        How the encoder runs, see `geoconcept_gis.load_model`. Leave ``"auto"`` where `model` is an open one.

    Attributes
    ----------
    model_sha256_ : str
        sha256 of the encoder's weights that `fit` saw. Other weights are refused by `transform`.
    bank_sha256_ : str or None
        The same of the concept bank; None where the features use no concepts.
    n_features_in_ : int
        Columns of X in `fit`.
    feature_names_in_ : ndarray of str
        Their names, where X was a table with names.

    Raises
    ------
    InputError
        An option or a column is not what it must be.
    CoordinateError
        With ``invalid="raise"``: rows are no place on Earth; or the columns look swapped.
    ConceptError
        A concept is unknown, or cannot be scored in this `kind`.
    ModelFileError
        The model is broken, or not the one this transformer was fitted or pickled with.

    See Also
    --------
    geoconcept_gis.embed : the same features for the rows of a GeoDataFrame.

    Notes
    -----
    Values are float32. Places that occur more than once are encoded once. The encoder is discontinuous within 0.5
    degree of the antimeridian and of the poles (`geoconcept_gis.coordinates.status` tells which rows); no warning is
    given here, where it would come once a fold.

    A pickle holds no weights: it names the model and the sha256 of its files, and opens it when it is first used. A
    clone shares the model and the concepts it was given.

    Examples
    --------
    >>> from sklearn.linear_model import Ridge
    >>> from sklearn.pipeline import make_pipeline
    >>> places = [[31.2, 30.0], [-0.1, 51.5], [-60.0, -3.1]]  # Cairo, London, Manaus
    >>> features = ConceptFeatures("concepts", concepts=["hot desert climate", "oceanic climate"])
    >>> features.get_feature_names_out().tolist()
    ['concept_hot_desert_climate', 'concept_oceanic_climate']
    >>> features.set_output(transform="pandas").fit_transform(places).idxmax().tolist()
    [0, 1]
    >>> make_pipeline(features, Ridge()).fit(places, [21.7, 10.8, 26.9]).predict(places).shape
    (3,)
    """

    def __init__(
        self,
        features: str = "all",
        *,
        lon: int | str = 0,
        lat: int | str = 1,
        concepts: ConceptLike | Iterable[ConceptLike] | None = None,
        kind: str | None = None,
        model: GeoConceptModel | str | PathLike[str] | None = None,
        invalid: str = "raise",
        backend: str = "auto",
    ) -> None:
        self.features = features
        self.lon = lon
        self.lat = lat
        self.concepts = concepts
        self.kind = kind
        self.model = model
        self.invalid = invalid
        self.backend = backend

    def fit(self, X: Any, y: Any = None) -> ConceptFeatures:
        """Check the options, the model and the coordinates; nothing is learned from them.

        Parameters
        ----------
        X : array_like or table of shape (N, C)
            Two of its columns are longitude and latitude, in degrees.
        y : None
            Ignored.

        Returns
        -------
        ConceptFeatures
            Itself.

        Raises
        ------
        InputError, CoordinateError, ConceptError, ModelFileError

        Examples
        --------
        >>> ConceptFeatures("embedding").fit([[31.2, 30.0]]).bank_sha256_ is None
        True
        """
        check_choice("invalid", self.invalid, ("raise", "null"))
        lonlat = self._lonlat(X, fitting=True)
        if not np.isfinite(lonlat).all():  # numbers that are no place are left to transform: scikit-learn fits such
            self._good_rows(lonlat)
        model = self._open()
        self._names(model)
        for name, value in self._identity(model).items():
            setattr(self, name, value)
        return self

    def transform(self, X: Any) -> Any:
        """Return the features of every row.

        Parameters
        ----------
        X : array_like or table of shape (N, C)
            As in `fit`.

        Returns
        -------
        ndarray of float32, shape (N, F)
            Or a table, after ``set_output(transform="pandas")`` or ``"polars"``; its index is that of X.

        Raises
        ------
        InputError, CoordinateError, ConceptError, ModelFileError

        Examples
        --------
        >>> ConceptFeatures("embedding").transform([[31.2, 30.0], [-0.1, 51.5]]).shape
        (2, 512)
        """
        check_choice("invalid", self.invalid, ("raise", "null"))
        lonlat = self._lonlat(X, fitting=False)
        good = self._good_rows(lonlat)
        model = self._open()
        self._refuse_other(model)
        pairs = np.column_stack([wrap_longitude(lonlat[good, 0]), lonlat[good, 1]])
        # A place is one complex number: numpy sorts those several times faster than rows.
        _, first, same = np.unique(pairs.view(np.complex128)[:, 0], return_index=True, return_inverse=True)
        out = np.full((len(lonlat), len(self._names(model))), np.nan, dtype=np.float32)
        self._fill(model, out, pairs[first], good[first])
        again = np.delete(np.arange(len(good)), first)
        out[good[again]] = out[good[first[same[again]]]]
        return out

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """Return the names of the features, in the order of the columns.

        Parameters
        ----------
        input_features : array_like of str, optional
            Names of the columns of X. They change nothing, but must be those that `fit` saw.

        Returns
        -------
        ndarray of str, shape (F,)

        Raises
        ------
        InputError, ConceptError, ModelFileError

        Examples
        --------
        >>> ConceptFeatures("concepts", concepts="BWh").get_feature_names_out().tolist()
        ['concept_hot_desert_climate']
        """
        _check_feature_names_in(self, input_features, generate_names=False)
        return np.asarray(self._names(self._open()), dtype=object)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        tags.transformer_tags.preserves_dtype = ["float32"]
        tags.input_tags.allow_nan = self.invalid == "null"
        return tags

    def __sklearn_clone__(self) -> ConceptFeatures:
        # scikit-learn would copy every array of the model and of the concepts, which never change.
        new = type(self)(**self.get_params(deep=False))
        if hasattr(self, "_sklearn_output_config"):
            new._sklearn_output_config = copy(self._sklearn_output_config)
        return new

    def __getstate__(self) -> dict[str, Any]:
        model = self._open()
        state = {**self._identity(model), **super().__getstate__(), "concepts": _by_name(self.concepts, model)}
        if isinstance(self.model, GeoConceptModel):
            state |= {"model": _address(model), "backend": model._choice.asked}
        return state

    def _lonlat(self, X: Any, *, fitting: bool) -> NDArray[np.float64]:
        """Return longitude and latitude, shape (N, 2), as they are in X."""
        if hasattr(X, "columns"):  # its other columns may hold anything
            validate_data(self, X, reset=fitting, skip_check_array=True)
            names = [str(name) for name in X.columns]
        else:
            least = 2 if fitting else 1
            X = validate_data(self, X, reset=fitting, dtype=None, ensure_all_finite=False, ensure_min_features=least)
            names = [str(name) for name in getattr(self, "feature_names_in_", [])]
        columns = [_column(name, value, names, X.shape) for name, value in (("lon", self.lon), ("lat", self.lat))]
        if columns[0] == columns[1]:
            raise InputError(f"lon={self.lon!r} and lat={self.lat!r} are the same column of X")
        two = X.iloc[:, columns] if hasattr(X, "iloc") else X[:, columns]
        check_lonlat(two[:0])  # no rows: it looks at the names, and refuses those that say latitude first
        return np.asarray(check_array(two, dtype=np.float64, ensure_all_finite=False, input_name="X"))

    def _good_rows(self, lonlat: NDArray[np.float64]) -> NDArray[np.intp]:
        """Return the rows that are places on Earth, or say which ones are not."""
        good = np.flatnonzero(np.isin(status(lonlat), STATUS_WITH_VALUES))
        if len(good) < len(lonlat) and self.invalid == "raise":
            try:
                check_lonlat(lonlat, name=f"X (lon={self.lon!r}, lat={self.lat!r})")
            except CoordinateError as error:
                hint = "" if looks_swapped(lonlat) else " With invalid='null' such rows get NaN for every feature."
                raise CoordinateError(f"{error}{hint}") from None
        return good

    def _open(self) -> GeoConceptModel:
        if isinstance(self.model, GeoConceptModel):
            if self.backend != "auto":
                raise InputError(
                    f"backend={self.backend!r} is for a model that is opened here, and model is an open one, which "
                    f"has its own: leave backend out, or open the model with load_model(..., backend={self.backend!r})"
                )
            return self.model
        return _opened(self.model, self.backend)

    def _identity(self, model: GeoConceptModel) -> dict[str, str | None]:
        """Return what tells this model from all others whose features differ."""
        uses_concepts = self.features in ("concepts", "all")
        return {"model_sha256_": model.sha256, "bank_sha256_": model.bank_sha256 if uses_concepts else None}

    def _refuse_other(self, model: GeoConceptModel) -> None:
        """Refuse a model that is not the one of `fit` or of the pickle: its features would mean something else."""
        for attribute, now in self._identity(model).items():
            then = getattr(self, attribute, now)
            if then is not None and now is not None and then != now:
                part = "weights" if attribute == "model_sha256_" else "a concept bank"
                raise ModelFileError(
                    f"{model.folder}: this ConceptFeatures was made with {part} of sha256 {then[:12]}..., here is "
                    f"{now[:12]}...: open the model it was made with, or fit again what was fitted on its features"
                )

    def _names(self, model: GeoConceptModel) -> list[str]:
        """Return the names of the features; of hidden layers, those that come with no places at all."""
        check_choice("features", self.features, LEARN_FEATURES)
        if self.kind is not None and self.features != "concepts":
            raise InputError(f"kind={self.kind!r} is for features='concepts': leave kind out of {self.features!r}")
        if self.features in FEATURES_OF_EMBED:
            return FeatureColumns(model, self.features, self.concepts, self.kind).names
        return self._deep(model, np.empty((0, 2)))[1]

    def _fill(
        self, model: GeoConceptModel, out: NDArray[np.float32], pairs: NDArray[np.float64], rows: NDArray[np.intp]
    ) -> None:
        """Write the features of `pairs` into these rows of `out`."""
        if self.features in FEATURES_OF_EMBED:
            FeatureColumns(model, self.features, self.concepts, self.kind).fill(out, pairs, rows)
        else:
            out[rows] = self._deep(model, pairs)[0]

    def _deep(self, model: GeoConceptModel, pairs: NDArray[np.float64]) -> tuple[NDArray[np.float32], list[str]]:
        """Return what is made of hidden layers, and its names."""
        from .layers import all_features, layer_features

        if self.features == "all":
            return all_features(model, pairs, self.concepts)
        if self.concepts is not None:
            raise InputError("features='layers' computes no concepts: leave concepts out, or ask for 'all'")
        values = layer_features(model, pairs)
        return values, [f"layer_{k:03d}" for k in range(values.shape[1])]


def _column(parameter: str, value: Any, names: list[str], shape: tuple[int, int]) -> int:
    """Return the number of the column that `lon` or `lat` means."""
    if isinstance(value, str):
        if names.count(value) == 1:
            return names.index(value)
        found = f"{names.count(value)} of the columns {', '.join(names)}" if names else "no column: X has no names"
        raise InputError(f"{parameter}={value!r} must name one column of X, and names {found}")
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        raise InputError(f"{parameter} must be the number or the name of a column; got {value!r}")
    if not 0 <= value < shape[1]:
        raise InputError(f"{parameter}={value} must be the number of a column, from 0; X has {shape[1]} columns")
    return int(value)


def _opened(model: Any, backend: str) -> GeoConceptModel:
    """Open a model once per process, and again when its folder has changed."""
    if model is None:
        return as_model(None) if backend == "auto" else _load(None, backend, "")
    if not isinstance(model, (str, os.PathLike)):
        return as_model(model)  # which says what it must be
    config = Path(model) / CONFIG
    return _load(os.fspath(model), backend, sha256_of(config) if config.is_file() else "")


@lru_cache(maxsize=4)
def _load(name_or_path: str | None, backend: str, stamp: str) -> GeoConceptModel:
    """`load_model`, remembered; the stamp changes with the folder's files, whose sha256 are in its config."""
    return load_model(name_or_path, backend=backend)


def _address(model: GeoConceptModel) -> str:
    """Return the name or the folder that opens this model again."""
    if model.bank_sha256 != sha256_of(model.folder / BANK_JSON):
        raise InputError(
            "a ConceptFeatures is pickled without its model, and this model's bank is in no folder: "
            "model.save(folder) and give that folder as model, or give the concepts as objects"
        )
    name = model.folder.name
    return name if installed_models().get(name) == model.folder else str(model.folder.resolve())


def _by_name(concepts: Any, model: GeoConceptModel) -> Any:
    """Return concepts with names in place of the model's own objects, which are read off the model's heads."""
    if concepts is None or isinstance(concepts, str):
        return concepts
    own = set(map(id, model.bank))
    return [concept.name if id(concept) in own else concept for concept in model.select(concepts)]
