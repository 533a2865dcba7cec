"""How fast the encoder's vectors change with distance, at the seam and at the poles.

    python benchmarks/scale.py [--places 2000]

The numbers behind docs/coordinates-and-scale.md. Photo-dense places are GeoCLIP's own gallery, read from the installed
package `geoclip` 1.3.0 (pip install --no-deps geoclip==1.3.0); without it that row is left out.
"""

from __future__ import annotations

import argparse
import importlib.util
from pathlib import Path

import numpy as np
from pyproj import Geod

import geoconcept_gis as gc

DISTANCES_KM = (1, 5, 10, 50, 100, 500)


def uniform(rng: np.random.Generator, count: int) -> np.ndarray:
    """Draw places evenly over the sphere."""
    return np.stack([rng.uniform(-180, 180, count), np.degrees(np.arcsin(rng.uniform(-1, 1, count)))], axis=1)


def gallery(rng: np.random.Generator, count: int) -> np.ndarray | None:
    """Draw places from GeoCLIP's gallery of photo positions."""
    spec = importlib.util.find_spec("geoclip")
    if spec is None or spec.origin is None:
        return None
    path = Path(spec.origin).parent / "model" / "gps_gallery" / "coordinates_100K.csv"
    latlon = np.loadtxt(path, delimiter=",", skiprows=1)
    return latlon[rng.choice(len(latlon), count, replace=False)][:, ::-1]


def cosine(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Row-wise cosine."""
    return (a * b).sum(1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)


def displaced(model: gc.GeoConceptModel, places: np.ndarray, rng: np.random.Generator) -> list[float]:
    """Mean cosine of places with the same places moved by each distance, and of random pairs."""
    geod, here = Geod(ellps="WGS84"), model.encode(places)
    means = []
    for km in DISTANCES_KM:
        lon, lat, _ = geod.fwd(*places.T, rng.uniform(0, 360, len(places)), np.full(len(places), km * 1000.0))
        means.append(float(cosine(here, model.encode(np.stack([lon, lat], axis=1))).mean()))
    return [*means, float(cosine(here, here[rng.permutation(len(here))]).mean())]


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--places", type=int, default=2000)
    count = parser.parse_args().places
    rng = np.random.default_rng(0)
    model = gc.load_model(backend="numpy")

    print("| mean cosine at | " + " | ".join(f"{km} km" for km in DISTANCES_KM) + " | random pair |")
    print("| --- |" + " --- |" * (len(DISTANCES_KM) + 1))
    samples = {"evenly over the sphere": uniform(rng, count), "photo-dense places": gallery(rng, count)}
    for name, places in samples.items():
        if places is not None:
            print(f"| {name} | " + " | ".join(f"{value:.3f}" for value in displaced(model, places, rng)) + " |")

    lat = np.degrees(np.arcsin(rng.uniform(-1, 1, count)))
    west, east = (np.stack([np.full(count, lon), lat], axis=1) for lon in (-179.999, 179.999))
    seam = cosine(model.encode(west), model.encode(east))
    pole = np.stack([rng.uniform(-180, 180, count), np.full(count, 89.999)], axis=1)
    around = model.encode(pole)
    poles = cosine(around, around[rng.permutation(count)])
    print()
    print("| | mean cosine | smallest |")
    print("| --- | --- | --- |")
    print(f"| longitude -179.999 and 179.999, same latitude | {seam.mean():.2f} | {seam.min():.2f} |")
    print(f"| latitude 89.999, two random longitudes | {poles.mean():.2f} | {poles.min():.2f} |")


if __name__ == "__main__":
    main()
