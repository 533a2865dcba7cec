"""Measures for presence-background models: TSS, continuous Boyce index, and how far a place is from all data."""

from __future__ import annotations

import numpy as np
from scipy.stats import spearmanr
from sklearn.metrics import roc_curve
from sklearn.neighbors import NearestNeighbors


def true_skill(y: np.ndarray, scores: np.ndarray, fold: np.ndarray) -> float:
    """Return TSS, sensitivity + specificity - 1 (Allouche et al. 2006), the mean of the folds.

    The threshold for a fold is the one that is best for the held-out scores of the other folds; the best for its own
    would flatter, and so would one for rows that a model was fitted on.
    """
    found = []
    for k in np.unique(fold):
        false, true, thresholds = roc_curve(y[fold != k], scores[fold != k])
        above = scores[fold == k] >= thresholds[np.argmax(true - false)]
        found.append(above[y[fold == k] == 1].mean() - above[y[fold == k] == 0].mean())
    return float(np.mean(found))


def boyce(records: np.ndarray, background: np.ndarray, windows: int = 101) -> float:
    """Return the continuous Boyce index (Hirzel et al. 2006), -1 to 1.

    A window a tenth as wide as the scores' range moves over them. The index is the rank correlation of where the window
    is with how much more frequent records are in it than background. Equal neighbours count once.
    """
    low, high = np.min(background), np.max(background)
    width = (high - low) / 10.0
    starts = np.linspace(low, high - width, windows)
    shares = [
        np.array([np.mean((x >= start) & (x <= start + width)) for start in starts]) for x in (records, background)
    ]
    used = shares[1] > 0.0
    ratio, middle = shares[0][used] / shares[1][used], starts[used]
    first = np.r_[True, np.diff(ratio) != 0.0]
    if first.sum() < 3:
        return float("nan")  # records nowhere, or everywhere alike: there is no trend to speak of
    return float(spearmanr(middle[first], ratio[first])[0])


def relative_suitability(scores: np.ndarray, at_records: np.ndarray) -> np.ndarray:
    """Turn log-odds into 0..1, where 1 is as good as the upper tenth of the records.

    Where the background holds all that was looked at, odds of record against background are proportional to
    suitability, with a factor that presence-only data cannot tell (Phillips and Elith 2013).
    """
    return np.exp(np.minimum(scores - np.quantile(at_records, 0.9), 0.0))


def no_data_near(train: np.ndarray, fold: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Tell which places are unlike all training places: outside the area of applicability (Meyer and Pebesma 2021).

    The distance to the nearest training place, in the space of the features, is compared with the distances
    from training places to the nearest one of another fold; beyond their upper whisker a place is too far.
    """
    usual = np.concatenate([nearest(train[fold != k], train[fold == k]) for k in np.unique(fold)])
    quarter, three_quarters = np.quantile(usual, [0.25, 0.75])
    return nearest(train, places) > three_quarters + 1.5 * (three_quarters - quarter)


def nearest(train: np.ndarray, places: np.ndarray) -> np.ndarray:
    return NearestNeighbors(n_neighbors=1, algorithm="brute").fit(train).kneighbors(places)[0][:, 0]
