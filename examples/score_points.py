"""A table of points with new columns: which towns are associated with the mediterranean climate?

    python examples/score_points.py [FOLDER]

The same call enriches occurrence records before a species model: one named column for each concept.
"""

from __future__ import annotations

import sys
from pathlib import Path

import geoconcept_gis as gc


def main() -> None:
    """Score, draw, list, write."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "demo_output")
    folder.mkdir(parents=True, exist_ok=True)

    around_the_sea = gc.world_places().cx[-12:45, 27:51]
    towns = gc.embed(around_the_sea, concepts=["mediterranean climate", "port"])
    ax = towns.geoconcept.plot("mediterranean climate", title="Towns associated with the mediterranean climate")
    ax.figure.savefig(folder / "score_points.png", dpi=140)
    print(folder / "score_points.png")

    print(towns.nlargest(8, "concept_mediterranean_climate")[["name", "country", "concept_mediterranean_climate"]])
    print(gc.write_places(towns, folder / "score_points.gpkg"))


if __name__ == "__main__":
    main()
