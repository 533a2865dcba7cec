"""Which concepts a fitted model leans on: coefficients, permutations or SHAP values, by concept or by family.

Nothing here says what makes the world as it is. Concepts overlap, so a model may lean on one of two that tell the
same; and what it leans on is associated with the label, in these places, through this model.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InputError, MissingDependencyError
from ..features import check_choice
from ..model import as_model

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd
    from numpy.typing import ArrayLike, NDArray

    from ..model import GeoConceptModel

    Floats = NDArray[np.float64]

__all__ = ["IMPORTANCE_METHODS", "concept_importance"]

IMPORTANCE_METHODS = ("auto", "coefficients", "permutation", "shap")
_MEANINGS = {
    "coefficients": "how much the part of the prediction that the model takes from it varies (its standard deviation)",
    "permutation": "how much the score drops when it is shuffled among the places",
    "shap": "mean size of what the model adds to or takes from a prediction because of it (SHAP)",
}
_NUMBERED = ("embedding_", "layer_")
_PREFIXES = ("concept_", *_NUMBERED)


def concept_importance(
    estimator: Any,
    X: Any,
    y: ArrayLike | None = None,
    *,
    method: str = "auto",
    by: str = "concept",
    folds: Any = None,
    groups: ArrayLike | None = None,
    scoring: Any = None,
    repeats: int = 5,
    names: Sequence[str] | None = None,
    families: Mapping[str, str] | None = None,
    model: GeoConceptModel | str | None = None,
    seed: int = 0,
) -> pd.DataFrame:
    """Tell which concepts a model leans on.

    Parameters
    ----------
    estimator : scikit-learn estimator, Pipeline or fitted search
        Without `folds` it must be fitted; with them it is cloned and fitted in each fold. Features are looked at where
        they first carry the names of concepts, embedding or layers: in X, or after a step of the pipeline such as
        `ConceptFeatures`; else in X.
    X : array_like, DataFrame or GeoDataFrame of N rows
        What the estimator reads. Without `folds`, best places that it was not fitted on.
    y : array_like of N rows, optional
        Needed for permutations and for `folds`.
    method : {"auto", "coefficients", "permutation", "shap"}
        ``coefficients``: for linear models, coefficient times the feature's standard deviation, so that scaling a
        feature changes nothing. ``permutation``: drop of the score when the feature is shuffled among the test
        places (Breiman 2001, doi 10.1023/A:1010933404324); any model. ``shap``: mean size of the SHAP values of a
        model of trees (Lundberg et al. 2020, doi 10.1038/s42256-019-0138-9); needs the package shap. ``auto``:
        coefficients where the model has them, else permutation.
    by : {"concept", "family"}
        ``family`` takes all features of a family together: their terms are summed, or their columns shuffled as one.
        This is the answer where concepts of a family tell much the same and share what the model takes from them.
    folds : SpatialFolds, other scikit-learn splitter, or list of (train, test), optional
        Fit on the one side, look at the other.
    groups : array_like of shape (N,), optional
        For splitters that need them.
    scoring : str or callable, optional
        Score that permutations lower, as in scikit-learn; None is the estimator's own, R2 or accuracy.
    repeats : int, default 5
        Shuffles of each feature.
    names : sequence of str, optional
        Names of the columns of X, where it is no table.
    families : mapping of str to str, optional
        Family by feature name, for features that are no concepts of the bank, or other families than the bank's.
    model : GeoConceptModel, str or None
        Whose bank names the concepts; None is the bundled default.
    seed : int, default 0
        Of the shuffles.

    Returns
    -------
    pandas.DataFrame
        A row a feature or family, the one that the model leans on most first. ``concept`` (name), ``family`` (empty
        where it has none), ``importance``, ``low`` and ``high`` (least and largest over the folds, or over the
        shuffles; NaN for a single look) and ``sign``: ``+`` where predictions rise with it, ``-`` where they fall,
        ``±`` where folds disagree, empty where there is no one direction (families, several classes). With
        coefficients and SHAP the sign is that of the feature's own term; with permutations that of its correlation
        with the predictions.
        ``attrs["method"]`` and ``attrs["meaning"]`` say what the numbers are. Coefficients and SHAP values are in
        units of y (of the decision function, for classifiers).

    Raises
    ------
    InputError
        The estimator is not fitted, has no coefficients or trees for that method, or a step between the concepts and
        the model mixes the columns; `names` do not fit X; there is no such method.
    MissingDependencyError
        shap is not installed.

    Examples
    --------
    >>> from sklearn.linear_model import Ridge
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> import geoconcept_gis as gc
    >>> lonlat = gc.reference_places("uniform_land", 300)
    >>> features = gc.ConceptFeatures("concepts", concepts=["tundra climate", "hot desert climate"])
    >>> fitted = make_pipeline(features, StandardScaler(), Ridge()).fit(lonlat, abs(lonlat[:, 1]))
    >>> concept_importance(fitted, lonlat)[["concept", "family", "sign"]].to_numpy().tolist()
    [['hot desert climate', 'climate', '-'], ['tundra climate', 'climate', '+']]
    """
    import pandas as pd
    from sklearn.base import clone
    from sklearn.model_selection import check_cv
    from sklearn.utils import _safe_indexing as take

    check_choice("method", method, IMPORTANCE_METHODS)
    check_choice("by", by, ("concept", "family"))
    labels = None if y is None else np.asarray(y)
    if folds is None:
        looks = [_look(estimator, X, labels, names)]
    elif labels is None:
        raise InputError("folds need y, to fit on")
    else:
        looks = [
            _look(clone(estimator).fit(take(X, train), labels[train]), take(X, test), labels[test], names)
            for train, test in check_cv(folds).split(X, labels, groups)
        ]
    if method == "auto":
        method = "coefficients" if all(look.has_coefficients for look in looks) else "permutation"
    parts = _parts(looks[0].names, by, families, model)
    columns = [part.columns for part in parts]
    if method == "permutation":
        measured = [_permute(look, columns, scoring, repeats, seed + k) for k, look in enumerate(looks)]
    else:
        measured = [(_weigh if method == "coefficients" else _shap)(look, columns) for look in looks]
    # Several folds: one value each, the mean of its shuffles. One look: a value a shuffle.
    values = measured[0][0] if len(looks) == 1 else np.array([found.mean(axis=0) for found, _ in measured])
    spread = (values.min(axis=0), values.max(axis=0)) if len(values) > 1 else (np.nan, np.nan)
    table = pd.DataFrame(
        {
            "concept": [part.concept for part in parts],
            "family": [part.family for part in parts],
            "importance": values.mean(axis=0),
            "low": spread[0],
            "high": spread[1],
            "sign": [_sign(set(found)) for found in np.array([signs for _, signs in measured]).T],
        }
    )
    table = table.sort_values("importance", ascending=False, kind="stable", ignore_index=True)
    table.attrs = {"method": method, "meaning": f"how much the model leans on it: {_MEANINGS[method]}"}
    return table


@dataclass(frozen=True)
class _Look:
    """A fitted model from the step on at which its features carry their names, and places to look at it with."""

    model: Any
    Z: Any
    y: NDArray[Any] | None
    names: list[str]
    last: Any
    #: What the last step reads, if its columns are still those of `names`.
    Z_last: Floats | None

    @property
    def has_coefficients(self) -> bool:
        return self.Z_last is not None and getattr(self.last, "coef_", None) is not None

    @property
    def columns(self) -> Floats:
        if self.Z_last is None:
            raise InputError(
                f"a step before {type(self.last).__name__} mixes the columns, so that its own no longer are "
                f"{self.names[0]!r}, ...: take method='permutation', or leave that step out"
            )
        return self.Z_last


@dataclass(frozen=True)
class _Part:
    """Columns that are taken together, and what to call them."""

    concept: str
    family: str
    columns: list[int]


def _look(estimator: Any, X: Any, y: NDArray[Any] | None, names: Sequence[str] | None) -> _Look:
    from sklearn.exceptions import NotFittedError
    from sklearn.pipeline import Pipeline
    from sklearn.utils.validation import check_is_fitted

    fitted = getattr(estimator, "best_estimator_", estimator)
    try:
        check_is_fitted(fitted)
    except NotFittedError:
        raise InputError(f"this {type(fitted).__name__} is not fitted: fit it first, or give folds to fit in") from None
    steps = fitted if isinstance(fitted, Pipeline) else Pipeline([("model", fitted)])
    given = _names_of(X, names)
    named = [_names_at(steps, k, given) for k in range(len(steps))]
    at = next((k for k, found in enumerate(named) if found and any(_short(n).startswith(_PREFIXES) for n in found)), 0)
    own = named[at] or given
    Z = _dense(steps[:at].transform(X) if at else X)
    Z_last = _dense(steps[at:-1].transform(Z)) if len(steps) - at > 1 else Z
    aligned = named[-1] is not None and list(map(_short, named[-1])) == list(map(_short, own))
    return _Look(steps[at:], Z, y, own, steps[-1], np.asarray(Z_last, dtype=np.float64) if aligned else None)


def _names_of(X: Any, names: Sequence[str] | None) -> list[str]:
    """Return the names of the columns of X: those given, a table's own, or x0, x1, ... as scikit-learn has them."""
    width = np.shape(X)[1]
    if names is not None and len(names) != width:
        raise InputError(f"names has {len(names)} names for the {width} columns of X")
    found = names if names is not None else getattr(X, "columns", [f"x{j}" for j in range(width)])
    return [str(name) for name in found]


