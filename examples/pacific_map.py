"""Across the antimeridian in one piece: the Pacific, west of 180 degrees and east of it.

    python examples/pacific_map.py [FOLDER]

West above east means: across the antimeridian. The note under the map counts the cells where the encoder jumps.
"""

from __future__ import annotations

import sys
from pathlib import Path

from matplotlib.patheffects import withStroke

import geoconcept_gis as gc

PACIFIC = (110, -50, -100, 40)  # west, south, east, north

TOWNS = ("Manila", "Sydney", "Auckland", "Honolulu", "Nasinu", "Apia")


def main() -> None:
    """Map the sea too, mark the towns."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "demo_output")
    folder.mkdir(parents=True, exist_ok=True)

    ocean = gc.concept_map("coral reef", PACIFIC, resolution=1.5, mask=None, kind="percentile")
    ax = gc.plot_concept_map(ocean, title="Coral reef: the Pacific in one piece")
    west, south, east, north = PACIFIC
    halo = [withStroke(linewidth=2.5, foreground="white")]
    towns = gc.world_places()
    towns = towns.set_geometry(towns.translate(360).where(towns.geometry.x < 0, towns.geometry))
    for town in towns[towns["name"].isin(TOWNS)].cx[west : east + 360, south:north].itertuples():
        ax.plot(town.geometry.x, town.geometry.y, "o", color="black", markersize=4, markeredgecolor="white")
        ax.annotate(
            town.name,
            (town.geometry.x, town.geometry.y),
            (4, 3),
            textcoords="offset points",
            fontsize=9,
            path_effects=halo,
        )
    ax.figure.savefig(folder / "pacific_map.png", dpi=110)
    print(folder / "pacific_map.png")

    print(f"longitudes of the columns: {float(ocean.lon[0]):g} to {float(ocean.lon[-1]):g}, without a break")


if __name__ == "__main__":
    main()
