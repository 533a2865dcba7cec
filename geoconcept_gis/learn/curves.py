"""Learning curves: how much a model gains from more places, tested on regions that it has not seen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import ArrayLike

__all__ = ["learning_curve"]


def learning_curve(
    estimator: Any,
    X: Any,
    y: Any,
    folds: Any,
    *,
    sizes: Sequence[int] | None = None,
    groups: ArrayLike | None = None,
    scoring: Any = None,
    repeats: int = 3,
    seed: int = 0,
) -> pd.DataFrame:
    """Score a model fitted on more and more places, always on the same test regions.

    Parameters
    ----------
    estimator : scikit-learn estimator
        Cloned for each fit.
    X : array_like, DataFrame or GeoDataFrame of N rows
        What the estimator reads.
    y : array_like of N rows
        What it predicts.
    folds : SpatialFolds, other scikit-learn splitter, or list of (train, test)
        Places are drawn from each training side.
    sizes : sequence of int, optional
        Numbers of training places. None: 1/16, 1/8, 1/4, 1/2 and all of what the smallest training set has.
    groups : array_like of shape (N,), optional
        For splitters that need them.
    scoring : str or callable, optional
        As in scikit-learn; None is the estimator's own, R2 or accuracy.
    repeats : int, default 3
        Draws of training places in each fold. A larger size of one draw holds the smaller ones.
    seed : int, default 0
        Of the draws.

    Returns
    -------
    pandas.DataFrame
        A row a size: ``places``; ``mean``, ``sd``, ``low`` and ``high`` (least and largest) of the scores; ``fits``,
        how many there are (folds times repeats).

    Raises
    ------
    InputError
        A size is no positive whole number or more than some fold can train on.

    Examples
    --------
    >>> from sklearn.neighbors import KNeighborsRegressor
    >>> import geoconcept_gis as gc
    >>> lonlat = gc.reference_places("uniform_land", 400)
    >>> folds = gc.spatial_folds(degrees=20)
    >>> curve = learning_curve(KNeighborsRegressor(), lonlat, lonlat[:, 1], folds, sizes=[20, 200])
    >>> curve["places"].tolist(), curve["fits"].tolist()
    ([20, 200], [15, 15])
    """
    import pandas as pd
    from sklearn.base import clone
    from sklearn.metrics import check_scoring
    from sklearn.model_selection import check_cv
    from sklearn.utils import _safe_indexing as take

    y = np.asarray(y)
    splits = list(check_cv(folds).split(X, y, groups))
    sizes = _check_sizes(sizes, min(len(train) for train, _ in splits))
    scorer = check_scoring(estimator, scoring=scoring)
    scores: dict[int, list[float]] = {size: [] for size in sizes}
    for fold, (train, test) in enumerate(splits):
        X_test = take(X, test)
        for repeat in range(repeats):
            order = np.random.default_rng([seed, fold, repeat]).permutation(train)
            for size in sizes:
                rows = order[:size]
                try:
                    fitted = clone(estimator).fit(take(X, rows), y[rows])
                except Exception as error:
                    error.add_note(f"while fitting on {size:,} places of fold {fold}, draw {repeat}")
                    raise
                scores[size].append(float(scorer(fitted, X_test, y[test])))
    table = pd.DataFrame({"places": sizes})
    for name, summary in (("mean", np.mean), ("sd", np.std), ("low", np.min), ("high", np.max), ("fits", len)):
        table[name] = [summary(scores[size]) for size in sizes]
    return table


def _check_sizes(sizes: Sequence[int] | None, most: int) -> list[int]:
    if sizes is None:
        return [most // part for part in (16, 8, 4, 2, 1) if most // part]
    for size in sizes:
        if size != int(size) or not 1 <= size <= most:
            raise InputError(
                f"sizes must be whole numbers from 1 to {most:,}, which every fold can train on; got {size!r}"
            )
    return [int(size) for size in sizes]