def _names_at(steps: Any, k: int, names: list[str]) -> list[str] | None:
    """Return the names of the features that step `k` reads; None where the steps before do not tell."""
    try:
        return [str(name) for name in steps[:k].get_feature_names_out(names)] if k else names
    except (AttributeError, ValueError):
        return None


def _dense(Z: Any) -> Any:
    if hasattr(Z, "toarray"):
        return Z.toarray()
    return Z if hasattr(Z, "iloc") else np.asarray(Z)


def _short(name: str) -> str:
    """Take away what a ColumnTransformer puts before a name."""
    return name.rsplit("__", 1)[-1]


def _parts(
    names: list[str], by: str, families: Mapping[str, str] | None, model: GeoConceptModel | str | None
) -> list[_Part]:
    known = families or {}
    bank = as_model(model).bank if any(_short(name).startswith("concept_") for name in names) else None
    parts = []
    for column, name in enumerate(names):
        short = _short(name)
        shown, family = name, ""
        if bank is not None and short.startswith("concept_") and short[8:] in bank:
            shown, family = bank[short[8:]].name, bank[short[8:]].family
        elif short.startswith(_NUMBERED):
            shown, family = short, short.split("_")[0]
        parts.append(_Part(shown, known.get(name, known.get(short, family)), [column]))
    if by == "concept":
        return parts
    together: dict[str, list[_Part]] = {}
    for part in parts:
        # What has no family stands for itself.
        together.setdefault(part.family or f"={part.concept}", []).append(part)
    return [
        _Part(f"{len(own)} features", own[0].family, [part.columns[0] for part in own]) if len(own) > 1 else own[0]
        for own in together.values()
    ]


