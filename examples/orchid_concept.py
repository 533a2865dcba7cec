"""A species from presence-only records: random background against target-group background.

    python examples/orchid_concept.py [FOLDER]

The records are simulated, so that the truth is known: the orchid lives where the bundled concept "oceanic climate" is
high, and observers report it, like everything else, mostly from around large towns. Told from random land, the concept
learns where people are as well as where the orchid is. Told from records of other species by the same observers, who
share the bias, it learns what is special to the orchid.
"""

from __future__ import annotations

import sys
from pathlib import Path

import geopandas as gpd
import numpy as np
import xarray as xr
from matplotlib.figure import Figure

import geoconcept_gis as gc
from geoconcept_gis.land import on_land

VISITS = 4_000
OTHERS = 1_500
CHECKS = 3_000
KM = 111.2  # in a degree of latitude
SOUTH = -60.0


def main() -> None:
    """Simulate, fit twice, compare with the truth, draw."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "demo_output")
    folder.mkdir(parents=True, exist_ok=True)
    model, rng = gc.load_model(), np.random.default_rng(20)
    towns = gc.world_places()

    visits = visit(towns, VISITS, rng)
    lives_there = rng.random(len(visits)) < niche(model, visits)
    records, others = visits[lives_there], visit(towns, OTHERS, rng)
    print(f"simulated: {len(records)} records of the orchid, {len(others)} of other species")

    concepts = [
        gc.concept_from_places(records, name="orchid, random background", background=OTHERS, model=model),
        gc.concept_from_places(records, others, name="orchid, target-group background", model=model),
    ]
    places = gc.reference_places("uniform_land", CHECKS, seed=1)
    places = places[places[:, 1] > SOUTH]  # nobody keeps records in Antarctica, and no background can mend that
    truth, near_town = niche(model, places), -distance_to_town(towns, places)
    scores = model.score(places, concepts, kind="percentile")
    for concept, score in zip(concepts, scores.T, strict=True):
        print(
            f"{concept.name}: grade {concept.grade}, held-out AUROC {concept.validity.value:.3f}; over the land, rank "
            f"correlation with the true niche {correlation(score, truth):.2f}, with nearness to a town "
            f"{correlation(score, near_town):.2f}"
        )
        print(f"  {gc.write_concept(concept, folder / f'{concept.column}.concept', model)}")
    print(f"the true niche itself: with nearness to a town {correlation(truth, near_town):.2f}")
    bounds = (-180, SOUTH, 180, 85)
    maps = gc.concept_map(concepts, bounds, resolution=1.0, model=model, kind="percentile")
    draw(maps, records, folder / "orchid.png")


def visit(towns: gpd.GeoDataFrame, count: int, rng: np.random.Generator) -> np.ndarray:
    """Return (lon, lat) of visits: within some tens of kilometres of a town, more of them the larger it is."""
    share = towns["population"].to_numpy() ** 0.6
    chosen = towns.geometry.iloc[rng.choice(len(towns), 2 * count, p=share / share.sum())]
    lonlat = np.column_stack([chosen.x, chosen.y])
    lonlat += rng.normal(scale=30.0 / KM, size=lonlat.shape) / np.cos(np.radians(lonlat * [0.0, 1.0]))[:, ::-1]
    return lonlat[on_land(lonlat)][:count]


def niche(model: gc.GeoConceptModel, lonlat: np.ndarray) -> np.ndarray:
    """Return how likely the orchid lives at each place."""
    return model.score(lonlat, "oceanic climate")[:, 0]


def distance_to_town(towns: gpd.GeoDataFrame, lonlat: np.ndarray) -> np.ndarray:
    """Return km to the nearest town of 100,000."""
    large = towns[towns["population"] > 100_000].geometry
    ends = [on_sphere(points) for points in (lonlat, np.column_stack([large.x, large.y]))]
    return 6371.0 * np.arccos(np.clip((ends[0] @ ends[1].T).max(axis=1), -1.0, 1.0))


def on_sphere(lonlat: np.ndarray) -> np.ndarray:
    """Return unit vectors."""
    lon, lat = np.radians(lonlat).T
    return np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=1)


def correlation(a: np.ndarray, b: np.ndarray) -> float:
    """Return Spearman's rank correlation."""
    return float(np.corrcoef(np.argsort(np.argsort(a)), np.argsort(np.argsort(b)))[0, 1])


def draw(dataset: xr.Dataset, records: np.ndarray, path: Path) -> None:
    """Draw both maps, one above the other, with the records."""
    figure = Figure(figsize=(10, 12.4))
    for bottom, name in zip((0.59, 0.09), dataset.data_vars, strict=True):
        ax = gc.plot_concept_map(dataset, str(name), ax=figure.add_axes((0.06, bottom, 0.9, 0.363)))
        ax.plot(*records.T, ".", color="#d7263d", markersize=1.5, label="records (simulated)")
        ax.legend(loc="lower left", frameon=False, fontsize=9, markerscale=5)
    figure.savefig(path, dpi=110)
    print(path)


if __name__ == "__main__":
    main()
