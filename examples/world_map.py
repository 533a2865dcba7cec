"""A concept over the whole world: a picture, and a GeoTIFF that QGIS opens with the same colours.

    python examples/world_map.py [FOLDER]

Yellow is where nearly all reference places with such a score lie in a hot desert, dark where none does.
"""

from __future__ import annotations

import sys
from pathlib import Path

import geoconcept_gis as gc


def main() -> None:
    """Map, write, draw."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "demo_output")
    folder.mkdir(parents=True, exist_ok=True)

    world = gc.concept_map("hot desert climate", (-180, -60, 180, 84), resolution=1.5)
    print(gc.write_raster(world, folder / "world_map.tif"))
    print(gc.save_concept_map(world, folder / "world_map.png", title="Hot desert climate, seen from coordinates alone"))

    score = world["hot_desert_climate"]
    peak = score.where(score == score.max(), drop=True)
    print(f"highest at {float(peak.lon[0]):.0f} E, {float(peak.lat[0]):.0f} N: {float(score.max()):.2f}")


if __name__ == "__main__":
    main()
