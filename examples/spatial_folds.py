"""Folds drawn at random, or as blocks on the Earth: what a test score is worth depends on it.

    python examples/spatial_folds.py [FOLDER]

The task: to tell the score of a concept, "hot all year", from longitude and latitude alone. Nearest neighbours look
good when the neighbours of a test place are in the training set.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from sklearn.model_selection import KFold, cross_val_score
from sklearn.neighbors import KNeighborsRegressor

import geoconcept_gis as gc
from geoconcept_gis.land import coastlines


def main() -> None:
    """Draw both kinds of folds, with what they say of the same regressor."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "demo_output")
    folder.mkdir(parents=True, exist_ok=True)

    towns = gc.embed(gc.world_places().iloc[::2], concepts="hot all year", kind="cosine")
    lonlat = towns.get_coordinates().set_axis(["lon", "lat"], axis=1)
    target = towns["concept_hot_all_year"]
    splitters = {
        "at random": KFold(5, shuffle=True, random_state=0),
        "blocks of 20 degrees": gc.spatial_folds("blocks", n_splits=5, degrees=20.0, lonlat=lonlat),
    }

    figure = Figure(figsize=(10, 8.6), layout="constrained")
    FigureCanvasAgg(figure)
    for ax, (name, splitter) in zip(figure.subplots(2, 1), splitters.items(), strict=True):
        folds = list(splitter.split(lonlat))
        r2 = cross_val_score(KNeighborsRegressor(5), lonlat, target, cv=folds).mean()
        km = gc.leakage(lonlat, folds)["km_median"].median()
        print(f"{name}: R2 {r2:.2f}, nearest training place {km:.0f} km away (median)")
        fold = np.empty(len(lonlat), dtype=int)
        for k, (_, test) in enumerate(folds):
            fold[test] = k
        ax.plot(*coastlines().T, color="0.7", linewidth=0.4)
        ax.scatter(lonlat["lon"], lonlat["lat"], 9, fold, cmap="Dark2", vmax=7)
        ax.set(xlim=(-180, 180), ylim=(-58, 80), aspect="equal", facecolor="#eceff1", xticks=[], yticks=[])
        ax.set_title(f"Five folds, {name}: R² {r2:.2f}; nearest training place {km:.0f} km away", loc="left")
    figure.supxlabel("one colour a fold; longitude and latitude, degrees", fontsize=9)
    figure.savefig(folder / "spatial_folds.png", dpi=110)
    print(folder / "spatial_folds.png")


if __name__ == "__main__":
    main()
