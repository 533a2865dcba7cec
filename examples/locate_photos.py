"""Where may these photos be from? A card, pictures and a table, from real CLIP vectors and from nine free photos.

    GEOCONCEPT_DATA=path/to/data python examples/locate_photos.py [FOLDER]

The pictures of docs/locate.md are made by this script. The first run makes the galleries, which takes minutes. Without
the data it locates the vector of a place, which is as good as a photo of it.
"""

from __future__ import annotations

import sys
import warnings
from pathlib import Path

import numpy as np
import shapely

import geoconcept_gis as gc
from geoconcept_gis.bank.sources import data_folder
from geoconcept_gis.errors import GeoConceptError, MissingDependencyError, WeakTowerWarning


def main() -> None:
    """Locate what there is."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "demo_output")
    folder.mkdir(parents=True, exist_ok=True)
    try:
        data = data_folder()
    except GeoConceptError as error:
        print(f"{error}\nso here is a place instead of photos:")
        show(gc.geolocate(gc.load_model().encode([[31.2, 30.0]])), folder / "locate_place.png", "Cairo's own vector")
        return
    from_vectors(data, folder)
    weakly(data, folder)


def from_vectors(data: Path, folder: Path) -> None:
    """Locate photos of which only CLIP's 768 numbers are at hand."""
    photos = np.load(data / "clip" / "clip_vitl14_country_vectors.npz")["image"]
    sharp, vague = gc.geolocate(photos[[20, 28]])
    show(sharp, folder / "locate_sharp.png", "A photo from the United States")
    show(vague, folder / "locate_vague.png", "A photo from Mexico")

    # What an analyst knows: it is in Mexico or close by.
    mexico = shapely.box(-117.5, 14.5, -86.7, 32.7)
    show(gc.geolocate(photos[28], prior=mexico), folder / "locate_within.png", "The same photo, looked for in a box")

    # Two photos of one place say more than one, and what is shared is made coarse.
    both = gc.combine([sharp, gc.geolocate(photos[25])], name="Two photos")
    show(both.coarsened(100), folder / "locate_shared.png", "Two photos from the United States, coarsened to share")


def weakly(data: Path, folder: Path) -> None:
    """Locate nine free photos with the weak tower, which is there for demonstrations, and compare with their EXIF."""
    photos = sorted((data / "photos" / "free_exif").glob("*.jpg"))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", WeakTowerWarning)
            found = gc.geolocate(photos, tower="weak", errors="return")
    except MissingDependencyError as error:
        print(error)
        return
    table = gc.summarise(found, [photo.name for photo in photos])
    print(table[["file", "lon", "lat", "probability", "area90_km2", "exif_km", "status"]].round(2).to_string())
    print(gc.write_places(table, folder / "locate_weak.csv"))
    show(found[1], folder / "locate_weak.png", f"{photos[1].name}, seen by the weak tower")


def show(one: gc.Geolocation, path: Path, title: str) -> None:
    """Print the likeliest places and what carried them, and draw the map."""
    print(f"\n{title}\n{one.points.head(3)}\n{one.areas[['level', 'probability', 'area_km2']]}")
    if "precision_km" not in one.provenance and "combined" not in one.provenance:
        print(one.concepts[["concept", "grade", "moved", "moved_by_chance"]].head(5).round(2))
    print(one.save_picture(path, title=title))


if __name__ == "__main__":
    main()
