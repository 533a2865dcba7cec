"""Candidates, and their test in regions that they were not fitted on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from measures import boyce, relative_suitability, true_skill
from records import NICHE_LAYERS, PROXY_LAYERS, environment
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import SplineTransformer, StandardScaler

import geoconcept_gis as gc
from geoconcept_gis.errors import InputError
from geoconcept_gis.learn.folds import blocks_of

FOLDS = 5
#: Concepts that an ecologist would look at first; chosen before any model was fitted.
LEGIBLE = [
    *["tropical rainforest", "savanna", "mediterranean woodland", "temperate forest", "boreal forest"],
    *["tundra vegetation", "sand and rock desert", "green all year", "seasonal greenness"],
    *["above 1,000 m", "above 2,000 m", "alpine relief", "rugged relief", "lowland", "coast", "deep inland"],
    *["frost-free winters", "severe winters", "hot summers", "cool summers"],
    *["very dry", "dry", "wet", "marked dry season"],
]


@dataclass(frozen=True)
class Candidate:
    """A set of columns and what is fitted on them. The pipeline reads a wide table and takes its columns from it."""

    columns: list[str]
    model: list[object]

    def estimator(self, cv: list[tuple[np.ndarray, np.ndarray]]) -> object:
        """Return what to fit; the penalty of a logistic regression is found in folds `cv` of the training rows."""
        pick = ColumnTransformer([("keep", "passthrough", self.columns)], verbose_feature_names_out=False)
        pipeline = make_pipeline(pick.set_output(transform="pandas"), *map(clone, self.model))
        penalties = PENALTIES.get(type(self.model[0]))
        if penalties is None:
            return pipeline
        return GridSearchCV(pipeline, {"logisticregression__C": penalties}, scoring="roc_auc", cv=cv)


#: Strength of the penalty (small is strong), by the first step: splines, standardised columns, scores as they are.
PENALTIES = {SimpleImputer: (0.1, 1.0, 10.0), StandardScaler: (1e-4, 1e-3, 1e-2), LogisticRegression: (0.03, 0.3, 3.0)}


def logistic() -> LogisticRegression:
    return LogisticRegression(class_weight="balanced", max_iter=3000)


def curves() -> list[object]:
    """Return the steps of an additive model: a curve a layer."""
    return [SimpleImputer(strategy="median"), StandardScaler(), SplineTransformer(5, knots="quantile"), logistic()]


def trees() -> list[object]:
    # Weighted rows make binning slow, the more bins the slower.
    settings = {"max_iter": 60, "max_leaf_nodes": 6, "max_bins": 63, "class_weight": "balanced"}
    return [HistGradientBoostingClassifier(**settings, random_state=0)]


def candidates(table: pd.DataFrame) -> dict[str, Candidate]:
    """Return what can be compared with the columns of a table, by name."""
    names = list(table.columns)
    concepts = [name for name in names if name.startswith("concept_")]
    climate = set(gc.ConceptFeatures("concepts", concepts=family("climate")).get_feature_names_out())
    legible = gc.ConceptFeatures("concepts", concepts=LEGIBLE).get_feature_names_out().tolist()
    found = {"longitude and latitude, curves": Candidate(["lon", "lat"], curves())}
    if PROXY_LAYERS[0] in names:
        found |= {
            "10 layers, those of the niche too, curves": Candidate(NICHE_LAYERS + PROXY_LAYERS, curves()),
            "10 layers, those of the niche too, trees": Candidate(NICHE_LAYERS + PROXY_LAYERS, trees()),
            "4 other layers, curves": Candidate(PROXY_LAYERS, curves()),
            "4 other layers and 24 concepts, trees": Candidate(PROXY_LAYERS + legible, trees()),
        }
    return found | {
        CHOSEN: Candidate(legible, trees()),
        "24 concepts, logistic": Candidate(legible, [logistic()]),
        f"{len(concepts)} concepts, logistic": Candidate(concepts, [logistic()]),
        "concepts but climate, logistic": Candidate([name for name in concepts if name not in climate], [logistic()]),
        "embedding, logistic": Candidate(
            [name for name in names if name.startswith("embedding_")], [StandardScaler(), logistic()]
        ),
    }


#: The candidate that is mapped and looked into: trees may bend, and 24 curves can be read.
CHOSEN = "24 concepts, trees"
#: What is fitted again with random land for a background.
AGAIN = (CHOSEN, "4 other layers, curves", "embedding, logistic")


def family(name: str) -> list[str]:
    table = gc.load_model().concepts
    return table.loc[(table["family"] == name) & (table["grade"] != "D"), "name"].tolist()


def describe(lonlat: np.ndarray, layers: bool) -> pd.DataFrame:
    """Return a wide table: lon, lat, environmental layers, concepts (calibrated, 0 to 1), embedding.

    Nothing here learns from the records, so that it may be done once, before the folds.
    """
    concepts, embedding = (
        gc.ConceptFeatures(kind).set_output(transform="pandas").fit_transform(lonlat)
        for kind in ("concepts", "embedding")
    )
    places = pd.DataFrame(lonlat, columns=["lon", "lat"])
    return pd.concat([places, *([environment(lonlat)] if layers else []), concepts, embedding], axis=1)


def folds(table: pd.DataFrame, y: np.ndarray, n_splits: int, degrees: float) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return folds of blocks, those with records on both sides."""
    splitter = gc.spatial_folds("blocks", n_splits=n_splits, degrees=degrees, lon="lon", lat="lat")
    splits = list(splitter.split(table[["lon", "lat"]]))
    splits = [(train, test) for train, test in splits if all((y[rows] == 1).any() for rows in (train, test))]
    if len(splits) < 2:
        raise InputError(
            f"of {n_splits} folds of {degrees:g}-degree blocks only {len(splits)} have records to test on: take "
            "smaller blocks (--block), or more records"
        )
    return splits


