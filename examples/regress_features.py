"""Features of places in three kinds of regressors, tested where they were not fitted, and what one of them leans on.

    python examples/regress_features.py [FOLDER] [--rows 500]

The target is the mean air temperature at weather stations, where GEOCONCEPT_DATA names the folder that holds their
table; elsewhere it is the population of the towns in the package. The numbers and the picture of docs/regressors.md
are made by this script with ``--rows 5000``, which takes all 3,076 stations and some minutes.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import KFold, cross_val_score
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import SplineTransformer, StandardScaler
from threadpoolctl import threadpool_limits

import geoconcept_gis as gc
from geoconcept_gis.bank.sources import data_folder
from geoconcept_gis.errors import InputError

PENALTIES = np.logspace(-1, 4, 6)
#: What the additive model may look at: no climate, so that the curves tell more than that warm places are warm.
LEGIBLE = [
    *["tropical rainforest", "evergreen broadleaf forest", "savanna", "mediterranean woodland", "temperate forest"],
    *["boreal forest", "tundra vegetation", "sand and rock desert", "green all year", "seasonal greenness"],
    *["above 1,000 m", "lowland", "coast", "deep inland", "snow and ice", "tropical sea"],
]
CURVES = 8


def main() -> None:
    """Compare regressors under two kinds of folds, then draw the additive model's curves."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, default=Path("demo_output"), help="where the picture goes")
    parser.add_argument("--rows", type=int, default=500, help="most places, drawn at random")
    args = parser.parse_args()
    args.folder.mkdir(parents=True, exist_ok=True)
    places, target, unit = problem(args.rows)
    print(f"{len(places):,} places, {unit}; mean R2 of 5 folds, drawn at random and as blocks of 10 degrees")
    for name, (features, regressor) in candidates().items():
        start = time.perf_counter()
        with threadpool_limits(1):  # with so few rows threads wait for each other
            # Nothing is learned here, so that doing it once, before the folds, leaks nothing.
            X = places if features is None else features.fit_transform(places)
            at_random, in_blocks = (cross_val_score(regressor, X, target, cv=cv).mean() for cv in folds(places))
        seconds = time.perf_counter() - start
        print(
            f"{name:32} {X.shape[1]:5}   random {at_random:.3f}   blocks {in_blocks:.3f}   {seconds:.0f} s", flush=True
        )

    fitted = make_pipeline(*candidates()["16 concepts, additive"]).fit(places, target)
    print(draw_curves(fitted, places, unit, args.folder / "regress_curves.png"))


def folds(places: pd.DataFrame) -> tuple[KFold, gc.SpatialFolds]:
    """Return folds that flatter, and folds that tell what happens elsewhere."""
    return KFold(5, shuffle=True, random_state=0), gc.spatial_folds("blocks", n_splits=5, lonlat=places)


def problem(rows: int) -> tuple[pd.DataFrame, pd.Series, str]:
    """Return places (lon, lat), what is to be predicted there, and what that is."""
    try:
        table = pd.read_csv(data_folder() / "downstream" / "air_temperature_stations.csv.gz")
        target, unit = "mean_temp_c", "mean air temperature in °C"
    except InputError:
        towns = gc.world_places().query("population > 0")
        table = towns.get_coordinates().rename(columns={"x": "lon", "y": "lat"})
        table = table.assign(people=np.log10(towns["population"]))
        target, unit = "people", "log10 of the population"
    if len(table) > rows:
        table = table.sample(rows, random_state=0)
    return table[["lon", "lat"]], table[target], unit


def candidates() -> dict[str, tuple[gc.ConceptFeatures | None, Any]]:
    """Return what is compared, by name: features, and the regressor that comes after them."""
    table = gc.load_model().concepts
    but_climate, but_place = (
        table.query("grade != 'D' and family != @family")["name"].tolist() for family in ("climate", "place")
    )
    percentiles = gc.ConceptFeatures("concepts", kind="percentile")
    ridge = make_pipeline(StandardScaler(), RidgeCV(PENALTIES))
    trees = HistGradientBoostingRegressor(random_state=0)
    # A curve a concept, summed: splines under one penalty.
    knots = np.repeat(np.linspace(0.0, 100.0, 5)[:, None], len(LEGIBLE), axis=1)
    additive = make_pipeline(SplineTransformer(knots=knots), RidgeCV(PENALTIES))
    return {
        "longitude and latitude, trees": (None, trees),
        "16 concepts, additive": (gc.ConceptFeatures("concepts", concepts=LEGIBLE, kind="percentile"), additive),
        "concepts but climate, ridge": (gc.ConceptFeatures("concepts", concepts=but_climate, kind="percentile"), ridge),
        "concepts, ridge": (percentiles, ridge),
        "cosines, ridge": (gc.ConceptFeatures("concepts", kind="cosine"), ridge),
        "calibrated, ridge": (gc.ConceptFeatures("concepts"), ridge),
        "calibrated but place, ridge": (gc.ConceptFeatures("concepts", concepts=but_place), ridge),
        "concepts, trees": (percentiles, trees),
        "embedding, ridge": (gc.ConceptFeatures("embedding"), ridge),
        "layers, ridge": (gc.ConceptFeatures("layers"), ridge),
        "all, ridge": (gc.ConceptFeatures("all"), ridge),
    }


def draw_curves(fitted: Pipeline, places: pd.DataFrame, unit: str, path: Path) -> Path:
    """Draw what the additive model adds along each concept, for those that it leans on most."""
    features, (splines, model) = fitted
    scores = features.transform(places)
    percentiles = np.linspace(0.0, 100.0, 101)
    grid = np.repeat(percentiles[:, None], len(LEGIBLE), axis=1)
    curves, seen = (per_concept(splines.transform(x), model.coef_) for x in (grid, scores))
    curves -= seen.mean(axis=0)
    leaned_on = np.argsort(-seen.std(axis=0))[:CURVES]

    figure = Figure(figsize=(11, 5.2), layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle(f"What an additive model adds along each concept: {unit}", fontsize=12)
    for ax, k in zip(figure.subplots(2, CURVES // 2, sharex=True, sharey=True).flat, leaned_on, strict=True):
        ax.axhline(0.0, color="0.8", linewidth=0.8)
        ax.plot(percentiles, curves[:, k], color="teal", linewidth=2)
        at = scores[::10, k]
        ax.plot(at, np.full(len(at), 0.03), "|", color="0.5", markersize=5, transform=ax.get_xaxis_transform())
        ax.set_title(LEGIBLE[k], fontsize=10)
        ax.spines[["top", "right"]].set_visible(False)
    figure.supxlabel("percentile of the concept; ticks: every tenth place", fontsize=10)
    figure.supylabel("added to the prediction", fontsize=10)
    figure.savefig(path, dpi=110)
    return path


def per_concept(basis: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Sum what the splines of each concept add, shape (N, concepts)."""
    return (basis * weights).reshape(len(basis), len(LEGIBLE), -1).sum(axis=2)


if __name__ == "__main__":
    main()
