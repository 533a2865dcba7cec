"""Three climate concepts over southern Africa: one GeoTIFF with three bands, one picture each.

    python examples/regional_map.py [FOLDER]

Open southern_africa.tif in QGIS: it comes styled, and each band is named after its concept.
"""

from __future__ import annotations

import sys
from pathlib import Path

import geoconcept_gis as gc

BOUNDS = (10, -36, 42, -14)  # west, south, east, north
CONCEPTS = ["hot desert climate", "hot steppe climate", "subtropical highland climate"]


def main() -> None:
    """Map, write, draw."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "demo_output")
    folder.mkdir(parents=True, exist_ok=True)
    dataset = gc.concept_map(CONCEPTS, BOUNDS, resolution=0.2)
    print(gc.write_raster(dataset, folder / "southern_africa.tif"))
    for name in dataset.data_vars:
        print(gc.save_concept_map(dataset, folder / f"southern_africa_{name}.png", str(name)))


if __name__ == "__main__":
    main()
