"""What is a place associated with, what tells two countries apart, and where else is like here: four pictures.

    python examples/explain_places.py [FOLDER]

The pictures of docs/explain.md are made by this script.
"""

from __future__ import annotations

import sys
from pathlib import Path

import geoconcept_gis as gc

WINE = [(18.87, -33.93), (-122.29, 38.3), (-0.58, 44.84), (-71.22, -34.64)]  # Cape, Napa, Bordeaux, Colchagua


def main() -> None:
    """Explain two places, compare two countries, map what is like four wine regions."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "demo_output")
    folder.mkdir(parents=True, exist_ok=True)

    cairo = gc.explain((31.2, 30.0))
    print(cairo)
    print(cairo.save(folder / "explain_cairo.png"))
    print(gc.explain((-68.15, -16.5)).save(folder / "explain_la_paz.png"))

    towns = gc.world_places()
    japan, new_zealand = (towns[towns["country"] == country] for country in ("Japan", "New Zealand"))
    difference = gc.compare(japan, new_zealand)
    print(difference)
    print(difference.save(folder / "explain_compare.png", title="Towns of Japan (A) and of New Zealand (B)"))

    alike = gc.similar_places(WINE, resolution=1)
    print(alike)
    print(gc.save_concept_map(alike.map, folder / "explain_similar.png", title="Like four wine regions", dpi=110))


if __name__ == "__main__":
    main()
