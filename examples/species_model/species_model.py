"""Where does a species live? Presence-only records, three kinds of features, and a test in regions not fitted on.

    python examples/species_model/species_model.py [FOLDER]
    python examples/species_model/species_model.py --occurrences orchid.csv --background other_orchids.csv

Without --occurrences the species are virtual: niches made of real environmental layers, and records from where people
take photos. That is the usual test of such methods, for only of a made-up species is the truth known
(Meynard and Kaplan 2013). It needs the folder named by GEOCONCEPT_DATA. The numbers and pictures of
docs/species-model.md are made by this script.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
from measures import no_data_near, relative_suitability
from models import AGAIN, CHOSEN, FOLDS, LEGIBLE, candidates, describe, folds, held_out, refits, response
from pictures import draw_maps, draw_responses
from records import WORLD, Species, environment, land_places, read_records, thin, virtual_species, visited_places

import geoconcept_gis as gc
from geoconcept_gis.bank.sources import data_folder
from geoconcept_gis.coordinates import wrap_longitude
from geoconcept_gis.errors import InputError
from geoconcept_gis.files import atomic_file
from geoconcept_gis.land import on_land

FEWEST = 30
AREA = "study area; west above east means across the antimeridian"
RESPONSES = 6


def main(arguments: list[str] | None = None) -> None:
    """Collect records, compare candidates and backgrounds, map one species and look into its model."""
    args = parse(arguments)
    args.folder.mkdir(parents=True, exist_ok=True)
    start = time.perf_counter()
    all_species, visited = collect(args)
    layers = has_layers()
    looked_at, land = (
        describe(places, layers) for places in (visited[: args.most], land_places(args.most, args.bounds, seed=1))
    )
    rows = []
    for species in all_species:
        table, truth = describe(species.records, layers), known(species, land)
        print(f"\n{species.name}: {len(table):,} records, {len(looked_at):,} places looked at", flush=True)
        for background, others in (("looked at", looked_at), ("random land", land)):
            both, y = against(table, others)
            for name, candidate in candidates(both).items():
                if background == "looked at" or name in AGAIN:
                    found = held_out(candidate, both, y, land, truth, args.block)
                    rows.append({"species": species.name, "background": background, "features": name, **found})
    scores = pd.DataFrame(rows)
    with atomic_file(args.folder / "species_scores.csv") as part:
        scores.to_csv(part, index=False)
    show(scores)
    chosen = next((species for species in all_species if args.species in species.name), all_species[0])
    look_into(chosen, looked_at, args)
    print(f"\n{time.perf_counter() - start:.0f} s")


def parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("folder", nargs="?", type=Path, default=Path("demo_output"), help="where tables and pictures go")
    add("--occurrences", type=Path, help="records of one species: CSV, GeoPackage, ...")
    add("--background", type=Path, help="records of other species by the same observers; else where photos are taken")
    add("--bounds", nargs=4, type=float, default=WORLD, metavar=("WEST", "SOUTH", "EAST", "NORTH"), help=AREA)
    add("--block", type=float, default=10.0, help="height of a block in degrees")
    add("--thin", type=int, default=4, help="H3 resolution; of the records in a cell one is kept")
    add("--visits", type=int, default=30_000, help="visits of observers, before they are thinned")
    add("--most", type=int, default=4_000, help="most places of the background, and of the land that is tested")
    add("--refits", type=int, default=20, help="how often the mapped model is fitted again")
    add("--resolution", type=float, default=1.0, help="cell of the map in degrees")
    add("--species", default="mediterranean", help="which virtual species is mapped")
    args = parser.parse_args(arguments)
    args.bounds = tuple(args.bounds)
    west, south, east, north = args.bounds
    if not (max(abs(west), abs(east)) <= 180 and west != east and -90 <= south < north <= 90):
        parser.error(f"--bounds are west, south, east, north in degrees, south below north; got {args.bounds}")
    if west > east:  # across the antimeridian
        args.bounds = (west, south, east + 360.0, north)
    return args


def collect(args: argparse.Namespace) -> tuple[list[Species], np.ndarray]:
    """Return the species, and the places that were looked at, by the same observers."""
    if args.background is None:
        visited = thin(visited_places(args.visits, args.bounds, seed=0), args.thin)
    else:
        visited = read_records(args.background, args.bounds, args.thin)
    if args.occurrences is None:
        print(f"{len(visited):,} places looked at, one an H3 cell; the species are virtual")
        found = virtual_species(visited, seed=1)
    else:
        records = read_records(args.occurrences, args.bounds, args.thin)
        found = [Species(args.occurrences.stem, records)]
        visited = thin(np.concatenate([records, visited]), args.thin)
    for species in found:
        if len(species.records) < FEWEST:
            raise InputError(f"{species.name} has {len(species.records)} records after thinning; {FEWEST} at least")
    return found, np.random.default_rng(2).permutation(visited)


def has_layers() -> bool:
    try:
        data_folder()
    except InputError as error:
        print(f"without environmental layers: {error}")
        return False
    return True


def known(species: Species, places: pd.DataFrame) -> np.ndarray | None:
    return None if species.niche is None else species.niche(environment(places[["lon", "lat"]].to_numpy()))


def against(records: pd.DataFrame, others: pd.DataFrame) -> tuple[pd.DataFrame, np.ndarray]:
    return pd.concat([records, others], ignore_index=True), np.repeat([1, 0], [len(records), len(others)])


def show(scores: pd.DataFrame) -> None:
    """Print means over the species, and then what each background says."""
    usual = scores[scores["background"] == "looked at"]
    measures = [name for name in ("AUC", "TSS", "Boyce", "truth") if name in scores]
    print(f"\nHeld-out regions, mean of {usual['species'].nunique()} species, background: places looked at")
    print(usual.groupby("features", sort=False)[measures].mean().round(3).to_string())
    if (few := scores[scores["folds"] < FOLDS]).size:
        print(f"{len(few)} rows of the table were tested in fewer regions: the others have no records")
    print("\nThe same, fitted and tested against each background")
    again = scores[scores["features"].isin(AGAIN)].pivot_table(measures, "features", "background", sort=False)
    print(again.round(3).to_string())


def look_into(species: Species, looked_at: pd.DataFrame, args: argparse.Namespace) -> None:
    """Fit the chosen candidate on all regions, again and again; map it, and draw how it responds."""
    features = gc.ConceptFeatures("concepts", concepts=LEGIBLE).set_output(transform="pandas")
    columns = features.get_feature_names_out().tolist()

    def legible(lonlat: np.ndarray) -> pd.DataFrame:
        return pd.concat([pd.DataFrame(lonlat, columns=["lon", "lat"]), features.fit_transform(lonlat)], axis=1)

    table, y = against(legible(species.records), looked_at[["lon", "lat", *columns]])
    candidate = candidates(table)[CHOSEN]
    splits = folds(table, y, FOLDS, args.block)
    print(f"\n{species.name}: folds are {gc.leakage(table[['lon', 'lat']], splits)['verdict'][0]}")
    leaned_on = gc.concept_importance(
        candidate.estimator([]), table[columns], y, folds=splits, method="permutation", scoring="roc_auc", repeats=3
    )
    print(f"{CHOSEN}: drop of AUC in held-out regions when a concept is shuffled")
    print(leaned_on.head(RESPONSES).round(3).to_string(index=False))
    fitted = refits(candidate, table, y, args.block, args.refits)

    cells = legible(grid(args.bounds, args.resolution))
    records = table[y == 1]
    predicted = np.array(
        [relative_suitability(model.decision_function(cells), model.decision_function(records)) for model in fitted]
    )
    low, high = np.quantile(predicted, [0.1, 0.9], axis=0)
    fold = np.full(len(table), -1)
    for k, (_, test) in enumerate(splits):
        fold[test] = k
    cells = cells[["lon", "lat"]].assign(
        mean=predicted.mean(axis=0),
        low=low,
        high=high,
        spread=high - low,
        no_data_near=no_data_near(table[columns].to_numpy(), fold, cells[columns].to_numpy()),
    )
    print(f"{cells['no_data_near'].mean():.1%} of the cells are unlike all data")
    if (truth := known(species, cells)) is not None:
        cells["truth"] = truth
        report_error(cells)
    points = gpd.GeoDataFrame(cells, geometry=gpd.points_from_xy(cells["lon"], cells["lat"]), crs="EPSG:4326")
    points.attrs["geoconcept"] = gc.load_model().provenance(LEGIBLE, "calibrated")
    print(gc.write_places(points, args.folder / "species_map.parquet"))
    background = looked_at[["lon", "lat"]].to_numpy()
    path = args.folder / "species_map.png"
    print(draw_maps(species.name, cells, species.records, background, args.bounds, args.resolution, path))

    first = gc.ConceptFeatures("concepts", concepts=leaned_on["concept"].head(RESPONSES).tolist())
    values, sample = np.linspace(0.0, 1.0, 26) ** 2, against(records, table[y == 0][:500])
    curves = {
        name: np.array([response(m, *sample, name, values) for m in fitted]) for name in first.get_feature_names_out()
    }
    print(draw_responses(species.name, values, curves, *sample, args.folder / "species_responses.png"))


def report_error(cells: pd.DataFrame) -> None:
    """Print whether the spread tells where the map is wrong, over the cells that are or look suitable."""
    concerned = cells[cells[["mean", "truth"]].max(axis=1) > 0.05]
    error = (concerned["mean"] - concerned["truth"]).abs()
    within = (concerned["truth"] >= concerned["low"]) & (concerned["truth"] <= concerned["high"])
    print(
        f"{len(concerned):,} of {len(cells):,} cells are or look suitable (over 0.05). There the true suitability lies "
        f"within the 10th to 90th percentile of the refits in {within.mean():.0%}"
    )
    width = (concerned["high"] - concerned["low"]).rank(method="first")  # equal widths would be no thirds
    third = pd.qcut(width, 3, labels=["low", "middle", "high"])
    for what, by in (("third of the spread", third), ("unlike all data", concerned["no_data_near"])):
        means = error.groupby(by, observed=True).mean()
        print(f"mean error by {what}: " + ", ".join(f"{name} {value:.3f}" for name, value in means.items()))


def grid(bounds: tuple[float, float, float, float], step: float) -> np.ndarray:
    """Return (lon, lat) of the cells' centres on land."""
    west, south, east, north = bounds
    lon, lat = np.meshgrid(np.arange(west + step / 2, east, step), np.arange(south + step / 2, north, step))
    lonlat = np.column_stack([wrap_longitude(lon.ravel()), lat.ravel()])
    return lonlat[on_land(lonlat)]


if __name__ == "__main__":
    main()
