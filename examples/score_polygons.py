"""Polygons scored by the mean over points inside them: the larger islands of the Malay Archipelago.

    python examples/score_polygons.py [FOLDER]

One point speaks for a small polygon. For a large one take the mean of many: within="mean".
"""

from __future__ import annotations

import sys
from pathlib import Path

import geoconcept_gis as gc
from geoconcept_gis.land import land_polygons

CONCEPT = "tropical rainforest climate"


def main() -> None:
    """Pick the islands, score them both ways, draw."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "demo_output")
    folder.mkdir(parents=True, exist_ok=True)

    land = land_polygons()
    box = land.bounds
    land = land[(box.minx > 94) & (box.maxx < 131) & (box.miny > -11.5) & (box.maxy < 7.5)]
    islands = land[land.to_crs("EPSG:6933").area > 400e6].reset_index(drop=True)  # of 400 km2 and more

    point = gc.embed(islands, concepts=CONCEPT)
    mean = gc.embed(islands, concepts=CONCEPT, within="mean", samples=64)
    ax = mean.geoconcept.plot(title=f"Islands and the {CONCEPT}: means over 64 points")
    ax.figure.savefig(folder / "score_polygons.png", dpi=120)
    print(folder / "score_polygons.png")

    column = "concept_tropical_rainforest_climate"
    largest = mean.to_crs("EPSG:6933").area.idxmax()
    print(
        f"{len(islands)} islands; the largest: one point {point[column][largest]:.2f}, mean {mean[column][largest]:.2f}"
    )


if __name__ == "__main__":
    main()
