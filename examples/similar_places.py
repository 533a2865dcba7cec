"""Where else is like here? Iceland and the Faroes, and every place that reads like them.

    python examples/similar_places.py [FOLDER]

Red is like the seeds, blue unlike. Read it far from the seeds: near them it is high because it is near.
"""

from __future__ import annotations

import sys
from pathlib import Path

import geoconcept_gis as gc

SEEDS = [(-21.9, 64.1), (-14.1, 65.7), (-19.0, 63.4), (-7.0, 62.0)]  # Reykjavik, Akureyri, Vik, Faroes


def main() -> None:
    """Search the land, mark the seeds, tell what carries the likeness."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "demo_output")
    folder.mkdir(parents=True, exist_ok=True)

    alike = gc.similar_places(SEEDS, (-180, -60, 180, 84), resolution=1.5)
    ax = gc.plot_concept_map(alike.map, title="Like Iceland and the Faroes")
    ax.plot(*zip(*SEEDS, strict=True), "k+", markersize=7)
    ax.figure.savefig(folder / "similar_places.png", dpi=110)
    print(folder / "similar_places.png")

    print(alike.concepts.head(6).to_string())
    [layer] = alike.map.data_vars.values()
    south = layer.sel(lat=slice(-30, None))
    best = south.where(south == south.max(), drop=True)
    print(f"most alike in the far south: {float(best.lon[0]):.0f} E, {float(best.lat[0]):.0f} N")


if __name__ == "__main__":
    main()
