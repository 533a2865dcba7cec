"""Train a model of Europe from geotagged photos, see what it is worth, and place a photo with it.

    GEOCONCEPT_DATA=path/to/data python examples/train_regional.py out

Takes the European ones of 2,000 real photos (as features of an ImageNet network, which finds little: with CLIP's
features the same steps find far more), and the scene that a classifier saw in each. Two minutes on two cores; the first
time some minutes more, for the galleries, which are kept. Your own photos come in by `geoconcept features`; see
docs/training.md.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd

import geoconcept_gis as gc
from geoconcept_gis.bank.scenes import concepts_of_scene
from geoconcept_gis.bank.sources import data_folder
from geoconcept_gis.errors import InputError
from geoconcept_gis.train import read_config, train, write_features
from geoconcept_gis.train import split as split_photos

EUROPE = (-11.0, 35.0, 40.0, 71.0)
CONFIG = Path(__file__).parents[1] / "configs" / "few_photos.yaml"
WEAK = Path(gc.__file__).parent / "towers" / "weak_head.json"


def main() -> None:
    out = Path(sys.argv[1] if len(sys.argv) > 1 else "regional")
    try:
        data_folder()
    except InputError as error:
        raise SystemExit(f"{error}\nThis example trains on the photos there; docs/training.md on your own.") from None
    out.mkdir(parents=True, exist_ok=True)
    begun = time.monotonic()
    shards = cache(out)
    config = read_config(
        CONFIG,
        [
            "name=europe",
            f"data.train={shards.folder.absolute()}",
            f"concepts.seen={(out / 'seen.csv').absolute()}",
            "run.accelerator=cpu",
        ],
    )
    folder = train(config, out / "run", progress=lambda done, total: print(f"\r{done} of {total} steps", end=""))
    print(f"\n{folder}: trained and measured in {time.monotonic() - begun:.0f} s\n")
    print((out / "run" / "evaluation.md").read_text(encoding="utf-8"))
    model = gc.load_model(folder)
    held_out = split_photos(shards, 0.2, "group", config.seed)[1]
    found = gc.geolocate(shards.plain(held_out[:1])[0], model=model, prior=europe())
    found.save_picture(out / "one_photo.png")
    lon, lat = shards.lonlat[held_out[0]]
    print(f"{out / 'one_photo.png'}: where a held-out photo may be from; it was taken at {lon:.2f}, {lat:.2f}")


def cache(out: Path):
    """Write the European photos as feature shards, and what is seen in each as a table."""
    photos = np.load(data_folder() / "photos" / "im2gps3k_dev_features.npz")
    lonlat = photos["latlon"][:, ::-1].astype(np.float64)
    west, south, east, north = EUROPE
    inside = ((lonlat >= (west, south)) & (lonlat <= (east, north))).all(axis=1)
    tower = {"name": "weak-efficientnet-lite2", "sha256": json.loads(WEAK.read_text())["network_sha256"]}
    shards = write_features(
        out / "shards", photos["features"][inside], lonlat[inside], tower=tower, group=photos["group"][inside]
    )
    names = pd.read_csv(data_folder() / "photos" / "places365_categories.csv").iloc[:, -1].tolist()
    seen = ["; ".join(concepts_of_scene(names[scene])) for scene in photos["scene"][inside]]
    pd.DataFrame({"name": shards.names, "concepts": seen}).to_csv(out / "seen.csv", index=False)
    return shards


def europe():
    import shapely

    return shapely.box(*EUROPE)


if __name__ == "__main__":
    main()
