"""A map in the coordinate system of your project: Europe in EPSG:3035, cells of 30 km of equal area.

    python examples/europe_projected.py [FOLDER]

Bounds and resolution are in metres, so that the raster lies on the others of a European project cell by cell.
"""

from __future__ import annotations

import sys
from pathlib import Path

import geoconcept_gis as gc

EUROPE = (2_500_000, 1_400_000, 6_100_000, 5_420_000)  # left, bottom, right, top, in metres
CONCEPT = "mediterranean woodland"


def main() -> None:
    """Map, write, draw, measure."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "demo_output")
    folder.mkdir(parents=True, exist_ok=True)

    europe = gc.concept_map(CONCEPT, EUROPE, resolution=30_000, crs="EPSG:3035")
    print(gc.write_raster(europe, folder / "europe_projected.tif"))
    print(gc.save_concept_map(europe, folder / "europe_projected.png", title="Mediterranean woodland in EPSG:3035"))

    # Cells are equal in area, so that counting them is measuring.
    strong = int((europe["mediterranean_woodland"] > 0.5).sum())
    print(f"associated more strongly than 0.5: {strong * 30 * 30:,} km2")


if __name__ == "__main__":
    main()
