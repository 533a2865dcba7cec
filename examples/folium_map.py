"""A map to zoom and click, as one HTML page: the towns of Australia, and the same as a picture.

    python examples/folium_map.py [FOLDER]

Needs folium (`pip install 'geoconcept-gis[notebook]'`). In a notebook the last line of a cell is enough:
``towns.geoconcept.explore()``.
"""

from __future__ import annotations

import sys
from pathlib import Path

import geoconcept_gis as gc


def main() -> None:
    """Score, make the page, draw."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "demo_output")
    folder.mkdir(parents=True, exist_ok=True)

    towns = gc.world_places().query("country == 'Australia'")
    towns = gc.embed(towns, concepts="dry")
    page = towns.geoconcept.explore("dry", engine="folium")
    page.save(str(folder / "folium_map.html"))
    print(folder / "folium_map.html")

    ax = towns.geoconcept.plot("dry", title="Towns of Australia: how strongly they are associated with dry")
    ax.figure.savefig(folder / "folium_map.png", dpi=110)
    print(folder / "folium_map.png")
    print(f"{len(towns)} towns, the driest by their score: {towns.loc[towns['concept_dry'].idxmax(), 'name']}")


if __name__ == "__main__":
    main()