def _weigh(look: _Look, columns: list[list[int]]) -> tuple[Floats, Floats]:
    """Return the standard deviation of what each group of features adds to the prediction."""
    Z = look.columns
    if not look.has_coefficients:
        raise InputError(f"{type(look.last).__name__} has no coefficients: take method='permutation' or 'shap'")
    coefficients = np.atleast_2d(look.last.coef_)
    spread = [(Z[:, group] @ coefficients[:, group].T).std(axis=0).mean() for group in columns]
    one_way = len(coefficients) == 1
    signs = [np.sign(coefficients[0, group[0]]) if one_way and len(group) == 1 else 0.0 for group in columns]
    return np.array([spread]), np.array(signs)


def _shap(look: _Look, columns: list[list[int]]) -> tuple[Floats, Floats]:
    """Return the mean size of the SHAP values of each group of features, summed over the group."""
    try:
        shap = importlib.import_module("shap")
    except ImportError as error:
        raise MissingDependencyError("method='shap' needs the package shap: pip install shap") from error
    Z = look.columns
    try:
        values = np.asarray(shap.TreeExplainer(look.last).shap_values(Z))
    except Exception as error:  # shap's own error is no public class
        raise InputError(f"method='shap' reads models of trees; {type(look.last).__name__}: {error}") from error
    values = values[:, :, None] if values.ndim == 2 else values
    if values.shape[2] == 2:  # two classes mirror each other
        values = values[:, :, 1:]
    sizes = [np.abs(values[:, group].sum(axis=1)).mean() for group in columns]
    one_way = values.shape[2] == 1
    signs = [
        _rises(Z[:, group[0]], values[:, group[0], 0]) if one_way and len(group) == 1 else 0.0 for group in columns
    ]
    return np.array([sizes]), np.array(signs)


