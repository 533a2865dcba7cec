"""A concept of your own from a list of places: towns known for their coffee.

    python examples/own_concept.py [FOLDER]

It is tested on blocks of the globe that it was not fitted on, graded, and kept as a file that every command takes.
"""

from __future__ import annotations

import sys
from pathlib import Path

import geoconcept_gis as gc

COFFEE = {
    "Jimma": (36.83, 7.67), "Yirgacheffe": (38.21, 6.16), "Harar": (42.12, 9.31), "Nyeri": (36.95, -0.42),
    "Moshi": (37.34, -3.35), "Mbale": (34.18, 1.08), "Huye": (29.74, -2.6), "Gitega": (29.92, -3.43),
    "Manizales": (-75.52, 5.07), "Armenia": (-75.68, 4.53), "Popayan": (-76.61, 2.44), "Huehuetenango": (-91.47, 15.32),
    "Antigua": (-90.73, 14.56), "Boquete": (-82.43, 8.78), "Tarrazu": (-84.02, 9.66), "Matagalpa": (-85.92, 12.93),
    "Coatepec": (-96.96, 19.45), "Varginha": (-45.43, -21.55), "Patrocinio": (-46.99, -18.94), "Jaen": (-78.8, -5.7),
    "Chikmagalur": (75.77, 13.32), "Buon Ma Thuot": (108.04, 12.67), "Takengon": (96.85, 4.63), "Goroka": (145.4, -6.1),
}  # fmt: skip


def main() -> None:
    """Fit, test, map, keep."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "demo_output")
    folder.mkdir(parents=True, exist_ok=True)

    coffee = gc.concept_from_places(list(COFFEE.values()), name="coffee towns")
    print(f"{coffee.name}: grade {coffee.grade}, held-out AUROC {coffee.validity.value:.2f}")
    print(gc.write_concept(coffee, folder / "coffee_towns.concept"))

    tropics = gc.concept_map(coffee, (-120, -30, 155, 30), resolution=1.25, kind="percentile")
    ax = gc.plot_concept_map(tropics, title=f"Like {len(COFFEE)} towns known for coffee (grade {coffee.grade})")
    ax.plot(*zip(*COFFEE.values(), strict=True), "o", color="#d7263d", markersize=3.5, markeredgecolor="white")
    ax.figure.savefig(folder / "own_concept.png", dpi=130)
    print(folder / "own_concept.png")


if __name__ == "__main__":
    main()
