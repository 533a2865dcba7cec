"""Fit geoconcept_gis/data/locate.json and locate.safetensors: how far geolocation may trust its scores.

    GEOCONCEPT_DATA=path/to/data python tools/fit_locate.py

Real CLIP ViT-L/14 vectors of 139 captions and 74 photos whose country is known (stevejpapad/image-text-verification,
Apache-2.0), read by `geoconcept_gis.locate.countries`; `geoconcept refit` fits the same in another model's space, and
`benchmarks/locate.py` reports on folds how well it holds. The weak tower's are fitted on the places of 400 photos, each
read by a map that did not see its photographer.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from geoconcept_gis import GeoConceptModel, load_model
from geoconcept_gis.bank.sources import data_folder
from geoconcept_gis.files import atomic_file
from geoconcept_gis.locate.calibrate import fit_calibration
from geoconcept_gis.locate.countries import FLOORS, SOURCE, calibrate_on_countries
from geoconcept_gis.locate.density import Calibration, open_surface
from geoconcept_gis.storage import write_arrays
from geoconcept_gis.towers.weak import WeakTower

DATA = Path(__file__).parents[1] / "geoconcept_gis" / "data"
WEAK_TEMPERATURES = (0.1, 0.125, 0.15, 0.175, 0.2, 0.3)


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


def record_of(calibration: Calibration) -> dict[str, float]:
    """Return what the file says of a calibration."""
    return {
        "temperature": calibration.temperature,
        "floor": calibration.floor,
        "kernel_km": calibration.kernel_km,
    }


def main() -> None:
    """Fit and write."""
    model = load_model(backend="numpy")
    path = DATA / "locate.json"
    fits = calibrate_on_countries(model)
    for kind, fit in fits.items():
        print(kind, fit.count, fit.calibration)
    queries, lonlat, _ = weak_photos(model)
    weak = fit_calibration(open_surface(model), queries, lonlat, temperatures=WEAK_TEMPERATURES, floors=FLOORS)
    print("weak", len(queries), weak)
    record = {
        "calibration": {kind: record_of(fit.calibration) for kind, fit in fits.items()} | {"weak": record_of(weak)},
        "native_length": {kind: round(fit.native_length, 2) for kind, fit in fits.items()},
        "source": SOURCE,
        "model_sha256": model.sha256,
    }
    write_arrays({kind: fit.mean for kind, fit in fits.items()}, DATA / "locate.safetensors")
    with atomic_file(path) as part:
        part.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