def _permute(look: _Look, columns: list[list[int]], scoring: Any, repeats: int, seed: int) -> tuple[Floats, Floats]:
    """Return how much the score drops when each group of features is shuffled as one, shape (repeats, groups)."""
    from sklearn.metrics import check_scoring

    if look.y is None:
        raise InputError("permutations need y, to score with")
    score = check_scoring(look.model, scoring=scoring)
    work = look.Z.copy()
    table = hasattr(work, "iloc")
    before = score(look.model, work, look.y)
    drops = np.empty((repeats, len(columns)))
    for repeat in range(repeats):
        order = np.random.default_rng([seed, repeat]).permutation(len(work))
        for k, group in enumerate(columns):
            for j in group:
                _set_column(work, j, look.Z.iloc[order, j].array if table else look.Z[order, j])
            drops[repeat, k] = before - score(look.model, work, look.y)
            for j in group:
                _set_column(work, j, look.Z.iloc[:, j].array if table else look.Z[:, j])
    output = _output(look)
    Z = np.asarray(look.Z) if output is not None else look.Z
    signs = [_rises(Z[:, group[0]], output) if output is not None and len(group) == 1 else 0.0 for group in columns]
    return drops, np.array(signs)


def _set_column(work: Any, j: int, values: Any) -> None:
    if hasattr(work, "iloc"):
        work.isetitem(j, values)
    else:
        work[:, j] = values


def _output(look: _Look) -> Floats | None:
    """Return one number a place that rises with the prediction; None where there are several classes or labels."""
    classes = getattr(look.model, "classes_", None)
    if classes is not None:
        if len(classes) != 2:
            return None
        name = "decision_function" if hasattr(look.model, "decision_function") else "predict_proba"
        output = np.asarray(getattr(look.model, name)(look.Z))
        return output if output.ndim == 1 else np.asarray(output[:, 1])
    output = np.asarray(look.model.predict(look.Z), dtype=np.float64)
    return output if output.ndim == 1 else None


def _rises(values: Any, output: Floats) -> float:
    """Return 1 where the output rises with the values, -1 where it falls, 0 where neither shows."""
    try:
        values = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):  # categories
        return 0.0
    there = np.isfinite(values)
    covariance = np.mean((values[there] - values[there].mean()) * output[there]) if there.any() else 0.0
    return float(np.sign(covariance))


def _sign(found: set[float]) -> str:
    """Spell the signs of all folds as one; 0 has no say."""
    ways = found - {0.0}
    if len(ways) > 1:
        return "±"
    return {1.0: "+", -1.0: "-"}[ways.pop()] if ways else ""
