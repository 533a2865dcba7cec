"""Fit geoconcept_gis/data/layers.safetensors: hidden layers to principal components on land, and the waves beside them.

    python tools/fit_layers.py

No label of any kind goes in: places are drawn evenly over land, and the components are those of the encoder's hidden
layers there. How much each layer weighs was chosen on rows that `benchmarks/downstream.py` trains on. A minute or two.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from geoconcept_gis import load_model, reference_places
from geoconcept_gis.encoder import LocationEncoder
from geoconcept_gis.learn.layers import WAVES, WIDTH, principal
from geoconcept_gis.storage import write_arrays, write_json

DATA = Path(__file__).parents[1] / "geoconcept_gis" / "data"
PLACES, SEED = 16_000, 11
#: Total spread of each capsule's last hidden layer, and of its 512 outputs, coarsest capsule first.
HIDDEN_SPREAD = (1.0, 0.1, 0.0)
OUTPUT_SPREAD = (0.1, 0.1, 0.1)
#: Lengths of the waves in km, half an octave apart, longest first.
LENGTHS = 20_000.0 / 2.0 ** (np.arange(30) / 2)
EARTH_RADIUS_KM = 6371.0


def layers(encoder: LocationEncoder) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean of the hidden layers, (3072,), and their weights in each component, (3072, 512)."""
    lonlat = reference_places("uniform_land", PLACES, seed=SEED)
    parts = [encoder.hidden(lonlat[k : k + 1024], 3) for k in range(0, PLACES, 1024)]
    hidden = np.concatenate(parts).reshape(PLACES, -1)
    mean = hidden.mean(axis=0, dtype=np.float64)
    hidden -= mean.astype(np.float32)
    basis = []
    for k, (one, output) in enumerate(zip(HIDDEN_SPREAD, OUTPUT_SPREAD, strict=True)):
        rows = slice(1024 * k, 1024 * (k + 1))
        head = encoder.weights[f"LocEnc{k}.head.0.weight"].T
        for spread, matrix in ((one, np.eye(1024)), (output, head)):
            if spread:
                numbers = hidden[:, rows] @ matrix.astype(np.float32)
                block = np.zeros((hidden.shape[1], matrix.shape[1]))
                block[rows] = matrix * np.sqrt(spread / numbers.var(axis=0, dtype=np.float64).sum())
                basis.append(block)
    into = np.concatenate(basis, axis=1)
    covariance = (hidden.T @ hidden).astype(np.float64) / PLACES
    return mean, into @ principal(into.T @ covariance @ into, WIDTH)


def waves() -> tuple[np.ndarray, np.ndarray]:
    """Return vectors, (octaves, 3, W), and phases, (octaves, W), of random plane waves around the unit sphere."""
    rng = np.random.default_rng(SEED)
    direction = rng.standard_normal((len(LENGTHS), 3, WAVES))
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    length = LENGTHS[:, None, None] * 2.0 ** rng.uniform(-0.25, 0.25, (len(LENGTHS), 1, WAVES))
    return direction * (2.0 * np.pi * EARTH_RADIUS_KM / length), rng.uniform(0.0, 2.0 * np.pi, (len(LENGTHS), WAVES))


def main() -> None:
    """Fit and write."""
    model = load_model(backend="numpy")
    mean, weights = layers(model.encoder)
    scale = np.abs(weights).max(axis=0) / 127.0
    vectors, phases = waves()
    arrays = {
        "components": np.round(weights / scale).astype(np.int8),
        "components.scale": scale.astype(np.float32),
        "mean": mean.astype(np.float32),
        "waves": vectors.astype(np.float32),
        "waves.phases": phases.astype(np.float32),
    }
    path = DATA / "layers.safetensors"
    sha256 = write_arrays(arrays, path)
    record = {
        "format": "geoconcept-layers",
        "format_version": 1,
        "space": model.space,
        "encoder_sha256": model.sha256,
        "sha256": sha256,
        "places": {"set": "uniform_land", "count": PLACES, "seed": SEED},
        "hidden_spread": HIDDEN_SPREAD,
        "output_spread": OUTPUT_SPREAD,
        "wave_lengths_km": [round(float(length), 3) for length in LENGTHS],
        "licence": "MIT; learnt from GeoCLIP's location encoder (MIT), without labels",
        "script": "tools/fit_layers.py",
    }
    write_json(record, DATA / "layers.json")
    print(f"{path.stat().st_size:,} bytes, sha256 {sha256}")


if __name__ == "__main__":
    main()
