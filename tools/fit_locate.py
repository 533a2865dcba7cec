"""Fit geoconcept_gis/data/locate.json and locate.safetensors: how far geolocation may trust its scores.

    GEOCONCEPT_DATA=path/to/data python tools/fit_locate.py

Real CLIP ViT-L/14 vectors of 139 captions and 74 photos whose country is known (stevejpapad/image-text-verification,
Apache-2.0). Temperature and floor are those under which the true countries are most probable; `benchmarks/locate.py`
does the same on folds and reports how well it holds. The weak tower's are fitted on the places of 400 photos, each read
by a map that did not see its photographer.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from geoconcept_gis import GeoConceptModel, load_model
from geoconcept_gis.bank.sources import Truths, data_folder
from geoconcept_gis.files import atomic_file
from geoconcept_gis.locate.calibrate import fit_calibration
from geoconcept_gis.locate.density import Calibration, Surface, open_surface
from geoconcept_gis.locate.priors import make_prior
from geoconcept_gis.storage import write_arrays
from geoconcept_gis.towers.weak import WeakTower

DATA = Path(__file__).parents[1] / "geoconcept_gis" / "data"
TEMPERATURES = tuple(np.round(np.geomspace(0.010, 0.040, 13), 5))
WEAK_TEMPERATURES = (0.1, 0.125, 0.15, 0.175, 0.2, 0.3)
FLOORS = (0.01, 0.02, 0.05, 0.1, 0.2)
SOURCE = "CLIP ViT-L/14 vectors of stevejpapad/image-text-verification (Apache-2.0), country by caption"


def true_country_mass(
    surface: Surface, queries: np.ndarray, country: np.ndarray, of_cell: np.ndarray, calibration: Calibration
) -> np.ndarray:
    """Return the probability that each vector's own country gets."""
    likelihood = surface.log_likelihood(queries, calibration.temperature)
    posterior = surface.posterior(likelihood, make_prior(surface)[0], calibration)
    return np.array([row[of_cell == own].sum() for row, own in zip(posterior, country, strict=True)])


def fit(surface: Surface, queries: np.ndarray, country: np.ndarray, of_cell: np.ndarray) -> Calibration:
    """Return the temperature and floor under which the true countries are most probable."""
    best, least = Calibration(TEMPERATURES[0]), np.inf
    for temperature in TEMPERATURES:
        for floor in FLOORS:
            one = Calibration(float(temperature), floor)
            loss = -np.log(true_country_mass(surface, queries, country, of_cell, one)).mean()
            if loss < least:
                best, least = one, loss
    return best


def labelled(surface: Surface) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray], np.ndarray]:
    """Return CLIP vectors and country codes by kind, and the country code of every cell."""
    from geoconcept_gis.bank.sources import country_codes

    vectors = np.load(data_folder() / "clip" / "clip_vitl14_country_vectors.npz")
    codes = country_codes(data_folder())
    of_cell = np.array([codes.get(name, "") for name in Truths(surface.lonlat, data_folder()).country()])
    kinds = ("image", "text")
    return (
        {kind: vectors[kind].astype(np.float32) for kind in kinds},
        {kind: vectors[f"{kind}_country"].astype(str) for kind in kinds},
        of_cell,
    )


def weak_photos(model: GeoConceptModel) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return weak vectors of every fifth photo, each by a map fitted without its photographer, places and folds."""
    import fit_weak_tower as weak

    photos = np.load(data_folder() / "photos" / weak.FEATURES)
    lonlat = photos["latlon"][:, ::-1].astype(np.float64)
    fold = weak.folds(photos["group"])
    strength = float(WeakTower.load().record["strength"])
    targets = weak.unit(model.encode(lonlat))
    found = weak.predict(photos["features"].astype(np.float64), targets, fold, strength)
    return found[::5], lonlat[::5], fold[::5]


def main() -> None:
    """Fit and write."""
    model = load_model(backend="numpy")
    surface = open_surface(model)
    vectors, country, of_cell = labelled(surface)
    path = DATA / "locate.json"
    record = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {"calibration": {}}
    means = {}
    for kind, features in vectors.items():
        shared = model.image_head(features)
        units = shared / np.linalg.norm(shared, axis=1, keepdims=True)
        known = np.isin(country[kind], of_cell)
        one = fit(surface, units[known], country[kind][known], of_cell)
        record["calibration"][kind] = {"temperature": one.temperature, "floor": one.floor, "kernel_km": one.kernel_km}
        means[kind] = units.mean(axis=0)
        record.setdefault("native_length", {})[kind] = round(float(np.linalg.norm(features, axis=1).mean()), 2)
        print(kind, len(units), one)
    queries, lonlat, _ = weak_photos(model)
    one = fit_calibration(surface, queries, lonlat, temperatures=WEAK_TEMPERATURES, floors=FLOORS)
    record["calibration"]["weak"] = {"temperature": one.temperature, "floor": one.floor, "kernel_km": one.kernel_km}
    print("weak", len(queries), one)
    record["source"], record["model_sha256"] = SOURCE, model.sha256
    write_arrays({kind: mean.astype(np.float32) for kind, mean in means.items()}, DATA / "locate.safetensors")
    with atomic_file(path) as part:
        part.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