def held_out(
    candidate: Candidate,
    table: pd.DataFrame,
    y: np.ndarray,
    land: pd.DataFrame,
    truth: np.ndarray | None,
    degrees: float,
) -> dict[str, float]:
    """Fit outside of each region, test inside.

    Parameters
    ----------
    candidate : Candidate
    table, y : DataFrame and ndarray of N rows
        Records (1) and background (0).
    land : DataFrame
        Places evenly over the land, at which the truth is compared.
    truth : ndarray or None
        Their true suitability, where it is known.
    degrees : float
        Height of a block.

    Returns
    -------
    dict
        ``AUC``, ``TSS`` and ``Boyce``: records against background of the held-out regions. ``truth``: Pearson
        correlation of predicted and true suitability over their land. ``folds``: how many had records to test on.
    """
    both = pd.concat([table, land], ignore_index=True)
    role = np.concatenate([y, np.full(len(land), -1)])
    scores, relative = np.full(len(both), np.nan), np.full(len(both), np.nan)
    fold = np.full(len(both), -1)
    splits = folds(both, role, FOLDS, degrees)
    for k, (train, held) in enumerate(splits):
        rows = train[role[train] >= 0]
        known, label = both.iloc[rows], role[rows]
        fitted = candidate.estimator(folds(known, label, 3, degrees)).fit(known, label)
        fold[held], scores[held] = k, fitted.decision_function(both.iloc[held])
        relative[held] = relative_suitability(scores[held], fitted.decision_function(known[label == 1]))
    record, background, on_land = ((fold >= 0) & (role == kind) for kind in (1, 0, -1))
    tested = record | background
    found = {
        "AUC": float(roc_auc_score(role[tested], scores[tested])),
        "TSS": true_skill(role[tested], scores[tested], fold[tested]),
        "Boyce": boyce(scores[record], scores[background]),
    }
    if truth is not None:
        found["truth"] = float(np.corrcoef(relative[on_land], truth[on_land[role == -1]])[0, 1])
    return {**found, "folds": len(splits)}


def refits(candidate: Candidate, table: pd.DataFrame, y: np.ndarray, degrees: float, count: int) -> list[object]:
    """Fit again and again on blocks drawn with replacement: rows of one block are no independent evidence."""
    _, block = np.unique(blocks_of(table[["lon", "lat"]].to_numpy(), degrees), return_inverse=True)
    rng = np.random.default_rng(0)
    fitted = []
    while len(fitted) < count:
        times = np.bincount(rng.integers(0, block.max() + 1, block.max() + 1), minlength=block.max() + 1)
        rows = np.repeat(np.arange(len(y)), times[block])
        if len(set(y[rows])) == 2:
            known, label = table.iloc[rows], y[rows]
            fitted.append(candidate.estimator(folds(known, label, 3, degrees)).fit(known, label))
    return fitted


def response(fitted: object, table: pd.DataFrame, y: np.ndarray, column: str, values: np.ndarray) -> np.ndarray:
    """Return the mean relative suitability of the background, were a column the same everywhere (Friedman 2001)."""
    background, at_records = table[y == 0], fitted.decision_function(table[y == 1])
    return np.array(
        [
            relative_suitability(fitted.decision_function(background.assign(**{column: value})), at_records).mean()
            for value in values
        ]
    )
